//! From the log to the mailboxes: one task reads the log strictly in order and gives each entry to
//! the sessions that may see it. An entry is encoded at most once for each side, and not at all
//! when nobody of that side is there.
//!
//! Who may see an entry is decided here: a conversation's events go to the agent who serves it, to
//! those who take part or watch it, and to its visitor, by the entry alone. An agent who comes to see
//! it gets the whole record, one who no longer does gets a withdrawal. What a site shows goes to its
//! visitors; an agent's other name goes to the visitors whom that agent ever served, for no other
//! screen can hold it.

use std::sync::Arc;
use std::time::Duration;

use yingke_shared::error_code::ErrorCode;
use yingke_shared::events::{StaffEvent, StaffEventBody, VisitorEvent, VisitorEventBody};
use yingke_shared::ids::{AgentId, ConversationId, Position, SiteId, VisitorId};
use yingke_shared::views::{AgentCard, ConversationStatus};

use super::frames;
use super::hub::{Hub, ServingNow};
use super::mailbox::Mailbox;
use super::staff::{card_event, is_for};
use crate::agents;
use crate::app::App;
use crate::conversations::{queries, views};
use crate::events::{self, Attendant, Entry, LogBody, LogError, Sight, Subject};
use crate::store::StoreError;
use crate::store::faults::trip;
use crate::{settings, sites};

/// A read of the database that failed is tried again after this.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// What fails again and again is tried at least so often.
const AGAIN_AFTER_AT_MOST: Duration = Duration::from_secs(10);

/// Runs until the relay stops.
pub(super) async fn run(app: Arc<App>) {
    let stop = {
        let app = Arc::clone(&app);
        async move {
            app.stopping.cancelled().await;
            app.hub.stop();
        }
    };
    let mut follow = std::pin::pin!(follow(&app));
    tokio::select! {
        biased;
        () = &mut follow => app.hub.stop(),
        () = stop => {}
    }
}

async fn follow(app: &App) {
    let Some(mut from) = start(app).await else { return };
    while let Followed::Damaged = follow_from(app, from).await {
        let Some(head) = start(app).await else { return };
        from = head;
    }
}

/// Why the log is not followed any further.
enum Followed {
    ToItsEnd,
    /// A stretch of it cannot be read. What comes after it can.
    Damaged,
}

async fn follow_from(app: &App, from: Position) -> Followed {
    let mut log = app.store.subscribe(from);
    loop {
        // At the end of the log the writer itself fans out; this task goes on where it cannot.
        if log.attend(OnCommit::new(app.hub.clone())).await.is_err() {
            return Followed::ToItsEnd;
        }
        let entries = match log.next().await {
            Ok(entries) => entries,
            Err(LogError::Closed) => return Followed::ToItsEnd,
            Err(LogError::Store(error)) if error.is_lasting() => {
                let position = log.position().get();
                tracing::error!(%error, position, "the log is damaged; everybody begins after it");
                return Followed::Damaged;
            }
            Err(LogError::Store(error)) => {
                tracing::error!(%error, "fan-out cannot read the log; trying again");
                tokio::time::sleep(AGAIN_AFTER).await;
                continue;
            }
        };
        let Some(upto) = entries.last().map(|entry| entry.position) else { continue };
        trip("panic_in_fan_out");
        let mut rung = Vec::new();
        for entry in &entries {
            // What could not be read must not be skipped: nobody's position moves past it.
            if give(app, entry, &mut rung).await.is_err() {
                return Followed::ToItsEnd;
            }
        }
        app.hub.set_fanned(upto);
        rung.iter().for_each(|mailbox| mailbox.ring());
    }
}

/// Fan-out on the writer's thread: what needs nothing but the hub, so that answers and deliveries
/// leave together and nobody else is woken for a message.
struct OnCommit {
    hub: Hub,
    rung: Vec<Arc<Mailbox>>,
}

