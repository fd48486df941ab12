//! The desktop core between two who wish it ill: a relay whose frames, answers and pages are bent, and
//! a window whose requests are. The engine, the connection, the outbox and the SQL are the product's,
//! carried by hand; files outlive each client, so that what one of them stored is opened by the next.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use yingke_client::bridge::types::{Remember, UiRequest};
use yingke_client::by_hand::{ByHand, Computer, Happened, Wanted};
use yingke_client::host::{Host, SecretStore};
use yingke_shared::commands::{Command as _, Envelope, StaffCommand};
use yingke_shared::rest::{ServedPage, SignedIn};

use super::{Dose, Fate, Pour, Tally};
use crate::chance::Chance;

/// Inputs of one client; then the next one starts on the same computer.
const INPUTS: u32 = 60;
/// Clients of one computer.
const CLIENTS: u32 = 4;

struct Desk {
    now: AtomicU64,
    chance: Mutex<Chance>,
    folder: PathBuf,
}

impl Host for Desk {
    fn wall_ms(&self) -> u64 {
        1_800_000_000_000 + self.now.load(Ordering::Relaxed)
    }

    fn monotonic_ms(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    fn random(&self, bytes: &mut [u8]) {
        let mut chance = self.chance.lock().unwrap();
        bytes.fill_with(|| u8::try_from(chance.below(256)).unwrap());
    }

    fn secrets(&self) -> Option<Arc<dyn SecretStore>> {
        None
    }

    fn data_dir(&self) -> &Path {
        &self.folder
    }
}

/// A client and what it waits for.
struct Client {
    hand: ByHand,
    desk: Arc<Desk>,
    /// The socket it asked for last.
    dial: u64,
    welcome: String,
    served: Option<(u64, u64)>,
    requests: u64,
    /// Requests that were answered.
    answered: u64,
    /// Something it sent that no relay can read.
    unreadable: Option<String>,
}

/// See the module.
#[must_use]
pub fn desktop(dose: Dose) -> Tally {
    let welcome = super::corpus::inputs("staff_frames")
        .into_iter()
        .map(|frame| String::from_utf8_lossy(&frame).into_owned())
        .find(|frame| frame.contains("\"mode\":\"snapshot\""))
        .expect("a welcome with a snapshot among the samples");
    let mut client: Option<Client> = None;
    let mut computer = Computer::default();
    let mut left = 0_u32;
    Pour::new("desktop", "desktop", dose).through(move |input, chance| {
        if left.is_multiple_of(INPUTS) {
            client = None;
            if left == 0 {
                computer = Computer::default();
                left = INPUTS * CLIENTS;
            }
            client = Some(Client::start(&computer, chance.draw(), &welcome)?);
        }
        left -= 1;
        let Some(running) = &mut client else { return Ok(Fate::Refused) };
        // A client that panicked is not asked again.
        let take = std::panic::AssertUnwindSafe(|| running.take(input, chance));
        let outcome = std::panic::catch_unwind(take);
        if outcome.is_err() {
            left -= left % INPUTS;
        }
        outcome.unwrap_or_else(|_| Err("it panicked".to_owned()))
    })
}

impl Client {
    fn start(computer: &Computer, seed: u64, welcome: &str) -> Result<Self, String> {
        let desk = Arc::new(Desk {
            now: AtomicU64::new(1_000),
            chance: Mutex::new(Chance::new(seed)),
            folder: PathBuf::from("/nowhere"),
        });
        let (hand, wanted) = ByHand::start(Arc::clone(&desk) as Arc<dyn Host>, computer.clone());
        let welcome = welcome.to_owned();
        let mut client = Self {
            hand,
            desk,
            dial: 0,
            welcome,
            served: None,
            requests: 0,
            answered: 0,
            unreadable: None,
        };
        client.carry_out(wanted);
        client.ask(UiRequest::SignIn {
            server: "http://127.0.0.1:1".to_owned(),
            account: "ana".to_owned(),
            password: "a long enough secret".to_owned(),
            remember: Remember::Nothing,
            allow_plain_http: false,
        });
        if client.hand.held().is_none() {
            return Err("a good relay's welcome is not held".to_owned());
        }
        Ok(client)
    }

