//! HTTP of the agents room.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use yingke_shared::ids::AgentId;
use yingke_shared::rest::{AddAgent, AgentAdded, ChangeAgent, SetAutoReplies};
use yingke_shared::views::{ColleagueCard, OwnCard};

use super::actions;
use crate::app::App;
use crate::error::RelayError;
use crate::http::{Body, Named, Staff};

/// `GET /api/me`
pub async fn me(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
) -> Result<Json<OwnCard>, RelayError> {
    actions::own_card(&app, &who).await.map(Json)
}

/// `PUT /api/me/auto-replies`
pub async fn set_auto_replies(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Body(request): Body<SetAutoReplies>,
) -> Result<StatusCode, RelayError> {
    actions::set_auto_replies(&app, &who, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/agents`
pub async fn list(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
) -> Result<Json<Vec<ColleagueCard>>, RelayError> {
    actions::list(&app, &who).await.map(Json)
}

/// `POST /api/agents`
pub async fn add(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Body(request): Body<AddAgent>,
) -> Result<Json<AgentAdded>, RelayError> {
    actions::add(&app, &who, request).await.map(Json)
}

/// `PATCH /api/agents/{id}`
pub async fn change(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Named(id): Named<AgentId>,
    Body(request): Body<ChangeAgent>,
) -> Result<StatusCode, RelayError> {
    actions::change(&app, &who, id, request).await?;
    Ok(StatusCode::NO_CONTENT)
}
