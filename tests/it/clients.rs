//! P10: the agent's client is killed (-9) again and again while messages are queued and sent: the
//! real headless process, on a network that is good, gone, or swallows one direction (so that the
//! relay has committed and its answer never comes). Two accounts take turns on one computer. In the
//! end each queued message is there once, in order, under its own author; drafts are back after each
//! kill; while one account is signed in nothing of the other goes.
//!
//! That it can fail is shown beside it: clients whose files break the law between two lives (unsent
//! messages forgotten, sent again under another id, drafts forgotten) are found out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use tempfile::TempDir;
use yingke_client::bridge::types::UiRequest;
use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_shared::views::{Author, Availability};
use yingke_tests::chance::Chance;
use yingke_tests::client::{ClientProcess, Pending};
use yingke_tests::dose;
use yingke_tests::http::{Account, Address};
use yingke_tests::judge::{Fate, Seen, Sent, Verdict, Witness, judge};
use yingke_tests::link::new_id;
use yingke_tests::proxy::{Order, Proxy, Toward};
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::seat::{TestSeat, acknowledged, cached_messages};
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::scene::Scene;
use crate::witnesses;

/// Computers at once, and kills on each.
const EACH_RUN: (usize, usize) = (4, 7);
const FULL: (usize, usize) = (6, 167);
/// A full dose is over by then, however slow the machine; what came of it is a part then.
const FULL_WITHIN: Duration = Duration::from_secs(14 * 60);
const CONVERSATIONS: usize = 2;
/// See [`Person::lives`].
const SIGN_IN_EVERY: usize = 8;

/// What the network does while messages are written, until the kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Good,
    /// Gone before anything was written.
    Gone,
    /// What the client says never arrives.
    Deaf,
    /// What the relay says never arrives: it commits, and nobody hears of it.
    Mute,
    /// Gone, and back a moment before the kill: in the middle of an attempt.
    Back,
}

const NETWORKS: [Network; 5] =
    [Network::Good, Network::Gone, Network::Deaf, Network::Mute, Network::Back];

/// How a broken client would leave its files behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    ForgetsMessages,
    ForgetsDrafts,
    Renames,
}

impl Flaw {
    fn sql(self) -> &'static str {
        match self {
            Self::ForgetsMessages => "DELETE FROM messages WHERE standing = 'unsent'",
            Self::ForgetsDrafts => "DELETE FROM drafts",
            Self::Renames => {
                "UPDATE OR IGNORE messages SET client_id = client_id || 'x' WHERE standing = 'unsent'"
            }
        }
    }
}

/// A message as its writer remembers it.
struct Written {
    client_id: ClientId,
    conversation: ConversationId,
    text: String,
    /// The client said that it is queued.
    is_queued: bool,
    /// It did not, and was not asked again.
    is_given_up: bool,
}

/// What a draft may be after a kill: what was answered last, or anything asked since.
#[derive(Default)]
struct Drafts {
    asked: BTreeMap<ConversationId, Vec<(u64, String)>>,
    last: u64,
}

impl Drafts {
    /// Gives the number of what is asked.
    fn ask(&mut self, conversation: &ConversationId, text: &str) -> u64 {
        self.last += 1;
        let asked = self.asked.entry(conversation.clone()).or_default();
        if asked.is_empty() {
            asked.push((0, String::new()));
        }
        asked.push((self.last, text.to_owned()));
        self.last
    }

    /// This one was answered, so all before it are over.
    fn answered(&mut self, number: u64) {
        for asked in self.asked.values_mut() {
            if asked.iter().any(|(known, _)| *known == number) {
                asked.retain(|(known, _)| *known >= number);
            }
        }
    }

    fn found(&mut self, conversation: &ConversationId, text: &str) -> Result<()> {
        let asked = self.asked.entry(conversation.clone()).or_default();
        let is_known = asked.iter().any(|(_, known)| known == text);
        ensure!(
            is_known || (asked.is_empty() && text.is_empty()),
            "the draft is {text:?}, not of {asked:?}"
        );
        *asked = vec![(self.last, text.to_owned())];
        Ok(())
    }
}

