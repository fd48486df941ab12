//! The golden samples, which TypeScript reads as well: what stands there must decode, encode to the
//! very same JSON, and, where it is a story, apply to its stated result. A change of the protocol
//! that this test does not notice is one a client in the field would.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use yingke_shared::commands::{Command, Envelope, StaffCommand, VisitorCommand};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::events::{StaffEvent, VisitorEvent};
use yingke_shared::frame::{StaffFrame, VisitorFrame};
use yingke_shared::snapshot::{StaffSnapshot, VisitorSnapshot};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every story of one side, by its file's name.
fn stories(prefix: &str) -> Vec<(String, Value)> {
    let mut found: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(prefix) && name.ends_with(".json")
        })
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), read(&path)))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(found.len() >= 3, "the samples of {prefix} are missing");
    found
}

/// Decodes, and checks that encoding gives the same JSON again.
fn round_trip<T: DeserializeOwned + Serialize>(what: &str, json: &Value) -> T {
    let value: T = serde_json::from_value(json.clone())
        .unwrap_or_else(|error| panic!("{what} does not decode: {error}\n{json:#}"));
    let again = serde_json::to_value(&value).unwrap();
    assert_eq!(again, *json, "{what} changes when it is encoded again");
    value
}

/// Tells a story: `events` applied to `snapshot` give `result`, and so they do when any stretch of
/// them comes a second time.
fn tell<S, E>(name: &str, story: &Value, apply: impl Fn(&mut S, &E))
where
    S: Clone + DeserializeOwned + Serialize + PartialEq + std::fmt::Debug,
    E: DeserializeOwned + Serialize,
{
    let keys: std::collections::BTreeSet<_> = story.as_object().unwrap().keys().cloned().collect();
    assert!(keys.iter().eq(["events", "result", "snapshot"]), "{name}: {keys:?}");
    let snapshot: S = round_trip(&format!("{name} snapshot"), &story["snapshot"]);
    let result: S = round_trip(&format!("{name} result"), &story["result"]);
    let events: Vec<E> = story["events"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(n, event)| round_trip(&format!("{name} event {n}"), event))
        .collect();
    let mut reached = snapshot;
    for upto in 0..=events.len() {
        for again in 0..=upto {
            let mut screen = reached.clone();
            events.iter().skip(again).for_each(|event| apply(&mut screen, event));
            assert_eq!(screen, result, "{name}: upto {upto}, again from {again}");
        }
        if let Some(next) = events.get(upto) {
            apply(&mut reached, next);
        }
    }
}

#[test]
fn visitor_stories_apply_to_their_results() {
    for (name, story) in stories("visitor_") {
        tell::<VisitorSnapshot, VisitorEvent>(&name, &story, VisitorSnapshot::apply);
    }
}

#[test]
fn staff_stories_apply_to_their_results() {
    for (name, story) in stories("staff_") {
        tell::<StaffSnapshot, StaffEvent>(&name, &story, StaffSnapshot::apply);
    }
}

