//! What the real desktop window draws: every screen, in both languages, light and dark, under its
//! content security policy and in the brand's colour; and what it asks, in the order it asks.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use thirtyfour::By;
use yingke_shared::views::{Role, WaitingReason};
use yingke_tests::browser::{AFTER_CLICK, DesktopHome, DesktopWindow};
use yingke_tests::wait;

use crate::scene::Scene;

/// The brand as the workbench shows it, by theme.
const BRANDS: [(&str, &str); 2] = [("light", "rgb(23, 117, 90)"), ("dark", "rgb(27, 125, 95)")];

/// Every look: language and theme.
const LOOKS: [(&str, &str); 4] =
    [("zh-CN", "light"), ("en", "light"), ("en", "dark"), ("zh-CN", "dark")];

/// A window whose screens are walked through.
struct Walk<'a> {
    window: &'a DesktopWindow,
    locale: &'static str,
    theme: &'static str,
}

/// Nothing that any screen draws is refused by the content security policy, and buttons that matter
/// have the brand's colour. The window notes what is refused from its first script on; in the end
/// the test does what is forbidden, to see that it would have been noted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_screen_keeps_the_policy_and_the_brand() -> Result<()> {
    let mut scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    let page = &window.page;
    page.find("sign-in-submit").await?;
    let noted = page.run("return Array.isArray(window.__CSP_VIOLATIONS__)", Vec::new()).await?;
    ensure!(noted == json!(true), "this build of the window does not note violations");

    for (locale, theme) in LOOKS {
        let walk = Walk { window: &window, locale, theme };
        walk.look("sign-in").await?;
        walk.primary("sign-in-submit").await?;
        walk.menu("language").await?;
        walk.menu("theme").await?;
    }
    let walk = Walk { window: &window, locale: "zh-CN", theme: "dark" };
    // An unencrypted server that is not this computer is asked about first.
    window.try_sign_in("http://192.0.2.1", "ana", "not-her-password").await?;
    page.find("sign-in-plain-http").await?;
    walk.check("question about an unencrypted server").await?;
    window.try_sign_in(&scene.address().server(), &account.account, "not-her-password").await?;
    page.find("sign-in-error").await?;
    walk.check("refused sign-in").await?;
    window.sign_in(scene.address(), &account).await?;
    window.go_online().await?;

    let vera = scene.visitor().await?;
    let hers = vera.say("where is my tea").await?.conversation;
    let viktor = scene.visitor().await?;
    let his = viktor.say("see https://shop.example/tea").await?.conversation;
    page.until("both rows are there", || async {
        Ok((page.lines("inbox-row").await?.len() == 2).then_some(()))
    })
    .await?;
    for (locale, theme) in LOOKS {
        let walk = Walk { window: &window, locale, theme };
        walk.look("list and empty chat").await?;
        for button in ["account-menu", "presence", "language", "theme"] {
            walk.menu(button).await?;
        }
        walk.open_menu("account-menu").await?;
        page.click_until_shown("change-password", "password-now").await?;
        walk.until_menus(0).await?;
        page.fill("password-now", "not-her-password").await?;
        page.fill("password-new", "a-better-secret-of-ana").await?;
        page.fill("password-again", "another-one").await?;
        walk.check("two passwords that differ").await?;
        page.fill("password-again", "a-better-secret-of-ana").await?;
        walk.primary("password-submit").await?;
        walk.escape("password-submit").await?;

        window.open_conversation(hers.as_str()).await?;
        vera.preview("where is my te").await?;
        page.until_shows("preview", "where is my te").await?;
        page.fill("composer", "on its way").await?;
        walk.check("chat with preview and draft").await?;
        walk.primary("send").await?;
        walk.menu("send-key").await?;
        page.click("toggle-side").await?;
        walk.check("side pane").await?;
        page.click("toggle-side").await?;
        page.click_until_shown("end-conversation", "end-conversation-confirm").await?;
        walk.check("question before the end").await?;
        page.click("end-conversation").await?;
        window.open_conversation(his.as_str()).await?;
        page.until_shows("message", "see https://shop.example/tea").await?;
        walk.check("chat with a link").await?;
    }

    let walk = Walk { window: &window, locale: "zh-CN", theme: "dark" };
    viktor.end().await?;
    page.find("composer-closed").await?;
    walk.check("ended conversation").await?;
    window.open_conversation(hers.as_str()).await?;
    scene.relay.kill()?;
    let not_connected = |line: &yingke_tests::browser::Line| {
        line.state.as_deref().is_some_and(|state| state != "connected")
    };
    page.until_line("the window notices", "connection-state", not_connected).await?;
    window.say("said without the relay").await?;
    page.find("unsent").await?;
    walk.check("reconnecting, with something unsent").await?;
    page.until_line("several tries failed", "connection-state", |line| {
        line.state.as_deref() == Some("offline")
    })
    .await?;
    walk.check("offline").await?;
    scene.relay.run().await?;
    window.until_connected().await?;
    walk.open_menu("account-menu").await?;
    page.click_until_shown("sign-out", "sign-in-submit").await?;
    walk.check("signed out").await?;

    let forbidden = "document.body.setAttribute('style', 'color: red'); \
                     for (const style of document.querySelectorAll('style')) style.disabled = true";
    page.run(forbidden, Vec::new()).await?;
    page.until("the refusal is noted", || async {
        Ok(walk.check("forbidden").await.is_err().then_some(()))
    })
    .await?;
    ensure!(walk.colour("sign-in-submit").await? != walk.brand()?, "antd's styles have no effect");
    window.close().await?;
    scene.finish().await
}

