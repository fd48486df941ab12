//! The door of the sockets, behind the WebSocket: frames go through the relay's real sessions, rooms
//! and SQL, on both sides, after a good hello and instead of one. A frame fails when anything panics,
//! when it is answered with `internal` or `storage_failed`, or when its session does not end; after
//! each setting an honest visitor must still be served.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use yingke_relay::live::{Io, Link, socket};
use yingke_shared::error_code::{ErrorCode, WireError};

use super::setting::{Setting, here, runtime};
use super::{Dose, Pour, Tally, panics};
use crate::chance::Chance;

/// Frames of one session; a bad one ends it earlier.
const FRAMES: usize = 12;
/// Sessions of one setting.
const SESSIONS: usize = 400;
/// Between two frames, by the setting's own time.
const PACE: Duration = Duration::from_millis(300);
/// A session that takes longer hangs.
const ENDS_WITHIN: Duration = Duration::from_secs(3_600);

/// What the peer says, and what it hears.
struct Peer {
    says: Arc<Mutex<VecDeque<String>>>,
    heard: Arc<Mutex<Vec<String>>>,
    started: bool,
}

impl Link for Peer {
    fn has_room(&self) -> bool {
        !self.started
    }

    fn start_text(&mut self, text: String) -> Result<(), ErrorCode> {
        self.heard.lock().unwrap().push(text);
        self.started = true;
        Ok(())
    }

    fn start_ping(&mut self) -> Result<(), ErrorCode> {
        self.started = true;
        Ok(())
    }

    async fn next(&mut self) -> Io {
        if std::mem::take(&mut self.started) {
            return Io::Written;
        }
        tokio::time::sleep(PACE).await;
        let next = self.says.lock().unwrap().pop_front();
        next.map_or(Io::Closing, |text| Io::Text(text.into()))
    }

    async fn say_bye(self, error: WireError) {
        self.heard.lock().unwrap().push(json!({"type": "bye", "error": error}).to_string());
    }

    async fn close_too(self) {}
}

/// See the module. Half of the dose for each side.
#[must_use]
pub fn sessions(dose: Dose) -> [Tally; 2] {
    panics::watch();
    let dose = Dose { inputs: dose.inputs / 2, ..dose };
    [("staff sessions", "staff_commands", true), ("visitor sessions", "visitor_commands", false)]
        .map(|(door, folder, is_staff)| {
            let mut pour = Pour::new(door, folder, dose);
            let mut round = 0;
            loop {
                round += 1;
                let setting = one_setting(&mut pour, dose.seed ^ round, is_staff);
                if runtime().block_on(setting) {
                    return pour.tally;
                }
            }
        })
}

async fn one_setting(pour: &mut Pour, seed: u64, is_staff: bool) -> bool {
    let setting = Setting::new(seed).await;
    let mut conversation = None;
    // What the session before did not come to, because it was ended.
    let mut inputs: VecDeque<Vec<u8>> = VecDeque::new();
    for number in 0..SESSIONS {
        pour.known.clone_from(&setting.known);
        pour.known.extend(std::iter::repeat_n(conversation.clone(), 6).flatten());
        while inputs.len() < FRAMES
            && let Some(input) = pour.next_input()
        {
            inputs.push_back(input);
        }
        if inputs.is_empty() {
            return true;
        }
        let mut chance = pour.beside();
        // The first of all is a visitor's, so that there is a conversation.
        let is_staff = is_staff && number > 0;
        let mut says = VecDeque::new();
        if number == 0 || chance.below(12) > 0 {
            // Mostly the agent who serves.
            let number = usize::try_from(chance.below(6).saturating_sub(3)).unwrap();
            says.push_back(hello(if is_staff { &setting.staff[number] } else { &setting.visitor }));
        }
        if number == 0 || (!is_staff && chance.below(3) == 0) {
            says.push_back(message(&format!("m{}", chance.draw())));
        }
        says.extend(inputs.iter().map(|input| text_of(input, &mut chance)));
        let outcome = session(&setting, is_staff, says).await;
        let over = outcome.left.min(inputs.len());
        let read = inputs.len() - over;
        // One at least is spent, or a session that ends at once would go on for ever.
        let spent: Vec<Vec<u8>> = inputs.drain(..read.max(1)).collect();
        match outcome.heard {
            Ok(heard) => {
                conversation = heard.iter().find_map(conversation_of).or(conversation);
                let taken = heard.iter().filter(|frame| !frame["ok"].is_null()).count();
                pour.tally.taken += taken as u64;
            }
            Err(why) => pour.count(&spent.join(&b'\n'), Err(why)),
        }
    }
    // Too few to matter: they are of inputs counted already.
    drop(inputs);
    if let Err(why) = honest(&setting).await {
        pour.count(b"", Err(why));
    }
    false
}

