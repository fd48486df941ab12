//! The agent's side of P11 (`widget_scripts.rs`): she answers what the scripts ask her to, and in the
//! end what the visitor's pages show is held against the REST history, her page and her local
//! database. It plays no script.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, ensure};
use serde::Deserialize;
use yingke_client::bridge::types::{OutboxState, Standing};
use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_shared::views::Availability;
use yingke_tests::http::{Account, Address};
use yingke_tests::judge::{Fate, Seen, Sent, Witness, judge};
use yingke_tests::link::new_id;
use yingke_tests::seat::{TestSeat, View, cached_messages};
use yingke_tests::wait;

use crate::scene::Scene;
use crate::witnesses;

/// A local database keeps the newest two hundred conversations that are over; among so many none of
/// those that were seen is too old.
const ALL_KEPT: usize = 100;

/// What all pages of a visitor agreed on.
#[derive(Deserialize)]
pub(crate) struct Evidence {
    /// What each page shows as stored.
    pages: Vec<Page>,
    /// What each tab wrote, in order.
    senders: Vec<Vec<Wrote>>,
}

#[derive(Deserialize)]
struct Page {
    lines: Vec<Stored>,
    /// All that the relay has told its visitor of.
    conversations: BTreeSet<ConversationId>,
}

#[derive(Deserialize)]
struct Wrote {
    text: String,
    /// As the relay tells it; none if it is not there.
    stored: Option<Placed>,
}

#[derive(Deserialize)]
struct Placed {
    client_id: ClientId,
    conversation_id: ConversationId,
    seq: Seq,
}

#[derive(Deserialize)]
struct Stored {
    client_id: ClientId,
    conversation: ConversationId,
    seq: Seq,
    text: String,
}

/// An answer of the agent's.
struct Answer {
    client_id: ClientId,
    conversation: ConversationId,
    text: String,
    /// The relay refused it, and her page says so.
    is_refused: bool,
}

/// The agent's seat.
pub(crate) struct Bench {
    seat: TestSeat,
    /// What she answered, by script.
    answers: BTreeMap<u64, Vec<Answer>>,
    /// What her page showed.
    seen: BTreeMap<ConversationId, Vec<Seen>>,
}

impl Bench {
    pub(crate) async fn open(home: &Path, address: &Address, account: &Account) -> Result<Self> {
        let seat = TestSeat::open(home, address, account).await?;
        seat.set_availability(Availability::Online).await?;
        Ok(Self { seat, answers: BTreeMap::new(), seen: BTreeMap::new() })
    }

    /// She answers, unless the conversation is not hers, or over already: then nobody does.
    pub(crate) async fn answer(&mut self, script: u64, conversation: &ConversationId, text: &str) {
        if self.seat.look(|view| view.row(conversation).is_none()) {
            return;
        }
        if let Ok(item) = self.seat.say(conversation, text).await {
            self.answers.entry(script).or_default().push(Answer {
                client_id: item.client_id,
                conversation: conversation.clone(),
                text: text.to_owned(),
                is_refused: false,
            });
        }
    }

    /// Waits until each answer to a script has arrived or was refused; how many arrived.
    pub(crate) async fn settle(&mut self, script: u64) -> Result<usize> {
        let Some(answers) = self.answers.get_mut(&script) else { return Ok(0) };
        let conversations: BTreeSet<_> =
            answers.iter().map(|answer| answer.conversation.clone()).collect();
        for conversation in conversations {
            for client_id in refused_in(&self.seat, &conversation).await? {
                for answer in answers.iter_mut().filter(|it| it.client_id == client_id) {
                    answer.is_refused = true;
                }
            }
        }
        Ok(answers.iter().filter(|answer| !answer.is_refused).count())
    }