impl OnCommit {
    fn new(hub: Hub) -> Self {
        Self { hub, rung: Vec::new() }
    }
}

impl Attendant for OnCommit {
    fn take(&mut self, entries: &[Arc<Entry>]) -> usize {
        trip("panic_in_attendant");
        let mut taken = 0;
        for entry in entries {
            // Nearly everything is messages and marks; the rest may need to read the database.
            let Some(subject) = entry.subject.as_ref().filter(|_| !entry.body.is_news()) else {
                break;
            };
            give_as_it_is(&self.hub, entry, subject, &mut self.rung);
            self.hub.set_fanned(entry.position);
            taken += 1;
        }
        taken
    }

    fn wake(&mut self) {
        self.rung.drain(..).for_each(|mailbox| mailbox.ring());
    }
}

/// What readers see by the entry alone: all of a message or a mark.
fn give_as_it_is(hub: &Hub, entry: &Entry, subject: &Subject, rung: &mut Vec<Arc<Mailbox>>) {
    if let Some(body) = views::staff_body(entry) {
        to_seeing(hub, entry, subject, body, &[], rung);
    }
    to_visitor(hub, entry, &subject.visitor_id, rung);
}

/// Learns who serves whom and which sites show no previews; gives where the log goes on from there.
async fn start(app: &App) -> Option<Position> {
    let mut pause = AGAIN_AFTER;
    loop {
        let read = app.store.read_for_spine("begin fan-out", |tx| {
            let (_, head) = events::head(tx)?;
            let mut serving = Vec::new();
            for agent in agents::queries::all(tx)? {
                for open in queries::serving_of_agent(tx, &agent.id)? {
                    let mut agents = vec![agent.id.clone()];
                    agents.extend(open.members);
                    let now = ServingNow { conversation_id: open.id, agents };
                    serving.push((open.visitor_id, now));
                }
            }
            Ok((head, serving, sites::queries::all(tx)?))
        });
        match read.await {
            Ok((head, serving, sites)) => {
                app.hub.forget_serving();
                for (visitor_id, now) in serving {
                    app.hub.set_serving(&visitor_id, Some(&now));
                }
                for site in sites {
                    app.hub.set_preview(&site.id, site.preview);
                }
                // Whoever is registered by now may have read from before damage; whoever comes later
                // begins at this head or after it. Before it is said that all up to it was fanned out.
                app.hub.send_everybody_away();
                app.hub.begin(head);
                return Some(head);
            }
            Err(StoreError::Closed) => return None,
            Err(error) => {
                tracing::error!(%error, "fan-out cannot begin; trying again");
                app.hub.hold_up();
                tokio::time::sleep(pause).await;
                pause = AGAIN_AFTER_AT_MOST.min(pause * 2);
            }
        }
    }
}

/// The store is closed in the middle of an entry: some may have it, and nothing after it may be given.
struct Closed;

async fn give(app: &App, entry: &Entry, rung: &mut Vec<Arc<Mailbox>>) -> Result<(), Closed> {
    match (&entry.body, &entry.subject) {
        (LogBody::AgentChanged { agent_id }, _) => {
            return card_changed(app, entry, agent_id, rung).await;
        }
        (LogBody::SiteChanged { site_id }, _) => {
            return site_changed(app, entry, site_id, rung).await;
        }
        (LogBody::SettingsChanged { .. }, _) => return settings_changed(app, entry, rung).await,
        (_, None) => {}
        (body, Some(subject)) => {
            let none = Sight::default();
            let sight = match body {
                LogBody::StatusChanged { sight, .. } | LogBody::MembersChanged { sight, .. } => {
                    app.hub.set_serving(&subject.visitor_id, serving_now(subject, body).as_ref());
                    sight
                }
                _ => &none,
            };
            to_staff(app, entry, subject, sight, rung).await?;
            if !sight.gained.is_empty() {
                app.hub.tell_if_online(&subject.visitor_id);
            }
            if matches!(
                body,
                LogBody::StatusChanged { status: ConversationStatus::Ended { .. }, .. }
            ) {
                app.hub.forget_watched(&subject.conversation_id);
            }
            to_visitor(&app.hub, entry, &subject.visitor_id, rung);
        }
    }
    Ok(())
}

