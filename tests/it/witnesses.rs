//! What each witness shows, as the judge wants to hear it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, anyhow};
use yingke_shared::events::{StaffEventBody, VisitorEventBody};
use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_shared::snapshot::StaffSnapshot;
use yingke_shared::views::{Message, MessageContent, VisitorMessage};
use yingke_tests::http::Address;
use yingke_tests::judge::{Fate, Seen, Sent, Witness};
use yingke_tests::link::new_id;
use yingke_tests::seat::{TestSeat, acknowledged, cached_messages};
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::{TestVisitor, text_of};
use yingke_tests::wait;

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

/// What the visitors' pages were told, over all their sockets and raw; see [`TestVisitor::page`]. Of
/// each conversation in which something of theirs was acknowledged, be it nothing.
pub(crate) async fn visitors(name: &str, visitors: &mut [TestVisitor]) -> Result<Witness> {
    let mut witness = Witness::of(name, []);
    for visitor in visitors {
        for conversation in visitor.acked_in() {
            witness.shows.entry(conversation).or_default();
        }
        for message in visitor.page().await? {
            if let Some(seen) = seen_by_visitor(&message) {
                witness.add(&message.conversation_id, seen);
            }
        }
    }
    Ok(witness)
}

/// What was delivered to a visitor's socket since it was opened, raw: nothing skipped, nothing sorted.
pub(crate) fn delivered_to_visitor(name: &str, visitor: &TestVisitor) -> Result<Witness> {
    let mut witness = Witness::of(name, &visitor.acked_in());
    for event in visitor.link()?.look(|held| held.events.clone()) {
        if let VisitorEventBody::MessageAppended { message } = event.body
            && let Some(seen) = seen_by_visitor(&message)
        {
            witness.add(&message.conversation_id, seen);
        }
    }
    Ok(witness)
}

/// The same of a member of staff, behind what stood in each conversation when it was gained.
pub(crate) fn delivered_to_staff(
    name: &str,
    staff: &StaffSocket,
    gained: BTreeMap<ConversationId, Vec<Seen>>,
) -> Witness {
    let mut witness = Witness { name: name.to_owned(), shows: gained };
    for event in staff.link.look(|held| held.events.clone()) {
        if let StaffEventBody::MessageAppended { conversation_id, message, .. } = event.body
            && let Some(seen) = seen(&message)
        {
            witness.add(&conversation_id, seen);
        }
    }
    witness
}

/// The same once nothing is on its way any more.
pub(crate) async fn told_to_staff(
    name: &str,
    staff: &StaffSocket,
    gained: BTreeMap<ConversationId, Vec<Seen>>,
) -> Result<Witness> {
    let fresh = staff.fresh_snapshot().await?;
    for (conversation, record) in &fresh.conversations {
        let known = |held: &StaffSnapshot| held.conversations.get(conversation).map(|it| it.rev);
        staff
            .link
            .until("the agent is told everything", |held| {
                (known(&held.snapshot) >= Some(record.rev)).then_some(())
            })
            .await?;
    }
    Ok(delivered_to_staff(name, staff, gained))
}

fn seen_by_visitor(message: &VisitorMessage) -> Option<Seen> {
    text_of(message).map(|text| Seen {
        seq: message.seq,
        client_id: message.client_id.clone(),
        text: text.to_owned(),
    })
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
    hear_the_seat_within(wait::LIMIT, writer, senders, all).await
}

/// The same, if the newest messages have come by then or not: what did not is missing.
pub(crate) async fn hear_the_seat_within(
    patience: Duration,
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
    // Where the agent wrote there must be a page, and something in the database.
    let mut shows =
        Witness::of(&name, written.iter().map(|(_, conversation, _)| conversation)).shows;
    for conversation in rows {
        // What the visitor was told is stored must have come down the stream by now.
        if let Some(seq) = newest.get(&conversation) {
            let came = seat
                .until_row("the newest message arrives", &conversation, |row| row.said.seq >= *seq);
            if let Ok(came) = tokio::time::timeout(patience, came).await {
                came?;
            }
        }
        let page = seat.whole_chat(&conversation).await?;
        shows.insert(conversation, page.iter().filter_map(seen).collect());
    }
    let folder = seat.account_folder()?;
    seat.stop().await;
    let acked = acknowledged(&folder)?;
    let sent = fates(&written, &acked, &shows);
    let mut cached = Witness::of(format!("{name}'s local database"), shows.keys());
    for (conversation, messages) in cached_messages(&folder)? {
        if shows.contains_key(&conversation) {
            cached.shows.insert(conversation, messages.iter().filter_map(seen).collect());
        }
    }
    all.push(cached);
    Ok((Witness { name: format!("{name}'s page"), shows }, sent))
}
