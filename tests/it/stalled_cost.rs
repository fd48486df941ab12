//! P14: what readers cost that take nothing, and how they come back. Twelve visitors and the four agents
//! who serve them stall, all at once: the system takes no more in their place and what comes waits in
//! the relay, while all write, and Vera and Ana, who are not concerned, talk. Then they come back with
//! the place they had, from what is there now by pages, or by what they missed, or they read on where
//! they stalled: what was said since is there, nothing else, in its order.
//!
//! Memory is the peak of the relay (`VmHWM`) above that of another relay, which the same passes while
//! nobody stalls: at most 1 MiB for each reader. Each run 1,800 large messages pass the sixteen readers;
//! with `YINGKE_FULL=P14` then 100,000 pass each agent, a third of them each visitor, while all stall four
//! times.
//!
//! Made to fail: by a relay whose mailboxes may grow to a gigabyte (`OUTBOUND_BYTES_MAX`): 2,378 KiB for
//! each, instead of some 300; by one that loses every 211th message on its way to a reader
//! (`YINGKE_FLAW=lose:211`): what was read on had a hole; by one that deletes a row now and then
//! (`YINGKE_FLAW=sql:11:DELETE …`): the pages had not what was said.

use std::cell::Cell;
use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::future::{join_all, pending, try_join_all};
use tokio::sync::Semaphore;
use yingke_shared::commands::staff::LoadMessages;
use yingke_shared::commands::visitor::LoadHistory;
use yingke_shared::commands::{StaffCommand, VisitorCommand};
use yingke_shared::events::{StaffEvent, StaffEventBody, VisitorEvent, VisitorEventBody};
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{ConversationId, Seq};
use yingke_shared::limits::PAGE_MESSAGES_MAX;
use yingke_shared::snapshot::{StaffSnapshot, VisitorSnapshot};
use yingke_shared::views::{ConversationRecord, HistoryCursor, Message, MessageContent};
use yingke_shared::views::{VisitorContent, VisitorMessage};
use yingke_tests::link::{Bookmark, Held, Link, Side, Staff, Visitor, new_id};
use yingke_tests::processes::peak_kib;
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::TestVisitor;

use crate::scene::Scene;
use crate::stalled::{Stalled, is_full};

/// Who stall: agents, and the visitors they serve.
const AGENTS: [&str; 4] = ["Ben", "Chen", "Dora", "Emil"];
const SERVED: usize = 3;
const VISITORS: usize = SERVED * AGENTS.len();
const READERS: usize = VISITORS + AGENTS.len();
/// What is promised for each.
const KIB_EACH_MAX: f64 = 1_024.0;
/// Messages sent without waiting for answers.
const BURST: usize = 8;

/// So many messages of each writer, of so many characters.
#[derive(Debug, Clone, Copy)]
struct Flood {
    messages: usize,
    chars: usize,
}

/// A page's worth, for them to ask for.
const PAGE: Flood = Flood { messages: 25, chars: 3_900 };
/// Far more than a reader may have waiting, and than one who was away is sent.
const MANY: Flood = Flood { messages: 150, chars: 3_900 };
/// Less than that.
const FEW: Flood = Flood { messages: 5, chars: 1_000 };
/// What comes when they are back.
const NEXT: Flood = Flood { messages: 1, chars: 20 };
/// Of a full dose, in which they stall so often.
const ROUNDS: usize = 4;
const ROUND: Flood = Flood { messages: 100_000 / SERVED / ROUNDS + 1, chars: 100 };

/// A message: its number in the conversation, its writer's own, and how long it is.
#[derive(Debug, Clone, Copy)]
struct Said {
    seq: Seq,
    number: usize,
    chars: usize,
}

impl Said {
    fn text(&self) -> String {
        format!("{} {}", self.number, "茶".repeat(self.chars))
    }
}

/// What was said since some moment, by conversation.
type Since = BTreeMap<ConversationId, Vec<Said>>;

/// A message as a reader was given it; a notice has no text.
type Given = (Seq, String);

