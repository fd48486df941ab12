//! HTTP of the visitors room, asked by the iframe's document.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use yingke_shared::ids::SiteId;
use yingke_shared::rest::{EnterAsVisitor, ReturnTicket, VisitorEntered};

use super::actions;
use crate::app::App;
use crate::error::RelayError;
use crate::http::{Body, ClientAddress, Named, Visitor};

/// `POST /w/{site}/visitor`
pub async fn enter(
    State(app): State<Arc<App>>,
    Named(site_id): Named<SiteId>,
    ClientAddress(address): ClientAddress,
    Body(request): Body<EnterAsVisitor>,
) -> Result<Json<VisitorEntered>, RelayError> {
    actions::enter(&app, address, site_id, request).await.map(Json)
}

/// `POST /w/{site}/ticket`
pub async fn ticket(
    State(app): State<Arc<App>>,
    Named(site_id): Named<SiteId>,
    Visitor(who): Visitor,
) -> Result<Json<ReturnTicket>, RelayError> {
    actions::ticket(&app, &who, site_id).await.map(Json)
}
