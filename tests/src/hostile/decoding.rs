//! Doors that only read: what a relay reads from clients, what clients read from a relay, what the
//! desktop core reads from its window, and every text that has a form.
//!
//! What was read is used as its reader uses it: commands are written again, snapshots and events are
//! applied, and applying the same again must change nothing.

use serde::Serialize;
use serde::de::DeserializeOwned;
use yingke_client::address::ServerAddress;
use yingke_client::bridge::types::UiRequest;
use yingke_relay::sites::Domain;
use yingke_shared::commands::{Command, Envelope, StaffCommand, VisitorCommand};
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::events::{StaffEvent, VisitorEvent};
use yingke_shared::explanation::DryRun;
use yingke_shared::frame::{StaffFrame, Start, VisitorFrame};
use yingke_shared::ids::{AgentId, ClientId, Position, Seq};
use yingke_shared::replay::ReplayDay;
use yingke_shared::rest::{
    AddAgent, AddSite, Boot, ChangeAgent, ChangePassword, ChangeSite, EnterAsVisitor, ServedPage,
    SetAutoReplies, SignIn, SignedIn,
};
use yingke_shared::settings::SaveSettings;
use yingke_shared::snapshot::{StaffSnapshot, VisitorSnapshot};

use super::{Dose, Fate, Pour, Tally};
use crate::chance::Chance;

/// A client's frame as the relay reads it, on both sides.
#[must_use]
pub fn commands(dose: Dose) -> Tally {
    Pour::new("commands", "commands", dose).through(|input, _| {
        let Ok(text) = std::str::from_utf8(input) else { return Ok(Fate::Refused) };
        let Ok(envelope) = Envelope::decode(text) else { return Ok(Fate::Refused) };
        if ClientId::new(envelope.id.as_str()).as_ref() != Ok(&envelope.id) {
            return Err("an id came through that is none".to_owned());
        }
        let staff = command::<StaffCommand>(&envelope)?;
        let visitor = command::<VisitorCommand>(&envelope)?;
        Ok(Fate::taken(staff || visitor))
    })
}

/// Whether it is a command of this side; one that is, is the same when written and read again.
fn command<C: Command + Serialize + PartialEq>(envelope: &Envelope<'_>) -> Result<bool, String> {
    let read = match C::decode(&envelope.name, envelope.body.get()) {
        Ok(read) => read,
        Err(ErrorCode::BadBody | ErrorCode::UnknownCommand) => return Ok(false),
        Err(other) => return Err(format!("a frame that cannot be read is {other:?}")),
    };
    let written = serde_json::to_value(&read).map_err(|error| error.to_string())?;
    let body = written["body"].to_string();
    match C::decode(read.name(), &body) {
        Ok(again) if again == read => Ok(true),
        _ => Err(format!("written again it is another: {body}")),
    }
}

/// A relay's frame as its clients read it.
#[must_use]
pub fn staff_frames(dose: Dose) -> Tally {
    Pour::new("staff frames", "staff_frames", dose).through(|input, _| {
        let read = again::<StaffFrame>(input)?;
        if let Some(StaffFrame::Welcome(welcome)) = &read
            && let Start::Snapshot { snapshot, .. } = &welcome.start
        {
            let _ = serde_json::to_vec(snapshot).map_err(|error| error.to_string())?;
        }
        Ok(Fate::taken(read.is_some()))
    })
}

/// The same for visitors.
#[must_use]
pub fn visitor_frames(dose: Dose) -> Tally {
    Pour::new("visitor frames", "visitor_frames", dose)
        .through(|input, _| Ok(Fate::taken(again::<VisitorFrame>(input)?.is_some())))
}

/// What can be read can be written, and is then read as the same.
fn again<T: DeserializeOwned + Serialize + PartialEq>(input: &[u8]) -> Result<Option<T>, String> {
    let Ok(read) = serde_json::from_slice::<T>(input) else { return Ok(None) };
    let written =
        serde_json::to_vec(&read).map_err(|error| format!("it cannot be written: {error}"))?;
    match serde_json::from_slice::<T>(&written) {
        Ok(same) if same == read => Ok(Some(read)),
        _ => Err("written again it is another".to_owned()),
    }
}

#[derive(serde::Deserialize)]
struct Story<S, E> {
    snapshot: S,
    events: Vec<E>,
}

/// Snapshots and events of a hostile relay, applied.
#[must_use]
pub fn staff_stories(dose: Dose) -> Tally {
    Pour::new("staff stories", "staff_stories", dose).through(|input, _| {
        let Ok(mut story) = serde_json::from_slice::<Story<StaffSnapshot, StaffEvent>>(input)
        else {
            return Ok(Fate::Refused);
        };
        story.events.iter().for_each(|event| story.snapshot.apply(event));
        Ok(Fate::Taken)
    })
}

