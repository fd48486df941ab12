//! Who is asking: sign-in, sessions, passwords, tokens.
//!
//! Owns `staff_sessions` and, of the `agents` table, the columns a sign-in needs (`account_key`,
//! `password_hash`); every other column belongs to the agents room. Tokens and passwords are stored
//! as hashes only and never logged. It says *who*; what they may is [`crate::policy`]'s.

pub mod actions;
mod guesses;
pub mod password;
pub mod routes;
pub mod rules;
pub(crate) mod store;
mod throttle;

#[cfg(test)]
mod tests;

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{AgentId, SiteId, VisitorId};
use yingke_shared::views::Role;

use crate::limits::{SIGN_INS_PER_ADDRESS, WRONG_PASSWORDS};
use crate::store::{ReadTx, StoreError};

pub(crate) use guesses::Guesses;
pub use password::PasswordHasher;
pub use throttle::{Throttle, ThrottleRule};

/// A signed-in member of staff, as true when the token was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffIdentity {
    /// Who.
    pub agent_id: AgentId,
    /// What the account may do.
    pub role: Role,
    /// The session: SHA-256 of its token. Ends with `Hub::end_session`.
    pub session: TokenHash,
}

/// A visitor who showed a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorIdentity {
    /// Who.
    pub visitor_id: VisitorId,
    /// Of which site.
    pub site_id: SiteId,
}

impl StaffIdentity {
    /// Whether all of it is still so. Asked once a session can be cut by the hub: what changed before
    /// that would otherwise go unnoticed until the next connection.
    pub fn recheck(&self, tx: &ReadTx<'_>) -> Result<Result<(), ErrorCode>, StoreError> {
        Ok(match store::session(tx, &self.session)? {
            Some(now) if now.disabled => Err(ErrorCode::Unauthenticated),
            Some(now) if now.role != self.role => Err(ErrorCode::Unavailable),
            Some(_) => Ok(()),
            None => Err(ErrorCode::Unauthenticated),
        })
    }
}

/// SHA-256 of a token, in hexadecimal: what is stored and compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(Box<str>);

impl TokenHash {
    /// Of this token. Tokens carry 256 random bits, so a plain hash is enough.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(crate::auth::rules::sha256_hex(token.as_bytes()).into())
    }

    /// From storage.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// As text, for storage and for the hub.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl crate::store::ToValue for TokenHash {
    fn to_value(&self) -> crate::store::Value<'_> {
        crate::store::Value::Text(&self.0)
    }
}

/// What the room keeps in memory; built once at start.
pub struct Auth {
    /// Hashes passwords off the async threads, a few at a time.
    pub passwords: PasswordHasher,
    /// Wrong passwords per account and address.
    pub(crate) wrong_passwords: Throttle<(String, std::net::IpAddr)>,
    /// Sign-ins per address, whatever the account.
    pub(crate) sign_ins: Throttle<std::net::IpAddr>,
    /// Wrong tokens per address, and tokens known to be right.
    pub(crate) guesses: Guesses,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            passwords: PasswordHasher::default(),
            wrong_passwords: Throttle::new(WRONG_PASSWORDS),
            sign_ins: Throttle::new(SIGN_INS_PER_ADDRESS),
            guesses: Guesses::default(),
        }
    }
}
