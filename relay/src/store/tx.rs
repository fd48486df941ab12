//! Transactions as rooms see them: run a statement, read typed rows, append to the event log.

use std::ops::{ControlFlow, Deref};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};
use yingke_shared::ids::Position;

use super::StoreError;
use super::statements::Statements;
use super::value::{Row, Value};
use crate::events::NewEvent;

/// A view of the database at one moment. Also the reading half of a [`WriteTx`].
pub struct ReadTx<'c> {
    statements: Statements<'c>,
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(value),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl<'c> ReadTx<'c> {
    /// Over the transaction that is open on this connection.
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { statements: Statements::new(connection) }
    }

    /// After a storage error that took the transaction away, a statement would commit by itself.
    fn still_open(&self) -> Result<(), StoreError> {
        if self.statements.is_autocommit() {
            return Err(StoreError::TransactionLost("before a statement".to_owned()));
        }
        Ok(())
    }

    /// All rows of `sql`, each made by `row`. Statements are prepared once per connection.
    pub fn query<T>(
        &self,
        sql: &'static str,
        params: &[Value<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.still_open()?;
        self.statements.with(sql, |statement| {
            let mut rows = statement.query(rusqlite::params_from_iter(params))?;
            let mut found = Vec::new();
            while let Some(next) = rows.next()? {
                found.push(row(&Row(next))?);
            }
            Ok(found)
        })
    }

    /// Rows of `sql`, one by one, until `visit` breaks.
    pub fn scan(
        &self,
        sql: &'static str,
        params: &[Value<'_>],
        mut visit: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.still_open()?;
        self.statements.with(sql, |statement| {
            let mut rows = statement.query(rusqlite::params_from_iter(params))?;
            while let Some(next) = rows.next()? {
                if visit(&Row(next))?.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// The first row of `sql`, if any.
    pub fn query_one<T>(
        &self,
        sql: &'static str,
        params: &[Value<'_>],
        row: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.still_open()?;
        self.statements.with(sql, |statement| {
            let mut rows = statement.query(rusqlite::params_from_iter(params))?;
            rows.next()?.map(|next| row(&Row(next))).transpose()
        })
    }
}

/// A batch as its closures see it, one after another: everything one of them does is rolled back
/// together if it fails.
pub struct WriteTx<'c> {
    read: ReadTx<'c>,
    next_position: Position,
    appended: Vec<crate::events::Entry>,
    wrote: bool,
}

/// What one closure did.
pub(super) struct Share {
    /// The events it appended, in order.
    pub(super) appended: Vec<crate::events::Entry>,
    /// It ran a statement that changes rows, whatever came of it.
    pub(super) wrote: bool,
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;
    fn deref(&self) -> &ReadTx<'c> {
        &self.read
    }
}

impl<'c> WriteTx<'c> {
    /// Over the transaction that is open on this connection.
    pub(super) fn new(connection: &'c Connection, next_position: Position) -> Self {
        let read = ReadTx::new(connection);
        Self { read, next_position, appended: Vec::new(), wrote: false }
    }

    /// What the closure did that ends here; the next one's share begins.
    pub(super) fn take_share(&mut self) -> Share {
        let appended = std::mem::take(&mut self.appended);
        Share { appended, wrote: std::mem::take(&mut self.wrote) }
    }

    /// What was appended from `position` on is taken back.
    pub(super) fn back_to(&mut self, position: Position) {
        self.next_position = position;
    }

    /// The position of the event that is appended next.
    #[must_use]
    pub fn next_position(&self) -> Position {
        self.next_position
    }

    /// Runs a statement that changes rows; gives how many.
    pub fn execute(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
    ) -> Result<usize, StoreError> {
        self.read.still_open()?;
        self.wrote = true;
        let run = |statement: &mut Statement<'_>| {
            Ok(statement.execute(rusqlite::params_from_iter(params))?)
        };
        self.read.statements.with(sql, run)
    }

    /// Appends to the event log in this transaction and gives the event's position. Readers get it
    /// after the commit.
    pub fn append(&mut self, event: NewEvent) -> Result<Position, StoreError> {
        let position = self.next_position;
        let entry = crate::events::Entry {
            position,
            at: event.at,
            subject: event.subject,
            body: event.body,
        };
        crate::events::insert(self, &entry)?;
        self.appended.push(entry);
        self.next_position = position.next();
        Ok(position)
    }
}
