//! What differs between the two sides of the protocol, staff and visitors, and nothing else.

use std::future::Future;
use std::sync::Arc;

use axum::body::Bytes;
use futures_util::future::BoxFuture;
use serde::Serialize;
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::commands::Command;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::{Hello, Outcome, ResumePoint, Start, Welcome};
use yingke_shared::ids::{ClientId, Epoch, Position};

use super::frames;
use super::hub::{Hub, Registration, Seat};
use super::machine::Class;
use super::mailbox::Mailbox;
use crate::app::App;
use crate::clock::World;
use crate::error::RelayError;
use crate::limits::MISSED_BYTES_MAX;
use crate::store::StoreError;

/// Events a reader missed, as they are written.
pub(super) type Missed = Vec<(Position, Bytes)>;

/// How a session begins.
pub(crate) struct Opening {
    /// The welcome frame.
    pub(crate) welcome: String,
    /// The reader's position by the welcome.
    pub(crate) position: Position,
    /// What follows at once, when resumed.
    pub(crate) missed: Missed,
    /// The position after `missed`.
    pub(crate) upto: Position,
}

impl Opening {
    /// Of what was read in one moment: how it starts, the events after that, and the log's end.
    pub(super) fn new<S: Serialize>(
        world: &dyn World,
        epoch: Epoch,
        start: Start<S>,
        missed: Missed,
        upto: Position,
    ) -> Result<Self, RelayError> {
        let position = match &start {
            Start::Resumed { position } | Start::Snapshot { position, .. } => *position,
        };
        let welcome = Welcome { version: PROTOCOL_VERSION, epoch, now: world.now(), start };
        let welcome = frames::welcome(&welcome).ok_or(ErrorCode::Internal)?;
        Ok(Self { welcome, position, missed, upto })
    }
}

/// A command, told apart by who handles it.
pub(crate) enum Sorted<C> {
    /// The session itself.
    Hello(Hello),
    /// The hub: stored nowhere, answered only when refused.
    Ephemeral(C),
    /// A room.
    Durable(C),
}

/// One side of the protocol.
pub(crate) trait Side: Sized + Send + Sync + 'static {
    /// Its commands.
    type Command: Command + Send + 'static;
    /// Who is there.
    type Identity: Clone + Send + Sync + 'static;
    /// For logs.
    const NAME: &'static str;

    /// Who holds this token.
    fn who(
        app: &App,
        token: &str,
    ) -> impl Future<Output = Result<Self::Identity, RelayError>> + Send;

    /// Which rate a command counts against.
    fn class(command: &Self::Command) -> Class;

    /// Who handles it.
    fn sort(command: Self::Command) -> Sorted<Self::Command>;

    /// Registers for events.
    fn join(hub: &Hub, who: &Self::Identity, mailbox: &Arc<Mailbox>) -> Registration;

    /// Reads what the session begins with. Called after [`Side::join`].
    fn open(
        app: &App,
        who: &Self::Identity,
        resume: Option<ResumePoint>,
    ) -> impl Future<Output = Result<Opening, RelayError>> + Send;

    /// The welcome is out: what else is true now.
    fn opened(hub: &Hub, who: &Self::Identity, mailbox: &Mailbox);

    /// Passes something on that is stored nowhere.
    fn ephemeral(
        hub: &Hub,
        who: &Self::Identity,
        seat: &Seat,
        command: Self::Command,
    ) -> Result<(), ErrorCode>;

    /// Carries a command out.
    fn dispatch(
        app: &Arc<App>,
        who: &Self::Identity,
        seat: &Seat,
        id: ClientId,
        command: Self::Command,
    ) -> BoxFuture<'static, Result<Outcome, RelayError>>;
}

/// Events as they are written, or `None` if they are too much for a reader that may take nothing: a
/// record or a setting weighs far more than the entry of the log it is told for.
pub(super) fn written<E: Serialize>(events: impl Iterator<Item = (Position, E)>) -> Option<Missed> {
    let mut bytes = 0;
    let mut missed = Missed::new();
    for (position, event) in events {
        let Some(json) = frames::shared(&event) else { continue };
        bytes += json.len();
        if bytes > MISSED_BYTES_MAX {
            return None;
        }
        missed.push((position, json));
    }
    Some(missed)
}

/// What a reader missed, or `None` if it begins anew: too much, or not readable however often it comes
/// back for it. A snapshot needs nothing of the log.
pub(super) fn or_snapshot<T>(
    missed: Result<Option<T>, StoreError>,
) -> Result<Option<T>, StoreError> {
    match missed {
        Err(error) if error.is_lasting() => {
            tracing::error!(%error, "the log is damaged; its reader begins anew");
            Ok(None)
        }
        missed => missed,
    }
}
