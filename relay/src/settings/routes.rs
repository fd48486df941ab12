//! HTTP of the settings room.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use yingke_shared::settings::{SaveSettings, Settings};

use super::actions;
use crate::app::App;
use crate::error::RelayError;
use crate::http::{Body, Staff};

/// `GET /api/settings`
pub async fn all(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
) -> Result<Json<Settings>, RelayError> {
    actions::all(&app, &who).await.map(Json)
}

/// `PUT /api/settings`
pub async fn save(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Body(request): Body<SaveSettings>,
) -> Result<Json<Settings>, RelayError> {
    actions::save(&app, &who, request).await.map(Json)
}
