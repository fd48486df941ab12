//! The thin edge to the network: one HTTP client and one socket. They carry bytes and report; what
//! to do about it is decided by the engine.

pub(crate) mod http;
pub(crate) mod resolve;
pub(crate) mod socket;

use yingke_shared::rest::{ServedPage, SignedIn};
use yingke_shared::views::ConversationRecord;

use crate::bridge::calls::RelayAnswer;
use crate::bridge::types::UiError;
use socket::SocketEvent;

/// What the network tells the loop.
pub(crate) enum NetEvent {
    /// Of the socket that was dialled as this number.
    Socket { dial: u64, event: SocketEvent },
    /// A sign-in was answered; `call` tells which.
    SignedIn { call: u64, result: Result<SignedIn, UiError> },
    /// A password change was answered.
    PasswordChanged { call: u64, result: Result<(), UiError> },
    /// A page of the inbox is here, for this opening of an account.
    Served { account: u64, call: u64, result: Result<ServedPage, UiError> },
    /// A question of a person was answered.
    Called { account: u64, call: u64, result: Result<RelayAnswer, UiError> },
    /// A conversation somebody wants to read is here.
    Record { account: u64, call: u64, result: Result<Box<ConversationRecord>, UiError> },
}

/// Installs the one TLS implementation of this process. Safe to call any number of times.
pub(crate) fn install_tls() {
    // An error only says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
