//! The staff side: what a session of an agent, manager or admin begins with and which commands go
//! where.
//!
//! Resuming is judged by today's rights: of each conversation that moved in the missed stretch the
//! reader gets its record if it came to the reader meanwhile, its events if it stayed, and a
//! withdrawal if it went.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use yingke_shared::commands::StaffCommand;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::events::{StaffEvent, StaffEventBody};
use yingke_shared::frame::{Outcome, ResumePoint, Start};
use yingke_shared::ids::{AgentId, ClientId, ConversationId, Epoch, Position};
use yingke_shared::snapshot::StaffSnapshot;
use yingke_shared::views::{ConversationStatus, Role};

use super::hub::{Hub, Registration, Seat};
use super::machine::Class;
use super::mailbox::Mailbox;
use super::side::{Missed, Opening, Side, Sorted, or_snapshot, written};
use crate::agents;
use crate::app::App;
use crate::auth::{self, StaffIdentity};
use crate::conversations::queries;
use crate::error::RelayError;
use crate::events::{self, Entry, LogBody, ReadLimits};
use crate::limits::RESUME_POSITIONS_MAX;
use crate::store::{ReadTx, StoreError};
use crate::{settings, sites};

/// See the module.
pub(crate) struct Staff;

/// What was read for the welcome.
struct Read {
    epoch: Epoch,
    head: Position,
    start: Start<StaffSnapshot>,
    missed: Missed,
    /// The client holds positions this log never reached.
    is_ahead: bool,
}

fn read(
    tx: &ReadTx<'_>,
    who: &StaffIdentity,
    resume: Option<&ResumePoint>,
) -> Result<Read, StoreError> {
    let (epoch, head) = events::head(tx)?;
    let known = resume.filter(|from| from.epoch == epoch);
    let is_ahead = known.is_some_and(|from| from.position > head);
    if let Some(position) = known.map(|from| from.position)
        && let Some(distance) = head.get().checked_sub(position.get())
        && usize::try_from(distance).is_ok_and(|distance| distance <= RESUME_POSITIONS_MAX)
    {
        let missed = or_snapshot(
            events::read_after(tx, position, ReadLimits::RESUME)
                .and_then(|stretch| stretch.whole(|entries| missed(tx, who, entries))),
        )?;
        let missed = missed.map(|events| events.into_iter().map(|event| (event.position, event)));
        if let Some(missed) = missed.and_then(written) {
            return Ok(Read { epoch, head, start: Start::Resumed { position }, missed, is_ahead });
        }
    }
    let snapshot = Box::new(queries::staff_snapshot(tx, &who.agent_id)?);
    let start = Start::Snapshot { position: head, snapshot };
    Ok(Read { epoch, head, start, missed: Missed::new(), is_ahead })
}

/// How a conversation stood to the reader in a stretch of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// As far as the stretch tells, the reader saw it all along.
    Throughout,
    /// It came to the reader, here at last.
    Gained(Position),
    /// It went from the reader, here at last.
    Lost(Position),
}

/// What the reader may see of the stretch, by today's rights.
fn missed(
    tx: &ReadTx<'_>,
    who: &StaffIdentity,
    entries: &[Entry],
) -> Result<Vec<StaffEvent>, StoreError> {
    let agent_id = &who.agent_id;
    let sights = sights(agent_id, entries);
    let mut found = Vec::new();
    // Cards and settings are read as they are today, so once each is enough.
    let (mut cards, mut sites) = (BTreeSet::new(), BTreeSet::new());
    let mut is_company_told = false;
    for entry in entries {
        let position = entry.position;
        let mut tell = |body: StaffEventBody| found.push(StaffEvent { position, body });
        match (&entry.body, &entry.subject) {
            (LogBody::AgentChanged { agent_id: changed }, _) => {
                if cards.insert(changed) {
                    card_event(tx, agent_id, changed)?.into_iter().for_each(tell);
                }
            }
            (LogBody::SiteChanged { site_id }, _) => {
                if sites.insert(site_id)
                    && let Some(site) = sites::queries::settings(tx, site_id)?
                {
                    tell(StaffEventBody::SiteChanged { site });
                }
            }
            (LogBody::SettingsChanged { .. }, _) => {
                if !std::mem::replace(&mut is_company_told, true) {
                    let company = settings::queries::for_staff(tx)?;
                    tell(StaffEventBody::CompanyChanged { company });
                }
            }
            (_, None) => {}
            (_, Some(subject)) => {
                if who.role >= Role::Manager {
                    queries::for_managers(tx, entry)?.into_iter().for_each(&mut tell);
                }
                for (asked, body) in queries::for_invited(tx, entry)? {
                    if asked == *agent_id {
                        tell(body);
                    }
                }
                match sights.get(&subject.conversation_id) {
                    Some(Seen::Gained(at)) if *at == position => {
                        let record = queries::record_for(tx, &subject.conversation_id, agent_id)?;
                        record.into_iter().for_each(|record| {
                            tell(StaffEventBody::ConversationGained { record: Box::new(record) });
                        });
                    }
                    Some(Seen::Lost(at)) if *at == position => {
                        let conversation_id = subject.conversation_id.clone();
                        tell(StaffEventBody::ConversationWithdrawn { conversation_id });
                    }
                    // Before a gain and around a loss nothing is told; after a gain the record has it.
                    Some(Seen::Gained(_) | Seen::Lost(_)) | None => {}
                    Some(Seen::Throughout) => {
                        let body = queries::for_seeing(tx, entry)?;
                        body.filter(|_| is_for(entry, agent_id)).into_iter().for_each(tell);
                    }
                }
            }
        }
    }
    Ok(found)
}

