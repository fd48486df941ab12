//! HTTP of the audit.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use yingke_shared::ids::Position;
use yingke_shared::rest::AuditPage;

use super::actions;
use crate::app::App;
use crate::error::RelayError;
use crate::http::{Asked, Staff};

/// The query of [`page`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// Lines before this one; the newest without it.
    before: Option<Position>,
}

/// `GET /api/audit?before=`
pub async fn page(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Asked(query): Asked<Before>,
) -> Result<Json<AuditPage>, RelayError> {
    actions::page(&app, &who, query.before).await.map(Json)
}
