//! The part of the inbox that a snapshot had no room for: asked in pages over HTTP, one at a time,
//! until all is held. While something is missing the place in the log is not resumed from (see
//! `Replica::place`), so a link that breaks meanwhile begins with a new snapshot.

use yingke_shared::rest::ServedPage;

use super::account::Account;
use super::{Effect, Step};
use crate::bridge::types::UiError;
use crate::limits::{SERVED_AGAIN_MS, SERVED_FAILED_MS};
use crate::store::Ticket;

/// Where asking stands. A broken link begins anew.
#[derive(Default)]
pub(super) struct Served {
    /// The page on its way.
    call: Option<Ticket>,
    not_before: u64,
}

impl Served {
    pub(super) fn deadline(&self, now: u64) -> Option<u64> {
        (self.not_before > now).then_some(self.not_before)
    }
}

impl Account {
    pub(super) fn served_due(&mut self, step: &mut Step<'_>) {
        if self.served.call.is_some() || step.now < self.served.not_before {
            return;
        }
        let (Some(after), Some(token)) = (self.replica.missing(), self.token.clone()) else {
            return;
        };
        let call = self.next_ticket();
        self.served.call = Some(call);
        let (account, server) = (self.serial, self.server.clone());
        step.act(Effect::LoadServed { account, call, server, token, after });
    }

    pub(super) fn served(
        &mut self,
        step: &mut Step<'_>,
        call: Ticket,
        result: Result<ServedPage, UiError>,
    ) {
        if self.served.call != Some(call) {
            return;
        }
        self.served.call = None;
        match result {
            Ok(page) => match self.replica.add_page(page) {
                Some(changed) => self.absorb(step, changed),
                None => self.served.not_before = step.now + SERVED_AGAIN_MS,
            },
            Err(error) => {
                tracing::warn!(?error, "a page of the inbox is asked for again later");
                self.served.not_before = step.now + SERVED_FAILED_MS;
            }
        }
    }
}