/// A visitor who writes down what was accepted.
struct Writer {
    visitor: TestVisitor,
    conversation: ConversationId,
    said: Vec<Said>,
}

impl Writer {
    async fn write(&mut self, flood: Flood) -> Result<()> {
        let link = self.visitor.link()?;
        let mut left = flood.messages;
        while left > 0 {
            let mut burst = Vec::new();
            for _ in 0..left.min(BURST) {
                let number = self.said.len() + burst.len();
                let message = Said { seq: Seq::ZERO, number, chars: flood.chars };
                let id = new_id();
                link.send(&id, &TestVisitor::message(&message.text())).await?;
                burst.push((id, message));
            }
            left -= burst.len();
            for (id, mut message) in burst {
                match link.answer(&id).await? {
                    Ok(Outcome::Accepted { seq, .. }) => message.seq = seq,
                    other => bail!("a message is accepted, not {other:?}"),
                }
                self.said.push(message);
            }
        }
        Ok(())
    }
}

/// Somebody who reads: a writer, on another tab, or an agent who serves some of them.
#[derive(Debug, Clone)]
struct Reader {
    token: String,
    conversations: Vec<ConversationId>,
}

/// Visitors who write, agents who serve them, and two who are not concerned.
struct Company {
    scene: Scene,
    writers: Vec<Writer>,
    agents: Vec<Reader>,
    vera: TestVisitor,
    ana: StaffSocket,
    /// How often each of the two was answered.
    exchanged: usize,
}

impl Company {
    async fn open() -> Result<Self> {
        let mut relay = TestRelay::prepare(relay_program()?)?;
        relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "100000");
        relay.run().await?;
        let scene = Scene::on(relay, "http://shop.localhost").await?;
        let (ana, vera) = (scene.agent("Ana", 1).await?, scene.visitor().await?);
        vera.say("not concerned").await?;
        vera.until_served().await?;
        let mut writers = Vec::new();
        for _ in 0..VISITORS {
            let visitor = scene.visitor().await?;
            let conversation = visitor.say("the beginning").await?.conversation;
            writers.push(Writer { visitor, conversation, said: Vec::new() });
        }
        let mut agents = Vec::new();
        for name in AGENTS {
            let agent = scene.agent(name, u32::try_from(SERVED)?).await?;
            let conversations = agent.until_holding(SERVED).await?;
            // Who leaves goes on serving them.
            agents.push(Reader { token: agent.token.clone(), conversations });
        }
        let mut company = Self { scene, writers, agents, vera, ana, exchanged: 0 };
        company.flood(PAGE).await?;
        Ok(company)
    }

    fn visitors(&self) -> Vec<Reader> {
        let readers = self.writers.iter().map(|writer| Reader {
            token: writer.visitor.token.clone(),
            conversations: vec![writer.conversation.clone()],
        });
        readers.collect()
    }

    /// How much everybody has said.
    fn moment(&self) -> Vec<usize> {
        self.writers.iter().map(|writer| writer.said.len()).collect()
    }

    fn said_since(&self, moment: &[usize]) -> Since {
        let all = self.writers.iter().zip(moment).map(|(writer, &said)| {
            (writer.conversation.clone(), writer.said.iter().skip(said).copied().collect())
        });
        all.collect()
    }

    /// Everybody writes, and until all is said the two talk.
    async fn flood(&mut self, flood: Flood) -> Result<()> {
        let Self { writers, vera, ana, exchanged, .. } = self;
        let is_said = Cell::new(false);
        let writing = async {
            let written = try_join_all(writers.iter_mut().map(|writer| writer.write(flood))).await;
            is_said.set(true);
            written
        };
        let talking = async {
            loop {
                *exchanged += 1;
                let asked = vera.say(&format!("question {exchanged}")).await?;
                let has_come = |record: &ConversationRecord| record.last_message.seq >= asked.seq;
                ana.until_record("the question", &asked.conversation, has_come).await?;
                let answer = format!("answer {exchanged}");
                ana.say(&asked.conversation, &answer).await?;
                vera.until_text(&answer).await?;
                if is_said.get() {
                    return Ok::<_, anyhow::Error>(());
                }
            }
        };
        tokio::try_join!(writing, talking)?;
        // What they heard is not kept.
        for writer in writers {
            writer.visitor.connect().await?;
        }
        Ok(())
    }

    /// All of them at once: first the visitors, then the agents.
    async fn stall(&self) -> Result<Vec<Stalled>> {
        let port = self.scene.address().port;
        let visitors = self
            .writers
            .iter()
            .map(|writer| Stalled::open::<Visitor>(port, &writer.visitor.token, None));
        let agents = self.agents.iter().map(|agent| {
            Stalled::open::<Staff>(port, &agent.token, agent.conversations.first().cloned())
        });
        let (mut all, agents) = tokio::try_join!(try_join_all(visitors), try_join_all(agents))?;
        all.extend(agents);
        Ok(all)
    }

    /// Everybody writes past these, who are behind.
    async fn flood_past(&mut self, flood: Flood, stalled: &mut [Stalled]) -> Result<()> {
        let (readers, behind) = (u32::try_from(stalled.len())?, Semaphore::new(0));
        let stay = async {
            join_all(stalled.iter_mut().map(|reader| reader.stay_behind(&behind))).await;
            pending().await
        };
        let pass = async {
            let _all = behind.acquire_many(readers).await?;
            self.flood(flood).await
        };
        tokio::select! { passed = pass => passed, () = stay => Ok(()) }
    }
}

