//! The relay speaking TLS from certificate files, and the relay behind a proxy.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use yingke_shared::error_code::ErrorCode;
use yingke_tests::browser::{Chromium, Profile};
use yingke_tests::processes::find_program;
use yingke_tests::relay::{MAKE_RELAY, TestRelay, relay_program};
use yingke_tests::wait;

use crate::scene::Scene;

/// A self-signed certificate for this computer's names, as PEM: certificate and key.
fn certificate() -> Result<(String, String)> {
    let names = ["localhost", "chat.localhost", "127.0.0.1"].map(str::to_owned);
    let key = rcgen::KeyPair::generate()?;
    let certificate = rcgen::CertificateParams::new(names)?.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// A relay that has these files and will speak TLS, not yet running; gives the files too.
fn prepared(certificate: &str, key: &str) -> Result<(TestRelay, PathBuf, PathBuf)> {
    let mut relay = TestRelay::prepare(relay_program()?)?;
    let files = [("chat.pem", certificate), ("chat.key", key)].map(|(name, text)| {
        let path = relay.scratch().join(name);
        std::fs::write(&path, text).map(|()| path)
    });
    let [cert_file, key_file] = files;
    let (cert_file, key_file) = (cert_file?, key_file?);
    relay.set_environment("YINGKE_TLS_CERT", &cert_file);
    relay.set_environment("YINGKE_TLS_KEY", &key_file);
    Ok((relay, cert_file, key_file))
}

/// Health, visitors, agents and the chat page by https and wss, in no protocol but HTTP/1.1; who comes
/// without TLS is told so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_with_a_certificate_serves_everything_by_tls() -> Result<()> {
    let (certificate, key) = certificate()?;
    let (mut relay, cert_file, _) = prepared(&certificate, &key)?;
    relay.address = relay.address.by_tls(&certificate)?;
    relay.run().await?;
    let scene = Scene::on(relay, "https://shop.localhost").await?;
    let ana = scene.agent("Ana", 8).await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("nobody on the way reads this").await?.conversation;
    ana.until_gained(&hers).await?;
    ana.say(&hers, "nor this").await?;
    vera.until_text("nor this").await?;

    let mut plain = TcpStream::connect(("127.0.0.1", scene.address().port)).await?;
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n").await?;
    let mut answer = String::new();
    tokio::time::timeout(wait::LIMIT, plain.read_to_string(&mut answer)).await??;
    ensure!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer:?}");

    // A page of the relay opens its socket by wss, as its own content policy allows.
    let profile = Profile::new()?;
    let viktor = Chromium::start(&profile, "en").await?;
    viktor.visit(&format!("{}/c/{}", scene.address().chat_origin(), scene.site)).await?;
    scene.address().said.note("Viktor asks over TLS");
    viktor.say("Viktor asks over TLS").await?;
    let his = ana.until_holding(2).await?.into_iter().find(|id| *id != hers).context("his")?;
    ana.say(&his, "and is answered over TLS").await?;
    viktor.page.until_shows("message", "and is answered over TLS").await?;
    let spoken = viktor
        .page
        .run("return performance.getEntriesByType('navigation')[0].nextHopProtocol", Vec::new())
        .await?;
    ensure!(spoken == json!("http/1.1"), "{spoken}");
    viktor.close().await?;

    // The real client, which believes what the system's list of certificates says.
    let account = scene.hire("Ben", 8).await?;
    let server = scene.address().server();
    let trusting = headless(Some(&cert_file))?;
    let said = trusting.sign_in(&server, &account.account, &account.password).await?;
    ensure!(said["reply"]["type"] == "done", "{said}");
    trusting.until_connected().await?;
    let doubting = headless(None)?;
    let said = doubting.sign_in(&server, &account.account, &account.password).await?;
    ensure!(said["error"]["kind"] == "offline", "a stranger's certificate: {said}");
    drop((trusting, doubting));
    scene.finish().await
}

/// `yingke-headless` on a new data folder.
struct HeadlessClient {
    child: Child,
    url: String,
    page: tokio::sync::Mutex<Option<Page>>,
    _data: tempfile::TempDir,
}

type Page = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>>;

impl Drop for HeadlessClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn headless(trusted: Option<&PathBuf>) -> Result<HeadlessClient> {
    let program = find_program("YINGKE_HEADLESS_BIN", "yingke-headless", MAKE_RELAY)?;
    let data = tempfile::Builder::new().prefix("yingke-headless-").tempdir()?;
    let mut command = Command::new(program);
    command.arg("--data").arg(data.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(file) = trusted {
        command.env("SSL_CERT_FILE", file);
    }
    let mut child = command.spawn()?;
    let mut url = String::new();
    BufReader::new(child.stdout.take().context("an output")?).read_line(&mut url)?;
    let url = url.trim().to_owned();
    Ok(HeadlessClient { child, url, page: tokio::sync::Mutex::new(None), _data: data })
}

impl HeadlessClient {
    /// Asks once; pushes before the answer are passed over.
    async fn ask(&self, request: Value) -> Result<Value> {
        let mut page = self.page.lock().await;
        if page.is_none() {
            *page = Some(self.enter().await?);
        }
        let page = page.as_mut().context("a page")?;
        page.send(Frame::text(json!({ "id": 1, "request": request }).to_string())).await?;
        loop {
            let said =
                tokio::time::timeout(wait::LIMIT, page.next()).await?.context("closed")??;
            let said: Value = serde_json::from_str(said.to_text()?)?;
            if said["id"] == 1 {
                return Ok(said);
            }
        }
    }