/// An input as a frame's text. What is no text ends below this door: see the wire's. Most have a name
/// of their own, or all but the first would be repeats.
pub(super) fn text_of(input: &[u8], chance: &mut Chance) -> String {
    let text = String::from_utf8_lossy(input).into_owned();
    if chance.below(6) == 0 {
        text
    } else {
        text.replacen("\"id\":\"k", &format!("\"id\":\"k{}-", chance.draw()), 1)
    }
}

/// How a session went.
struct Session {
    /// Frames it never came to read.
    left: usize,
    /// What it heard, if nothing went wrong.
    heard: Result<Vec<Value>, String>,
}

async fn session(setting: &Setting, is_staff: bool, says: VecDeque<String>) -> Session {
    let (says, heard) = (Arc::new(Mutex::new(says)), Arc::new(Mutex::new(Vec::new())));
    let peer = Peer { says: Arc::clone(&says), heard: Arc::clone(&heard), started: false };
    let app = Arc::clone(&setting.app);
    let running = if is_staff {
        tokio::spawn(socket::staff_session(app, here(), peer))
    } else {
        tokio::spawn(socket::visitor_session(app, here(), peer))
    };
    let ended = tokio::time::timeout(ENDS_WITHIN, running).await;
    let ended = match ended {
        Err(_) => Err("its session does not end".to_owned()),
        Ok(Err(error)) => Err(format!("its session ended by {error}")),
        Ok(Ok(())) => Ok(()),
    };
    let heard = panics::none().and(ended).and_then(|()| answers(&heard.lock().unwrap()));
    let left = says.lock().unwrap().len();
    Session { left, heard }
}

/// What was said, if it may be said.
fn answers(heard: &[String]) -> Result<Vec<Value>, String> {
    let frames = heard.iter().map(|frame| {
        let frame: Value =
            serde_json::from_str(frame).map_err(|error| format!("it was answered: {error}"))?;
        match frame["error"]["code"].as_str() {
            Some(code @ ("internal" | "storage_failed" | "busy")) => {
                Err(format!("it was answered {code}"))
            }
            _ => Ok(frame),
        }
    });
    frames.collect()
}

/// Somebody who does nothing wrong is served.
async fn honest(setting: &Setting) -> Result<(), String> {
    let says = [hello(&setting.visitor), message("honest")];
    let heard = session(setting, false, says.into()).await.heard?;
    let is_served = heard.iter().any(|frame| frame["id"] == "honest" && !frame["ok"].is_null());
    if is_served { Ok(()) } else { Err(format!("an honest visitor is not served: {heard:?}")) }
}

fn hello(token: &str) -> String {
    json!({"id": "h", "type": "hello", "body": {"version": 1, "token": token, "resume": null}})
        .to_string()
}

fn message(id: &str) -> String {
    let page = json!({"url": "https://shop.example/", "title": "Tea"});
    json!({"id": id, "type": "send_message", "body": {"text": "茶", "page": page, "locale": "zh-CN"}}).to_string()
}

fn conversation_of(frame: &Value) -> Option<String> {
    frame["ok"]["conversation_id"].as_str().map(str::to_owned)
}
