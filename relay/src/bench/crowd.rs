//! S5, S6 and S9: a crowd of visitors, nearly all idle: what each costs in memory, and how soon all
//! are back after the relay was killed, with everything they missed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message as Frame;
use yingke_shared::frame::ResumePoint;

use super::child::Relay;
use super::client::{Board, Client, Side, Welcomed, messages_of_agents, welcome};
use super::error::{BenchError, During as _};
use super::ground::{Ground, KnownVisitor};
use super::options::Dose;
use super::pairs::SETTLES_WITHIN;
use super::place::{Place, remove};
use super::report::{OfCrowd, Report};
use super::say;
use super::spread::nearest;

/// Connections opened at once while the crowd gathers.
const GATHER_AT_ONCE: usize = 256;
/// Visitors who write at once: fewer than the writer's queue holds.
const WRITE_AT_ONCE: usize = 1_000;
/// A ping comes by in this time, and what is freed late is freed. Short rounds rest less.
const RESTS: Duration = Duration::from_secs(6);
const RESTS_ROUNDS: u32 = 3;
/// Whoever is not back by then is lost.
const BACK_WITHIN: Duration = Duration::from_secs(120);
/// After a connection failed.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Numbers of agents' sockets begin here, so that they come from other addresses.
const AGENTS_FROM: usize = 1_000_000;

/// See the module.
pub(super) async fn measure(
    place: &Place,
    dose: &Dose,
    report: &mut Report,
) -> Result<(), BenchError> {
    say("S5, S9: a crowd of visitors");
    let rest = RESTS.min(RESTS_ROUNDS * dose.round);
    let crowd = Crowd::gather(place, "crowd", place.visitors(dose.visitors), rest).await?;
    crowd.talk().await?;
    let mut of = crowd.weigh().await;
    report.figures.s5 = of.kib_each;
    say(&of.line());
    let crowd = crowd.come_back(&mut of).await?;
    report.figures.s9 = of.all_back_s;
    say(&of.line_of_return());
    report.raw.crowd = Some(of);
    crowd.leave().await?;
    if let Some(wanted) = dose.full_crowd {
        say("S6: a full relay");
        let crowd = Crowd::gather(place, "full", place.visitors(wanted), rest).await?;
        let of = crowd.weigh().await;
        report.figures.s6 = of.resident_kib.map(|kib| kib / 1_024.0);
        say(&of.line());
        report.raw.full_crowd = Some(of);
        crowd.leave().await?;
    } else {
        say("S6 is left out: its 19,000 sockets are opened without --quick and --visitors");
    }
    Ok(())
}

/// Agents, and visitors whom they serve, all connected.
pub(super) struct Crowd {
    folder: PathBuf,
    pub(super) ground: Arc<Ground>,
    pub(super) relay: Relay,
    pub(super) board: Arc<Board>,
    pub(super) agents: Vec<Client>,
    pub(super) visitors: Vec<Client>,
    /// Before the first visitor, in KiB.
    before_kib: Option<f64>,
    gathered_s: f64,
    rest: Duration,
}

impl Crowd {
    /// A relay with agents there, its caches warm; then the visitors come.
    pub(super) async fn gather(
        place: &Place,
        name: &str,
        count: usize,
        rest: Duration,
    ) -> Result<Self, BenchError> {
        let folder = place.folder(name);
        let ground = Arc::new(Ground::of_crowd(&folder, count).await?);
        let relay = Relay::start(&folder).await?;
        let board = Board::new();
        let agents = agents(&ground, &relay, &board).await?;
        let mut crowd = Self {
            folder,
            ground,
            relay,
            board,
            agents,
            visitors: Vec::with_capacity(count),
            before_kib: None,
            gathered_s: 0.0,
            rest,
        };
        // What the store keeps in memory must not be counted for the sockets.
        crowd.agents_write().await?;
        crowd.board.forget_counts();
        sleep(rest).await;
        crowd.before_kib = crowd.relay.resident_kib();
        crowd.relay.forget_peak();
        let begun = Instant::now();
        let (address, board) = (crowd.relay.address, &crowd.board);
        let mut coming = stream::iter(crowd.ground.visitors.iter().enumerate())
            .map(|(number, visitor)| {
                Client::open(board, address, Side::Visitor, &visitor.token, number)
            })
            .buffered(GATHER_AT_ONCE);
        while let Some(visitor) = coming.next().await {
            crowd.visitors.push(visitor?);
        }
        drop(coming);
        crowd.gathered_s = begun.elapsed().as_secs_f64();
        Ok(crowd)
    }

    /// One message each way.
    async fn talk(&self) -> Result<(), BenchError> {
        for some in self.visitors.chunks(WRITE_AT_ONCE) {
            for visitor in some {
                self.board.order(&visitor.orders(), self.board.now_ns());
            }
            self.board.settled(SETTLES_WITHIN).await?;
        }
        self.agents_write().await?;
        self.board.settled(SETTLES_WITHIN).await
    }

