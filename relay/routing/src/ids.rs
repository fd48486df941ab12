//! Names of things, as the caller gives them.
//!
//! Owns one small type for each kind of name, so that an agent is never taken for a department. A
//! name is text that is shared, not copied; its order is the order of its text and breaks ties.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name with this text.
            #[must_use]
            pub fn new(text: &str) -> Self {
                Self(Arc::from(text))
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// Who answers.
    AgentId
);
name!(
    /// The thread between one visitor and the team.
    ConversationId
);
name!(
    /// What a consultation is for.
    DepartmentId
);
name!(
    /// Agents who can take a kind of question.
    SkillId
);
name!(
    /// One line of the ordered rules.
    RuleId
);
name!(
    /// One website of the company.
    SiteId
);
name!(
    /// One offer to take over or to join.
    InvitationId
);
