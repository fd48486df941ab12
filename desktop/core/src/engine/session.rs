//! Who is signed in: by hand, by itself at the start, again when the relay ended a remembered
//! session, and out. Secrets go to the host's key store and nowhere else.
//!
//! A remembered sign-in opens the account's files first and shows what they hold; the relay is asked
//! meanwhile. So the workbench is usable without network, and a refused password closes it again.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::rest::{SignIn, SignedIn};

use super::account::Account;
use super::{Effect, Engine, RequestId, Step};
use crate::address::{AddressError, ServerAddress};
use crate::bridge::types::{
    Remember, Session as ShownSession, SignInForm, SignedOutNotice, UiError, UiErrorKind, UiPush,
    UiReply,
};
use crate::connection::Input;
use crate::limits::{BACKOFF_MS_MAX, BACKOFF_MS_MIN};
use crate::profile::Profile;
use crate::store::account_folder;

/// What is under way and what is remembered.
#[derive(Default)]
pub(super) struct Session {
    /// Why the last session ended by itself.
    notice: Option<SignedOutNotice>,
    /// A person's sign-in that is not finished.
    attempt: Option<Attempt>,
    /// The start reads the key store.
    starting: Option<u64>,
    /// Signing in by itself.
    auto: Option<Auto>,
    /// Sign-outs whose files are being closed.
    leaving: BTreeMap<u64, Option<RequestId>>,
    /// A password change that was not answered.
    pub(super) password: Option<PasswordChange>,
}

/// See [`Session::password`].
pub(super) struct PasswordChange {
    pub(super) call: u64,
    pub(super) request_id: RequestId,
    pub(super) new: String,
}

struct Attempt {
    call: u64,
    request_id: RequestId,
    server: ServerAddress,
    form: SignIn,
    remember: Remember,
    allow_plain_http: bool,
    /// The password was not typed but kept.
    is_offer: bool,
    /// The relay's answer; the files are being opened.
    signed_in: Option<SignedIn>,
}

/// Signing in by itself with a remembered password.
struct Auto {
    password: String,
    /// The request on its way.
    call: Option<u64>,
    /// When to ask again.
    next_at: Option<u64>,
    /// Tried since the link was last live: a relay that refuses what its own sign-in gave is not
    /// asked in a loop.
    tried: bool,
}

/// What the key store holds for an account.
#[derive(Serialize, Deserialize)]
struct KeptSecret {
    password: String,
    token: Option<String>,
}

impl fmt::Debug for KeptSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptSecret")
    }
}

impl Session {
    pub(super) fn deadline(&self) -> Option<u64> {
        self.auto.as_ref().and_then(|auto| auto.next_at)
    }
}

fn secret_key(server: &ServerAddress, account: &str) -> String {
    format!("{} {}", server.as_text(), account.trim().to_lowercase())
}

impl Engine {
    /// Under which the key store holds what the form offers.
    fn kept_key(&self) -> Option<String> {
        let Profile { server, account, remember, allow_plain_http, .. } = &self.profile;
        let server = ServerAddress::parse(server, *allow_plain_http).ok()?;
        (*remember != Remember::Nothing).then(|| secret_key(&server, account))
    }

    /// The password the form offers is kept no longer. Who is signed in stays it.
    pub(super) fn forget_password(&mut self, step: &mut Step<'_>, request_id: RequestId) {
        self.forget(step);
        self.push_state(step);
        step.done(request_id);
    }

    fn forget(&mut self, step: &mut Step<'_>) {
        if let Some(key) = self.kept_key() {
            step.act(Effect::DeleteSecret { key });
            self.remember(step, Remember::Nothing);
        }
    }

    pub(super) fn started(&mut self, step: &mut Step<'_>) {
        let server = ServerAddress::parse(&self.profile.server, self.profile.allow_plain_http);
        let wanted = self.profile.remember == Remember::AutoSignIn
            && self.profile.agent_id.is_some()
            && self.host.secrets().is_some();
        if let (true, Ok(server)) = (wanted, server) {
            let call = self.next_serial();
            self.session.starting = Some(call);
            let key = secret_key(&server, &self.profile.account);
            step.act(Effect::ReadSecret { call, key });
        }
        self.push_state(step);
    }

    pub(super) fn secret_read(&mut self, step: &mut Step<'_>, call: u64, value: Option<&str>) {
        let kept: Option<KeptSecret> = value.and_then(|text| serde_json::from_str(text).ok());
        if self.session.starting == Some(call) {
            self.session.starting = None;
            self.start_with(step, kept);
            return;
        }
        if self.session.attempt.as_ref().is_some_and(|attempt| attempt.call == call) {
            let Some(kept) = kept else {
                let error = UiError::refused(ErrorCode::WrongCredentials);
                self.offer_refused(step, &error);
                return self.attempt_failed(step, error);
            };
            if let Some(attempt) = &mut self.session.attempt {
                attempt.form.password = kept.password;
            }
            self.ask(step);
        }
    }