fn serving_now(subject: &Subject, body: &LogBody) -> Option<ServingNow> {
    let is_over = matches!(
        body,
        LogBody::StatusChanged {
            status: ConversationStatus::Waiting { .. } | ConversationStatus::Ended { .. },
            ..
        }
    );
    if is_over || subject.agent_id.is_none() {
        return None;
    }
    let conversation_id = subject.conversation_id.clone();
    Some(ServingNow { conversation_id, agents: subject.agents().cloned().collect() })
}

/// Staff who see the conversation get the event; who lost sight of it a withdrawal, who gained it the
/// record. Beside them those who watch it, who are asked by an invitation, and managers.
async fn to_staff(
    app: &App,
    entry: &Entry,
    subject: &Subject,
    sight: &Sight,
    rung: &mut Vec<Arc<Mailbox>>,
) -> Result<(), Closed> {
    let id = &subject.conversation_id;
    for agent_id in &sight.lost {
        let body = StaffEventBody::ConversationWithdrawn { conversation_id: id.clone() };
        put_staff(&app.hub, entry.position, body, agent_id, rung);
    }
    let told = if queries::needs_rows(entry) {
        let Some(told) = told_of_rows(app, entry).await? else { return Ok(()) };
        told
    } else {
        Told { seeing: views::staff_body(entry), ..Told::default() }
    };
    for (agent_id, body) in told.invited {
        put_staff(&app.hub, entry.position, body, &agent_id, rung);
    }
    if let Some(body) = told.managers
        && let Some(json) = frames::shared(&StaffEvent { position: entry.position, body })
    {
        app.hub.put_to_managers(entry.position, &json, rung);
    }
    if let Some(body) = told.seeing {
        to_seeing(&app.hub, entry, subject, body, &sight.gained, rung);
    }
    for agent_id in &sight.gained {
        gained(app, entry.position, id, agent_id, rung).await?;
    }
    Ok(())
}

/// To everybody who sees the conversation, encoded once; not to who gains it, for the record has it.
fn to_seeing(
    hub: &Hub,
    entry: &Entry,
    subject: &Subject,
    body: StaffEventBody,
    gained: &[AgentId],
    rung: &mut Vec<Arc<Mailbox>>,
) {
    let reads = |agent_id: &&AgentId| {
        !gained.contains(agent_id) && is_for(entry, agent_id) && hub.has_agent(agent_id)
    };
    let id = &subject.conversation_id;
    // Marks are the reader's own; a watcher has none.
    let watched = !matches!(entry.body, LogBody::AgentMarked { .. }) && hub.is_watched(id);
    if !watched && !subject.agents().any(|agent_id| reads(&agent_id)) {
        return;
    }
    let Some(json) = frames::shared(&StaffEvent { position: entry.position, body }) else { return };
    for agent_id in subject.agents().filter(reads) {
        hub.put_to_agent(agent_id, entry.position, &json, rung);
    }
    if watched {
        hub.put_to_watchers(id, entry.position, &json, rung);
    }
}

/// What an entry tells whom.
#[derive(Default)]
struct Told {
    seeing: Option<StaffEventBody>,
    invited: Vec<(AgentId, StaffEventBody)>,
    managers: Option<StaffEventBody>,
}

/// The same for an entry that refers to rows. `None`: they are damaged, and everybody begins again.
async fn told_of_rows(app: &App, entry: &Entry) -> Result<Option<Told>, Closed> {
    let of = entry.clone();
    let read = again(app, "rows of an entry", move |tx| {
        Ok(Told {
            seeing: queries::for_seeing(tx, &of)?,
            invited: queries::for_invited(tx, &of)?,
            managers: queries::for_managers(tx, &of)?,
        })
    });
    match read.await {
        Ok(told) => Ok(Some(told)),
        Err(Unread::Closed) => Err(Closed),
        Err(Unread::Damaged) => {
            app.hub.send_everybody_away();
            Ok(None)
        }
    }
}

