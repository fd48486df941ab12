//! Frames of the staff socket to values and back: the only place of the client that knows the
//! encoding. Fields, events and signals of a later version are skipped, not refused.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use yingke_shared::commands::StaffCommand;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::events::StaffEvent;
use yingke_shared::frame::{Bye, Delivery, Outcome, StaffSignal, Welcome};
use yingke_shared::ids::ClientId;
use yingke_shared::snapshot::StaffSnapshot;
use yingke_shared::views::{ConversationRecord, IncomingInvitation, ManagerAlert};

/// The events of this version; those of a later one are skipped.
const KNOWN_EVENTS: [&str; 18] = [
    "own_card_changed",
    "colleague_changed",
    "site_changed",
    "conversation_gained",
    "conversation_withdrawn",
    "status_changed",
    "message_appended",
    "visitor_marked",
    "own_read",
    "routed",
    "members_changed",
    "invitations_changed",
    "note_added",
    "invitation_offered",
    "invitation_closed",
    "managers_alerted",
    "alert_cleared",
    "company_changed",
];

/// A frame of the relay.
pub(super) enum Incoming {
    Welcome(Box<Welcome<StaffSnapshot>>),
    Reply {
        id: ClientId,
        result: Result<Outcome, WireError>,
    },
    Delivery(Delivery<StaffEvent>),
    Signal(StaffSignal),
    Bye(WireError),
    /// A delivery with an event this version knows, saying something it does not: what it changed
    /// can only be read from a snapshot.
    Unreadable,
    /// Something of a later version.
    Unknown,
}

/// Not a frame of this protocol.
#[derive(Debug, thiserror::Error)]
#[error("a frame of the relay cannot be read")]
pub(super) struct BadFrame;

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct LooseReply<'a> {
    id: ClientId,
    #[serde(borrow)]
    ok: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct LooseSignal<'a> {
    #[serde(borrow)]
    signal: &'a RawValue,
}