/// The conversations that were the reader's at any time in the stretch, or are today.
fn sights<'e>(agent_id: &AgentId, entries: &'e [Entry]) -> BTreeMap<&'e ConversationId, Seen> {
    let mut sights = BTreeMap::new();
    for entry in entries {
        let Some(subject) = &entry.subject else { continue };
        let id = &subject.conversation_id;
        match &entry.body {
            LogBody::StatusChanged { sight, .. } | LogBody::MembersChanged { sight, .. }
                if sight.gained.contains(agent_id) =>
            {
                sights.insert(id, Seen::Gained(entry.position));
            }
            LogBody::StatusChanged { sight, .. } | LogBody::MembersChanged { sight, .. }
                if sight.lost.contains(agent_id) =>
            {
                sights.insert(id, Seen::Lost(entry.position));
            }
            // One that came and ended meanwhile: its end alone is told, nothing holds it.
            LogBody::StatusChanged { status: ConversationStatus::Ended { .. }, .. }
                if subject.concerns(agent_id) =>
            {
                sights.insert(id, Seen::Throughout);
            }
            _ => {}
        }
        // Read back from the database, who sees it is as of today.
        if subject.concerns(agent_id) {
            sights.entry(id).or_insert(Seen::Throughout);
        }
    }
    sights
}

/// Whether the entry is for this agent among those who see its conversation: marks are one's own.
pub(super) fn is_for(entry: &Entry, reader: &AgentId) -> bool {
    !matches!(&entry.body, LogBody::AgentMarked { agent_id, .. } if agent_id != reader)
}

/// A changed account as `reader` sees it now.
pub(super) fn card_event(
    tx: &ReadTx<'_>,
    reader: &AgentId,
    changed: &AgentId,
) -> Result<Option<StaffEventBody>, StoreError> {
    if reader == changed {
        let card = agents::queries::own_card(tx, changed)?;
        return Ok(card.map(|card| StaffEventBody::OwnCardChanged { card }));
    }
    let colleague = agents::queries::colleague(tx, changed)?;
    Ok(colleague.map(|colleague| StaffEventBody::ColleagueChanged { colleague }))
}

impl Side for Staff {
    type Command = StaffCommand;
    type Identity = StaffIdentity;
    const NAME: &'static str = "staff";

    async fn who(app: &App, token: &str) -> Result<StaffIdentity, RelayError> {
        auth::actions::staff_of_token(app, token).await
    }

    fn class(command: &StaffCommand) -> Class {
        match command {
            StaffCommand::Hello(_) => Class::Hello,
            StaffCommand::StaffSendMessage(_)
            | StaffCommand::StartConversation(_)
            | StaffCommand::AddNote(_) => Class::Message,
            StaffCommand::Typing(_) | StaffCommand::Viewing(_) => Class::Ephemeral,
            StaffCommand::StaffMark(_)
            | StaffCommand::SetAvailability(_)
            | StaffCommand::StaffEndConversation(_)
            | StaffCommand::Assign(_)
            | StaffCommand::Invite(_)
            | StaffCommand::AnswerInvitation(_)
            | StaffCommand::WithdrawInvitation(_)
            | StaffCommand::LeaveConversation(_)
            | StaffCommand::EnterConversation(_)
            | StaffCommand::TakeOver(_)
            | StaffCommand::HandBack(_)
            | StaffCommand::WatchConversation(_)
            | StaffCommand::UnwatchConversation(_)
            | StaffCommand::WatchFloor(_)
            | StaffCommand::LoadMessages(_) => Class::Other,
        }
    }

    fn sort(command: StaffCommand) -> Sorted<StaffCommand> {
        match command {
            StaffCommand::Hello(hello) => Sorted::Hello(hello),
            StaffCommand::Typing(_) | StaffCommand::Viewing(_) => Sorted::Ephemeral(command),
            _ => Sorted::Durable(command),
        }
    }

    fn join(hub: &Hub, who: &StaffIdentity, mailbox: &Arc<Mailbox>) -> Registration {
        hub.join_staff(&who.agent_id, who.role, &who.session, mailbox)
    }

    async fn open(
        app: &App,
        who: &StaffIdentity,
        resume: Option<ResumePoint>,
    ) -> Result<Opening, RelayError> {
        let who = who.clone();
        let read = app.store.read("begin staff session", move |tx| match who.recheck(tx)? {
            Ok(()) => read(tx, &who, resume.as_ref()).map(Ok),
            Err(code) => Ok(Err(code)),
        });
        let Read { mut epoch, head, start, missed, is_ahead } = read.await??;
        if is_ahead {
            epoch = app.store.renew_epoch(app.world.as_ref()).await?;
        }
        Opening::new(app.world.as_ref(), epoch, start, missed, head)
    }

    fn opened(hub: &Hub, who: &StaffIdentity, mailbox: &Mailbox) {
        hub.tell_who_is_online(&who.agent_id, mailbox);
        hub.tell_length(&who.agent_id, mailbox);
    }

    fn ephemeral(
        hub: &Hub,
        who: &StaffIdentity,
        seat: &Seat,
        command: StaffCommand,
    ) -> Result<(), ErrorCode> {
        match command {
            StaffCommand::Typing(typing) => hub.typing(&who.agent_id, &typing.conversation_id),
            StaffCommand::Viewing(viewing) => {
                hub.viewing(seat, &who.agent_id, viewing.conversation_id.as_ref())
            }
            _ => Ok(()),
        }
    }

    fn dispatch(
        app: &Arc<App>,
        who: &StaffIdentity,
        seat: &Seat,
        id: ClientId,
        command: StaffCommand,
    ) -> BoxFuture<'static, Result<Outcome, RelayError>> {
        crate::router::dispatch_staff(app, who, seat, id, command)
    }
}
