//! The tray icon: bring the window back, quit. A desktop without a tray goes on without one.

use tauri::menu::{Menu, MenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{App, AppHandle, Manager as _};

use crate::MAIN_WINDOW;

const SHOW: &str = "show";
const QUIT: &str = "quit";

/// The words of the tray in one language, from the shared catalogue.
pub(crate) struct Words {
    show: String,
    quit: String,
}

impl Words {
    /// In this language (a BCP 47 tag or a POSIX locale); Chinese for everything but English.
    pub(crate) fn of(locale: &str) -> Self {
        let catalogue = if locale.to_ascii_lowercase().starts_with("en") {
            include_str!("../../shared/i18n/en.json")
        } else {
            include_str!("../../shared/i18n/zh-CN.json")
        };
        let texts: serde_json::Value = serde_json::from_str(catalogue).unwrap_or_default();
        let text = |key: &str| {
            let found = texts.get("tray").and_then(|tray| tray.get(key));
            found.and_then(|text| text.as_str()).unwrap_or(key).to_owned()
        };
        Self { show: text(SHOW), quit: text(QUIT) }
    }
}

/// Puts the icon into the tray.
pub(crate) fn install(app: &App, words: &Words) {
    // The system's tray library is opened at run time, and its absence is a panic: caught here,
    // because a client without a tray is still a client.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| build(app, words)));
    std::panic::set_hook(hook);
    match built {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "there is no tray icon"),
        Err(_) => tracing::warn!("there is no tray icon: the system's tray library is missing"),
    }
}

fn build(app: &App, words: &Words) -> tauri::Result<()> {
    let show = MenuItem::with_id(app, SHOW, &words.show, true, None::<&str>)?;
    let quit = MenuItem::with_id(app, QUIT, &words.quit, true, None::<&str>)?;
    let menu = Menu::with_items(app, &[&show, &quit])?;
    let mut tray = TrayIconBuilder::with_id("main").menu(&menu).tooltip("迎客").on_menu_event(
        |app: &AppHandle, event| match event.id().as_ref() {
            SHOW => show_window(app),
            QUIT => app.exit(0),
            _ => {}
        },
    );
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(app)?;
    Ok(())
}

fn show_window(app: &AppHandle) {
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
        }
        assert_ne!(zh.quit, en.quit);
        assert_eq!(Words::of("").quit, zh.quit);
    }
}
