//! Values in and out of SQL, in the common dialect: text, integers and NULL. Rooms see these, never
//! a driver's types.

use super::StoreError;

/// One parameter of a statement.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// A 64-bit integer; booleans are 0 and 1, times are epoch milliseconds.
    Int(i64),
    /// Text.
    Text(&'a str),
}

/// What can stand in [`params!`](crate::params).
pub trait ToValue {
    /// The value as SQL sees it.
    fn to_value(&self) -> Value<'_>;
}

impl ToValue for str {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for i64 {
    fn to_value(&self) -> Value<'_> {
        Value::Int(*self)
    }
}

impl ToValue for u32 {
    fn to_value(&self) -> Value<'_> {
        Value::Int(i64::from(*self))
    }
}

impl ToValue for bool {
    fn to_value(&self) -> Value<'_> {
        Value::Int(i64::from(*self))
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (*self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

/// Ids are text, counters and times integers. Counters stay below 2^53, so they fit.
macro_rules! wire_values {
    (text: $($id:ident),*; number: $($counter:ident . $get:ident),*) => {
        $(impl ToValue for yingke_shared::ids::$id {
            fn to_value(&self) -> Value<'_> { Value::Text(self.as_str()) }
        })*
        $(impl ToValue for $counter {
            fn to_value(&self) -> Value<'_> { Value::Int(i64::try_from(self.$get()).unwrap_or(i64::MAX)) }
        })*
    };
}
use yingke_shared::ids::{Position, Seq};
use yingke_shared::time::Timestamp;
wire_values!(
    text: AgentId, VisitorId, SiteId, ConversationId, ClientId, Epoch, DepartmentId, SkillId, RuleId,
        InvitationId;
    number: Position.get, Seq.get, Timestamp.millis
);

/// Parameters of a statement, in order: `params![id, at]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::ToValue::to_value(&$value)),*] as &[$crate::store::Value<'_>]
    };
}

/// One row of a result; columns by their place in the statement, from 0.
pub struct Row<'r>(pub(super) &'r rusqlite::Row<'r>);

impl Row<'_> {
    /// A text column.
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        Ok(self.0.get(column)?)
    }

    /// A text column to be looked at while the row is there.
    pub fn str(&self, column: usize) -> Result<&str, StoreError> {
        self.0.get_ref(column)?.as_str().map_err(|_| StoreError::Corrupt("text"))
    }

    /// A text column that may be NULL.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        Ok(self.0.get(column)?)
    }

    /// An integer column.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        Ok(self.0.get(column)?)
    }

    /// An integer column that may be NULL.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        Ok(self.0.get(column)?)
    }

    /// A 0/1 column.
    pub fn flag(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    /// A text column holding an id of the protocol.
    pub fn id<I: std::str::FromStr>(&self, column: usize) -> Result<I, StoreError> {
        let text: &str = self.0.get_ref(column)?.as_str().map_err(|_| StoreError::Corrupt("id"))?;
        text.parse().map_err(|_| StoreError::Corrupt("id"))
    }

    /// The same where NULL is allowed.
    pub fn opt_id<I: std::str::FromStr>(&self, column: usize) -> Result<Option<I>, StoreError> {
        if self.0.get_ref(column)? == rusqlite::types::ValueRef::Null {
            return Ok(None);
        }
        self.id(column).map(Some)
    }

    /// A counter: message numbers.
    pub fn seq(&self, column: usize) -> Result<Seq, StoreError> {
        number(self.int(column)?).and_then(|n| Seq::new(n).map_err(|_| StoreError::Corrupt("seq")))
    }

    /// A counter: log positions.
    pub fn position(&self, column: usize) -> Result<Position, StoreError> {
        number(self.int(column)?)
            .and_then(|n| Position::new(n).map_err(|_| StoreError::Corrupt("position")))
    }

    /// A time.
    pub fn time(&self, column: usize) -> Result<Timestamp, StoreError> {
        number(self.int(column)?)
            .and_then(|n| Timestamp::from_millis(n).map_err(|_| StoreError::Corrupt("time")))
    }

    /// A time that may be NULL.
    pub fn opt_time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        match self.opt_int(column)? {
            None => Ok(None),
            Some(_) => self.time(column).map(Some),
        }
    }
}

fn number(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Corrupt("negative number"))
}
