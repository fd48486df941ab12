//! C01: signing in, out, by itself, and what a start without network shows.

use std::sync::Arc;

use tempfile::TempDir;
use yingke_client::bridge::types::{
    ConnectionState, Preferences, Remember, Session, SignedOutNotice, Theme, UiErrorKind, UiReply,
    UiRequest,
};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::events::StaffEventBody;
use yingke_shared::ids::ConversationId;
use yingke_shared::views::Availability;

use crate::relay::Relay;
use crate::seat::{Keys, Seat, until};

/// A computer with a key store, and Ana signed in on it for the first time.
async fn signed_in(relay: &Relay, remember: Remember) -> (TempDir, Arc<Keys>, Seat) {
    let data = tempfile::tempdir().unwrap();
    let keys = Arc::new(Keys::default());
    let seat = Seat::open(data.path(), Some(Arc::clone(&keys))).await;
    seat.sign_in(relay, "correct horse", remember).await.unwrap();
    (data, keys, seat)
}

/// Waits until the key store holds so many secrets.
async fn keeps(keys: &Keys, count: usize) {
    until("the secrets are as many", || keys.0.lock().unwrap().len() == count).await;
}

#[tokio::test]
async fn refusals_of_signing_in_say_what_to_do() {
    let relay = Relay::start().await;
    let data = tempfile::tempdir().unwrap();
    let seat = Seat::open(data.path(), None).await;
    let form = |server: &str, password: &str| UiRequest::SignIn {
        server: server.to_owned(),
        account: "ana".to_owned(),
        password: password.to_owned(),
        remember: Remember::Nothing,
        allow_plain_http: false,
    };
    for (server, password, kind, code) in [
        ("not an address", "x", UiErrorKind::BadAddress, None),
        ("http://192.0.2.1:8080", "x", UiErrorKind::PlainHttp, None),
        ("http://127.0.0.1:9", "x", UiErrorKind::Offline, None),
        (&relay.url, "wrong", UiErrorKind::Refused, Some(ErrorCode::WrongCredentials)),
        (&relay.url, "", UiErrorKind::Refused, Some(ErrorCode::WrongCredentials)),
    ] {
        let error = seat.ask(form(server, password)).await.unwrap_err();
        assert_eq!((error.kind, error.code), (kind, code), "{server}");
        assert!(!seat.is_signed_in());
    }
    for request in [UiRequest::SignOut {}, UiRequest::CloseConversation {}] {
        let expected = matches!(request, UiRequest::SignOut {});
        assert_eq!(seat.ask(request).await.is_ok(), expected);
    }
    seat.ask(form(&relay.url, "correct horse")).await.unwrap();
    assert!(seat.is_signed_in(), "the state arrives before the reply");
}

#[tokio::test]
async fn a_remembered_sign_in_opens_without_network_and_connects_when_it_is_back() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "在吗?");
    let (data, keys, seat) = signed_in(&relay, Remember::AutoSignIn).await;
    seat.connected().await;
    until("the row is there", || seat.row(&id).is_some()).await;
    keeps(&keys, 1).await;
    seat.core.shutdown().await;
    drop(seat);

    relay.world().down = true;
    let seat = Seat::open(data.path(), Some(Arc::clone(&keys))).await;
    until("the workbench is open", || seat.is_signed_in()).await;
    assert_eq!(seat.row(&id).map(|row| row.unread), Some(1));
    assert_eq!(seat.open_chat(&id).await.messages.len(), 1);
    until("it says that it is offline", || {
        seat.view().connection == Some(ConnectionState::Offline)
    })
    .await;
    seat.send(&id, "written offline").await;
    relay.world().down = false;
    until("it was sent", || relay.texts(&id) == ["在吗?", "written offline"]).await;
}

#[tokio::test]
async fn an_expired_session_is_renewed_with_what_is_remembered_and_a_refused_password_ends_it() {
    let relay = Relay::start().await;
    let (data, keys, seat) = signed_in(&relay, Remember::AutoSignIn).await;
    seat.connected().await;
    relay.world().tokens.clear();
    relay.cut();
    until("signed in again", || relay.world().tokens.len() == 1).await;
    seat.connected().await;
    assert!(seat.is_signed_in());
    seat.core.shutdown().await;
    drop(seat);

    relay.world().tokens.clear();
    relay.world().password = "changed elsewhere".to_owned();
    let seat = Seat::open(data.path(), Some(Arc::clone(&keys))).await;
    until("signed out", || {
        matches!(
            seat.session(),
            Some(Session::SignedOut { notice: Some(SignedOutNotice::PasswordRefused), .. })
        )
    })
    .await;
    keeps(&keys, 0).await;
}

