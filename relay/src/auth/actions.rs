//! The verbs: sign in and out, change a password, look at a token.

use std::net::IpAddr;

use yingke_shared::error_code::ErrorCode;
use yingke_shared::rest::{ChangePassword, SignIn};
use yingke_shared::time::Timestamp;

use super::rules::{account_key, is_expired, may_be_password, session_ends, should_prolong};
use super::{PasswordHasher, StaffIdentity, TokenHash, VisitorIdentity, store};
use crate::app::App;
use crate::error::RelayError;
use crate::limits::SESSIONS_PER_ACCOUNT_MAX;
use crate::policy::{self, Deed};
use crate::store::{Abort, Store};
use crate::visitors;

/// An account name longer than any that exists is not worth a key of its own in memory.
const KEY_CHARS: usize = 80;

/// Signs in: gives the session's token and who it stands for. What was wrong is not said, and takes as long for an account that does not exist.
pub async fn sign_in(
    app: &App,
    address: IpAddr,
    request: SignIn,
) -> Result<(String, StaffIdentity), RelayError> {
    let now = app.world.now();
    let key = account_key(&request.account).chars().take(KEY_CHARS).collect::<String>();
    let too_fast = |wait| RelayError::later(ErrorCode::TooFast, wait);
    app.auth.sign_ins.take(&address, now).map_err(too_fast)?;
    // Counted before the work, so that many tries at once cannot all pass the check.
    let tries = (key.clone(), address);
    app.auth.wrong_passwords.take(&tries, now).map_err(too_fast)?;

    let found =
        app.store.read("credentials", move |tx| store::credentials_of_account(tx, &key)).await?;
    let hash = found.as_ref().map(|found| found.password_hash.clone());
    let fits = app.auth.passwords.verify(request.password, hash).await?;
    let Some(found) = found.filter(|found| fits && !found.disabled) else {
        tracing::info!("a sign-in was refused");
        return Err(ErrorCode::WrongCredentials.into());
    };
    app.auth.wrong_passwords.forget(&tries);

    let token = app.world.new_secret();
    let session = TokenHash::of(&token);
    let stored = session.clone();
    // A device that is at work is not signed out because another one signs in again and again.
    let mut in_use = app.hub.sessions_in_use(&found.agent_id);
    in_use.insert(session.clone());
    let (agent_id, role, crowded_out) = app
        .store
        .write("sign in", move |tx| {
            // The account as it is now: disabled or given another password meanwhile counts.
            let current = store::credentials_of(tx, &found.agent_id)?
                .filter(|now| !now.disabled && now.password_hash == found.password_hash)
                .ok_or(Abort::Refused(ErrorCode::WrongCredentials))?;
            store::insert_session(tx, &stored, &current.agent_id, now, session_ends(now))?;
            let (id, kept) = (&current.agent_id, SESSIONS_PER_ACCOUNT_MAX);
            let crowded_out = store::tidy_sessions(tx, id, now, kept, &in_use)?;
            Ok::<_, Abort<ErrorCode>>((current.agent_id, current.role, crowded_out))
        })
        .await?;
    for session in crowded_out {
        app.hub.end_session(&session);
    }
    app.auth.guesses.is_right(&session, now);
    tracing::info!(agent.id = %agent_id, "signed in");
    Ok((token, StaffIdentity { agent_id, role, session }))
}

/// Ends this session, its sockets too.
pub async fn sign_out(app: &App, who: &StaffIdentity) -> Result<(), RelayError> {
    policy::may(who.role, Deed::OwnAccount)?;
    let session = who.session.clone();
    app.store
        .write("sign out", move |tx| Ok::<_, Abort<ErrorCode>>(store::end_session(tx, &session)?))
        .await?;
    app.hub.end_session(&who.session);
    tracing::info!(agent.id = %who.agent_id, "signed out");
    Ok(())
}

/// Changes one's own password and ends every other session of the account.
pub async fn change_password(
    app: &App,
    who: &StaffIdentity,
    address: IpAddr,
    request: ChangePassword,
) -> Result<(), RelayError> {
    policy::may(who.role, Deed::OwnAccount)?;
    let now = app.world.now();
    let tries = (who.agent_id.as_str().to_owned(), address);
    app.auth
        .wrong_passwords
        .take(&tries, now)
        .map_err(|wait| RelayError::later(ErrorCode::TooFast, wait))?;
    let id = who.agent_id.clone();
    let found = app
        .store
        .read("credentials", move |tx| store::credentials_of(tx, &id))
        .await?
        .ok_or(ErrorCode::Unauthenticated)?;
    let old_hash = found.password_hash;
    if !app.auth.passwords.verify(request.old, Some(old_hash.clone())).await? {
        return Err(ErrorCode::WrongCredentials.into());
    }
    app.auth.wrong_passwords.forget(&tries);
    may_be_password(&found.account, &request.new)?;
    let new_hash = app.auth.passwords.hash(request.new).await?;

    let (id, session) = (who.agent_id.clone(), who.session.clone());
    let ended = app
        .store
        .write("change password", move |tx| {
            if !store::replace_password(tx, &id, &old_hash, &new_hash)? {
                return Err(Abort::Refused(ErrorCode::WrongCredentials));
            }
            Ok(store::end_sessions(tx, &id, Some(&session))?)
        })
        .await?;
    for session in ended {
        app.hub.end_session(&session);
    }
    tracing::info!(agent.id = %who.agent_id, "password changed");
    Ok(())
}

