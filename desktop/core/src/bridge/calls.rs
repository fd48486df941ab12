//! What the workbench asks the relay for once, over HTTP: settings, accounts, explanations, contacts.
//! Nothing of it is cached or waits in the outbox; offline it fails and the person asks again.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use yingke_shared::explanation::{Assignments, DryRun, DryRunAnswer};
use yingke_shared::ids::{AgentId, ConversationId, Position, SiteId};
use yingke_shared::replay::{ReplayAnswer, ReplayDay};
use yingke_shared::rest::{
    AddAgent, AddSite, AgentAdded, AuditPage, ChangeAgent, ChangeSite, RecentContacts,
    SetAutoReplies, SiteAdded,
};
use yingke_shared::settings::{SaveSettings, Settings};
use yingke_shared::views::ColleagueCard;

/// One question. The relay decides who may ask it.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", content = "body", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export, export_to = "ui/")]
pub enum RelayCall {
    /// All settings (admin). Answer: `settings`.
    GetSettings {},
    /// Change a section (admin). Answer: `settings`.
    SaveSettings(SaveSettings),
    /// Everyone. Answer: `agents`.
    ListAgents {},
    /// Add an account (admin). Answer: `agent_added`.
    AddAgent(AddAgent),
    /// Change an account (admin). Answer: `done`.
    ChangeAgent {
        /// Which.
        agent_id: AgentId,
        /// What.
        change: ChangeAgent,
    },
    /// Add a site (admin). Answer: `site_added`.
    AddSite(AddSite),
    /// Change a site (admin). Answer: `done`.
    ChangeSite {
        /// Which.
        site_id: SiteId,
        /// What.
        change: ChangeSite,
    },
    /// What would happen to a visitor now (admin, B04). Answer: `dry_run`.
    DryRun(DryRun),
    /// What a past day would have been with other settings (admin, X04). Answer: `replay`.
    Replay(ReplayDay),
    /// Who had a conversation and why (X04). Answer: `assignments`.
    Assignments {
        /// Of which.
        conversation_id: ConversationId,
    },
    /// The visitors one served last (C05). Answer: `contacts`.
    RecentContacts {},
    /// One's own words for what the relay says by itself (D06). Answer: `done`.
    SetAutoReplies(SetAutoReplies),
    /// Who changed or did what (admin). Answer: `audit`.
    Audit {
        /// Only earlier ones.
        before: Option<Position>,
    },
}

/// The answer to a [`RelayCall`].
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", content = "body", rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum RelayAnswer {
    /// Carried out.
    Done {},
    /// All settings as they are now.
    Settings(Box<Settings>),
    /// Everyone, by id.
    Agents {
        /// See above.
        agents: Vec<ColleagueCard>,
    },
    /// A new account.
    AgentAdded(AgentAdded),
    /// A new site.
    SiteAdded(SiteAdded),
    /// What would happen.
    DryRun(Box<DryRunAnswer>),
    /// What that day was and would have been.
    Replay(Box<ReplayAnswer>),
    /// Who had it and why.
    Assignments(Assignments),
    /// Whom one served last.
    Contacts(RecentContacts),
    /// A page of the audit.
    Audit(AuditPage),
}
