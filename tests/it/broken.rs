//! The judge is judged: relays that break the law on purpose, each in one way, and each must be found
//! out, by the witness that can. A test that passes on a broken relay proves nothing on a good one.
//!
//! *Stored* flaws falsify what is on the disk, behind the back of the code that acknowledged it: a
//! row that is lost, one that stands there twice under two numbers, two that have changed numbers, a
//! whole batch that was answered and never committed. *Delivered* flaws touch a message on its way to
//! one reader. Applying skips what it knows and clients close holes, so these are looked for in what
//! was delivered, raw; the socket's own check of positions finds those that every client would.
//!
//! The control is the same story on a relay without a flaw: nothing is found.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{ClientId, Position};
use yingke_tests::chance::Chance;
use yingke_tests::judge::{Fate, Sent, Verdict, judge};
use yingke_tests::link::{Link, Side, Visitor, new_id};
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::kills::{self, Dose, EACH_RUN};
use crate::scene::Scene;
use crate::witnesses;

/// Messages sent without waiting for answers, as a script may.
const BURST: usize = 8;
/// Messages sent one after the other.
const IN_TURN: usize = 6;

/// What came out.
#[derive(Debug)]
struct Found {
    verdict: Verdict,
    /// What the sockets' own checks said.
    broken: Vec<String>,
}

/// Sends some at once, then some in turn; everything is acknowledged.
async fn talk(visitor: &TestVisitor, name: &str) -> Result<Vec<Sent>> {
    let mut all = Vec::new();
    let texts = (0..BURST).map(|number| format!("{name} in a burst, {number}"));
    let burst: Vec<(ClientId, String)> = texts.map(|text| (new_id(), text)).collect();
    for (id, text) in &burst {
        visitor.link()?.send(id, &TestVisitor::message(text)).await?;
    }
    for (client_id, text) in burst {
        match visitor.link()?.answer(&client_id).await? {
            Ok(Outcome::Accepted { conversation_id, seq, .. }) => {
                all.push(Sent { client_id, text, fate: Fate::Acked(conversation_id, seq) });
            }
            other => bail!("a message is accepted, not {other:?}"),
        }
    }
    for number in 0..IN_TURN {
        let text = format!("{name} in turn, {number}");
        let accepted = visitor.say(&text).await?;
        let fate = Fate::Acked(accepted.conversation, accepted.seq);
        all.push(Sent { client_id: accepted.client_id, text, fate });
    }
    Ok(all)
}

/// Waits until a reader stands past everything that was committed; gives what its socket complains of.
async fn complaint<S: Side>(link: &Link<S>, head: Position) -> Result<Option<String>> {
    let past = |held: &yingke_tests::link::Held<S>| (held.position >= head).then_some(());
    link.until("the reader stands past everything", past).await?;
    Ok(link.look(|held| held.broken.clone()))
}

/// Vera and Viktor write to Ana on a relay with this flaw, or without one; all witnesses are heard.
async fn story(flaw: Option<&str>) -> Result<Found> {
    let mut relay = TestRelay::prepare(relay_program()?)?;
    if let Some(flaw) = flaw {
        relay.set_environment("YINGKE_FLAW", flaw);
    }
    relay.run().await?;
    let scene = Scene::on(relay, "http://shop.localhost").await?;
    let ana = scene.agent("Ana", 8).await?;
    let (vera, viktor) = (scene.visitor().await?, scene.visitor().await?);
    ana.link.be_patient();
    let mut senders = Vec::new();
    let mut gained = BTreeMap::new();
    for (visitor, name) in [(&vera, "Vera"), (&viktor, "Viktor")] {
        visitor.link()?.be_patient();
        let text = format!("{name} greets");
        let greeting = visitor.say(&text).await?;
        ana.until_gained(&greeting.conversation).await?;
        // What was said before Ana serves is not delivered to her: she reads it.
        let read = ana.history(&greeting.conversation).await?;
        let read = read.iter().filter_map(witnesses::seen).collect();
        gained.insert(greeting.conversation.clone(), read);
        let fate = Fate::Acked(greeting.conversation, greeting.seq);
        let mut sender = vec![Sent { client_id: greeting.client_id, text, fate }];
        sender.extend(talk(visitor, name).await?);
        senders.push(sender);
    }
    let fresh: Link<Visitor> = Link::open(scene.address(), &vera.token, None).await?;
    let head = fresh.look(|held| held.position);
    let complaints = [
        complaint(vera.link()?, head).await?,
        complaint(viktor.link()?, head).await?,
        complaint(&ana.link, head).await?,
    ];
    let heard = [
        witnesses::rest(scene.address(), &scene.admin.token, &senders).await?,
        witnesses::delivered_to_visitor("what Vera was shown", &vera)?,
        witnesses::delivered_to_visitor("what Viktor was shown", &viktor)?,
        witnesses::delivered_to_staff("what Ana was shown", &ana, gained),
    ];
    let verdict = judge(&senders, &heard);
    println!("flaw {:?}: {verdict}", flaw.map(|flaw| flaw.split(' ').next()));
    scene.finish().await?;
    Ok(Found { verdict, broken: complaints.into_iter().flatten().collect() })
}

