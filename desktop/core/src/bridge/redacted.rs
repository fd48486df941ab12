//! `Debug` for what carries passwords, message text, drafts or names: it shows which value it is and
//! its ids, never what people wrote. So a stray `{:?}` in a log tells nothing.

use std::fmt;

use super::types::{
    Chat, ChatHead, InboxRow, OutboxItem, Session, SignInForm, UiPush, UiReply, UiRequest, UiState,
};

impl fmt::Debug for UiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::GetState {} => "GetState",
            Self::SignIn { .. } => "SignIn",
            Self::SignOut {} => "SignOut",
            Self::ForgetPassword {} => "ForgetPassword",
            Self::ChangePassword { .. } => "ChangePassword",
            Self::SetAvailability { .. } => "SetAvailability",
            Self::Assign { .. } => "Assign",
            Self::Invite { .. } => "Invite",
            Self::AnswerInvitation { .. } => "AnswerInvitation",
            Self::WithdrawInvitation { .. } => "WithdrawInvitation",
            Self::LeaveConversation { .. } => "LeaveConversation",
            Self::EnterConversation { .. } => "EnterConversation",
            Self::TakeOver { .. } => "TakeOver",
            Self::HandBack { .. } => "HandBack",
            Self::StartConversation { .. } => "StartConversation",
            Self::AddNote { .. } => "AddNote",
            Self::WatchConversation { .. } => "WatchConversation",
            Self::UnwatchConversation { .. } => "UnwatchConversation",
            Self::WatchFloor { .. } => "WatchFloor",
            Self::CloseAllLeft {} => "CloseAllLeft",
            Self::Call { .. } => "Call",
            Self::OpenConversation { .. } => "OpenConversation",
            Self::CloseConversation {} => "CloseConversation",
            Self::LoadEarlier { .. } => "LoadEarlier",
            Self::SendMessage { .. } => "SendMessage",
            Self::RetrySend { .. } => "RetrySend",
            Self::DiscardSend { .. } => "DiscardSend",
            Self::SetDraft { .. } => "SetDraft",
            Self::Viewed { .. } => "Viewed",
            Self::Typing { .. } => "Typing",
            Self::EndConversation { .. } => "EndConversation",
            Self::Looking { .. } => "Looking",
            Self::SetPreferences { .. } => "SetPreferences",
        };
        f.write_str(name)
    }
}

impl fmt::Debug for UiReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done {} => f.write_str("Done"),
            Self::State(state) => f.debug_tuple("State").field(state).finish(),
            Self::Chat(chat) => f.debug_tuple("Chat").field(chat).finish(),
            Self::Earlier { items, has_earlier, .. } => f
                .debug_struct("Earlier")
                .field("items", &items.len())
                .field("has_earlier", has_earlier)
                .finish_non_exhaustive(),
            Self::Queued { item } => f.debug_struct("Queued").field("item", item).finish(),
            Self::Started { conversation_id } => {
                f.debug_struct("Started").field("conversation_id", conversation_id).finish()
            }
            Self::Closed { ended, kept } => {
                f.debug_struct("Closed").field("ended", ended).field("kept", kept).finish()
            }
            Self::Called { .. } => f.write_str("Called"),
        }
    }
}

impl fmt::Debug for UiPush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => f.debug_tuple("State").field(state).finish(),
            Self::Connection(connection) => f.debug_tuple("Connection").field(connection).finish(),
            Self::Own(own) => f.debug_struct("Own").field("id", &own.id).finish_non_exhaustive(),
            Self::Colleague(colleague) => {
                f.debug_struct("Colleague").field("id", &colleague.card.id).finish_non_exhaustive()
            }
            Self::Inbox { upsert, removed } => {
                f.debug_struct("Inbox").field("upsert", upsert).field("removed", removed).finish()
            }
            Self::Chat { conversation_id, messages, outbox, .. } => f
                .debug_struct("Chat")
                .field("conversation_id", conversation_id)
                .field("messages", &messages.len())
                .field("outbox", outbox)
                .finish_non_exhaustive(),
            Self::Company(_) => f.write_str("Company"),
            Self::Sites { sites } => f.debug_struct("Sites").field("sites", &sites.len()).finish(),
            Self::Invitations { invitations } => {
                f.debug_struct("Invitations").field("invitations", &invitations.len()).finish()
            }
            Self::InvitationOver(over) => f
                .debug_struct("InvitationOver")
                .field("id", &over.invitation.id)
                .field("why", &over.why)
                .finish_non_exhaustive(),
            Self::Alerts { alerts } => {
                f.debug_struct("Alerts").field("alerts", &alerts.len()).finish()
            }
            Self::Floor(_) => f.write_str("Floor"),
            Self::QueueLength { waiting } => {
                f.debug_struct("QueueLength").field("waiting", waiting).finish()
            }
            Self::Colleagues { conversation_id, reading, typing } => f
                .debug_struct("Colleagues")
                .field("conversation_id", conversation_id)
                .field("reading", reading)
                .field("typing", typing)
                .finish(),
            Self::Attention { conversation_id, kind, level, sound } => f
                .debug_struct("Attention")
                .field("conversation_id", conversation_id)
                .field("kind", kind)
                .field("level", level)
                .field("sound", sound)
                .finish(),
            Self::Preview { conversation_id, .. } => f
                .debug_struct("Preview")
                .field("conversation_id", conversation_id)
                .finish_non_exhaustive(),
        }
    }
}

impl fmt::Debug for UiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UiState")
            .field("session", &self.session)
            .field("connection", &self.connection)
            .field("inbox", &self.inbox)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignedOut { notice, .. } => {
                f.debug_struct("SignedOut").field("notice", notice).finish_non_exhaustive()
            }
            Self::SigningIn { .. } => f.write_str("SigningIn"),
            Self::SignedIn { own, .. } => {
                f.debug_struct("SignedIn").field("own", &own.id).finish_non_exhaustive()
            }
        }
    }
}

impl fmt::Debug for SignInForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInForm")
            .field("password_remembered", &self.password_remembered)
            .field("can_remember", &self.can_remember)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for InboxRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxRow")
            .field("conversation_id", &self.conversation_id)
            .field("said_seq", &self.said.seq)
            .field("unread", &self.unread)
            .field("unsent", &self.unsent)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ChatHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatHead")
            .field("status", &self.status)
            .field("held", &self.held)
            .field("own_read", &self.own_read)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat")
            .field("conversation_id", &self.conversation_id)
            .field("messages", &self.messages.len())
            .field("outbox", &self.outbox)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OutboxItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxItem")
            .field("client_id", &self.client_id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
