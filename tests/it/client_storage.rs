//! P3's law on an agent's computer: whichever one call to the file system fails below the client's
//! databases, a message that it took for queued goes once, one that it refused goes at most once, a
//! draft that it took is back, nobody waits for ever, and the next start is clean.
//!
//! A small life of the headless client (a start, a sign-in, three messages, a draft, a kill) is run
//! once to see its calls: on a new computer, on one where the agent worked before, and there without a
//! network, so that what is queued outlives the kill on the disk alone. Then it is run again for each
//! of them with that call failing, and once more with nothing failing.
//!
//! Made to fail: by an outbox that takes a failed commit for done it "lost" what it had taken.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use futures_util::StreamExt as _;
use tokio::sync::Mutex;
use yingke_client::bridge::types::{UiErrorKind, UiRequest};
use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_shared::views::Availability;
use yingke_tests::chance::Chance;
use yingke_tests::client::{ClientProcess, Ended};
use yingke_tests::crash::{read_folder, write_folder};
use yingke_tests::dose;
use yingke_tests::faults::{CallFault, FaultyDisk};
use yingke_tests::http::{Account, Address};
use yingke_tests::judge::{Fate, Seen, Sent, Witness, judge};
use yingke_tests::link::new_id;
use yingke_tests::proxy::Proxy;
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::seat::{TestSeat, acknowledged, cached_messages};
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::TestVisitor;

use crate::clients::account_folder;
use crate::scene::Scene;
use crate::storage_calls::{choose, points};
use crate::{load, witnesses};

/// Everything of the client's.
const FOLDER: &str = "data/";
/// Messages of one life.
const MESSAGES: usize = 3;
/// No answer for so long is a hang.
const HANG: Duration = Duration::from_secs(60);
/// Agents who take turns at it.
const AGENTS: u8 = 3;
/// Each run; with `YINGKE_FULL=P3` all there are.
const POINTS: usize = 90;

/// An agent whose conversation stays hers, however her computer fares.
struct Agent {
    account: Account,
    conversation: ConversationId,
    /// The relay, from an address of her own: each address may sign in only so often.
    address: Address,
    network: Proxy,
    _visitor: TestVisitor,
}

impl Agent {
    async fn hire(scene: &Scene, number: u8) -> Result<Self> {
        let account = scene.hire(&format!("Ana {number}"), 1).await?;
        let network = Proxy::to_as(scene.address(), Ipv4Addr::new(127, 11, 0, 1 + number)).await?;
        let device = StaffSocket::sign_in(scene.address(), &account).await?;
        device.set_availability(Availability::Online).await?;
        let visitor = scene.visitor().await?;
        let conversation = visitor.say("is anybody there?").await?.conversation;
        device.until_gained(&conversation).await?;
        let address = network.address(scene.address());
        Ok(Self { account, conversation, address, network, _visitor: visitor })
    }
}

/// Where a small life is lived.
#[derive(Debug, Clone, Copy)]
enum Life {
    /// On a computer that nobody used.
    New,
    /// On one that the agent used before.
    Used,
    /// There, and the network goes before anything is written.
    Offline,
}

/// A message, and whether it was taken for queued.
struct Written {
    client_id: ClientId,
    text: String,
    is_queued: bool,
}

/// What the client was asked and what it answered.
#[derive(Default)]
struct Asked {
    messages: Vec<Written>,
    /// What the draft may be: what was answered last, or asked since.
    drafts: Vec<String>,
}

/// What a failing call came to.
#[derive(Debug, Default)]
struct Course {
    fired: bool,
    queued: usize,
    refused: usize,
}

struct Ground {
    scene: Scene,
    library: PathBuf,
    /// The computers on which agents worked before, by account.
    used: BTreeMap<String, tempfile::TempDir>,
    folder: tempfile::TempDir,
}

impl Ground {
    async fn lay(agents: &[Agent], scene: Scene) -> Result<Self> {
        let folder = load::memory_folder()?;
        let library = yingke_tests::faults::compile("faultfs.c", folder.path())?;
        let mut ground = Self { scene, library, used: BTreeMap::new(), folder };
        for agent in agents {
            let home = load::memory_folder()?;
            let mut asked = Asked::default();
            ground.live(home.path(), agent, Life::New, None, &mut asked).await?;
            let queued = asked.messages.iter().filter(|written| written.is_queued).count();
            ensure!(queued == MESSAGES, "with nothing failing {queued} messages were queued");
            ground.used.insert(agent.account.account.clone(), home);
        }
        Ok(ground)
    }

    /// The computer of a life.
    fn computer(&self, agent: &Agent, life: Life) -> Result<tempfile::TempDir> {
        let home = load::memory_folder()?;
        if !matches!(life, Life::New) {
            let before = self.used.get(&agent.account.account).context("nobody worked on it")?;
            let before = before.path().join("data");
            write_folder(&read_folder(&before)?, &before, &home.path().join("data"))?;
        }
        Ok(home)
    }