/// The control: the same story, no flaw, nothing found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_finds_nothing_on_a_good_relay() -> Result<()> {
    let found = story(None).await?;
    ensure!(found.verdict.is_clean() && found.broken.is_empty(), "{found:#?}");
    ensure!(found.verdict.acked == 2 * (1 + BURST + IN_TURN), "{found:#?}");
    Ok(())
}

/// An acknowledged message's row is not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_finds_a_lost_row() -> Result<()> {
    let found = story(Some(
        "sql:5:DELETE FROM messages WHERE (conversation_id, seq) IN (SELECT conversation_id, seq \
         FROM messages WHERE author = 'visitor' ORDER BY at DESC, seq DESC LIMIT 1)",
    ))
    .await?;
    ensure!(found.verdict.lost > 0, "{found:#?}");
    Ok(())
}

/// A message stands in the history twice, under two numbers, as a relay without idempotency makes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_finds_a_message_stored_twice() -> Result<()> {
    let found = story(Some(
        "sql:5:INSERT INTO messages (conversation_id, seq, actor_id, client_id, author, content, \
         is_notice, at, visitor_count, unanswered_since) SELECT conversation_id, seq + 1, actor_id, \
         client_id || '-again', author, content, is_notice, at, visitor_count, unanswered_since \
         FROM messages WHERE author = 'visitor' ORDER BY at DESC, seq DESC LIMIT 1 \
         ON CONFLICT DO NOTHING",
    ))
    .await?;
    ensure!(found.verdict.doubled > 0, "{found:#?}");
    Ok(())
}

/// Two messages of a conversation have changed their numbers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_finds_swapped_numbers() -> Result<()> {
    let found = story(Some(
        "sql:5:UPDATE messages SET seq = seq + 1000000, sum = 0 WHERE author = 'visitor' AND seq > 3 AND \
         (conversation_id, seq) IN (SELECT conversation_id, seq FROM messages ORDER BY at DESC, \
         seq DESC LIMIT 2); UPDATE messages SET seq = (SELECT MIN(seq) + MAX(seq) FROM messages \
         WHERE seq >= 1000000) - seq - 1000000 WHERE seq >= 1000000",
    ))
    .await?;
    ensure!(found.verdict.lost > 0 && found.verdict.reordered > 0, "{found:#?}");
    Ok(())
}

/// A reader is not shown a message that was stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_finds_a_lost_delivery() -> Result<()> {
    let found = story(Some("lose:9")).await?;
    ensure!(found.verdict.lost > 0, "{found:#?}");
    Ok(())
}

/// A reader is shown a message twice; applying hides it, the raw delivery does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_and_the_sockets_find_a_double_delivery() -> Result<()> {
    let found = story(Some("twice:9")).await?;
    ensure!(found.verdict.doubled > 0 && !found.broken.is_empty(), "{found:#?}");
    Ok(())
}

/// A reader is shown a message before the one that was written before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_and_the_sockets_find_a_swapped_delivery() -> Result<()> {
    let found = story(Some("swap:3")).await?;
    ensure!(found.verdict.reordered > 0 && !found.broken.is_empty(), "{found:#?}");
    Ok(())
}

