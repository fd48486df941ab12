//! HTTP of assignment: the dry run.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use yingke_shared::explanation::{DryRun, DryRunAnswer};

use super::explained;
use crate::app::App;
use crate::error::RelayError;
use crate::http::{Body, Staff};

/// `POST /api/routing/dry-run`
pub async fn dry_run(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Body(run): Body<DryRun>,
) -> Result<Json<DryRunAnswer>, RelayError> {
    explained::dry_run(&app, &who, run).await.map(Json)
}
