//! Who may do what: the one place that decides, for HTTP and the socket alike.
//!
//! Every route and command names its [`Deed`] and asks here before anything is read or written; what
//! concerns a conversation is asked again with the reader's [`Relation`] to it. It decides on values
//! alone and reads nothing. Something foreign and something that does not exist are answered alike:
//! `not_found`, never `forbidden`, unless the reader may know that it exists.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::views::Role;

/// What a member of staff wants to do, apart from conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Read one's own card, sign out, change one's own password.
    OwnAccount,
    /// Choose one's own availability.
    SetAvailability,
    /// See who works here.
    ListAgents,
    /// Add an account.
    AddAgent,
    /// Change, disable or enable an account.
    ChangeAgent,
    /// See the sites and their settings.
    ListSites,
    /// Add a site.
    AddSite,
    /// Change a site's settings.
    ChangeSite,
    /// Follow any conversation unseen, enter it, take it over (F05, L01).
    WatchConversation,
    /// Give a waiting conversation to somebody by hand (B09).
    AssignByHand,
    /// See and change the settings of routing, queues and words (N01).
    ChangeSettings,
    /// See who did what (X20).
    ReadAudit,
}

/// All deeds, for tests that must cover each.
pub const DEEDS: &[Deed] = &[
    Deed::OwnAccount,
    Deed::SetAvailability,
    Deed::ListAgents,
    Deed::AddAgent,
    Deed::ChangeAgent,
    Deed::ListSites,
    Deed::AddSite,
    Deed::ChangeSite,
    Deed::WatchConversation,
    Deed::AssignByHand,
    Deed::ChangeSettings,
    Deed::ReadAudit,
];

impl Deed {
    /// The weakest role that may.
    #[must_use]
    pub fn least_role(self) -> Role {
        match self {
            Self::OwnAccount | Self::SetAvailability | Self::ListAgents | Self::ListSites => {
                Role::Agent
            }
            Self::WatchConversation | Self::AssignByHand => Role::Manager,
            Self::AddAgent
            | Self::ChangeAgent
            | Self::AddSite
            | Self::ChangeSite
            | Self::ChangeSettings
            | Self::ReadAudit => Role::Admin,
        }
    }
}

/// May a member of staff with this role do that at all?
pub fn may(role: Role, deed: Deed) -> Result<(), ErrorCode> {
    if role >= deed.least_role() { Ok(()) } else { Err(ErrorCode::Forbidden) }
}

/// What someone wants to do with one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationDeed {
    /// Read its messages.
    Read,
    /// Add a message, or show that one is being typed.
    Write,
    /// Say how far one has read.
    Mark,
    /// End it.
    End,
    /// Ask somebody to take it over or to join it.
    Invite,
    /// Leave it to others.
    Leave,
    /// Put it back in line.
    HandBack,
    /// Add a note among staff.
    Note,
}

/// All of them, for tests that must cover each.
pub const CONVERSATION_DEEDS: &[ConversationDeed] = &[
    ConversationDeed::Read,
    ConversationDeed::Write,
    ConversationDeed::Mark,
    ConversationDeed::End,
    ConversationDeed::Invite,
    ConversationDeed::Leave,
    ConversationDeed::HandBack,
    ConversationDeed::Note,
];

/// How a member of staff stands to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Serves it now.
    Serving,
    /// Takes part beside the one who serves it (F03).
    Member,
    /// Is asked to take it over or to join.
    Invited,
    /// Served it once (it ended, or another agent has it).
    Served,
    /// Never had it.
    Unrelated,
}

/// May a member of staff do that with a conversation they stand in this relation to?
pub fn may_with_conversation(
    role: Role,
    relation: Relation,
    deed: ConversationDeed,
) -> Result<(), ErrorCode> {
    let may_know = relation != Relation::Unrelated || role >= Role::Manager;
    if !may_know {
        return Err(ErrorCode::NotFound);
    }
    let takes_part = matches!(relation, Relation::Serving | Relation::Member);
    match deed {
        ConversationDeed::Read => Ok(()),
        // A whisper is for those who hear what it is about (F05); who is asked may ask back.
        ConversationDeed::Note
            if takes_part || relation == Relation::Invited || role >= Role::Manager =>
        {
            Ok(())
        }
        // Marks sent late by a reader who just lost the conversation are no fault; they change
        // nothing, which the action sees to.
        ConversationDeed::Mark if relation != Relation::Unrelated => Ok(()),
        ConversationDeed::Write
        | ConversationDeed::Mark
        | ConversationDeed::Invite
        | ConversationDeed::Leave
            if takes_part =>
        {
            Ok(())
        }
        ConversationDeed::End | ConversationDeed::HandBack if relation == Relation::Serving => {
            Ok(())
        }
        ConversationDeed::HandBack if role >= Role::Manager => Ok(()),
        ConversationDeed::Write
        | ConversationDeed::Mark
        | ConversationDeed::End
        | ConversationDeed::Invite
        | ConversationDeed::Leave
        | ConversationDeed::Note
        | ConversationDeed::HandBack => Err(ErrorCode::Forbidden),
    }
}

/// May a visitor do anything with a conversation? Only with an own one; any other looks as if it did
/// not exist.
pub fn visitor_may(own: bool) -> Result<(), ErrorCode> {
    if own { Ok(()) } else { Err(ErrorCode::NotFound) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 3] = [Role::Agent, Role::Manager, Role::Admin];
    const RELATIONS: [Relation; 5] = [
        Relation::Serving,
        Relation::Member,
        Relation::Invited,
        Relation::Served,
        Relation::Unrelated,
    ];

    /// The whole table, so that a change of policy is seen as one.
    #[test]
    fn deeds_by_role() {
        let mut table = String::new();
        for deed in DEEDS {
            let marks = ROLES.map(|role| if may(role, *deed).is_ok() { 'y' } else { '-' });
            table.push_str(&format!("{deed:?} {}\n", marks.iter().collect::<String>()));
        }
        assert_eq!(
            table,
            "OwnAccount yyy\nSetAvailability yyy\nListAgents yyy\nAddAgent --y\nChangeAgent --y\n\
             ListSites yyy\nAddSite --y\nChangeSite --y\nWatchConversation -yy\n\
             AssignByHand -yy\nChangeSettings --y\nReadAudit --y\n"
        );
    }

    /// Rows: deed; columns: serving, member, invited, served, unrelated for agent, manager, admin.
    #[test]
    fn conversation_deeds_by_role_and_relation() {
        let mut table = String::new();
        for deed in CONVERSATION_DEEDS {
            table.push_str(&format!("{deed:?}"));
            for role in ROLES {
                table.push(' ');
                for relation in RELATIONS {
                    table.push(match may_with_conversation(role, relation, *deed) {
                        Ok(()) => 'y',
                        Err(ErrorCode::Forbidden) => 'f',
                        Err(ErrorCode::NotFound) => 'n',
                        Err(other) => panic!("unexpected {other:?}"),
                    });
                }
            }
            table.push('\n');
        }
        assert_eq!(
            table,
            "Read yyyyn yyyyy yyyyy\nWrite yyffn yyfff yyfff\nMark yyyyn yyyyf yyyyf\n\
             End yfffn yffff yffff\nInvite yyffn yyfff yyfff\nLeave yyffn yyfff yyfff\n\
             HandBack yfffn yyyyy yyyyy\nNote yyyfn yyyyy yyyyy\n"
        );
    }

    #[test]
    fn a_visitor_has_own_conversations_only() {
        assert_eq!(visitor_may(true), Ok(()));
        assert_eq!(visitor_may(false), Err(ErrorCode::NotFound));
    }
}
