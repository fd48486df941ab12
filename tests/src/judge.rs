//! The judge of "acknowledged means exactly once, in order, at every reader, for ever".
//!
//! Senders write down every message with what became of it ([`Sent`]); in the end each witness (REST
//! history, the widget's page, the agent's page, the agent's local database) says what it shows, in
//! its own order. The judge compares. It is itself judged: see the tests at the end, in which a
//! falsified list must be found out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use yingke_shared::ids::{ClientId, ConversationId, Seq};

/// What a sender knows about one message in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The relay acknowledged it under this number in this conversation.
    Acked(ConversationId, Seq),
    /// The relay refused it.
    Refused,
    /// No answer ever came, not even to a retry.
    Unknown,
}

/// One message as its sender remembers it. A sender's list is in the order of sending; the next is
/// sent only after the fate of the one before is known.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its id for ever.
    pub client_id: ClientId,
    /// Its text, unique in the whole run.
    pub text: String,
    /// What became of it.
    pub fate: Fate,
}

/// One message as a witness shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub seq: Seq,
    /// Its id.
    pub client_id: ClientId,
    /// Its text.
    pub text: String,
}

/// What one witness shows of each conversation it can see, in its own order. Only messages written
/// by people; notices are left out.
#[derive(Debug, Clone, Default)]
pub struct Witness {
    /// Who says so.
    pub name: String,
    /// By conversation.
    pub shows: BTreeMap<ConversationId, Vec<Seen>>,
}

impl Witness {
    /// One that has to show these conversations, and has shown nothing so far.
    pub fn of<'a>(
        name: impl Into<String>,
        conversations: impl IntoIterator<Item = &'a ConversationId>,
    ) -> Self {
        let shows = conversations.into_iter().map(|it| (it.clone(), Vec::new())).collect();
        Self { name: name.into(), shows }
    }

    /// The next one it shows.
    pub fn add(&mut self, conversation: &ConversationId, seen: Seen) {
        self.shows.entry(conversation.clone()).or_default().push(seen);
    }
}

/// What the judge found, over all witnesses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Acknowledged messages.
    pub acked: usize,
    /// Sent, never answered; each may be there once or not at all, at all witnesses alike.
    pub unknown: usize,
    /// Acknowledged and seen by a witness exactly once, in its place, with its text.
    pub ok: usize,
    /// Acknowledged and missing, or there with another text or number. Of what was never answered: there
    /// at one witness, and not, or otherwise, at another.
    pub lost: usize,
    /// There more than once.
    pub doubled: usize,
    /// Not in the order of numbers, or not in the order of sending.
    pub reordered: usize,
    /// There though refused, sent by nobody, or meant for another conversation.
    pub uninvited: usize,
    /// The first findings, in words.
    pub findings: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost + self.doubled + self.reordered + self.uninvited == 0
    }

    fn find(&mut self, finding: String) {
        if self.findings.len() < 20 {
            self.findings.push(finding);
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "acked={} unknown={} lost={} doubled={} reordered={} uninvited={}",
            self.acked, self.unknown, self.lost, self.doubled, self.reordered, self.uninvited
        )
    }
}

