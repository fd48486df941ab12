//! What the tests of the rooms share: a relay without sockets on a real store, a clock that can be
//! set, Ana and Ben, Vera and Viktor, and the check of the law that holds for every action:
//! *what was on a screen, plus the events, is what a fresh look shows* ([`Screens`]).

pub(crate) mod http;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tempfile::TempDir;
use tokio::sync::watch;
use yingke_shared::commands::staff::{StaffMark, StaffSendMessage};
use yingke_shared::commands::visitor::{PageContext, VisitorAsks, VisitorMark, VisitorSendMessage};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::events::{StaffEvent, StaffEventBody, VisitorEvent, VisitorEventBody};
use yingke_shared::explanation::AssignedHow;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{AgentId, ClientId, ConversationId, Position, Seq, SiteId, VisitorId};
use yingke_shared::rest::{AddAgent, ChangeAgent, EnterAsVisitor};
use yingke_shared::snapshot::{StaffSnapshot, VisitorSnapshot};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{RequeueReason, Role};

use crate::app::App;
use crate::auth::{StaffIdentity, TokenHash, VisitorIdentity};
use crate::clock::{RealWorld, Stopwatch, World};
use crate::config::Config;
use crate::conversations::{ClaimOutcome, actions, queries, views};
use crate::events::{Entry, LogBody, Sight};
use crate::sites::Domain;
use crate::store::Store;
use crate::{agents, sites, visitors};

/// Where requests of these tests come from.
pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
/// The welcome of the test site.
pub(crate) const WELCOME: &str = "你好，有什么可以帮您？";
/// The password of every account.
pub(crate) const PASSWORD: &str = "a long enough secret";

/// The real world with a clock of the test's, which all deadlines follow.
pub(crate) struct TestWorld {
    now: watch::Sender<u64>,
}

struct TestWatch {
    now: watch::Receiver<u64>,
    began: u64,
}

impl Stopwatch for TestWatch {
    fn passed_ms(&self) -> u64 {
        self.now.borrow().saturating_sub(self.began)
    }

    fn until(&self, passed_ms: u64) -> BoxFuture<'static, ()> {
        let (mut now, at) = (self.now.clone(), self.began.saturating_add(passed_ms));
        Box::pin(async move {
            let _ = now.wait_for(|now| *now >= at).await;
        })
    }
}

impl World for TestWorld {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(*self.now.borrow()).unwrap()
    }

    fn stopwatch(&self) -> Box<dyn Stopwatch> {
        let now = self.now.subscribe();
        let began = *now.borrow();
        Box::new(TestWatch { now, began })
    }

    fn new_id(&self) -> String {
        RealWorld.new_id()
    }

    fn new_secret(&self) -> String {
        RealWorld.new_secret()
    }
}

/// A relay without sockets.
pub(crate) struct TestRelay {
    pub(crate) app: Arc<App>,
    pub(crate) world: Arc<TestWorld>,
    /// `https://shop.example`, with a welcome.
    pub(crate) site: SiteId,
    _folder: TempDir,
}