impl Incoming {
    pub(super) fn decode(text: &str) -> Result<Self, BadFrame> {
        let head: Head<'_> = read(text)?;
        match head.kind.as_ref() {
            "welcome" => welcome(text).map(|welcome| Self::Welcome(Box::new(welcome))),
            "delivery" => delivery(text),
            "reply" => reply(text),
            "signal" => {
                let loose: LooseSignal<'_> = read(text)?;
                Ok(serde_json::from_str(loose.signal.get()).map_or(Self::Unknown, Self::Signal))
            }
            "bye" => {
                let bye: Result<Bye, _> = serde_json::from_str(text);
                // Why is not known, so nothing is concluded from it: the link is made again.
                let unknown = WireError::new(ErrorCode::Unavailable);
                Ok(Self::Bye(bye.map_or(unknown, |bye| bye.error)))
            }
            _ => Ok(Self::Unknown),
        }
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, BadFrame> {
    serde_json::from_str(text).map_err(|_| BadFrame)
}

/// A conversation, invitation or alert of which a later version says something unknown is left out; the
/// rest is not.
fn welcome(text: &str) -> Result<Welcome<StaffSnapshot>, BadFrame> {
    if let Ok(welcome) = read(text) {
        return Ok(welcome);
    }
    let mut welcome: Value = read(text)?;
    leave_out_unknown::<ConversationRecord>(&mut welcome, "conversations");
    leave_out_unknown::<IncomingInvitation>(&mut welcome, "invitations");
    leave_out_unknown::<ManagerAlert>(&mut welcome, "alerts");
    serde_json::from_value(welcome).map_err(|_| BadFrame)
}

fn leave_out_unknown<T: for<'de> Deserialize<'de>>(welcome: &mut Value, what: &'static str) {
    let held = welcome.pointer_mut(&format!("/start/snapshot/{what}"));
    if let Some(held) = held.and_then(Value::as_object_mut) {
        held.retain(|id, value| {
            let is_known = T::deserialize(&*value).is_ok();
            if !is_known {
                tracing::warn!(what, id, "one of a later version is left out");
            }
            is_known
        });
    }
}

fn delivery(text: &str) -> Result<Incoming, BadFrame> {
    let loose: Delivery<Box<RawValue>> = read(text)?;
    let mut events = Vec::with_capacity(loose.events.len());
    for event in &loose.events {
        match serde_json::from_str(event.get()) {
            Ok(event) => events.push(event),
            Err(_) if KNOWN_EVENTS.contains(&read::<Head<'_>>(event.get())?.kind.as_ref()) => {
                return Ok(Incoming::Unreadable);
            }
            Err(_) => tracing::debug!("an event of a later version is skipped"),
        }
    }
    Ok(Incoming::Delivery(Delivery { after: loose.after, upto: loose.upto, events }))
}

fn reply(text: &str) -> Result<Incoming, BadFrame> {
    let loose: LooseReply<'_> = read(text)?;
    let result = match (loose.ok, loose.error) {
        (_, Some(error)) => Err(serde_json::from_str(error.get()).unwrap_or_else(|_| not_known())),
        (Some(ok), None) => Ok(serde_json::from_str(ok.get()).unwrap_or(Outcome::Done {})),
        (None, None) => return Err(BadFrame),
    };
    Ok(Incoming::Reply { id: loose.id, result })
}

/// A code of a later version: nothing that trying again would mend.
fn not_known() -> WireError {
    WireError::new(ErrorCode::UnsupportedVersion)
}

#[derive(Serialize)]
struct Outgoing<'a> {
    id: &'a ClientId,
    #[serde(flatten)]
    command: &'a StaffCommand,
}

/// A command as it goes over the wire.
pub(super) fn encode(id: &ClientId, command: &StaffCommand) -> String {
    // Plain structs with string keys: this cannot fail. An empty frame would be refused, not acted
    // on.
    serde_json::to_string(&Outgoing { id, command }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use yingke_shared::frame::Start;
    use yingke_shared::views::{Message, MessageContent};

    use super::*;

    #[test]
    fn later_versions_are_skipped_not_refused() {
        let delivery = r#"{"type":"delivery","after":1,"upto":3,"extra":true,"events":[
            {"position":2,"type":"comet_seen","tail":9},
            {"position":3,"type":"conversation_withdrawn","conversation_id":"c1"}]}"#;
        let Ok(Incoming::Delivery(delivery)) = Incoming::decode(delivery) else { panic!() };
        assert_eq!(delivery.events.len(), 1);
        for later in
            [r#"{"type":"signal","signal":{"kind":"comet"}}"#, r#"{"type":"comet","tail":9}"#]
        {
            assert!(matches!(Incoming::decode(later), Ok(Incoming::Unknown)), "{later}");
        }
        let reply = r#"{"type":"reply","id":"a","ok":{"kind":"comet"}}"#;
        let Ok(Incoming::Reply { result, .. }) = Incoming::decode(reply) else { panic!() };
        assert_eq!(result, Ok(Outcome::Done {}));
        let reply = r#"{"type":"reply","id":"a","error":{"code":"comet"}}"#;
        let Ok(Incoming::Reply { result, .. }) = Incoming::decode(reply) else { panic!() };
        assert_eq!(result.map_err(|error| error.code.can_retry()), Err(false));
    }

    #[test]
    fn something_unknown_in_a_known_event_is_not_passed_over() {
        for name in KNOWN_EVENTS {
            let event = serde_json::json!({ "type": name, "position": 2 });
            let error = serde_json::from_value::<StaffEvent>(event).unwrap_err().to_string();
            assert!(!error.contains("unknown variant"), "{name}: {error}");
            let delivery = format!(
                r#"{{"type":"delivery","after":1,"upto":2,"events":[{{"type":"{name}","position":2}}]}}"#
            );
            assert!(matches!(Incoming::decode(&delivery), Ok(Incoming::Unreadable)), "{name}");
        }
    }

    #[test]
    fn a_conversation_nobody_understands_does_not_keep_the_others_out() {
        let record = serde_json::to_value(crate::replica::tests::record("c1")).unwrap();
        let mut later = record.clone();
        later["status"] = serde_json::json!({ "kind": "in_orbit" });
        let welcome = serde_json::json!({
            "type": "welcome", "version": 1, "epoch": "e1", "now": 5,
            "start": { "mode": "snapshot", "position": 7, "snapshot": {
                "own": { "id": "ana", "account": "ana", "nickname": "Ana", "role": "agent",
                         "availability": "online", "capacity": 8, "departments": [],
                         "skills": [], "auto_replies": {} },
                "colleagues": {}, "sites": [], "has_more": false,
                "company": { "departments": [], "skills": [], "forced_replies": false,
                             "attention": { "warn_s": 60, "red_s": 180 } },
                "invitations": {},
                "alerts": { "c3": { "what": "comet_seen" } },
                "conversations": { "c1": record, "c2": later },
            } },
        });
        let Ok(Incoming::Welcome(welcome)) = Incoming::decode(&welcome.to_string()) else {
            panic!()
        };
        let Start::Snapshot { snapshot, .. } = welcome.start else { panic!() };
        let held: Vec<&str> = snapshot.conversations.keys().map(|id| id.as_str()).collect();
        assert_eq!(held, ["c1"]);
    }

    #[test]
    fn one_message_nobody_understands_does_not_keep_a_page_out() {
        let mut messages = [1, 2, 3]
            .map(|n| serde_json::to_value(crate::replica::tests::message(n, n, None)).unwrap());
        messages[1]["content"] = serde_json::json!({ "kind": "picture", "id": "p" });
        messages[2]["author"] = serde_json::json!({ "kind": "robot", "robot_id": "r" });
        let page = serde_json::json!({
            "conversation_id": "c1", "messages": messages, "notes": [], "has_earlier": false,
        });
        let reply = serde_json::json!({
            "type": "reply", "id": "a", "ok": { "kind": "messages", "page": page },
        });
        let Ok(Incoming::Reply { result: Ok(Outcome::Messages { page }), .. }) =
            Incoming::decode(&reply.to_string())
        else {
            panic!()
        };
        // Dense, so nothing asks for it again.
        let seqs: Vec<_> = page.messages.iter().map(|message| message.seq.get()).collect();
        assert_eq!(seqs, [1, 2, 3]);
        let unknown = |message: &&Message| message.content == MessageContent::Unknown;
        assert_eq!(page.messages.iter().filter(unknown).count(), 1);
        assert_eq!(page.messages[2].author, yingke_shared::views::Author::System);
    }

    #[test]
    fn a_goodbye_for_an_unknown_reason_ends_no_session() {
        let bye = r#"{"type":"bye","error":{"code":"comet"}}"#;
        let Ok(Incoming::Bye(error)) = Incoming::decode(bye) else { panic!() };
        assert_eq!(error.code, ErrorCode::Unavailable);
    }

    #[test]
    fn what_is_no_frame_is_said_so() {
        for bad in ["", "[]", "{}", r#"{"type":"reply","id":"a"}"#, r#"{"type":"delivery"}"#] {
            assert!(Incoming::decode(bad).is_err(), "{bad}");
        }
    }
}
