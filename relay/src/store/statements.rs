//! The statements of one transaction. Each is looked up in the connection's cache once, by its whole
//! text, and is at hand from then on: a batch runs the same few a hundred times. When the transaction
//! is over they go back to the cache.

use std::cell::RefCell;

use rusqlite::{CachedStatement, Connection, Statement};

use super::StoreError;

/// See the module.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    at_hand: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
}

impl<'c> Statements<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection, at_hand: RefCell::default() }
    }

    pub(super) fn is_autocommit(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// Runs `f` with this statement, which is nobody else's meanwhile: whoever asks for the same text
    /// inside `f` gets another.
    pub(super) fn with<T>(
        &self,
        sql: &'static str,
        f: impl FnOnce(&mut Statement<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut statement = match self.take(sql) {
            Some(statement) => statement,
            None => self.connection.prepare_cached(sql)?,
        };
        let done = f(&mut statement);
        self.at_hand.borrow_mut().push((sql, statement));
        done
    }

    fn take(&self, sql: &'static str) -> Option<CachedStatement<'c>> {
        let mut at_hand = self.at_hand.borrow_mut();
        // The same constant: a look at the address instead of the text. One that stands in the program
        // twice is prepared twice.
        let place = at_hand.iter().rposition(|(known, _)| std::ptr::eq(*known, sql))?;
        Some(at_hand.swap_remove(place).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "SELECT 1 UNION ALL SELECT 2";

    fn first(statement: &mut Statement<'_>) -> Result<i64, StoreError> {
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    #[test]
    fn the_same_text_inside_itself_is_another_statement() {
        let connection = Connection::open_in_memory().unwrap();
        let statements = Statements::new(&connection);
        let sum = statements.with(TWO, |outer| {
            let (mut rows, mut sum) = (outer.query([])?, 0);
            while let Some(row) = rows.next()? {
                sum += row.get::<_, i64>(0)? * statements.with(TWO, first)?;
            }
            Ok(sum)
        });
        assert_eq!(sum.unwrap(), 3);
        assert_eq!(statements.at_hand.borrow().len(), 2);
    }

    #[test]
    fn one_that_failed_half_way_begins_anew() {
        let connection = Connection::open_in_memory().unwrap();
        let statements = Statements::new(&connection);
        let failed = statements.with(TWO, |statement| {
            let mut rows = statement.query([])?;
            rows.next()?;
            Err::<(), _>(StoreError::Corrupt("row"))
        });
        assert!(failed.is_err());
        assert_eq!(statements.with(TWO, first).unwrap(), 1);
        assert_eq!(statements.at_hand.borrow().len(), 1);
    }
}
