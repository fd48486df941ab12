//! The one error of the relay's edge and its only mapping to wire codes and HTTP statuses.
//!
//! Policy: a *refusal* is a normal outcome, decided by a room's rules, told to the client by its
//! code. A *failure* is the world's or a bug's; it is logged once, where it is turned into this type,
//! and the client learns no detail. Rooms return `Result<_, RelayError>` from their actions.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use yingke_shared::error_code::{ErrorCode, WireError};

use crate::store::{StoreError, WriteError};

/// Why a request or command was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayError(pub WireError);

impl RelayError {
    /// A refusal with this code.
    #[must_use]
    pub fn refused(code: ErrorCode) -> Self {
        Self(WireError::new(code))
    }

    /// A refusal that may be tried again after `retry_after_ms`.
    #[must_use]
    pub fn later(code: ErrorCode, retry_after_ms: u32) -> Self {
        Self(WireError { code, retry_after_ms: Some(retry_after_ms) })
    }

    /// The code, for logs and statuses.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        self.0.code
    }
}

/// The status that goes with a code over HTTP.
#[must_use]
pub fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadFrame
        | ErrorCode::UnknownCommand
        | ErrorCode::BadBody
        | ErrorCode::UnsupportedVersion
        | ErrorCode::EmptyText
        | ErrorCode::Invalid
        | ErrorCode::WeakPassword => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthenticated | ErrorCode::WrongCredentials => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::OriginRefused | ErrorCode::SiteDisabled => {
            StatusCode::FORBIDDEN
        }
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::AlreadyExists
        | ErrorCode::ConversationEnded
        | ErrorCode::Overtaken
        | ErrorCode::AgentFull
        | ErrorCode::AgentUnavailable
        | ErrorCode::Changed
        | ErrorCode::InUse
        | ErrorCode::IdReused
        | ErrorCode::CategoryNeeded => StatusCode::CONFLICT,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::TooFast => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::Busy | ErrorCode::StorageFailed | ErrorCode::Unavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

impl IntoResponse for RelayError {
    fn into_response(self) -> Response {
        let mut response = (status(self.code()), Json(self.0)).into_response();
        if let Some(wait_ms) = self.0.retry_after_ms {
            let wait = HeaderValue::from(wait_ms.div_ceil(1_000));
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        response
    }
}

impl From<ErrorCode> for RelayError {
    fn from(code: ErrorCode) -> Self {
        Self::refused(code)
    }
}

impl From<StoreError> for RelayError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => BUSY,
            StoreError::Closed => CLOSED,
            StoreError::Engine(_)
            | StoreError::Corrupt(_)
            | StoreError::TransactionLost(_)
            | StoreError::Panicked => {
                tracing::error!(%error, "the store failed");
                Self::refused(ErrorCode::StorageFailed)
            }
        }
    }
}

impl<R: Into<RelayError>> From<WriteError<R>> for RelayError {
    fn from(error: WriteError<R>) -> Self {
        match error {
            WriteError::Refused(refusal) => refusal.into(),
            WriteError::Busy => BUSY,
            WriteError::Failed(error) => error.into(),
            WriteError::Panicked => Self::refused(ErrorCode::Internal),
            WriteError::Closed => CLOSED,
        }
    }
}

/// Too much is queued. Not logged: it is no failure, and there would be a line for each request.
const BUSY: RelayError = RelayError(WireError { code: ErrorCode::Busy, retry_after_ms: Some(500) });

/// The relay is ending.
const CLOSED: RelayError =
    RelayError(WireError { code: ErrorCode::Unavailable, retry_after_ms: Some(1_000) });

#[cfg(test)]
mod tests {
    use super::*;

    /// What passes by itself is told apart from what does not, for reads as for writes.
    #[test]
    fn a_full_queue_and_a_closed_store_are_no_failures() {
        let of_write = |error: WriteError<ErrorCode>| RelayError::from(error);
        for error in [StoreError::Busy.into(), of_write(WriteError::Busy)] {
            assert_eq!(error, RelayError::later(ErrorCode::Busy, 500));
        }
        for error in [StoreError::Closed.into(), of_write(WriteError::Closed)] {
            assert_eq!(error, RelayError::later(ErrorCode::Unavailable, 1_000));
        }
        let failed = of_write(WriteError::Failed(StoreError::Corrupt("role")));
        assert_eq!(failed, RelayError::refused(ErrorCode::StorageFailed));
    }
}
