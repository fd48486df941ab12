//! The relay's HTTP routes as the tests use them: one small client, refusals as [`WireError`].

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use reqwest::{Method, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_tungstenite::Connector;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::ids::{AgentId, ConversationId, Seq, SiteId};
use yingke_shared::rest::{
    AddAgent, AddSite, AgentAdded, ChangeAgent, ChangeSite, SignIn, SignedIn, SiteAdded,
};
use yingke_shared::settings::{SaveSettings, Settings, SettingsSection};
use yingke_shared::views::{Message, MessagePage, Role};

use crate::wait;

/// A request that takes longer gets no answer at all: a limit like [`wait::LIMIT`].
const ANSWER_WITHIN: Duration = Duration::from_secs(90);

/// What was typed and must never stand in a log: message texts, previews, passwords, tokens.
#[derive(Debug, Default)]
pub struct Said(Mutex<BTreeSet<String>>);

impl Said {
    /// Notes a text.
    pub fn note(&self, text: &str) {
        if text.chars().count() >= 4 {
            self.0.lock().unwrap().insert(text.to_owned());
        }
    }

    /// The first noted text that stands in `log`.
    #[must_use]
    pub fn leaked_into(&self, log: &str) -> Option<String> {
        self.0.lock().unwrap().iter().find(|text| log.contains(text.as_str())).cloned()
    }
}

/// Where a relay is, and how to ask it. Stays good when the relay is restarted.
#[derive(Debug, Clone)]
pub struct Address {
    /// The relay's port on 127.0.0.1.
    pub port: u16,
    /// What was said through this address.
    pub said: Arc<Said>,
    client: reqwest::Client,
    /// Set for a relay that speaks TLS.
    tls: Option<Arc<rustls::ClientConfig>>,
}

fn client() -> reqwest::ClientBuilder {
    // reqwest and thirtyfour come without a choice of TLS.
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .no_proxy()
        .timeout(ANSWER_WITHIN)
        .redirect(reqwest::redirect::Policy::none())
}

/// A refusal or failure with its HTTP status.
#[derive(Debug, Clone, Copy)]
pub struct Refused {
    /// The HTTP status.
    pub status: StatusCode,
    /// The relay's code.
    pub error: WireError,
}

impl Address {
    /// The address of a relay listening on `port`.
    pub fn new(port: u16) -> Result<Self> {
        Self::asked_from(port, std::net::Ipv4Addr::LOCALHOST)
    }

    /// The same, asked from another of this computer's addresses: limits for each address then hold
    /// for each of them.
    pub fn asked_from(port: u16, source: std::net::Ipv4Addr) -> Result<Self> {
        let client = client().local_address(std::net::IpAddr::V4(source)).build()?;
        Ok(Self { port, said: Arc::default(), client, tls: None })
    }

    /// The same relay by TLS, which trusts this certificate (PEM) and no other.
    pub fn by_tls(&self, certificate: &str) -> Result<Self> {
        let trusted = reqwest::Certificate::from_pem(certificate.as_bytes())?;
        let client = client().tls_certs_only([trusted]).build()?;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(certificate.as_bytes())?)?;
        let tls =
            rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self { client, tls: Some(Arc::new(tls)), ..self.clone() })
    }

    /// How a socket of this address is opened.
    #[must_use]
    pub fn connector(&self) -> Connector {
        self.tls.clone().map_or(Connector::Plain, Connector::Rustls)
    }

    fn scheme(&self, plain: &str) -> String {
        format!("{plain}{}", if self.tls.is_some() { "s" } else { "" })
    }

    /// As an agent types it.
    #[must_use]
    pub fn server(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme("http"), self.port)
    }

    /// The origin visitors' browsers use.
    #[must_use]
    pub fn chat_origin(&self) -> String {
        format!("{}://chat.localhost:{}", self.scheme("http"), self.port)
    }

    /// The address of a socket.
    #[must_use]
    pub fn socket(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme("ws"), self.port)
    }

    /// Asks; the answer is the value, or the relay's refusal.
    pub async fn ask<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&B>,
    ) -> Result<Result<T, Refused>> {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.server()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        if status.is_success() {
            let text = if bytes.is_empty() { b"null".as_slice() } else { &bytes };
            return Ok(Ok(serde_json::from_slice(text)
                .with_context(|| format!("{method} {path} gave {status}"))?));
        }
        let error = serde_json::from_slice(&bytes).with_context(|| {
            format!("{method} {path} gave {status}: {}", String::from_utf8_lossy(&bytes))
        })?;
        Ok(Err(Refused { status, error }))
    }

    /// A plain `GET` with headers of its own: status, headers, body.
    pub async fn get(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<(StatusCode, reqwest::header::HeaderMap, String)> {
        let mut request = self.client.get(format!("{}{path}", self.server()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await?;
        Ok((answer.status(), answer.headers().clone(), answer.text().await?))
    }

    /// A `POST` that comes by a proxy which names `forwarded`, and is refused.
    pub async fn refused_as<B: Serialize>(
        &self,
        forwarded: &str,
        path: &str,
        body: &B,
    ) -> Result<WireError> {
        let request = self.client.post(format!("{}{path}", self.server())).json(body);
        let answer = request.header("x-forwarded-for", forwarded).send().await?;
        anyhow::ensure!(!answer.status().is_success(), "{path} is not refused");
        Ok(answer.json().await?)
    }

    /// `POST /api/sign-in`, once.
    pub async fn try_sign_in(
        &self,
        account: &str,
        password: &str,
    ) -> Result<Result<SignedIn, Refused>> {
        self.said.note(password);
        let body = SignIn { account: account.to_owned(), password: password.to_owned() };
        let signed_in = self.ask(Method::POST, "/api/sign-in", None, Some(&body)).await?;
        if let Ok(SignedIn { token, .. }) = &signed_in {
            self.said.note(token);
        }
        Ok(signed_in)
    }

    /// Signs in; waits as long as the relay asks for when it is too fast.
    pub async fn sign_in(&self, account: &str, password: &str) -> Result<SignedIn> {
        loop {
            match self.try_sign_in(account, password).await? {
                Ok(signed_in) => return Ok(signed_in),
                Err(refused) => pause_if_asked("sign in", refused).await?,
            }
        }
    }

    /// One page of the REST history.
    pub async fn history_page(
        &self,
        token: &str,
        conversation: &ConversationId,
        before: Option<Seq>,
    ) -> Result<Result<MessagePage, Refused>> {
        let before = before.map(|seq| format!("&before={seq}")).unwrap_or_default();
        let path = format!("/api/conversations/{conversation}/messages?limit=100{before}");
        self.ask(Method::GET, &path, Some(token), None::<&()>).await
    }

    /// The whole REST history of a conversation, oldest first.
    pub async fn history(
        &self,
        token: &str,
        conversation: &ConversationId,
    ) -> Result<Vec<Message>> {
        let mut all: Vec<Message> = Vec::new();
        loop {
            let before = all.first().map(|message| message.seq);
            let page = match self.history_page(token, conversation, before).await? {
                Ok(page) => page,
                Err(refused) => {
                    pause_if_asked("history", refused).await?;
                    continue;
                }
            };
            let earlier = page.has_earlier;
            all.splice(0..0, page.messages);
            if !earlier {
                return Ok(all);
            }
        }
    }
}

/// Waits as long as the relay asked for; any other refusal is an error.
async fn pause_if_asked(what: &str, refused: Refused) -> Result<()> {
    match (refused.error.code, refused.error.retry_after_ms) {
        (ErrorCode::TooFast | ErrorCode::Busy, wait) => {
            wait::pass(Duration::from_millis(u64::from(wait.unwrap_or(200)))).await;
            Ok(())
        }
        _ => Err(anyhow!("{what}: {refused:?}")),
    }
}

/// The admin's half of the HTTP routes.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Where.
    pub address: Address,
    /// The admin's session.
    pub token: String,
}

/// A member of staff made by a test.
#[derive(Debug, Clone)]
pub struct Account {
    /// The sign-in name.
    pub account: String,
    /// The password.
    pub password: String,
    /// Who.
    pub id: AgentId,
}

impl Admin {
    /// Adds an agent; the account is the name in small letters.
    pub async fn add_agent(&self, name: &str, capacity: u32) -> Result<Account> {
        self.add_staff(name, Role::Agent, capacity).await
    }

    /// Adds an account of any role.
    pub async fn add_staff(&self, name: &str, role: Role, capacity: u32) -> Result<Account> {
        let account = name.to_lowercase();
        let password = format!("{account}-secret-{}", self.address.port);
        self.address.said.note(&password);
        let body = AddAgent {
            account: account.clone(),
            password: password.clone(),
            nickname: name.to_owned(),
            role,
            capacity,
            departments: None,
            skills: Vec::new(),
        };
        let added: AgentAdded = self.must(Method::POST, "/api/agents", Some(&body)).await?;
        Ok(Account { account, password, id: added.id })
    }

    /// Adds a site whose widget starts on `origin`.
    pub async fn add_site(&self, name: &str, origin: &str) -> Result<SiteId> {
        let body = AddSite { name: name.to_owned(), domains: vec![origin.to_owned()] };
        let added: SiteAdded = self.must(Method::POST, "/api/sites", Some(&body)).await?;
        Ok(added.id)
    }

    /// Changes an agent's account.
    pub async fn change_agent(&self, id: &AgentId, change: &ChangeAgent) -> Result<()> {
        let path = format!("/api/agents/{id}");
        self.must::<_, serde_json::Value>(Method::PATCH, &path, Some(change)).await.map(drop)
    }

    /// Changes a site.
    pub async fn change_site(&self, id: &SiteId, change: &ChangeSite) -> Result<()> {
        let path = format!("/api/sites/{id}");
        self.must::<_, serde_json::Value>(Method::PATCH, &path, Some(change)).await.map(drop)
    }

    /// All settings as they are now.
    pub async fn settings(&self) -> Result<Settings> {
        self.must::<(), _>(Method::GET, "/api/settings", None).await
    }

    /// Saves a section over the version it is at now.
    pub async fn save_settings(&self, base: u32, section: SettingsSection) -> Result<Settings> {
        let save = SaveSettings { base, section };
        self.must(Method::PUT, "/api/settings", Some(&save)).await
    }

    /// Asks the relay for anything as the admin.
    pub async fn must<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T> {
        loop {
            match self.address.ask(method.clone(), path, Some(&self.token), body).await? {
                Ok(value) => return Ok(value),
                Err(refused) => pause_if_asked(path, refused).await?,
            }
        }
    }
}
