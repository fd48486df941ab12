//! Notifications of the system: one per conversation, replaced by the next; a click brings the window
//! to the front with that conversation open (C20, C21). Nothing here is logged of what one says. The
//! sound is the workbench's, so the desktop is asked to make none.
//!
//! A thread of its own talks to the desktop, because its service may be slow; the core only hands over.
//! Without that service it is said once, and the workbench goes on with its own signs.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tauri::{AppHandle, Manager as _, UserAttentionType};
use yingke_client::bridge::types::{AlertKind, AlertLevel};
use yingke_client::host::{Notice, Notifier};
use yingke_shared::ids::ConversationId;

use crate::{MAIN_WINDOW, tray};

/// Orders that wait for a slow desktop; more are dropped, the list in the window shows them all.
const ORDERS_MAX: usize = 64;

enum Order {
    Show(Notice),
    Withdraw(ConversationId),
}

/// The way to the thread.
pub(crate) struct Notifications {
    orders: SyncSender<Order>,
}

impl Notifications {
    /// Starts the thread.
    pub(crate) fn begin(app: AppHandle) -> Self {
        let (orders, waiting) = sync_channel(ORDERS_MAX);
        let thread = std::thread::Builder::new().name("yingke-notify".to_owned());
        if let Err(error) = thread.spawn(move || carry_out(&app, &waiting)) {
            tracing::warn!(%error, "there are no notifications of the system");
        }
        Self { orders }
    }

    fn order(&self, order: Order) {
        if self.orders.try_send(order).is_err() {
            tracing::debug!("a notification of the system is left out");
        }
    }
}

impl Notifier for Notifications {
    fn notify(&self, notice: Notice) {
        self.order(Order::Show(notice));
    }

    fn withdraw(&self, conversation_id: &ConversationId) {
        self.order(Order::Withdraw(conversation_id.clone()));
    }
}

fn carry_out(app: &AppHandle, orders: &Receiver<Order>) {
    let mut desktop = desktop::Desktop::begin(app);
    while let Ok(order) = orders.recv() {
        match order {
            Order::Show(notice) => {
                flash(app, notice.level);
                if let Some(desktop) = &mut desktop {
                    desktop.show(&notice, &title(&notice));
                }
            }
            Order::Withdraw(conversation_id) => {
                if let Some(desktop) = &mut desktop {
                    desktop.withdraw(&conversation_id);
                }
            }
        }
    }
}

/// The window's place in the task bar asks for a look.
fn flash(app: &AppHandle, level: AlertLevel) {
    let Some(window) = app.get_webview_window(MAIN_WINDOW) else { return };
    if window.is_focused().unwrap_or(true) {
        return;
    }
    let how = match level {
        AlertLevel::Alarm => UserAttentionType::Critical,
        AlertLevel::Calm | AlertLevel::Warn => UserAttentionType::Informational,
    };
    if let Err(error) = window.request_user_attention(Some(how)) {
        tracing::debug!(%error, "the window does not ask for a look");
    }
}

/// A person clicked: the one time the window comes to the front by itself.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has clicks"))]
fn open(app: &AppHandle, conversation_id: &ConversationId) {
    tray::show_window(app);
    let Ok(id) = serde_json::to_string(conversation_id) else { return };
    let script = format!("dispatchEvent(new CustomEvent('yingke:open', {{ detail: {id} }}))");
    let window = app.get_webview_window(MAIN_WINDOW);
    if let Some(Err(error)) = window.map(|window| window.eval(script)) {
        tracing::warn!(%error, "the conversation is not opened");
    }
}

/// What it says in one line, from the shared catalogue.
fn title(notice: &Notice) -> String {
    let kind = match notice.kind {
        AlertKind::Conversation => "alert_conversation",
        AlertKind::Message => "alert_message",
        AlertKind::Invitation => "alert_invitation",
        AlertKind::Manager => "alert_manager",
        AlertKind::StillWaiting => "alert_still_waiting",
    };
    tray::text(&notice.locale, kind).replace("{name}", &notice.name)
}

#[cfg(target_os = "linux")]
mod desktop {
    //! The desktop's own service, over the session bus.

    use std::collections::{BTreeMap, HashMap};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    use tauri::AppHandle;
    use yingke_client::bridge::types::AlertLevel;
    use yingke_client::host::Notice;
    use yingke_shared::ids::ConversationId;
    use zbus::blocking::{Connection, Proxy, connection};
    use zbus::zvariant::Value;

    const NAME: &str = "org.freedesktop.Notifications";
    const PATH: &str = "/org/freedesktop/Notifications";
    /// The action of a click anywhere on a notification.
    const CLICK: &str = "default";
    /// An answer that takes longer is none.
    const ANSWER_WITHIN: Duration = Duration::from_secs(5);
    const AS_THE_DESKTOP_LIKES: i32 = -1;

    /// The desktop's number of what is shown, by conversation.
    type Shown = Arc<Mutex<BTreeMap<ConversationId, u32>>>;

    pub(super) struct Desktop {
        proxy: Proxy<'static>,
        shown: Shown,
        /// It was said that it does not work.
        complained: bool,
    }