async fn settings_changed(
    app: &App,
    entry: &Entry,
    rung: &mut Vec<Arc<Mailbox>>,
) -> Result<(), Closed> {
    let company = match again(app, "changed settings", settings::queries::for_staff).await {
        Ok(company) => company,
        Err(Unread::Closed) => return Err(Closed),
        Err(Unread::Damaged) => {
            app.hub.send_everybody_away();
            return Ok(());
        }
    };
    let body = StaffEventBody::CompanyChanged { company };
    if let Some(json) = frames::shared(&StaffEvent { position: entry.position, body }) {
        app.hub.put_to_all_staff(entry.position, &json, rung);
    }
    Ok(())
}

/// The record as it is now: what the log says about it up to its `rev` changes nothing any more.
/// If the agent lost it again meanwhile, the log says so soon and there is nothing to give.
async fn gained(
    app: &App,
    position: Position,
    id: &ConversationId,
    agent_id: &AgentId,
    rung: &mut Vec<Arc<Mailbox>>,
) -> Result<(), Closed> {
    if !app.hub.has_agent(agent_id) {
        return Ok(());
    }
    let (of, reader) = (id.clone(), agent_id.clone());
    let read = again(app, "gained record", move |tx| queries::record_for(tx, &of, &reader));
    match read.await {
        Ok(Some(record)) => {
            let body = StaffEventBody::ConversationGained { record: Box::new(record) };
            put_staff(&app.hub, position, body, agent_id, rung);
        }
        Ok(None) => {}
        Err(Unread::Closed) => return Err(Closed),
        Err(Unread::Damaged) => app.hub.end_sessions_of_agent(agent_id, ErrorCode::Unavailable),
    }
    Ok(())
}

async fn card_changed(
    app: &App,
    entry: &Entry,
    changed: &AgentId,
    rung: &mut Vec<Arc<Mailbox>>,
) -> Result<(), Closed> {
    let id = changed.clone();
    // Anybody else than the agent: what all colleagues see alike.
    let read = again(app, "changed card", move |tx| {
        let colleague = agents::queries::colleague(tx, &id)?;
        Ok((card_event(tx, &id, &id)?, colleague, agents::queries::named(tx, &id)?))
    });
    let (own, colleague, named) = match read.await {
        Ok(cards) => cards,
        Err(Unread::Closed) => return Err(Closed),
        Err(Unread::Damaged) => {
            app.hub.send_everybody_away();
            return Ok(());
        }
    };
    // Most changes of an account are none that visitors see; of several, the last is told.
    if let Some((at, agent)) = named
        && at == entry.position
    {
        name_changed(app, entry.position, agent, rung).await?;
    }
    if let Some(own) = own {
        put_staff(&app.hub, entry.position, own, changed, rung);
    }
    if let Some(colleague) = colleague {
        let body = StaffEventBody::ColleagueChanged { colleague };
        let event = StaffEvent { position: entry.position, body };
        if let Some(json) = frames::shared(&event) {
            app.hub.put_to_colleagues(changed, entry.position, &json, rung);
        }
    }
    Ok(())
}

/// To the visitors there whom the agent ever served, encoded once. It costs one lookup by an index
/// for each visitor who is there, however many the agent served in all.
async fn name_changed(
    app: &App,
    position: Position,
    agent: AgentCard,
    rung: &mut Vec<Arc<Mailbox>>,
) -> Result<(), Closed> {
    let (id, visitors) = (agent.id.clone(), app.hub.visitors());
    let read = again(app, "whom an agent served", move |tx| queries::served_of(tx, &id, &visitors));
    let served = match read.await {
        Ok(served) => served,
        Err(Unread::Closed) => return Err(Closed),
        Err(Unread::Damaged) => {
            app.hub.send_everybody_away();
            return Ok(());
        }
    };
    let body = VisitorEventBody::AgentChanged { agent };
    let Some(json) = frames::shared(&VisitorEvent { position, body }) else { return Ok(()) };
    for visitor_id in &served {
        app.hub.put_to_visitor(visitor_id, position, &json, rung);
    }
    Ok(())
}

