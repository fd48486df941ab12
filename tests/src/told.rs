//! What a visitor's page was told: by its snapshot and by every delivery over all its sockets, raw.
//! Applying skips what it knows and closes over what is missing; this does neither. It opens no
//! sockets.

use anyhow::{Result, bail};
use yingke_shared::events::VisitorEventBody;
use yingke_shared::ids::Epoch;
use yingke_shared::views::VisitorMessage;

use crate::link::{Bookmark, Held, Link, Visitor};

/// What was told over sockets that are gone, and by the snapshot of the one that is there.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// In the order in which it was told.
    messages: Vec<VisitorMessage>,
    /// Whether more stands before the first of them.
    pub(crate) has_earlier: bool,
    /// Of which history.
    epoch: Option<Epoch>,
    /// Where the page goes on.
    place: Option<Bookmark<Visitor>>,
    /// What broke the protocol on a socket that is gone.
    broken: Option<String>,
}

impl Told {
    /// Nothing so far, of a history that has begun.
    pub(crate) fn with_earlier() -> Self {
        Self { has_earlier: true, ..Self::default() }
    }

    /// Where the page goes on, once it had a socket.
    pub(crate) fn place(&self) -> Option<Bookmark<Visitor>> {
        self.place.clone()
    }

    /// Whether every socket that is gone kept to the protocol.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.broken {
            Some(broken) => bail!("the relay broke the protocol: {broken}"),
            None => Ok(()),
        }
    }

    /// A socket begins. A snapshot of the same history tells what was missed; one of another history,
    /// or after more than it holds was missed, is a new page.
    pub(crate) fn begin(&mut self, link: &Link<Visitor>) {
        let (epoch, snapshot, since) = link.look(|held| {
            let snapshot = (!held.resumed).then(|| held.snapshot.clone());
            (Some(held.epoch.clone()), snapshot, delivered(held))
        });
        if let Some(snapshot) = snapshot {
            let mut shown = snapshot.messages;
            shown.retain(|message| !since.iter().any(|other| is_same(message, other)));
            let is_known =
                |message: &VisitorMessage| self.messages.iter().any(|told| is_same(told, message));
            let goes_on = self.epoch == epoch
                && (!snapshot.has_earlier || shown.first().is_some_and(is_known));
            if goes_on {
                shown.retain(|message| !is_known(message));
                self.messages.append(&mut shown);
            } else {
                self.messages = shown;
                self.has_earlier = snapshot.has_earlier;
            }
        }
        self.epoch = epoch;
    }

    /// A socket ends.
    pub(crate) fn end(&mut self, link: &Link<Visitor>) {
        // It may hear more while it is looked at: place and messages must be of one moment.
        loop {
            let (position, messages, broken) = link.look(|held| {
                let broken = held.broken.clone().filter(|_| !held.is_patient);
                (held.position, delivered(held), broken)
            });
            let place = link.bookmark();
            if link.look(|held| held.position == position) {
                self.messages.extend(messages);
                self.place = Some(place);
                self.broken = self.broken.take().or(broken);
                return;
            }
        }
    }

    /// Everything, with what the socket that is there has delivered.
    pub(crate) fn messages(&self, link: &Link<Visitor>) -> Vec<VisitorMessage> {
        let mut all = self.messages.clone();
        all.extend(link.look(delivered));
        all
    }
}

fn delivered(held: &Held<Visitor>) -> Vec<VisitorMessage> {
    let messages = held.events.iter().filter_map(|event| match &event.body {
        VisitorEventBody::MessageAppended { message } => Some(message.clone()),
        _ => None,
    });
    messages.collect()
}

/// Whoever wrote it may be named otherwise since.
fn is_same(one: &VisitorMessage, other: &VisitorMessage) -> bool {
    (&one.conversation_id, one.seq, &one.client_id, &one.content)
        == (&other.conversation_id, other.seq, &other.client_id, &other.content)
}
