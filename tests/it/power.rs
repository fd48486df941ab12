//! P2: a power loss at any moment loses nothing that was acknowledged.
//!
//! Two lives of a relay are recorded call by call (`yingke_tests::trace`): one from an empty disk over
//! load, checkpoints, a graceful stop, a kill and a recovery; one that begins with the database of the
//! first release and migrates it. From each record states are made that a disk might hold after its
//! power was cut (`yingke_tests::crash`). Every state is opened by the database engine, checked, and
//! its messages are laid before the judge with all that had been said by then, the moment taken from
//! the same record: what went to a socket stands behind the sync that made it true. Some states are
//! opened by the relay itself.
//!
//! Made to fail: by a disk that lies about one kind of sync at a time, in each run (the last test); by
//! `synchronous = NORMAL` instead of FULL in `store/connection.rs` (52 of 240 states lost messages);
//! and by a data folder whose own name was not synced, which is how the relay was before (the first
//! start's states lost the whole folder after the administrator's password had been printed).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rusqlite::Connection;
use serde_json::Value;
use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_tests::chance::Chance;
use yingke_tests::crash::{Disk, Found, Lie, read_folder, write_folder};
use yingke_tests::dose;
use yingke_tests::judge::{Fate, Seen, Sent, Witness, judge};
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::trace::{Call, Recorder, Trace};
use yingke_tests::wait;

use crate::load::{Load, memory_folder};
use crate::scene::Scene;
use crate::{old_release, witnesses};

/// A recorded life of a relay.
struct Life {
    relay: TestRelay,
    trace: Trace,
    /// What the disk held before.
    before: Found,
    /// Who sent what, and what became of it.
    senders: Vec<Vec<Sent>>,
    /// For each accepted message, how many calls had happened when its sender was told.
    told: BTreeMap<ClientId, usize>,
    /// After so many calls the administrator's password had been printed.
    admin_told: usize,
    /// Copies that must stand beside the database before its schema is newer than the first.
    has_copy: bool,
}

