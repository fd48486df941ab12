//! One page under WebDriver: elements are found by their `data-testid`, in shadow roots too; every
//! look is one script, so that it sees one moment.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use thirtyfour::{Key, WebDriver, WebElement};

use crate::wait;

/// How long a click may take to show before it is clicked again.
pub const AFTER_CLICK: Duration = Duration::from_secs(10);

/// All elements with a `data-testid`, through open shadow roots.
const FIND: &str = "
    const found = [];
    const walk = (root) => {
        for (const element of root.querySelectorAll('*')) {
            if (element.dataset && element.dataset.testid === arguments[0]) found.push(element);
            if (element.shadowRoot) walk(element.shadowRoot);
        }
    };
    walk(document);
";

/// One element as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Line {
    /// The visible text.
    pub text: String,
    /// `data-seq`, if there.
    pub seq: Option<String>,
    /// `data-client-id`, if there.
    pub client_id: Option<String>,
    /// `data-state`, if there.
    pub state: Option<String>,
    /// `data-author`, if there.
    pub author: Option<String>,
    /// `data-conversation-id`, if there.
    pub conversation_id: Option<String>,
}

/// A page, or the frame of it that is looked at.
#[derive(Debug, Clone)]
pub struct Page {
    /// The WebDriver session.
    pub driver: WebDriver,
    /// Where pictures of failures go.
    pub pictures: PathBuf,
}

