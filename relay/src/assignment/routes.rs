//! HTTP of assignment: the dry run, the replay of a past day.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use yingke_shared::explanation::{DryRun, DryRunAnswer};
use yingke_shared::replay::{ReplayAnswer, ReplayDay};

use super::{explained, replayed};
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

/// `POST /api/routing/replay`
pub async fn replay(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Body(asked): Body<ReplayDay>,
) -> Result<Json<ReplayAnswer>, RelayError> {
    replayed::replay(&app, &who, asked).await.map(Json)
}