impl Life {
    /// From nothing: first start, load with checkpoints, a stop, more load, a kill, a recovery.
    async fn from_nothing() -> Result<Self> {
        let mut relay = TestRelay::empty(relay_program()?, memory_folder()?)?;
        let recorder = Recorder::below(&mut relay)?;
        relay.create_admin()?;
        let admin_told = recorder.size()?;
        relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "10000");
        relay.run().await?;
        let mut scene = Scene::on(relay, "http://shop.localhost").await?;
        let ana = scene.agent("Ana", 4).await?;
        let mut senders = Vec::new();
        senders.extend(load_until(&scene, &recorder, 14, "first").await?);
        drop(ana);
        scene.relay.stop().await?;
        scene.relay.run().await?;
        senders.extend(load_until(&scene, &recorder, 8, "second").await?);
        quiet(&recorder).await?;
        scene.relay.kill()?;
        scene.relay.run().await?;
        senders.extend(load_until(&scene, &recorder, 2, "third").await?);
        scene.relay.stop().await?;
        let Scene { relay, .. } = scene;
        Self::of(relay, recorder, Found::new(), senders, Some(admin_told))
    }

    /// From the database of the first release: a copy, the migrations, a little load, a stop.
    async fn from_the_first_release() -> Result<Self> {
        let mut relay = TestRelay::empty(relay_program()?, memory_folder()?)?;
        let site = old_release::lay_database(&relay.data_dir())?;
        let before = read_folder(&relay.data_dir())?;
        let mut senders = old_release::senders()?;
        let recorder = Recorder::below(&mut relay)?;
        relay.run().await?;
        let mut vera = yingke_tests::visitor::TestVisitor::enter(&relay.address, &site).await?;
        let mut sent = Vec::new();
        for number in 0..5 {
            let text = format!("after the upgrade, {number}");
            let client_id = yingke_tests::link::new_id();
            let accepted = vera.say_surely(&client_id, &text).await?;
            let accepted = accepted.map_err(|error| anyhow::anyhow!("{error:?}"))?;
            let fate = Fate::Acked(accepted.conversation, accepted.seq);
            sent.push(Sent { client_id, text, fate });
        }
        senders.push(sent);
        relay.stop().await?;
        Self::of(relay, recorder, before, senders, None)
    }

    fn of(
        mut relay: TestRelay,
        recorder: Recorder,
        before: Found,
        senders: Vec<Vec<Sent>>,
        admin_told: Option<u64>,
    ) -> Result<Self> {
        for name in ["LD_PRELOAD", "YINGKE_TRACE", "YINGKE_TRACE_ROOT"] {
            relay.unset_environment(name);
        }
        let trace = recorder.finish()?;
        let mut told = trace.told()?;
        for sent in senders.iter().flatten() {
            if matches!(sent.fate, Fate::Acked(..)) && !told.contains_key(&sent.client_id) {
                // Told before the record began.
                ensure!(!before.is_empty(), "the record does not show what a sender was told");
                told.insert(sent.client_id.clone(), 0);
            }
        }
        let mut disk = Disk::new(&trace, &before, Lie::None)?;
        disk.go_to(trace.calls.len())?;
        ensure!(
            disk.now() == read_folder(&relay.data_dir())?,
            "the record is not what happened to the folder"
        );
        let admin_told = admin_told.map_or(usize::MAX, |size| trace.calls_within(size));
        let has_copy = !before.is_empty();
        Ok(Self { relay, trace, before, senders, told, admin_told, has_copy })
    }

    /// What everybody knew after so many calls.
    fn senders_after(&self, calls: usize) -> Vec<Vec<Sent>> {
        let mut senders = self.senders.clone();
        for sent in senders.iter_mut().flatten() {
            if matches!(sent.fate, Fate::Acked(..))
                && self.told.get(&sent.client_id).is_none_or(|told| *told > calls)
            {
                sent.fate = Fate::Unknown;
            }
        }
        senders
    }

    /// Moments to cut the power at, in order: some anywhere, more around what makes things last, many
    /// in the first start.
    fn moments(&self, count: usize, chance: &mut Chance) -> Vec<usize> {
        let edges: Vec<usize> = (0..self.trace.calls.len())
            .filter(|at| !matches!(self.trace.calls[*at], Call::Write(..) | Call::Say(..)))
            .collect();
        let mut moments: Vec<usize> = (0..count)
            .map(|number| {
                let edge = usize::try_from(chance.between(0, 3)).unwrap();
                match number % 4 {
                    0 => chance.below(self.trace.calls.len() as u64 + 1),
                    1 => chance.below(self.admin_told.min(400) as u64),
                    _ => (*chance.one_of(&edges) + edge) as u64,
                }
            })
            .map(|at| usize::try_from(at).unwrap().min(self.trace.calls.len()))
            .collect();
        moments.sort_unstable();
        moments
    }

    /// Makes `count` states and judges each; hands every `sample`-th one to `keep`.
    fn judge_states(&self, count: usize, seed: u64, lie: Lie) -> Result<Tally> {
        let moments = self.moments(count, &mut Chance::new(seed));
        let threads = std::thread::available_parallelism()?.get().min(4);
        let tally = Mutex::new(Tally::default());
        let worker = |first: usize| -> Result<()> {
            let mut disk = Disk::new(&self.trace, &self.before, lie)?;
            for (number, calls) in moments.iter().enumerate().skip(first).step_by(threads) {
                disk.go_to(*calls)?;
                let mut chance = Chance::new(seed.wrapping_add(1_000_003 * number as u64));
                let found = disk.after_power_loss(&mut chance);
                let folder = memory_folder()?;
                let data = folder.path().join("data");
                write_folder(&found, &self.relay.data_dir(), &data)?;
                let outcome = self.judge_one(&data, *calls);
                let mut tally = tally.lock().unwrap();
                tally.states += 1;
                if let Err(error) = outcome {
                    let place = format!("state {number} of seed {seed}, after {calls} calls");
                    tally.bad.push(format!("{place}: {error:#}"));
                    if lie == Lie::None && tally.bad.len() == 1 {
                        // The whole state as it was before anybody opened it, to look at.
                        let kept = folder.keep().join("found");
                        write_folder(&found, &self.relay.data_dir(), &kept)?;
                        eprintln!("{place}: kept in {}", kept.display());
                    }
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..threads).map(|first| scope.spawn(move || worker(first))).collect();
            all.into_iter().try_for_each(|one| one.join().expect("no panic"))
        })?;
        let mut tally = tally.into_inner().unwrap();
        tally.told = self.told.len();
        Ok(tally)
    }

    fn judge_one(&self, data: &Path, calls: usize) -> Result<()> {
        let survived = Survived::look(data)?;
        ensure!(calls < self.admin_told || survived.has_admin, "the administrator is gone");
        if self.has_copy && survived.schema > 1 {
            old_release::check_copy(&data.join("backups"))?;
        }
        let witness = Witness { name: "the database".to_owned(), shows: survived.shows };
        let verdict = judge(&self.senders_after(calls), &[witness]);
        ensure!(verdict.is_clean(), "{verdict}: {:?}", verdict.findings.first());
        Ok(())
    }

    /// The same for the real relay: it starts on such a state, says nothing of restored data, and
    /// shows what was acknowledged.
    async fn start_on_states(&self, count: usize, seed: u64) -> Result<()> {
        let moments = self.moments(count, &mut Chance::new(seed));
        let mut disk = Disk::new(&self.trace, &self.before, Lie::None)?;
        for (number, calls) in moments.iter().enumerate() {
            disk.go_to(*calls)?;
            let mut chance = Chance::new(seed.wrapping_add(7_000_003 * number as u64));
            let found = disk.after_power_loss(&mut chance);
            let mut relay = TestRelay::empty(relay_program()?, memory_folder()?)?;
            write_folder(&found, &self.relay.data_dir(), &relay.data_dir())?;
            relay.take_admin_of(&self.relay);
            let place = format!("state {number} of seed {seed}, after {calls} calls");
            relay.run().await.with_context(|| place.clone())?;
            if *calls >= self.admin_told {
                let admin = relay.admin().await?;
                let senders = self.senders_after(*calls);
                let rest = witnesses::rest(&relay.address, &admin.token, &senders).await?;
                let verdict = judge(&senders, &[rest]);
                ensure!(verdict.is_clean(), "{place}: {verdict} {:#?}", verdict.findings);
            }
            for wrong in ["restored data", "is damaged"] {
                ensure!(!relay.log().contains(wrong), "{place}: taken for: {wrong}");
            }
            relay.finish().await.with_context(|| place)?;
        }
        Ok(())
    }
}

