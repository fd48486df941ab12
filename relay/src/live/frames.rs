//! The relay's frames as text. An event's JSON is made once and shared; only the head of a delivery
//! is made for each reader.

use std::fmt::Write as _;

use axum::body::Bytes;
use serde::Serialize;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::frame::{Bye, Reply, Welcome};
use yingke_shared::ids::Position;

/// What a delivery has around its events, with the longest positions.
const DELIVERY_HEAD_BYTES: usize = 96;

/// What a usual event has as JSON, in bytes: more is one more step.
const USUAL_EVENT_BYTES: usize = 512;

/// Events of one delivery.
#[derive(Debug)]
pub(crate) struct Events {
    each: Vec<Bytes>,
    bytes: usize,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { each: Vec::new(), bytes: 0 }
    }

    /// Adds one event's JSON.
    pub(crate) fn add(&mut self, json: Bytes) {
        self.bytes += json.len() + 1;
        self.each.push(json);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes
    }
}

/// `{after, upto, events}`.
pub(crate) fn delivery(after: Position, upto: Position, events: &Events) -> String {
    let mut frame = String::with_capacity(DELIVERY_HEAD_BYTES + events.bytes);
    // Writing to a string cannot fail.
    let _ = write!(frame, r#"{{"type":"delivery","after":{after},"upto":{upto},"events":["#);
    let mut between = "";
    for json in &events.each {
        frame.push_str(between);
        frame.push_str(std::str::from_utf8(json).unwrap_or("null"));
        between = ",";
    }
    frame.push_str("]}");
    frame
}

/// One JSON value of the protocol as bytes to be shared.
pub(crate) fn shared<T: Serialize>(value: &T) -> Option<Bytes> {
    let mut bytes = Vec::with_capacity(USUAL_EVENT_BYTES);
    serde_json::to_writer(&mut bytes, value).map_err(|error| complain(&error)).ok()?;
    // What waits for a slow reader holds no more than it is.
    Some(Bytes::from(bytes.into_boxed_slice()))
}

/// The answer to a good hello.
pub(crate) fn welcome<S: Serialize>(welcome: &Welcome<S>) -> Option<String> {
    encoded(&Tagged { kind: "welcome", body: welcome })
}

/// The answer to a command.
pub(crate) fn reply(reply: &Reply) -> Option<String> {
    encoded(&Tagged { kind: "reply", body: reply })
}

/// The last word.
pub(crate) fn bye(error: WireError) -> String {
    encoded(&Tagged { kind: "bye", body: &Bye { error } }).unwrap_or_default()
}

/// A frame of either side whose body is the same on both.
#[derive(Serialize)]
struct Tagged<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

/// None of the protocol's types can fail to encode; if one ever does, it is said and left out.
fn encoded<T: Serialize>(value: &T) -> Option<String> {
    let mut frame = serde_json::to_string(value).map_err(|error| complain(&error)).ok()?;
    frame.shrink_to_fit();
    Some(frame)
}

fn complain(error: &serde_json::Error) {
    tracing::error!(%error, code = ?ErrorCode::Internal, "a frame could not be encoded");
}

#[cfg(test)]
mod tests {
    use yingke_shared::frame::{Delivery, StaffFrame, VisitorFrame};
    use yingke_shared::ids::ClientId;

    use super::*;

    #[test]
    fn frames_made_by_hand_are_those_of_the_protocol() {
        let (after, upto) = (Position::new(3).unwrap(), Position::new(9).unwrap());
        let text = delivery(after, upto, &Events::new());
        let read: VisitorFrame = serde_json::from_str(&text).unwrap();
        assert_eq!(read, VisitorFrame::Delivery(Delivery { after, upto, events: vec![] }));

        let id = ClientId::new("a").unwrap();
        let error = Some(WireError::new(ErrorCode::TooFast));
        let answer = Reply { id, ok: None, error };
        let read: StaffFrame = serde_json::from_str(&reply(&answer).unwrap()).unwrap();
        assert_eq!(read, StaffFrame::Reply(answer));

        let error = WireError { code: ErrorCode::Busy, retry_after_ms: Some(5) };
        let read: StaffFrame = serde_json::from_str(&bye(error)).unwrap();
        assert_eq!(read, StaffFrame::Bye(Bye { error }));
    }
}