/// One account and what was done with it.
struct Person {
    account: Account,
    /// Another device, always there, so that the conversations stay this agent's.
    staff: StaffSocket,
    /// Lives since that device signed in: an account has only so many sessions, and the oldest goes.
    lives: usize,
    visitors: Vec<TestVisitor>,
    conversations: Vec<ConversationId>,
    written: Vec<Written>,
    said_by_visitors: Vec<Sent>,
    drafts: Drafts,
}

impl Person {
    async fn new(scene: &Scene, name: &str) -> Result<Self> {
        let account = scene.hire(name, 8).await?;
        let staff = StaffSocket::sign_in(scene.address(), &account).await?;
        staff.set_availability(Availability::Online).await?;
        let mut person = Self {
            account,
            staff,
            lives: 0,
            visitors: Vec::new(),
            conversations: Vec::new(),
            written: Vec::new(),
            said_by_visitors: Vec::new(),
            drafts: Drafts::default(),
        };
        for number in 0..CONVERSATIONS {
            let visitor = scene.visitor().await?;
            let text = format!("visitor {number} asks {name}");
            let accepted = visitor.say(&text).await?;
            person.staff.until_gained(&accepted.conversation).await?;
            person.said_by_visitors.push(Sent {
                client_id: accepted.client_id,
                text,
                fate: Fate::Acked(accepted.conversation.clone(), accepted.seq),
            });
            person.conversations.push(accepted.conversation);
            person.visitors.push(visitor);
        }
        person.staff.set_availability(Availability::Busy).await?;
        Ok(person)
    }

    fn queued(&self) -> usize {
        self.written.iter().filter(|written| written.is_queued).count()
    }

    /// The last number of each conversation, by the relay.
    async fn last_numbers(&self, address: &Address, token: &str) -> Result<Vec<Option<Seq>>> {
        let mut numbers = Vec::new();
        for conversation in &self.conversations {
            let page = address.history_page(token, conversation, None).await?;
            let page = page.map_err(|refused| anyhow!("{refused:?}"))?;
            numbers.push(page.messages.last().map(|message| message.seq));
        }
        Ok(numbers)
    }
}

/// What one request was about, and its number among what concerns drafts.
enum About {
    Message(usize, u64),
    Draft(u64),
}

/// A computer with two accounts and a network of its own.
struct Computer {
    home: TempDir,
    proxy: Proxy,
    /// The relay through the proxy.
    by_proxy: Address,
    /// The relay directly.
    direct: Address,
    token: String,
    people: [Person; 2],
    networks: &'static [Network],
    flaw: Option<Flaw>,
    chance: Chance,
    kills: usize,
}

impl Computer {
    async fn new(scene: &Scene, number: u8, chance: Chance) -> Result<Self> {
        let proxy = Proxy::to_as(scene.address(), Ipv4Addr::new(127, 10, 0, 1 + number)).await?;
        Ok(Self {
            home: tempfile::Builder::new().prefix("yingke-computer-").tempdir()?,
            by_proxy: proxy.address(scene.address()),
            proxy,
            direct: scene.address().clone(),
            token: scene.admin.token.clone(),
            people: [
                Person::new(scene, &format!("Ana-{number}")).await?,
                Person::new(scene, &format!("Ben-{number}")).await?,
            ],
            networks: &NETWORKS,
            flaw: None,
            chance,
            kills: 0,
        })
    }

    async fn lives(mut self, kills: usize, until: Instant) -> Result<Self> {
        let mut who = 0;
        // Whether nothing of whoever was there before can still be on its way.
        let mut is_cut_off = false;
        while self.kills < kills && (Instant::now() < until || self.kills == 0) {
            let is_other = self.chance.below(3) == 0;
            let before = who;
            if is_other {
                who = 1 - who;
            }
            let network = *self.chance.one_of(self.networks);
            let context = format!("kill {}, {network:?}", self.kills);
            let former = &self.people[before];
            let numbers = if is_other && is_cut_off {
                Some(former.last_numbers(&self.direct, &self.token).await?)
            } else {
                None
            };
            self.life(who, network).await.context(context)?;
            if let Some(numbers) = numbers {
                let former = &self.people[before];
                let now = former.last_numbers(&self.direct, &self.token).await?;
                ensure!(now == numbers, "something went while another account was signed in");
            }
            is_cut_off = matches!(network, Network::Gone | Network::Deaf);
            self.kills += 1;
        }
        Ok(self)
    }

