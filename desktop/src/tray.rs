//! The tray icon: bring the window back, the own presence in one click (B12), quit. A desktop without a
//! tray goes on without one.
//!
//! 离开 with conversations running changes something for visitors, so it is not done here: the window
//! comes and asks, as its own switch does.

use std::sync::Arc;

use tauri::menu::{CheckMenuItem, Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{App, AppHandle, Manager as _, Wry};
use tokio::sync::Notify;
use yingke_client::Core;
use yingke_client::bridge::types::{
    Session, Standing, UiError, UiErrorKind, UiPush, UiReply, UiRequest, UiState,
};
use yingke_shared::views::Availability;

use crate::MAIN_WINDOW;
use crate::bridge::Bridge;

const SHOW: &str = "show";
const QUIT: &str = "quit";
/// Ids of the menu, and keys of the catalogue.
const PRESENCE: [(&str, Availability); 3] = [
    ("presence_online", Availability::Online),
    ("presence_busy", Availability::Busy),
    ("presence_away", Availability::Away),
];
/// The workbench hears that 离开 was chosen outside of it.
const ASK_AWAY: &str = "dispatchEvent(new CustomEvent('yingke:away'))";

/// The words of the tray in one language, from the shared catalogue.
pub(crate) struct Words {
    show: String,
    quit: String,
    presence: [String; 3],
}

impl Words {
    /// In this language (a BCP 47 tag or a POSIX locale); Chinese for everything but English.
    pub(crate) fn of(locale: &str) -> Self {
        let texts = catalogue(locale);
        let text = |room: &str, key: &str| word(&texts, room, key);
        Self {
            show: text("tray", SHOW),
            quit: text("tray", QUIT),
            presence: PRESENCE.map(|(key, _)| text("workbench", key)),
        }
    }
}

/// A text of the shell in one language; an empty locale is the system's.
pub(crate) fn text(locale: &str, key: &str) -> String {
    let system = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let mut system = system.iter().filter_map(|name| std::env::var(name).ok());
    let locale = match locale {
        "" => system.find(|value| !value.is_empty()).unwrap_or_default(),
        chosen => chosen.to_owned(),
    };
    word(&catalogue(&locale), "tray", key)
}

fn catalogue(locale: &str) -> serde_json::Value {
    let catalogue = if locale.to_ascii_lowercase().starts_with("en") {
        include_str!("../../shared/i18n/en.json")
    } else {
        include_str!("../../shared/i18n/zh-CN.json")
    };
    serde_json::from_str(catalogue).unwrap_or_default()
}

fn word(texts: &serde_json::Value, room: &str, key: &str) -> String {
    let found = texts.get(room).and_then(|room| room.get(key));
    found.and_then(|text| text.as_str()).unwrap_or(key).to_owned()
}

/// The three choices as they stand in the menu. Only [`follow`] marks them: two that mark at once could
/// leave none marked.
struct Presence(Vec<(Availability, CheckMenuItem<Wry>)>);

/// Rung when a click moved a mark: what is true is marked again.
#[derive(Clone, Default)]
struct Moved(Arc<Notify>);

impl Presence {
    /// Marks the one that is; without one nobody is signed in.
    fn mark(&self, now: Option<Availability>) {
        for (availability, item) in &self.0 {
            let marked = item.set_checked(now == Some(*availability));
            if let Err(error) = marked.and_then(|()| item.set_enabled(now.is_some())) {
                tracing::warn!(%error, "the tray does not show the presence");
            }
        }
    }
}

/// Puts the icon into the tray.
pub(crate) fn install(app: &App, words: &Words, core: &Core) {
    // The system's tray library is opened at run time, and its absence is a panic: caught here,
    // because a client without a tray is still a client.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| build(app, words)));
    std::panic::set_hook(hook);
    match built {
        Ok(Ok(presence)) => {
            let moved = Moved::default();
            app.manage(moved.clone());
            tauri::async_runtime::spawn(follow(core.clone(), presence, moved));
        }
        Ok(Err(error)) => tracing::warn!(%error, "there is no tray icon"),
        Err(_) => tracing::warn!("there is no tray icon: the system's tray library is missing"),
    }
}

fn build(app: &App, words: &Words) -> tauri::Result<Presence> {
    let show = MenuItem::with_id(app, SHOW, &words.show, true, None::<&str>)?;
    let quit = MenuItem::with_id(app, QUIT, &words.quit, true, None::<&str>)?;
    let menu = Menu::with_items(app, &[&show, &PredefinedMenuItem::separator(app)?])?;
    let mut choices = Vec::new();
    for ((id, availability), word) in PRESENCE.iter().zip(&words.presence) {
        let item = CheckMenuItem::with_id(app, *id, word, false, false, None::<&str>)?;
        menu.append(&item)?;
        choices.push((*availability, item));
    }
    menu.append_items(&[&PredefinedMenuItem::separator(app)?, &quit])?;
    let mut tray = TrayIconBuilder::with_id("main").menu(&menu).tooltip("迎客").on_menu_event(
        |app: &AppHandle, event| match event.id().as_ref() {
            SHOW => show_window(app),
            QUIT => app.exit(0),
            id => {
                if let Some((_, availability)) = PRESENCE.iter().find(|(known, _)| *known == id) {
                    tauri::async_runtime::spawn(choose(app.clone(), *availability));
                }
            }
        },
    );
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(app)?;
    Ok(Presence(choices))
}

/// Marks what the core says, as long as it says anything.
async fn follow(core: Core, presence: Presence, moved: Moved) {
    let mut pushes = core.subscribe();
    // At the start too.
    moved.0.notify_one();
    loop {
        tokio::select! {
            push = pushes.next() => match push {
                Some(UiPush::State(state)) => presence.mark(shown(&state)),
                Some(UiPush::Own(own)) => presence.mark(Some(own.availability)),
                Some(_) => {}
                None => return,
            },
            () = moved.0.notified() => {
                if let Ok(state) = state_of(&core).await {
                    presence.mark(shown(&state));
                }
            }
        }
    }
}

async fn state_of(core: &Core) -> Result<UiState, UiError> {
    match core.ui(UiRequest::GetState {}).await? {
        UiReply::State(state) => Ok(state),
        _ => Err(UiError::of(UiErrorKind::Bug)),
    }
}

fn shown(state: &UiState) -> Option<Availability> {
    match &state.session {
        Session::SignedIn { own, .. } => Some(own.availability),
        Session::SignedOut { .. } | Session::SigningIn { .. } => None,
    }
}

/// What a person chose in the menu.
async fn choose(app: AppHandle, availability: Availability) {
    let Some(core) = app.try_state::<Bridge>().map(|bridge| bridge.core.clone()) else { return };
    let Ok(state) = state_of(&core).await else { return };
    if must_ask(&state, availability) {
        show_window(&app);
        let window = app.get_webview_window(MAIN_WINDOW);
        if let Some(Err(error)) = window.map(|window| window.eval(ASK_AWAY)) {
            tracing::warn!(%error, "the window does not ask");
        }
    } else if shown(&state) != Some(availability) {
        let request = UiRequest::SetAvailability { availability, hand_over: false };
        if let Err(error) = core.ui(request).await {
            tracing::info!(?error, "the presence stays as it is");
            show_window(&app);
        }
    }
    // The click itself moved the mark.
    if let Some(moved) = app.try_state::<Moved>() {
        moved.0.notify_one();
    }
}

/// Whether visitors would be affected (B11).
fn must_ask(state: &UiState, availability: Availability) -> bool {
    availability == Availability::Away
        && shown(state) != Some(Availability::Away)
        && state.inbox.iter().any(|row| row.standing == Standing::Serving)
}

/// Brings the window to the front.
pub(crate) fn show_window(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN_WINDOW) {
        let shown = window.show().and_then(|()| window.unminimize());
        if let Err(error) = shown.and_then(|()| window.set_focus()) {
            tracing::warn!(%error, "the window could not be shown");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tray_speaks_both_languages() {
        let (zh, en) = (Words::of("zh_CN.UTF-8"), Words::of("en-GB"));
        for words in [&zh, &en] {
            assert!(words.show != SHOW && words.quit != QUIT, "a text is missing");
            for (word, (key, _)) in words.presence.iter().zip(PRESENCE) {
                assert_ne!(word, key, "a text is missing");
            }
        }
        assert_ne!(zh.quit, en.quit);
        assert_eq!(zh.presence, ["在线", "忙碌", "离开"]);
        assert_eq!(Words::of("").quit, zh.quit);
    }
}