impl TestRelay {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Arc::new(TestWorld { now: watch::Sender::new(1_800_000_000_000) });
        let store = Store::open(folder.path(), world.as_ref()).unwrap();
        let app = App::new(Config::default(), world.clone(), store);
        let domains = vec![Domain::parse("https://shop.example").unwrap()];
        let site = sites::actions::insert(&app.store, world.as_ref(), "Shop", domains).await;
        let site = site.unwrap().id;
        let relay = Self { app: Arc::new(app), world, site, _folder: folder };
        relay.set_welcome(WELCOME).await;
        relay
    }

    /// The same relay started again on what it stored.
    pub(crate) async fn restart(self) -> Self {
        self.restart_as(Config::default()).await
    }

    /// The same with another configuration.
    pub(crate) async fn restart_as(self, config: Config) -> Self {
        let Self { app, world, site, _folder } = self;
        app.stopping.cancel();
        app.store.close().await;
        drop(app);
        let store = Store::open(_folder.path(), world.as_ref()).unwrap();
        let app = Arc::new(App::new(config, world.clone(), store));
        Self { app, world, site, _folder }
    }

    pub(crate) fn set_clock(&self, millis: u64) {
        self.world.now.send_replace(millis);
    }

    pub(crate) fn pass(&self, millis: u64) {
        self.world.now.send_modify(|now| *now += millis);
    }

    pub(crate) async fn set_welcome(&self, welcome: &str) {
        let change = yingke_shared::rest::ChangeSite {
            welcome: Some(welcome.to_owned()),
            ..Default::default()
        };
        let site = self.site.clone();
        sites::actions::change(&self.app, &admin(), site, change).await.unwrap();
    }

    /// An account, online, with [`PASSWORD`].
    pub(crate) async fn account(&self, name: &str, role: Role, capacity: u32) -> StaffIdentity {
        let request = AddAgent {
            account: name.to_lowercase(),
            password: PASSWORD.into(),
            nickname: name.into(),
            role,
            capacity,
            departments: None,
            skills: Vec::new(),
        };
        let app = &self.app;
        let passwords = &app.auth.passwords;
        let added = agents::actions::insert(&app.store, self.world.as_ref(), passwords, request);
        let agent_id = added.await.unwrap().id;
        StaffIdentity { agent_id, role, session: TokenHash::of(name) }
    }

    pub(crate) async fn agent(&self, name: &str) -> StaffIdentity {
        self.account(name, Role::Agent, 8).await
    }

    pub(crate) async fn visitor(&self) -> VisitorIdentity {
        let request = EnterAsVisitor::default();
        let site_id = self.site.clone();
        let entered = visitors::actions::enter(&self.app, HERE, site_id.clone(), request).await;
        VisitorIdentity { visitor_id: entered.unwrap().visitor_id, site_id }
    }

    pub(crate) async fn say(
        &self,
        who: &VisitorIdentity,
        id: &str,
        text: &str,
    ) -> Result<(ConversationId, u64), ErrorCode> {
        let command = VisitorSendMessage {
            text: text.into(),
            page: PageContext { url: "https://shop.example/cart".into(), title: "Cart".into() },
            locale: "zh-CN".into(),
            asks: VisitorAsks::default(),
        };
        let sent = actions::send_as_visitor(self.app.clone(), who.clone(), client(id), command);
        accepted(sent.await)
    }

    pub(crate) async fn answer(
        &self,
        who: &StaffIdentity,
        conversation_id: &ConversationId,
        id: &str,
        text: &str,
    ) -> Result<(ConversationId, u64), ErrorCode> {
        let command =
            StaffSendMessage { conversation_id: conversation_id.clone(), text: text.into() };
        let sent = actions::send_as_agent(self.app.clone(), who.clone(), client(id), command);
        accepted(sent.await)
    }

    pub(crate) async fn claim(&self, id: &ConversationId, who: &StaffIdentity) -> ClaimOutcome {
        let how = AssignedHow::Started {};
        actions::claim(&self.app, id.clone(), who.agent_id.clone(), how).await.unwrap()
    }

    /// Vera writes and the agent takes her.
    pub(crate) async fn conversation_with(
        &self,
        visitor: &VisitorIdentity,
        agent: &StaffIdentity,
    ) -> ConversationId {
        let first = RealWorld.new_id();
        let (id, _) = self.say(visitor, &first, "在吗").await.unwrap();
        assert_eq!(self.claim(&id, agent).await, ClaimOutcome::Claimed);
        id
    }

    pub(crate) async fn view(
        &self,
        who: &StaffIdentity,
        id: &ConversationId,
        read: u64,
    ) -> Result<Outcome, ErrorCode> {
        let seq = Seq::new(read).unwrap();
        let command = StaffMark { conversation_id: id.clone(), delivered: seq, read: seq };
        let marked = actions::mark_as_agent(self.app.clone(), who.clone(), any_id(), command);
        marked.await.map_err(|error| error.code())
    }

    pub(crate) async fn visitor_marks(
        &self,
        who: &VisitorIdentity,
        id: &ConversationId,
        delivered: u64,
        read: u64,
    ) -> Result<Outcome, ErrorCode> {
        let command = VisitorMark {
            conversation_id: id.clone(),
            delivered: Seq::new(delivered).unwrap(),
            read: Seq::new(read).unwrap(),
        };
        let marked = actions::mark_as_visitor(self.app.clone(), who.clone(), any_id(), command);
        marked.await.map_err(|error| error.code())
    }

    pub(crate) async fn end(
        &self,
        who: &StaffIdentity,
        id: &ConversationId,
    ) -> Result<Outcome, ErrorCode> {
        let command =
            yingke_shared::commands::staff::StaffEndConversation { conversation_id: id.clone() };
        let ended = actions::end_as_agent(self.app.clone(), who.clone(), any_id(), command);
        ended.await.map_err(|error| error.code())
    }

    pub(crate) async fn set_disabled(&self, who: &StaffIdentity, disabled: bool) {
        let change = ChangeAgent { disabled: Some(disabled), ..Default::default() };
        agents::actions::change(&self.app, &admin(), who.agent_id.clone(), change).await.unwrap();
    }

    /// What disabled accounts serve is in line again, as routing decides it.
    pub(crate) async fn release_disabled(&self) {
        let read = self.app.store.read("served by disabled", |tx| {
            let mut served = Vec::new();
            for agent in agents::queries::all(tx)?.into_iter().filter(|agent| agent.disabled) {
                for open in queries::serving_of_agent(tx, &agent.id)? {
                    served.push((open.id, agent.id.clone()));
                }
            }
            Ok(served)
        });
        for (id, from) in read.await.unwrap() {
            let why = RequeueReason::AgentRemoved;
            let carried = actions::put_back(&self.app, id, from, why).await.unwrap();
            assert_eq!(carried, actions::Carried::Done);
        }
    }

    pub(crate) async fn staff_screen(&self, who: &StaffIdentity) -> StaffSnapshot {
        let id = who.agent_id.clone();
        self.app.store.read("screen", move |tx| queries::staff_snapshot(tx, &id)).await.unwrap()
    }

    pub(crate) async fn visitor_screen(&self, who: &VisitorIdentity) -> VisitorSnapshot {
        let who = who.clone();
        let read = move |tx: &crate::store::ReadTx<'_>| {
            queries::visitor_snapshot(tx, &who.visitor_id, &who.site_id)
        };
        self.app.store.read("screen", read).await.unwrap()
    }

    /// The kinds of what a visitor who was always away is told of names and site.
    pub(crate) async fn visitor_news(&self, who: &VisitorIdentity) -> Vec<&'static str> {
        self.visitor_news_after(who, Position::ZERO).await
    }

    /// The same for one who was away from a position on.
    pub(crate) async fn visitor_news_after(
        &self,
        who: &VisitorIdentity,
        after: Position,
    ) -> Vec<&'static str> {
        let who = who.clone();
        let read = move |tx: &crate::store::ReadTx<'_>| {
            queries::visitor_news(tx, &who.visitor_id, &who.site_id, after)
        };
        let news = self.app.store.read("news", read).await.unwrap();
        let kind = |event: &VisitorEvent| match event.body {
            VisitorEventBody::AgentChanged { .. } => "agent_changed",
            VisitorEventBody::SiteChanged { .. } => "site_changed",
            _ => "other",
        };
        news.iter().map(kind).collect()
    }

    /// The newest committed position. The end kept in memory follows a moment later.
    pub(crate) async fn head(&self) -> Position {
        self.app.store.read("head", |tx| Ok(crate::events::head(tx)?.1)).await.unwrap()
    }
}

