//! The desktop around a window: a session bus of its own, and on it a notification service and a tray
//! of the test's. They write down what the client says and do what a person would: click.

use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, bail};
use zbus::connection::Builder;
use zbus::message::Header;
use zbus::names::OwnedUniqueName;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedValue, Structure, Value};
use zbus::{Connection, Proxy};

use super::window::{DesktopHome, INSTALL};
use crate::processes::{Group, find_program};
use crate::wait;

const NOTIFICATIONS: &str = "/org/freedesktop/Notifications";
const WATCHER: &str = "/StatusNotifierWatcher";
/// Why a notification is gone, as the specification counts.
const BY_A_PERSON: u32 = 2;
const BY_THE_PROGRAM: u32 = 3;

/// A session bus.
pub struct SessionBus {
    /// Where it is.
    pub address: String,
    _daemon: Group,
}

impl SessionBus {
    /// Starts one for this computer.
    pub async fn start(home: &DesktopHome) -> Result<Self> {
        let log = home.path().join(format!("bus-{}.log", uuid::Uuid::now_v7()));
        let mut command = Command::new(find_program("DBUS_DAEMON", "dbus-daemon", INSTALL)?);
        command.args(["--session", "--nofork", "--nopidfile", "--nosyslog", "--print-address=1"]);
        home.furnish(&mut command);
        let daemon = Group::start("dbus-daemon", &mut command, &log)?;
        let address = wait::until("the bus says its address", || async {
            let said = std::fs::read_to_string(&log)?;
            let line = said.split_inclusive('\n').find(|line| line.starts_with("unix:"));
            // Complete only with its line's end.
            Ok(line.filter(|line| line.ends_with('\n')).map(|line| line.trim().to_owned()))
        })
        .await?;
        Ok(Self { address, _daemon: daemon })
    }
}

/// A notification as it stands on the desktop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The desktop's number.
    pub number: u32,
    /// The line.
    pub title: String,
    /// What stands below it.
    pub body: String,
    /// 0 to 2.
    pub urgency: u8,
}

/// What the desktop was told.
#[derive(Debug, Default)]
struct Told {
    last: u32,
    shown: BTreeMap<u32, Notification>,
    /// Every notification, also those that replaced another or are gone.
    all: Vec<Notification>,
    item: Option<(OwnedUniqueName, String)>,
}

/// The notification service and the tray.
pub struct Desktop {
    bus: Connection,
    told: Arc<Mutex<Told>>,
}

struct Notifications(Arc<Mutex<Told>>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(
        clippy::too_many_arguments,
        clippy::needless_pass_by_value,
        reason = "as the specification has it"
    )]
    fn notify(
        &self,
        _app_name: String,
        replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        _actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        let mut told = self.0.lock().unwrap();
        let number = if told.shown.contains_key(&replaces) {
            replaces
        } else {
            told.last += 1;
            told.last
        };
        let urgency = hints.get("urgency").and_then(|urgency| u8::try_from(urgency).ok());
        let urgency = urgency.unwrap_or(1);
        let notification = Notification { number, title: summary, body, urgency };
        told.all.push(notification.clone());
        told.shown.insert(number, notification);
        number
    }

    async fn close_notification(
        &self,
        number: u32,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        if self.0.lock().unwrap().shown.remove(&number).is_some() {
            Self::notification_closed(&emitter, number, BY_THE_PROGRAM).await?;
        }
        Ok(())
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".to_owned(), "actions".to_owned()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("a test's desktop".to_owned(), "Yingke".to_owned(), "1".to_owned(), "1.2".to_owned())
    }

    #[zbus(signal)]
    async fn notification_closed(
        emitter: &SignalEmitter<'_>,
        number: u32,
        reason: u32,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn action_invoked(
        emitter: &SignalEmitter<'_>,
        number: u32,
        action: &str,
    ) -> zbus::Result<()>;
}

