//! What a world stands on: a company as it is before anybody comes, the relay's disk and the computers of
//! the agents. Made once for each thread, and as new for each world: opening databases and compiling SQL
//! would be most of a world's cost.

use std::path::PathBuf;

use tempfile::TempDir;
use yingke_client::by_hand::Computer;
use yingke_relay::auth::PasswordHasher;
use yingke_relay::store::MemoryFolder;
use yingke_relay::{agents, sites};
use yingke_shared::ids::{AgentId, SiteId};
use yingke_shared::rest::{AddAgent, ChangeSite};
use yingke_shared::views::Role;

use super::PASSWORD;
use super::relay::{Relay, Weather, admin};
use super::world::Fate;

/// An agent's account and computer.
pub(super) struct Own {
    pub(super) id: AgentId,
    pub(super) account: &'static str,
    pub(super) folder: PathBuf,
    pub(super) computer: Computer,
}

/// See the module.
pub(super) struct Place {
    /// Before anybody comes.
    founded: MemoryFolder,
    /// The relay's disk.
    pub(super) memory: MemoryFolder,
    /// The newest backup, if one was made.
    pub(super) spare: MemoryFolder,
    pub(super) site: SiteId,
    pub(super) agents: Vec<Own>,
    _folder: TempDir,
}

impl Place {
    pub(super) fn make() -> Self {
        let folder = folder();
        let disk = |name: &str| MemoryFolder::new(&folder.path().join(name)).unwrap();
        let founded = disk("founded");
        let (site, agents) = super::run::runtime().block_on(found(&founded));
        // What a password costs is nothing that simulation is about.
        let salt = argon2::password_hash::SaltString::encode_b64(b"simulation").unwrap();
        let params = argon2::Params::new(8, 1, 1, None).unwrap();
        let cheap =
            argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let hash = argon2::PasswordHasher::hash_password(&cheap, PASSWORD.as_bytes(), &salt);
        let hash = hash.unwrap().to_string();
        founded.change(&format!("UPDATE agents SET password_hash = '{hash}'")).unwrap();
        let own = |(account, id): (&'static str, AgentId)| Own {
            id,
            account,
            folder: folder.path().join(account),
            computer: Computer::default(),
        };
        Self {
            founded,
            memory: disk("relay"),
            spare: disk("backup"),
            site,
            agents: agents.into_iter().map(own).collect(),
            _folder: folder,
        }
    }

    /// Nobody has come yet.
    pub(super) fn make_as_new(&mut self) {
        self.memory.copy_from(&self.founded).unwrap();
        let _ = std::fs::remove_file(self.memory.path().join("boot.json"));
        for own in &self.agents {
            assert!(own.computer.clear(), "the computer of {} is not clean", own.account);
        }
    }
}

async fn found(memory: &MemoryFolder) -> (SiteId, Vec<(&'static str, AgentId)>) {
    let fate = Fate::new(0);
    let relay = Relay::start(&fate, memory, &Weather::default());
    let app = &relay.app;
    let domains = vec![sites::Domain::parse("https://shop.example").unwrap()];
    let site = sites::actions::insert(&app.store, &fate, "Shop", domains).await.unwrap().id;
    let welcome = ChangeSite { welcome: Some("你好".to_owned()), ..Default::default() };
    sites::actions::change(app, &admin(), site.clone(), welcome).await.unwrap();
    let mut made = Vec::new();
    for (name, role) in
        [("ana", Role::Agent), ("ben", Role::Agent), ("cai", Role::Agent), ("dan", Role::Manager)]
    {
        let request = AddAgent {
            account: name.to_owned(),
            password: PASSWORD.to_owned(),
            nickname: name.to_owned(),
            role,
            capacity: 2,
            departments: None,
            skills: Vec::new(),
        };
        let passwords = PasswordHasher::inline();
        let added = agents::actions::insert(&app.store, &fate, &passwords, request).await;
        made.push((name, added.unwrap().id));
    }
    relay.kill();
    tokio::task::yield_now().await;
    (site, made)
}

/// A folder in memory where there is one: only small files are in it.
fn folder() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    let root = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix("yingke-sim-").tempdir_in(root).unwrap();
    for name in ["founded", "relay", "backup"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    folder
}