#[tokio::test]
async fn a_remembered_password_fills_the_form_but_does_not_sign_in_by_itself() {
    let relay = Relay::start().await;
    let (data, keys, seat) = signed_in(&relay, Remember::Password).await;
    keeps(&keys, 1).await;
    seat.core.shutdown().await;
    drop(seat);
    let files = std::fs::read_to_string(data.path().join("profile.json")).unwrap();
    assert!(!files.contains("correct horse"));

    let seat = Seat::open(data.path(), Some(keys)).await;
    let Some(Session::SignedOut { form, notice: None }) = seat.session() else {
        panic!("{:?}", seat.session())
    };
    assert_eq!((form.server.as_str(), form.account.as_str()), (relay.url.as_str(), "ana"));
    assert!(form.password_remembered && form.can_remember);
    seat.sign_in(&relay, "", Remember::Password).await.unwrap();
    seat.connected().await;
}

/// Whether the form offers a kept password.
fn offers(seat: &Seat) -> bool {
    let Some(Session::SignedOut { form, .. }) = seat.session() else { return false };
    form.password_remembered
}

#[tokio::test]
async fn a_remembered_password_is_given_up_at_once() {
    let relay = Relay::start().await;
    let (_data, keys, seat) = signed_in(&relay, Remember::AutoSignIn).await;
    seat.ask(UiRequest::SignOut {}).await.unwrap();
    until("the form offers it", || offers(&seat)).await;
    seat.ask(UiRequest::ForgetPassword {}).await.unwrap();
    until("it does no longer", || !offers(&seat)).await;
    keeps(&keys, 0).await;
    seat.ask(UiRequest::ForgetPassword {}).await.unwrap();
    let error = seat.sign_in(&relay, "", Remember::Nothing).await.unwrap_err();
    assert_eq!(error.code, Some(ErrorCode::WrongCredentials));
}

#[tokio::test]
async fn a_remembered_password_that_is_wrong_by_now_is_forgotten() {
    let relay = Relay::start().await;
    let (_data, keys, seat) = signed_in(&relay, Remember::Password).await;
    seat.ask(UiRequest::SignOut {}).await.unwrap();
    until("the form offers it", || offers(&seat)).await;
    let error = seat.sign_in(&relay, "mistyped", Remember::Password).await.unwrap_err();
    assert_eq!(error.code, Some(ErrorCode::WrongCredentials));
    assert!(offers(&seat), "a slip says nothing of what is kept");
    relay.world().password = "changed elsewhere".to_owned();
    let error = seat.sign_in(&relay, "", Remember::Password).await.unwrap_err();
    assert_eq!(error.code, Some(ErrorCode::WrongCredentials));
    until("it is offered no longer", || !offers(&seat)).await;
    keeps(&keys, 0).await;
}

#[tokio::test]
async fn only_the_password_of_the_account_in_the_form_is_kept() {
    let relay = Relay::start().await;
    let (_data, keys, seat) = signed_in(&relay, Remember::Password).await;
    keeps(&keys, 1).await;
    relay.world().own.account = "ben".to_owned();
    let form = UiRequest::SignIn {
        server: relay.url.clone(),
        account: "ben".to_owned(),
        password: "correct horse".to_owned(),
        remember: Remember::Password,
        allow_plain_http: false,
    };
    seat.ask(form).await.unwrap();
    until("one secret is kept, Ben's", || {
        let keys = keys.0.lock().unwrap();
        keys.len() == 1 && keys.keys().all(|key| key.ends_with(" ben"))
    })
    .await;
}

#[tokio::test]
async fn signing_out_ends_the_session_wipes_the_cache_and_stays_out() {
    let relay = Relay::start().await;
    relay.begin("c1", "hello");
    let (data, keys, seat) = signed_in(&relay, Remember::AutoSignIn).await;
    seat.connected().await;
    let account = std::fs::read_dir(data.path().join("accounts")).unwrap().next().unwrap();
    let account = account.unwrap().path();
    assert!(account.join("cache.db").exists());
    seat.ask(UiRequest::SignOut {}).await.unwrap();
    assert!(!account.join("cache.db").exists() && !account.join("cache.db-wal").exists());
    assert!(account.join("outbox.db").exists());
    until("the relay heard of it", || relay.world().tokens.is_empty()).await;
    let error = seat.ask(UiRequest::CloseConversation {}).await.unwrap_err();
    assert_eq!(error.kind, UiErrorKind::SignedOut);
    seat.core.shutdown().await;
    drop(seat);
    let seat = Seat::open(data.path(), Some(keys)).await;
    assert!(matches!(seat.session(), Some(Session::SignedOut { notice: None, .. })));
}