/// Compares what was acknowledged with what is shown. A witness must show every conversation it
/// names completely; a conversation it does not name is not its to see.
#[must_use]
pub fn judge(senders: &[Vec<Sent>], witnesses: &[Witness]) -> Verdict {
    let mut verdict = Verdict::default();
    let mut expected: BTreeMap<&ConversationId, Vec<(&Sent, Seq)>> = BTreeMap::new();
    let mut known: BTreeMap<&ClientId, &Sent> = BTreeMap::new();
    for sent in senders.iter().flatten() {
        known.insert(&sent.client_id, sent);
        match &sent.fate {
            Fate::Acked(conversation, seq) => {
                verdict.acked += 1;
                expected.entry(conversation).or_default().push((sent, *seq));
            }
            Fate::Unknown => verdict.unknown += 1,
            Fate::Refused => {}
        }
    }
    let witnessed: BTreeSet<&ConversationId> =
        witnesses.iter().flat_map(|witness| witness.shows.keys()).collect();
    for (conversation, messages) in &expected {
        if !witnessed.contains(*conversation) {
            verdict.lost += messages.len();
            verdict.find(format!("nobody shows conversation {conversation}"));
        }
    }
    for witness in witnesses {
        for (conversation, shown) in &witness.shows {
            let place = format!("{} in {conversation}", witness.name);
            let wanted = expected.get(conversation).map_or(&[][..], Vec::as_slice);
            hear(&mut verdict, &place, conversation, shown, wanted, &known);
        }
        order_of_sending(&mut verdict, witness, senders);
    }
    let unanswered = known.into_values().filter(|sent| sent.fate == Fate::Unknown);
    agree_on_unanswered(&mut verdict, witnesses, &unanswered.collect::<Vec<_>>());
    verdict
}

/// What was never answered stands in one place, at all witnesses, with its sender's text; or nowhere.
fn agree_on_unanswered(verdict: &mut Verdict, witnesses: &[Witness], unanswered: &[&Sent]) {
    let texts: BTreeMap<&ClientId, &str> =
        unanswered.iter().map(|sent| (&sent.client_id, sent.text.as_str())).collect();
    let mut places: BTreeMap<&ClientId, (&ConversationId, Seq)> = BTreeMap::new();
    let mut shown_by: BTreeMap<&ClientId, BTreeSet<usize>> = BTreeMap::new();
    for (number, witness) in witnesses.iter().enumerate() {
        for (conversation, shown) in &witness.shows {
            for seen in shown {
                let Some(text) = texts.get(&seen.client_id) else { continue };
                let (at, seq) = *places.entry(&seen.client_id).or_insert((conversation, seen.seq));
                let place = format!("{} in {conversation}", witness.name);
                if at != conversation {
                    verdict.doubled += 1;
                    verdict.find(format!("{place}: {} stands in {at} as well", seen.client_id));
                } else if seq != seen.seq || *text != seen.text {
                    verdict.lost += 1;
                    verdict.find(format!("{place}: {} is another one elsewhere", seen.client_id));
                }
                shown_by.entry(&seen.client_id).or_default().insert(number);
            }
        }
    }
    for (client_id, (conversation, seq)) in places {
        for (number, witness) in witnesses.iter().enumerate() {
            if witness.shows.contains_key(conversation) && !shown_by[client_id].contains(&number) {
                verdict.lost += 1;
                verdict.find(format!(
                    "{} in {conversation}: {client_id} (number {seq}) is missing, others show it",
                    witness.name
                ));
            }
        }
    }
}

fn hear(
    verdict: &mut Verdict,
    place: &str,
    conversation: &ConversationId,
    shown: &[Seen],
    wanted: &[(&Sent, Seq)],
    known: &BTreeMap<&ClientId, &Sent>,
) {
    let mut by_id: BTreeMap<&ClientId, &Seen> = BTreeMap::new();
    let mut texts: BTreeSet<&str> = BTreeSet::new();
    for seen in shown {
        // The same id twice, or the same text under another id, is one message doubled.
        let is_first_id = by_id.insert(&seen.client_id, seen).is_none();
        if !(texts.insert(&seen.text) && is_first_id) {
            verdict.doubled += 1;
            verdict.find(format!("{place}: {} is there twice", seen.client_id));
        }
        match known.get(&seen.client_id).map(|sent| &sent.fate) {
            None | Some(Fate::Refused) => {
                verdict.uninvited += 1;
                verdict.find(format!("{place}: {} should not be there", seen.client_id));
            }
            Some(Fate::Acked(meant, _)) if meant != conversation => {
                verdict.uninvited += 1;
                verdict.find(format!("{place}: {} belongs to {meant}", seen.client_id));
            }
            Some(Fate::Acked(..) | Fate::Unknown) => {}
        }
    }
    for pair in shown.windows(2) {
        if pair[0].seq >= pair[1].seq {
            verdict.reordered += 1;
            verdict.find(format!("{place}: {} comes before {}", pair[0].seq, pair[1].seq));
        }
    }
    for (sent, seq) in wanted {
        match by_id.get(&sent.client_id) {
            Some(seen) if seen.seq == *seq && seen.text == sent.text => verdict.ok += 1,
            Some(seen) => {
                verdict.lost += 1;
                verdict.find(format!(
                    "{place}: {} was acknowledged as {seq} and is there as {} with {} text",
                    sent.client_id,
                    seen.seq,
                    if seen.text == sent.text { "the same" } else { "another" }
                ));
            }
            None => {
                verdict.lost += 1;
                verdict.find(format!("{place}: {} (number {seq}) is missing", sent.client_id));
            }
        }
    }
}