/// All values of the keys that tell variants apart, wherever they stand.
fn variants(json: &Value, found: &mut BTreeSet<String>) {
    match json {
        Value::Array(all) => all.iter().for_each(|one| variants(one, found)),
        Value::Object(fields) => {
            for (key, value) in fields {
                if ["type", "kind", "mode"].contains(&key.as_str())
                    && let Some(name) = value.as_str()
                {
                    found.insert(name.to_owned());
                }
                variants(value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn frames_decode_and_encode_to_the_same() {
    let staff = read(&folder().join("frames_staff.json"));
    for (n, frame) in staff.as_array().unwrap().iter().enumerate() {
        round_trip::<StaffFrame>(&format!("staff frame {n}"), frame);
    }
    let visitor = read(&folder().join("frames_visitor.json"));
    for (n, frame) in visitor.as_array().unwrap().iter().enumerate() {
        round_trip::<VisitorFrame>(&format!("visitor frame {n}"), frame);
    }
    let mut found = BTreeSet::new();
    variants(&staff, &mut found);
    for name in [
        "welcome",
        "reply",
        "delivery",
        "signal",
        "bye",
        "resumed",
        "snapshot",
        "done",
        "accepted",
        "messages",
        "preview",
        "visitor_online",
        "conversation_gained",
        "conversation_withdrawn",
        "status_changed",
        "message_appended",
        "visitor_marked",
        "own_read",
        "own_card_changed",
        "colleague_changed",
        "site_changed",
        "waiting",
        "serving",
        "ended",
        "visitor",
        "agent",
        "system",
        "text",
        "notice",
        "agent_joined",
    ] {
        assert!(found.contains(name), "no sample of a staff frame has `{name}`");
    }
    found.clear();
    variants(&visitor, &mut found);
    for name in [
        "welcome",
        "reply",
        "delivery",
        "signal",
        "bye",
        "resumed",
        "snapshot",
        "done",
        "accepted",
        "history",
        "agent_typing",
        "conversation_started",
        "status_changed",
        "message_appended",
        "agent_marked",
        "own_marked",
        "agent_changed",
        "site_changed",
        "waiting",
        "serving",
        "ended",
        "me",
        "agent",
        "system",
        "text",
        "notice",
        "agent_joined",
    ] {
        assert!(found.contains(name), "no sample of a visitor frame has `{name}`");
    }
}

/// One side's commands: each decodes, is the same again, has every name, and is closed.
fn commands<C: Command + Serialize>(side: &str, names: &[&str]) {
    let all = read(&folder().join("commands.json"));
    let mut seen = BTreeSet::new();
    for sample in all[side].as_array().unwrap() {
        let frame = sample.to_string();
        let envelope = Envelope::decode(&frame).unwrap();
        let command = C::decode(&envelope.name, envelope.body.get())
            .unwrap_or_else(|code| panic!("{code:?}: {sample}"));
        assert_eq!(command.name(), envelope.name);
        seen.insert(envelope.name.to_string());
        let mut again = serde_json::to_value(&command).unwrap();
        again["id"] = envelope.id.as_str().into();
        assert_eq!(again, *sample);

        let mut opened = sample["body"].clone();
        opened["unknown_field"] = true.into();
        let refused = C::decode(&envelope.name, &opened.to_string()).err();
        assert_eq!(refused, Some(ErrorCode::BadBody), "an unknown field passed: {sample}");
        for field in sample["body"].as_object().unwrap().keys() {
            let mut wrong = sample["body"].clone();
            wrong[field] = serde_json::json!({"not": ["this"]});
            let refused = C::decode(&envelope.name, &wrong.to_string()).err();
            assert_eq!(refused, Some(ErrorCode::BadBody), "a malformed {field} passed: {sample}");
        }
    }
    assert_eq!(seen, names.iter().map(|name| (*name).to_owned()).collect(), "{side}");
}

#[test]
fn commands_decode_encode_to_the_same_and_are_closed() {
    commands::<StaffCommand>("staff", StaffCommand::NAMES);
    commands::<VisitorCommand>("visitor", VisitorCommand::NAMES);
}

#[test]
fn what_is_no_command_is_refused_by_its_code() {
    for frame in [
        "",
        "[]",
        "{}",
        "null",
        "{\"id\":\"k\",\"type\":\"mark\"}",
        "{\"id\":\"k\",\"type\":\"mark\",\"body\":{},\"more\":1}",
        "{\"id\":\"\",\"type\":\"mark\",\"body\":{}}",
        "{\"id\":\"a b\",\"type\":\"mark\",\"body\":{}}",
        "{\"id\":7,\"type\":\"mark\",\"body\":{}}",
    ] {
        assert_eq!(Envelope::decode(frame).err(), Some(ErrorCode::BadFrame), "{frame}");
    }
    let unknown = StaffCommand::decode("preview", "{\"text\":\"\"}").err();
    assert_eq!(unknown, Some(ErrorCode::UnknownCommand), "a visitor's command is none of staff");
    let large = "{\"conversation_id\":\"c1\",\"delivered\":9007199254740992,\"read\":0}";
    assert_eq!(StaffCommand::decode("mark", large).err(), Some(ErrorCode::BadBody));
}

/// A client of this version meets fields and event types of a later one.
#[test]
fn clients_ignore_fields_they_do_not_know() {
    let all = read(&folder().join("frames_visitor.json"));
    for frame in all.as_array().unwrap() {
        let mut later = frame.clone();
        later["added_later"] = true.into();
        let known: VisitorFrame = serde_json::from_value(later).unwrap();
        assert_eq!(serde_json::to_value(known).unwrap(), *frame);
    }
}
