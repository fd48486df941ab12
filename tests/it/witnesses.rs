//! What each witness shows, as the judge wants to hear it.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use yingke_shared::events::{StaffEventBody, VisitorEventBody};
use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_shared::views::{Message, MessageContent};
use yingke_tests::http::Address;
use yingke_tests::judge::{Fate, Seen, Sent, Witness};
use yingke_tests::link::new_id;
use yingke_tests::seat::{TestSeat, acknowledged, cached_messages};
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
        MessageContent::Notice { .. } | MessageContent::Unknown => None,
    }
}

/// A visitor writes, as surely as an outbox does, and notes it.
pub(crate) async fn say(
    visitor: &mut TestVisitor,
    said: &mut Vec<Sent>,
) -> Result<(ConversationId, Seq)> {
    let (client_id, text) = (new_id(), format!("{}, number {}", visitor.id, said.len()));
    let accepted = visitor.say_surely(&client_id, &text).await?;
    let accepted = accepted.map_err(|error| anyhow!("refused: {error:?}"))?;
    let fate = Fate::Acked(accepted.conversation.clone(), accepted.seq);
    said.push(Sent { client_id, text, fate });
    Ok((accepted.conversation, accepted.seq))
}

/// A seat with what it wrote.
pub(crate) struct Writer {
    pub(crate) name: String,
    pub(crate) seat: TestSeat,
    pub(crate) written: Vec<(ClientId, ConversationId, String)>,
}

/// What the agents wrote, as the judge wants it: acknowledged if the outbox was told so, under the
/// number the agent's page shows.
fn fates(
    written: &[(ClientId, ConversationId, String)],
    acked: &[ClientId],
    pages: &BTreeMap<ConversationId, Vec<Seen>>,
) -> Vec<Vec<Sent>> {
    let mut lanes: BTreeMap<&ConversationId, Vec<Sent>> = BTreeMap::new();
    for (client_id, conversation, text) in written {
        let number = pages
            .get(conversation)
            .and_then(|page| page.iter().find(|seen| seen.client_id == *client_id))
            .map_or(Seq::ZERO, |seen| seen.seq);
        let fate = if acked.contains(client_id) {
            Fate::Acked(conversation.clone(), number)
        } else {
            Fate::Unknown
        };
        lanes.entry(conversation).or_default().push(Sent {
            client_id: client_id.clone(),
            text: text.clone(),
            fate,
        });
    }
    lanes.into_values().collect()
}

/// The agent's page (the core's pages, scrolled to the beginning) and, after it has ended, its local
/// database.
pub(crate) async fn hear_the_seat(
    writer: Writer,
    senders: &[Vec<Sent>],
    all: &mut Vec<Witness>,
) -> Result<(Witness, Vec<Vec<Sent>>)> {
    let Writer { name, seat, written } = writer;
    let newest: BTreeMap<&ConversationId, Seq> = senders
        .iter()
        .flatten()
        .filter_map(|sent| match &sent.fate {
            Fate::Acked(conversation, seq) => Some((conversation, *seq)),
            _ => None,
        })
        .collect();
    let rows: Vec<ConversationId> =
        seat.look(|view| view.state.inbox.iter().map(|row| row.conversation_id.clone()).collect());
    let mut shows = BTreeMap::new();
    for conversation in rows {
        // What the visitor was told is stored must have come down the stream by now.
        if let Some(seq) = newest.get(&conversation) {
            seat.until_row("the newest message arrives", &conversation, |row| row.said.seq >= *seq)
                .await?;
        }
        let page = seat.whole_chat(&conversation).await?;
        shows.insert(conversation, page.iter().filter_map(seen).collect());
    }
    let folder = seat.account_folder()?;
    seat.stop().await;
    let acked = acknowledged(&folder)?;
    let sent = fates(&written, &acked, &shows);
    let cache = cached_messages(&folder)?;
    let cached = cache
        .into_iter()
        .filter(|(conversation, _)| shows.contains_key(conversation))
        .map(|(conversation, messages)| (conversation, messages.iter().filter_map(seen).collect()))
        .collect();
    all.push(Witness { name: format!("{name}'s local database"), shows: cached });
    Ok((Witness { name: format!("{name}'s page"), shows }, sent))
}
