//! P22: a bad sector, from which the disk gives out nothing any more, costs what stands in it and no
//! more: the relay serves the rest, the check names it, a backup keeps all the rest.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use yingke_shared::ids::ConversationId;
use yingke_tests::faults::{FaultyDisk, compile};
use yingke_tests::link::Link;
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::{TestVisitor, text_of};

use crate::scene::Scene;

const PAGE: usize = 4_096;
const MESSAGES: usize = 24;
/// EX_DATAERR of sysexits.
const DAMAGED: Option<i32> = Some(65);

/// A relay with some data on a disk that can fail, and who talks there.
struct Ground {
    scene: Scene,
    library: PathBuf,
    disk: FaultyDisk,
    ana: StaffSocket,
    viktor: TestVisitor,
    of_viktor: ConversationId,
    /// Whose last words stand in the bad sector.
    of_vera: ConversationId,
}

/// Long enough that each visitor's messages fill pages of their own.
fn text(who: &str, number: usize) -> String {
    format!("{who} writes message {number} {}", "。".repeat(300))
}

impl Ground {
    async fn lay() -> Result<Self> {
        let mut relay = TestRelay::prepare(relay_program()?)?;
        let library = compile("faultfs.c", relay.scratch())?;
        let disk = FaultyDisk::with(&library, &mut relay)?;
        relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "10000");
        relay.run().await?;
        let scene = Scene::on(relay, "http://shop.localhost").await?;
        let ana = scene.agent("Ana", 50).await?;
        let viktor = scene.visitor().await?;
        let of_viktor = write(&viktor, "Viktor").await?;
        let of_vera = write(&scene.visitor().await?, "Vera").await?;
        // What is written later stands in other pages.
        write(&scene.visitor().await?, "Wanda").await?;
        ana.until_holding(3).await?;
        Ok(Self { scene, library, disk, ana, viktor, of_viktor, of_vera })
    }

    fn data(&self) -> PathBuf {
        self.scene.relay.data_dir()
    }

    /// A verb of the program on the same disk; gives its exit code and all that it said.
    fn verb(&self, arguments: &[&str]) -> Result<(Option<i32>, String)> {
        let (verb, rest) = arguments.split_first().context("a verb")?;
        let mut command = Command::new(relay_program()?);
        command.arg(verb).arg("--data").arg(self.data()).args(rest);
        command.envs(self.disk.environment(&self.library));
        let done = command.output()?;
        let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        Ok((done.status.code(), said))
    }

    fn backup(&self, name: &str) -> Result<(Option<i32>, String, PathBuf)> {
        let to = self.scene.relay.scratch().join(name);
        let (code, said) = self.verb(&["backup", "--to", &to.display().to_string()])?;
        Ok((code, said, to))
    }

    /// Puts a backup in the place of the data, as on another disk; gives what was said of it.
    fn restored(&self, from: &Path) -> Result<String> {
        self.disk.repair()?;
        let (code, said) =
            self.verb(&["restore", "--replace", "--from", &from.display().to_string()])?;
        ensure!(code == DAMAGED && said.contains("restored"), "{code:?} {said}");
        Ok(said)
    }

    /// Ana has the other conversations, Viktor finds all that he wrote, writes, and is heard; who comes
    /// anew is assigned.
    async fn the_rest_is_served(&mut self, more: &str) -> Result<()> {
        self.ana.link = Link::open(self.scene.address(), &self.ana.token, None).await?;
        self.viktor.connect().await?;
        let shown = self.viktor.history().await?;
        let shown: Vec<_> = shown.iter().filter_map(text_of).collect();
        for number in 0..MESSAGES {
            ensure!(
                shown.contains(&text("Viktor", number).as_str()),
                "message {number} is missing"
            );
        }
        let seq = self.viktor.say(more).await?.seq;
        self.ana
            .until_record("what Viktor wrote", &self.of_viktor, |it| it.last_message.seq >= seq)
            .await?;
        ensure!(self.ana.history(&self.of_viktor).await?.iter().any(|it| it.seq == seq));
        let yara = self.scene.visitor().await?;
        let of_yara = yara.say(more).await?.conversation;
        self.ana.until_gained(&of_yara).await?;
        let (status, _, said) = self.scene.address().get("/healthz", &[]).await?;
        ensure!(status.is_success(), "{said}");
        Ok(())
    }
}

async fn write(visitor: &TestVisitor, who: &str) -> Result<ConversationId> {
    let mut conversation = None;
    for number in 0..MESSAGES {
        conversation = Some(visitor.say(&text(who, number)).await?.conversation);
    }
    conversation.context("nothing was written")
}

/// Where words stand in a file.
fn place_of(words: &str, path: &Path) -> Result<usize> {
    let bytes = std::fs::read(path)?;
    let mut windows = bytes.windows(words.len());
    windows.position(|window| window == words.as_bytes()).context("the words are not in the file")
}