    /// One life of the client: signed in, looked at, written with, killed.
    async fn life(&mut self, who: usize, network: Network) -> Result<()> {
        self.proxy.up();
        let client = ClientProcess::start(self.home.path()).await?;
        let person = &mut self.people[who];
        person.lives += 1;
        if person.lives.is_multiple_of(SIGN_IN_EVERY) {
            person.staff = StaffSocket::sign_in(&self.direct, &person.account).await?;
        }
        client.sign_in(&self.by_proxy, &person.account).await?;
        for conversation in &person.conversations {
            let draft = client
                .until("the conversation is shown", |view| {
                    view.row(conversation).map(|row| row.draft.clone())
                })
                .await?;
            person.drafts.found(conversation, &draft)?;
        }
        // Whoever did not hear an answer may ask again under the same name.
        let unsure = person.written.iter_mut().filter(|w| !w.is_queued && !w.is_given_up);
        for written in unsure {
            // At once or never: later it would rightly stand behind what was written since.
            written.is_given_up = self.chance.below(2) == 0;
            if !written.is_given_up {
                client.submit(&message(written))?.answer().await?;
                let number = person.drafts.ask(&written.conversation, "");
                person.drafts.answered(number);
                written.is_queued = true;
            }
        }
        if self.chance.below(2) == 0 || network == Network::Mute || person.written.is_empty() {
            client.until_all_sent().await?;
        }
        match network {
            Network::Good => {}
            Network::Gone | Network::Back => self.proxy.down(),
            Network::Deaf => self.proxy.swallow(Order::Hole(Toward::Relay)),
            Network::Mute => self.proxy.swallow(Order::Hole(Toward::Client)),
        }
        let asked = write(person, &client, &mut self.chance, &self.direct)?;
        let pause = Duration::from_micros(self.chance.below(30_000));
        match network {
            Network::Mute => {
                // The relay has the first of them, and its answer is swallowed.
                let first = asked.iter().find_map(|(about, _)| match about {
                    About::Message(at, _) => Some(&person.written[*at]),
                    About::Draft(_) => None,
                });
                let first = first.context("a message was written")?;
                let wanted = (&first.conversation, &first.client_id);
                person
                    .staff
                    .link
                    .until("the relay stores it", |held| {
                        let record = held.snapshot.conversations.get(wanted.0)?;
                        (record.last_message.client_id == *wanted.1).then_some(())
                    })
                    .await?;
            }
            Network::Back => {
                wait::pass(pause).await;
                self.proxy.up();
                wait::pass(Duration::from_micros(self.chance.below(400_000))).await;
            }
            Network::Good | Network::Gone | Network::Deaf => wait::pass(pause).await,
        }
        client.kill().await?;
        // What was still in the network is lost with it.
        self.proxy.order(Order::Reset);
        if let Some(flaw) = self.flaw {
            let folder = account_folder(&self.home.path().join("data"), &person.account)?;
            rusqlite::Connection::open(folder.join("outbox.db"))?.execute(flaw.sql(), [])?;
        }
        for (about, pending) in asked {
            let Some(answer) = pending.heard() else { continue };
            answer.map_err(|error| anyhow!("refused: {error:?}"))?;
            match about {
                About::Message(at, number) => {
                    person.written[at].is_queued = true;
                    person.drafts.answered(number);
                }
                About::Draft(number) => person.drafts.answered(number),
            }
        }
        Ok(())
    }
}

fn message(written: &Written) -> UiRequest {
    UiRequest::SendMessage {
        conversation_id: written.conversation.clone(),
        text: written.text.clone(),
        client_id: Some(written.client_id.clone()),
    }
}