    /// Starts, signs in, writes, is killed; ends early where the client refuses.
    async fn live(
        &self,
        home: &Path,
        agent: &Agent,
        life: Life,
        disk: Option<&FaultyDisk>,
        asked: &mut Asked,
    ) -> Result<()> {
        let below = disk.map(|disk| disk.environment(&self.library));
        let below = below.as_ref().map_or(&[][..], |below| &below[..]);
        let started = in_time("it neither starts nor ends", ClientProcess::begin(home, below));
        let client = match started.await?? {
            Ok(client) => client,
            Err(Ended { status, said }) => {
                let is_refusal = status.code().is_some_and(|code| code != 0 && code != 101);
                ensure!(is_refusal, "it refuses to start with {status}: {said}");
                return Ok(());
            }
        };
        let done = write(&client, agent, life, asked).await;
        client.kill().await?;
        agent.network.up();
        done
    }

    /// A life with one failing call, then a sound one.
    async fn course(&self, agent: &Agent, life: Life, fault: CallFault) -> Result<Course> {
        let home = self.computer(agent, life)?;
        let disk = FaultyDisk::at(&home.path().join("faults"));
        disk.fail_once(&fault)?;
        let mut asked = Asked::default();
        self.live(home.path(), agent, life, Some(&disk), &mut asked).await?;
        let queued = asked.messages.iter().filter(|written| written.is_queued).count();
        let course =
            Course { fired: disk.fired() > 0, queued, refused: asked.messages.len() - queued };
        self.hear(home.path(), agent, &asked).await?;
        for entry in std::fs::read_dir(home.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "log") {
                let said = std::fs::read_to_string(&path)?;
                ensure!(!said.contains("panicked"), "a panic: {said}");
            }
        }
        Ok(course)
    }

    /// The next start, with a sound disk: everything that was taken goes, and is told as it is.
    async fn hear(&self, home: &Path, agent: &Agent, asked: &Asked) -> Result<()> {
        let data = home.join("data");
        let seat = TestSeat::open(&data, &agent.address, &agent.account);
        let seat = in_time("the next start", seat).await??;
        let draft = seat.until_row("the conversation", &agent.conversation, |_| true);
        let draft = in_time("showing the conversation", draft).await??.draft;
        let is_kept = asked.drafts.is_empty() || asked.drafts.contains(&draft);
        ensure!(is_kept, "the draft is {draft:?}, not one of {:?}", asked.drafts);
        in_time("sending what is queued", seat.until_all_sent()).await??;

        let token = &self.scene.admin.token;
        let history = agent.address.history(token, &agent.conversation).await?;
        let stored: Vec<Seen> = history.iter().filter_map(witnesses::seen).collect();
        let newest = stored.last().context("the visitor wrote")?.seq;
        let shown =
            seat.until_row("what is stored", &agent.conversation, |row| row.said.seq >= newest);
        in_time("showing what is stored", shown).await??;
        let page = seat.whole_chat(&agent.conversation).await?;
        seat.stop().await;
        let folder = account_folder(&data, &agent.account)?;
        let settled: BTreeSet<ClientId> = acknowledged(&folder)?.into_iter().collect();
        let mut cached = cached_messages(&folder)?;
        let cached = cached.remove(&agent.conversation).unwrap_or_default();

        let mut sent = Vec::new();
        for Written { client_id, text, is_queued } in &asked.messages {
            let there = stored.iter().find(|seen| seen.client_id == *client_id);
            let number = there.map_or(Seq::ZERO, |seen| seen.seq);
            let fate = match is_queued {
                true => Fate::Acked(agent.conversation.clone(), number),
                false => Fate::Unknown,
            };
            sent.push(Sent { client_id: client_id.clone(), text: text.clone(), fate });
            ensure!(!is_queued || settled.contains(client_id), "not settled: {client_id}");
        }
        let lists = [
            ("REST history", stored),
            ("the agent's page", page.iter().filter_map(witnesses::seen).collect()),
            ("the agent's local database", cached.iter().filter_map(witnesses::seen).collect()),
        ];
        let all = lists.map(|(name, mut list)| {
            // Others wrote into this conversation too.
            list.retain(|seen| sent.iter().any(|sent| sent.client_id == seen.client_id));
            let mut witness = Witness::of(name, [&agent.conversation]);
            witness.shows.insert(agent.conversation.clone(), list);
            witness
        });
        let verdict = judge(&[sent], &all);
        ensure!(verdict.is_clean(), "{verdict}: {:?}", verdict.findings);
        Ok(())
    }
}

