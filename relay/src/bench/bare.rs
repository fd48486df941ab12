//! The floor to compare with: the rows of a message, written by the statements of a message, in a
//! loop with nothing around it.

use std::path::Path;
use std::time::{Duration, Instant};

use super::child::cpu_us_of;
use super::error::{BenchError, During as _};
use super::ground::{Ground, KnownAgent, KnownVisitor, TEXT, UNSUMMED};
use super::pairs::PAIRS;
use super::spread::Percentiles;
use crate::clock::{RealWorld, World as _};
use crate::store::{Bare, StoreError};
use crate::{agents, conversations, events, params};

/// See the module.
pub(super) struct BareLoop {
    database: Bare,
    ground: Ground,
    position: i64,
    /// Whose turn it is: the visitor and the agent of each pair alternate.
    turn: usize,
}

/// What writing as fast as possible gave.
pub(super) struct Written {
    /// Messages a second.
    pub(super) per_second: f64,
    /// Processor time for each, in microseconds.
    pub(super) cpu_us: Option<f64>,
}

/// What a round at a rate gave.
pub(super) struct Committed {
    /// From the moment in which a message is due to the end of its commit.
    pub(super) delay: Percentiles,
    /// Processor time for each, in microseconds.
    pub(super) cpu_us: Option<f64>,
}

impl BareLoop {
    pub(super) async fn open(folder: &Path) -> Result<Self, BenchError> {
        let ground = Ground::of_pairs(folder, PAIRS).await?;
        let database = Bare::open(folder).during("opening a database")?;
        let position = database.look(events::END, &[]).during("reading the log's end")?;
        Ok(Self { database, ground, position: position.unwrap_or(0), turn: 0 })
    }

    /// As fast as possible in transactions of `batch` messages each, for about this long.
    pub(super) fn saturate(&mut self, batch: u64, time: Duration) -> Result<Written, BenchError> {
        let (begun, cpu) = (Instant::now(), thread_cpu_us());
        let mut written = 0;
        while begun.elapsed() < time {
            self.batch(batch).during("writing in a bare loop")?;
            written += batch;
        }
        let per_second = written as f64 / begun.elapsed().as_secs_f64();
        Ok(Written { per_second, cpu_us: each_since(cpu, written) })
    }

    /// At this many messages a second, for this long. A commit takes with it whatever is due, so this is
    /// what the disk and the engine leave to a relay.
    pub(super) fn pace(&mut self, rate: u32, time: Duration) -> Result<Committed, BenchError> {
        let (begun, cpu) = (Instant::now(), thread_cpu_us());
        let due_ns = |number: u64| number * 1_000_000_000 / u64::from(rate.max(1));
        let end_ns = nanos(time);
        let (mut delays, mut written) = (Vec::new(), 0_u64);
        while due_ns(written) < end_ns {
            let early_ns = due_ns(written).saturating_sub(nanos(begun.elapsed()));
            std::thread::sleep(Duration::from_nanos(early_ns));
            let (first, until_ns) = (written, nanos(begun.elapsed()).min(end_ns - 1));
            while due_ns(written) <= until_ns {
                written += 1;
            }
            self.batch(written - first).during("writing in a bare loop")?;
            let done_ns = nanos(begun.elapsed());
            delays.extend((first..written).map(|number| done_ns - due_ns(number)));
        }
        Ok(Committed { delay: Percentiles::of(delays), cpu_us: each_since(cpu, written) })
    }

    /// Has this done on a thread that may block.
    pub(super) async fn aside<T: Send + 'static>(
        mut self,
        work: impl FnOnce(&mut Self) -> Result<T, BenchError> + Send + 'static,
    ) -> Result<(Self, T), BenchError> {
        let done = tokio::task::spawn_blocking(move || work(&mut self).map(|found| (self, found)));
        done.await.during("writing in a bare loop")?
    }

    fn batch(&mut self, batch: u64) -> Result<(), StoreError> {
        self.database.begin()?;
        for _ in 0..batch {
            let pair = self.turn / 2 % self.ground.visitors.len().max(1);
            let by_agent = self.turn % 2 == 1;
            self.turn += 1;
            self.position += 1;
            let Some(visitor) = self.ground.visitors.get(pair) else { continue };
            let Some(agent) = self.ground.agents.get(visitor.agent) else { continue };
            if by_agent {
                self.of_agent(visitor, agent)?;
            } else {
                self.of_visitor(visitor)?;
            }
        }
        self.database.execute(events::MOVE_END, params![self.position])?;
        self.database.commit()
    }

    /// Was it sent before, which conversation is open, how does it stand, the row, the event.
    fn of_visitor(&self, visitor: &KnownVisitor) -> Result<(), StoreError> {
        let client_id = RealWorld.new_id();
        let database = &self.database;
        database.look(conversations::store::SENT, params![visitor.id, client_id])?;
        database.look(conversations::store::OPEN_OF_VISITOR, params![visitor.id])?;
        self.add(visitor, visitor.id.as_str(), "visitor", &client_id)
    }

    /// Was it sent before, may this agent write here, is the account still good, how does it stand,
    /// the row, the event.
    fn of_agent(&self, visitor: &KnownVisitor, agent: &KnownAgent) -> Result<(), StoreError> {
        let client_id = RealWorld.new_id();
        let (database, id) = (&self.database, &visitor.conversation);
        database.look(conversations::store::SENT, params![agent.id, client_id])?;
        database.look(conversations::store::BY_ID, params![id])?;
        database.look(conversations::store::EVER_SERVED, params![id, agent.id])?;
        database.look(agents::store::BY_ID, params![agent.id])?;
        self.add(visitor, agent.id.as_str(), "agent", &client_id)
    }

    fn add(
        &self,
        visitor: &KnownVisitor,
        actor: &str,
        author: &str,
        client_id: &str,
    ) -> Result<(), StoreError> {
        let (database, id, now) = (&self.database, &visitor.conversation, RealWorld.now());
        let at = self.position;
        let seq = database.look(conversations::store::RUNNING, params![id])?.unwrap_or(0) + 1;
        database.execute(
            conversations::store::INSERT_MESSAGE,
            params![id, seq, actor, client_id, author, TEXT, false, now, seq, now, UNSUMMED, at],
        )?;
        let no_body = "";
        database.execute(events::INSERT, params![at, now, "message_appended", id, seq, no_body])
    }
}

/// Processor time that this thread has used, in microseconds.
fn thread_cpu_us() -> Option<f64> {
    cpu_us_of(Path::new("/proc/thread-self"))
}

fn each_since(before: Option<f64>, messages: u64) -> Option<f64> {
    let used = thread_cpu_us()? - before?;
    (messages > 0).then(|| used / messages as f64)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