/// The same for what colleagues, managers and admins see: the line, watching, the dialogs, the floor
/// and every page of the management centre.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_screen_of_the_floor_keeps_the_policy_and_the_brand() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.admin.add_staff("Ada", Role::Admin, 8).await?;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    window.sign_in(scene.address(), &account).await?;
    window.go_online().await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("where is my tea").await?.conversation;
    vera.until_served().await?;
    window.go_busy().await?;
    let ben = scene.agent("Ben", 1).await?;
    let viktor = scene.visitor().await?;
    let his = viktor.say("where is my pot").await?.conversation;
    viktor.until_served().await?;
    let third = scene.visitor().await?;
    third.say("is there a place for me").await?;
    third.until_waiting(WaitingReason::AllFull).await?;
    for (locale, theme) in LOOKS {
        let walk = Walk { window: &window, locale, theme };
        walk.look("reception").await?;
        walk.own_conversation(hers.as_str()).await?;
        walk.line_and_colleagues(his.as_str()).await?;
        walk.floor(ben.id.as_str()).await?;
        walk.management().await?;
        walk.window.page.click_until_shown("module-reception", "tab-running").await?;
        walk.window.page.click_until_shown("tab-running", "inbox-row").await?;
    }
    window.close().await?;
    scene.finish().await
}

