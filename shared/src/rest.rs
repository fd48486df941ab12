//! Bodies of the HTTP requests. Requests are closed structs; an error's body is
//! [`crate::error_code::WireError`] with a matching status.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{AgentId, ConversationId, DepartmentId, Position, SiteId, SkillId, VisitorId};
use crate::settings::AutoReplyTexts;
use crate::time::Timestamp;
use crate::views::{ConversationRecord, OwnCard, Role, VisitorCard};

/// `POST /api/sign-in`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct SignIn {
    /// The sign-in name.
    pub account: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").finish_non_exhaustive()
    }
}

/// Answer to [`SignIn`]. The token goes into `Authorization: Bearer …` and into the `hello`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SignedIn {
    /// The session's secret.
    pub token: String,
    /// Who signed in.
    pub own: OwnCard,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("own", &self.own.id).finish_non_exhaustive()
    }
}

/// `POST /api/password`: change one's own; every other session of the account ends.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct ChangePassword {
    /// The password so far.
    pub old: String,
    /// The new one, 8 to 256 characters.
    pub new: String,
}

impl fmt::Debug for ChangePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangePassword").finish_non_exhaustive()
    }
}

/// `POST /api/agents`: add an account (admin).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct AddAgent {
    /// The sign-in name, 1 to 64 characters, unique without regard to case.
    pub account: String,
    /// 8 to 256 characters.
    pub password: String,
    /// The name shown to visitors, 1 to 64 characters.
    pub nickname: String,
    /// What the account may do.
    pub role: Role,
    /// 1 to 200.
    pub capacity: u32,
    /// Where the agent answers; left out: the company's default department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub departments: Option<Vec<DepartmentId>>,
    /// What the agent can.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillId>,
}

impl fmt::Debug for AddAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddAgent").field("role", &self.role).finish_non_exhaustive()
    }
}

/// Answer to [`AddAgent`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AgentAdded {
    /// Who.
    pub id: AgentId,
}

/// `PATCH /api/agents/{id}`: change an account (admin). What is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(export, optional_fields)]
pub struct ChangeAgent {
    /// The name shown to visitors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// What the account may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// All departments the agent answers in (B03).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub departments: Option<Vec<DepartmentId>>,
    /// All skills the agent has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skills: Option<Vec<SkillId>>,
    /// A disabled account's sessions end within a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// `POST /api/sites`: add a site (admin).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct AddSite {
    /// The company's own name for it, 1 to 64 characters.
    pub name: String,
    /// See [`crate::views::SiteSettings::domains`].
    pub domains: Vec<String>,
}

/// Answer to [`AddSite`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SiteAdded {
    /// Which.
    pub id: SiteId,
}

/// `PATCH /api/sites/{id}`: change a site (admin). What is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(export, optional_fields)]
pub struct ChangeSite {
    /// The company's own name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// 开启在线客服.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// All origins, replacing those so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<String>>,
    /// The welcome; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub welcome: Option<String>,
    /// Typing preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<bool>,
    /// Return tickets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_tickets: Option<bool>,
}

/// `GET /w/{site}/boot`, asked by the loader from the host page: whether it may start there (A02).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Boot {
    /// The address of the iframe's document, relative to the loader's own origin.
    pub frame_url: String,
    /// The site's name: the launcher's label for screen readers.
    pub name: String,
    /// Whether the loader may keep a return ticket in the host page's storage.
    pub return_tickets: bool,
}

/// `POST /w/{site}/visitor`, asked by the iframe: become a visitor, or return as one (A33).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct EnterAsVisitor {
    /// A return ticket the loader kept; spent by this. An unknown one makes a new visitor.
    pub ticket: Option<String>,
}

impl fmt::Debug for EnterAsVisitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterAsVisitor").finish_non_exhaustive()
    }
}

/// Answer to [`EnterAsVisitor`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VisitorEntered {
    /// Who.
    pub visitor_id: VisitorId,
    /// The visitor's secret, for the `hello` and for `POST /w/{site}/ticket`.
    pub token: String,
}

impl fmt::Debug for VisitorEntered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisitorEntered")
            .field("visitor_id", &self.visitor_id)
            .finish_non_exhaustive()
    }
}

/// Answer to `POST /w/{site}/ticket` (visitor's token in `Authorization`): a new return ticket;
/// earlier ones of this visitor are void.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ReturnTicket {
    /// Opaque; one use.
    pub ticket: String,
}

impl fmt::Debug for ReturnTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReturnTicket").finish_non_exhaustive()
    }
}

/// `GET /healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Health {
    /// `ok`, or what is wrong in one word.
    pub status: String,
    /// The relay's version.
    pub version: String,
    /// The protocol it speaks.
    pub protocol: u32,
}

/// Answer to `GET /api/conversations?after=`: the open conversations the reader serves, by id, after
/// the one named; what did not fit into the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ServedPage {
    /// The log position the page was read at: a reader that is already past it asks again, so that
    /// nothing ended or withdrawn since comes back.
    pub position: Position,
    /// At most 500.
    pub conversations: Vec<ConversationRecord>,
    /// Whether there are more after the last.
    pub has_more: bool,
}

/// `PUT /api/me/auto-replies`: one's own words (D06). They are kept, and not used while the company's
/// replace them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct SetAutoReplies {
    /// At most 500 characters each.
    pub texts: AutoReplyTexts,
}

/// `GET /api/contacts`: the visitors the reader served last (C05), the latest first, at most 50.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RecentContacts {
    /// See above.
    pub contacts: Vec<RecentContact>,
}

/// A visitor the reader served.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RecentContact {
    /// Whose, as they came last.
    pub visitor: VisitorCard,
    /// Whether a widget of the visitor is connected now.
    pub online: bool,
    /// Their newest conversation with the reader.
    pub conversation_id: ConversationId,
    /// Whether they have an open conversation now, with anybody.
    pub is_open: bool,
    /// When something was last said in it.
    pub last_at: Timestamp,
    /// The beginning of what was said last, at most 80 characters.
    pub text: String,
}

/// `GET /api/audit?before=` (admin): who changed or did what, the newest first, at most 100.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditPage {
    /// See above.
    pub entries: Vec<AuditEntry>,
    /// Whether there are earlier ones; ask again with the last entry's `number`.
    pub has_earlier: bool,
}

/// One line of the audit (X20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditEntry {
    /// Grows.
    pub number: Position,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub agent_id: AgentId,
    /// What, in one word: `settings`, `agent`, `assign`, `watch`, `enter`, `take_over` …
    pub deed: String,
    /// To what: a conversation's, agent's or section's id.
    pub subject: String,
}