    /// What the visitor's pages show is what staff sees; what is wrong in words, or none.
    pub(crate) async fn judge(
        &mut self,
        scene: &Scene,
        script: u64,
        evidence: &Evidence,
    ) -> Result<Option<String>> {
        let mut senders: Vec<Vec<Sent>> =
            evidence.senders.iter().map(|chain| chain.iter().map(sent).collect()).collect();
        let answers = self.answers.remove(&script).unwrap_or_default();
        let mut conversations: BTreeSet<_> =
            evidence.pages.iter().flat_map(|page| page.conversations.clone()).collect();
        conversations.extend(answers.iter().map(|answer| answer.conversation.clone()));
        conversations.extend(senders.iter().flatten().filter_map(|sent| match &sent.fate {
            Fate::Acked(conversation, _) => Some(conversation.clone()),
            _ => None,
        }));
        let mut history = Witness::of("REST history", &conversations);
        let mut hers = Witness::of("the agent's page", []);
        for conversation in &conversations {
            let all = scene.address().history(&scene.admin.token, conversation).await?;
            for message in all.iter().filter_map(witnesses::seen) {
                history.add(conversation, message);
            }
            let newest = history.shows[conversation].last().map_or(Seq::ZERO, |seen| seen.seq);
            if let Some(page) = self.page(conversation, newest).await? {
                self.seen.insert(conversation.clone(), page.clone());
                hers.shows.insert(conversation.clone(), page);
            }
        }
        senders.push(answers.into_iter().map(|answer| fate_of(answer, &history)).collect());
        let mut all = vec![history, hers];
        for (number, page) in evidence.pages.iter().enumerate() {
            let mut witness = Witness::of(format!("tab {number}"), &page.conversations);
            for Stored { client_id, conversation, seq, text } in &page.lines {
                let seen = Seen { seq: *seq, client_id: client_id.clone(), text: text.clone() };
                witness.add(conversation, seen);
            }
            all.push(witness);
        }
        let verdict = judge(&senders, &all);
        Ok((!verdict.is_clean()).then(|| format!("{verdict} {:#?}", verdict.findings)))
    }

    /// What her page shows of a conversation that is hers, once the newest text has come.
    async fn page(&self, conversation: &ConversationId, newest: Seq) -> Result<Option<Vec<Seen>>> {
        let is_hers = |view: &View| {
            view.row(conversation).is_some_and(|row| row.standing == Standing::Serving)
        };
        if !self.seat.look(is_hers) {
            return Ok(None);
        }
        let what = "the newest text is at the agent";
        self.seat.until_row(what, conversation, |row| row.said.seq >= newest).await?;
        let page = self.seat.whole_chat(conversation).await?;
        Ok(Some(page.iter().filter_map(witnesses::seen).collect()))
    }

    /// She goes; what her page showed is in her local database.
    pub(crate) async fn close(self) -> Result<()> {
        let folder = self.seat.account_folder()?;
        self.seat.stop().await;
        let mut cache = cached_messages(&folder)?;
        let has_all = self.seen.len() <= ALL_KEPT;
        for (conversation, page) in self.seen {
            let cached = cache.remove(&conversation);
            if cached.is_none() && !has_all {
                continue;
            }
            let cached = cached.unwrap_or_default();
            let cached: Vec<Seen> = cached.iter().filter_map(witnesses::seen).collect();
            ensure!(cached == page, "{conversation}: {page:?} was shown, and {cached:?} is kept");
        }
        Ok(())
    }
}

/// Waits until nothing is on its way there; gives what the relay refused. It is asked for: what is
/// pushed comes when it comes.
async fn refused_in(seat: &TestSeat, conversation: &ConversationId) -> Result<Vec<ClientId>> {
    wait::until("what she answered is settled", || async {
        let outbox = match seat.open_conversation(conversation).await {
            Ok(chat) => chat.outbox,
            // Over, and nothing of hers is left there.
            Err(_) if seat.look(|view| view.row(conversation).is_none()) => Vec::new(),
            Err(error) => return Err(error),
        };
        let is_over = outbox.iter().all(|item| matches!(item.state, OutboxState::Failed { .. }));
        Ok(is_over.then(|| outbox.into_iter().map(|item| item.client_id).collect()))
    })
    .await
}

/// Stored, or nowhere.
fn sent(wrote: &Wrote) -> Sent {
    let text = wrote.text.clone();
    match &wrote.stored {
        Some(Placed { client_id, conversation_id, seq }) => Sent {
            client_id: client_id.clone(),
            text,
            fate: Fate::Acked(conversation_id.clone(), *seq),
        },
        None => Sent { client_id: new_id(), text, fate: Fate::Refused },
    }
}

/// What was not refused was acknowledged, and has to be in the history.
fn fate_of(answer: Answer, history: &Witness) -> Sent {
    let Answer { client_id, conversation, text, is_refused } = answer;
    let stands = history.shows[&conversation].iter().find(|seen| seen.client_id == client_id);
    let seq = stands.map_or(Seq::ZERO, |seen| seen.seq);
    let fate = if is_refused { Fate::Refused } else { Fate::Acked(conversation, seq) };
    Sent { client_id, text, fate }
}
