//! P3: whichever one call to the file system fails, nothing is acknowledged that is not kept, nobody
//! waits for ever, and the next start is clean.
//!
//! A small life of a relay (a start, a visitor who writes, a stop) is run once to see which calls it
//! makes; then it is run again for each of them, with that call failing. After a failed sync of the
//! database nothing more may be acknowledged. The first start of all, on an empty folder, is taken
//! apart in the same way by the command that makes the administrator.
//!
//! Found by it: a command that waited for ever for an answer after a commit whose outcome nobody knew.
//!
//! Made to fail: by a writer that takes a failed commit for "nothing stored" and goes on
//! (`commit_failed` answering `Lost` for every error): it acknowledged after a failed sync.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::StreamExt as _;
use yingke_shared::ids::SiteId;
use yingke_tests::chance::Chance;
use yingke_tests::crash::{Found, read_folder, write_folder};
use yingke_tests::dose;
use yingke_tests::faults::{CallFault, FaultyDisk};
use yingke_tests::judge::{Fate, Sent, judge};
use yingke_tests::link::new_id;
use yingke_tests::processes::Group;
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::{load, witnesses};

/// Everything of the relay's.
const FOLDER: &str = "data/";

/// The database and what belongs to it.
const DATABASE: &str = "data/yingke.db";

const EIO: u32 = 5;
const ENOMEM: u32 = 12;
const EMFILE: u32 = 24;
const ENOSPC: u32 = 28;

/// Messages of one life.
const MESSAGES: usize = 3;

/// No answer for so long is a hang.
const HANG: Duration = Duration::from_secs(90);

/// The kinds of calls, and what each may fail with.
const KINDS: [(char, &[u32]); 9] = [
    ('w', &[EIO, ENOSPC]),
    ('s', &[EIO, ENOSPC]),
    ('t', &[EIO]),
    ('r', &[EIO]),
    ('o', &[EIO, EMFILE]),
    ('u', &[EIO]),
    ('n', &[EIO, ENOSPC]),
    ('d', &[ENOSPC]),
    ('m', &[ENOMEM]),
];

/// Every point: each call of each kind, with each error.
pub(crate) fn points(seen: &str, files: &'static str) -> Vec<CallFault> {
    let mut all = Vec::new();
    for (kind, errors) in KINDS {
        let calls = u32::try_from(seen.chars().filter(|letter| *letter == kind).count()).unwrap();
        for skip in 0..calls {
            all.extend(errors.iter().map(|errno| CallFault { kind, errno: *errno, skip, files }));
        }
    }
    all
}

/// So many of them; rare kinds (syncs, names, sizes) before the many writes and reads.
pub(crate) fn choose<T>(
    mut all: Vec<T>,
    count: usize,
    kind: impl Fn(&T) -> char,
    chance: &mut Chance,
) -> Vec<T> {
    let mut chosen = Vec::new();
    while chosen.len() < count && !all.is_empty() {
        let at = usize::try_from(chance.below(all.len() as u64)).unwrap();
        let is_common = matches!(kind(&all[at]), 'w' | 'r');
        if !is_common || chance.below(3) == 0 {
            chosen.push(all.swap_remove(at));
        }
    }
    chosen
}

/// What a failing call met and what came of it.
#[derive(Debug, Default)]
struct Course {
    fired: bool,
    ended: bool,
    acked: usize,
}

/// A folder with a site and an administrator, as the life finds it.
struct Ground {
    site: SiteId,
    found: Found,
    data: PathBuf,
    library: PathBuf,
    _folder: tempfile::TempDir,
}

impl Ground {
    fn lay() -> Result<Self> {
        let relay = TestRelay::prepare(relay_program()?)?;
        let site = relay.add_site("Tea", "http://shop.localhost")?;
        let folder = load::memory_folder()?;
        let library = yingke_tests::faults::compile("faultfs.c", folder.path())?;
        let data = relay.data_dir();
        let found = read_folder(&data)?;
        Ok(Self { site, found, data, library, _folder: folder })
    }

    fn relay(&self) -> Result<(TestRelay, FaultyDisk)> {
        let mut relay = TestRelay::empty(relay_program()?, load::memory_folder()?)?;
        write_folder(&self.found, &self.data, &relay.data_dir())?;
        let disk = FaultyDisk::with(&self.library, &mut relay)?;
        Ok((relay, disk))
    }

