//! The real desktop client in its real window: own display, own session bus, own folders; driven by
//! tauri-driver and WebKitWebDriver.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{Capabilities, Key, WebDriver};
use tokio::net::TcpStream;
use tokio::sync::SemaphorePermit;

use super::chromium::pictures;
use super::{AFTER_CLICK, DRIVER_WITHIN, Line, Page, SessionBus};
use crate::http::{Account, Address};
use crate::processes::{Group, ReservedPort, find_program, reserve_port, tail};
use crate::seat::account_folder;
use crate::wait;

/// How to make the client's program for these tests.
const MAKE_DESKTOP: &str = "npm run build --workspace desktop-ui && \
    cargo build -p yingke-desktop --features tauri/custom-protocol";
pub(super) const INSTALL: &str = "apt-get install xvfb openbox dbus webkit2gtk-driver";

/// An agent's computer: a home folder that outlives the window.
pub struct DesktopHome(TempDir);

impl DesktopHome {
    /// A fresh one.
    pub fn new() -> Result<Self> {
        let home = tempfile::Builder::new().prefix("yingke-home-").tempdir()?;
        for name in ["config", "data", "cache", "state"] {
            std::fs::create_dir(home.path().join(name))?;
        }
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(home.path().join("runtime"))?;
        Ok(Self(home))
    }

