//! What the stories share: a relay with a running driver, and people.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use yingke_routing::Verdict;
use yingke_shared::commands::staff::SetAvailability;
use yingke_shared::explanation::Assignment;
use yingke_shared::ids::{AgentId, ConversationId};
use yingke_shared::settings::{DepartmentSettings, SaveSettings, SettingsSection};
use yingke_shared::views::{
    Availability, ConversationStatus, EndedBy, MessageContent, Role, SystemNotice, WaitingReason,
};

use crate::agents;
use crate::auth::{StaffIdentity, VisitorIdentity};
use crate::conversations::{queries, store};
use crate::events::Entry;
use crate::live::{Registration, ServingNow};
use crate::settings;
use crate::store::{Abort, ReadTx, StoreError};
use crate::testing::{TestRelay, admin, any_id};

/// The longest a condition is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
pub(super) const SECOND: u64 = 1_000;
pub(super) const MINUTE: u64 = 60_000;

/// A session, and no socket yet.
pub(super) async fn sign_in(relay: &TestRelay, who: &StaffIdentity) {
    let (who, now) = (who.clone(), relay.app.world.now());
    let until = now.plus_millis(1_000 * MINUTE);
    let written = relay.app.store.write("sign in", move |tx| {
        crate::auth::store::insert_session(tx, &who.session, &who.agent_id, now, until)?;
        Ok::<_, Abort<StoreError>>(())
    });
    written.await.unwrap();
}

pub(super) struct Desk {
    pub(super) relay: TestRelay,
    drivers: Vec<JoinHandle<()>>,
    seats: BTreeMap<AgentId, Registration>,
}

impl Desk {
    /// With the default settings and nobody there.
    pub(super) async fn open() -> Self {
        Self::over(TestRelay::open().await)
    }

    /// On a relay where something happened already.
    pub(super) fn over(relay: TestRelay) -> Self {
        let mut desk = Self { relay, drivers: Vec::new(), seats: BTreeMap::new() };
        desk.drive();
        desk
    }

    /// One more driver on the same relay.
    pub(super) fn drive(&mut self) {
        self.drivers.push(tokio::spawn(crate::assignment::run(Arc::clone(&self.relay.app))));
    }

    /// Everything stops at once, `down_ms` go by, and the relay is started on what it stored.
    pub(super) async fn restart(self, down_ms: u64) -> Self {
        let Self { relay, drivers, seats } = self;
        relay.app.stopping.cancel();
        for driver in drivers {
            driver.await.unwrap();
        }
        drop(seats);
        relay.pass(down_ms);
        Self::over(relay.restart().await)
    }

    /// An account that is signed in and connected.
    pub(super) async fn agent(&mut self, name: &str, capacity: u32) -> StaffIdentity {
        let who = self.relay.account(name, Role::Agent, capacity).await;
        self.sign_in(&who).await;
        self.connect(&who).await;
        who
    }

    pub(super) async fn sign_in(&self, who: &StaffIdentity) {
        sign_in(&self.relay, who).await;
    }

    pub(super) async fn connect(&mut self, who: &StaffIdentity) {
        let hub = &self.relay.app.hub;
        let seat = hub.join_staff(&who.agent_id, who.role, &who.session, &Arc::default());
        self.seats.insert(who.agent_id.clone(), seat);
        self.until("connected", async |desk| desk.verdict(who).await != Some(Verdict::Offline))
            .await;
    }

    /// The client is killed.
    pub(super) async fn lose(&mut self, who: &StaffIdentity) {
        self.seats.remove(&who.agent_id);
        self.until("gone", async |desk| desk.verdict(who).await == Some(Verdict::Offline)).await;
    }

    pub(super) async fn sign_out(&mut self, who: &StaffIdentity) {
        let session = who.session.clone();
        let written = self.relay.app.store.write("sign out", move |tx| {
            crate::auth::store::end_session(tx, &session)?;
            Ok::<_, Abort<StoreError>>(())
        });
        written.await.unwrap();
        self.lose(who).await;
    }

    pub(super) async fn choose(&self, who: &StaffIdentity, availability: Availability) {
        let body = SetAvailability { availability, hand_over: false };
        let app = Arc::clone(&self.relay.app);
        agents::actions::set_availability(app, who.clone(), any_id(), body).await.unwrap();
    }

    /// The one department, changed.
    pub(super) async fn department(&self, change: impl FnOnce(&mut DepartmentSettings)) {
        let read = self.relay.app.store.read("departments", settings::queries::departments);
        let mut departments = read.await.unwrap();
        change(&mut departments.value[0]);
        let section = SettingsSection::Departments(departments.value);
        self.save(departments.version, section).await;
    }

    pub(super) async fn save(&self, base: u32, section: SettingsSection) {
        let request = SaveSettings { base, section };
        settings::actions::save(&self.relay.app, &admin(), request).await.unwrap();
        self.settled().await;
    }

    /// Somebody new writes; gives who, and the conversation.
    pub(super) async fn visitor(&self) -> (VisitorIdentity, ConversationId) {
        let visitor = self.relay.visitor().await;
        let (id, _) = self.relay.say(&visitor, any_id().as_str(), "在吗").await.unwrap();
        (visitor, id)
    }

    /// A key is pressed.
    pub(super) async fn types(
        &self,
        who: &StaffIdentity,
        visitor: &VisitorIdentity,
        id: &ConversationId,
    ) {
        let hub = &self.relay.app.hub;
        let now = ServingNow { conversation_id: id.clone(), agents: vec![who.agent_id.clone()] };
        hub.set_serving(&visitor.visitor_id, Some(&now));
        hub.typing(&who.agent_id, id).unwrap();
        self.settled().await;
    }