    fn start_with(&mut self, step: &mut Step<'_>, kept: Option<KeptSecret>) {
        let server = ServerAddress::parse(&self.profile.server, self.profile.allow_plain_http);
        let (Some(kept), Ok(server), Some(own)) = (kept, server, self.profile.agent_id.clone())
        else {
            return self.push_state(step);
        };
        self.session.auto =
            Some(Auto { password: kept.password, call: None, next_at: None, tried: false });
        let folder = account_folder(self.host.data_dir(), &server, &own);
        let account = self.next_serial();
        self.account = Some(Account::new(account, server, kept.token));
        step.act(Effect::OpenAccount { account, folder, wall_ms: step.wall });
        self.push_state(step);
    }

    pub(super) fn sign_in(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        server: &str,
        form: SignIn,
        remember: Remember,
        allow_plain_http: bool,
    ) {
        let server = match ServerAddress::parse(server, allow_plain_http) {
            Ok(server) => server,
            Err(AddressError::Malformed) => return step.fail(request_id, UiErrorKind::BadAddress),
            Err(AddressError::PlainHttp) => return step.fail(request_id, UiErrorKind::PlainHttp),
        };
        if let Some(former) = self.session.attempt.take() {
            step.fail(former.request_id, UiErrorKind::SignedOut);
        }
        self.session.starting = None;
        if self.account.is_some() {
            self.end_at_relay(step);
            self.leave(step, true, None, None);
        }
        let call = self.next_serial();
        let needs_secret = form.password.is_empty();
        let key = secret_key(&server, &form.account);
        let remember = if self.host.secrets().is_some() { remember } else { Remember::Nothing };
        self.session.attempt = Some(Attempt {
            call,
            request_id,
            server,
            form,
            remember,
            allow_plain_http,
            is_offer: needs_secret,
            signed_in: None,
        });
        if needs_secret {
            step.act(Effect::ReadSecret { call, key });
        } else {
            self.ask(step);
        }
    }

    fn ask(&mut self, step: &mut Step<'_>) {
        if let Some(attempt) = &self.session.attempt {
            let (server, form) = (attempt.server.clone(), attempt.form.clone());
            step.act(Effect::SignIn { call: attempt.call, server, form });
        }
    }

    fn attempt_failed(&mut self, step: &mut Step<'_>, error: UiError) {
        if let Some(attempt) = self.session.attempt.take() {
            step.reply(attempt.request_id, Err(error));
        }
    }

    pub(super) fn sign_in_answered(
        &mut self,
        step: &mut Step<'_>,
        call: u64,
        result: Result<SignedIn, UiError>,
    ) {
        if self.session.attempt.as_ref().is_some_and(|attempt| attempt.call == call) {
            match result {
                Ok(signed_in) => self.open_for_attempt(step, signed_in),
                Err(error) => {
                    self.offer_refused(step, &error);
                    self.attempt_failed(step, error);
                }
            }
        } else if self.session.auto.as_ref().is_some_and(|auto| auto.call == Some(call)) {
            self.auto_answered(step, result);
        }
    }

    /// A kept password that the relay does not take any more is of no use to anyone.
    fn offer_refused(&mut self, step: &mut Step<'_>, error: &UiError) {
        let Some(attempt) = &self.session.attempt else { return };
        let key = secret_key(&attempt.server, &attempt.form.account);
        let is_wrong = error.code == Some(ErrorCode::WrongCredentials);
        if attempt.is_offer && is_wrong && self.kept_key() == Some(key) {
            self.forget(step);
            self.push_state(step);
        }
    }

    fn open_for_attempt(&mut self, step: &mut Step<'_>, signed_in: SignedIn) {
        let account = self.next_serial();
        let Some(attempt) = &mut self.session.attempt else { return };
        let folder = account_folder(self.host.data_dir(), &attempt.server, &signed_in.own.id);
        let token = Some(signed_in.token.clone());
        self.account = Some(Account::new(account, attempt.server.clone(), token));
        attempt.signed_in = Some(signed_in);
        step.act(Effect::OpenAccount { account, folder, wall_ms: step.wall });
    }