/// A relay that acknowledges before it commits looks well until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_finds_what_was_acknowledged_before_the_commit() -> Result<()> {
    let mut scene = Scene::set().await?;
    let mut vera = scene.visitor().await?;
    scene.relay.stop().await?;
    let fault = format!("uncommitted:{}", Chance::new(Chance::seed_or(3)).between(4, 9));
    scene.relay.set_environment("YINGKE_FAULT", fault);
    scene.relay.run().await?;
    vera.connect().await?;
    let mut own = Vec::new();
    loop {
        let (client_id, text) = (new_id(), format!("Vera's number {}", own.len()));
        let Ok(answer) = vera.say_as(&client_id, &text).await else { break };
        let accepted = answer.map_err(|error| anyhow::anyhow!("refused: {error:?}"))?;
        let fate = Fate::Acked(accepted.conversation, accepted.seq);
        own.push(Sent { client_id, text, fate });
        ensure!(own.len() < 15, "the relay never ended");
    }
    ensure!(!scene.relay.until_ended().await?.success(), "it was not killed");
    scene.relay.unset_environment("YINGKE_FAULT");
    scene.relay.run().await?;
    let senders = [own];
    let mut visitors = [vera];
    let heard = [
        witnesses::rest(scene.address(), &scene.admin.token, &senders).await?,
        witnesses::visitors("Vera's page", &mut visitors).await?,
    ];
    let verdict = judge(&senders, &heard);
    println!("acknowledged before the commit: {verdict}");
    // Vera's page may have been told it: an answer and the delivery leave together.
    ensure!(verdict.lost > 0, "the history misses one: {verdict} {:#?}", verdict.findings);
    scene.finish().await
}

/// What [`p1_itself_finds_each_flaw`] asks for: little, of the same kind.
const SMALL: Dose = Dose {
    kills: 3,
    visitors: 6,
    acked_between: 60,
    acked: 400,
    patience: Duration::from_secs(2),
    ..EACH_RUN
};

/// The story of P1 itself, small, with its own witnesses: on relays with each flaw it does not end
/// well, be it that a visitor's page breaks off for what its socket noticed, be it by the verdict.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_itself_finds_each_flaw() -> Result<()> {
    let lies = Dose { kills: 8, points: &["uncommitted"], ..SMALL };
    // Enough that two deliveries of either kind of reader are the thousandth or so.
    let rarely = Dose { kills: 0, acked: 2_200, ..SMALL };
    for (flaw, dose) in [
        (Some("lose:9"), SMALL),
        (Some("twice:9"), SMALL),
        (Some("swap:3"), SMALL),
        (None, lies),
        (Some("lose:999"), rarely),
    ] {
        let seed = Chance::seed_or(5);
        let far = Instant::now() + wait::LIMIT;
        let found = match kills::round(dose, flaw, far, &mut Chance::new(seed)).await {
            Ok(done) => done.verdict,
            Err(error) => {
                let noticed = format!("{error:#}");
                ensure!(noticed.contains("the relay broke the protocol"), "{flaw:?}: {noticed}");
                println!("P1 on a relay that does {flaw:?}: {noticed}");
                continue;
            }
        };
        println!("P1 on a relay that does {flaw:?}: {found}");
        ensure!(found.lost > 0, "P1 finds nothing of {flaw:?}, seed {seed}: {found}");
    }
    Ok(())
}

/// A program that reaches every switch, so that none is left out as unused.
const USES_ALL_FAULTS: &str = r#"
mod store {
    #[path = "FAULTS.RS"]
    pub(crate) mod faults;
    pub(crate) fn use_all() {
        use faults::{Faults as _, NamedByTests, Point, passage, trip};
        let mut named = NamedByTests;
        let _ = (named.at(Point::AfterAck), named.skips_commit(), named.spoiled_by());
        let _ = passage(b"");
        trip("here");
    }
}
fn main() {
    store::use_all();
}
"#;

/// None of this is in a product build: the file of the faults, compiled as such a build compiles it,
/// does not even know the names of the switches; compiled as for tests, it does.
#[test]
fn a_product_build_has_no_faults() -> Result<()> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../relay/src/store/faults.rs");
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("faults.rs");
    let source = source.canonicalize()?.display().to_string();
    std::fs::write(&program, USES_ALL_FAULTS.replace("FAULTS.RS", &source))?;
    let switches = ["YINGKE_FAULT", "YINGKE_FLAW"];
    for (is_test_build, name) in [(true, "test"), (false, "product")] {
        let built = folder.path().join(name);
        let assertions = if is_test_build { "yes" } else { "no" };
        let compiled = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args(["--edition", "2024", "-A", "warnings", "-C", "opt-level=0"])
            .args(["-C", &format!("debug-assertions={assertions}"), "-C", "debuginfo=0", "-o"])
            .arg(&built)
            .arg(&program)
            .output()?;
        ensure!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        let bytes = std::fs::read(&built)?;
        for switch in switches {
            let is_there = bytes.windows(switch.len()).any(|part| part == switch.as_bytes());
            ensure!(is_there == is_test_build, "{switch} in a {name} build: {is_there}");
        }
    }
    Ok(())
}