/// The command line's way back in: a new password for an account, all its sessions ended.
pub async fn reset_password(
    store: &Store,
    passwords: &PasswordHasher,
    account: &str,
    password: String,
) -> Result<(), RelayError> {
    may_be_password(account, &password)?;
    let new_hash = passwords.hash(password).await?;
    let key = account_key(account);
    store
        .write("reset password", move |tx| {
            let found = store::credentials_of_account(tx, &key)?
                .ok_or(Abort::Refused(ErrorCode::NotFound))?;
            store::replace_password(tx, &found.agent_id, &found.password_hash, &new_hash)?;
            store::end_sessions(tx, &found.agent_id, None)?;
            Ok(())
        })
        .await?;
    Ok(())
}

/// Who holds this session token, with the rights of this moment. Prolongs the session once a day.
pub async fn staff_of_token(app: &App, token: &str) -> Result<StaffIdentity, RelayError> {
    let session = TokenHash::of(token);
    let now = app.world.now();
    let looked_up = session.clone();
    let found = app
        .store
        .read("staff session", move |tx| store::session(tx, &looked_up))
        .await?
        .filter(|found| !found.disabled && !is_expired(found.expires_at, now))
        .ok_or(ErrorCode::Unauthenticated)?;
    app.auth.guesses.is_right(&session, now);
    if should_prolong(found.expires_at, now) {
        prolong(app, session.clone(), session_ends(now)).await;
    }
    Ok(StaffIdentity { agent_id: found.agent_id, role: found.role, session })
}

/// Reading must not depend on being able to write: when this fails, the session is as long as it
/// was, and the next use of it tries again.
async fn prolong(app: &App, session: TokenHash, until: Timestamp) {
    let prolonged = app.store.write("prolong session", move |tx| {
        Ok::<_, Abort<ErrorCode>>(store::prolong_session(tx, &session, until)?)
    });
    if let Err(error) = prolonged.await {
        tracing::warn!(%error, "a session could not be prolonged");
    }
}

/// Which visitor holds this token. Also while the site's online service is off (A04): then no
/// conversation begins, which [`crate::conversations`] sees to, but what was said can be read.
pub async fn visitor_of_token(app: &App, token: &str) -> Result<VisitorIdentity, RelayError> {
    let token = TokenHash::of(token);
    let looked_up = token.clone();
    let found =
        app.store.read("visitor token", move |tx| store::visitor_of_token(tx, &looked_up)).await?;
    let store::Bearer { visitor_id, site_id, seen_at } = found.ok_or(ErrorCode::Unauthenticated)?;
    let now = app.world.now();
    app.auth.guesses.is_right(&token, now);
    if seen_at.is_some_and(|seen_at| visitors::should_note_seen(seen_at, now)) {
        visitors::was_seen(app, &visitor_id, now);
    }
    Ok(VisitorIdentity { visitor_id, site_id })
}

/// [`staff_of_token`] for a request over HTTP: wrong tokens of one address have a rate. (Hellos have
/// theirs, right or wrong.)
pub async fn staff_of_request(
    app: &App,
    address: IpAddr,
    token: &str,
) -> Result<StaffIdentity, RelayError> {
    judged(app, address, token, staff_of_token(app, token)).await
}

/// [`visitor_of_token`] for a request over HTTP, likewise.
pub async fn visitor_of_request(
    app: &App,
    address: IpAddr,
    token: &str,
) -> Result<VisitorIdentity, RelayError> {
    judged(app, address, token, visitor_of_token(app, token)).await
}

async fn judged<T>(
    app: &App,
    address: IpAddr,
    token: &str,
    look: impl Future<Output = Result<T, RelayError>>,
) -> Result<T, RelayError> {
    let guesses = &app.auth.guesses;
    let guess = guesses
        .begin(address, TokenHash::of(token), app.world.now())
        .map_err(|wait| RelayError::later(ErrorCode::TooFast, wait))?;
    let found = look.await;
    let was_right = match &found {
        Ok(_) => Some(true),
        Err(error) if error.code() == ErrorCode::Unauthenticated => Some(false),
        // Nobody's fault: it could not be looked up.
        Err(_) => None,
    };
    guesses.end(&guess, was_right, app.world.now());
    found
}