    /// The home folder.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.0.path().to_path_buf()
    }

    /// Makes a program one of this computer's: its folders, its language.
    pub(super) fn furnish(&self, command: &mut Command) {
        let folder = self.path();
        command
            .env("HOME", &folder)
            .env("XDG_CONFIG_HOME", folder.join("config"))
            .env("XDG_DATA_HOME", folder.join("data"))
            .env("XDG_CACHE_HOME", folder.join("cache"))
            .env("XDG_STATE_HOME", folder.join("state"))
            .env("XDG_RUNTIME_DIR", folder.join("runtime"))
            .env("LANG", "C.UTF-8")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS");
    }

    /// The folder of the only account that ever signed in here.
    pub fn account_folder(&self) -> Result<PathBuf> {
        for entry in std::fs::read_dir(self.0.path().join("data"))? {
            let data = entry?.path();
            if data.join("accounts").is_dir() {
                return account_folder(&data);
            }
        }
        anyhow::bail!("nobody has signed in on this computer")
    }

    /// Whether a text stands in the outbox's files. Read as bytes: the client holds their lock.
    pub fn outbox_holds(&self, text: &str) -> Result<bool> {
        let folder = self.account_folder()?;
        for name in ["outbox.db", "outbox.db-wal"] {
            let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
            if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A running desktop client.
pub struct DesktopWindow {
    /// The window's page.
    pub page: Page,
    display: String,
    // In this order: the client goes before the display it stands on.
    _driver: Group,
    _manager: Group,
    _display: Group,
    _ports: [ReservedPort; 2],
    _seat: SemaphorePermit<'static>,
}

impl DesktopWindow {
    /// Opens the client on this computer.
    pub async fn open(home: &DesktopHome) -> Result<Self> {
        let program = find_program("YINGKE_DESKTOP_BIN", "yingke-desktop", MAKE_DESKTOP)?;
        Self::open_program(home, program).await
    }

    /// Opens a given build of the client.
    pub async fn open_program(home: &DesktopHome, program: PathBuf) -> Result<Self> {
        let seat = super::one_seat().await;
        Self::open_seated(home, program, None, seat).await
    }

    /// Opens the client on a session bus that is there already.
    pub async fn open_on(home: &DesktopHome, bus: &SessionBus) -> Result<Self> {
        let program = find_program("YINGKE_DESKTOP_BIN", "yingke-desktop", MAKE_DESKTOP)?;
        let seat = super::one_seat().await;
        Self::open_seated(home, program, Some(bus), seat).await
    }

    async fn open_seated(
        home: &DesktopHome,
        program: PathBuf,
        bus: Option<&SessionBus>,
        seat: SemaphorePermit<'static>,
    ) -> Result<Self> {
        let tauri_driver = find_program(
            "TAURI_DRIVER",
            "tauri-driver",
            "cargo install tauri-driver --locked --root target/tools",
        )?;
        let native = find_program("WEBKIT_WEBDRIVER", "WebKitWebDriver", INSTALL)?;
        let folder = home.path();
        let run = uuid::Uuid::now_v7();

        let display_log = folder.join(format!("display-{run}.log"));
        let mut xvfb = Command::new(find_program("XVFB", "Xvfb", INSTALL)?);
        xvfb.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
        let display_process = Group::start("Xvfb", &mut xvfb, &display_log)?;
        let display = wait::until("Xvfb says its display", || async {
            let said = std::fs::read_to_string(&display_log)?;
            Ok(said.lines().find_map(|line| line.trim().parse::<u32>().ok()))
        })
        .await?;
        let display = format!(":{display}");

        // Without a window manager no window ever has the focus, and nothing would count as viewed.
        let mut openbox = Command::new(find_program("OPENBOX", "openbox", INSTALL)?);
        openbox.env("DISPLAY", &display).env("HOME", &folder);
        let manager =
            Group::start("openbox", &mut openbox, &folder.join(format!("openbox-{run}.log")))?;

        let ports = [reserve_port()?, reserve_port()?];
        let [port, native_port] = [ports[0].number(), ports[1].number()];
        let log = folder.join(format!("driver-{run}.log"));
        let mut command = match bus {
            Some(_) => Command::new(tauri_driver),
            None => {
                let run = find_program("DBUS_RUN_SESSION", "dbus-run-session", INSTALL)?;
                let mut command = Command::new(run);
                command.arg("--").arg(tauri_driver);
                command
            }
        };
        home.furnish(&mut command);
        command
            .args(["--port", &port.to_string(), "--native-port", &native_port.to_string()])
            .arg("--native-driver")
            .arg(native)
            .env("DISPLAY", &display)
            .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
            .env("NO_AT_BRIDGE", "1")
            .env("GDK_BACKEND", "x11");
        if let Some(bus) = bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", &bus.address);
        }
        let driver = Group::start("tauri-driver", &mut command, &log)?;
        for port in [port, native_port] {
            wait::until("the window's driver listens", || async {
                Ok(Some(TcpStream::connect(("127.0.0.1", port)).await?))
            })
            .await
            .with_context(|| tail(&log, 20))?;
        }
        let Value::Object(wishes) = json!({ "tauri:options": { "application": program } }) else {
            unreachable!("it is an object")
        };
        let session =
            WebDriver::builder(format!("http://127.0.0.1:{port}"), Capabilities::from(wishes))
                .request_timeout(DRIVER_WITHIN)
                .await
                .with_context(|| format!("the window does not open\n{}", tail(&log, 40)))?;
        let page = Page { driver: session, pictures: pictures()? };
        Ok(Self {
            page,
            display,
            _driver: driver,
            _manager: manager,
            _display: display_process,
            _ports: ports,
            _seat: seat,
        })
    }

    /// A person puts the window away, and looks at something else.
    pub async fn put_away(&self) -> Result<()> {
        let xdotool = find_program("XDOTOOL", "xdotool", "apt-get install xdotool")?;
        self.page
            .until("the window is put away", || async {
                if !self.is_looked_at().await? {
                    return Ok(Some(()));
                }
                let mut command = tokio::process::Command::new(&xdotool);
                command.args(["getactivewindow", "windowminimize"]).env("DISPLAY", &self.display);
                anyhow::ensure!(command.status().await?.success(), "no window is active");
                wait::until_within(AFTER_CLICK, "the window is away", || async {
                    Ok((!self.is_looked_at().await?).then_some(()))
                })
                .await
                .map(Some)
            })
            .await
    }

    /// A person starts the client once more on this computer, and it ends by itself.
    pub async fn start_again(&self, home: &DesktopHome, bus: &SessionBus) -> Result<()> {
        let program = find_program("YINGKE_DESKTOP_BIN", "yingke-desktop", MAKE_DESKTOP)?;
        let mut command = Command::new(program);
        home.furnish(&mut command);
        command
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
            .env("NO_AT_BRIDGE", "1")
            .env("GDK_BACKEND", "x11");
        let mut second = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        let status = wait::until("the second start ends", || {
            let ended = second.try_wait();
            async move { Ok(ended?) }
        });
        anyhow::ensure!(status.await?.success(), "the second start did not end in order");
        Ok(())
    }

    /// Whether a person looks at the window, as the workbench sees it.
    pub async fn is_looked_at(&self) -> Result<bool> {
        let script = "return document.visibilityState === 'visible' && document.hasFocus()";
        Ok(self.page.run(script, Vec::new()).await? == json!(true))
    }

    /// Fills in the sign-in screen and sends it.
    pub async fn try_sign_in(&self, server: &str, account: &str, password: &str) -> Result<()> {
        self.page.fill("sign-in-server", server).await?;
        self.page.fill("sign-in-account", account).await?;
        self.page.fill("sign-in-password", password).await?;
        self.page.click("sign-in-submit").await
    }

    /// Signs in and waits for the workbench.
    pub async fn sign_in(&self, address: &Address, account: &Account) -> Result<()> {
        self.try_sign_in(&address.server(), &account.account, &account.password).await?;
        self.page.find("presence").await?;
        self.until_connected().await
    }

    /// Waits until the connection is shown as good.
    pub async fn until_connected(&self) -> Result<()> {
        self.page
            .until_line("the window is connected", "connection-state", |line| {
                line.state.as_deref() == Some("connected")
            })
            .await
            .map(drop)
    }

    /// 在线.
    pub async fn go_online(&self) -> Result<()> {
        self.set_presence("online").await
    }

    /// 忙碌.
    pub async fn go_busy(&self) -> Result<()> {
        self.set_presence("busy").await
    }

    /// Chooses in the menu, as often as it takes: a menu that was just used may be closing.
    async fn set_presence(&self, wanted: &str) -> Result<()> {
        let is = || async {
            let now = self.page.attribute("presence", "data-availability").await?;
            Ok::<_, anyhow::Error>((now.as_deref() == Some(wanted)).then_some(()))
        };
        let choice = format!("presence-{wanted}");
        self.page
            .until("the presence is chosen and shown", || async {
                if is().await?.is_some() {
                    return Ok(Some(()));
                }
                let is_open = self.page.has(&choice).await?
                    && self.page.find(&choice).await?.is_displayed().await?;
                if !is_open {
                    self.page.find("presence").await?.click().await?;
                }
                self.page.find(&choice).await?.click().await?;
                wait::until_within(AFTER_CLICK, "the presence is shown", is).await?;
                Ok(Some(()))
            })
            .await
    }

    /// 离开 with something running: asks, and gives how many run by the dialog.
    pub async fn ask_to_go_away(&self) -> Result<Option<String>> {
        self.page
            .until("the dialog of leaving is open", || async {
                if self.page.has("away-dialog").await? {
                    return Ok(Some(()));
                }
                self.page.click_until_shown("presence", "presence-away").await?;
                self.page.find("presence-away").await?.click().await?;
                let is_open = || async { Ok(self.page.has("away-dialog").await?.then_some(())) };
                wait::until_within(AFTER_CLICK, "the dialog", is_open).await.map(Some)
            })
            .await?;
        self.page.attribute("away-dialog", "data-count").await
    }

    /// Opens the row of a conversation.
    pub async fn open_conversation(&self, conversation: &str) -> Result<()> {
        self.page.open_line("inbox-row", conversation, "composer").await
    }

    /// Types a text into the composer and sends it with Enter.
    pub async fn say(&self, text: &str) -> Result<()> {
        self.page.type_into("composer", text).await?;
        self.page.find("composer").await?.send_keys(Key::Enter).await?;
        Ok(())
    }

    /// Every message of the open conversation, by scrolling through it: the list draws only what is
    /// in view.
    pub async fn all_messages(&self, count: usize) -> Result<Vec<Line>> {
        const SCROLL: &str = "
            let list = document.querySelector('[data-testid=message]');
            while (list && !(list.scrollHeight > list.clientHeight + 1 &&
                ['auto', 'scroll'].includes(getComputedStyle(list).overflowY))) {
                list = list.parentElement;
            }
            if (!list) return;
            if (arguments[0]) list.scrollTop = list.scrollHeight;
            else list.scrollTop -= list.clientHeight / 2;";
        let seen: Mutex<BTreeMap<u64, Line>> = Mutex::default();
        let is_new_sweep = AtomicU32::new(0);
        self.page
            .until("every message has been in view", || async {
                // From the end to the beginning, again and again.
                let step = is_new_sweep.fetch_add(1, Ordering::Relaxed) % 12;
                self.page.run(SCROLL, vec![json!(step == 0)]).await?;
                for line in self.page.messages().await? {
                    if let Some(seq) = line.seq.as_deref().and_then(|seq| seq.parse().ok()) {
                        seen.lock().unwrap().insert(seq, line);
                    }
                }
                Ok((seen.lock().unwrap().len() >= count).then_some(()))
            })
            .await?;
        Ok(seen.into_inner().unwrap().into_values().collect())
    }

    /// Closes the client in good order.
    pub async fn close(self) -> Result<()> {
        self.page.driver.clone().quit().await.context("the window does not close")
    }
}