/// An admin who is nobody in the database: what the rights alone allow.
pub(crate) fn admin() -> StaffIdentity {
    let agent_id = AgentId::new("the-admin").unwrap();
    StaffIdentity { agent_id, role: Role::Admin, session: TokenHash::of("the admin") }
}

pub(crate) fn client(id: &str) -> ClientId {
    ClientId::new(id).unwrap()
}

pub(crate) fn any_id() -> ClientId {
    client(&RealWorld.new_id())
}

fn accepted(
    outcome: Result<Outcome, crate::error::RelayError>,
) -> Result<(ConversationId, u64), ErrorCode> {
    match outcome {
        Ok(Outcome::Accepted { conversation_id, seq, .. }) => Ok((conversation_id, seq.get())),
        Ok(other) => panic!("not an acceptance: {other:?}"),
        Err(error) => Err(error.code()),
    }
}

/// What several people have on their screens: taken once, then kept up by events alone.
pub(crate) struct Screens {
    staff: BTreeMap<AgentId, StaffSnapshot>,
    visitors: BTreeMap<VisitorId, (SiteId, VisitorSnapshot)>,
    position: Position,
}

impl Screens {
    pub(crate) async fn take(
        relay: &TestRelay,
        staff: &[&StaffIdentity],
        visitors: &[&VisitorIdentity],
    ) -> Self {
        let mut screens = Self {
            staff: BTreeMap::new(),
            visitors: BTreeMap::new(),
            position: relay.head().await,
        };
        for who in staff {
            screens.staff.insert(who.agent_id.clone(), relay.staff_screen(who).await);
        }
        for who in visitors {
            let screen = (who.site_id.clone(), relay.visitor_screen(who).await);
            screens.visitors.insert(who.visitor_id.clone(), screen);
        }
        screens
    }