/// Broken once by asking the relay a single time: the session then lived on.
#[tokio::test]
async fn a_session_signed_out_of_without_network_is_ended_when_the_relay_is_back() {
    let relay = Relay::start().await;
    let data = tempfile::tempdir().unwrap();
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    relay.world().down = true;
    relay.cut();
    seat.ask(UiRequest::SignOut {}).await.unwrap();
    assert!(!seat.is_signed_in(), "nobody waits for the network");
    assert_eq!(relay.world().tokens, ["token-1"]);
    relay.world().down = false;
    seat.sign_in(&relay, "correct horse", Remember::Nothing).await.unwrap();
    until("the first session is ended", || relay.world().tokens == ["token-2"]).await;
    seat.connected().await;
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_enter_the_folders() {
    use std::os::unix::fs::PermissionsExt;
    let relay = Relay::start().await;
    let data = tempfile::tempdir().unwrap();
    let base = data.path().join("yingke");
    let _seat = Seat::signed_in(&base, &relay).await;
    let account = std::fs::read_dir(base.join("accounts")).unwrap().next().unwrap().unwrap();
    for folder in [base.clone(), base.join("accounts"), account.path()] {
        let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
    }
}

#[tokio::test]
async fn an_account_is_open_in_one_program_only() {
    let relay = Relay::start().await;
    let data = tempfile::tempdir().unwrap();
    let first = Seat::signed_in(data.path(), &relay).await;
    let second = Seat::open(data.path(), None).await;
    let error = second.sign_in(&relay, "correct horse", Remember::Nothing).await.unwrap_err();
    assert_eq!(error.kind, UiErrorKind::Storage);
    assert!(first.is_signed_in() && !second.is_signed_in());
}

#[tokio::test]
async fn password_availability_and_preferences_are_changed() {
    let relay = Relay::start().await;
    let data = tempfile::tempdir().unwrap();
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    let change = |old: &str| UiRequest::ChangePassword {
        old: old.to_owned(),
        new: "battery staple".to_owned(),
    };
    let error = seat.ask(change("wrong")).await.unwrap_err();
    assert_eq!(error.code, Some(ErrorCode::WrongCredentials));
    seat.ask(change("correct horse")).await.unwrap();
    assert_eq!(relay.world().password, "battery staple");

    let availability = Availability::Busy;
    seat.ask(UiRequest::SetAvailability { availability, hand_over: false }).await.unwrap();
    until("the card shows it", || {
        matches!(seat.session(), Some(Session::SignedIn { own, .. }) if own.availability == availability)
    })
    .await;
    relay.world().down = true;
    relay.cut();
    until("offline", || seat.view().connection != Some(ConnectionState::Connected)).await;
    let error =
        seat.ask(UiRequest::SetAvailability { availability, hand_over: false }).await.unwrap_err();
    assert_eq!(error.kind, UiErrorKind::Offline);

    let preferences = Preferences { theme: Theme::Dark, ..Preferences::default() };
    seat.ask(UiRequest::SetPreferences { preferences: preferences.clone() }).await.unwrap();
    seat.kill();
    let seat = Seat::open(data.path(), None).await;
    let reply = seat.ask(UiRequest::GetState {}).await;
    let Ok(UiReply::State(state)) = reply else { panic!("no state") };
    assert_eq!(state.preferences, preferences);
}

#[tokio::test]
async fn who_signs_in_over_an_open_session_leaves_none_behind() {
    let relay = Relay::start().await;
    let data = tempfile::tempdir().unwrap();
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    seat.sign_in(&relay, "correct horse", Remember::Nothing).await.unwrap();
    until("the former session is over", || relay.world().tokens == ["token-2"]).await;
    assert!(seat.is_signed_in());
}

#[tokio::test]
async fn a_start_says_nothing_of_what_left_the_inbox() {
    let relay = Relay::start().await;
    let (past, held) = (relay.begin("c1", "one"), relay.begin("c2", "one"));
    let (data, keys, seat) = signed_in(&relay, Remember::AutoSignIn).await;
    seat.connected().await;
    keeps(&keys, 1).await;
    let viewed = |seq| UiRequest::Viewed { conversation_id: past.clone(), seq };
    seat.ask(viewed(crate::relay::seq(1))).await.unwrap();
    let said_of = |id: &ConversationId| {
        let world = relay.world();
        world.marks.iter().filter(|mark| mark.conversation_id == *id && mark.read.get() > 0).count()
    };
    until("the mark arrived", || said_of(&past) == 1).await;
    let conversation_id = past.clone();
    relay.world().announce(StaffEventBody::ConversationWithdrawn { conversation_id });
    until("it left the inbox", || seat.row(&past).is_none()).await;
    seat.core.shutdown().await;
    drop(seat);
    let seat = Seat::open(data.path(), Some(keys)).await;
    seat.connected().await;
    let viewed = UiRequest::Viewed { conversation_id: held.clone(), seq: crate::relay::seq(1) };
    seat.ask(viewed).await.unwrap();
    until("a later mark arrived", || said_of(&held) == 1).await;
    assert_eq!(said_of(&past), 1, "nothing more was said of it");
}