async fn site_changed(
    app: &App,
    entry: &Entry,
    site_id: &SiteId,
    rung: &mut Vec<Arc<Mailbox>>,
) -> Result<(), Closed> {
    let id = site_id.clone();
    let read = again(app, "changed site", move |tx| {
        Ok((sites::queries::settings(tx, &id)?, sites::queries::shown(tx, &id)?))
    });
    let (site, shown) = match read.await {
        Ok(site) => site,
        Err(Unread::Closed) => return Err(Closed),
        Err(Unread::Damaged) => {
            app.hub.send_everybody_away();
            return Ok(());
        }
    };
    if let Some((at, site)) = shown
        && at == entry.position
    {
        let body = VisitorEventBody::SiteChanged { site: Box::new(site) };
        if let Some(json) = frames::shared(&VisitorEvent { position: at, body }) {
            app.hub.put_to_site(site_id, at, &json, rung);
        }
    }
    if let Some(site) = site {
        app.hub.set_preview(&site.id, site.preview);
        let body = StaffEventBody::SiteChanged { site };
        if let Some(json) = frames::shared(&StaffEvent { position: entry.position, body }) {
            app.hub.put_to_all_staff(entry.position, &json, rung);
        }
    }
    Ok(())
}

fn put_staff(
    hub: &Hub,
    position: Position,
    body: StaffEventBody,
    agent_id: &AgentId,
    rung: &mut Vec<Arc<Mailbox>>,
) {
    if let Some(json) = frames::shared(&StaffEvent { position, body }) {
        hub.put_to_agent(agent_id, position, &json, rung);
    }
}

fn to_visitor(hub: &Hub, entry: &Entry, visitor_id: &VisitorId, rung: &mut Vec<Arc<Mailbox>>) {
    if !hub.has_visitor(visitor_id) {
        return;
    }
    let Some(body) = for_visitor(entry, visitor_id) else { return };
    if let Some(json) = frames::shared(&VisitorEvent { position: entry.position, body }) {
        hub.put_to_visitor(visitor_id, entry.position, &json, rung);
    }
}

/// The entry for a visitor; nothing if it is about another's conversation. Marks of agents are in the
/// log only of who served at that time; whoever serves today, when it is read again, is no matter.
pub(super) fn for_visitor(entry: &Entry, visitor_id: &VisitorId) -> Option<VisitorEventBody> {
    let subject = entry.subject.as_ref()?;
    if subject.visitor_id != *visitor_id {
        return None;
    }
    views::visitor_body(entry)
}

/// Why something was not read.
enum Unread {
    Closed,
    /// What is stored is damaged. Those it is for begin again, so that they skip no position; all
    /// others must not wait for ever.
    Damaged,
}

/// A read that fan-out cannot do without: tried until it succeeds, can never succeed, or the store is
/// closed. The log waits meanwhile, for a position must not be skipped.
async fn again<T: Send + 'static>(
    app: &App,
    what: &'static str,
    read: impl Fn(&crate::store::ReadTx<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
) -> Result<T, Unread> {
    loop {
        match app.store.read_for_spine(what, read.clone()).await {
            Ok(found) => return Ok(found),
            Err(StoreError::Closed) => return Err(Unread::Closed),
            Err(error) if error.is_lasting() => {
                tracing::error!(%error, what, "fan-out cannot read; its readers begin again");
                return Err(Unread::Damaged);
            }
            Err(error) => {
                tracing::error!(%error, what, "fan-out cannot read; trying again");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
}