/// Asks for messages and drafts in one breath.
fn write(
    person: &mut Person,
    client: &ClientProcess,
    chance: &mut Chance,
    address: &Address,
) -> Result<Vec<(About, Pending)>> {
    let mut asked = Vec::new();
    // The first in a conversation of its own: see `Network::Mute`.
    for place in 0..chance.between(1, 6) {
        let at = usize::try_from(place.min(1))?;
        let conversation = person.conversations[at].clone();
        let name = format!("{} {}", person.account.account, person.written.len());
        if place > 0 && chance.below(3) == 0 {
            let text = format!("a draft of {name}, {place}");
            address.said.note(&text);
            let about = About::Draft(person.drafts.ask(&conversation, &text));
            let request = UiRequest::SetDraft { conversation_id: conversation, text };
            asked.push((about, client.submit(&request)?));
            continue;
        }
        let text = format!("message {name}: {}", "茶".repeat(usize::try_from(chance.below(200))?));
        address.said.note(&text);
        let number = person.drafts.ask(&conversation, "");
        let written = Written {
            client_id: new_id(),
            conversation,
            text,
            is_queued: false,
            is_given_up: false,
        };
        let about = About::Message(person.written.len(), number);
        asked.push((about, client.submit(&message(&written))?));
        person.written.push(written);
    }
    Ok(asked)
}

/// What was found in the end, over all computers.
#[derive(Default)]
struct Found {
    verdict: Verdict,
    kills: usize,
    queued: usize,
    as_another: usize,
    /// Queued, and the outbox was never told that it is stored.
    not_settled: usize,
}

/// Both accounts come back for good; then the witnesses are heard.
async fn hear(mut computer: Computer, found: &mut Found) -> Result<()> {
    computer.proxy.up();
    found.kills += computer.kills;
    for person in &mut computer.people {
        let home = computer.home.path().join("data");
        let seat = TestSeat::open(&home, &computer.by_proxy, &person.account).await?;
        seat.until_all_sent().await?;
        let rows: BTreeMap<ConversationId, String> = seat.look(|view| {
            let rows = view.state.inbox.iter();
            rows.map(|row| (row.conversation_id.clone(), row.draft.clone())).collect()
        });
        let names = ["REST history", "the agent's page", "the agent's local database"];
        let mut all = names.map(|name| Witness::of(name, &person.conversations)).to_vec();
        let mut lanes: BTreeMap<ConversationId, Vec<Sent>> = BTreeMap::new();
        let texts: BTreeSet<&str> = person.written.iter().map(|w| w.text.as_str()).collect();
        for conversation in &person.conversations {
            person.drafts.found(conversation, rows.get(conversation).context("its row")?)?;
            let rest = computer.direct.history(&computer.token, conversation).await?;
            let own = Author::Agent { agent_id: person.account.id.clone() };
            found.as_another += rest
                .iter()
                .filter(|message| message.author != own)
                .filter_map(witnesses::seen)
                .filter(|seen| texts.contains(seen.text.as_str()))
                .count();
            let stored: Vec<Seen> = rest.iter().filter_map(witnesses::seen).collect();
            for written in person.written.iter().filter(|w| w.conversation == *conversation) {
                let there = stored.iter().find(|seen| seen.client_id == written.client_id);
                let number = there.map_or(Seq::ZERO, |seen| seen.seq);
                let fate = if written.is_queued {
                    Fate::Acked(conversation.clone(), number)
                } else {
                    Fate::Unknown
                };
                lanes.entry(conversation.clone()).or_default().push(Sent {
                    client_id: written.client_id.clone(),
                    text: written.text.clone(),
                    fate,
                });
            }
            all[0].shows.insert(conversation.clone(), stored);
            let page = seat.whole_chat(conversation).await?;
            let page = page.iter().filter_map(witnesses::seen).collect();
            all[1].shows.insert(conversation.clone(), page);
        }
        seat.stop().await;
        let folder = account_folder(&home, &person.account)?;
        let acked: BTreeSet<ClientId> = acknowledged(&folder)?.into_iter().collect();
        let unknown =
            person.written.iter().filter(|w| w.is_queued && !acked.contains(&w.client_id));
        found.not_settled += unknown.count();
        for (conversation, messages) in cached_messages(&folder)? {
            let messages = messages.iter().filter_map(witnesses::seen).collect();
            all[2].shows.insert(conversation, messages);
        }
        all.push(witnesses::visitors("the visitors' sockets", &mut person.visitors).await?);
        let mut senders: Vec<Vec<Sent>> = lanes.into_values().collect();
        senders.extend(person.said_by_visitors.iter().map(|sent| vec![sent.clone()]));
        let verdict = judge(&senders, &all);
        found.queued += person.queued();
        let total = &mut found.verdict;
        total.lost += verdict.lost;
        total.doubled += verdict.doubled;
        total.reordered += verdict.reordered;
        total.uninvited += verdict.uninvited;
        total.findings.extend(verdict.findings);
    }
    Ok(())
}

