//! Commands under way, and what becomes of copies of one.
//!
//! A client that lost its socket sends a command again by its next one, under the same id, while the
//! first copy may still be on its way through the old one (P1). So the copies of one person's command are
//! carried out one after the other, and what was refused for good on a newer socket is refused on an
//! older one too: nobody finds done what they were told is not. On the same socket or a newer one it may
//! be asked again, because then somebody decided to. Nothing of it is stored: a copy is never older than
//! the relay's process.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use yingke_shared::error_code::WireError;
use yingke_shared::frame::{Outcome, Reply};
use yingke_shared::ids::ClientId;

use crate::error::RelayError;
use crate::limits::REFUSALS_KEPT_MAX;

/// What a command gives.
type Work = BoxFuture<'static, Result<Outcome, RelayError>>;

/// One person's commands on all sockets.
#[derive(Debug, Default)]
pub(crate) struct Copies(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    under_way: Vec<ClientId>,
    /// Whoever holds a copy of one of those.
    waiting: Vec<Waker>,
    /// The oldest first; each id and name once.
    refused: VecDeque<Refused>,
}

#[derive(Debug)]
struct Refused {
    id: ClientId,
    /// A leave-message that was overtaken goes again as a message, under its id: that is no copy.
    name: &'static str,
    /// On which socket.
    socket: u64,
    error: WireError,
}

impl State {
    fn forget(&mut self, id: &ClientId, name: &'static str) {
        self.refused.retain(|refused| refused.id != *id || refused.name != name);
    }
}

impl Copies {
    /// Takes the turn of this id, or has `waker` woken when it may be free.
    fn begin(&self, id: &ClientId, waker: &Waker) -> bool {
        let mut state = self.0.lock();
        if state.under_way.contains(id) {
            if !state.waiting.iter().any(|known| known.will_wake(waker)) {
                state.waiting.push(waker.clone());
            }
            return false;
        }
        state.under_way.push(id.clone());
        true
    }

    /// What a copy that comes by `socket` is answered without being carried out.
    fn refusal(&self, id: &ClientId, name: &'static str, socket: u64) -> Option<WireError> {
        let state = self.0.lock();
        let newer = |refused: &&Refused| refused.socket > socket;
        let mut found = state.refused.iter().filter(newer);
        found.find(|refused| refused.id == *id && refused.name == name).map(|it| it.error)
    }

    /// It was carried out or refused.
    fn note(&self, id: &ClientId, name: &'static str, socket: u64, result: Result<(), WireError>) {
        let mut state = self.0.lock();
        match result {
            Ok(()) => state.forget(id, name),
            Err(error) if error.code.can_retry() => {}
            Err(error) => {
                state.forget(id, name);
                if state.refused.len() >= REFUSALS_KEPT_MAX {
                    state.refused.pop_front();
                }
                state.refused.push_back(Refused { id: id.clone(), name, socket, error });
            }
        }
    }

    /// Gives the turn back.
    fn end(&self, id: &ClientId) {
        let mut state = self.0.lock();
        state.under_way.retain(|other| other != id);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// A command that is not answered yet.
pub(crate) struct UnderWay {
    id: ClientId,
    name: &'static str,
    /// The socket it came by.
    socket: u64,
    copies: Arc<Copies>,
    has_turn: bool,
    work: Work,
}

impl UnderWay {
    /// Of the command `id` called `name` that came by `socket`; `work` carries it out and has not begun.
    pub(crate) fn new(
        id: ClientId,
        name: &'static str,
        socket: u64,
        copies: &Arc<Copies>,
        work: Work,
    ) -> Self {
        let copies = Arc::clone(copies);
        Self { id, name, socket, copies, has_turn: false, work }
    }

    /// The answer; not polled again after it.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Reply> {
        self.poll_result(context).map(|result| {
            let (ok, error) = match result {
                Ok(outcome) => (Some(outcome), None),
                Err(error) => (None, Some(error)),
            };
            Reply { id: self.id.clone(), ok, error }
        })
    }

    fn poll_result(&mut self, context: &mut Context<'_>) -> Poll<Result<Outcome, WireError>> {
        let (copies, id) = (&self.copies, &self.id);
        if !self.has_turn {
            if !copies.begin(id, context.waker()) {
                return Poll::Pending;
            }
            self.has_turn = true;
            if let Some(error) = copies.refusal(id, self.name, self.socket) {
                return Poll::Ready(Err(error));
            }
        }
        let Poll::Ready(result) = self.work.as_mut().poll(context) else { return Poll::Pending };
        let result = result.map_err(|error| error.0);
        let noted = result.as_ref().map(|_| ()).map_err(|error| *error);
        copies.note(id, self.name, self.socket, noted);
        Poll::Ready(result)
    }
}

impl Drop for UnderWay {
    /// If it is not answered, nobody was told anything; what of it waits for the writer waits before
    /// every copy.
    fn drop(&mut self) {
        if self.has_turn {
            self.copies.end(&self.id);
        }
    }
}

#[cfg(test)]
#[path = "under_way_tests.rs"]
mod tests;