impl Walk<'_> {
    async fn own_conversation(&self, hers: &str) -> Result<()> {
        let page = &self.window.page;
        self.window.open_conversation(hers).await?;
        page.click_until_shown("mode-whisper", "whisper").await?;
        self.check("a whisper").await?;
        page.click_until_shown("mode-reply", "composer").await?;
        page.click_until_shown("transfer", "invite-dialog").await?;
        page.click_until_enabled("invite-option", "invite-submit").await?;
        self.primary("invite-submit").await?;
        self.escape("invite-dialog").await?;
        page.click_until_shown("chat-more", "why-open").await?;
        page.click_until_shown("why-open", "why").await?;
        page.find("assignment").await?;
        self.check("why it came here").await?;
        self.escape("why").await?;
        self.window.ask_to_go_away().await?;
        self.check("question before leaving").await?;
        self.escape("away-dialog").await
    }

    async fn line_and_colleagues(&self, his: &str) -> Result<()> {
        let page = &self.window.page;
        page.click_until_shown("tab-recent", "tab-queue").await?;
        self.check("recent contacts").await?;
        page.click_until_shown("tab-queue", "queue-row").await?;
        self.check("the line").await?;
        page.click_until_shown("queue-assign", "assign-dialog").await?;
        page.click_until_enabled("assign-option", "assign-submit").await?;
        self.primary("assign-submit").await?;
        page.click_until_shown("assign-submit", "assign-full").await?;
        self.check("question before a full agent").await?;
        self.escape("assign-dialog").await?;
        page.click_until_shown("tab-colleagues", "colleague-row").await?;
        page.open_line("colleague-row", his, "watch-bar").await?;
        page.until_shows("message", "where is my pot").await?;
        self.check("watching").await
    }

    async fn floor(&self, agent: &str) -> Result<()> {
        let page = &self.window.page;
        page.click_until_shown("module-floor", "floor-tab-agents").await?;
        page.click_until_shown("floor-tab-running", "running-table").await?;
        self.check("what runs").await?;
        page.click_until_shown("floor-tab-waiting", "waiting-table").await?;
        self.check("who waits").await?;
        page.click_until_shown("floor-tab-agents", "agents-table").await?;
        page.until("an agent's panel is open", || async {
            if page.has("agent-panel").await? {
                return Ok(Some(()));
            }
            // The row holds no box that the driver could click.
            let row = page.find(&format!("agent-row-{agent}")).await?;
            row.find(By::Tag("button")).await?.click().await?;
            page.find("agent-panel").await.map(|_| Some(()))
        })
        .await?;
        self.check("an agent's panel").await
    }

    async fn management(&self) -> Result<()> {
        let page = &self.window.page;
        page.click_until_shown("module-manage", "manage").await?;
        for name in [
            "company",
            "sites",
            "departments",
            "prompts",
            "auto_replies",
            "agents",
            "skills",
            "audit",
            "replay",
            "rules",
        ] {
            page.click_until_shown(&format!("manage-{name}"), &format!("page-{name}")).await?;
            self.check(name).await?;
        }
        self.primary("rule-add").await?;
        page.click_until_shown("dry-run-toggle", "dry-run").await?;
        self.primary("dry-run-start").await?;
        page.click_until_shown("rule-add", "rule-editor").await?;
        self.primary("save").await?;
        page.click_until_shown("condition-add", "condition-0").await?;
        page.click("condition-subject-0").await?;
        self.check("a rule with an open list").await?;
        page.click_until_gone("discard").await
    }
}

impl Walk<'_> {
    /// Puts the window into this look, by its own menus, and checks the screen.
    async fn look(&self, screen: &str) -> Result<()> {
        const IS_SO: &str = "const root = document.documentElement; \
                     return root.lang === arguments[0] && root.dataset.theme === arguments[1]";
        let page = &self.window.page;
        let is_so = || async {
            let arguments = vec![json!(self.locale), json!(self.theme)];
            Ok((page.run(IS_SO, arguments).await? == json!(true)).then_some(()))
        };
        page.until("the look has changed", || async {
            self.choose("language", u64::from(self.locale == "en")).await?;
            self.choose("theme", u64::from(self.theme == "dark")).await?;
            wait::until_within(AFTER_CLICK, "the look has changed", is_so).await.map(Some)
        })
        .await?;
        self.check(screen).await
    }

    /// Nothing was refused so far.
    async fn check(&self, screen: &str) -> Result<()> {
        let refused = "return window.__CSP_VIOLATIONS__";
        let refused = self.window.page.run(refused, Vec::new()).await?;
        let (locale, theme) = (self.locale, self.theme);
        ensure!(refused == json!([]), "{screen} ({locale}, {theme}) was refused: {refused}");
        Ok(())
    }

    /// The menu of a button opens, is checked and closed again.
    async fn menu(&self, button: &str) -> Result<()> {
        self.open_menu(button).await?;
        self.check(button).await?;
        let page = &self.window.page;
        page.escape_until("its menu is closed", || async { Ok(self.menus().await? == 0) }).await
    }

    async fn open_menu(&self, button: &str) -> Result<()> {
        let page = &self.window.page;
        page.click_until(button, "its menu is open", || async { Ok(self.menus().await? == 1) })
            .await
    }

    /// Chooses the n-th line of a button's menu.
    async fn choose(&self, button: &str, line: u64) -> Result<()> {
        const LINE: &str = "return [...document.querySelectorAll('[role^=menuitem]')].filter( \
                            (line) => line.getBoundingClientRect().height > 0)[arguments[0]] ?? null";
        let page = &self.window.page;
        self.open_menu(button).await?;
        let found = page.driver.execute(LINE, vec![json!(line)]).await?;
        found.element()?.click().await?;
        let is_closed = || async { Ok((self.menus().await? == 0).then_some(())) };
        wait::until_within(AFTER_CLICK, "its menu is closed", is_closed).await
    }

    /// How many menus stand open; an error while one is moving: a click on that meets what is below.
    async fn menus(&self) -> Result<u64> {
        const OPEN: &str = "
            const menus = [...document.querySelectorAll('[role=menu]')]
                .filter((menu) => menu.getBoundingClientRect().height > 0);
            const moving = menus.some((menu) => {
                const around = menu.closest('.ant-dropdown') ?? menu;
                return around.getAnimations({ subtree: true }).length > 0;
            });
            return moving ? 'moving' : menus.length;";
        let open = self.window.page.run(OPEN, Vec::new()).await?;
        open.as_u64().context("a menu is moving")
    }

    async fn until_menus(&self, wanted: u64) -> Result<()> {
        let page = &self.window.page;
        page.until("a menu opens or closes", || async {
            Ok((self.menus().await? == wanted).then_some(()))
        })
        .await
    }

    /// Esc closes what holds this element.
    async fn escape(&self, inside: &str) -> Result<()> {
        let page = &self.window.page;
        page.escape_until("it is closed", || async { Ok(!page.has(inside).await?) }).await
    }

    /// The button that matters here is drawn in the brand's colour.
    async fn primary(&self, button: &str) -> Result<()> {
        let brand = self.brand()?;
        // Colours fade over.
        self.window
            .page
            .until(&format!("{button} is {brand}"), || async {
                Ok((self.colour(button).await? == brand).then_some(()))
            })
            .await?;
        self.check(button).await
    }

    fn brand(&self) -> Result<Value> {
        let brand = BRANDS.iter().find(|(theme, _)| *theme == self.theme);
        Ok(json!(brand.context("a theme")?.1))
    }

    async fn colour(&self, button: &str) -> Result<Value> {
        const COLOUR: &str = "return getComputedStyle( \
            document.querySelector(`[data-testid=${arguments[0]}]`)).backgroundColor";
        self.window.page.run(COLOUR, vec![json!(button)]).await
    }
}