/// What came of the states of one life.
#[derive(Debug, Default)]
struct Tally {
    states: usize,
    told: usize,
    bad: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "states={} acked={} bad={}", self.states, self.told, self.bad.len())
    }
}

/// What the engine finds in a state after its recovery.
struct Survived {
    shows: BTreeMap<ConversationId, Vec<Seen>>,
    has_admin: bool,
    schema: i64,
}

impl Survived {
    fn look(data: &Path) -> Result<Self> {
        let mut survived = Self { shows: BTreeMap::new(), has_admin: false, schema: 0 };
        let path = data.join("yingke.db");
        if !path.exists() {
            return Ok(survived);
        }
        let database = Connection::open(&path)?;
        let number = |sql: &str| -> Result<i64> {
            database.query_row(sql, [], |row| row.get(0)).with_context(|| sql.to_owned())
        };
        let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        ensure!(verdict == "ok", "integrity: {verdict}");
        if number("SELECT count(*) FROM sqlite_schema WHERE name = 'messages'")? == 0 {
            return Ok(survived);
        }
        survived.schema = number("SELECT max(number) FROM schema_migrations")?;
        survived.has_admin =
            number("SELECT count(*) FROM agents WHERE account_key = 'root' AND role = 'admin'")?
                == 1;
        for (sql, why) in [
            ("SELECT count(*) FROM pragma_foreign_key_check", "foreign keys"),
            (
                "SELECT count(*) FROM messages m WHERE NOT EXISTS (SELECT 1 FROM conversations c \
                 WHERE c.id = m.conversation_id)",
                "messages without a conversation",
            ),
            (
                "SELECT count(*) FROM messages m WHERE NOT EXISTS (SELECT 1 FROM events e \
                 WHERE e.conversation_id = m.conversation_id AND e.seq = m.seq)",
                "messages that no event tells of",
            ),
            ("SELECT coalesce(max(position), 0) - count(*) FROM events", "holes in the log"),
            (
                "SELECT coalesce((SELECT position FROM log_head), 0) \
                 - (SELECT coalesce(max(position), 0) FROM events)",
                "the log's counter",
            ),
            (
                "SELECT count(*) FROM (SELECT 1 FROM messages GROUP BY conversation_id \
                 HAVING max(seq) <> count(*))",
                "holes in conversations",
            ),
        ] {
            let found = number(sql)?;
            ensure!(found == 0, "{why}: {found}");
        }
        check_boot_file(data, &database)?;
        let mut rows = database.prepare(
            "SELECT conversation_id, seq, client_id, content FROM messages WHERE is_notice = 0 \
             ORDER BY conversation_id, seq",
        )?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let conversation: String = row.get(0)?;
            let client_id: String = row.get(2)?;
            survived.shows.entry(ConversationId::new(conversation)?).or_default().push(Seen {
                seq: Seq::new(u64::try_from(row.get::<_, i64>(1)?)?)?,
                client_id: ClientId::new(client_id)?,
                text: row.get(3)?,
            });
        }
        Ok(survived)
    }
}

