//! P1: the relay is killed (-9) again and again under load and loses nothing it acknowledged. Many
//! scripted visitors, two seats with real client cores; kills at random times and at the store's
//! fault points (before a commit, after it and before the answers, after the answers and before the
//! readers). In the end four witnesses are heard and judged.
//!
//! Made to fail: by relays that break the law on purpose, each run (`p1_itself_finds_each_flaw` in
//! `broken.rs`).

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use tokio::task::JoinSet;
use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_shared::views::Availability;
use yingke_tests::browser::{Chromium, DesktopHome, DesktopWindow, Line, Profile, pair_of_seats};
use yingke_tests::chance::Chance;
use yingke_tests::dose;
use yingke_tests::judge::{Fate, Sent, Verdict, Witness, judge};
use yingke_tests::link::new_id;
use yingke_tests::relay::{MAKE_RELAY, TestRelay, relay_program};
use yingke_tests::seat::{TestSeat, cached_messages};
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::pages::with_shop;
use crate::scene::Scene;
use crate::witnesses::{self, Writer};

const FAULT_POINTS: [&str; 3] = ["before_commit", "after_commit", "after_ack"];

/// How a process ends at a fault point, and nowhere else: it aborts.
const ABORTED: i32 = 6;

/// How much of it. A full dose runs in rounds, each on a relay of its own, so that what the judge
/// remembers stays bounded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dose {
    pub(crate) kills: usize,
    /// Visitors who write; as many as there are places are served, the others wait in line.
    pub(crate) visitors: usize,
    /// Conversations of each of the two agents.
    pub(crate) capacity: u32,
    /// A kill waits until about this many messages were acknowledged since the last one.
    pub(crate) acked_between: u64,
    /// But no longer than this.
    pub(crate) alive: Duration,
    /// A fault point ends the relay within so many batches.
    pub(crate) batches: u64,
    /// Every other kill is at one of these, in turn.
    pub(crate) points: &'static [&'static str],
    /// So many messages are acknowledged in the end.
    pub(crate) acked: u64,
    /// How long the agents' pages are waited for in the end.
    pub(crate) patience: Duration,
}

pub(crate) const EACH_RUN: Dose = Dose {
    kills: 30,
    visitors: 12,
    capacity: 200,
    acked_between: 100,
    alive: Duration::from_millis(700),
    batches: 60,
    points: &FAULT_POINTS,
    acked: 12 * 30,
    patience: wait::LIMIT,
};

const FULL_ROUND: Dose = Dose {
    kills: 100,
    visitors: 120,
    capacity: 3,
    acked_between: 1_400,
    alive: Duration::from_secs(3),
    batches: 40,
    points: &FAULT_POINTS,
    acked: 12 * 100,
    patience: wait::LIMIT,
};
/// At least; then on until there are [`FULL_ACKED`].
const FULL_ROUNDS: u64 = 10;
/// So many kills are in a full dose.
const FULL_KILLS: usize = 1_000;
/// So many messages are acknowledged in it, besides.
const FULL_ACKED: usize = 1_000_000;
/// The kills of a full dose are over by then, however slow the machine; what came of it is a part then.
const FULL_WITHIN: Duration = Duration::from_secs(55 * 60);

/// What came of a round.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub(crate) verdict: Verdict,
    /// How long each start after a kill took.
    starts: Vec<Duration>,
    /// How often each fault point ended the relay.
    hits: BTreeMap<&'static str, usize>,
}

/// Told to all writers: whether to go on, and told by them: how many messages were acknowledged.
#[derive(Debug, Default)]
struct Load {
    is_over: AtomicBool,
    acked: AtomicU64,
}

impl Load {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }
}

/// Writes until told to stop; what became of each message is written down.
async fn visitor_writes(
    mut visitor: TestVisitor,
    name: usize,
    load: Arc<Load>,
) -> Result<(TestVisitor, Vec<Sent>)> {
    let mut sent = Vec::new();
    while !load.is_over() {
        let text = format!("from visitor {name}, number {}", sent.len());
        let client_id = new_id();
        let fate = match visitor.say_surely(&client_id, &text).await? {
            Ok(accepted) => Fate::Acked(accepted.conversation, accepted.seq),
            Err(_) => Fate::Refused,
        };
        load.acked.fetch_add(1, Ordering::SeqCst);
        sent.push(Sent { client_id, text, fate });
    }
    Ok((visitor, sent))
}

