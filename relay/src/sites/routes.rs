//! HTTP of the sites room: settings for staff, the gate and the documents for pages.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::SiteId;
use yingke_shared::rest::{AddSite, ChangeSite, SiteAdded};
use yingke_shared::views::SiteSettings;

use super::actions;
use crate::app::App;
use crate::assets;
use crate::error::RelayError;
use crate::http::{Body, Named, PageOrigin, Staff};

/// `GET /api/sites`
pub async fn list(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
) -> Result<Json<Vec<SiteSettings>>, RelayError> {
    actions::list(&app, &who).await.map(Json)
}

/// `POST /api/sites`
pub async fn add(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Body(request): Body<AddSite>,
) -> Result<Json<SiteAdded>, RelayError> {
    actions::add(&app, &who, request).await.map(Json)
}

/// `PATCH /api/sites/{id}`
pub async fn change(
    State(app): State<Arc<App>>,
    Staff(who): Staff,
    Named(id): Named<SiteId>,
    Body(request): Body<ChangeSite>,
) -> Result<StatusCode, RelayError> {
    actions::change(&app, &who, id, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /w/{site}/boot`: may the widget start on the page that asks (A02)? An allowed page is named
/// exactly. A refusal carries nothing but its code, and any page may read it: the loader has to be
/// able to say in the console why it does not start.
pub async fn boot(
    State(app): State<Arc<App>>,
    PageOrigin(origin): PageOrigin,
    Named(id): Named<SiteId>,
) -> Response {
    let answer = actions::boot(&app, id, origin.as_deref()).await;
    let readable_by = match (&answer, origin) {
        (Ok(_), Some(origin)) => HeaderValue::from_str(&origin).ok(),
        _ => Some(HeaderValue::from_static("*")),
    };
    let mut response = match answer {
        Ok(boot) => Json(boot).into_response(),
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    if let Some(readable_by) = readable_by {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, readable_by);
    }
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    no_store(headers);
    response
}

/// `GET /w/{site}/frame`: the panel's document, for frames on the site's domains only.
pub async fn frame(
    State(app): State<Arc<App>>,
    Named(id): Named<SiteId>,
) -> Result<Response, RelayError> {
    let site = actions::open_site(&app, id).await?;
    let ancestors =
        if site.domains.is_empty() { "'none'".to_owned() } else { site.domains.join(" ") };
    Ok(document(&app, &site.id, "panel", &ancestors))
}

/// `GET /c/{site}`: the chat link (A03), a page of its own. It is opened, not framed: no other
/// company's page may wrap it.
pub async fn page(
    State(app): State<Arc<App>>,
    Named(id): Named<SiteId>,
) -> Result<Response, RelayError> {
    match actions::open_site(&app, id.clone()).await {
        // Whoever followed the link is told by the page, in words.
        Err(error) if error.code() != ErrorCode::SiteDisabled => Err(error),
        Ok(_) | Err(_) => Ok(document(&app, &id, "page", "'self'")),
    }
}

/// The widget's document for a site. What is filled in are ids of the protocol's alphabet and a
/// random nonce: nothing that could become markup.
fn document(app: &App, site: &SiteId, mode: &str, ancestors: &str) -> Response {
    let Some(template) = assets::text("frame.html") else { return assets::missing() };
    let nonce = app.world.new_secret();
    let html = template
        .replace("__SITE_ID__", site.as_str())
        .replace("__CSP_NONCE__", &nonce)
        .replace("__MODE__", mode);
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&content_policy(&nonce, ancestors)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    } else {
        // Without its policy the document must not be given at all.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    no_store(headers);
    response
}

/// Nothing from elsewhere, nothing inline but what carries this document's nonce.
fn content_policy(nonce: &str, ancestors: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; \
         connect-src 'self' ws: wss:; img-src 'self' data: blob:; base-uri 'none'; \
         form-action 'none'; frame-ancestors {ancestors}"
    )
}

fn no_store(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