    /// Several, one after the other.
    pub(super) async fn visitors(&self, count: usize) -> Vec<(VisitorIdentity, ConversationId)> {
        let mut visitors = Vec::new();
        for _ in 0..count {
            visitors.push(self.visitor().await);
        }
        visitors
    }

    /// Time goes by, and what it brings has been decided.
    pub(super) async fn pass(&self, millis: u64) {
        self.settled().await;
        self.relay.pass(millis);
        self.settled().await;
    }

    /// The driver has heard all there is and nothing is under way.
    pub(super) async fn settled(&self) {
        let settle = async {
            let mut quiet = 0;
            let mut head = self.relay.head().await;
            // What a turn begins ends with an event of the log or with nothing at all: a few answers in
            // a row without an event in between, and everything said by then was heard.
            while quiet < 4 {
                self.relay.app.store.read("turn", |_| Ok(())).await.unwrap();
                let _ = self.relay.app.routing.overview().await;
                let written =
                    self.relay.app.store.write("turn", |_| Ok::<_, Abort<StoreError>>(()));
                written.await.unwrap();
                let now = self.relay.head().await;
                quiet = if now == head { quiet + 1 } else { 0 };
                head = now;
            }
        };
        tokio::time::timeout(PATIENCE, settle).await.expect("it settles");
    }

    /// Waits until it is so.
    pub(super) async fn until(&self, what: &str, is_so: impl AsyncFn(&Self) -> bool) {
        let mut turns = self.relay.app.routing.turns();
        let wait = async {
            let mut log = self.relay.app.store.subscribe(self.relay.head().await);
            while !is_so(self).await {
                tokio::select! {
                    _ = turns.changed() => {}
                    _ = log.next() => {}
                }
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("never: {what}");
        }
    }

    /// What speaks against the agent, as the driver knows it; `Taken` for nothing.
    async fn verdict(&self, who: &StaffIdentity) -> Option<Verdict> {
        let overview = self.relay.app.routing.overview().await?;
        let mut agents = overview.agents.into_iter();
        Some(agents.find(|one| one.agent.as_str() == who.agent_id.as_str())?.verdict)
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.relay.app.store.read("look", read).await.unwrap()
    }

    pub(super) async fn status(&self, id: &ConversationId) -> ConversationStatus {
        let id = id.clone();
        self.read(move |tx| Ok(store::load(tx, &id)?.unwrap().status)).await
    }

    /// Waits until this agent serves it.
    pub(super) async fn served(&self, id: &ConversationId, by: &StaffIdentity) {
        let wanted = ConversationStatus::Serving { agent_id: by.agent_id.clone() };
        self.until("served", async |desk| desk.status(id).await == wanted).await;
    }

    /// Waits until it waits for this reason.
    pub(super) async fn waits(&self, id: &ConversationId, reason: WaitingReason) {
        let wanted = ConversationStatus::Waiting { reason };
        self.until("waits", async |desk| desk.status(id).await == wanted).await;
    }

    /// Waits until it is over.
    pub(super) async fn ended(&self, id: &ConversationId) -> EndedBy {
        let is_over = |status: &_| matches!(status, ConversationStatus::Ended { .. });
        self.until("ended", async |desk| is_over(&desk.status(id).await)).await;
        match self.status(id).await {
            ConversationStatus::Ended { by, .. } => by,
            other => panic!("{other:?}"),
        }
    }

    /// Who serves it now.
    pub(super) async fn agent_of(&self, id: &ConversationId) -> Option<AgentId> {
        match self.status(id).await {
            ConversationStatus::Serving { agent_id } => Some(agent_id),
            _ => None,
        }
    }

    /// Everybody in line, first one first, as the driver knows it.
    pub(super) async fn line(&self) -> Vec<ConversationId> {
        self.settled().await;
        let overview = self.relay.app.routing.overview().await.unwrap();
        let id = |name: &yingke_routing::ConversationId| ConversationId::new(name.as_str());
        overview.lines.iter().map(|one| id(&one.conversation).unwrap()).collect()
    }

    /// What the relay wrote into it by itself, without the welcome.
    pub(super) async fn notices(&self, id: &ConversationId) -> Vec<SystemNotice> {
        let id = id.clone();
        let page = self.read(move |tx| store::messages(tx, &id, None, 100, 1 << 20)).await;
        let notice = |content| match content {
            MessageContent::Notice { notice: SystemNotice::Welcome { .. } } => None,
            MessageContent::Notice { notice } => Some(notice),
            _ => None,
        };
        page.rows.into_iter().filter_map(|message| notice(message.content)).collect()
    }

    pub(super) async fn assignments(&self, id: &ConversationId) -> Vec<Assignment> {
        let id = id.clone();
        self.read(move |tx| store::assignments(tx, &id, 100)).await
    }

    /// How many conversations managers are told of.
    pub(super) async fn alerts(&self) -> usize {
        self.read(|tx| Ok(store::alerts(tx, 500)?.len())).await
    }

    pub(super) async fn serves(&self, who: &StaffIdentity) -> usize {
        let id = who.agent_id.clone();
        self.read(move |tx| Ok(queries::serving_of_agent(tx, &id)?.len())).await
    }

    /// What the log says after a position.
    pub(super) async fn log(&self) -> Vec<Arc<Entry>> {
        let mut log = self.relay.app.store.subscribe(Default::default());
        let (mut entries, head) = (Vec::new(), self.relay.head().await);
        while log.position() < head {
            entries.extend(log.next().await.unwrap());
        }
        entries
    }
}
