//! What a rule may ask about a visitor: a closed list of questions.
//!
//! Owns the questions and their answers. Answers depend on the description, the time and on which
//! departments are open, all of them arguments; an answer never changes anything.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::hours::{Span, Zone};
use crate::ids::DepartmentId;
use crate::visitor::Described;

/// Nesting of conditions at most; what is deeper does not hold.
pub const CONDITION_DEPTH_MAX: usize = 8;

/// A text known of the visitor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is the field of the same name in `Described`")]
pub enum TextOf {
    Site,
    Channel,
    Page,
    Landing,
    Referrer,
    Keyword,
    Language,
    Country,
    Province,
    City,
    Isp,
    Device,
    Os,
    Browser,
    Contact,
    Group,
    Category,
    Product,
    ProductCategory,
    Department,
    Agent,
    /// A field of the registration form or a custom field, by name.
    Field(String),
}

/// A number known of the visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberOf {
    /// Visits so far.
    Visits,
    /// Level of the contact.
    Level,
}

/// How a text is compared, without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextIs {
    /// Equal to one of these.
    OneOf(Vec<String>),
    /// Contains this.
    Contains(String),
    /// Begins with this.
    StartsWith(String),
    /// Ends with this.
    EndsWith(String),
    /// Like this pattern: `*` stands for anything, also nothing.
    Like(String),
    /// Not empty.
    Known,
}

/// A question about a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A text compares so.
    Text {
        /// Which text.
        of: TextOf,
        /// How.
        is: TextIs,
    },
    /// A number is at least and at most so large.
    Number {
        /// Which number.
        of: NumberOf,
        /// Not smaller.
        from: u32,
        /// Not larger.
        to: u32,
    },
    /// Has one of these tags.
    Tag(Vec<String>),
    /// Was here before, or not.
    Returning(bool),
    /// Is a VIP, or not.
    Vip(bool),
    /// Has a signed identity, or not.
    Identified(bool),
    /// The company's clock shows one of these days (Monday is 0) and a minute of the span.
    Time {
        /// Days; empty is every day.
        days: BTreeSet<u8>,
        /// Part of the day.
        span: Span,
    },
    /// The department is open now.
    Open(DepartmentId),
    /// All hold; none is asked: holds.
    All(Vec<Condition>),
    /// One holds.
    Any(Vec<Condition>),
    /// Does not hold.
    Not(Box<Condition>),
}

/// What conditions are asked about.
pub struct Circumstances<'a> {
    /// The visitor.
    pub visitor: &'a Described,
    /// Now, in UTC.
    pub utc: Millis,
    /// Where the company's clock hangs.
    pub zone: &'a Zone,
    /// Whether a department is open now.
    pub is_open: &'a dyn Fn(&DepartmentId) -> bool,
}

impl Condition {
    /// The innermost condition that keeps this one from holding; `None` if it holds.
    #[must_use]
    pub fn unmet(&self, of: &Circumstances<'_>) -> Option<&Self> {
        if self.is_shallow(CONDITION_DEPTH_MAX) { self.asked(of) } else { Some(self) }
    }

    /// Whether nothing in it is nested deeper than `depth`; for checking before it is saved too.
    #[must_use]
    pub fn is_shallow(&self, depth: usize) -> bool {
        let Some(below) = depth.checked_sub(1) else { return false };
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(|part| part.is_shallow(below)),
            Self::Not(part) => part.is_shallow(below),
            _ => true,
        }
    }

    fn asked(&self, of: &Circumstances<'_>) -> Option<&Self> {
        let holds = match self {
            Self::All(parts) => return parts.iter().find_map(|part| part.asked(of)),
            Self::Any(parts) => parts.iter().any(|part| part.asked(of).is_none()),
            Self::Not(part) => part.asked(of).is_some(),
            Self::Text { of: text, is } => holds(is, text_of(text, of.visitor)),
            Self::Number { of: number, from, to } => {
                let value = match number {
                    NumberOf::Visits => of.visitor.visits,
                    NumberOf::Level => of.visitor.level,
                };
                (*from..=*to).contains(&value)
            }
            Self::Tag(tags) => tags.iter().any(|tag| of.visitor.tags.contains(tag)),
            Self::Returning(wanted) => of.visitor.returning == *wanted,
            Self::Vip(wanted) => of.visitor.vip == *wanted,
            Self::Identified(wanted) => of.visitor.identified == *wanted,
            Self::Time { days, span } => {
                let local = of.zone.local(of.utc);
                let today = u8::try_from(local.weekday()).unwrap_or(0);
                (days.is_empty() || days.contains(&today))
                    && (span.from..span.to).contains(&local.minute())
            }
            Self::Open(department) => (of.is_open)(department),
        };
        if holds { None } else { Some(self) }
    }
}

fn text_of<'a>(text: &TextOf, visitor: &'a Described) -> &'a str {
    match text {
        TextOf::Site => visitor.site.as_ref().map_or("", |id| id.as_str()),
        TextOf::Channel => &visitor.channel,
        TextOf::Page => &visitor.page,
        TextOf::Landing => &visitor.landing,
        TextOf::Referrer => &visitor.referrer,
        TextOf::Keyword => &visitor.keyword,
        TextOf::Language => &visitor.language,
        TextOf::Country => &visitor.country,
        TextOf::Province => &visitor.province,
        TextOf::City => &visitor.city,
        TextOf::Isp => &visitor.isp,
        TextOf::Device => &visitor.device,
        TextOf::Os => &visitor.os,
        TextOf::Browser => &visitor.browser,
        TextOf::Contact => &visitor.contact,
        TextOf::Group => &visitor.group,
        TextOf::Category => &visitor.category,
        TextOf::Product => &visitor.product,
        TextOf::ProductCategory => &visitor.product_category,
        TextOf::Department => visitor.department.as_ref().map_or("", |id| id.as_str()),
        TextOf::Agent => visitor.agent.as_ref().map_or("", |id| id.as_str()),
        TextOf::Field(name) => visitor.fields.get(name).map_or("", String::as_str),
    }
}

fn holds(is: &TextIs, text: &str) -> bool {
    let text = text.to_lowercase();
    match is {
        TextIs::OneOf(wanted) => wanted.iter().any(|one| one.to_lowercase() == text),
        TextIs::Contains(part) => text.contains(&part.to_lowercase()),
        TextIs::StartsWith(head) => text.starts_with(&head.to_lowercase()),
        TextIs::EndsWith(tail) => text.ends_with(&tail.to_lowercase()),
        TextIs::Like(pattern) => is_like(&text, &pattern.to_lowercase()),
        TextIs::Known => !text.is_empty(),
    }
}

/// Takes each piece between stars at its first place; only the last must end the text. The time is
/// at most text times pattern.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|head| text.strip_prefix(head)) else {
        return false;
    };
    let Some(tail) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(tail)
}
