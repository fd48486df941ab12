//! The real headless client as a process of its own, so that it can be killed, and spoken to as the
//! page it serves would: one socket, requests that do not wait for each other, pushes applied.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use yingke_client::bridge::types::{
    ConnectionState, Remember, UiError, UiPush, UiReply, UiRequest, UiState,
};

use crate::http::{Account, Address};
use crate::processes::{Group, find_program, tail};
use crate::seat::{View, until};
use crate::wait::{self, LIMIT};

/// How to make the program for these tests.
const MAKE_HEADLESS: &str = "cargo build -p yingke-client --bins";

type Answer = Result<UiReply, UiError>;
type Waiting = Arc<Mutex<BTreeMap<u64, oneshot::Sender<Answer>>>>;

/// What was asked and not yet answered.
pub struct Pending(oneshot::Receiver<Answer>);

impl Pending {
    /// What was asked is carried out; an error if it is refused or the process ended before.
    pub async fn answer(self) -> Result<UiReply> {
        self.outcome().await?.map_err(|error| anyhow!("the client refuses: {error:?}"))
    }

    /// The same, with its refusal; an error only if the process ended before.
    pub async fn outcome(self) -> Result<Answer> {
        let answer = timeout_at(Instant::now() + LIMIT, self.0).await.context("no answer")?;
        answer.context("the client ended without an answer")
    }

    /// What was heard before the process ended: nothing, or the answer.
    #[must_use]
    pub fn heard(mut self) -> Option<Answer> {
        self.0.try_recv().ok()
    }
}

/// A client that ended instead of starting.
pub struct Ended {
    /// With which code.
    pub status: ExitStatus,
    /// The end of what it said.
    pub said: String,
}

/// A running headless client.
pub struct ClientProcess {
    process: Group,
    asks: mpsc::UnboundedSender<String>,
    waiting: Waiting,
    view: Arc<Mutex<View>>,
    changed: watch::Receiver<()>,
    page: tokio::task::JoinHandle<()>,
    last_id: AtomicU64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Reply { id: u64, reply: Box<UiReply> },
    Error { id: u64, error: UiError },
    Push { push: Box<UiPush> },
}

impl ClientProcess {
    /// Starts it on a data folder, new or used before, and comes in as its page does.
    pub async fn start(home: &Path) -> Result<Self> {
        let started = Self::begin(home, &[]).await?;
        started.map_err(|end| anyhow!("the headless client ended ({}): {}", end.status, end.said))
    }

    /// The same in this environment; how it ended if it does that instead.
    pub async fn begin(home: &Path, environment: &[(&str, &Path)]) -> Result<Result<Self, Ended>> {
        let program = find_program("YINGKE_HEADLESS_BIN", "yingke-headless", MAKE_HEADLESS)?;
        let log = home.join(format!("client-{}.log", uuid::Uuid::now_v7()));
        let mut command = Command::new(program);
        command.arg("--data").arg(home.join("data")).env("RUST_LOG", "warn");
        command.envs(environment.iter().copied());
        let mut process = Group::start("the headless client", &mut command, &log)?;
        let end = Instant::now() + LIMIT;
        let url = loop {
            let said = std::fs::read_to_string(&log)?;
            // Complete only with its line's end.
            let line = said.split_inclusive('\n').find(|line| line.starts_with("http://"));
            if let Some(line) = line.filter(|line| line.ends_with('\n')) {
                break line.trim().to_owned();
            }
            if let Some(status) = process.ended()? {
                return Ok(Err(Ended { status, said: tail(&log, 20) }));
            }
            if Instant::now() > end {
                bail!("the headless client does not start: {}", tail(&log, 20));
            }
            wait::pass(Duration::from_millis(5)).await;
        };
        Self::come_in(process, &url).await.map(Ok)
    }