    /// Input is a case of the corpus: `{"heard": …}`, `{"asked": …}` or `{"served": …}`; what is none
    /// of them is a frame.
    fn take(&mut self, input: &[u8], chance: &mut Chance) -> Result<Fate, String> {
        self.desk.now.fetch_add(chance.below(3_000), Ordering::Relaxed);
        let case: Value = serde_json::from_slice(input).unwrap_or_default();
        let fate = if let Some(asked) = case.get("asked") {
            match serde_json::from_value::<UiRequest>(asked.clone()) {
                Ok(request) => {
                    let before = (self.requests, self.answered);
                    self.ask(request);
                    Fate::taken(self.answered > before.1)
                }
                Err(_) => Fate::Refused,
            }
        } else if let Some(served) = case.get("served") {
            match (serde_json::from_value::<ServedPage>(served.clone()), self.served.take()) {
                (Ok(page), Some((account, call))) => {
                    self.happened(Happened::Served { account, call, result: Ok(page) });
                    Fate::Taken
                }
                _ => Fate::Refused,
            }
        } else {
            let frame = case
                .get("heard")
                .map_or_else(|| String::from_utf8_lossy(input).into_owned(), Value::to_string);
            self.happened(Happened::Heard { dial: self.dial, frame });
            Fate::Taken
        };
        // Whatever it now waits for comes, and it is live again before the next one.
        if chance.below(4) == 0
            && let Some(due) = self.hand.deadline()
        {
            self.desk.now.fetch_max(due.min(u64::MAX / 4), Ordering::Relaxed);
            self.happened(Happened::Time);
        }
        if chance.below(40) == 0 {
            self.happened(Happened::Closed { dial: self.dial });
        }
        self.unreadable.take().map_or(Ok(fate), Err)
    }

    /// Reads what it sends as a relay does.
    fn read(&mut self, frame: &str) {
        let read = Envelope::decode(frame)
            .and_then(|envelope| StaffCommand::decode(&envelope.name, envelope.body.get()));
        if let Err(code) = read {
            self.unreadable = Some(format!("it sent what a relay answers {code:?}: {frame}"));
        }
    }

    fn ask(&mut self, request: UiRequest) {
        self.requests += 1;
        self.happened(Happened::Asked { request_id: self.requests, request });
    }

    fn happened(&mut self, happened: Happened) {
        let wanted = self.hand.happened(happened);
        self.carry_out(wanted);
    }

    fn carry_out(&mut self, wanted: Vec<Wanted>) {
        let mut all = std::collections::VecDeque::from(wanted);
        for _ in 0..400 {
            let Some(wanted) = all.pop_front() else {
                let (cache, outbox) = self.hand.has_file_work();
                match (cache, outbox) {
                    (true, _) => all.extend(self.hand.turn_cache()),
                    (_, true) => all.extend(self.hand.turn_outbox()),
                    _ => return,
                }
                continue;
            };
            match wanted {
                Wanted::Dial { dial } => {
                    self.dial = dial;
                    all.extend(self.hand.happened(Happened::Opened { dial }));
                }
                Wanted::Send { frame } if frame.contains("\"hello\"") => {
                    let frame = self.welcome.clone();
                    all.extend(self.hand.happened(Happened::Heard { dial: self.dial, frame }));
                }
                Wanted::SignIn { call, .. } => {
                    let own = serde_json::json!({"id": "ana", "account": "ana", "nickname": "Ana",
                        "role": "agent", "availability": "online", "capacity": 8,
                        "departments": [], "skills": [],
                        "auto_replies": {"ask_visitor": "", "warn_visitor": "", "explain_delay": ""}});
                    let signed_in: SignedIn =
                        serde_json::from_value(serde_json::json!({"token": "t", "own": own}))
                            .unwrap();
                    all.extend(
                        self.hand.happened(Happened::SignedIn { call, result: Ok(signed_in) }),
                    );
                }
                Wanted::LoadServed { account, call, .. } => self.served = Some((account, call)),
                Wanted::Push(push) => drop(serde_json::to_vec(&*push).unwrap()),
                Wanted::Reply { result, .. } => {
                    self.answered += 1;
                    drop(serde_json::to_vec(&*result).unwrap());
                }
                Wanted::Send { frame } => self.read(&frame),
                Wanted::HangUp | Wanted::SignOut { .. } => {}
            }
        }
    }
}