    /// Both files are open: the session begins.
    pub(super) fn account_opened(&mut self, step: &mut Step<'_>) {
        let kept = self.kept_key();
        let Some(account) = &mut self.account else { return };
        if let Some(Attempt { request_id, form, remember, allow_plain_http, signed_in, .. }) =
            self.session.attempt.take()
            && let Some(signed_in) = signed_in
        {
            let key = secret_key(&account.server, &form.account);
            // The form shows one account: what is kept of another could not be given up any more.
            if let Some(key) = kept.filter(|kept| *kept != key) {
                step.act(Effect::DeleteSecret { key });
            }
            self.profile.server = account.server.as_text();
            form.account.trim().clone_into(&mut self.profile.account);
            self.profile.agent_id = Some(signed_in.own.id.clone());
            self.profile.remember = remember;
            self.profile.allow_plain_http = allow_plain_http;
            let profile = Box::new(self.profile.clone());
            step.act(Effect::SaveProfile { request_id: None, profile });
            account.replica.set_own(signed_in.own);
            self.session.auto = None;
            match remember {
                Remember::Nothing => {
                    if self.host.secrets().is_some() {
                        step.act(Effect::DeleteSecret { key });
                    }
                }
                Remember::Password => keep(step, key, form.password, None),
                Remember::AutoSignIn => {
                    keep(step, key, form.password.clone(), Some(signed_in.token));
                    self.session.auto = Some(Auto {
                        password: form.password,
                        call: None,
                        next_at: None,
                        tried: false,
                    });
                }
            }
            step.done(request_id);
        }
        self.session.notice = None;
        if account.token.is_some() {
            account.link(step, Input::Start);
        } else {
            self.sign_in_again(step);
        }
        self.push_state(step);
    }

    /// Asks for a new session with the remembered password.
    fn sign_in_again(&mut self, step: &mut Step<'_>) {
        let call = self.next_serial();
        let (Some(account), Some(auto)) = (&mut self.account, &mut self.session.auto) else {
            return;
        };
        auto.call = Some(call);
        auto.next_at = None;
        auto.tried = true;
        account.shown.token_awaited.get_or_insert(0);
        let form =
            SignIn { account: self.profile.account.clone(), password: auto.password.clone() };
        step.act(Effect::SignIn { call, server: account.server.clone(), form });
    }

    fn auto_answered(&mut self, step: &mut Step<'_>, result: Result<SignedIn, UiError>) {
        let (Some(account), Some(auto)) = (&mut self.account, &mut self.session.auto) else {
            return;
        };
        auto.call = None;
        match result {
            Ok(signed_in) if Some(&signed_in.own.id) == self.profile.agent_id.as_ref() => {
                let key = secret_key(&account.server, &self.profile.account);
                if self.profile.remember == Remember::AutoSignIn {
                    keep(step, key, auto.password.clone(), Some(signed_in.token.clone()));
                }
                account.token = Some(signed_in.token);
                account.shown.token_awaited = None;
                account.replica.set_own(signed_in.own);
                account.link(step, Input::Start);
                account.shown.state_dirty();
            }
            // The account's name belongs to someone else now: nothing of the former is theirs.
            Ok(_) => self.leave(step, true, Some(SignedOutNotice::EndedByRelay), None),
            Err(error) if error.kind == UiErrorKind::Incompatible => {
                self.leave(step, false, Some(SignedOutNotice::Incompatible), None);
            }
            Err(error) if error.can_retry() => {
                let failures = account.shown.token_awaited.unwrap_or(0);
                let wait = (BACKOFF_MS_MIN << failures.min(16)).min(BACKOFF_MS_MAX);
                let wait = wait.max(u64::from(error.retry_after_ms.unwrap_or(0)));
                auto.next_at = Some(step.now + wait);
                account.shown.token_awaited = Some(failures.saturating_add(1));
            }
            Err(_) => {
                self.forget(step);
                self.leave(step, true, Some(SignedOutNotice::PasswordRefused), None);
            }
        }
    }

    pub(super) fn session_tick(&mut self, step: &mut Step<'_>) {
        let due = self.session.deadline().is_some_and(|at| at <= step.now);
        if due {
            self.sign_in_again(step);
        }
    }

    /// The relay ended the session: again with what is remembered, or out.
    pub(super) fn end_if_over(&mut self, step: &mut Step<'_>) {
        let Some(account) = &mut self.account else { return };
        if account.connection.is_live()
            && let Some(auto) = &mut self.session.auto
        {
            auto.tried = false;
        }
        let Some(notice) = account.over.take() else { return };
        let may_try = self.session.auto.as_ref().is_some_and(|auto| !auto.tried);
        if notice == SignedOutNotice::EndedByRelay && may_try {
            account.token = None;
            self.sign_in_again(step);
        } else {
            // What an account may no longer see must not stay on this computer; another version of
            // the relay is no reason to drop anything.
            self.leave(step, notice != SignedOutNotice::Incompatible, Some(notice), None);
        }
    }