/// A side of the protocol as one reads conversations on it.
trait Reads: Side {
    /// What an event says of a message.
    fn given(event: &Self::Event) -> Option<(&ConversationId, Given)>;
    /// The newest messages that a snapshot holds.
    fn newest(snapshot: &Self::Snapshot) -> Vec<Given>;
    /// The page before a message, or the last.
    async fn page(
        link: &Link<Self>,
        conversation: &ConversationId,
        before: Option<Seq>,
    ) -> Result<Vec<Given>>;
}

fn of_visitor(message: &VisitorMessage) -> Given {
    match &message.content {
        VisitorContent::Text { text } => (message.seq, text.clone()),
        _ => (message.seq, String::new()),
    }
}

fn of_staff(message: &Message) -> Given {
    match &message.content {
        MessageContent::Text { text } => (message.seq, text.clone()),
        _ => (message.seq, String::new()),
    }
}

impl Reads for Visitor {
    fn given(event: &VisitorEvent) -> Option<(&ConversationId, Given)> {
        match &event.body {
            VisitorEventBody::MessageAppended { message } => {
                Some((&message.conversation_id, of_visitor(message)))
            }
            _ => None,
        }
    }

    fn newest(snapshot: &VisitorSnapshot) -> Vec<Given> {
        snapshot.messages.iter().map(of_visitor).collect()
    }

    async fn page(
        link: &Link<Self>,
        conversation: &ConversationId,
        before: Option<Seq>,
    ) -> Result<Vec<Given>> {
        let before = before.map(|seq| HistoryCursor { conversation_id: conversation.clone(), seq });
        let load = VisitorCommand::LoadHistory(LoadHistory { before, limit: PAGE_MESSAGES_MAX });
        match link.must(&load).await? {
            Outcome::History { page } => Ok(page.messages.iter().map(of_visitor).collect()),
            other => bail!("a page, not {other:?}"),
        }
    }
}

impl Reads for Staff {
    fn given(event: &StaffEvent) -> Option<(&ConversationId, Given)> {
        match &event.body {
            StaffEventBody::MessageAppended { conversation_id, message, .. } => {
                Some((conversation_id, of_staff(message)))
            }
            _ => None,
        }
    }

    fn newest(_snapshot: &StaffSnapshot) -> Vec<Given> {
        // Of each conversation it has the last message, which the page before nothing has too.
        Vec::new()
    }

