//! A Chromium with a profile of its own, for the widget. The profile outlives the browser, so that
//! a visitor can close it and come back.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{Capabilities, Key, WebDriver};
use tokio::sync::SemaphorePermit;

use super::{DRIVER_WITHIN, Page};
use crate::processes::{Group, ReservedPort, find_program, reserve_port, target_dir};
use crate::wait;

const INSTALL: &str = "apt-get install chromium chromium-driver";

/// A running browser with one tab.
pub struct Chromium {
    /// The tab; looks at the widget's frame once [`Chromium::enter_widget`] has been called.
    pub page: Page,
    driver: Group,
    _port: ReservedPort,
    _seat: SemaphorePermit<'static>,
}

/// A visitor's browser profile.
pub struct Profile(TempDir);

impl Profile {
    /// A fresh one.
    pub fn new() -> Result<Self> {
        Ok(Self(tempfile::Builder::new().prefix("yingke-chromium-").tempdir()?))
    }
}

/// Where pictures of failures are kept.
pub(super) fn pictures() -> Result<PathBuf> {
    let dir = target_dir()?.join("test-pictures");
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

impl Chromium {
    /// Starts a browser on a profile, its language first in `locale`. It takes any certificate:
    /// nobody vouches for one made in a test.
    pub async fn start(profile: &Profile, locale: &str) -> Result<Self> {
        let seat = super::one_seat().await;
        let program = find_program("CHROMEDRIVER", "chromedriver", INSTALL)?;
        let browser = find_program("CHROMIUM", "chromium", INSTALL)?;
        let log = profile.0.path().join(format!("driver-{}.log", uuid::Uuid::now_v7()));
        let mut command = Command::new(program);
        // Not one of the system's choice: the driver takes the same number for both kinds of addresses
        // and ends where one of the two is somebody's already.
        let port = reserve_port()?;
        command.arg(format!("--port={}", port.number())).env("LANG", "C.UTF-8");
        let driver = Group::start("chromedriver", &mut command, &log)?;
        wait::until("chromedriver listens", || async {
            Ok(std::fs::read_to_string(&log)?.contains("started successfully").then_some(()))
        })
        .await?;
        let user_data = profile.0.path().join("profile");
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--no-proxy-server",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1200,800",
            &format!("--lang={locale}"),
            &format!("--accept-lang={locale}"),
            &format!("--user-data-dir={}", user_data.display()),
        ]
        .map(Value::from);
        let wishes = json!({
            "browserName": "chrome",
            "acceptInsecureCerts": true,
            "goog:chromeOptions": {
                "binary": browser,
                "args": arguments,
                "prefs": { "intl.accept_languages": locale, "intl.selected_languages": locale },
            },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let Value::Object(wishes) = wishes else { unreachable!("it is an object") };
        let driver_url = format!("http://127.0.0.1:{}", port.number());
        let session = WebDriver::builder(driver_url, Capabilities::from(wishes))
            .request_timeout(DRIVER_WITHIN)
            .await
            .context("Chromium does not start")?;
        let page = Page { driver: session, pictures: pictures()? };
        Ok(Self { page, driver, _port: port, _seat: seat })
    }

    /// Goes to a page.
    pub async fn visit(&self, url: &str) -> Result<()> {
        self.page.driver.enter_default_frame().await?;
        self.page.driver.goto(url).await.with_context(|| format!("visiting {url}"))
    }

    /// Clicks the launcher in the host page and looks into the widget from then on.
    pub async fn open_widget(&self) -> Result<()> {
        self.page.driver.enter_default_frame().await?;
        self.page.click("launcher").await?;
        self.enter_widget().await
    }

    /// Looks into the widget's frame from now on.
    pub async fn enter_widget(&self) -> Result<()> {
        const FRAME: &str = "
            const find = (root) => {
                for (const element of root.querySelectorAll('*')) {
                    if (element.tagName === 'IFRAME') return element;
                    const inner = element.shadowRoot && find(element.shadowRoot);
                    if (inner) return inner;
                }
                return null;
            };
            return find(document);";
        self.page
            .until("the widget is open", || async {
                self.page.driver.enter_default_frame().await?;
                let frame = self.page.driver.execute(FRAME, Vec::new()).await?;
                if frame.json().is_null() {
                    return Ok(None);
                }
                frame.element()?.enter_frame().await?;
                Ok(self.page.has("composer").await?.then_some(()))
            })
            .await
    }

    /// Whether the host page has a widget's frame.
    pub async fn has_frame(&self) -> Result<bool> {
        self.page.driver.enter_default_frame().await?;
        let script = "
            const find = (root) => [...root.querySelectorAll('*')].some((element) =>
                element.tagName === 'IFRAME' || (element.shadowRoot && find(element.shadowRoot)));
            return find(document);";
        Ok(self.page.run(script, Vec::new()).await? == json!(true))
    }

    /// Types a text into the composer and sends it with Enter.
    pub async fn say(&self, text: &str) -> Result<()> {
        self.page.type_into("composer", text).await?;
        self.page.find("composer").await?.send_keys(Key::Enter).await?;
        Ok(())
    }

    /// Sends a command of the DevTools protocol to the page.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Result<Value> {
        Ok(self.page.driver.cdp().send_raw(method, parameters).await?)
    }

    /// What the console has said since the last look.
    pub async fn console(&self) -> Result<Vec<String>> {
        let entries = self.page.driver.browser_log().await?;
        Ok(entries.into_iter().map(|entry| entry.message).collect())
    }

    /// Sends a signal to the driver and the browser: `STOP` makes both stand still, `CONT` go on.
    pub fn signal(&self, signal: &str) -> Result<()> {
        self.driver.signal_all(signal)
    }

    /// Closes the browser in good order, so that its profile is written.
    pub async fn close(self) -> Result<()> {
        let done = self.page.driver.clone().quit().await;
        ensure!(done.is_ok(), "Chromium does not close: {done:?}");
        Ok(())
    }
}