/// Signs in and writes, as far as the client goes along.
async fn write(client: &ClientProcess, agent: &Agent, life: Life, asked: &mut Asked) -> Result<()> {
    let conversation_id = &agent.conversation;
    if in_time("signing in", client.sign_in(&agent.address, &agent.account)).await?.is_err() {
        return Ok(());
    }
    let shown =
        client.until("the conversation is shown", |view| view.row(conversation_id).map(drop));
    in_time("showing the conversation", shown).await??;
    let is_offline = matches!(life, Life::Offline);
    if is_offline {
        agent.network.down();
    }
    for number in 0..MESSAGES {
        let (client_id, text) = (new_id(), format!("message {number} of a small life"));
        let request = UiRequest::SendMessage {
            conversation_id: conversation_id.clone(),
            text: text.clone(),
            client_id: Some(client_id.clone()),
        };
        asked.messages.push(Written { client_id, text, is_queued: false });
        // Whoever is told that the disk does not take it tries again, a few times.
        for _ in 0..3 {
            let Ok(pending) = client.submit(&request) else { return Ok(()) };
            match in_time("queueing a message", pending.outcome()).await? {
                Ok(Ok(_)) => {
                    asked.messages.last_mut().context("it was asked")?.is_queued = true;
                    break;
                }
                Ok(Err(error)) => {
                    ensure!(error.kind == UiErrorKind::Storage, "refused as {:?}", error.kind);
                }
                // It ended.
                Err(_) => return Ok(()),
            }
        }
    }
    if !is_offline {
        in_time("sending what is queued", client.until_all_sent()).await??;
    }
    let text = "a draft of a small life".to_owned();
    asked.drafts = vec![String::new(), text.clone()];
    let request = UiRequest::SetDraft { conversation_id: conversation_id.clone(), text };
    let pending = client.submit(&request)?;
    if let Ok(Ok(_)) = in_time("keeping a draft", pending.outcome()).await? {
        asked.drafts.remove(0);
    }
    Ok(())
}

/// What is not over by then hangs.
async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(HANG, work).await.map_err(|_| anyhow!("it hangs: {what}"))
}

/// Where a call fails.
type Point = (Life, CallFault);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p3_no_failing_call_on_an_agents_computer_loses_what_was_queued() -> Result<()> {
    let seed = Chance::seed_or(33);
    let is_full = dose::is_full("P3");
    let mut relay = TestRelay::prepare(relay_program()?)?;
    relay.run().await?;
    let scene = Scene::on(relay, "http://shop.localhost").await?;
    let mut agents = Vec::new();
    for number in 0..AGENTS {
        agents.push(Agent::hire(&scene, number).await?);
    }
    let ground = Ground::lay(&agents, scene).await?;
    let mut all: Vec<Point> = Vec::new();
    for life in [Life::New, Life::Used, Life::Offline] {
        let home = ground.computer(&agents[0], life)?;
        let disk = FaultyDisk::at(&home.path().join("faults"));
        disk.watch(FOLDER)?;
        ground.live(home.path(), &agents[0], life, Some(&disk), &mut Asked::default()).await?;
        all.extend(points(&disk.seen(), FOLDER).into_iter().map(|fault| (life, fault)));
    }
    let among = all.len();
    let count = if is_full { usize::MAX } else { POINTS };
    let chosen = choose(all, count, |point| point.1.kind, &mut Chance::new(seed));
    let (begun, count) = (Instant::now(), chosen.len());
    let free = Mutex::new(agents);
    let courses: Vec<(Point, Result<Course>)> = futures_util::stream::iter(chosen)
        .map(|point| {
            let (ground, free) = (&ground, &free);
            async move {
                let agent = free.lock().await.pop().unwrap();
                let outcome = ground.course(&agent, point.0, point.1).await;
                free.lock().await.push(agent);
                (point, outcome)
            }
        })
        .buffer_unordered(AGENTS.into())
        .collect()
        .await;
    let mut sum = [0; 3];
    let mut bad = BTreeMap::new();
    for (point, outcome) in courses {
        match outcome {
            Ok(course) => {
                sum[0] += usize::from(course.fired);
                sum[1] += course.queued;
                sum[2] += course.refused;
            }
            Err(error) => drop(bad.insert(format!("{point:?}"), format!("{error:#}"))),
        }
    }
    let [fired, queued, refused] = sum;
    println!(
        "P3 on an agent's computer: points={count} of {among} fired={fired} queued={queued} \
         refused={refused} bad={} seconds={} seed={seed}",
        bad.len(),
        begun.elapsed().as_secs()
    );
    ensure!(bad.is_empty(), "{bad:#?}");
    ensure!(fired * 10 > count * 7 && queued > count, "most of the faults did not happen");
    drop(ground.folder);
    ground.scene.finish().await
}