    async fn page(
        link: &Link<Self>,
        conversation: &ConversationId,
        before: Option<Seq>,
    ) -> Result<Vec<Given>> {
        let (conversation_id, limit) = (conversation.clone(), PAGE_MESSAGES_MAX);
        let load = StaffCommand::LoadMessages(LoadMessages { conversation_id, before, limit });
        match link.must(&load).await? {
            Outcome::Messages { page } => Ok(page.messages.iter().map(of_staff).collect()),
            other => bail!("a page, not {other:?}"),
        }
    }
}

/// What events say of a conversation, raw.
fn delivered<S: Reads>(events: &[S::Event], conversation: &ConversationId) -> Vec<Given> {
    let all = events.iter().filter_map(S::given);
    all.filter(|(of, _)| *of == conversation).map(|(_, given)| given).collect()
}

/// Whether the last that was said is among them, in each conversation.
fn is_all<S: Reads>(reader: &Reader, since: &Since, events: &[S::Event]) -> bool {
    reader.conversations.iter().all(|conversation| {
        let last = since.get(conversation).and_then(|said| said.last());
        let all = events.iter().rev().filter_map(S::given);
        let has_come =
            |seq: Seq| all.clone().any(|(of, given)| of == conversation && given.0 >= seq);
        last.is_some_and(|last| has_come(last.seq))
    })
}

/// What was said is given, each once and in its order, and nothing between or after.
fn same(said: &[Said], given: &[Given]) -> Result<()> {
    let first = said.first().context("something was said")?.seq;
    let given: Vec<&Given> = given.iter().filter(|(seq, _)| *seq >= first).collect();
    for (said, (seq, text)) in said.iter().zip(&given) {
        ensure!(said.seq == *seq, "{seq:?} instead of {said:?}");
        ensure!(said.text() == *text, "something else than {said:?}");
    }
    ensure!(said.len() == given.len(), "{} of {} messages", given.len(), said.len());
    Ok(())
}

/// How somebody comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Is sent what was missed.
    Resuming,
    /// Sees what is there now, and pages back from it to the place.
    Snapshot,
}

/// Who was where before anybody stalled.
type Places<S> = Vec<(Reader, Bookmark<S>)>;

async fn places<S: Side>(company: &Company, readers: Vec<Reader>) -> Result<Places<S>> {
    let mut all = Vec::new();
    for reader in readers {
        let link = Link::<S>::open(company.scene.address(), &reader.token, None).await?;
        all.push((reader, link.bookmark()));
    }
    Ok(all)
}

/// Somebody who is back, and what was read of each conversation by then.
struct Back<S: Side> {
    reader: Reader,
    link: Link<S>,
    read: BTreeMap<ConversationId, Vec<Given>>,
}

impl<S: Reads> Back<S> {
    async fn come(
        company: &Company,
        (reader, place): (Reader, Bookmark<S>),
        (missed, by): (&Since, By),
    ) -> Result<Self> {
        let link = Link::open(company.scene.address(), &reader.token, Some(place)).await?;
        let resumed = link.look(|held| held.resumed);
        ensure!(resumed == (by == By::Resuming), "not back by {by:?}");
        let mut read = BTreeMap::new();
        for conversation in reader.conversations.iter().filter(|_| !resumed) {
            let from = missed.get(conversation).and_then(|said| said.first());
            let from = from.context("something was missed")?.seq;
            let mut found = S::newest(&link.snapshot());
            while found.first().is_none_or(|(seq, _)| *seq >= from) {
                let before = found.first().map(|(seq, _)| *seq);
                let page = S::page(&link, conversation, before).await?;
                ensure!(!page.is_empty(), "the past ends too early");
                found.splice(0..0, page);
            }
            read.insert(conversation.clone(), found);
        }
        Ok(Self { reader, link, read })
    }

    /// Once what was said last has come too, all of it is there.
    async fn check(mut self, since: &Since) -> Result<()> {
        let is_there =
            |held: &Held<S>| is_all::<S>(&self.reader, since, &held.events).then_some(());
        self.link.until("what comes next", is_there).await?;
        for conversation in &self.reader.conversations {
            let mut given = self.read.remove(conversation).unwrap_or_default();
            given.extend(self.link.look(|held| delivered::<S>(&held.events, conversation)));
            same(since.get(conversation).context("said")?, &given)?;
        }
        Ok(())
    }
}

