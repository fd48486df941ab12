//! The headless client: who may come in, what the page is served with, and the real program killed
//! by the system (P10).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use yingke_client::Core;
use yingke_client::headless::Headless;
use yingke_client::host::SystemHost;

use crate::relay::{OnSend, Relay};
use crate::seat::until;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Splits `http://127.0.0.1:PORT/#token=…`.
fn parts(url: &str) -> (String, String) {
    let (base, token) = url.split_once("/#token=").unwrap();
    (base.strip_prefix("http://").unwrap().to_owned(), token.to_owned())
}

async fn connect(authority: &str, origin: Option<&str>) -> Result<Socket, tungstenite::Error> {
    let mut request = format!("ws://{authority}/host").into_client_request()?;
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

/// A page: numbered requests, and the reply to each among the pushes.
struct Page {
    socket: Socket,
    session: String,
    next: u64,
}

impl Page {
    async fn enter(authority: &str, secret: Value) -> Option<Self> {
        let origin = format!("http://{authority}");
        let mut socket = connect(authority, Some(&origin)).await.unwrap();
        socket.send(Message::text(secret.to_string())).await.unwrap();
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                let first: Value = serde_json::from_str(&text).unwrap();
                let session = first["session"].as_str()?.to_owned();
                Some(Self { socket, session, next: 0 })
            }
            _ => None,
        }
    }

    async fn ask(&mut self, request: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let asked = json!({ "id": id, "request": request });
        self.socket.send(Message::text(asked.to_string())).await.unwrap();
        loop {
            let Some(Ok(Message::Text(text))) = self.socket.next().await else {
                panic!("the socket closed")
            };
            let said: Value = serde_json::from_str(&text).unwrap();
            if said["id"] == json!(id) {
                return said;
            }
        }
    }

    async fn sign_in(&mut self, relay: &Relay) {
        let said = self
            .ask(json!({ "type": "sign_in", "body": {
                "server": relay.url, "account": "ana", "password": "correct horse",
                "remember": "nothing", "allow_plain_http": false } }))
            .await;
        assert_eq!(said["reply"]["type"], "done", "{said}");
    }
}

async fn serve(data: &Path, ui: Option<&Path>) -> (Core, Headless) {
    let host = Arc::new(SystemHost::new(data, None));
    let core = Core::start(Arc::clone(&host) as _).await.unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let ui = ui.map(Path::to_owned);
    let headless = Headless::serve(core.clone(), host, listen, ui).await.unwrap();
    (core, headless)
}

#[tokio::test]
async fn the_token_opens_once_and_the_session_opens_again() {
    let data = tempfile::tempdir().unwrap();
    let (core, headless) = serve(data.path(), None).await;
    let (authority, token) = parts(&headless.url());
    for wrong in [
        json!({ "token": "wrong" }),
        json!({ "session": "" }),
        json!({ "session": token }),
        json!({ "id": 1, "request": { "type": "get_state", "body": {} } }),
    ] {
        assert!(Page::enter(&authority, wrong.clone()).await.is_none(), "{wrong}");
    }
    let mut page = Page::enter(&authority, json!({ "token": token })).await.unwrap();
    let said = page.ask(json!({ "type": "get_state", "body": {} })).await;
    assert_eq!(said["reply"]["body"]["session"]["kind"], "signed_out");
    let said = page.ask(json!({ "type": "close_conversation", "body": {} })).await;
    assert_eq!(said["error"]["kind"], "signed_out");
    assert!(Page::enter(&authority, json!({ "token": token })).await.is_none(), "spent");
    let again = Page::enter(&authority, json!({ "session": page.session })).await;
    assert!(again.is_some());
    headless.stop().await;
    core.shutdown().await;
}

