//! Frames of the staff socket to values and back: the only place of the client that knows the
//! encoding. Fields, events and signals of a later version are skipped, not refused.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use yingke_shared::commands::StaffCommand;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::events::StaffEvent;
use yingke_shared::frame::{Bye, Delivery, Outcome, StaffSignal, Welcome};
use yingke_shared::ids::ClientId;
use yingke_shared::snapshot::StaffSnapshot;

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
            "welcome" => Ok(Self::Welcome(Box::new(read(text)?))),
            "delivery" => delivery(text).map(Self::Delivery),
            "reply" => reply(text),
            "signal" => {
                let loose: LooseSignal<'_> = read(text)?;
                Ok(serde_json::from_str(loose.signal.get()).map_or(Self::Unknown, Self::Signal))
            }
            "bye" => {
                let bye: Result<Bye, _> = serde_json::from_str(text);
                Ok(Self::Bye(bye.map_or_else(|_| not_known(), |bye| bye.error)))
            }
            _ => Ok(Self::Unknown),
        }
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, BadFrame> {
    serde_json::from_str(text).map_err(|_| BadFrame)
}

fn delivery(text: &str) -> Result<Delivery<StaffEvent>, BadFrame> {
    let loose: Delivery<Box<RawValue>> = read(text)?;
    let mut events = Vec::with_capacity(loose.events.len());
    for event in &loose.events {
        match serde_json::from_str(event.get()) {
            Ok(event) => events.push(event),
            Err(_) => tracing::debug!("an event of a later version is skipped"),
        }
    }
    Ok(Delivery { after: loose.after, upto: loose.upto, events })
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
    fn what_is_no_frame_is_said_so() {
        for bad in ["", "[]", "{}", r#"{"type":"reply","id":"a"}"#, r#"{"type":"delivery"}"#] {
            assert!(Incoming::decode(bad).is_err(), "{bad}");
        }
    }
}