/// Everybody comes back with the place they had, and all go on writing: each has what was said since.
async fn come_back(
    company: &mut Company,
    (visitors, agents): (Places<Visitor>, Places<Staff>),
    (moment, by): (&[usize], By),
) -> Result<()> {
    let missed = company.said_since(moment);
    let (mut visitors_back, mut agents_back) = (Vec::new(), Vec::new());
    for place in visitors {
        visitors_back.push(Back::come(company, place, (&missed, by)).await?);
    }
    for place in agents {
        agents_back.push(Back::come(company, place, (&missed, by)).await?);
    }
    company.flood(NEXT).await?;
    let since = company.said_since(moment);
    for back in visitors_back {
        back.check(&since).await?;
    }
    for back in agents_back {
        back.check(&since).await?;
    }
    Ok(())
}

/// Reads on where it stalled; gives whether the relay had left it there. All that was said is given.
async fn reads_on<S: Reads>(stalled: Stalled, reader: &Reader, since: &Since) -> Result<bool> {
    let Some(events) = stalled.read_on::<S>(|events| is_all::<S>(reader, since, events)).await?
    else {
        return Ok(false);
    };
    for conversation in &reader.conversations {
        same(since.get(conversation).context("said")?, &delivered::<S>(&events, conversation))?;
    }
    Ok(true)
}

/// All that passes them, with readers that stall or without; gives the peak of the relay's memory.
async fn all_passes(company: &mut Company, is_stalling: bool) -> Result<f64> {
    let floods = [MANY].into_iter().chain([ROUND; ROUNDS].into_iter().filter(|_| is_full()));
    for flood in floods {
        let mut stalled = if is_stalling { company.stall().await? } else { Vec::new() };
        company.flood_past(flood, &mut stalled).await?;
    }
    peak_kib(company.scene.relay.pid()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_a_reader_that_stalls_costs_little_and_comes_back() -> Result<()> {
    let mut calm = Company::open().await?;
    let without = all_passes(&mut calm, false).await?;
    calm.scene.finish().await?;

    let mut company = Company::open().await?;
    let (moment, visitors) = (company.moment(), company.visitors());
    let agents = company.agents.clone();
    let visitors_were = places::<Visitor>(&company, company.visitors()).await?;
    let agents_were = places::<Staff>(&company, company.agents.clone()).await?;
    let with = all_passes(&mut company, true).await?;
    let each = (with - without).max(0.0) / READERS as f64;
    let passed: usize = company.said_since(&moment).values().map(Vec::len).sum();
    println!(
        "P14: {passed} messages passed {READERS} stalled readers; {each:.0} KiB for each \
         ({without:.0} KiB without them); {} questions of others were answered meanwhile",
        company.exchanged
    );
    ensure!(each <= KIB_EACH_MAX, "{each} KiB for each stalled reader");
    come_back(&mut company, (visitors_were, agents_were), (&moment, By::Snapshot)).await?;

    // Of less, too: where they are, and with their place.
    let moment = company.moment();
    let visitors_were = places::<Visitor>(&company, company.visitors()).await?;
    let agents_were = places::<Staff>(&company, company.agents.clone()).await?;
    let mut stalled = company.stall().await?;
    company.flood_past(FEW, &mut stalled).await?;
    let since = company.said_since(&moment);
    // Those whom the relay has not cut off by then, for having taken nothing for so long.
    let mut read_on = 0;
    let mut stalled = stalled.into_iter();
    for (reader, stalled) in visitors.iter().zip(stalled.by_ref()) {
        read_on += usize::from(reads_on::<Visitor>(stalled, reader, &since).await?);
    }
    for (reader, stalled) in agents.iter().zip(stalled) {
        read_on += usize::from(reads_on::<Staff>(stalled, reader, &since).await?);
    }
    println!("P14: {read_on} of {READERS} read on where they had stalled");
    come_back(&mut company, (visitors_were, agents_were), (&moment, By::Resuming)).await?;
    company.scene.finish().await
}
