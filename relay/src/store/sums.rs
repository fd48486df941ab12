//! Sums of stored messages: the database engine has none of its own, so a bit that flips in a text
//! would be read as if someone had written it. Each message row carries the sum of its columns; who
//! reads one compares, and the check of everything compares all.
//!
//! Not against forgery, only against decay. Rows written before there were sums have 0 and are not
//! compared.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::value::{Row, Value};

/// The columns that are summed, in this order for ever: `messages` from `conversation_id` to
/// `unanswered_since`.
pub const SUMMED_COLUMNS: usize = 10;

/// Odd, so that multiplying by it loses nothing.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Takes values one after another. Each step maps different states to different states, so a change
/// within eight bytes in a row is always noticed, any other nearly always.
struct Sum(u64);

impl Sum {
    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(FACTOR).rotate_left(29);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            self.word(u64::from_le_bytes(word));
        }
    }

    fn value(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.word(1),
            ValueRef::Integer(number) => {
                self.word(2);
                self.word(u64::from_le_bytes(number.to_le_bytes()));
            }
            ValueRef::Text(text) => {
                self.word(3);
                self.bytes(text);
            }
            // Never written by us; told apart all the same.
            ValueRef::Real(number) => {
                self.word(4);
                self.word(number.to_bits());
            }
            ValueRef::Blob(bytes) => {
                self.word(5);
                self.bytes(bytes);
            }
        }
    }

    /// Never 0: that means "not summed".
    fn finish(self) -> i64 {
        match self.0 {
            0 => 1,
            sum => i64::from_le_bytes(sum.to_le_bytes()),
        }
    }
}

/// The sum of a row's values, in the order of [`SUMMED_COLUMNS`].
#[must_use]
pub fn sum_of(values: &[Value<'_>]) -> i64 {
    let mut sum = Sum(FACTOR);
    for value in values {
        sum.value(match *value {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        });
    }
    sum.finish()
}

impl Row<'_> {
    /// Whether the columns at these places, in the order of [`SUMMED_COLUMNS`], have the sum that
    /// stands at `sum`. A row that has none passes.
    #[must_use]
    pub fn is_sound(&self, places: [usize; SUMMED_COLUMNS], sum: usize) -> bool {
        let Ok(ValueRef::Integer(stored)) = self.0.get_ref(sum) else { return false };
        let mut found = Sum(FACTOR);
        for place in places {
            match self.0.get_ref(place) {
                Ok(value) => found.value(value),
                Err(_) => return false,
            }
        }
        stored == 0 || stored == found.finish()
    }
}

/// Calls `visit` with conversation and number of every message whose row has another sum than it
/// was given.
pub(super) fn damaged(
    connection: &Connection,
    mut visit: impl FnMut(String),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT conversation_id, seq, actor_id, client_id, author, content, is_notice, at, \
         visitor_count, unanswered_since, sum FROM messages",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if Row(row).is_sound([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 10) {
            continue;
        }
        let place = |column| match row.get_ref(column) {
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            Ok(ValueRef::Integer(number)) => number.to_string(),
            _ => "?".to_owned(),
        };
        visit(format!("{} {}", place(0), place(1)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_changes_the_sum() {
        let text = "一句话 and some more words, to fill a few steps";
        let whole = sum_of(&[Value::Text("c1"), Value::Int(7), Value::Text(text), Value::Null]);
        let mut bytes = text.as_bytes().to_vec();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut sum = Sum(FACTOR);
            for value in [
                ValueRef::Text(b"c1"),
                ValueRef::Integer(7),
                ValueRef::Text(&bytes),
                ValueRef::Null,
            ] {
                sum.value(value);
            }
            assert_ne!(sum.finish(), whole, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for bit in 0..64 {
            let other = 7_i64 ^ (1 << bit);
            assert_ne!(
                sum_of(&[Value::Text("c1"), Value::Int(other), Value::Text(text), Value::Null]),
                whole
            );
        }
    }

    /// Stored sums must be found again by every later version.
    #[test]
    fn the_sum_of_a_row_stays_for_ever() {
        assert_eq!(
            sum_of(&[Value::Text("c1"), Value::Int(7), Value::Null]),
            3_837_837_271_490_740_386
        );
    }
}
