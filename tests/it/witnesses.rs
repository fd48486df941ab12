//! What each witness shows, as the judge wants to hear it.

use std::collections::BTreeMap;

use anyhow::Result;
use yingke_shared::events::{StaffEventBody, VisitorEventBody};
use yingke_shared::ids::ConversationId;
use yingke_shared::views::{Message, MessageContent};
use yingke_tests::http::Address;
use yingke_tests::judge::{Fate, Seen, Sent, Witness};
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::{TestVisitor, text_of};

/// Every conversation something was acknowledged in, by the REST history.
pub(crate) async fn rest(address: &Address, token: &str, senders: &[Vec<Sent>]) -> Result<Witness> {
    let mut shows = BTreeMap::new();
    for sent in senders.iter().flatten() {
        if let Fate::Acked(conversation, _) = &sent.fate
            && !shows.contains_key(conversation)
        {
            let history = address.history(token, conversation).await?;
            shows.insert(conversation.clone(), history.iter().filter_map(seen).collect());
        }
    }
    Ok(Witness { name: "REST history".to_owned(), shows })
}

/// What the visitors' own sockets show, freshly connected.
pub(crate) async fn visitors(name: &str, visitors: &mut [TestVisitor]) -> Result<Witness> {
    let mut shows: BTreeMap<ConversationId, Vec<Seen>> = BTreeMap::new();
    for visitor in visitors {
        visitor.connect().await?;
        for message in visitor.history().await? {
            if let Some(text) = text_of(&message) {
                shows.entry(message.conversation_id.clone()).or_default().push(Seen {
                    seq: message.seq,
                    client_id: message.client_id.clone(),
                    text: text.to_owned(),
                });
            }
        }
    }
    Ok(Witness { name: name.to_owned(), shows })
}

/// What was delivered to a visitor's socket since it was opened, raw: nothing skipped, nothing sorted.
pub(crate) fn delivered_to_visitor(name: &str, visitor: &TestVisitor) -> Result<Witness> {
    let mut shows: BTreeMap<ConversationId, Vec<Seen>> = BTreeMap::new();
    for event in visitor.link()?.look(|held| held.events.clone()) {
        if let VisitorEventBody::MessageAppended { message } = event.body
            && let Some(text) = text_of(&message)
        {
            shows.entry(message.conversation_id.clone()).or_default().push(Seen {
                seq: message.seq,
                client_id: message.client_id.clone(),
                text: text.to_owned(),
            });
        }
    }
    Ok(Witness { name: name.to_owned(), shows })
}

/// The same of a member of staff.
pub(crate) fn delivered_to_staff(name: &str, staff: &StaffSocket) -> Witness {
    let mut shows: BTreeMap<ConversationId, Vec<Seen>> = BTreeMap::new();
    for event in staff.link.look(|held| held.events.clone()) {
        if let StaffEventBody::MessageAppended { conversation_id, message, .. } = event.body
            && let Some(seen) = seen(&message)
        {
            shows.entry(conversation_id).or_default().push(seen);
        }
    }
    Witness { name: name.to_owned(), shows }
}

/// A message written by a person; notices are none.
pub(crate) fn seen(message: &Message) -> Option<Seen> {
    match &message.content {
        MessageContent::Text { text } => Some(Seen {
            seq: message.seq,
            client_id: message.client_id.clone(),
            text: text.clone(),
        }),
        MessageContent::Notice { .. } => None,
    }
}
