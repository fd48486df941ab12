//! Everything a reader may see, in rows, at one position of the log. Also the state that events
//! are applied to ([`crate::apply`]): old snapshot + events must equal a new snapshot.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{AgentId, ConversationId, InvitationId};
use crate::views::{
    ColleagueCard, Company, ConversationRecord, IncomingInvitation, ManagerAlert, OwnCard,
    SiteSettings, VisitorConversation, VisitorMessage, VisitorSelf, VisitorSite,
};

/// What a member of staff sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct StaffSnapshot {
    /// The reader.
    pub own: OwnCard,
    /// Everyone else, disabled ones too: their names stand on old messages.
    pub colleagues: BTreeMap<AgentId, ColleagueCard>,
    /// The company's sites, in the order of their ids.
    pub sites: Vec<SiteSettings>,
    /// What all staff need of the company's settings.
    pub company: Company,
    /// Open invitations to the reader.
    pub invitations: BTreeMap<InvitationId, IncomingInvitation>,
    /// For managers and admins: what needs a look. Empty for agents.
    pub alerts: BTreeMap<ConversationId, ManagerAlert>,
    /// The open conversations the reader serves or takes part in, at most 500.
    pub conversations: BTreeMap<ConversationId, ConversationRecord>,
    /// Whether there are more than fit.
    pub has_more: bool,
}

/// What a visitor sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VisitorSnapshot {
    /// The reader.
    pub visitor: VisitorSelf,
    /// The site.
    pub site: VisitorSite,
    /// The newest conversation, open or ended, if there ever was one.
    pub conversation: Option<VisitorConversation>,
    /// The newest messages across own conversations, at most 50, oldest first.
    pub messages: Vec<VisitorMessage>,
    /// Whether there are earlier ones.
    pub has_earlier: bool,
}