struct Watcher(Arc<Mutex<Told>>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    /// A path of the caller's, or a name of the bus.
    #[expect(clippy::needless_pass_by_value, reason = "a header is given by value")]
    fn register_status_notifier_item(&self, service: String, #[zbus(header)] header: Header<'_>) {
        let Some(sender) = header.sender() else { return };
        let path =
            if service.starts_with('/') { service } else { "/StatusNotifierItem".to_owned() };
        self.0.lock().unwrap().item = Some((sender.to_owned().into(), path));
    }

    fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        let told = self.0.lock().unwrap();
        told.item.iter().map(|(sender, path)| format!("{sender}{path}")).collect()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

impl Desktop {
    /// Serves on a bus, before any program that needs it starts there.
    pub async fn serve(bus: &SessionBus) -> Result<Self> {
        let told = Arc::<Mutex<Told>>::default();
        let bus = Builder::address(bus.address.as_str())?
            .serve_at(NOTIFICATIONS, Notifications(Arc::clone(&told)))?
            .serve_at(WATCHER, Watcher(Arc::clone(&told)))?
            .name("org.freedesktop.Notifications")?
            .name("org.kde.StatusNotifierWatcher")?
            .build()
            .await?;
        Ok(Self { bus, told })
    }

    /// Every notification so far, also those that replaced another or are gone.
    #[must_use]
    pub fn all(&self) -> Vec<Notification> {
        self.told.lock().unwrap().all.clone()
    }

    /// Waits until what stands on the desktop is as wanted; gives it.
    pub async fn until_shown(
        &self,
        what: &str,
        wanted: impl Fn(&[Notification]) -> bool,
    ) -> Result<Vec<Notification>> {
        let looked = wait::until(what, || async {
            let shown = self.shown();
            Ok(wanted(&shown).then_some(shown))
        });
        looked.await.with_context(|| format!("the desktop was told {:?}", self.all()))
    }

    fn shown(&self) -> Vec<Notification> {
        self.told.lock().unwrap().shown.values().cloned().collect()
    }

    /// A person clicks a notification, which takes it away.
    pub async fn click(&self, number: u32) -> Result<()> {
        let known = self.told.lock().unwrap().shown.remove(&number);
        known.with_context(|| format!("there is no notification {number}"))?;
        let emitter = SignalEmitter::new(&self.bus, NOTIFICATIONS)?;
        Notifications::action_invoked(&emitter, number, "default").await?;
        Notifications::notification_closed(&emitter, number, BY_A_PERSON).await?;
        Ok(())
    }

    /// Waits for the one item in the tray.
    pub async fn tray(&self) -> Result<Tray<'static>> {
        let (owner, path) = wait::until("an item is in the tray", || async {
            Ok(self.told.lock().unwrap().item.clone())
        })
        .await?;
        let item = Proxy::new(&self.bus, owner.clone(), path, "org.kde.StatusNotifierItem").await?;
        let menu = wait::until("the item has a menu", || async {
            let menu: zbus::zvariant::OwnedObjectPath = item.get_property("Menu").await?;
            Ok(Some(menu))
        })
        .await?;
        let menu = Proxy::new(&self.bus, owner, menu, "com.canonical.dbusmenu").await?;
        Ok(Tray { menu })
    }
}

/// The client's item in the tray.
pub struct Tray<'a> {
    menu: Proxy<'a>,
}

/// A line of its menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrayLine {
    number: i32,
    /// What it says; empty for a line between others.
    pub label: String,
    /// It has a mark.
    pub checked: bool,
    /// It can be chosen.
    pub enabled: bool,
}

impl Tray<'_> {
    /// The menu as it is now.
    pub async fn lines(&self) -> Result<Vec<TrayLine>> {
        type Entry = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);
        let everything: Vec<String> = Vec::new();
        let (_, (_, _, entries)): (u32, Entry) =
            self.menu.call("GetLayout", &(0_i32, -1_i32, everything)).await?;
        entries.iter().map(line).collect()
    }

    /// Waits until the menu is as wanted.
    pub async fn until_lines(
        &self,
        what: &str,
        wanted: impl Fn(&[TrayLine]) -> bool,
    ) -> Result<Vec<TrayLine>> {
        let last = Mutex::new(Vec::new());
        let looked = wait::until(what, || async {
            let lines = self.lines().await?;
            last.lock().unwrap().clone_from(&lines);
            Ok(wanted(&lines).then_some(lines))
        });
        looked.await.with_context(|| format!("the menu is {:?}", last.lock().unwrap()))
    }

    /// A person chooses a line.
    pub async fn choose(&self, label: &str) -> Result<()> {
        let lines = self.lines().await?;
        let line = lines.iter().find(|line| line.label == label);
        let number = line.with_context(|| format!("no {label:?} in {lines:?}"))?.number;
        let nothing = Value::from(0_i32);
        Ok(self.menu.call("Event", &(number, "clicked", nothing, 0_u32)).await?)
    }
}

fn line(entry: &OwnedValue) -> Result<TrayLine> {
    let entry = entry.downcast_ref::<&Structure<'_>>()?;
    let [Value::I32(number), Value::Dict(about), _] = entry.fields() else {
        bail!("this is no line of a menu: {entry:?}")
    };
    let about = HashMap::<String, OwnedValue>::try_from(about.try_clone()?)?;
    let said = about.get("label").and_then(|label| label.downcast_ref::<&str>().ok());
    let is = |name: &str, or: bool| match about.get(name).map(|value| &**value) {
        Some(Value::Bool(is)) => *is,
        Some(Value::I32(is)) => *is == 1,
        _ => or,
    };
    Ok(TrayLine {
        number: *number,
        label: said.unwrap_or_default().to_owned(),
        checked: is("toggle-state", false),
        enabled: is("enabled", true),
    })
}
