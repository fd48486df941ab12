//! The simulated relay: the product's own parts on a database in memory, in tasks that end all at once
//! when it crashes.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::AbortHandle;
use yingke_relay::app::App;
use yingke_relay::auth::{PasswordHasher, StaffIdentity, TokenHash};
use yingke_relay::config::Config;
use yingke_relay::store::{Fate as Turn, Faults, MemoryFolder, OpenError, Point, Store};
use yingke_relay::{assignment, live};
use yingke_shared::ids::AgentId;
use yingke_shared::views::Role;

use super::wire::SimLink;
use super::world::Fate;

/// How bad the disk's day is; zero is a good day. Shared by every relay of a run.
#[derive(Clone, Default)]
pub(crate) struct Weather {
    stormy: Arc<AtomicBool>,
    /// A point at which the next batch that comes there ends the relay.
    doomed: Arc<Mutex<Option<Point>>>,
}

impl Weather {
    pub(crate) fn set_stormy(&self, stormy: bool) {
        self.stormy.store(stormy, Ordering::Relaxed);
        if !stormy {
            *self.doomed.lock().unwrap() = None;
        }
    }

    pub(crate) fn doom(&self, point: Point) {
        *self.doomed.lock().unwrap() = Some(point);
    }

    fn is_stormy(&self) -> bool {
        self.stormy.load(Ordering::Relaxed)
    }
}

struct Disk {
    fate: Fate,
    weather: Weather,
}

impl Faults for Disk {
    fn at(&mut self, point: Point) -> Turn {
        let doomed = self.weather.doomed.lock().unwrap().take_if(|doomed| *doomed == point);
        if doomed.is_some() {
            return Turn::End;
        }
        if point == Point::BeforeCommit && self.weather.is_stormy() && self.fate.once_in(40) {
            return Turn::Full;
        }
        Turn::GoOn
    }
}

/// Opens the store. A program that another test of this process is starting holds the folder's lock
/// with this process until it is that program: a moment, and nothing of the simulated world.
fn open(fate: &Fate, folder: &MemoryFolder, weather: &Weather) -> Store {
    for _ in 0..10_000 {
        let disk = Disk { fate: fate.clone(), weather: weather.clone() };
        match Store::open_by_turns(folder, fate, Box::new(disk)) {
            Err(OpenError::InUse { .. }) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
    panic!("the simulated relay's folder stays locked");
}

/// A running relay.
pub(crate) struct Relay {
    pub(crate) app: Arc<App>,
    tasks: Vec<AbortHandle>,
}

impl Relay {
    pub(crate) fn start(fate: &Fate, folder: &MemoryFolder, weather: &Weather) -> Self {
        let store = open(fate, folder, weather);
        let mut app = App::new(Config::default(), Arc::new(fate.clone()), store);
        app.auth.passwords = PasswordHasher::inline();
        let app = Arc::new(app);
        let mut relay = Self { app: Arc::clone(&app), tasks: Vec::new() };
        relay.spawn(turn(app.store.clone(), fate.clone(), weather.clone()));
        relay.spawn(live::run(Arc::clone(&app)));
        relay.spawn(assignment::run(app));
        relay
    }

    /// Runs something as part of the relay.
    pub(crate) fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.retain(|task| !task.is_finished());
        self.tasks.push(tokio::spawn(work).abort_handle());
    }

    pub(crate) fn staff(&mut self, link: SimLink) {
        let app = Arc::clone(&self.app);
        self.spawn(live::socket::staff_session(app, address(1), link));
    }

    pub(crate) fn visitor(&mut self, link: SimLink) {
        let app = Arc::clone(&self.app);
        self.spawn(live::socket::visitor_session(app, address(2), link));
    }

    /// As by kill -9: nothing of it runs any more.
    pub(crate) fn kill(self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// An address of documentation's.
pub(crate) fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

/// Whoever may change accounts and sites.
pub(crate) fn admin() -> StaffIdentity {
    StaffIdentity {
        agent_id: AgentId::new("the-admin").unwrap(),
        role: Role::Admin,
        session: TokenHash::of("the-admin"),
    }
}

/// The disk's own pace: batches of any size, reads in between, sometimes a long wait.
async fn turn(store: Store, fate: Fate, weather: Weather) {
    loop {
        store.queued().await;
        let wait = match weather.is_stormy() {
            true if fate.once_in(150) => fate.between(100, 4_000),
            _ => fate.between(0, 3).saturating_sub(1),
        };
        if wait > 0 {
            tokio::time::sleep(Duration::from_millis(wait)).await;
        } else {
            tokio::task::yield_now().await;
        }
        let (writes, reads) = (fate.index(6), fate.index(6));
        store.turn(writes, reads);
        if writes == 0 && reads == 0 {
            tokio::task::yield_now().await;
        }
    }
}