    async fn enter(&self) -> Result<Page> {
        let (origin, token) = self.url.split_once("/#token=").context("an address")?;
        let socket = format!("{}/host", origin.replacen("http", "ws", 1));
        let mut request = socket.into_client_request()?;
        request.headers_mut().insert("origin", origin.parse()?);
        let (mut page, _) = tokio_tungstenite::connect_async(request).await?;
        page.send(Frame::text(json!({ "token": token }).to_string())).await?;
        page.next().await.context("a session")??;
        Ok(page)
    }

    async fn sign_in(&self, server: &str, account: &str, password: &str) -> Result<Value> {
        self.ask(json!({ "type": "sign_in", "body": {
            "server": server, "account": account, "password": password,
            "remember": "nothing", "allow_plain_http": false,
        } }))
        .await
    }

    async fn until_connected(&self) -> Result<()> {
        wait::until("the client's socket is open", || async {
            let said = self.ask(json!({ "type": "get_state", "body": {} })).await?;
            let state = &said["reply"]["body"]["connection"]["state"];
            Ok((state == "connected").then_some(()))
        })
        .await
    }
}

/// Files that cannot be used refuse the start, with the file's name and what to do; `check-config`
/// says the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificate_files_that_cannot_be_used_refuse_the_start() -> Result<()> {
    let (own, own_key) = certificate()?;
    let (_, other_key) = certificate()?;
    for (cert, key, expected) in [
        (Some(own.as_str()), Some(other_key.as_str()), "chat.key: does not belong to the first"),
        (Some(&own), None, "chat.key: there is no such file; name the PEM file"),
        (Some("hello"), Some(&own_key), "chat.pem: it holds no certificate; it must be PEM"),
        (Some(&own_key), Some(&own), "exchange tls_cert and tls_key"),
    ] {
        let (mut relay, _, key_file) = prepared(cert.unwrap_or(""), key.unwrap_or(""))?;
        if key.is_none() {
            std::fs::remove_file(&key_file)?;
        }
        let checked = relay.command_line(&["check-config"]).err().context("check-config")?;
        let checked = checked.to_string();
        ensure!(checked.contains(expected), "{checked}");
        relay.spawn()?;
        ensure!(relay.until_ended().await?.code() == Some(64));
        let log = relay.log();
        let said = log.lines().find(|line| line.contains(expected));
        let said = said.with_context(|| format!("{expected:?} is not in {log}"))?;
        ensure!(checked.contains(said.trim()), "{said} is not in {checked}");
        relay.finish().await?;
    }
    let (relay, ..) = prepared(&own, &own_key)?;
    ensure!(relay.command_line(&["check-config"])? == "the configuration is good");
    relay.finish().await
}

/// Behind a proxy the limits count whom the proxy names; from anybody else the header is a lie.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_count_whom_a_trusted_proxy_names_and_nobody_elses_word() -> Result<()> {
    for is_trusted in [true, false] {
        let mut relay = TestRelay::prepare(relay_program()?)?;
        if is_trusted {
            relay.set_environment("YINGKE_TRUSTED_PROXIES", "127.0.0.0/8");
        }
        relay.run().await?;
        let scene = Scene::on(relay, "https://shop.localhost").await?;
        let account = scene.hire("Ana", 8).await?;
        let guess = |from: String| {
            let address = scene.address().clone();
            let name = account.account.clone();
            async move {
                let body = json!({ "account": name, "password": "guessed-badly" });
                address.refused_as(&from, "/api/sign-in", &body).await
            }
        };
        let first = guess("203.0.113.7".to_owned()).await?;
        ensure!(first.code == ErrorCode::WrongCredentials, "{first:?}");
        // Until one address guesses too often; then another while that still holds, which on a slow
        // computer may take more than one try.
        let other = wait::until("another address guesses in time", || async {
            let asked = Instant::now();
            let same = guess("203.0.113.7".to_owned()).await?;
            if same.code != ErrorCode::TooFast {
                return Ok(None);
            }
            let pause = u64::from(same.retry_after_ms.context("how long to wait")?);
            let other = guess("203.0.113.8, 127.0.0.9".to_owned()).await?;
            Ok((asked.elapsed() < Duration::from_millis(pause)).then_some(other))
        });
        let other = other.await?.code;
        let expected = if is_trusted { ErrorCode::WrongCredentials } else { ErrorCode::TooFast };
        ensure!(other == expected, "trusted: {is_trusted}, {other:?}");
        scene.finish().await?;
    }
    Ok(())
}