/// Two accounts have been here: the folder of this one.
pub(crate) fn account_folder(
    home: &std::path::Path,
    account: &Account,
) -> Result<std::path::PathBuf> {
    for entry in std::fs::read_dir(home.join("accounts"))? {
        let folder = entry?.path();
        if folder.to_string_lossy().ends_with(account.id.as_str()) {
            return Ok(folder);
        }
    }
    Err(anyhow!("no folder of {}", account.account))
}

/// 28 kills; with `YINGKE_FULL=P10` 1,002 on six computers at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_killed_with_an_unsent_outbox_the_client_sends_each_message_once() -> Result<()> {
    let is_full = dose::is_full("P10");
    let (computers, kills) = if is_full { FULL } else { EACH_RUN };
    let seed = Chance::seed_or(10);
    let begun = Instant::now();
    let mut relay = TestRelay::prepare(relay_program()?)?;
    // What a person may send is not what is tested here.
    relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "1000");
    relay.run().await?;
    let scene = Scene::on(relay, "http://shop.localhost").await?;
    let mut running = Vec::new();
    for number in 0..u8::try_from(computers)? {
        let chance = Chance::new(seed.wrapping_mul(1_000).wrapping_add(u64::from(number)));
        let computer = Computer::new(&scene, number, chance).await?;
        running.push(tokio::spawn(computer.lives(kills, begun + FULL_WITHIN)));
    }
    let mut found = Found::default();
    for computer in running {
        let computer = computer.await.map_err(|error| anyhow!(error))?;
        let computer = computer.with_context(|| format!("seed {seed}"))?;
        hear(computer, &mut found).await.with_context(|| format!("seed {seed}"))?;
    }
    let verdict = &found.verdict;
    let is_part = found.kills < computers * kills;
    println!(
        "P10{}: kills={} queued={} delivered={} lost={} doubled={} reordered={} as_another={} in {} s \
         seed={seed}",
        if is_part { ", only a PART of the full dose" } else { "" },
        found.kills,
        found.queued,
        found.queued.saturating_sub(verdict.lost),
        verdict.lost,
        verdict.doubled,
        verdict.reordered,
        found.as_another,
        begun.elapsed().as_secs(),
    );
    ensure!(
        verdict.is_clean() && found.as_another + found.not_settled == 0,
        "seed {seed}: {:#?}",
        verdict.findings
    );
    ensure!(is_full || !is_part, "only {} kills", found.kills);
    ensure!(found.queued > found.kills, "hardly anything was queued");
    scene.finish().await
}

/// The same story with clients that break the law in their files must not end well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_a_client_that_breaks_the_law_is_found_out() -> Result<()> {
    let scene = Scene::set().await?;
    let flaws: [(Flaw, &'static [Network]); 3] = [
        (Flaw::ForgetsMessages, &[Network::Gone]),
        (Flaw::ForgetsDrafts, &[Network::Gone]),
        (Flaw::Renames, &[Network::Mute]),
    ];
    for (number, (flaw, networks)) in (0..).zip(flaws) {
        let mut computer = Computer::new(&scene, number, Chance::new(3)).await?;
        (computer.flaw, computer.networks) = (Some(flaw), networks);
        // A lost draft is noticed once one was answered for before a kill: the life ends there.
        let lives = if flaw == Flaw::ForgetsDrafts { 200 } else { 8 };
        let lived = computer.lives(lives, Instant::now() + FULL_WITHIN).await;
        let mut found = Found::default();
        match (flaw, lived) {
            (Flaw::ForgetsDrafts, Err(error)) => {
                ensure!(format!("{error:#}").contains("the draft is"), "{error:#}");
            }
            (Flaw::ForgetsDrafts, Ok(_)) => return Err(anyhow!("lost drafts are not noticed")),
            (_, lived) => {
                hear(lived?, &mut found).await?;
                let verdict = &found.verdict;
                let is_found = match flaw {
                    Flaw::Renames => verdict.doubled > 0,
                    _ => verdict.lost > 0 && found.not_settled > 0,
                };
                ensure!(is_found, "{flaw:?} is not noticed: {verdict}");
            }
        }
    }
    scene.finish().await
}
