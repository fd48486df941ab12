//! Stories of signing in, staying signed in, and being put out; on a real store.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::http::{Method, header};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::rest::{ChangeAgent, ChangePassword, SignIn};
use yingke_shared::views::Role;

use super::rules::{SESSION_MS, may_be_password};
use super::{StaffIdentity, actions};
use crate::store::Abort;
use crate::testing::http::ask;
use crate::testing::{HERE, PASSWORD, TestRelay, admin};
use crate::visitors;

async fn sign_in_from(
    relay: &TestRelay,
    address: IpAddr,
    account: &str,
    password: &str,
) -> Result<(String, StaffIdentity), crate::error::RelayError> {
    let request = SignIn { account: account.into(), password: password.into() };
    actions::sign_in(&relay.app, address, request).await
}

async fn sign_in(
    relay: &TestRelay,
    account: &str,
    password: &str,
) -> Result<(String, StaffIdentity), ErrorCode> {
    sign_in_from(relay, HERE, account, password).await.map_err(|error| error.code())
}

async fn who(relay: &TestRelay, token: &str) -> Result<StaffIdentity, ErrorCode> {
    actions::staff_of_token(&relay.app, token).await.map_err(|error| error.code())
}

async fn change_password(
    relay: &TestRelay,
    who: &StaffIdentity,
    old: &str,
    new: &str,
) -> Result<(), ErrorCode> {
    let request = ChangePassword { old: old.into(), new: new.into() };
    let changed = actions::change_password(&relay.app, who, HERE, request).await;
    changed.map_err(|error| error.code())
}

#[tokio::test]
async fn signing_in_gives_a_session_until_signing_out() {
    let relay = TestRelay::open().await;
    let ana = relay.account("Ana", Role::Manager, 8).await;
    let (token, identity) = sign_in(&relay, " ANA ", PASSWORD).await.unwrap();
    assert_eq!((&identity.agent_id, identity.role), (&ana.agent_id, Role::Manager));
    assert_eq!(who(&relay, &token).await, Ok(identity.clone()));
    actions::sign_out(&relay.app, &identity).await.unwrap();
    assert_eq!(who(&relay, &token).await, Err(ErrorCode::Unauthenticated));
    assert_eq!(who(&relay, "").await, Err(ErrorCode::Unauthenticated));
}

/// Unknown, disabled and wrong must be one answer.
#[tokio::test]
async fn what_was_wrong_is_not_said() {
    let relay = TestRelay::open().await;
    let ana = relay.agent("Ana").await;
    for (account, password) in [("ana", "wrong password"), ("nobody", PASSWORD), ("", "")] {
        assert_eq!(sign_in(&relay, account, password).await, Err(ErrorCode::WrongCredentials));
    }
    relay.set_disabled(&ana, true).await;
    assert_eq!(sign_in(&relay, "ana", PASSWORD).await, Err(ErrorCode::WrongCredentials));
}

#[tokio::test]
async fn guessing_is_slowed_for_that_account_and_address_only() {
    let relay = TestRelay::open().await;
    relay.agent("Ana").await;
    relay.agent("Ben").await;
    for _ in 0..5 {
        assert_eq!(sign_in(&relay, "ana", "a wrong guess").await, Err(ErrorCode::WrongCredentials));
    }
    let slowed = sign_in_from(&relay, HERE, "Ana", PASSWORD).await.unwrap_err();
    assert_eq!(slowed.code(), ErrorCode::TooFast);
    let wait = slowed.0.retry_after_ms.unwrap();
    assert!((1..=12_000).contains(&wait), "{wait}");
    assert!(sign_in(&relay, "ben", PASSWORD).await.is_ok());
    let elsewhere = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
    assert!(sign_in_from(&relay, elsewhere, "ana", PASSWORD).await.is_ok());
    relay.pass(u64::from(wait));
    assert!(sign_in(&relay, "ana", PASSWORD).await.is_ok());
    for _ in 0..20 {
        assert!(sign_in(&relay, "ana", PASSWORD).await.is_ok(), "the right one never counts");
    }
}

#[tokio::test]
async fn many_guesses_at_once_do_not_slip_past() {
    let relay = std::sync::Arc::new(TestRelay::open().await);
    relay.agent("Ana").await;
    let tries = (0..20).map(|_| {
        let relay = relay.clone();
        tokio::spawn(async move { sign_in(&relay, "ana", "a wrong guess").await.unwrap_err() })
    });
    let mut wrong = 0;
    for one in tries.collect::<Vec<_>>() {
        match one.await.unwrap() {
            ErrorCode::WrongCredentials => wrong += 1,
            other => assert_eq!(other, ErrorCode::TooFast),
        }
    }
    assert_eq!(wrong, 5);
}

