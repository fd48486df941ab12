//! The relay's end of a simulated link: what it says is handed to the network, what arrived is read
//! by its session. The network alone decides what becomes of either.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use tokio::sync::Notify;
use yingke_relay::live::{Io, Link};
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::frame::{Bye, VisitorFrame};

/// Something the relay's end said.
#[derive(Debug)]
pub(crate) enum Said {
    Frame(String),
    Ping,
    Close,
}

/// What the network keeps of a link's relay end.
#[derive(Default)]
struct End {
    inbox: VecDeque<Io>,
    waker: Option<Waker>,
    /// A frame that the kernel has not taken.
    held: Option<Said>,
    /// The kernel takes nothing more.
    stalled: bool,
}

/// Where all relay ends hand over what they say.
#[derive(Clone, Default)]
pub(crate) struct Exchange {
    state: Arc<Mutex<State>>,
    pub(crate) bell: Arc<Notify>,
}

#[derive(Default)]
struct State {
    ends: BTreeMap<u64, End>,
    said: VecDeque<(u64, Said)>,
}

impl Exchange {
    /// The relay's end of a new link.
    pub(crate) fn open(&self, link: u64) -> SimLink {
        self.state.lock().unwrap().ends.insert(link, End::default());
        SimLink { link, exchange: self.clone() }
    }

    /// Something arrives at the relay's end.
    pub(crate) fn arrive(&self, link: u64, io: Io) {
        let mut state = self.state.lock().unwrap();
        if let Some(end) = state.ends.get_mut(&link) {
            end.inbox.push_back(io);
            if let Some(waker) = end.waker.take() {
                waker.wake();
            }
        }
    }

    /// The kernel takes nothing more for a while, or does again.
    pub(crate) fn stall(&self, link: u64, stalled: bool) {
        let mut state = self.state.lock().unwrap();
        if let Some(end) = state.ends.get_mut(&link) {
            end.stalled = stalled;
            if let Some(waker) = end.waker.take() {
                waker.wake();
            }
        }
    }

    /// What was said since the last time, in order.
    pub(crate) fn take(&self) -> VecDeque<(u64, Said)> {
        std::mem::take(&mut self.state.lock().unwrap().said)
    }

    fn say(&self, link: u64, said: Said) {
        self.state.lock().unwrap().said.push_back((link, said));
        self.bell.notify_one();
    }
}

/// See the module.
pub(crate) struct SimLink {
    link: u64,
    exchange: Exchange,
}

impl SimLink {
    fn start(&mut self, said: Said) {
        let mut state = self.exchange.state.lock().unwrap();
        if let Some(end) = state.ends.get_mut(&self.link) {
            end.held = Some(said);
        }
    }

    /// Hands over what is held, if the kernel takes it.
    fn flush(&mut self) -> bool {
        let mut state = self.exchange.state.lock().unwrap();
        let Some(end) = state.ends.get_mut(&self.link) else { return false };
        if end.stalled {
            return false;
        }
        let Some(said) = end.held.take() else { return false };
        drop(state);
        self.exchange.say(self.link, said);
        true
    }
}

impl Link for SimLink {
    fn has_room(&self) -> bool {
        let state = self.exchange.state.lock().unwrap();
        state.ends.get(&self.link).is_some_and(|end| end.held.is_none())
    }

    fn start_text(&mut self, text: String) -> Result<(), ErrorCode> {
        self.start(Said::Frame(text));
        Ok(())
    }

    fn start_ping(&mut self) -> Result<(), ErrorCode> {
        self.start(Said::Ping);
        Ok(())
    }

    async fn next(&mut self) -> Io {
        poll_fn(|context| {
            if self.flush() {
                return Poll::Ready(Io::Written);
            }
            let mut state = self.exchange.state.lock().unwrap();
            let Some(end) = state.ends.get_mut(&self.link) else { return Poll::Ready(Io::Gone) };
            match end.inbox.pop_front() {
                Some(io) => Poll::Ready(io),
                None => {
                    end.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    async fn say_bye(mut self, error: WireError) {
        self.flush();
        let bye = VisitorFrame::Bye(Bye { error });
        self.exchange.say(self.link, Said::Frame(serde_json::to_string(&bye).unwrap()));
    }

    async fn close_too(self) {}
}

impl Drop for SimLink {
    fn drop(&mut self) {
        self.exchange.state.lock().unwrap().ends.remove(&self.link);
        self.exchange.say(self.link, Said::Close);
    }
}