    pub(super) fn sign_out(&mut self, step: &mut Step<'_>, request_id: RequestId) {
        self.session.starting = None;
        self.session.notice = None;
        if let Some(attempt) = self.session.attempt.take() {
            step.fail(attempt.request_id, UiErrorKind::SignedOut);
        }
        self.end_at_relay(step);
        let Some(account) = &self.account else {
            self.push_state(step);
            return step.done(request_id);
        };
        if self.profile.remember == Remember::AutoSignIn {
            // Who signs out does not want to be signed in by the next start.
            let key = secret_key(&account.server, &self.profile.account);
            if let Some(auto) = &self.session.auto {
                keep(step, key, auto.password.clone(), None);
            }
            self.remember(step, Remember::Password);
        }
        self.leave(step, true, None, Some(request_id));
    }

    /// The relay is told that nobody works in the open session any more.
    fn end_at_relay(&mut self, step: &mut Step<'_>) {
        if let Some(account) = &mut self.account
            && let Some(token) = account.token.take()
        {
            step.act(Effect::SignOut { server: account.server.clone(), token });
        }
    }

    fn remember(&mut self, step: &mut Step<'_>, remember: Remember) {
        self.profile.remember = remember;
        let profile = Box::new(self.profile.clone());
        step.act(Effect::SaveProfile { request_id: None, profile });
    }

    /// Closes the account; `reply_to` hears when its files are closed.
    pub(super) fn leave(
        &mut self,
        step: &mut Step<'_>,
        wipe: bool,
        notice: Option<SignedOutNotice>,
        reply_to: Option<RequestId>,
    ) {
        self.session.auto = None;
        self.session.notice = notice;
        if let Some(change) = self.session.password.take() {
            step.fail(change.request_id, UiErrorKind::SignedOut);
        }
        if let Some(mut account) = self.account.take() {
            account.link(step, Input::Stop);
            account.abandon(step);
            account.unattended(step);
            if wipe {
                step.act(Effect::Cache(crate::store::thread::CacheJob::Wipe));
            }
            step.act(Effect::CloseAccount { account: account.serial });
            self.session.leaving.insert(account.serial, reply_to);
        }
        self.push_state(step);
    }

    pub(super) fn account_closed(&mut self, step: &mut Step<'_>, account: u64) {
        if let Some(Some(request_id)) = self.session.leaving.remove(&account) {
            step.done(request_id);
        }
    }

    /// The account's files cannot be used.
    pub(super) fn account_refused(&mut self, step: &mut Step<'_>) {
        let attempt = self.session.attempt.take();
        self.leave(step, false, None, None);
        if let Some(attempt) = attempt {
            step.fail(attempt.request_id, UiErrorKind::Storage);
        }
    }

    pub(super) fn password_answered(
        &mut self,
        step: &mut Step<'_>,
        call: u64,
        result: Result<(), UiError>,
    ) {
        let Some(change) = self.session.password.take_if(|change| change.call == call) else {
            return;
        };
        if result.is_ok()
            && let Some(account) = &self.account
            && self.profile.remember != Remember::Nothing
        {
            let key = secret_key(&account.server, &self.profile.account);
            let auto = self.profile.remember == Remember::AutoSignIn;
            let token = account.token.clone().filter(|_| auto);
            keep(step, key, change.new.clone(), token);
            if let Some(auto) = &mut self.session.auto {
                auto.password = change.new;
            }
        }
        step.reply(change.request_id, result.map(|()| UiReply::Done {}));
    }

    pub(super) fn profile_saved(
        &mut self,
        step: &mut Step<'_>,
        request_id: Option<RequestId>,
        saved: bool,
    ) {
        match request_id {
            Some(request_id) if saved => step.done(request_id),
            Some(request_id) => step.fail(request_id, UiErrorKind::Storage),
            None => {}
        }
    }

    /// Who is signed in, as shown.
    pub(super) fn shown_session(&self) -> ShownSession {
        let account = self.account.as_ref().filter(|account| account.is_open());
        if let Some(account) = account
            && let Some(own) = account.replica.own()
            && self.session.attempt.is_none()
        {
            return ShownSession::SignedIn { server: account.server.as_text(), own: own.clone() };
        }
        if self.session.starting.is_some() || self.session.auto.is_some() {
            return ShownSession::SigningIn { form: self.form() };
        }
        ShownSession::SignedOut { form: self.form(), notice: self.session.notice }
    }

    fn form(&self) -> SignInForm {
        let can_remember = self.host.secrets().is_some();
        SignInForm {
            server: self.profile.server.clone(),
            account: self.profile.account.clone(),
            password_remembered: can_remember && self.profile.remember != Remember::Nothing,
            can_remember,
        }
    }

    pub(super) fn push_state(&mut self, step: &mut Step<'_>) {
        let state = self.state(step);
        step.push(UiPush::State(state));
    }
}

fn keep(step: &mut Step<'_>, key: String, password: String, token: Option<String>) {
    // Two plain strings: this cannot fail.
    if let Ok(value) = serde_json::to_string(&KeptSecret { password, token }) {
        step.act(Effect::WriteSecret { key, value });
    }
}
