//! Transactions as rooms see them: run a statement, read typed rows, append to the event log.

use std::ops::{ControlFlow, Deref};

use rusqlite::types::{ToSqlOutput, ValueRef};
use yingke_shared::ids::Position;

use super::StoreError;
use super::value::{Row, Value};
use crate::events::NewEvent;

/// A view of the database at one moment. Also the reading half of a [`WriteTx`].
pub struct ReadTx<'c> {
    pub(super) connection: &'c rusqlite::Connection,
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

impl ReadTx<'_> {
    /// After a storage error that took the transaction away, a statement would commit by itself.
    fn still_open(&self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Err(StoreError::TransactionLost("before a statement".to_owned()));
        }
        Ok(())
    }

    /// All rows of `sql`, each made by `row`. Statements are prepared once per connection.
    pub fn query<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.still_open()?;
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        let mut found = Vec::new();
        while let Some(next) = rows.next()? {
            found.push(row(&Row(next))?);
        }
        Ok(found)
    }

    /// Rows of `sql`, one by one, until `visit` breaks.
    pub fn scan(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut visit: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.still_open()?;
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        while let Some(next) = rows.next()? {
            if visit(&Row(next))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The first row of `sql`, if any.
    pub fn query_one<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        row: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.still_open()?;
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        rows.next()?.map(|next| row(&Row(next))).transpose()
    }
}

/// One closure's share of a batch: everything it does is rolled back together if it fails.
pub struct WriteTx<'c> {
    pub(super) read: ReadTx<'c>,
    pub(super) next_position: Position,
    pub(super) appended: Vec<crate::events::Entry>,
    /// A statement that changes rows was run, whatever came of it.
    pub(super) wrote: bool,
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;
    fn deref(&self) -> &ReadTx<'c> {
        &self.read
    }
}

impl WriteTx<'_> {
    /// The position of the event that is appended next.
    #[must_use]
    pub fn next_position(&self) -> Position {
        self.next_position
    }

    /// Runs a statement that changes rows; gives how many.
    pub fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<usize, StoreError> {
        self.read.still_open()?;
        self.wrote = true;
        let mut statement = self.read.connection.prepare_cached(sql)?;
        Ok(statement.execute(rusqlite::params_from_iter(params))?)
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
