//! Tokens that come with HTTP requests, held against those that turn out wrong.
//!
//! Nobody guesses a token of 256 random bits; but each one has to be looked up, in the lane in which
//! everybody reads. So an address may be wrong so often, and then waits. Behind one address there may be
//! a whole office: a token that was right a short while ago, on a socket, over HTTP or when it was given
//! out, is looked up whatever else comes from there. Only the lookup says who somebody is.

use std::net::IpAddr;

use parking_lot::Mutex;
use yingke_shared::time::Timestamp;

use super::{Throttle, TokenHash};
use crate::kept::Kept;
use crate::limits::{RIGHT_TOKEN_KNOWN_MS, RIGHT_TOKENS_KNOWN_MAX, WRONG_TOKENS};

/// What is remembered of tokens.
pub(crate) struct Guesses {
    /// Wrong ones of each address.
    wrong: Throttle<IpAddr>,
    /// Right ones, by the first bits of their hash: two that share them gain nothing but a lookup.
    right: Mutex<Kept<u64, ()>>,
}

/// A token that may be looked up.
pub(crate) struct Guess {
    address: IpAddr,
    token: TokenHash,
    is_counted: bool,
}

impl Default for Guesses {
    fn default() -> Self {
        let right = Mutex::new(Kept::new(RIGHT_TOKENS_KNOWN_MAX));
        Self { wrong: Throttle::new(WRONG_TOKENS), right }
    }
}

impl Guesses {
    /// Lets a token be looked up, or says after how many milliseconds. One that is not known to be right
    /// counts as wrong until [`Guesses::end`]: many at once cannot all pass.
    pub(crate) fn begin(
        &self,
        address: IpAddr,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Guess, u32> {
        let is_counted = self.right.lock().get(&key(&token)).is_none();
        if is_counted {
            self.wrong.take(&address, now)?;
        }
        Ok(Guess { address, token, is_counted })
    }

    /// It was looked up, or could not be (`None`).
    pub(crate) fn end(&self, guess: &Guess, was_right: Option<bool>, now: Timestamp) {
        if was_right == Some(false) {
            self.right.lock().remove(&key(&guess.token));
            if !guess.is_counted {
                // One that was ended since; the next time it is as wrong as any other.
                let _ = self.wrong.take(&guess.address, now);
            }
        } else if guess.is_counted {
            self.wrong.give_back(&guess.address, now);
        }
    }

    /// This token is right now.
    pub(crate) fn is_right(&self, token: &TokenHash, now: Timestamp) {
        let now = now.millis();
        let until = now.saturating_add(RIGHT_TOKEN_KNOWN_MS);
        self.right.lock().put(key(token), until, (), now, until);
    }
}

fn key(token: &TokenHash) -> u64 {
    let first = token.as_str().get(..16).unwrap_or_default();
    u64::from_str_radix(first, 16).unwrap_or(0)
}