#[tokio::test]
async fn other_origins_and_rebound_names_stay_outside() {
    let data = tempfile::tempdir().unwrap();
    let (_core, headless) = serve(data.path(), None).await;
    let authority = headless.address().to_string();
    let status = |result: Result<Socket, tungstenite::Error>| match result {
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        _ => 101,
    };
    let port = headless.address().port();
    for (origin, expected) in [
        (None, 403),
        (Some("http://evil.example".to_owned()), 403),
        (Some(format!("https://{authority}")), 403),
        (Some("null".to_owned()), 403),
        (Some(format!("http://localhost:{port}")), 101),
        (Some(format!("http://{authority}")), 101),
    ] {
        let result = connect(&authority, origin.as_deref()).await;
        assert_eq!(status(result), expected, "{origin:?}");
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = http.get(format!("http://{authority}/")).header("host", "evil.example");
    assert_eq!(page.send().await.unwrap().status(), 421);
}

#[tokio::test]
async fn the_page_is_served_with_its_policy_and_a_fresh_nonce() {
    let data = tempfile::tempdir().unwrap();
    let ui = tempfile::tempdir().unwrap();
    let page = r#"<!doctype html><style nonce="__TAURI_STYLE_NONCE__"></style>"#;
    std::fs::write(ui.path().join("index.html"), page).unwrap();
    std::fs::write(ui.path().join("app.js"), "let text = '__TAURI_STYLE_NONCE__';").unwrap();
    let (_core, headless) = serve(data.path(), Some(ui.path())).await;
    let base = format!("http://{}", headless.address());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let response = http.get(format!("{base}/")).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'self'; style-src 'self' 'nonce-"), "{policy}");
        let body = response.text().await.unwrap();
        let nonce = body.split('"').nth(1).unwrap().to_owned();
        assert_eq!(nonce.len(), 64, "{body}");
        assert!(policy.contains(&format!("'nonce-{nonce}'")), "{policy}");
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
    let script = http.get(format!("{base}/app.js")).send().await.unwrap();
    assert!(script.headers()["content-type"].to_str().unwrap().starts_with("text/javascript"));
    assert!(
        script.text().await.unwrap().contains("__TAURI_STYLE_NONCE__"),
        "only the page is changed"
    );
    for absent in ["/nowhere.js", "/..%2fprofile.json", "/assets/"] {
        let response = http.get(format!("{base}{absent}")).send().await.unwrap();
        assert_eq!(response.status(), 404, "{absent}");
    }
}

/// The real program.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_yingke-headless"))
            .args(["--data".as_ref(), data.as_os_str()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Killed by the system right after each step: queued, arrived, stored, answered.
#[tokio::test]
async fn a_program_killed_at_each_step_sends_each_message_once() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "hello");
    let data = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for (step, fault) in [
        None,
        Some(OnSend::CutBeforeStoring),
        Some(OnSend::CutBeforeAnswering),
        Some(OnSend::CutBeforeDelivering),
    ]
    .into_iter()
    .enumerate()
    {
        let program = Program::start(data.path());
        let (authority, token) = parts(&program.url);
        let mut page = Page::enter(&authority, json!({ "token": token })).await.unwrap();
        page.sign_in(&relay).await;
        let hellos = relay.world().hellos.len();
        until("connected", || relay.world().hellos.len() >= hellos.max(1)).await;
        relay.world().on_send.extend(fault);
        if fault.is_none() {
            relay.world().down = true;
            relay.cut();
        }
        let before = relay.world().arrived.len();
        for n in 0..2 {
            let text = format!("message {step}.{n}");
            let said = page
                .ask(json!({ "type": "send_message",
                    "body": { "conversation_id": id.as_str(), "text": text } }))
                .await;
            let item = &said["reply"]["body"]["item"];
            expected.push((item["client_id"].as_str().unwrap_or_default().to_owned(), text));
        }
        if fault.is_some() {
            until("the first arrived", || relay.world().arrived.len() > before).await;
        }
        drop(program);
        relay.world().down = false;
    }
    let program = Program::start(data.path());
    let (authority, token) = parts(&program.url);
    let mut page = Page::enter(&authority, json!({ "token": token })).await.unwrap();
    page.sign_in(&relay).await;
    until("all are there", || relay.world().stored.len() >= expected.len()).await;
    let world = relay.world();
    let stored = world.conversations[&id].messages.iter().skip(1);
    let stored: Vec<(String, String)> =
        stored.map(|m| (m.client_id.as_str().to_owned(), crate::relay::text_of(m))).collect();
    assert_eq!(stored, expected);
}

#[tokio::test]
async fn the_program_ends_when_asked() {
    let data = tempfile::tempdir().unwrap();
    let mut program = Program::start(data.path());
    let pid = program.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || program.child.wait().unwrap());
    let status = tokio::time::timeout(Duration::from_secs(120), ended).await.unwrap().unwrap();
    assert!(status.success());
}

/// Broken once by handing each request over from a task of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_of_a_page_are_carried_out_in_the_order_it_made_them() {
    let data = tempfile::tempdir().unwrap();
    let (core, headless) = serve(data.path(), None).await;
    let (authority, token) = parts(&headless.url());
    let mut page = Page::enter(&authority, json!({ "token": token })).await.unwrap();
    let said = page.ask(json!({ "type": "get_state", "body": {} })).await;
    let mut preferences = said["reply"]["body"]["preferences"].clone();
    for round in 0..20 {
        for n in 0..24 {
            page.next += 1;
            preferences["list_width"] = json!(200 + round + n);
            let body = json!({ "preferences": preferences });
            let request = json!({ "type": "set_preferences", "body": body });
            let asked = json!({ "id": page.next, "request": request });
            page.socket.feed(Message::text(asked.to_string())).await.unwrap();
        }
        let said = page.ask(json!({ "type": "get_state", "body": {} })).await;
        assert_eq!(said["reply"]["body"]["preferences"], preferences);
    }
    headless.stop().await;
    core.shutdown().await;
}
