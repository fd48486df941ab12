//! The desktop's local door: the headless server on a real port of this process, asked by a page that
//! knows its secret and sends bent requests, and by whoever else sends bytes there.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use yingke_client::Core;
use yingke_client::headless::Headless;
use yingke_client::host::{Host, SystemHost};

use super::wire::{Target, wire};
use super::{Dose, Fate, Pour, Tally, panics};

type Page = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An answer, or the close of a socket; a limit for a hung one.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);

/// See the module. Three quarters of the dose come from the page.
pub fn door(dose: Dose) -> Result<[Tally; 2]> {
    panics::watch();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tallies = runtime.block_on(both(dose));
    panics::unwatch();
    tallies
}

async fn both(dose: Dose) -> Result<[Tally; 2]> {
    let folder = tempfile::tempdir()?;
    let host: Arc<dyn Host> = Arc::new(SystemHost::new(folder.path().join("client"), None));
    let core = Core::start(Arc::clone(&host)).await?;
    let headless = Headless::serve(core.clone(), host, ([127, 0, 0, 1], 0).into(), None).await?;
    let port = headless.address().port();
    let (_, token) = headless
        .url()
        .split_once("#token=")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .context("a token")?;
    let session = session_of(port, &serde_json::json!({"token": token}).to_string()).await?.1;

    let mut pour = Pour::new("page", "ui", Dose { inputs: dose.inputs / 4 * 3, ..dose });
    let mut page: Option<Page> = None;
    let mut number = 0_u64;
    while let Some(input) = pour.next_input() {
        number += 1;
        let open = match page.take() {
            Some(open) => open,
            None => session_of(port, &serde_json::json!({"session": session}).to_string()).await?.0,
        };
        let (kept, fate) = ask(open, number, &input).await;
        page = kept;
        let fate = panics::none().and(fate);
        pour.count(&input, fate);
    }
    let page_tally = pour.tally;

    let target = Target {
        port,
        sockets: vec![("/host".to_owned(), serde_json::json!({"session": session}).to_string())],
        paths: ["/", "/host", "/index.html", "/assets/x.js"].map(str::to_owned).to_vec(),
        headers: format!("Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"),
    };
    let mut wire_tally =
        wire("local port", "ui", Dose { inputs: dose.inputs / 4, ..dose }, &target).await;
    if let Err(why) = panics::none() {
        wire_tally.failures.push(format!("local port: {why}"));
    }
    // It still serves an honest page.
    let (honest, _) =
        session_of(port, &serde_json::json!({"session": session}).to_string()).await?;
    let (_, served) = ask(honest, 1, br#"{"type":"get_state","body":{}}"#).await;
    if served != Ok(Fate::Taken) {
        bail!("an honest page is not served: {served:?}");
    }
    headless.stop().await;
    core.shutdown().await;
    Ok([page_tally, wire_tally])
}

/// A page that has shown this secret, and its session.
async fn session_of(port: u16, secret: &str) -> Result<(Page, String)> {
    let mut request = format!("ws://127.0.0.1:{port}/host").into_client_request()?;
    request.headers_mut().insert("Origin", format!("http://127.0.0.1:{port}").parse()?);
    let (mut page, _) = tokio_tungstenite::connect_async(request).await?;
    page.send(Message::text(secret)).await?;
    let first = page.next().await.context("an answer to the secret")??;
    let said: serde_json::Value = serde_json::from_str(first.to_text()?)?;
    let session = said["session"].as_str().context("a session")?.to_owned();
    Ok((page, session))
}

/// Sends a request; the page is given back if its socket stands.
async fn ask(mut page: Page, id: u64, request: &[u8]) -> (Option<Page>, Result<Fate, String>) {
    let request = String::from_utf8_lossy(request);
    let asked = format!("{{\"id\":{id},\"request\":{request}}}");
    if page.send(Message::text(asked)).await.is_err() {
        return (None, Ok(Fate::Refused));
    }
    let answer = tokio::time::timeout(ANSWER_WITHIN, async {
        loop {
            match page.next().await {
                None => return Ok(None),
                Some(
                    Ok(Message::Close(_)) | Err(Error::ConnectionClosed | Error::AlreadyClosed),
                ) => {
                    return Ok(None);
                }
                Some(Ok(Message::Text(text))) => {
                    let said: serde_json::Value =
                        serde_json::from_str(&text).map_err(|error| error.to_string())?;
                    if said["id"] == id {
                        return Ok(Some(said));
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(Error::Protocol(_) | Error::Io(_))) => return Ok(None),
                Some(Err(error)) => return Err(error.to_string()),
            }
        }
    });
    match answer.await {
        Err(_) => (None, Err("it was not answered".to_owned())),
        Ok(Err(error)) => (None, Err(error)),
        Ok(Ok(None)) => (None, Ok(Fate::Refused)),
        Ok(Ok(Some(said))) => {
            if said["error"]["kind"] == "bug" {
                return (Some(page), Err(format!("it was answered {said}")));
            }
            (Some(page), Ok(Fate::taken(!said["reply"].is_null())))
        }
    }
}
