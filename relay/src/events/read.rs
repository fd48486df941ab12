//! Reading the log from the database: for readers behind the end kept in memory, and for sessions
//! that resume. Always bounded: whoever is too far behind is told that there is more.

use std::ops::ControlFlow;

use yingke_shared::ids::{Epoch, Position, VisitorId};

use super::Entry;
use super::stored::{entry_of, log_statement, size_of};
use crate::limits::{RESUME_BYTES_MAX, RESUME_POSITIONS_MAX};
use crate::params;
use crate::store::{ReadTx, Row, StoreError};

pub(super) const AFTER: &str = log_statement!("WHERE position > ? ORDER BY position LIMIT ?");

pub(super) const AT: &str = log_statement!("WHERE position = ?");

/// A visitor's conversations begin one after another, so the newest message is the last in the log.
pub(super) const SAID: &str = "SELECT position FROM v_said WHERE visitor_id = ? \
     ORDER BY started_position DESC, seq DESC LIMIT ?";

/// What else happened. The `+` keeps the engine from walking the whole log in order instead of the
/// visitor's own part.
pub(super) const HAPPENED: &str = "SELECT position FROM v_log \
     WHERE conversation_id IN (SELECT id FROM conversations WHERE visitor_id = ?) \
     AND seq IS NULL AND position > ? ORDER BY +position LIMIT ?";

/// How much to read at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Entries.
    pub entries_max: usize,
    /// Their weight, roughly that of their JSON. At least one entry is read all the same.
    pub bytes_max: usize,
}

impl ReadLimits {
    /// For a session that resumes; more than this and a snapshot is cheaper.
    pub const RESUME: Self =
        Self { entries_max: RESUME_POSITIONS_MAX, bytes_max: RESUME_BYTES_MAX };
}

/// A stretch of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stretch {
    /// In order.
    pub entries: Vec<Entry>,
    /// Whether the limits cut it off: there are later ones.
    pub more: bool,
}

impl Stretch {
    /// What `f` makes of it, if it is all there is.
    pub fn whole<T>(
        &self,
        f: impl FnOnce(&[Entry]) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if self.more { Ok(None) } else { f(&self.entries).map(Some) }
    }
}

/// The log's identity and end as this transaction sees them: a snapshot read in the same
/// transaction is of exactly this position.
pub fn head(tx: &ReadTx<'_>) -> Result<(Epoch, Position), StoreError> {
    tx.query_one("SELECT epoch, position FROM log_head WHERE id = 1", &[], |row| {
        Ok((row.id(0)?, row.position(1)?))
    })?
    .ok_or(StoreError::Corrupt("log_head"))
}

/// Everything after `after`.
pub fn read_after(
    tx: &ReadTx<'_>,
    after: Position,
    limits: ReadLimits,
) -> Result<Stretch, StoreError> {
    let mut collector = Collector::new(limits);
    tx.scan(AFTER, params![after, collector.rows_max()], |row| collector.take(tx, row))?;
    Ok(collector.stretch)
}

/// Everything after `after` about conversations of this visitor, by conversation: what others do
/// meanwhile, and what came before, costs nothing.
pub fn read_of_visitor(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
    after: Position,
    limits: ReadLimits,
) -> Result<Stretch, StoreError> {
    let mut collector = Collector::new(limits);
    let rows_max = collector.rows_max();
    let mut positions =
        tx.query(HAPPENED, params![*visitor_id, after, rows_max], |row| row.position(0))?;
    tx.scan(SAID, params![*visitor_id, rows_max], |row| {
        let position = row.position(0)?;
        if position <= after {
            return Ok(ControlFlow::Break(()));
        }
        positions.push(position);
        Ok(ControlFlow::Continue(()))
    })?;
    positions.sort_unstable();
    for position in positions {
        let taken = tx.query_one(AT, params![position], |row| collector.take(tx, row))?;
        if taken.is_some_and(|taken| taken.is_break()) {
            break;
        }
    }
    Ok(collector.stretch)
}

/// Takes rows until a limit is met.
struct Collector {
    stretch: Stretch,
    limits: ReadLimits,
    bytes: usize,
}

impl Collector {
    fn new(limits: ReadLimits) -> Self {
        Self { stretch: Stretch::default(), limits, bytes: 0 }
    }

    /// One more than may be taken shows that there are more.
    fn rows_max(&self) -> i64 {
        i64::try_from(self.limits.entries_max.saturating_add(1)).unwrap_or(i64::MAX)
    }

    fn take(&mut self, tx: &ReadTx<'_>, row: &Row<'_>) -> Result<ControlFlow<()>, StoreError> {
        let taken = self.stretch.entries.len();
        if taken >= self.limits.entries_max || (taken > 0 && self.bytes >= self.limits.bytes_max) {
            self.stretch.more = true;
            return Ok(ControlFlow::Break(()));
        }
        let entry = entry_of(tx, row)?;
        self.bytes += size_of(&entry);
        self.stretch.entries.push(entry);
        Ok(ControlFlow::Continue(()))
    }
}
