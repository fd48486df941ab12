//! `Debug` of what people wrote, where they are, and what lets them in: it shows which value it is
//! and how long, never what it says. So a stray `{:?}` in a log tells nothing.

use std::fmt;

use crate::commands::staff::{AddNote, Invite, StaffSendMessage, StartConversation};
use crate::commands::visitor::{LeaveMessage, PageContext, Preview, VisitorSendMessage};
use crate::explanation::DryRun;
use crate::frame::{Hello, StaffSignal};
use crate::rest::RecentContact;
use crate::views::{
    FloorRunning, FloorWaiting, Invitation, MessageContent, Note, SystemNotice, VisitorCard,
    VisitorContent,
};

/// A text shown by its length only.
struct Hidden<'a>(&'a str);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} characters>", self.0.chars().count())
    }
}

impl fmt::Debug for MessageContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { text } => f.debug_tuple("Text").field(&Hidden(text)).finish(),
            Self::Notice { notice } => f.debug_tuple("Notice").field(notice).finish(),
            Self::Unknown => f.write_str("Unknown"),
        }
    }
}

impl fmt::Debug for VisitorContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { text } => f.debug_tuple("Text").field(&Hidden(text)).finish(),
            Self::Notice { notice } => f.debug_tuple("Notice").field(notice).finish(),
            Self::Unknown => f.write_str("Unknown"),
        }
    }
}

impl fmt::Debug for SystemNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Welcome { text } => f.debug_tuple("Welcome").field(&Hidden(text)).finish(),
            Self::AgentJoined { agent } => f.debug_tuple("AgentJoined").field(&agent.id).finish(),
            Self::Transferred { agent } => f.debug_tuple("Transferred").field(&agent.id).finish(),
            Self::MemberJoined { agent } => f.debug_tuple("MemberJoined").field(&agent.id).finish(),
            Self::MemberLeft { agent } => f.debug_tuple("MemberLeft").field(&agent.id).finish(),
            Self::Requeued { why } => f.debug_tuple("Requeued").field(why).finish(),
            Self::AutoReply { reply, .. } => f.debug_tuple("AutoReply").field(reply).finish(),
            Self::Ended { by } => f.debug_tuple("Ended").field(by).finish(),
        }
    }
}

impl fmt::Debug for StaffSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preview { conversation_id, text } => {
                f.debug_tuple("Preview").field(conversation_id).field(&Hidden(text)).finish()
            }
            Self::VisitorOnline { conversation_id, online } => {
                f.debug_tuple("VisitorOnline").field(conversation_id).field(online).finish()
            }
            Self::QueueLength { waiting } => f.debug_tuple("QueueLength").field(waiting).finish(),
            Self::Floor { floor } => {
                let (waiting, running) = (floor.waiting_total, floor.running_total);
                f.debug_tuple("Floor").field(&waiting).field(&running).finish()
            }
            Self::Colleagues { conversation_id, reading, typing } => f
                .debug_tuple("Colleagues")
                .field(conversation_id)
                .field(reading)
                .field(typing)
                .finish(),
        }
    }
}

impl fmt::Debug for VisitorCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisitorCard").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for StaffSendMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaffSendMessage")
            .field("conversation_id", &self.conversation_id)
            .field("text", &Hidden(&self.text))
            .finish()
    }
}

impl fmt::Debug for VisitorSendMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisitorSendMessage")
            .field("text", &Hidden(&self.text))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PageContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageContext").field("url", &Hidden(&self.url)).finish_non_exhaustive()
    }
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Preview").field(&Hidden(&self.text)).finish()
    }
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello")
            .field("version", &self.version)
            .field("resume", &self.resume)
            .finish_non_exhaustive()
    }
}

/// Shows a value by its id alone.
macro_rules! shown_by_id {
    ($($name:ident by $id:ident),* $(,)?) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.$id).finish()
            }
        })*
    };
}

shown_by_id! {
    Invite by conversation_id,
    StartConversation by visitor_id,
    AddNote by conversation_id,
    Note by id,
    Invitation by id,
    FloorWaiting by conversation_id,
    FloorRunning by conversation_id,
    RecentContact by conversation_id,
    DryRun by site_id,
}

impl fmt::Debug for LeaveMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LeaveMessage").field(&Hidden(&self.text)).finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::{Command as _, StaffCommand, VisitorCommand};

    #[test]
    fn what_people_wrote_and_what_lets_them_in_is_not_in_debug() {
        let secret = "SECRET";
        let shown = [
            format!(
                "{:?}",
                StaffCommand::decode("send_message", r#"{"conversation_id":"c","text":"SECRET"}"#)
            ),
            format!(
                "{:?}",
                StaffCommand::decode("hello", r#"{"version":1,"token":"SECRET","resume":null}"#)
            ),
            format!("{:?}", VisitorCommand::decode("preview", r#"{"text":"SECRET"}"#)),
            format!(
                "{:?}",
                VisitorCommand::decode(
                    "send_message",
                    r#"{"text":"SECRET","page":{"url":"SECRET","title":"SECRET"},"locale":"en"}"#
                )
            ),
        ];
        for text in shown {
            assert!(text.starts_with("Ok("), "{text}");
            assert!(!text.contains(secret), "{text}");
        }
    }
}
