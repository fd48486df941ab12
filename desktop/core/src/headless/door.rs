//! Who may come in: the one-use token, then the session it gave.

use std::sync::Mutex;

use crate::host::Host;

/// The secrets that open the door.
pub(super) struct Door {
    secrets: Mutex<Secrets>,
}

struct Secrets {
    /// Printed at the start; gone after its first use.
    token: Option<String>,
    /// Given for the token.
    session: Option<String>,
}

impl Door {
    pub(super) fn new(token: String) -> Self {
        Self { secrets: Mutex::new(Secrets { token: Some(token), session: None }) }
    }

    /// Spends the token; `session` is what the page comes back with from now on.
    pub(super) fn spend(&self, token: &str, session: &str) -> bool {
        let Ok(mut secrets) = self.secrets.lock() else { return false };
        if !secrets.token.as_deref().is_some_and(|expected| same(expected, token)) {
            return false;
        }
        secrets.token = None;
        secrets.session = Some(session.to_owned());
        true
    }

    /// Whether this is the session the token gave.
    pub(super) fn knows(&self, session: &str) -> bool {
        let Ok(secrets) = self.secrets.lock() else { return false };
        secrets.session.as_deref().is_some_and(|expected| same(expected, session))
    }
}

/// A secret of 256 random bits, as text.
pub(super) fn secret(host: &dyn Host) -> String {
    let mut bytes = [0; 32];
    host.random(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares in a time that does not tell where two secrets differ.
fn same(expected: &str, given: &str) -> bool {
    let differences =
        expected.bytes().zip(given.bytes()).fold(0, |seen, (one, other)| seen | (one ^ other));
    expected.len() == given.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_opens_once_and_its_session_again_and_again() {
        let door = Door::new("token".to_owned());
        assert!(!door.knows(""), "no session before the token is spent");
        assert!(!door.spend("toke", "a") && !door.spend("tokem", "a") && !door.spend("", "a"));
        assert!(door.spend("token", "session"));
        assert!(!door.spend("token", "another"));
        assert!(door.knows("session") && door.knows("session"));
        assert!(!door.knows("another") && !door.knows("token"));
    }
}