    /// Applies what happened since, as fan-out would deliver it, and compares every screen with a
    /// fresh look.
    pub(crate) async fn check(&mut self, relay: &TestRelay, after: &str) {
        let head = relay.head().await;
        let mut log = relay.app.store.subscribe(self.position);
        while self.position < head {
            for entry in log.next().await.unwrap() {
                self.position = entry.position;
                self.deliver(relay, &entry).await;
            }
        }
        for (id, screen) in &self.staff {
            let id = id.clone();
            let read = relay.app.store.read("look", move |tx| queries::staff_snapshot(tx, &id));
            let (fresh, mut shown) = (read.await.unwrap(), screen.clone());
            for record in shown.conversations.values_mut() {
                let rev = fresh.conversations.get(&record.id).map(|fresh| fresh.rev);
                level(&mut record.rev, rev);
            }
            assert_eq!(shown, fresh, "staff after {after}");
        }
        for (id, (site, screen)) in &self.visitors {
            let (id, site) = (id.clone(), site.clone());
            let read =
                relay.app.store.read("look", move |tx| queries::visitor_snapshot(tx, &id, &site));
            let (fresh, mut shown) = (read.await.unwrap(), screen.clone());
            if let Some(conversation) = &mut shown.conversation {
                level(&mut conversation.rev, fresh.conversation.as_ref().map(|fresh| fresh.rev));
            }
            assert_eq!(shown, fresh, "visitor after {after}");
        }
    }

    async fn deliver(&mut self, relay: &TestRelay, entry: &Entry) {
        match (&entry.body, &entry.subject) {
            (LogBody::AgentChanged { agent_id }, _) => {
                let id = agent_id.clone();
                let read = relay.app.store.read("card", move |tx| agents::queries::agent(tx, &id));
                let agent = read.await.unwrap().unwrap();
                for (reader, screen) in &mut self.staff {
                    let body = if reader == agent_id {
                        StaffEventBody::OwnCardChanged { card: agent.own_card() }
                    } else {
                        StaffEventBody::ColleagueChanged { colleague: agent.colleague() }
                    };
                    screen.apply(&StaffEvent { position: entry.position, body });
                }
                self.deliver_name(relay, entry.position, agent_id).await;
            }
            (LogBody::SiteChanged { site_id }, _) => {
                let id = site_id.clone();
                let read =
                    relay.app.store.read("site", move |tx| sites::queries::settings(tx, &id));
                let site = read.await.unwrap().unwrap();
                for screen in self.staff.values_mut() {
                    let body = StaffEventBody::SiteChanged { site: site.clone() };
                    screen.apply(&StaffEvent { position: entry.position, body });
                }
                let id = site_id.clone();
                let read = relay.app.store.read("shown", move |tx| sites::queries::shown(tx, &id));
                let (position, site) = read.await.unwrap().unwrap();
                for (of, screen) in self.visitors.values_mut() {
                    if of == site_id && position == entry.position {
                        let body = VisitorEventBody::SiteChanged { site: Box::new(site.clone()) };
                        screen.apply(&VisitorEvent { position, body });
                    }
                }
            }
            (LogBody::SettingsChanged { .. }, _) => {
                let read = relay.app.store.read("company", crate::settings::queries::for_staff);
                let company = read.await.unwrap();
                for screen in self.staff.values_mut() {
                    let body = StaffEventBody::CompanyChanged { company: company.clone() };
                    screen.apply(&StaffEvent { position: entry.position, body });
                }
            }
            (_, Some(subject)) => {
                if let Some((_, screen)) = self.visitors.get_mut(&subject.visitor_id)
                    && let Some(body) = views::visitor_body(entry)
                {
                    screen.apply(&VisitorEvent { position: entry.position, body });
                }
                for (reader, body) in staff_events(relay, entry).await {
                    if let Some(screen) = self.staff.get_mut(&reader) {
                        screen.apply(&StaffEvent { position: entry.position, body });
                    }
                }
            }
            (_, None) => panic!("an event of a conversation without its subject"),
        }
    }