/// The same for visitors; messages stay in their order.
#[must_use]
pub fn visitor_stories(dose: Dose) -> Tally {
    Pour::new("visitor stories", "visitor_stories", dose).through(|input, _| {
        let Ok(mut story) = serde_json::from_slice::<Story<VisitorSnapshot, VisitorEvent>>(input)
        else {
            return Ok(Fate::Refused);
        };
        story.events.iter().for_each(|event| story.snapshot.apply(event));
        Ok(Fate::Taken)
    })
}

/// A request of the window, as both doors of the desktop read it.
#[must_use]
pub fn ui_requests(dose: Dose) -> Tally {
    Pour::new("ui requests", "ui", dose).through(|input, _| {
        // Tauri hands over a value, the local socket a text.
        let by_text = serde_json::from_slice::<UiRequest>(input).is_ok();
        let value = serde_json::from_slice::<serde_json::Value>(input);
        let by_value = value.is_ok_and(|value| serde_json::from_value::<UiRequest>(value).is_ok());
        Ok(Fate::taken(by_text || by_value))
    })
}

/// A method and a path of the relay's table.
pub(super) type Asked = (&'static str, &'static str);

/// Whether an input can be read as something.
type Reads = fn(&[u8]) -> bool;

/// Every route that takes a body, and how it is read.
const ASKED: [(Asked, Reads); 11] = [
    (("POST", "/api/sign-in"), reads::<SignIn>),
    (("POST", "/api/password"), reads::<ChangePassword>),
    (("PUT", "/api/me/auto-replies"), reads::<SetAutoReplies>),
    (("POST", "/api/agents"), reads::<AddAgent>),
    (("PATCH", "/api/agents/{id}"), reads::<ChangeAgent>),
    (("POST", "/api/sites"), reads::<AddSite>),
    (("PATCH", "/api/sites/{id}"), reads::<ChangeSite>),
    (("PUT", "/api/settings"), reads::<SaveSettings>),
    (("POST", "/api/routing/dry-run"), reads::<DryRun>),
    (("POST", "/api/routing/replay"), reads::<ReplayDay>),
    (("POST", "/w/{site}/visitor"), reads::<EnterAsVisitor>),
];

/// Answers that clients read.
const ANSWERED: [Reads; 4] =
    [reads::<SignedIn>, reads::<ServedPage>, reads::<Boot>, reads::<WireError>];

/// Routes that could read this body.
pub(super) fn routes_of(body: &[u8]) -> Vec<Asked> {
    let read_it = ASKED.iter().filter(|(_, reads)| reads(body));
    read_it.map(|(route, _)| *route).collect()
}

/// Some route could.
pub(super) fn is_asked(body: &[u8]) -> bool {
    ASKED.iter().any(|(_, reads)| reads(body))
}

/// Bodies of requests and answers over HTTP.
#[must_use]
pub fn bodies(dose: Dose) -> Tally {
    Pour::new("bodies", "bodies", dose).through(|input, _| {
        let is_answer = ANSWERED.iter().any(|reads| reads(input));
        let _ = reads::<serde_json::Value>(input);
        Ok(Fate::taken(is_asked(input) || is_answer))
    })
}

fn reads<T: DeserializeOwned>(input: &[u8]) -> bool {
    serde_json::from_slice::<T>(input).is_ok()
}

/// Texts with a form: origins, addresses, ids, numbers, names, tags.
#[must_use]
pub fn texts(dose: Dose) -> Tally {
    Pour::new("texts", "texts", dose).through(|input, chance| {
        let text = String::from_utf8_lossy(input);
        text_of_every_form(&text, chance)
    })
}

fn text_of_every_form(text: &str, chance: &mut Chance) -> Result<Fate, String> {
    let mut is_taken = false;
    if let Ok(domain) = Domain::parse(text) {
        is_taken = true;
        let again = Domain::parse(domain.as_str());
        if again.map(|again| again.as_str().to_owned()).ok().as_deref() != Some(domain.as_str()) {
            return Err(format!("the domain {:?} is another when read again", domain.as_str()));
        }
        let _ = domain.allows(text);
    }
    if let Ok(address) = ServerAddress::parse(text, chance.below(2) == 0) {
        is_taken = true;
        let _ = (address.staff_socket(), address.route("/api/me"), address.host_and_port());
        let slug = address.slug();
        if slug.is_empty() || slug.contains(['/', '\\', '\0']) {
            return Err(format!("{slug:?} is no name for a folder"));
        }
        if ServerAddress::parse(&address.as_text(), true).is_err() {
            return Err(format!("the address {:?} cannot be read again", address.as_text()));
        }
    }
    let _ = yingke_relay::text::name(text).is_ok();
    let _ = yingke_relay::text::may_be_message(text).is_ok();
    let _ = yingke_relay::text::page_url(text);
    let _ = yingke_relay::text::page_title(text);
    let _ = yingke_relay::text::locale(text);
    is_taken |= AgentId::new(text).is_ok();
    if let Ok(number) = text.parse::<u64>() {
        is_taken |= Seq::new(number).is_ok_and(|seq| seq.next().get() >= seq.get());
        is_taken |= Position::new(number).is_ok();
    }
    Ok(Fate::taken(is_taken))
}