/// Answers in every conversation of the inbox, a little at a time, until told to stop.
async fn seat_writes(mut writer: Writer, load: Arc<Load>) -> Result<Writer> {
    while !load.is_over() {
        let rows: Vec<ConversationId> = writer.seat.look(|view| {
            let rows = view.state.inbox.iter().filter(|row| row.unsent < 4);
            rows.map(|row| row.conversation_id.clone()).collect()
        });
        for conversation in rows {
            let text = format!("from {}, number {}", writer.name, writer.written.len());
            let item = writer.seat.say(&conversation, &text).await?;
            writer.written.push((item.client_id, conversation, text));
        }
        wait::pass(Duration::from_millis(100)).await;
    }
    Ok(writer)
}

/// Kills and starts again. Every other start is told to end by itself at some passage of a fault
/// point, the one that was hit least; the rest are killed at a random time.
async fn kill_again_and_again(
    relay: &mut TestRelay,
    dose: Dose,
    load: &Load,
    until: Instant,
    chance: &mut Chance,
) -> Result<Round> {
    let mut done = Round::default();
    done.hits.extend(dose.points.iter().map(|point| (*point, 0)));
    let mut armed: Option<&'static str> = None;
    for kill in 0..dose.kills {
        if kill > 0 && Instant::now() > until {
            break;
        }
        if let Some(point) = armed {
            let status = relay.until_ended().await.with_context(|| {
                format!("no fault point was reached: is it built by {MAKE_RELAY}?")
            })?;
            ensure!(status.signal() == Some(ABORTED), "{point} aborts, but it ended: {status}");
            *done.hits.entry(point).or_default() += 1;
        } else {
            let wanted = chance.between(dose.acked_between / 10, 2 * dose.acked_between)
                + load.acked.load(Ordering::SeqCst);
            let end = Instant::now() + dose.alive.mul_f64(chance.below(100) as f64 / 100.0);
            let limit = end.max(Instant::now() + Duration::from_millis(50));
            while load.acked.load(Ordering::SeqCst) < wanted && Instant::now() < limit {
                wait::pass(Duration::from_millis(chance.between(5, 25))).await;
            }
            relay.kill()?;
        }
        let least = done.hits.iter().min_by_key(|(_, hits)| **hits).map(|(point, _)| *point);
        armed = least.filter(|_| armed.is_none() && kill + 1 < dose.kills);
        relay.unset_environment("YINGKE_FAULT");
        if let Some(point) = armed {
            let batch = chance.between(1, dose.batches);
            relay.set_environment("YINGKE_FAULT", format!("{point}:{batch}"));
        }
        match relay.run().await {
            Ok(time) => done.starts.push(time),
            // The point was passed before anybody saw it ready: a kill like any other.
            Err(_) if armed.is_some() && !relay.is_running() => {
                armed = None;
                relay.unset_environment("YINGKE_FAULT");
                done.starts.push(relay.run().await?);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// One round: load, kills, judgement; on a relay with this flaw, or without one.
pub(crate) async fn round(
    dose: Dose,
    flaw: Option<&str>,
    until: Instant,
    chance: &mut Chance,
) -> Result<Round> {
    let mut relay = TestRelay::prepare(relay_program()?)?;
    // What a person may send is not what is tested here.
    relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "1000");
    if let Some(flaw) = flaw {
        relay.set_environment("YINGKE_FLAW", flaw);
    }
    relay.run().await?;
    let mut scene = Scene::on(relay, "http://shop.localhost").await?;
    let address = scene.address().clone();
    let homes = [tempfile::tempdir()?, tempfile::tempdir()?];
    let load = Arc::new(Load::default());
    let mut answering = Vec::new();
    for (name, home) in ["Ana", "Ben"].into_iter().zip(&homes) {
        let account = scene.hire(name, dose.capacity).await?;
        let seat = TestSeat::open(home.path(), &address, &account).await?;
        seat.set_availability(Availability::Online).await?;
        let writer = Writer { name: name.to_owned(), seat, written: Vec::new() };
        answering.push(tokio::spawn(seat_writes(writer, Arc::clone(&load))));
    }
    let mut visiting = JoinSet::new();
    for name in 0..dose.visitors {
        let visitor = scene.visitor().await?;
        visiting.spawn(visitor_writes(visitor, name, Arc::clone(&load)));
    }

    let loaded = async {
        let done = kill_again_and_again(&mut scene.relay, dose, &load, until, chance).await?;
        wait::until("there was a real load", || async {
            Ok((load.acked.load(Ordering::SeqCst) > dose.acked).then_some(()))
        })
        .await?;
        Ok::<_, anyhow::Error>(done)
    };
    let mut done = tokio::select! {
        done = loaded => done?,
        Some(early) = visiting.join_next() => {
            early??;
            bail!("a visitor ended before the load was over");
        }
    };
    load.is_over.store(true, Ordering::SeqCst);
    let mut visitors = Vec::new();
    let mut senders = Vec::new();
    while let Some(visited) = visiting.join_next().await {
        let (visitor, sent) = visited??;
        visitors.push(visitor);
        senders.push(sent);
    }
    let mut all = Vec::new();
    for task in answering {
        let writer = task.await.map_err(|error| anyhow!(error))??;
        writer.seat.until_connected().await?;
        writer.seat.until_all_sent().await?;
        let (pages, sent) =
            witnesses::hear_the_seat_within(dose.patience, writer, &senders, &mut all).await?;
        all.push(pages);
        senders.extend(sent);
    }
    // Only now: the seats may have sent until a moment ago.
    all.push(witnesses::visitors("the visitors' pages", &mut visitors).await?);
    all.push(witnesses::rest(&address, &scene.admin.token, &senders).await?);
    done.verdict = judge(&senders, &all);
    scene.finish().await?;
    Ok(done)
}

/// 30 kills; with `YINGKE_FULL=P1` 1,000 kills and a million messages, in rounds. A full dose that
/// runs out of time says that it is a part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_killed_under_load_the_relay_loses_nothing() -> Result<()> {
    let is_full = dose::is_full("P1");
    let (dose, rounds) = if is_full { (FULL_ROUND, FULL_ROUNDS) } else { (EACH_RUN, 1) };
    let seed = Chance::seed_or(1);
    let begun = Instant::now();
    let mut total = Verdict::default();
    let mut starts = Vec::new();
    let mut hits: BTreeMap<&str, usize> = BTreeMap::new();
    for number in 0.. {
        if number >= rounds && (!is_full || total.acked >= FULL_ACKED) {
            break;
        }
        let mut chance = Chance::new(seed.wrapping_add(number));
        let mut done = round(dose, None, begun + FULL_WITHIN, &mut chance).await?;
        let verdict = done.verdict;
        starts.append(&mut done.starts);
        for (point, times) in done.hits {
            *hits.entry(point).or_default() += times;
        }
        if is_full {
            println!("P1, round {}: kills={} {verdict}", number + 1, starts.len());
        }
        ensure!(verdict.is_clean(), "seed {seed}: {verdict} {:#?}", verdict.findings);
        total.acked += verdict.acked;
        total.unknown += verdict.unknown;
        if begun.elapsed() > FULL_WITHIN {
            break;
        }
    }
    starts.sort();
    let kills = starts.len();
    let slowest = starts.last().copied().unwrap_or_default();
    let middle = starts[kills / 2];
    let is_part = is_full && (kills < FULL_KILLS || total.acked < FULL_ACKED);
    println!(
        "P1{}: kills={kills} acked={} lost={} doubled={} reordered={} unknown={} at fault points \
         {hits:?}, accepting again after {} ms (median), {} ms (slowest) in {} s seed={seed}",
        if is_part { ", only a PART of the full dose" } else { "" },
        total.acked,
        total.lost,
        total.doubled,
        total.reordered,
        total.unknown,
        middle.as_millis(),
        slowest.as_millis(),
        begun.elapsed().as_secs(),
    );
    ensure!(is_full || kills == EACH_RUN.kills, "only {kills} kills");
    ensure!(total.acked > kills * 10, "there was hardly any load: {total}");
    ensure!(hits.values().all(|times| *times > 0), "a fault point was never hit: {hits:?}");
    let is_slow = middle > Duration::from_secs(2);
    ensure!(!is_full || !is_slow, "accepting again took {middle:?}");
    Ok(())
}

/// The same with real pages at both ends: the widget in Chromium and the desktop window, both typing
/// while the relay is killed under them. Witnesses: REST history, the widget's page, the agent's page
/// in the window, the window's local database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_x01_four_witnesses_with_real_pages() -> Result<()> {
    let seed = Chance::seed_or(11);
    let mut chance = Chance::new(seed);
    let (mut scene, shop) = with_shop().await?;
    let account = scene.hire("Ana", 8).await?;
    let _pair = pair_of_seats().await;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    window.sign_in(scene.address(), &account).await?;
    window.go_online().await?;
    let profile = Profile::new()?;
    let vera = Chromium::start(&profile, "zh-CN").await?;
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    let address = scene.address().clone();
    let said = |who: &str, number: usize| {
        let text = format!("{who} 说第 {number} 句。");
        address.said.note(&text);
        text
    };
    let (mut by_vera, mut by_ana) = (vec![said("维拉", 0)], Vec::new());
    vera.say(&by_vera[0]).await?;
    let row = window.page.until_shows("inbox-row", "Tea").await?;
    let conversation = row.conversation_id.context("a conversation")?;
    window.open_conversation(&conversation).await?;
    for number in 1..=6 {
        let texts = [said("维拉", number), said("安娜", number)];
        vera.say(&texts[0]).await?;
        wait::pass(Duration::from_millis(chance.between(0, 40))).await;
        scene.relay.kill()?;
        window.say(&texts[1]).await?;
        scene.relay.run().await?;
        let [first, second] = texts;
        by_vera.push(first);
        by_ana.push(second);
    }

    let conversation = ConversationId::new(conversation)?;
    let (last_of_vera, last_of_ana) = (&by_vera[6], &by_ana[5]);
    for page in [&vera.page, &window.page] {
        page.until_shows("message", last_of_vera).await?;
        page.until_shows("message", last_of_ana).await?;
        page.until("nothing is unsent", || async {
            let lines = page.messages().await?;
            Ok(lines.iter().all(|line| line.seq.is_some()).then_some(()))
        })
        .await?;
    }
    let rest = scene.address().history(&scene.admin.token, &conversation).await?;
    let texts: Vec<&String> = by_vera.iter().chain(&by_ana).collect();
    let heard = |name: &str, lines: Vec<Line>| -> Result<Witness> {
        let mut seen = Vec::new();
        for line in &lines {
            // A bubble shows more than its text: who, when, and how far it has come.
            if let Some(text) = texts.iter().find(|text| line.text.contains(text.as_str())) {
                seen.push(yingke_tests::judge::Seen {
                    seq: Seq::new(line.seq.as_deref().context("a number")?.parse()?)?,
                    client_id: ClientId::new(line.client_id.as_deref().context("an id")?)?,
                    text: (*text).clone(),
                });
            }
        }
        Ok(Witness { name: name.to_owned(), shows: BTreeMap::from([(conversation.clone(), seen)]) })
    };
    let widget = heard("the widget's page", vera.page.messages().await?)?;
    let agent = heard("the agent's window", window.all_messages(rest.len()).await?)?;
    // A sender's own page says what was acknowledged, and under which number.
    let senders: Vec<Vec<Sent>> = [(&by_vera, &widget), (&by_ana, &agent)]
        .into_iter()
        .map(|(texts, own)| {
            let page = &own.shows[&conversation];
            let sent = texts.iter().map(|text| {
                let seen = page.iter().find(|seen| seen.text == *text);
                Sent {
                    client_id: seen.map_or_else(new_id, |seen| seen.client_id.clone()),
                    text: text.clone(),
                    fate: Fate::Acked(
                        conversation.clone(),
                        seen.map_or(Seq::ZERO, |seen| seen.seq),
                    ),
                }
            });
            sent.collect()
        })
        .collect();
    window.close().await?;
    vera.close().await?;
    let cache = cached_messages(&home.account_folder()?)?;
    let cached = cache.get(&conversation).context("the local database has it")?;
    let listed = |name: &str, messages: &[yingke_shared::views::Message]| Witness {
        name: name.to_owned(),
        shows: BTreeMap::from([(
            conversation.clone(),
            messages.iter().filter_map(witnesses::seen).collect(),
        )]),
    };
    let witnesses =
        [widget, agent, listed("REST history", &rest), listed("the local database", cached)];
    let verdict = judge(&senders, &witnesses);
    println!("P1 with real pages: kills=6 {verdict} seed={seed}");
    ensure!(verdict.is_clean() && verdict.acked == 13, "{verdict} {:#?}", verdict.findings);
    scene.finish().await
}
