//! How every HTTP route reads its request: who asks, from where, the body. What does not fit is a
//! `WireError` with the matching status; no detail of a parser leaves the process.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use yingke_shared::error_code::ErrorCode;

use crate::app::App;
use crate::auth::{StaffIdentity, VisitorIdentity, actions};
use crate::error::RelayError;
use crate::limits::{REQUEST_BODY_WITHIN_MS, TOKEN_BYTES_MAX};

/// A request's JSON body: a closed struct, refused as `bad_body` (also when
/// it does not come) or `too_large`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = RelayError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, RelayError> {
        let within = Duration::from_millis(REQUEST_BODY_WITHIN_MS);
        let read = timeout(within, Bytes::from_request(request, app)).await;
        let bytes = read.map_err(|_| ErrorCode::BadBody)?.map_err(|rejection| {
            let too_large = rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE;
            if too_large { ErrorCode::TooLarge } else { ErrorCode::BadBody }
        })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|_| ErrorCode::BadBody.into())
    }
}

/// The id in the path. What is not an id cannot exist.
pub struct Named<I>(pub I);

impl<I: FromStr + Send> FromRequestParts<Arc<App>> for Named<I> {
    type Rejection = RelayError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, RelayError> {
        let Path(text) = Path::<String>::from_request_parts(parts, app)
            .await
            .map_err(|_| ErrorCode::NotFound)?;
        text.parse().map(Self).map_err(|_| ErrorCode::NotFound.into())
    }
}

/// The query as a closed struct.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for Asked<T> {
    type Rejection = RelayError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, RelayError> {
        let Query(query) =
            Query::<T>::from_request_parts(parts, app).await.map_err(|_| ErrorCode::BadBody)?;
        Ok(Self(query))
    }
}

/// The member of staff whose session's token stands in `Authorization: Bearer …`.
pub struct Staff(pub StaffIdentity);

impl FromRequestParts<Arc<App>> for Staff {
    type Rejection = RelayError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, RelayError> {
        let address = address_of(parts)?;
        let token = bearer(&parts.headers).ok_or(ErrorCode::Unauthenticated)?;
        actions::staff_of_request(app, address, token).await.map(Self)
    }
}

/// The visitor whose token stands in `Authorization: Bearer …`.
pub struct Visitor(pub VisitorIdentity);

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = RelayError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, RelayError> {
        let address = address_of(parts)?;
        let token = bearer(&parts.headers).ok_or(ErrorCode::Unauthenticated)?;
        actions::visitor_of_request(app, address, token).await.map(Self)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let fits = scheme.eq_ignore_ascii_case("bearer") && token.len() <= TOKEN_BYTES_MAX;
    fits.then_some(token)
}

/// Where the request comes from, for limits per address: see [`crate::client_address`].
pub struct ClientAddress(pub IpAddr);

impl FromRequestParts<Arc<App>> for ClientAddress {
    type Rejection = RelayError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, RelayError> {
        address_of(parts).map(Self)
    }
}

fn address_of(parts: &Parts) -> Result<IpAddr, RelayError> {
    match parts.extensions.get::<crate::client_address::ClientAddress>() {
        Some(found) => Ok(found.0),
        None => {
            tracing::error!("a request came without its address: the listener is set up wrong");
            Err(ErrorCode::Internal.into())
        }
    }
}

/// The page origin a browser says it asks from.
pub struct PageOrigin(pub Option<String>);

impl FromRequestParts<Arc<App>> for PageOrigin {
    type Rejection = RelayError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, RelayError> {
        let origin = parts.headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
        Ok(Self(origin.map(str::to_owned)))
    }
}