    async fn come_in(process: Group, url: &str) -> Result<Self> {
        let (origin, token) = url.split_once("/#token=").context("an address with a token")?;
        let host = origin.strip_prefix("http://").context("an http address")?;
        let mut request = format!("ws://{host}/host").into_client_request()?;
        request.headers_mut().insert("origin", origin.parse()?);
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
        socket.send(Frame::text(json!({ "token": token }).to_string())).await?;
        let session = socket.next().await.context("the client lets its page in")??;
        anyhow::ensure!(session.to_text()?.contains("session"), "a session, not {session}");
        let ask = json!({ "id": 0, "request": UiRequest::GetState {} });
        socket.send(Frame::text(ask.to_string())).await?;
        let state = loop {
            let frame = socket.next().await.context("the client gives its state")??;
            if let Said::Reply { id: 0, reply } = serde_json::from_str(frame.to_text()?)?
                && let UiReply::State(state) = *reply
            {
                break state;
            }
        };
        Ok(Self::run(process, socket, state))
    }

    fn run<S>(process: Group, socket: S, state: UiState) -> Self
    where
        S: futures_util::Stream<Item = Result<Frame, tokio_tungstenite::tungstenite::Error>>
            + futures_util::Sink<Frame, Error = tokio_tungstenite::tungstenite::Error>
            + Send
            + 'static,
    {
        let view = Arc::new(Mutex::new(View::of(state)));
        let waiting = Waiting::default();
        let (asks, mut asked) = mpsc::unbounded_channel::<String>();
        let (tell, changed) = watch::channel(());
        let (shown, answers) = (Arc::clone(&view), Arc::clone(&waiting));
        let page = tokio::spawn(async move {
            let (mut say, mut hear) = socket.split();
            let mut may_ask = true;
            loop {
                tokio::select! {
                    biased;
                    frame = hear.next() => {
                        let Some(Ok(frame)) = frame else { break };
                        let said = frame.to_text().ok().and_then(|t| serde_json::from_str(t).ok());
                        let answer = match said {
                            Some(Said::Push { push }) => {
                                shown.lock().unwrap().apply(*push);
                                tell.send_replace(());
                                continue;
                            }
                            Some(Said::Reply { id, reply }) => (id, Ok(*reply)),
                            Some(Said::Error { id, error }) => (id, Err(error)),
                            None => continue,
                        };
                        if let Some(waits) = answers.lock().unwrap().remove(&answer.0) {
                            let _ = waits.send(answer.1);
                        }
                    }
                    ask = asked.recv(), if may_ask => match ask {
                        // What it said before it ended is still heard.
                        Some(ask) => may_ask = say.send(Frame::text(ask)).await.is_ok(),
                        None => break,
                    },
                }
            }
            // Nobody will answer any more.
            answers.lock().unwrap().clear();
        });
        Self { process, asks, waiting, view, changed, page, last_id: AtomicU64::new(0) }
    }

    /// Asks without waiting.
    pub fn submit(&self, request: &UiRequest) -> Result<Pending> {
        let id = self.last_id.fetch_add(1, Ordering::SeqCst) + 1;
        let (answer, pending) = oneshot::channel();
        self.waiting.lock().unwrap().insert(id, answer);
        self.asks.send(json!({ "id": id, "request": request }).to_string())?;
        Ok(Pending(pending))
    }

    /// Signs in by this address and waits until everything shown is current.
    pub async fn sign_in(&self, address: &Address, account: &Account) -> Result<()> {
        let request = UiRequest::SignIn {
            server: address.server(),
            account: account.account.clone(),
            password: account.password.clone(),
            remember: Remember::Nothing,
            allow_plain_http: false,
        };
        while let Err(error) = self.submit(&request)?.outcome().await? {
            let wait = error.retry_after_ms.context("signing in is refused")?;
            wait::pass(Duration::from_millis(u64::from(wait))).await;
        }
        self.until("the client is connected", |view| {
            (view.state.connection.state == ConnectionState::Connected).then_some(())
        })
        .await
    }

    /// Looks at what is shown.
    pub fn look<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.view.lock().unwrap())
    }

    /// Waits until `look` finds something.
    pub async fn until<T>(&self, what: &str, look: impl FnMut(&View) -> Option<T>) -> Result<T> {
        until(&self.view, self.changed.clone(), what, look).await
    }

    /// Waits until nothing is unsent.
    pub async fn until_all_sent(&self) -> Result<()> {
        self.until("the outbox is empty", |view| (view.state.connection.unsent == 0).then_some(()))
            .await
    }

    /// `kill -9`. What it had said before is heard to the end.
    pub async fn kill(mut self) -> Result<()> {
        self.process.kill()?;
        (&mut self.page).await.map_err(|error| anyhow!(error))
    }
}