    /// The calls of a life in which nothing fails, by their letters.
    async fn watch(&self, files: &str) -> Result<String> {
        let (mut relay, disk) = self.relay()?;
        disk.watch(files)?;
        let mut vera = None;
        let mut sent = Vec::new();
        live(&mut relay, &self.site, &disk, None, &mut vera, &mut sent).await?;
        relay.stop().await?;
        let seen = disk.seen();
        relay.finish().await?;
        Ok(seen)
    }

    /// A life with one failing call, then a sound one.
    async fn course(&self, fault: CallFault) -> Result<Course> {
        let (mut relay, disk) = self.relay()?;
        disk.fail_once(&fault)?;
        let mut vera = None;
        let mut sent = Vec::new();
        live(&mut relay, &self.site, &disk, Some(&fault), &mut vera, &mut sent).await?;
        if relay.ended()?.is_none() && relay.is_running() {
            let status =
                tokio::time::timeout(HANG, relay.stop()).await.context("it does not stop")??;
            ensure!(status.code().is_some_and(|code| code != 101), "it ended with {status}");
        }
        let mut course = Course { fired: disk.fired() > 0, ..Course::default() };
        course.ended = !relay.log().contains("listening");
        disk.repair()?;
        relay.run().await.context("the next start")?;
        if let Some(vera) = vera {
            let senders = [sent];
            let seen = witnesses::visitors("the visitor's own history", &mut [vera]).await?;
            let verdict = judge(&senders, &[seen]);
            ensure!(verdict.is_clean(), "{verdict}: {:?}", verdict.findings);
            course.acked = verdict.acked;
        }
        relay.finish().await?;
        Ok(course)
    }
}

/// Starts, lets Vera come and write; ends early when the relay ends.
async fn live(
    relay: &mut TestRelay,
    site: &SiteId,
    disk: &FaultyDisk,
    fault: Option<&CallFault>,
    vera: &mut Option<TestVisitor>,
    sent: &mut Vec<Sent>,
) -> Result<()> {
    relay.spawn()?;
    if !is_ready(relay).await? {
        return Ok(());
    }
    let entering = TestVisitor::enter(&relay.address, site);
    match tokio::time::timeout(HANG, entering).await.context("nobody can enter")? {
        Ok(entered) => *vera = Some(entered),
        Err(_) => return Ok(()),
    }
    let Some(vera) = vera else { return Ok(()) };
    for number in 0..MESSAGES {
        let (client_id, text) = (new_id(), format!("message {number} of a small life"));
        let was_sync_lost = fault.is_some_and(|fault| fault.kind == 's' && fault.files == DATABASE)
            && disk.fired() > 0;
        // As an outbox does it, but only a few times: a refusal that stays is one.
        let mut fate = Fate::Unknown;
        for _ in 0..3 {
            let asked = vera.say_as(&client_id, &text);
            match tokio::time::timeout(HANG, asked).await {
                Err(_) if is_alive(relay)? => bail!("message {number} is never answered"),
                Err(_) | Ok(Err(_)) => {
                    fate = Fate::Unknown;
                    if !is_alive(relay)? || vera.connect().await.is_err() {
                        break;
                    }
                }
                Ok(Ok(Ok(accepted))) => {
                    fate = Fate::Acked(accepted.conversation, accepted.seq);
                    break;
                }
                Ok(Ok(Err(_))) => fate = Fate::Refused,
            }
        }
        let was_acked = matches!(fate, Fate::Acked(..));
        ensure!(!(was_sync_lost && was_acked), "acknowledged after a failed sync");
        sent.push(Sent { client_id, text, fate });
    }
    Ok(())
}

/// Whether it becomes ready; false when it ends by itself, with a code that is no crash.
async fn is_ready(relay: &mut TestRelay) -> Result<bool> {
    let end = Instant::now() + HANG;
    loop {
        if let Some(status) = relay.ended()? {
            ensure!(
                status.code().is_some_and(|code| code != 0 && code != 101),
                "it refuses to start with {status}"
            );
            return Ok(false);
        }
        if let Ok((status, _, body)) = relay.address.get("/healthz", &[]).await
            && status.is_success()
            && body.contains("\"ok\"")
        {
            return Ok(true);
        }
        ensure!(Instant::now() < end, "it neither starts nor ends");
        wait::pass(Duration::from_millis(5)).await;
    }
}

/// Whether it still runs; one that ended must have ended by itself.
fn is_alive(relay: &mut TestRelay) -> Result<bool> {
    match relay.ended()? {
        None => Ok(relay.is_running()),
        Some(status) => {
            ensure!(
                status.code().is_some_and(|code| code != 0 && code != 101),
                "an input/output error ends the relay with a code, not {status}"
            );
            Ok(false)
        }
    }
}