/// Asks the core from inside the page, as the workbench does, and waits for the answer.
async fn ask(window: &DesktopWindow, request: &Value) -> Result<Value> {
    const ASK: &str = "const done = arguments[arguments.length - 1]; \
        window.__TAURI_INTERNALS__.invoke('ui', { request: arguments[0] }) \
            .then((reply) => done({ reply }), (error) => done({ error }));";
    let said = window.page.driver.execute_async(ASK, vec![request.clone()]).await?;
    Ok(said.json().clone())
}

/// The preferences as the core has them.
pub(crate) async fn preferences(window: &DesktopWindow) -> Result<Value> {
    let said = ask(window, &json!({ "type": "get_state", "body": {} })).await?;
    Ok(said["reply"]["body"]["preferences"].clone())
}

/// What the page asks is carried out in the order it asked, whatever each thing is about. Broken
/// once by a command with `async`: a burst then ended with an earlier width than the last one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_window_is_answered_in_the_order_it_asks() -> Result<()> {
    const BURST: &str = "const done = arguments[arguments.length - 1]; \
        const ask = (type, body) => \
            window.__TAURI_INTERNALS__.invoke('ui', { request: { type, body } }); \
        const asked = []; \
        for (let n = 0; n < 48; n++) { \
            const preferences = { ...arguments[0], list_width: arguments[1] + n }; \
            asked.push(ask('set_preferences', { preferences })); \
        } \
        const state = ask('get_state', {}); \
        Promise.all(asked).then(() => state).then( \
            (state) => done(state.body.preferences.list_width), (error) => done({ error }));";
    let scene = Scene::set().await?;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    window.page.find("sign-in-submit").await?;
    let preferences = preferences(&window).await?;
    for round in 0..20_u64 {
        let first = 240 + round;
        let arguments = vec![preferences.clone(), json!(first)];
        let width = window.page.driver.execute_async(BURST, arguments).await?;
        ensure!(*width.json() == json!(first + 47), "round {round}: {:?}", width.json());
    }
    window.close().await?;
    scene.finish().await
}