impl Page {
    /// Runs a script with arguments.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.driver.execute(script, arguments).await?.json().clone())
    }

    /// All elements of a test id as they are shown.
    pub async fn lines(&self, id: &str) -> Result<Vec<Line>> {
        let script = format!(
            "{FIND} return found.map((e) => ({{
                text: e.innerText ?? e.textContent ?? '',
                seq: e.dataset.seq ?? null,
                client_id: e.dataset.clientId ?? null,
                state: e.dataset.state ?? null,
                author: e.dataset.author ?? null,
                conversation_id: e.dataset.conversationId ?? null,
            }}));"
        );
        Ok(serde_json::from_value(self.run(&script, vec![json!(id)]).await?)?)
    }

    /// The messages, as the page orders them.
    pub async fn messages(&self) -> Result<Vec<Line>> {
        self.lines("message").await
    }

    /// The first element of a test id, once it is there.
    pub async fn find(&self, id: &str) -> Result<WebElement> {
        let what = format!("{id} is on the page");
        self.until(&what, || self.found(id)).await
    }

    /// The first element of a test id, if it is there now.
    async fn found(&self, id: &str) -> Result<Option<WebElement>> {
        let script = format!("{FIND} return found[0] ?? null;");
        let found = self.driver.execute(&script, vec![json!(id)]).await?;
        if found.json().is_null() { Ok(None) } else { Ok(Some(found.element()?)) }
    }

    /// Whether an element of a test id is there now.
    pub async fn has(&self, id: &str) -> Result<bool> {
        let script = format!("{FIND} return found.length > 0;");
        Ok(self.run(&script, vec![json!(id)]).await? == json!(true))
    }

    /// Clicks as a person does; waits until it can be clicked.
    pub async fn click(&self, id: &str) -> Result<()> {
        let what = format!("{id} can be clicked");
        self.until(&what, || async {
            self.find(id).await?.click().await?;
            Ok(Some(()))
        })
        .await
    }

    /// Clicks as often as it takes to reach something: a click on what moves or closes may be lost.
    pub async fn click_until<F, Fut>(&self, id: &str, what: &str, is_reached: F) -> Result<()>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<bool>>,
    {
        let reached = || async { Ok(is_reached().await?.then_some(())) };
        let what = format!("{id} is clicked until {what}");
        self.until(&what, || async {
            if is_reached().await? {
                return Ok(Some(()));
            }
            let Some(element) = self.found(id).await? else { return Ok(None) };
            element.click().await?;
            wait::until_within(AFTER_CLICK, &what, reached).await.map(Some)
        })
        .await
    }

    /// Presses Esc as often as it takes to reach something.
    pub async fn escape_until<F, Fut>(&self, what: &str, is_reached: F) -> Result<()>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<bool>>,
    {
        let reached = || async { Ok(is_reached().await?.then_some(())) };
        let what = format!("Esc is pressed until {what}");
        self.until(&what, || async {
            if is_reached().await? {
                return Ok(Some(()));
            }
            self.driver.active_element().await?.send_keys(Key::Escape).await?;
            wait::until_within(AFTER_CLICK, &what, reached).await.map(Some)
        })
        .await
    }

    /// Clicks until another element is shown.
    pub async fn click_until_shown(&self, id: &str, shown: &str) -> Result<()> {
        let what = format!("{shown} is shown");
        self.click_until(id, &what, || async {
            match self.found(shown).await? {
                Some(element) => Ok(element.is_displayed().await?),
                None => Ok(false),
            }
        })
        .await
    }

    /// Clicks until the element itself is gone.
    pub async fn click_until_gone(&self, id: &str) -> Result<()> {
        self.click_until(id, "it is gone", || async { Ok(!self.has(id).await?) }).await
    }

    /// Clicks until another element can be used.
    pub async fn click_until_enabled(&self, id: &str, other: &str) -> Result<()> {
        let what = format!("{other} is enabled");
        self.click_until(id, &what, || async {
            match self.found(other).await? {
                Some(element) => Ok(element.is_enabled().await?),
                None => Ok(false),
            }
        })
        .await
    }

    /// Clicks the line of a conversation until another element is there.
    pub async fn open_line(&self, id: &str, conversation: &str, opened: &str) -> Result<()> {
        let script = format!(
            "{FIND} return found.find((e) => e.dataset.conversationId === arguments[1]) ?? null;"
        );
        self.until("the line of the conversation is opened", || async {
            let line = self.driver.execute(&script, vec![json!(id), json!(conversation)]).await?;
            if line.json().is_null() {
                return Ok(None);
            }
            line.element()?.click().await?;
            Ok(self.has(opened).await?.then_some(()))
        })
        .await
    }

    /// Chooses in a select by what a line of its list says.
    pub async fn choose(&self, id: &str, label: &str) -> Result<()> {
        const LINE: &str = "
            return [...document.querySelectorAll('.ant-select-item-option')].find((line) =>
                line.getBoundingClientRect().height > 0 &&
                line.innerText.trim() === arguments[0]) ?? null;";
        let line = || async {
            let found = self.driver.execute(LINE, vec![json!(label)]).await?;
            if found.json().is_null() { Ok(None) } else { Ok(Some(found.element()?)) }
        };
        let is_chosen = || async {
            let shown = self.lines(id).await?;
            Ok(shown.first().is_some_and(|shown| shown.text.contains(label)).then_some(()))
        };
        let what = format!("{label} is chosen in {id}");
        self.until(&what, || async {
            if is_chosen().await?.is_some() {
                return Ok(Some(()));
            }
            let Some(select) = self.found(id).await? else { return Ok(None) };
            select.click().await?;
            wait::until_within(AFTER_CLICK, "the list is open", line).await?.click().await?;
            wait::until_within(AFTER_CLICK, &what, is_chosen).await.map(Some)
        })
        .await
    }

    /// Types into an input.
    pub async fn type_into(&self, id: &str, text: &str) -> Result<()> {
        self.find(id).await?.send_keys(text).await.with_context(|| format!("typing into {id}"))
    }

    /// Replaces an input's content.
    pub async fn fill(&self, id: &str, text: &str) -> Result<()> {
        let input = self.find(id).await?;
        input.send_keys(Key::Control + "a").await?;
        input.send_keys(text).await.with_context(|| format!("typing into {id}"))
    }

    /// The content of an input.
    pub async fn value(&self, id: &str) -> Result<String> {
        let script = format!(
            "{FIND} const e = found[0]; return e ? (e.value ?? e.textContent ?? '') : null;"
        );
        self.run(&script, vec![json!(id)])
            .await?
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("{id} is not on the page"))
    }

    /// An attribute of the first element of a test id.
    pub async fn attribute(&self, id: &str, name: &str) -> Result<Option<String>> {
        Ok(self.find(id).await?.attr(name).await?)
    }

    /// Waits for an element of a test id that shows a text; gives it.
    pub async fn until_shows(&self, id: &str, text: &str) -> Result<Line> {
        let what = format!("{id} shows {text:?}");
        self.until(&what, || async {
            Ok(self.lines(id).await?.into_iter().find(|line| line.text.contains(text)))
        })
        .await
    }

    /// Waits for a line of a test id as wanted.
    pub async fn until_line(
        &self,
        what: &str,
        id: &str,
        wanted: impl Fn(&Line) -> bool,
    ) -> Result<Line> {
        self.until(what, || async {
            Ok(self.lines(id).await?.into_iter().find(|line| wanted(line)))
        })
        .await
    }

    /// Waits until all elements of a test id are gone.
    pub async fn until_gone(&self, id: &str) -> Result<()> {
        let what = format!("{id} is gone");
        self.until(&what, || async { Ok((!self.has(id).await?).then_some(())) }).await
    }

    /// Waits; a wait in vain leaves a picture and says what the page shows.
    pub async fn until<T, F, Fut>(&self, what: &str, look: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Option<T>>>,
    {
        match wait::until(what, look).await {
            Ok(found) => Ok(found),
            Err(error) => {
                let picture = self.pictures.join(format!("{}.png", uuid::Uuid::now_v7()));
                let shown = self
                    .run("return document.body ? document.body.innerText : ''", Vec::new())
                    .await
                    .unwrap_or_default();
                let pictured = match self.driver.screenshot(&picture).await {
                    Ok(()) => format!("picture: {}", picture.display()),
                    Err(_) => "no picture could be taken".to_owned(),
                };
                Err(error.context(format!("{pictured}\nthe page shows:\n{shown}")))
            }
        }
    }
}