/// So many each run, or all of them.
fn dose(each_run: usize) -> usize {
    if dose::is_full("P3") { usize::MAX } else { each_run }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p3_no_failing_call_makes_a_false_ack() -> Result<()> {
    let seed = Chance::seed_or(3);
    let ground = Arc::new(Ground::lay()?);
    let mut all = points(&ground.watch(FOLDER).await?, FOLDER);
    let of_database = points(&ground.watch(DATABASE).await?, DATABASE);
    all.extend(of_database.into_iter().filter(|fault| fault.kind == 's'));
    let among = all.len();
    let chosen = choose(all, dose(130), |fault| fault.kind, &mut Chance::new(seed));
    let begun = Instant::now();
    let count = chosen.len();
    let courses: Vec<(CallFault, Result<Course>)> = futures_util::stream::iter(chosen)
        .map(|fault| {
            let ground = Arc::clone(&ground);
            async move {
                let outcome = ground.course(fault).await;
                (fault, outcome)
            }
        })
        .buffer_unordered(3)
        .collect()
        .await;
    let (mut fired, mut ended, mut acked) = (0, 0, 0);
    let mut bad = BTreeMap::new();
    for (fault, outcome) in courses {
        match outcome {
            Ok(course) => {
                fired += usize::from(course.fired);
                ended += usize::from(course.ended);
                acked += course.acked;
            }
            Err(error) => drop(bad.insert(format!("{fault:?}"), format!("{error:#}"))),
        }
    }
    println!(
        "P3: points={count} of {among} fired={fired} refused to start={ended} acked={acked} \
         bad={} seconds={} seed={seed}",
        bad.len(),
        begun.elapsed().as_secs()
    );
    ensure!(bad.is_empty(), "{bad:#?}");
    ensure!(fired * 10 > count * 8 && acked > 0, "most of the faults did not happen");
    Ok(())
}

/// The first start of all: refused and done again, or done; never a password for nothing.
#[test]
fn p3_a_failing_first_start_can_be_repeated() -> Result<()> {
    let seed = Chance::seed_or(3);
    let folder = load::memory_folder()?;
    let library = yingke_tests::faults::compile("faultfs.c", folder.path())?;
    let disk = FaultyDisk::at(&folder.path().join("control"));
    let create = |data: &Path, disk: Option<&FaultyDisk>| -> Result<(bool, String)> {
        let mut command = Command::new(relay_program()?);
        command.args(["create-admin", "--account", "root", "--data"]).arg(data);
        if let Some(disk) = disk {
            command.envs(disk.environment(&library));
        }
        let log = folder.path().join("said");
        std::fs::write(&log, "")?;
        let mut running = Group::start("create-admin", &mut command, &log)?;
        let end = Instant::now() + HANG;
        let status = loop {
            if let Some(status) = running.ended()? {
                break status;
            }
            ensure!(Instant::now() < end, "it never ends: {}", std::fs::read_to_string(&log)?);
            std::thread::sleep(Duration::from_millis(2));
        };
        let said = std::fs::read_to_string(&log)?;
        ensure!(status.code().is_some_and(|code| code != 101), "{status}: {said}");
        Ok((status.success(), said))
    };
    let data = |number: usize| folder.path().join(format!("first-{number}")).join("data");
    std::fs::create_dir_all(data(0).parent().context("above")?)?;
    disk.watch("/data")?;
    ensure!(create(&data(0), Some(&disk))?.0, "nothing fails");
    let all = points(&disk.seen(), "/data");
    let among = all.len();
    let chosen = choose(all, dose(70), |fault| fault.kind, &mut Chance::new(seed));
    let (mut refused, count) = (0, chosen.len());
    for (number, fault) in (1..).zip(chosen) {
        let data = data(number);
        std::fs::create_dir_all(data.parent().context("above")?)?;
        disk.fail_once(&fault)?;
        let (was_made, said) = create(&data, Some(&disk)).with_context(|| format!("{fault:?}"))?;
        refused += usize::from(!was_made);
        ensure!(was_made || !said.trim().is_empty(), "{fault:?}: refused without a word");
        let (is_made_now, said) = create(&data, None)?;
        let is_there = rusqlite::Connection::open(data.join("yingke.db"))?.query_row(
            "SELECT count(*) FROM agents WHERE account_key = 'root'",
            [],
            |row| row.get::<_, i64>(0),
        )?;
        ensure!(is_there == 1, "{fault:?}: {is_there} administrators; {said}");
        ensure!(!(was_made && is_made_now), "{fault:?}: made twice");
    }
    println!("P3: first starts={count} of {among} refused={refused} seed={seed}");
    Ok(())
}
