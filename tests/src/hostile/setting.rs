//! A whole relay in this thread: the product's router, sessions, rooms and SQL on a database in
//! memory, with time that goes on when everything waits. People of every role, and a conversation.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::task::AbortHandle;
use yingke_relay::app::App;
use yingke_relay::auth::PasswordHasher;
use yingke_relay::clock::World;
use yingke_relay::config::Config;
use yingke_relay::sites::Domain;
use yingke_relay::store::{self, Faults, MemoryFolder, Point, Store};
use yingke_relay::{agents, assignment, auth, live, sites, visitors};
use yingke_shared::ids::SiteId;
use yingke_shared::rest::{AddAgent, EnterAsVisitor, SignIn};
use yingke_shared::time::Timestamp;
use yingke_shared::views::Role;

use crate::chance::Chance;

/// The password of everybody.
pub(super) const PASSWORD: &str = "a long enough secret";

/// A clock that goes on a second each time it is asked, so that no rate refuses for long.
pub(super) struct Fast {
    now: AtomicU64,
    chance: Mutex<Chance>,
}

impl Fast {
    pub(super) fn new(seed: u64) -> Self {
        Self { now: AtomicU64::new(1_800_000_000_000), chance: Mutex::new(Chance::new(seed)) }
    }

    fn draw(&self) -> u64 {
        self.chance.lock().unwrap().draw()
    }
}

impl World for Fast {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.fetch_add(1_000, Ordering::SeqCst)).unwrap()
    }

    fn new_id(&self) -> String {
        format!("{:012x}-{:016x}", self.now.fetch_add(1, Ordering::SeqCst), self.draw())
    }

    fn new_secret(&self) -> String {
        format!("{:016x}{:016x}{:016x}", self.draw(), self.draw(), self.draw())
    }
}

struct NoFaults;

impl Faults for NoFaults {
    fn at(&mut self, _: Point) -> store::Fate {
        store::Fate::GoOn
    }
}

/// See the module.
pub(super) struct Setting {
    pub(super) app: Arc<App>,
    pub(super) site: SiteId,
    /// Sessions of an agent, a manager and an admin.
    pub(super) staff: Vec<String>,
    pub(super) visitor: String,
    /// Ids that mean something here.
    pub(super) known: Vec<String>,
    tasks: Vec<AbortHandle>,
    _folder: TempDir,
    _memory: MemoryFolder,
}

impl Setting {
    /// Inside a runtime of one thread whose time is paused.
    pub(super) async fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let memory = MemoryFolder::new(folder.path()).unwrap();
        let world = Arc::new(Fast::new(seed));
        let store = Store::open_by_turns(&memory, &*world, Box::new(NoFaults)).unwrap();
        let config = Config {
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
            messages_per_second: 1_000,
            ..Config::default()
        };
        let mut app = App::new(config, Arc::clone(&world) as Arc<dyn World>, store);
        app.auth.passwords = PasswordHasher::inline();
        let app = Arc::new(app);
        let turning = app.store.clone();
        let tasks = vec![
            tokio::spawn(async move {
                loop {
                    turning.queued().await;
                    turning.turn(64, 64);
                }
            })
            .abort_handle(),
            tokio::spawn(live::run(Arc::clone(&app))).abort_handle(),
            tokio::spawn(assignment::run(Arc::clone(&app))).abort_handle(),
        ];
        let domains = vec![Domain::parse("https://shop.example").unwrap()];
        let site = sites::actions::insert(&app.store, &*world, "Tea", domains).await.unwrap().id;
        let mut known = vec![site.as_str().to_owned()];
        let mut staff = Vec::new();
        for (name, role) in [("Ana", Role::Agent), ("Mia", Role::Manager), ("Ada", Role::Admin)] {
            let request = AddAgent {
                account: name.to_lowercase(),
                password: PASSWORD.to_owned(),
                nickname: name.to_owned(),
                role,
                capacity: 200,
                departments: None,
                skills: Vec::new(),
            };
            let added = agents::actions::insert(&app.store, &*world, &app.auth.passwords, request);
            known.push(added.await.unwrap().id.as_str().to_owned());
            let form = SignIn { account: name.to_lowercase(), password: PASSWORD.to_owned() };
            staff.push(auth::actions::sign_in(&app, here(), form).await.unwrap().0);
        }
        let entered =
            visitors::actions::enter(&app, here(), site.clone(), EnterAsVisitor::default())
                .await
                .unwrap();
        known.push(entered.visitor_id.as_str().to_owned());
        let visitor = entered.token;
        Self { app, site, staff, visitor, known, tasks, _folder: folder, _memory: memory }
    }
}

impl Setting {
    /// The session of whoever may most.
    pub(super) fn admin(&self) -> &str {
        self.staff.last().unwrap()
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Where all of it comes from.
pub(super) fn here() -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))
}

/// A runtime of one thread whose time is its own.
pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}
