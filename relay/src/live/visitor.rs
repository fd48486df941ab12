//! The visitors' side: what a visitor's session begins with and which commands go where.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use yingke_shared::commands::VisitorCommand;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::events::VisitorEvent;
use yingke_shared::frame::{Outcome, ResumePoint, Start};
use yingke_shared::ids::{ClientId, Epoch, Position};
use yingke_shared::limits::PREVIEW_CHARS_MAX;
use yingke_shared::snapshot::VisitorSnapshot;

use super::hub::{Hub, Registration, Seat};
use super::machine::Class;
use super::mailbox::Mailbox;
use super::side::{Missed, Opening, Side, Sorted, or_snapshot, written};
use crate::app::App;
use crate::auth::{self, VisitorIdentity};
use crate::conversations::queries;
use crate::error::RelayError;
use crate::events::{self, Entry, ReadLimits};
use crate::store::{ReadTx, StoreError};

/// See the module.
pub(crate) struct Visitors;

/// What was read for the welcome.
struct Read {
    epoch: Epoch,
    head: Position,
    start: Start<VisitorSnapshot>,
    missed: Missed,
}

fn read(
    tx: &ReadTx<'_>,
    who: &VisitorIdentity,
    resume: Option<&ResumePoint>,
) -> Result<Read, StoreError> {
    let (epoch, head) = events::head(tx)?;
    if let Some(from) = resume.filter(|from| from.epoch == epoch && from.position <= head) {
        let position = from.position;
        let missed = or_snapshot(
            events::read_of_visitor(tx, &who.visitor_id, position, ReadLimits::RESUME)
                .and_then(|stretch| stretch.whole(|entries| missed(tx, who, position, entries))),
        )?;
        let missed = missed.map(|events| events.into_iter().map(|event| (event.position, event)));
        if let Some(missed) = missed.and_then(written) {
            return Ok(Read { epoch, head, start: Start::Resumed { position }, missed });
        }
    }
    let snapshot = Box::new(queries::visitor_snapshot(tx, &who.visitor_id, &who.site_id)?);
    let start = Start::Snapshot { position: head, snapshot };
    Ok(Read { epoch, head, start, missed: Missed::new() })
}

/// What the visitor missed after `after`: the events of the own conversations, and names and site as
/// they are now.
fn missed(
    tx: &ReadTx<'_>,
    who: &VisitorIdentity,
    after: Position,
    entries: &[Entry],
) -> Result<Vec<VisitorEvent>, StoreError> {
    let of_conversations = entries.iter().filter_map(|entry| {
        let body = super::fanout::for_visitor(entry, &who.visitor_id)?;
        Some(VisitorEvent { position: entry.position, body })
    });
    let mut missed = queries::visitor_news(tx, &who.visitor_id, &who.site_id, after)?;
    missed.extend(of_conversations);
    missed.sort_by_key(|event| event.position);
    Ok(missed)
}

impl Side for Visitors {
    type Command = VisitorCommand;
    type Identity = VisitorIdentity;
    const NAME: &'static str = "visitor";

    async fn who(app: &App, token: &str) -> Result<VisitorIdentity, RelayError> {
        auth::actions::visitor_of_token(app, token).await
    }

    fn class(command: &VisitorCommand) -> Class {
        match command {
            VisitorCommand::Hello(_) => Class::Hello,
            VisitorCommand::VisitorSendMessage(_) | VisitorCommand::LeaveMessage(_) => {
                Class::Message
            }
            VisitorCommand::Preview(_) => Class::Ephemeral,
            VisitorCommand::VisitorMark(_)
            | VisitorCommand::VisitorEndConversation(_)
            | VisitorCommand::BeginConversation(_)
            | VisitorCommand::LeaveQueue(_)
            | VisitorCommand::LoadHistory(_) => Class::Other,
        }
    }

    fn sort(command: VisitorCommand) -> Sorted<VisitorCommand> {
        match command {
            VisitorCommand::Hello(hello) => Sorted::Hello(hello),
            VisitorCommand::Preview(_) => Sorted::Ephemeral(command),
            _ => Sorted::Durable(command),
        }
    }

    fn join(hub: &Hub, who: &VisitorIdentity, mailbox: &Arc<Mailbox>) -> Registration {
        hub.join_visitor(&who.visitor_id, &who.site_id, mailbox)
    }

    async fn open(
        app: &App,
        who: &VisitorIdentity,
        resume: Option<ResumePoint>,
    ) -> Result<Opening, RelayError> {
        let reader = who.clone();
        let read =
            app.store.read("begin visitor session", move |tx| read(tx, &reader, resume.as_ref()));
        let Read { epoch, head, start, missed } = read.await?;
        Opening::new(app.world.as_ref(), epoch, start, missed, head)
    }

    fn opened(hub: &Hub, who: &VisitorIdentity, mailbox: &Mailbox) {
        hub.tell_place(&who.visitor_id, mailbox);
    }

    fn ephemeral(
        hub: &Hub,
        who: &VisitorIdentity,
        _: &Seat,
        command: VisitorCommand,
    ) -> Result<(), ErrorCode> {
        if let VisitorCommand::Preview(preview) = command {
            if preview.text.chars().count() > PREVIEW_CHARS_MAX {
                return Err(ErrorCode::TooLarge);
            }
            hub.preview(&who.visitor_id, &who.site_id, &preview.text);
        }
        Ok(())
    }

    fn dispatch(
        app: &Arc<App>,
        who: &VisitorIdentity,
        _: &Seat,
        id: ClientId,
        command: VisitorCommand,
    ) -> BoxFuture<'static, Result<Outcome, RelayError>> {
        crate::router::dispatch_visitor(app, who, id, command)
    }
}
