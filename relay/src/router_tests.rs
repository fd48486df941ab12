//! Every route of the table by every asker. A new route without a line here fails.

use axum::http::{Method, StatusCode, header};
use serde_json::json;
use yingke_shared::commands::{Command as _, StaffCommand, VisitorCommand};
use yingke_shared::rest::EnterAsVisitor;
use yingke_shared::views::Role;

use super::*;
use crate::testing::http::ask;
use crate::testing::{HERE, PASSWORD, TestRelay, any_id};

/// What a route answers to nobody, a visitor, an agent, a manager and an admin, each asking for
/// something that does not exist or with an empty body: the rights show before anything else.
const EXPECTED: &[(&str, &str, [u16; 5])] = &[
    ("GET", "/healthz", [200; 5]),
    ("POST", "/api/sign-in", [400; 5]),
    ("POST", "/api/sign-out", [401, 401, 204, 204, 204]),
    ("POST", "/api/password", [401, 401, 400, 400, 400]),
    ("GET", "/api/me", [401, 401, 200, 200, 200]),
    ("PUT", "/api/me/auto-replies", [401, 401, 400, 400, 400]),
    ("GET", "/api/agents", [401, 401, 200, 200, 200]),
    ("POST", "/api/agents", [401, 401, 403, 403, 400]),
    ("PATCH", "/api/agents/{id}", [401, 401, 403, 403, 404]),
    ("GET", "/api/sites", [401, 401, 200, 200, 200]),
    ("POST", "/api/sites", [401, 401, 403, 403, 400]),
    ("PATCH", "/api/sites/{id}", [401, 401, 403, 403, 404]),
    ("GET", "/api/conversations", [401, 401, 200, 200, 200]),
    ("GET", "/api/conversations/{id}", [401, 401, 404, 404, 404]),
    ("GET", "/api/conversations/{id}/messages", [401, 401, 404, 404, 404]),
    ("GET", "/api/conversations/{id}/assignments", [401, 401, 404, 404, 404]),
    ("GET", "/api/contacts", [401, 401, 200, 200, 200]),
    ("GET", "/api/settings", [401, 401, 403, 403, 200]),
    ("PUT", "/api/settings", [401, 401, 403, 403, 409]),
    // No driver runs here.
    ("POST", "/api/routing/dry-run", [401, 401, 403, 403, 503]),
    // No day is named.
    ("POST", "/api/routing/replay", [401, 401, 403, 403, 400]),
    ("GET", "/api/audit", [401, 401, 403, 403, 200]),
    // A socket: asked without an upgrade.
    ("GET", "/ws/staff", [400; 5]),
    ("GET", "/widget.js", [0; 5]),
    ("GET", "/w/assets/{file}", [0; 5]),
    ("GET", "/w/{site}/boot", [404; 5]),
    ("GET", "/w/{site}/frame", [404; 5]),
    ("GET", "/c/{site}", [404; 5]),
    ("POST", "/w/{site}/visitor", [404; 5]),
    ("POST", "/w/{site}/ticket", [401, 404, 401, 401, 401]),
    ("GET", "/ws/visitor", [400; 5]),
];

/// A body that passes the check of its form, where the form is not what is tested.
fn body(method: &str, path: &str) -> Option<String> {
    let body = match (method, path) {
        ("POST", "/api/agents") => json!({
            "account": "new", "password": "short", "nickname": "New", "role": "agent", "capacity": 8
        }),
        ("POST", "/api/sites") => json!({"name": "New", "domains": ["not a domain"]}),
        ("PUT", "/api/settings") => {
            json!({"base": 7, "section": {"name": "skills", "value": []}})
        }
        ("GET", _) => return None,
        (_, "/w/{site}/visitor") => json!({"ticket": null}),
        _ => json!({}),
    };
    Some(body.to_string())
}

