//! Stories of the gate and the documents over HTTP, on a real store.

use axum::http::{Method, StatusCode, header};
use serde_json::json;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::rest::{AddSite, ChangeSite};

use super::actions;
use crate::assets;
use crate::testing::http::{Asked, ask};
use crate::testing::{TestRelay, admin};

async fn boot(relay: &TestRelay, site: &str, origin: Option<&str>) -> Asked {
    let headers: Vec<_> = origin.map(|origin| (header::ORIGIN, origin)).into_iter().collect();
    ask(&relay.app, Method::GET, &format!("/w/{site}/boot"), &headers, None).await
}

async fn change(relay: &TestRelay, change: ChangeSite) {
    actions::change(&relay.app, &admin(), relay.site.clone(), change).await.unwrap();
}

#[tokio::test]
async fn the_widget_starts_on_its_domains_only_and_says_why_elsewhere() {
    let relay = TestRelay::open().await;
    let site = relay.site.as_str();
    let allowed = boot(&relay, site, Some("https://shop.example")).await;
    assert_eq!(allowed.status, StatusCode::OK);
    assert_eq!(allowed.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "https://shop.example");
    assert_eq!(allowed.header(header::VARY), "origin");
    assert_eq!(
        allowed.json,
        json!({"frame_url": format!("/w/{site}/frame"), "name": "Shop", "return_tickets": true})
    );

    let elsewhere =
        ["https://evil.example", "http://shop.example", "https://shop.example:444", "null", ""];
    for origin in elsewhere.map(Some).into_iter().chain([None]) {
        let refused = boot(&relay, site, origin).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{origin:?}");
        assert_eq!(refused.json, json!({"code": "origin_refused"}));
        assert_eq!(refused.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    }
    let unknown = boot(&relay, "no-such-site", Some("https://shop.example")).await;
    assert_eq!(
        (unknown.status, unknown.json),
        (StatusCode::NOT_FOUND, json!({"code": "not_found"}))
    );

    change(&relay, ChangeSite { enabled: Some(false), ..Default::default() }).await;
    let off = boot(&relay, site, Some("https://shop.example")).await;
    assert_eq!((off.status, off.json), (StatusCode::FORBIDDEN, json!({"code": "site_disabled"})));
}

#[tokio::test]
async fn a_domain_saved_works_at_once() {
    let relay = TestRelay::open().await;
    let site = relay.site.as_str();
    let domains = Some(vec!["HTTP://Shop.localhost:8080/".into(), "*.shop.example".into()]);
    change(&relay, ChangeSite { domains, ..Default::default() }).await;
    for (origin, status) in [
        ("http://shop.localhost:8080", StatusCode::OK),
        ("https://www.shop.example", StatusCode::OK),
        ("https://shop.example", StatusCode::FORBIDDEN),
    ] {
        assert_eq!(boot(&relay, site, Some(origin)).await.status, status, "{origin}");
    }
    let listed = actions::list(&relay.app, &admin()).await.unwrap();
    assert_eq!(listed[0].domains, ["http://shop.localhost:8080", "https://*.shop.example"]);
    let bad = AddSite { name: "Bad".into(), domains: vec!["https://shop.example/cart".into()] };
    let refused = actions::add(&relay.app, &admin(), bad).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::BadBody);
}

/// With a relay that was built without the widget there is no document to look at; then only the
/// refusals are.
#[tokio::test]
async fn the_documents_carry_their_policy() {
    let relay = TestRelay::open().await;
    let site = relay.site.as_str();
    let domains = Some(vec!["https://shop.example".into(), "https://*.shop.example".into()]);
    change(&relay, ChangeSite { domains, ..Default::default() }).await;
    for (path, mode, ancestors) in [
        (format!("/w/{site}/frame"), "panel", "https://shop.example https://*.shop.example"),
        (format!("/c/{site}"), "page", "'self'"),
    ] {
        let document = ask(&relay.app, Method::GET, &path, &[], None).await;
        if assets::text("frame.html").is_none() {
            assert_eq!(document.status, StatusCode::SERVICE_UNAVAILABLE);
            continue;
        }
        assert_eq!(document.status, StatusCode::OK);
        let policy = document.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'; script-src 'self' 'nonce-"), "{policy}");
        assert!(policy.ends_with(&format!("; frame-ancestors {ancestors}")), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(document.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(document.header(header::REFERRER_POLICY), "no-referrer");
        assert!(document.text.contains(site) && document.text.contains(mode));
        for placeholder in ["__SITE_ID__", "__CSP_NONCE__", "__MODE__"] {
            assert!(!document.text.contains(placeholder), "{placeholder}");
        }
        let again = ask(&relay.app, Method::GET, &path, &[], None).await;
        assert_ne!(again.header(header::CONTENT_SECURITY_POLICY), policy, "a nonce is used once");
    }
    change(&relay, ChangeSite { enabled: Some(false), ..Default::default() }).await;
    let (frame, link) = (format!("/w/{site}/frame"), format!("/c/{site}"));
    let off = ask(&relay.app, Method::GET, &frame, &[], None).await;
    assert_eq!((off.status, off.json), (StatusCode::FORBIDDEN, json!({"code": "site_disabled"})));
    // Who followed the link reads on the page that the service is off; the door stays shut.
    let off = ask(&relay.app, Method::GET, &link, &[], None).await;
    let is_built = assets::text("frame.html").is_some();
    assert_eq!(off.status == StatusCode::OK, is_built);
    assert_eq!(off.text.contains(r#"data-mode="page""#), is_built);
    for path in [frame, link] {
        let unknown = path.replace(site, "nothing-here");
        let unknown = ask(&relay.app, Method::GET, &unknown, &[], None).await;
        assert_eq!(
            (unknown.status, unknown.json),
            (StatusCode::NOT_FOUND, json!({"code": "not_found"}))
        );
    }
}