    impl Desktop {
        /// Meets the desktop and listens for clicks; `None` if there is no bus.
        pub(super) fn begin(app: &AppHandle) -> Option<Self> {
            match Self::meet(app) {
                Ok(desktop) => Some(desktop),
                Err(error) => {
                    tracing::warn!(%error, "there are no notifications of the system");
                    None
                }
            }
        }

        fn meet(app: &AppHandle) -> zbus::Result<Self> {
            let bus: Connection =
                connection::Builder::session()?.method_timeout(ANSWER_WITHIN).build()?;
            let proxy = Proxy::new(&bus, NAME, PATH, NAME)?;
            let shown = Shown::default();
            let (heard, app, known) = (proxy.clone(), app.clone(), Arc::clone(&shown));
            let thread = std::thread::Builder::new().name("yingke-clicks".to_owned());
            if let Err(error) = thread.spawn(move || listen(&app, &heard, &known)) {
                tracing::warn!(%error, "clicks on notifications are not heard");
            }
            Ok(Self { proxy, shown, complained: false })
        }

        pub(super) fn show(&mut self, notice: &Notice, title: &str) {
            // Held until the number is known: a click may be heard before the answer is.
            let mut numbers = lock(&self.shown);
            let before = numbers.get(&notice.conversation_id).copied();
            let urgency: u8 = match notice.level {
                AlertLevel::Calm | AlertLevel::Warn => 1,
                AlertLevel::Alarm => 2,
            };
            let hints = HashMap::from([
                ("suppress-sound", Value::from(true)),
                ("urgency", Value::from(urgency)),
                ("category", Value::from("im.received")),
                ("desktop-entry", Value::from("yingke")),
            ]);
            let body = escaped(&notice.text);
            let actions = vec![CLICK, title];
            let shown: zbus::Result<u32> = self.proxy.call(
                "Notify",
                &(
                    "迎客",
                    before.unwrap_or(0),
                    "yingke-desktop",
                    title,
                    body,
                    actions,
                    hints,
                    AS_THE_DESKTOP_LIKES,
                ),
            );
            match shown {
                Ok(number) => {
                    numbers.insert(notice.conversation_id.clone(), number);
                    self.complained = false;
                }
                Err(error) if !self.complained => {
                    self.complained = true;
                    tracing::warn!(%error, "the desktop shows no notifications");
                }
                Err(_) => {}
            }
        }

        pub(super) fn withdraw(&self, conversation_id: &ConversationId) {
            let Some(number) = lock(&self.shown).remove(conversation_id) else { return };
            let closed: zbus::Result<()> = self.proxy.call("CloseNotification", &(number,));
            if let Err(error) = closed {
                // It may be gone already.
                tracing::debug!(%error, "a notification was not taken away");
            }
        }
    }

    fn lock(shown: &Shown) -> std::sync::MutexGuard<'_, BTreeMap<ConversationId, u32>> {
        shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears clicks as long as the bus is there.
    fn listen(app: &AppHandle, proxy: &Proxy<'_>, shown: &Shown) {
        let signals = match proxy.receive_all_signals() {
            Ok(signals) => signals,
            Err(error) => {
                return tracing::warn!(%error, "clicks on notifications are not heard");
            }
        };
        for signal in signals {
            let header = signal.header();
            match header.member().map(|member| member.as_str()) {
                Some("ActionInvoked") => {
                    let Ok((number, _)) = signal.body().deserialize::<(u32, String)>() else {
                        continue;
                    };
                    let clicked = conversation_of(&lock(shown), number);
                    if let Some(conversation_id) = clicked {
                        super::open(app, &conversation_id);
                    }
                }
                Some("NotificationClosed") => {
                    if let Ok((number, _)) = signal.body().deserialize::<(u32, u32)>() {
                        lock(shown).retain(|_, known| *known != number);
                    }
                }
                _ => {}
            }
        }
    }

    fn conversation_of(
        shown: &BTreeMap<ConversationId, u32>,
        number: u32,
    ) -> Option<ConversationId> {
        shown.iter().find(|(_, known)| **known == number).map(|(id, _)| id.clone())
    }

    /// A body is markup to the desktop.
    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_visitors_write_is_no_markup() {
            assert_eq!(escaped("<b>a & b</b>"), "&lt;b&gt;a &amp; b&lt;/b&gt;");
        }

        #[test]
        fn a_click_finds_its_conversation() {
            let id = |id: &str| ConversationId::new(id).unwrap();
            let shown = BTreeMap::from([(id("c1"), 4), (id("c2"), 7)]);
            assert_eq!(conversation_of(&shown, 7), Some(id("c2")));
            assert_eq!(conversation_of(&shown, 5), None);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod desktop {
    //! Other systems: the window's place in the task bar asks for a look, and that is all.

    use tauri::AppHandle;
    use yingke_client::host::Notice;
    use yingke_shared::ids::ConversationId;

    pub(super) struct Desktop;

    impl Desktop {
        pub(super) fn begin(_app: &AppHandle) -> Option<Self> {
            None
        }

        pub(super) fn show(&mut self, _notice: &Notice, _title: &str) {}

        pub(super) fn withdraw(&self, _conversation_id: &ConversationId) {}
    }
}