/// Within one conversation a witness shows one sender's messages in the order they were sent.
fn order_of_sending(verdict: &mut Verdict, witness: &Witness, senders: &[Vec<Sent>]) {
    for (conversation, shown) in &witness.shows {
        let places: BTreeMap<&ClientId, usize> =
            shown.iter().enumerate().map(|(place, seen)| (&seen.client_id, place)).collect();
        for sender in senders {
            let mine: Vec<usize> =
                sender.iter().filter_map(|sent| places.get(&sent.client_id).copied()).collect();
            for pair in mine.windows(2) {
                if pair[0] > pair[1] {
                    verdict.reordered += 1;
                    verdict.find(format!(
                        "{} in {conversation}: a later message of one sender stands earlier",
                        witness.name
                    ));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation() -> ConversationId {
        ConversationId::new("c1").unwrap()
    }

    fn id(number: u64) -> ClientId {
        ClientId::new(format!("m{number}")).unwrap()
    }

    fn seq(number: u64) -> Seq {
        Seq::new(number).unwrap()
    }

    /// Vera sends 1, 3, 5; Ana 2, 4.
    fn senders() -> Vec<Vec<Sent>> {
        let sent = |number: u64| Sent {
            client_id: id(number),
            text: format!("text {number}"),
            fate: Fate::Acked(conversation(), seq(number)),
        };
        vec![[1, 3, 5].map(sent).to_vec(), [2, 4].map(sent).to_vec()]
    }

    fn shown() -> Vec<Seen> {
        (1..=5)
            .map(|number| Seen {
                seq: seq(number),
                client_id: id(number),
                text: format!("text {number}"),
            })
            .collect()
    }

    fn verdict_on(falsify: impl FnOnce(&mut Vec<Seen>)) -> Verdict {
        let mut falsified = shown();
        falsify(&mut falsified);
        let witness = |name: &str, list: Vec<Seen>| Witness {
            name: name.to_owned(),
            shows: BTreeMap::from([(conversation(), list)]),
        };
        judge(&senders(), &[witness("honest", shown()), witness("falsified", falsified)])
    }

    #[test]
    fn honest_witnesses_are_believed() {
        let verdict = verdict_on(|_| {});
        assert!(verdict.is_clean(), "{verdict:?}");
        assert_eq!((verdict.acked, verdict.ok), (5, 10));
    }

    #[test]
    fn a_lost_message_is_found() {
        let verdict = verdict_on(|list| drop(list.remove(2)));
        assert_eq!((verdict.lost, verdict.doubled, verdict.reordered), (1, 0, 0));
    }

    #[test]
    fn a_conversation_nobody_shows_is_lost() {
        let verdict = judge(&senders(), &[]);
        assert_eq!(verdict.lost, 5);
    }

    #[test]
    fn a_witness_that_shows_nothing_of_what_it_has_to_show_is_found() {
        let mut honest = Witness::of("honest", [&conversation()]);
        shown().into_iter().for_each(|seen| honest.add(&conversation(), seen));
        let empty = Witness::of("empty", [&conversation()]);
        let verdict = judge(&senders(), &[honest, empty]);
        assert_eq!((verdict.ok, verdict.lost), (5, 5));
    }

    #[test]
    fn a_message_in_another_conversation_is_found() {
        let elsewhere = ConversationId::new("c2").unwrap();
        let mut witness = Witness::of("w", [&conversation()]);
        shown().into_iter().for_each(|seen| witness.add(&conversation(), seen));
        witness.add(&elsewhere, shown().remove(1));
        let verdict = judge(&senders(), &[witness]);
        assert_eq!((verdict.ok, verdict.lost, verdict.uninvited), (5, 0, 1));
    }

    #[test]
    fn a_doubled_message_is_found_under_the_same_and_under_another_id() {
        let twice = verdict_on(|list| list.push(Seen { seq: seq(6), ..list[1].clone() }));
        assert_eq!(twice.doubled, 1);
        let renamed = verdict_on(|list| {
            list.push(Seen { seq: seq(6), client_id: id(6), text: list[1].text.clone() });
        });
        assert_eq!((renamed.doubled, renamed.uninvited), (1, 1));
    }

    #[test]
    fn swapped_messages_are_found_by_number_and_by_order_of_sending() {
        let by_number = verdict_on(|list| list.swap(1, 2));
        assert!(by_number.reordered > 0 && by_number.lost == 0);
        // The numbers look right, but Vera's third message stands before her second.
        let by_sending = verdict_on(|list| {
            list.swap(2, 4);
            list[2].seq = seq(3);
            list[4].seq = seq(5);
        });
        assert!(by_sending.reordered > 0 && by_sending.lost == 2);
    }

    #[test]
    fn another_text_number_or_place_is_found() {
        assert_eq!(verdict_on(|list| list[0].text.push('!')).lost, 1);
        assert_eq!(verdict_on(|list| list[4].seq = seq(9)).lost, 1);
    }

    #[test]
    fn refused_means_nowhere_and_unknown_means_at_most_once() {
        let mut senders = senders();
        senders[0][2].fate = Fate::Refused;
        let witness = |list| Witness {
            name: "w".to_owned(),
            shows: BTreeMap::from([(conversation(), list)]),
        };
        assert_eq!(judge(&senders, &[witness(shown())]).uninvited, 1);
        senders[0][2].fate = Fate::Unknown;
        let there = judge(&senders, &[witness(shown())]);
        assert!(there.is_clean() && there.unknown == 1, "{there:?}");
        let away = judge(&senders, &[witness(shown()[..4].to_vec())]);
        assert!(away.is_clean(), "{away:?}");
    }

    #[test]
    fn what_was_never_answered_is_the_same_everywhere() {
        let mut senders = senders();
        senders[0][2].fate = Fate::Unknown;
        let verdict_on = |falsify: &dyn Fn(&mut Witness)| {
            let mut witnesses = ["honest", "falsified"].map(|name| {
                let mut witness = Witness::of(name, [&conversation()]);
                shown().into_iter().for_each(|seen| witness.add(&conversation(), seen));
                witness
            });
            falsify(&mut witnesses[1]);
            judge(&senders, &witnesses)
        };
        assert!(verdict_on(&|_| {}).is_clean());
        let missing = verdict_on(&|witness| drop(witness.shows.values_mut().next().unwrap().pop()));
        assert_eq!((missing.lost, missing.doubled), (1, 0));
        let renamed = verdict_on(&|witness| {
            witness.shows.values_mut().next().unwrap()[4].text.push('!');
        });
        assert_eq!((renamed.lost, renamed.doubled), (1, 0));
        let renumbered = verdict_on(&|witness| {
            witness.shows.values_mut().next().unwrap()[4].seq = seq(9);
        });
        assert_eq!((renumbered.lost, renumbered.doubled), (1, 0));
        let twice = verdict_on(&|witness| {
            witness.add(&ConversationId::new("c2").unwrap(), shown().remove(4));
        });
        assert_eq!((twice.lost, twice.doubled), (0, 1));
    }
}