#[tokio::test]
async fn a_session_in_use_lives_on_and_an_idle_one_ends() {
    let relay = TestRelay::open().await;
    relay.agent("Ana").await;
    let (used, _) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    let (idle, _) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    for _ in 0..4 {
        relay.pass(SESSION_MS / 3);
        assert!(who(&relay, &used).await.is_ok());
    }
    assert_eq!(who(&relay, &idle).await, Err(ErrorCode::Unauthenticated));
    relay.pass(SESSION_MS);
    assert_eq!(who(&relay, &used).await, Err(ErrorCode::Unauthenticated));
}

/// With a full disk agents can still read.
#[tokio::test]
async fn a_session_that_cannot_be_prolonged_is_still_one() {
    let relay = TestRelay::open().await;
    relay.agent("Ana").await;
    let (token, identity) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    let no_writes = "CREATE TRIGGER full BEFORE UPDATE ON staff_sessions \
                     BEGIN SELECT RAISE(ABORT, 'no space'); END";
    let made = relay.app.store.write("fill the disk", |tx| {
        Ok::<_, Abort<ErrorCode>>(tx.execute(no_writes, &[]).map(drop)?)
    });
    made.await.unwrap();
    relay.pass(25 * 60 * 60 * 1_000);
    assert_eq!(who(&relay, &token).await, Ok(identity));
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let relay = TestRelay::open().await;
    relay.agent("Ana").await;
    let (here, identity) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    let (other, _) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    let wrong = change_password(&relay, &identity, "not the old one", "another secret").await;
    assert_eq!(wrong, Err(ErrorCode::WrongCredentials));
    for weak in ["short", "ana", " ANA "] {
        let weak = change_password(&relay, &identity, PASSWORD, weak).await;
        assert_eq!(weak, Err(ErrorCode::WeakPassword));
    }
    change_password(&relay, &identity, PASSWORD, "another secret").await.unwrap();
    assert!(who(&relay, &here).await.is_ok());
    assert_eq!(who(&relay, &other).await, Err(ErrorCode::Unauthenticated));
    assert_eq!(sign_in(&relay, "ana", PASSWORD).await, Err(ErrorCode::WrongCredentials));
    assert!(sign_in(&relay, "ana", "another secret").await.is_ok());

    let app = &relay.app;
    let new = "from the command line".to_owned();
    actions::reset_password(&app.store, &app.auth.passwords, "Ana", new.clone()).await.unwrap();
    assert_eq!(who(&relay, &here).await, Err(ErrorCode::Unauthenticated));
    assert!(sign_in(&relay, "ana", &new).await.is_ok());
    let nobody = actions::reset_password(&app.store, &app.auth.passwords, "nobody", new).await;
    assert_eq!(nobody.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_for_good() {
    let relay = TestRelay::open().await;
    let ana = relay.agent("Ana").await;
    let (token, _) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    relay.set_disabled(&ana, true).await;
    assert_eq!(who(&relay, &token).await, Err(ErrorCode::Unauthenticated));
    relay.set_disabled(&ana, false).await;
    let again = who(&relay, &token).await;
    assert_eq!(again, Err(ErrorCode::Unauthenticated), "old sessions do not come back");
    assert!(sign_in(&relay, "ana", PASSWORD).await.is_ok());
}

/// A session that begins while its rights change is told so rather than left with the old ones.
#[tokio::test]
async fn an_identity_can_be_checked_again() {
    let relay = TestRelay::open().await;
    let ana = relay.agent("Ana").await;
    let (_, identity) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    let recheck = async || {
        let identity = identity.clone();
        relay.app.store.read("recheck", move |tx| identity.recheck(tx)).await.unwrap()
    };
    assert_eq!(recheck().await, Ok(()));
    let change = ChangeAgent { role: Some(Role::Manager), ..Default::default() };
    let id = ana.agent_id.clone();
    crate::agents::actions::change(&relay.app, &admin(), id, change).await.unwrap();
    assert_eq!(recheck().await, Err(ErrorCode::Unavailable));
    relay.set_disabled(&ana, true).await;
    assert_eq!(recheck().await, Err(ErrorCode::Unauthenticated));
}

#[tokio::test]
async fn the_oldest_of_too_many_sessions_gives_way() {
    let relay = TestRelay::open().await;
    relay.agent("Ana").await;
    let (first, _) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    let mut last = String::new();
    for _ in 0..20 {
        relay.pass(1_000);
        last = sign_in(&relay, "ana", PASSWORD).await.unwrap().0;
    }
    assert_eq!(who(&relay, &first).await, Err(ErrorCode::Unauthenticated));
    assert!(who(&relay, &last).await.is_ok());
}

#[tokio::test]
async fn a_session_in_use_is_not_crowded_out_by_others() {
    let relay = TestRelay::open().await;
    relay.agent("Ana").await;
    let (first, ana) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    let _desk = relay.app.hub.join_staff(&ana.agent_id, ana.role, &ana.session, &Arc::default());
    let mut forgotten = Vec::new();
    for _ in 0..40 {
        relay.pass(1_000);
        forgotten.push(sign_in(&relay, "ana", PASSWORD).await.unwrap().0);
    }
    assert!(who(&relay, &first).await.is_ok());
    for (at, token) in forgotten.iter().enumerate() {
        assert_eq!(who(&relay, token).await.is_ok(), at >= 21, "the newest 19 stay: {at}");
    }
}

#[tokio::test]
async fn no_secret_is_stored_as_it_is() {
    let relay = TestRelay::open().await;
    relay.agent("Ana").await;
    let (token, _) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    let stored = relay
        .app
        .store
        .read("all secrets", |tx| {
            let sql = "SELECT token_hash FROM staff_sessions UNION ALL \
                       SELECT password_hash FROM agents UNION ALL \
                       SELECT token_hash FROM visitor_tokens";
            tx.query(sql, &[], |row| row.text(0))
        })
        .await
        .unwrap();
    assert!(stored.iter().all(|hash| !hash.contains(&token) && !hash.contains(PASSWORD)));
    assert!(stored.iter().any(|hash| hash.starts_with("$argon2id$")));
}

#[test]
fn passwords_are_long_and_not_the_account() {
    for (password, good) in [
        ("12345678", true),
        ("1234567", false),
        ("好好学习天天向上", true),
        ("        ", false),
        ("annalena", false),
        ("AnnaLena", false),
        ("annalena1", true),
    ] {
        assert_eq!(may_be_password("Annalena", password).is_ok(), good, "{password}");
    }
    assert!(may_be_password("x", &"长".repeat(256)).is_ok());
    assert!(may_be_password("x", &"长".repeat(257)).is_err());
}

/// A request with this token over HTTP: status, code, and how long to wait.
async fn knock(relay: &TestRelay, path: &str, token: &str) -> (u16, String, String) {
    let bearer = format!("Bearer {token}");
    let headers = [(header::AUTHORIZATION, bearer.as_str())];
    let method = if path == "/api/me" { Method::GET } else { Method::POST };
    let answer = ask(&relay.app, method, path, &headers, None).await;
    let wait = answer.header(header::RETRY_AFTER);
    (answer.status.as_u16(), answer.code().to_owned(), wait)
}

fn refused(status: u16, code: &str, wait: &str) -> (u16, String, String) {
    (status, code.to_owned(), wait.to_owned())
}

/// Each was looked up in the lane in which everybody reads, as many as one cared to send.
#[tokio::test]
async fn wrong_tokens_of_one_address_have_a_rate_and_right_ones_pass() {
    let relay = TestRelay::open().await;
    relay.agent("Ana").await;
    let (old, _) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    let ticket = format!("/w/{}/ticket", relay.site.as_str());
    let entered =
        visitors::actions::enter(&relay.app, HERE, relay.site.clone(), Default::default()).await;
    let of_visitor = entered.unwrap().token;
    for guess in 0..120 {
        let path = if guess % 2 == 0 { "/api/me" } else { ticket.as_str() };
        let answer = knock(&relay, path, &format!("made up {guess}")).await;
        assert_eq!(answer, refused(401, "unauthenticated", ""), "{guess}");
    }
    for path in ["/api/me", ticket.as_str()] {
        assert_eq!(knock(&relay, path, "one more").await, refused(429, "too_fast", "1"));
    }
    // Nothing to look up costs nothing.
    let without = ask(&relay.app, Method::GET, "/api/me", &[], None).await;
    assert_eq!(without.status.as_u16(), 401);

    // The same office: who was in goes on, who signs in now comes in.
    assert_eq!(knock(&relay, "/api/me", &old).await.0, 200);
    assert_eq!(knock(&relay, &ticket, &of_visitor).await.0, 200);
    let (new, who) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    assert_eq!(knock(&relay, "/api/me", &new).await.0, 200);
    // An ended session is wrong, and told so once.
    actions::sign_out(&relay.app, &who).await.unwrap();
    assert_eq!(knock(&relay, "/api/me", &new).await.0, 401);
    assert_eq!(knock(&relay, "/api/me", &new).await.0, 429);
    relay.pass(1_000);
    assert_eq!(knock(&relay, "/api/me", "later").await.0, 401);
}

/// An office in which everybody works is never near the limit, however much is asked.
#[tokio::test]
async fn right_tokens_cost_nothing() {
    let relay = TestRelay::open().await;
    relay.agent("Ana").await;
    let (token, _) = sign_in(&relay, "ana", PASSWORD).await.unwrap();
    // Not remembered: as after a restart.
    let relay = relay.restart().await;
    for _ in 0..3 * 120 {
        assert_eq!(knock(&relay, "/api/me", &token).await.0, 200);
    }
    relay.pass(2 * 60 * 60 * 1_000);
    assert_eq!(
        knock(&relay, "/api/me", &token).await.0,
        200,
        "known for an hour, right for longer"
    );
}
