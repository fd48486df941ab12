//! Pure rules of accounts, passwords and sessions.

use sha2::{Digest, Sha256};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::limits::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use yingke_shared::time::Timestamp;
use yingke_shared::views::Role;

/// A session nobody uses ends after this long: a month of holidays survives, a lost laptop does not
/// stay signed in for ever.
pub const SESSION_MS: u64 = 30 * DAY_MS;
/// A session in use is prolonged at most once in this long, so that reading costs no writes.
const PROLONG_AFTER_MS: u64 = DAY_MS;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The account without regard to case or surrounding white space: what must be unique.
#[must_use]
pub fn account_key(account: &str) -> String {
    account.trim().to_lowercase()
}

/// May this be the password of that account? Long beats complex: no character classes are asked.
pub fn may_be_password(account: &str, password: &str) -> Result<(), ErrorCode> {
    let chars = password.chars().count();
    let fits = (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&chars);
    let is_account = account_key(password) == account_key(account);
    if fits && !is_account && !password.trim().is_empty() {
        Ok(())
    } else {
        Err(ErrorCode::WeakPassword)
    }
}

/// The stored word of a role.
#[must_use]
pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Agent => "agent",
        Role::Manager => "manager",
        Role::Admin => "admin",
    }
}

/// The role of a stored word.
#[must_use]
pub fn role_of_word(word: &str) -> Option<Role> {
    [Role::Agent, Role::Manager, Role::Admin].into_iter().find(|role| role_word(*role) == word)
}

/// When a session used or begun now ends.
#[must_use]
pub fn session_ends(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.millis().saturating_add(SESSION_MS)).unwrap_or(now)
}

/// Whether a session is over.
#[must_use]
pub fn is_expired(expires_at: Timestamp, now: Timestamp) -> bool {
    expires_at <= now
}

/// Whether a session in use should be prolonged: once a day, not at each look. It is never made
/// shorter: a machine that starts with a dead clock would sign everybody out once the clock is right.
#[must_use]
pub fn should_prolong(expires_at: Timestamp, now: Timestamp) -> bool {
    expires_at.millis().saturating_add(PROLONG_AFTER_MS) < session_ends(now).millis()
}