#[tokio::test]
async fn every_route_by_every_asker() {
    let relay = TestRelay::open().await;
    let app = &relay.app;
    let mut tokens = vec![String::new()];
    let entered =
        visitors::actions::enter(app, HERE, relay.site.clone(), EnterAsVisitor::default());
    tokens.push(entered.await.unwrap().token);
    for (name, role) in [("Ana", Role::Agent), ("Mia", Role::Manager), ("Ada", Role::Admin)] {
        relay.account(name, role, 8).await;
        tokens.push(sign_in(&relay, name).await);
    }

    let mut found: Vec<(String, String)> = Vec::new();
    for route in table() {
        for method in route.methods.split(' ') {
            found.push((method.to_owned(), route.path.to_owned()));
        }
    }
    let expected: Vec<_> =
        EXPECTED.iter().map(|(method, path, _)| (method.to_string(), path.to_string())).collect();
    assert_eq!(found, expected, "a route without a line here, or a line without a route");

    for (method, path, statuses) in EXPECTED {
        let named = path.replace("{id}", "nothing").replace("{site}", "nothing");
        for (asker, status) in statuses.iter().enumerate().filter(|(_, status)| **status != 0) {
            let bearer = format!("Bearer {}", tokens[asker]);
            let headers = [(header::AUTHORIZATION, bearer.as_str())];
            let verb = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = ask(app, verb, &named, &headers, body(method, path)).await;
            assert_eq!(answer.status.as_u16(), *status, "{method} {path} asker {asker}");
            if answer.status.is_client_error() {
                assert!(!answer.code().is_empty(), "{method} {path}: {}", answer.text);
            }
        }
        if *path == "/api/sign-out" {
            for (asker, name) in [(2, "Ana"), (3, "Mia"), (4, "Ada")] {
                tokens[asker] = sign_in(&relay, name).await;
            }
        }
    }
}

async fn sign_in(relay: &TestRelay, name: &str) -> String {
    let request = json!({"account": name, "password": PASSWORD}).to_string();
    let answer = ask(&relay.app, Method::POST, "/api/sign-in", &[], Some(request)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json["own"]["nickname"], name);
    answer.json["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn bodies_are_closed_and_bounded() {
    let relay = TestRelay::open().await;
    for (body, status, code) in [
        (json!({"account": "a", "password": "b", "role": "admin"}).to_string(), 400, "bad_body"),
        (json!({"account": "a"}).to_string(), 400, "bad_body"),
        ("not json".to_owned(), 400, "bad_body"),
        (json!({"account": "a".repeat(70_000), "password": "b"}).to_string(), 413, "too_large"),
        (json!({"account": "a", "password": "b"}).to_string(), 401, "wrong_credentials"),
    ] {
        let answer = ask(&relay.app, Method::POST, "/api/sign-in", &[], Some(body)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code));
    }
    let nowhere = [
        (Method::GET, "/nothing"),
        (Method::DELETE, "/api/agents"),
        (Method::GET, "/w/assets/%ff"),
    ];
    for (method, path) in nowhere {
        let answer = ask(&relay.app, method, path, &[], None).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"), "{path}");
    }
    relay.agent("Ana").await;
    let bearer = format!("Bearer {}", sign_in(&relay, "Ana").await);
    let headers = [(header::AUTHORIZATION, bearer.as_str())];
    for query in ["?limit=0", "?limit=101", "?limit=x", "?unknown=1", "?before=9007199254740993"] {
        let path = format!("/api/conversations/nothing/messages{query}");
        let answer = ask(&relay.app, Method::GET, &path, &headers, None).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "bad_body"), "{query}");
    }
}

/// Every command's name is either carried out here or belongs to the live part.
#[tokio::test]
async fn every_command_is_dispatched() {
    let relay = TestRelay::open().await;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    let mailbox = Arc::default();
    let registration = relay.app.hub.join_staff(&ana.agent_id, ana.role, &ana.session, &mailbox);
    for (name, body) in samples("staff") {
        let command = StaffCommand::decode(&name, &body).unwrap();
        let seat = registration.seat();
        let answer = dispatch_staff(&relay.app, &ana, seat, any_id(), command).await;
        let unknown = answer.is_err_and(|error| error.code() == ErrorCode::UnknownCommand);
        assert_eq!(unknown, ["hello", "typing", "viewing"].contains(&name.as_str()), "{name}");
    }
    for (name, body) in samples("visitor") {
        let command = VisitorCommand::decode(&name, &body).unwrap();
        let answer = dispatch_visitor(&relay.app, &vera, any_id(), command).await;
        let unknown = answer.is_err_and(|error| error.code() == ErrorCode::UnknownCommand);
        assert_eq!(unknown, ["hello", "preview"].contains(&name.as_str()), "{name}");
    }
}

/// The golden samples of one side's commands, which a test of the protocol keeps complete: name and
/// body.
fn samples(side: &str) -> Vec<(String, String)> {
    let samples: serde_json::Value =
        serde_json::from_str(include_str!("../../shared/samples/commands.json")).unwrap();
    let samples = samples[side].as_array().unwrap();
    let read = |sample: &serde_json::Value| {
        (sample["type"].as_str().unwrap().to_owned(), sample["body"].to_string())
    };
    samples.iter().map(read).collect()
}
