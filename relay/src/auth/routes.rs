//! HTTP of the auth room.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use yingke_shared::rest::{ChangePassword, SignIn, SignedIn};

use super::actions;
use crate::app::App;
use crate::error::RelayError;
use crate::http::{Body, ClientAddress, Staff};

/// `POST /api/sign-in`
pub async fn sign_in(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    Body(request): Body<SignIn>,
) -> Result<Json<SignedIn>, RelayError> {
    let (token, who) = actions::sign_in(&app, address, request).await?;
    let own = crate::agents::actions::own_card(&app, &who).await?;
    Ok(Json(SignedIn { token, own }))
}

/// `POST /api/sign-out`
pub async fn sign_out(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
) -> Result<StatusCode, RelayError> {
    actions::sign_out(&app, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/password`
pub async fn change_password(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    ClientAddress(address): ClientAddress,
    Body(request): Body<ChangePassword>,
) -> Result<StatusCode, RelayError> {
    actions::change_password(&app, &who, address, request).await?;
    Ok(StatusCode::NO_CONTENT)
}