    async fn deliver_name(&mut self, relay: &TestRelay, at: Position, agent_id: &AgentId) {
        let (id, there) = (agent_id.clone(), self.visitors.keys().cloned().collect::<Vec<_>>());
        let read = relay.app.store.read("named", move |tx| {
            Ok((agents::queries::named(tx, &id)?, queries::served_of(tx, &id, &there)?))
        });
        let (named, served) = read.await.unwrap();
        let (position, agent) = named.unwrap();
        if position != at {
            return;
        }
        for visitor_id in served {
            let (_, screen) = self.visitors.get_mut(&visitor_id).unwrap();
            let body = VisitorEventBody::AgentChanged { agent: agent.clone() };
            screen.apply(&VisitorEvent { position, body });
        }
    }
}

/// A record read afresh includes events its reader is not told of, like notes for a visitor and the
/// marks of colleagues: its `rev` may be ahead, never behind.
fn level(held: &mut Position, fresh: Option<Position>) {
    if let Some(fresh) = fresh {
        assert!(*held <= fresh, "a record from the future");
        *held = fresh;
    }
}

/// Who of staff gets what of an event about a conversation.
async fn staff_events(relay: &TestRelay, entry: &Entry) -> Vec<(AgentId, StaffEventBody)> {
    let subject = entry.subject.clone().unwrap();
    let none = Sight::default();
    let sight = match &entry.body {
        LogBody::StatusChanged { sight, .. } | LogBody::MembersChanged { sight, .. } => sight,
        _ => &none,
    };
    let id = subject.conversation_id.clone();
    let mut events: Vec<_> = sight
        .lost
        .iter()
        .map(|lost| {
            let conversation_id = id.clone();
            (lost.clone(), StaffEventBody::ConversationWithdrawn { conversation_id })
        })
        .collect();
    for reader in sight.gained.clone() {
        let (id, of) = (id.clone(), reader.clone());
        let read = move |tx: &crate::store::ReadTx<'_>| queries::record_for(tx, &id, &of);
        if let Some(record) = relay.app.store.read("gain", read).await.unwrap() {
            let record = Box::new(record);
            events.push((reader, StaffEventBody::ConversationGained { record }));
        }
    }
    let of = entry.clone();
    let read = move |tx: &crate::store::ReadTx<'_>| {
        let seeing = queries::for_seeing(tx, &of)?;
        Ok((seeing, queries::for_invited(tx, &of)?, queries::for_managers(tx, &of)?))
    };
    let (seeing, invited, managers) = relay.app.store.read("rows", read).await.unwrap();
    events.extend(invited);
    if let Some(body) = seeing {
        // Marks are one's own.
        let is_for = |agent_id: &AgentId| match &entry.body {
            LogBody::AgentMarked { agent_id: of, .. } => of == agent_id,
            _ => true,
        };
        let staying = subject
            .agents()
            .filter(|agent_id| !sight.gained.contains(agent_id) && is_for(agent_id));
        events.extend(staying.map(|agent_id| (agent_id.clone(), body.clone())));
    }
    if let Some(body) = managers {
        let agents = relay.app.store.read("managers", crate::agents::queries::all).await.unwrap();
        let managing = agents.into_iter().filter(|agent| agent.role >= Role::Manager);
        events.extend(managing.map(|agent| (agent.id, body.clone())));
    }
    events
}