/// The file beside the database is readable, and does not make the database look like an older copy.
fn check_boot_file(data: &Path, database: &Connection) -> Result<()> {
    let Ok(bytes) = std::fs::read(data.join("boot.json")) else { return Ok(()) };
    let beside: Value = serde_json::from_slice(&bytes).context("the boot file")?;
    let (epoch, position, boot): (String, u64, u64) = database
        .query_row("SELECT epoch, position, boot FROM log_head", [], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        })
        .map_err(anyhow::Error::from)
        .and_then(|(epoch, position, boot)| {
            Ok((epoch, u64::try_from(position)?, u64::try_from(boot)?))
        })
        .context("a boot file beside a database that was never begun")?;
    let said = |key: &str| beside[key].as_u64().with_context(|| format!("{key}: {beside}"));
    ensure!(beside["epoch"] == epoch.as_str(), "another epoch beside: {beside}");
    ensure!(boot >= said("boot")?, "a later start beside: {beside}");
    ensure!(
        boot > said("boot")? || position >= said("position")?,
        "a later position beside: {beside}"
    );
    Ok(())
}

/// Load until the record has grown by this many megabytes.
async fn load_until(
    scene: &Scene,
    recorder: &Recorder,
    megabytes: u64,
    round: &str,
) -> Result<Vec<Vec<Sent>>> {
    let enough = recorder.size()? + megabytes * 1_024 * 1_024;
    let load = Load::start(scene, 6, 600, round).await?;
    wait::until("the record has grown", || async {
        Ok((recorder.size()? >= enough).then_some(()))
    })
    .await?;
    Ok(load.stop().await?.1)
}

/// Waits until the relay does nothing, so that a kill falls between calls.
async fn quiet(recorder: &Recorder) -> Result<()> {
    wait::until("the relay is quiet", || async {
        let before = recorder.size()?;
        wait::pass(Duration::from_millis(300)).await;
        Ok((recorder.size()? == before).then_some(()))
    })
    .await
}

/// How many, each run and in full.
fn dose(each_run: usize, full: usize) -> usize {
    if dose::is_full("P2") { full } else { each_run }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_power_loss_loses_nothing_acknowledged() -> Result<()> {
    let seed = Chance::seed_or(2);
    let life = Life::from_nothing().await?;
    let kinds: BTreeSet<&str> = life.trace.calls.iter().filter_map(folded).collect();
    ensure!(kinds.contains("yingke.db"), "no checkpoint in the record: {kinds:?}");
    let tally = life.judge_states(dose(240, 8_000), seed, Lie::None)?;
    println!("P2: first life, {tally} seed={seed}");
    if !tally.bad.is_empty() {
        bail!(
            "{} bad states; the first: {:#?}",
            tally.bad.len(),
            &tally.bad[..tally.bad.len().min(5)]
        );
    }
    life.start_on_states(dose(6, 120), seed).await?;
    let grown = life.relay;
    grown.finish().await
}

/// Calls that cut or remove: the write-ahead log was folded in.
fn folded(call: &Call) -> Option<&'static str> {
    match call {
        Call::Unlink(path) if path.ends_with("yingke.db-wal") => Some("yingke.db"),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_power_loss_in_an_upgrade_loses_nothing() -> Result<()> {
    let seed = Chance::seed_or(2);
    let life = Life::from_the_first_release().await?;
    let tally = life.judge_states(dose(60, 2_000), seed, Lie::None)?;
    println!("P2: upgrade, {tally} seed={seed}");
    if !tally.bad.is_empty() {
        bail!(
            "{} bad states; the first: {:#?}",
            tally.bad.len(),
            &tally.bad[..tally.bad.len().min(5)]
        );
    }
    life.start_on_states(dose(2, 20), seed).await?;
    life.relay.finish().await
}

/// A disk that says "synced" and has not: whichever of the promises it breaks, the states show it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_lies_about_its_syncs_is_found_out() -> Result<()> {
    let seed = Chance::seed_or(2);
    let life = Life::from_nothing().await?;
    for lie in [Lie::Files("-wal"), Lie::Files("yingke.db"), Lie::Files("boot.new"), Lie::Folders] {
        let tally = life.judge_states(60, seed, lie)?;
        println!("P2: {lie:?}, {tally}");
        ensure!(!tally.bad.is_empty(), "{lie:?} was not noticed");
    }
    life.relay.finish().await
}
