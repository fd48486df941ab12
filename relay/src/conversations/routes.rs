//! HTTP of the conversations room.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use yingke_shared::commands::staff::LoadMessages;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::Assignments;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_shared::limits::PAGE_MESSAGES_MAX;
use yingke_shared::rest::{RecentContacts, ServedPage};
use yingke_shared::views::{ConversationRecord, MessagePage};

use super::actions;
use crate::app::App;
use crate::error::RelayError;
use crate::http::{Asked, Named, Staff};

/// The query of [`messages`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessagesAsked {
    before: Option<Seq>,
    limit: Option<u32>,
}

/// `GET /api/conversations/{id}/messages?before=&limit=`
pub async fn messages(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Named(conversation_id): Named<ConversationId>,
    Asked(asked): Asked<MessagesAsked>,
) -> Result<Json<MessagePage>, RelayError> {
    let limit = asked.limit.unwrap_or(PAGE_MESSAGES_MAX);
    let command = LoadMessages { conversation_id, before: asked.before, limit };
    let id = ClientId::new(app.world.new_id()).map_err(|_| ErrorCode::Internal)?;
    match actions::load_messages(app, who, id, command).await? {
        Outcome::Messages { page } => Ok(Json(page)),
        _ => Err(ErrorCode::Internal.into()),
    }
}

/// `GET /api/conversations/{id}`
pub async fn conversation(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Named(id): Named<ConversationId>,
) -> Result<Json<ConversationRecord>, RelayError> {
    actions::load_conversation(&app, who, id).await.map(Json)
}

/// `GET /api/conversations/{id}/assignments`
pub async fn assignments(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Named(id): Named<ConversationId>,
) -> Result<Json<Assignments>, RelayError> {
    actions::load_assignments(&app, who, id).await.map(Json)
}

/// `GET /api/contacts`
pub async fn contacts(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
) -> Result<Json<RecentContacts>, RelayError> {
    actions::load_contacts(&app, who).await.map(Json)
}

/// The query of [`served`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServedAsked {
    after: Option<ConversationId>,
}

/// `GET /api/conversations?after=`
pub async fn served(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Asked(asked): Asked<ServedAsked>,
) -> Result<Json<ServedPage>, RelayError> {
    actions::load_served(&app, &who, asked.after).await.map(Json)
}
