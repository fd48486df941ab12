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
    says: VecDeque<String>,
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
        self.says.pop_front().map_or(Io::Closing, |text| Io::Text(text.into()))
    }

    async fn say_bye(self, error: WireError) {
        self.heard.lock().unwrap().push(json!({"type": "bye", "error": error}).to_string());
    }

    async fn close_too(self) {}
}

/// See the module.
#[must_use]
pub fn sessions(dose: Dose) -> Tally {
    panics::watch();
    let mut pour = Pour::new("sessions", "commands", dose);
    let mut round = 0;
    loop {
        round += 1;
        let is_over = runtime().block_on(one_setting(&mut pour, dose.seed ^ round));
        if is_over {
            return pour.tally;
        }
    }
}

async fn one_setting(pour: &mut Pour, seed: u64) -> bool {
    let setting = Setting::new(seed).await;
    let mut conversation = None;
    for number in 0..SESSIONS {
        pour.known.clone_from(&setting.known);
        pour.known.extend(conversation.clone());
        let mut chance = pour.beside();
        let is_staff = chance.below(2) == 0;
        let mut says = VecDeque::new();
        if number == 0 || chance.below(12) > 0 {
            let token = chance.one_of(setting.staff.as_slice());
            says.push_back(hello(if is_staff { token.as_str() } else { &setting.visitor }));
        }
        if number == 0 || (!is_staff && chance.below(3) == 0) {
            says.push_back(message(&format!("m{}", chance.draw())));
        }
        let mut inputs = Vec::new();
        while inputs.len() < FRAMES
            && let Some(input) = pour.next()
        {
            // What is no text ends below this door: see the wire's.
            says.push_back(String::from_utf8_lossy(&input).into_owned());
            inputs.push(input);
        }
        if inputs.is_empty() {
            return true;
        }
        let outcome = session(&setting, is_staff && number > 0, says).await;
        let all = inputs.join(&b'\n');
        match outcome {
            Ok(heard) => {
                conversation = heard.iter().find_map(conversation_of).or(conversation);
                let taken = heard.iter().filter(|frame| !frame["ok"].is_null()).count();
                pour.tally.taken += taken as u64;
            }
            Err(why) => pour.count(&all, Err(why)),
        }
    }
    if let Err(why) = honest(&setting).await {
        pour.count(b"", Err(why));
    }
    false
}

/// What a session heard, if nothing went wrong.
async fn session(
    setting: &Setting,
    is_staff: bool,
    says: VecDeque<String>,
) -> Result<Vec<Value>, String> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let peer = Peer { says, heard: Arc::clone(&heard), started: false };
    let app = Arc::clone(&setting.app);
    let running = if is_staff {
        tokio::spawn(socket::staff_session(app, here(), peer))
    } else {
        tokio::spawn(socket::visitor_session(app, here(), peer))
    };
    let ended = tokio::time::timeout(ENDS_WITHIN, running).await;
    panics::none()?;
    match ended {
        Err(_) => return Err("its session does not end".to_owned()),
        Ok(Err(error)) => return Err(format!("its session ended by {error}")),
        Ok(Ok(())) => {}
    }
    let heard = heard.lock().unwrap();
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
    let heard = session(setting, false, says.into()).await?;
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