    /// Every agent writes to each of their visitors; each waits for room.
    async fn agents_write(&self) -> Result<(), BenchError> {
        for visitor in &self.ground.visitors {
            let Some(agent) = self.agents.get(visitor.agent) else { continue };
            self.board.order(&agent.orders(), self.board.now_ns());
        }
        self.board.acknowledged(SETTLES_WITHIN).await
    }

    /// What each socket costs.
    async fn weigh(&self) -> OfCrowd {
        let peak_kib = self.relay.peak_kib();
        sleep(self.rest).await;
        let after_kib = self.relay.resident_kib();
        let count = self.visitors.len();
        let each = |now: Option<f64>| Some((now? - self.before_kib?) / count as f64);
        OfCrowd {
            visitors: count,
            troubles: self.board.troubles.load(Ordering::Relaxed),
            gathered_s: self.gathered_s,
            before_kib: self.before_kib,
            resident_kib: after_kib,
            kib_each: each(after_kib),
            busy_kib_each: each(peak_kib),
            ..OfCrowd::default()
        }
    }

    /// The relay is killed and started again; everybody comes back at once, behind by one message.
    async fn come_back(mut self, of: &mut OfCrowd) -> Result<Self, BenchError> {
        let bookmarks: Vec<ResumePoint> = self.visitors.iter().map(Client::bookmark).collect();
        self.agents_write().await?;
        self.board.settled(SETTLES_WITHIN).await?;
        self.relay.kill().await?;
        self.visitors.clear();
        self.agents.clear();
        self.relay = Relay::start(&self.folder).await?;
        let (address, spawned) = (self.relay.address, self.relay.spawned);
        let mut coming = JoinSet::new();
        for (number, from) in bookmarks.into_iter().enumerate() {
            let ground = Arc::clone(&self.ground);
            let board = Arc::clone(&self.board);
            coming.spawn(async move {
                let visitor = ground.visitors.get(number);
                let visitor = visitor.ok_or_else(|| BenchError::new("coming back", "nobody"))?;
                let again = back(address, visitor, number, &from).await?;
                let at_ms = u64::try_from(spawned.elapsed().as_millis()).unwrap_or(u64::MAX);
                Ok::<_, BenchError>((at_ms, Client::run(&board, again, &Side::Visitor, number)))
            });
        }
        let returns = async {
            let mut times = Vec::new();
            while let Some(back) = coming.join_next().await {
                let (at_ms, visitor) = back.during("coming back")??;
                times.push(at_ms);
                self.visitors.push(visitor);
            }
            Ok::<_, BenchError>(times)
        };
        let mut times = timeout(BACK_WITHIN, returns).await.during("waiting for everybody")??;
        times.sort_unstable();
        of.half_back_s = Some(nearest(&times, 0.5) as f64 / 1e3);
        of.all_back_s = Some(nearest(&times, 1.0) as f64 / 1e3);
        of.after_return_kib = self.relay.resident_kib();
        Ok(self)
    }

    /// Everything that was sent has arrived.
    pub(super) async fn settled(&self) -> Result<(), BenchError> {
        self.board.settled(SETTLES_WITHIN).await
    }

    pub(super) async fn leave(self) -> Result<(), BenchError> {
        drop((self.visitors, self.agents));
        self.relay.stop().await?;
        remove(&self.folder);
        Ok(())
    }
}

async fn agents(
    ground: &Ground,
    relay: &Relay,
    board: &Arc<Board>,
) -> Result<Vec<Client>, BenchError> {
    let mut agents = Vec::new();
    for (number, agent) in ground.agents.iter().enumerate() {
        let of_agent = ground.visitors.iter().filter(|visitor| visitor.agent == number);
        let serving = Side::Agent(of_agent.map(|visitor| visitor.conversation.clone()).collect());
        let number = AGENTS_FROM + number;
        let client = Client::open(board, relay.address, serving, &agent.token, number);
        agents.push(client.await?);
    }
    Ok(agents)
}

/// Comes back, as often as it takes; the session must be resumed, and what was missed must come.
async fn back(
    address: SocketAddr,
    visitor: &KnownVisitor,
    number: usize,
    from: &ResumePoint,
) -> Result<Welcomed, BenchError> {
    let during = "coming back";
    loop {
        let again = welcome(address, &Side::Visitor, &visitor.token, number, Some(from.clone()));
        let Ok(mut welcomed) = again.await else {
            sleep(AGAIN_AFTER).await;
            continue;
        };
        if !welcomed.resumed {
            return Err(BenchError::new(during, "a visitor was not resumed"));
        }
        while let Some(frame) = welcomed.socket.next().await {
            let Ok(Frame::Text(text)) = frame else { continue };
            match messages_of_agents(&text) {
                0 => {}
                1 => return Ok(welcomed),
                _ => return Err(BenchError::new(during, "a message came twice")),
            }
        }
        return Err(BenchError::new(during, "what was missed did not come"));
    }
}
