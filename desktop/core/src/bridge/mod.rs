//! The door between the client core and the workbench. See [`types`].

pub mod calls;
pub mod preferences;
mod redacted;
pub mod types;

use yingke_shared::error_code::{ErrorCode, WireError};

use types::{UiError, UiErrorKind};

impl UiError {
    /// Trouble of a kind, without a code of the relay.
    #[must_use]
    pub fn of(kind: UiErrorKind) -> Self {
        Self { kind, code: None, retry_after_ms: None }
    }

    /// Refused for a reason the relay has a code for, whether the relay or the core noticed.
    #[must_use]
    pub fn refused(code: ErrorCode) -> Self {
        Self::from(WireError::new(code))
    }

    /// Whether doing the same again may work without any change.
    #[must_use]
    pub fn can_retry(self) -> bool {
        self.kind == UiErrorKind::Offline || self.code.is_some_and(ErrorCode::can_retry)
    }
}

impl From<WireError> for UiError {
    fn from(error: WireError) -> Self {
        let kind = match error.code {
            ErrorCode::UnsupportedVersion => UiErrorKind::Incompatible,
            ErrorCode::Unauthenticated => UiErrorKind::SignedOut,
            ErrorCode::Unavailable => UiErrorKind::Offline,
            _ => UiErrorKind::Refused,
        };
        Self { kind, code: Some(error.code), retry_after_ms: error.retry_after_ms }
    }
}
