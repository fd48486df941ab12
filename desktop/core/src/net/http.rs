//! Sign-in, sign-out, password, conversations and what a person asks for once, over HTTP. No redirects
//! (a token never follows one), no proxy, a bounded answer in a bounded time.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, redirect};
use serde::de::DeserializeOwned;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::ids::ConversationId;
use yingke_shared::rest::{ChangePassword, ServedPage, SignIn, SignedIn};
use yingke_shared::views::ConversationRecord;

use super::resolve::LocalhostFirst;
use crate::address::ServerAddress;
use crate::bridge::calls::{RelayAnswer, RelayCall};
use crate::bridge::types::{UiError, UiErrorKind};
use crate::limits::{HTTP_BYTES_MAX, HTTP_WITHIN_MS, OPEN_WITHIN_MS};

/// The relay's HTTP side.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
}

impl Http {
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .dns_resolver(Arc::new(LocalhostFirst))
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_millis(OPEN_WITHIN_MS))
            .timeout(Duration::from_millis(HTTP_WITHIN_MS))
            .user_agent(concat!("yingke-client/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }

    pub(crate) async fn sign_in(
        &self,
        server: &ServerAddress,
        form: &SignIn,
    ) -> Result<SignedIn, UiError> {
        let request = self.client.post(server.route("/api/sign-in")).json(form);
        let body = answered(request).await?;
        decode(&body)
    }

    pub(crate) async fn sign_out(
        &self,
        server: &ServerAddress,
        token: &str,
    ) -> Result<(), UiError> {
        let request = self.client.post(server.route("/api/sign-out")).bearer_auth(token);
        answered(request).await.map(|_| ())
    }

    pub(crate) async fn change_password(
        &self,
        server: &ServerAddress,
        token: &str,
        change: &ChangePassword,
    ) -> Result<(), UiError> {
        let request = self.client.post(server.route("/api/password")).bearer_auth(token);
        answered(request.json(change)).await.map(|_| ())
    }

    /// The open conversations of the reader, by id, after the one named.
    pub(crate) async fn served(
        &self,
        server: &ServerAddress,
        token: &str,
        after: Option<&ConversationId>,
    ) -> Result<ServedPage, UiError> {
        // An id has no character that an address escapes.
        let after = after.map_or_else(String::new, |id| format!("?after={id}"));
        let route = server.route(&format!("/api/conversations{after}"));
        let body = answered(self.client.get(route).bearer_auth(token)).await?;
        decode(&body)
    }

    /// A conversation as it stands.
    pub(crate) async fn record(
        &self,
        server: &ServerAddress,
        token: &str,
        conversation_id: &ConversationId,
    ) -> Result<Box<ConversationRecord>, UiError> {
        let route = server.route(&format!("/api/conversations/{conversation_id}"));
        let body = answered(self.client.get(route).bearer_auth(token)).await?;
        decode(&body)
    }

    /// What a person asks for once.
    pub(crate) async fn call(
        &self,
        server: &ServerAddress,
        token: &str,
        call: &RelayCall,
    ) -> Result<RelayAnswer, UiError> {
        let get = |path: &str| self.client.get(server.route(path)).bearer_auth(token);
        let post = |path: &str| self.client.post(server.route(path)).bearer_auth(token);
        let put = |path: &str| self.client.put(server.route(path)).bearer_auth(token);
        let patch = |path: &str| self.client.patch(server.route(path)).bearer_auth(token);
        let request = match call {
            RelayCall::GetSettings {} => get("/api/settings"),
            RelayCall::SaveSettings(change) => put("/api/settings").json(change),
            RelayCall::ListAgents {} => get("/api/agents"),
            RelayCall::AddAgent(agent) => post("/api/agents").json(agent),
            RelayCall::ChangeAgent { agent_id, change } => {
                patch(&format!("/api/agents/{agent_id}")).json(change)
            }
            RelayCall::AddSite(site) => post("/api/sites").json(site),
            RelayCall::ChangeSite { site_id, change } => {
                patch(&format!("/api/sites/{site_id}")).json(change)
            }
            RelayCall::DryRun(visitor) => post("/api/routing/dry-run").json(visitor),
            RelayCall::Replay(day) => post("/api/routing/replay").json(day),
            RelayCall::Assignments { conversation_id } => {
                get(&format!("/api/conversations/{conversation_id}/assignments"))
            }
            RelayCall::RecentContacts {} => get("/api/contacts"),
            RelayCall::SetAutoReplies(texts) => put("/api/me/auto-replies").json(texts),
            RelayCall::Audit { before: None } => get("/api/audit"),
            RelayCall::Audit { before: Some(before) } => {
                get(&format!("/api/audit?before={before}"))
            }
        };
        let body = answered(request).await?;
        Ok(match call {
            RelayCall::GetSettings {} | RelayCall::SaveSettings(_) => {
                RelayAnswer::Settings(decode(&body)?)
            }
            RelayCall::ListAgents {} => RelayAnswer::Agents { agents: decode(&body)? },
            RelayCall::AddAgent(_) => RelayAnswer::AgentAdded(decode(&body)?),
            RelayCall::AddSite(_) => RelayAnswer::SiteAdded(decode(&body)?),
            RelayCall::DryRun(_) => RelayAnswer::DryRun(decode(&body)?),
            RelayCall::Replay(_) => RelayAnswer::Replay(decode(&body)?),
            RelayCall::Assignments { .. } => RelayAnswer::Assignments(decode(&body)?),
            RelayCall::RecentContacts {} => RelayAnswer::Contacts(decode(&body)?),
            RelayCall::Audit { .. } => RelayAnswer::Audit(decode(&body)?),
            RelayCall::ChangeAgent { .. }
            | RelayCall::ChangeSite { .. }
            | RelayCall::SetAutoReplies(_) => RelayAnswer::Done {},
        })
    }
}

/// The body of a success, or what went wrong.
async fn answered(request: RequestBuilder) -> Result<Vec<u8>, UiError> {
    let mut response = request.send().await.map_err(|error| {
        // `without_url`: the log tells which server from the connection's own lines.
        tracing::info!(error = %error.without_url(), "a request did not reach the relay");
        UiError::of(UiErrorKind::Offline)
    })?;
    let status = response.status();
    let mut body = Vec::new();
    let broken = |_| UiError::of(UiErrorKind::Offline);
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > HTTP_BYTES_MAX {
            tracing::warn!("an answer is larger than any of the relay's");
            return Err(UiError::of(UiErrorKind::Incompatible));
        }
        body.extend_from_slice(&chunk);
    }
    if status.is_success() {
        return Ok(body);
    }
    if let Ok(error) = serde_json::from_slice::<WireError>(&body) {
        return Err(UiError::from(error));
    }
    tracing::warn!(status = status.as_u16(), "the answer is not one of a relay");
    Err(match status.as_u16() {
        413 => UiError::refused(ErrorCode::TooLarge),
        429 => UiError::refused(ErrorCode::TooFast),
        500.. => UiError::of(UiErrorKind::Offline),
        _ => UiError::of(UiErrorKind::Incompatible),
    })
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, UiError> {
    serde_json::from_slice(body).map_err(|_| {
        tracing::warn!("the answer is not one this version knows");
        UiError::of(UiErrorKind::Incompatible)
    })
}