/// In the middle of a conversation's messages, found at a start. Beside the running relay the check and
/// a backup name the place; on another disk a relay serves what the backup kept.
///
/// Made to fail: by the relay as it was, which did not start. Where that was mended, assignment did not
/// begin, no agent was welcomed, and a message into the damaged conversation ended the relay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_a_bad_sector_costs_what_stands_in_it_and_no_more() -> Result<()> {
    let mut ground = Ground::lay().await?;
    ground.scene.relay.stop().await?;
    let database = ground.data().join("yingke.db");
    let at = place_of(&text("Vera", MESSAGES - 1), &database)?;
    let page = at / PAGE + 1;
    ground.disk.spoil_sector(at, &database.display().to_string())?;
    ground.scene.relay.run().await?;
    let told = ground.scene.relay.log();
    ensure!(told.contains("pages of the database cannot be read"), "{told}");
    ensure!(told.contains(&format!("page {page}")), "not page {page}: {told}");

    ground.the_rest_is_served("it is still there").await?;
    let refused = ground.ana.history(&ground.of_vera).await;
    ensure!(refused.is_err(), "the page was read all the same");
    let refused = ground.ana.say(&ground.of_vera, "do you hear me?").await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("StorageFailed")));
    ground.the_rest_is_served("and it stays there").await?;
    ensure!(ground.scene.relay.ended()?.is_none(), "the relay ended");

    let places = [format!("page {page}"), ground.of_vera.to_string()];
    let (code, said) = ground.verb(&["check"])?;
    ensure!(code == DAMAGED && places.iter().all(|it| said.contains(it)), "{code:?} {said}");
    let (code, said, _) = ground.backup("beside")?;
    let lost = format!("pages of yingke.db: the copy has zeros instead: {page}\n");
    ensure!(code == DAMAGED && said.contains(&lost), "{code:?} {said}");
    ground.scene.relay.stop().await?;
    let (code, said, to) = ground.backup("alone")?;
    ensure!(code == DAMAGED && said.contains(&lost), "{code:?} {said}");
    ensure!(said.contains(&places[1]), "{said}");
    let (here, there) = (std::fs::read(&database)?, std::fs::read(to.join("yingke.db"))?);
    ensure!(here.len() == there.len(), "{} {}", here.len(), there.len());
    // The first tells that there is no write-ahead log beside it.
    for (number, (was, is)) in (1..).zip(here.chunks(PAGE).zip(there.chunks(PAGE))).skip(1) {
        let is_kept = if number == page { is.iter().all(|byte| *byte == 0) } else { was == is };
        ensure!(is_kept, "page {number}");
    }

    let said = ground.restored(&to)?;
    ensure!(said.contains(&lost) && said.contains(&places[1]), "{said}");
    ground.scene.relay.run().await?;
    ground.the_rest_is_served("out of the backup").await?;
    ground.scene.finish().await
}

/// In the write-ahead log that a killed relay left: it does not start, since the engine would forget what
/// stands behind; a backup has all that stands before.
///
/// Made to fail: by the relay as it was, which said that the file was another program's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_a_bad_sector_in_the_log_costs_what_was_stored_last() -> Result<()> {
    let mut ground = Ground::lay().await?;
    ground.scene.relay.stop().await?;
    ground.scene.relay.run().await?;
    write(&ground.scene.visitor().await?, "Xenia").await?;
    ground.scene.relay.kill()?;
    let log = ground.data().join("yingke.db-wal");
    let at = usize::try_from(std::fs::metadata(&log)?.len())? / 2;
    ground.disk.spoil_sector(at, &log.display().to_string())?;
    ensure!(ground.scene.relay.run().await.is_err(), "it starts");
    let told = ground.scene.relay.log();
    ensure!(
        told.contains("the database cannot be read") && told.contains("make a backup"),
        "{told}"
    );
    let (code, said) = ground.verb(&["check"])?;
    let named = said.contains("does not give out all of the write-ahead log");
    ensure!(code == DAMAGED && named, "{code:?} {said}");
    let (code, said, to) = ground.backup("alone")?;
    let lost = format!("pages of yingke.db-wal: the copy has zeros instead: {}\n", at / PAGE + 1);
    ensure!(code == DAMAGED && said.contains(&lost), "{code:?} {said}");
    ensure!(said.contains("what was stored last is lost from here on"), "{said}");
    ensure!(ground.restored(&to)?.contains(&lost));
    ground.scene.relay.run().await?;
    ground.the_rest_is_served("out of the backup").await?;
    ground.scene.finish().await
}

/// In the database's first page nothing can be told from the rest: that is said, and half a backup is
/// not left behind.
///
/// Made to fail: by a backup that does not take away what it began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p22_a_bad_sector_at_the_beginning_refuses_a_backup() -> Result<()> {
    let mut ground = Ground::lay().await?;
    ground.scene.relay.stop().await?;
    let database = ground.data().join("yingke.db");
    ground.disk.spoil_sector(0, &database.display().to_string())?;
    ensure!(ground.scene.relay.run().await.is_err(), "it starts");
    let (code, said) = ground.verb(&["check"])?;
    ensure!(code == DAMAGED && said.contains("the database cannot be read"), "{code:?} {said}");
    let (code, said, to) = ground.backup("none")?;
    ensure!(code == Some(1) && said.contains("copy the whole folder as it is"), "{code:?} {said}");
    ensure!(!to.exists() && !to.with_extension("partial").exists(), "half a backup");
    ground.disk.repair()?;
    ground.scene.relay.run().await?;
    ground.the_rest_is_served("as if nothing had been").await?;
    ground.scene.finish().await
}
