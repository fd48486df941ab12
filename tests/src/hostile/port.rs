//! The door of the network, answered: whole requests of everybody, one behind the other on one
//! connection, to every route with right and wrong methods; and frames on open sockets, behind each
//! bunch of which an honest command must be answered. What [`super::wire`] cannot say, because its bytes
//! are no requests, is said here: each answer is counted, none is a 5xx, no refusal is without a code,
//! and nothing hangs.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use yingke_relay::router::table;
use yingke_shared::commands::{Command, Envelope, StaffCommand, VisitorCommand};
use yingke_shared::error_code::{ErrorCode, WireError};

use super::bend::hostile_text;
use super::decoding::{is_asked, routes_of};
use super::sessions::text_of;
use super::wire::open;
use super::{Dose, Fate, Pour, Tally};
use crate::chance::Chance;

/// A limit for a hung one: whatever is asked here takes milliseconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// Requests on one connection.
const BUNCH: u64 = 24;
/// Frames before an honest one, at most: the first that is no frame at all ends the socket.
const FRAMES: u64 = 3;
/// Routes that hash a password: seldom.
const SELDOM: [&str; 3] = ["/api/sign-in", "/api/password", "/api/agents"];
/// Where a number is expected.
const NUMBERS: [&str; 9] =
    ["0", "1", "100", "101", "4294967295", "9007199254740991", "9007199254740992", "-1", ""];
/// Takes the asker's session away: for others' tokens.
const SIGN_OUT: &str = "/api/sign-out";

/// Who asks where.
#[derive(Debug, Clone)]
pub struct Place {
    /// The port.
    pub port: u16,
    /// Tokens of agents, a manager and an admin: of many, for each may ask only so much a second.
    pub staff: Vec<String>,
    /// Tokens of visitors.
    pub visitors: Vec<String>,
    /// Ids that mean something there, none of whom asks.
    pub known: Vec<String>,
    /// The site's.
    pub site: String,
}

// --- requests ---

/// One of a bunch.
struct Request {
    line: String,
    bytes: Vec<u8>,
    /// The input in it.
    body: Vec<u8>,
}

/// Requests of everybody, in bunches.
pub async fn requests(dose: Dose, place: &Place) -> Tally {
    let mut pour = Pour::new("requests at the port", "bodies", dose).mostly(is_asked);
    pour.known.clone_from(&place.known);
    let routes: Vec<(&'static str, &'static str)> = table()
        .iter()
        .flat_map(|route| route.methods.split(' ').map(|method| (method, route.path)))
        .collect();
    loop {
        let mut asked = Vec::new();
        let mut chance = pour.beside();
        for _ in 0..BUNCH {
            let Some(body) = pour.next_input() else { break };
            let mut chance = pour.beside();
            let (line, bytes) = request(&body, &routes, place, &mut chance);
            asked.push(Request { line, bytes, body });
        }
        if asked.is_empty() {
            return pour.tally;
        }
        let mut asked = &asked[..];
        while let Some(Request { body: first, .. }) = asked.first() {
            let bytes = asked.iter().flat_map(|request| request.bytes.iter().copied()).collect();
            let answers = timeout(ANSWER_WITHIN, exchange(place.port, bytes, &mut chance)).await;
            let Ok(Ok(answers)) = answers else {
                let why = format!("a bunch of requests was not answered: {answers:?}");
                pour.count(first, Err(why));
                break;
            };
            let answered = judge_all(&mut pour, &answers, asked);
            if answered == 0 {
                // The answer was lost with the link, on which the relay was still written to.
                pour.count(first, Ok(Fate::Refused));
            }
            // It hung up after an answer: the rest is for another connection.
            asked = &asked[answered.max(1)..];
        }
    }
}

/// Judges the answers in their order; gives how many there were.
fn judge_all(pour: &mut Pour, answers: &[u8], asked: &[Request]) -> usize {
    let mut rest = answers;
    for (number, Request { line, body, .. }) in asked.iter().enumerate() {
        let fate = match answer(&mut rest, line.starts_with("HEAD ")) {
            Ok(None) => return number,
            Ok(Some(answer)) => judged(&answer),
            Err(why) => Err(why),
        };
        let is_garbled = fate.is_err();
        pour.count(body, fate.map_err(|why| format!("{line}: {why}")));
        if is_garbled {
            return asked.len();
        }
    }
    asked.len()
}

/// A good head, whoever asks for whatever, and a body that is hostile enough.
fn request(
    body: &[u8],
    routes: &[(&'static str, &'static str)],
    place: &Place,
    chance: &mut Chance,
) -> (String, Vec<u8>) {
    let mut route = *chance.one_of(routes);
    let of_body = routes_of(body);
    if !of_body.is_empty() && chance.below(2) == 0 {
        route = *chance.one_of(&of_body);
    }
    if route.0 != "GET" && SELDOM.contains(&route.1) && chance.below(40) > 0 {
        route = ("GET", route.1);
    }
    let method = match chance.below(6) {
        0 => *chance.one_of(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]),
        _ => route.0,
    };
    let mut path = String::new();
    for part in route.1.split('/').skip(1) {
        path.push('/');
        match part {
            "{site}" if chance.below(4) > 0 => path.push_str(&place.site),
            _ if part.starts_with('{') => path.push_str(&named(place, chance)),
            _ => path.push_str(part),
        }
    }
    if chance.below(2) == 0 {
        let key = *chance.one_of(&["before", "after", "limit"]);
        let value = match chance.below(3) {
            0 => named(place, chance),
            _ => (*chance.one_of(&NUMBERS)).to_owned(),
        };
        path.push_str(&format!("?{key}={value}"));
    }
    // Of wrong methods too.
    let method = if SELDOM.contains(&route.1) && method != route.0 { "GET" } else { method };
    let bearer = match chance.below(6) {
        0 => None,
        1 => Some(chance.one_of(&place.visitors).clone()),
        2 => Some(escaped(&hostile_text(chance))),
        _ if route.1 == SIGN_OUT => Some(named(place, chance)),
        _ => Some(chance.one_of(&place.staff).clone()),
    };
    let line = format!("{method} {path}");
    let mut head = format!("{line} HTTP/1.1\r\nHost: chat.localhost:{}\r\n", place.port);
    if let Some(bearer) = bearer {
        head.push_str(&format!("Authorization: Bearer {bearer}\r\n"));
    }
    if chance.below(3) == 0 {
        let names =
            ["Origin", "Cookie", "Accept-Language", "Range", "If-None-Match", "X-Forwarded-For"];
        head.push_str(&format!(
            "{}: {}\r\n",
            chance.one_of(&names),
            escaped(&hostile_text(chance))
        ));
    }
    let carries = ["POST", "PUT", "PATCH"].contains(&method) || chance.below(12) == 0;
    let mut bytes = Vec::new();
    if !carries {
        head.push_str("\r\n");
        bytes.extend_from_slice(head.as_bytes());
    } else if chance.below(4) == 0 {
        head.push_str("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        bytes.extend_from_slice(head.as_bytes());
        let piece = usize::try_from(chance.between(1, 900)).unwrap();
        for part in body.chunks(piece) {
            bytes.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
            bytes.extend_from_slice(part);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
    } else {
        let kind = *chance.one_of(&["application/json", "application/json", "text/plain", ""]);
        head.push_str(&format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len()));
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(body);
    }
    (line, bytes)
}

fn named(place: &Place, chance: &mut Chance) -> String {
    match chance.below(3) {
        0 => chance.one_of(&place.known).clone(),
        1 => chance.below(300).to_string(),
        _ => escaped(&hostile_text(chance)),
    }
}

/// As it may stand in a head, and not longer than one takes.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().take(600).map(byte).collect()
}

/// Writes all of it while it reads what comes back, until the relay has nothing more to say.
async fn exchange(port: u16, bytes: Vec<u8>, chance: &mut Chance) -> Result<Vec<u8>, String> {
    let stream = open(port, chance).await.map_err(|error| error.to_string())?;
    let (mut from, mut to) = stream.into_split();
    let size = usize::try_from(chance.between(1, 60_000)).unwrap();
    let pieces: Vec<Vec<u8>> =
        bytes.chunks(size.max(bytes.len() / 40 + 1)).map(<[u8]>::to_vec).collect();
    let writing = async move {
        for piece in pieces {
            // It may have hung up already, which is an answer too.
            if to.write_all(&piece).await.is_err() {
                break;
            }
        }
        // Kept, so that only this direction ends.
        let _ = to.shutdown().await;
        to
    };
    let reading = async move {
        let mut answers = Vec::new();
        // A reset after the last answer is no other answer.
        let _ = from.read_to_end(&mut answers).await;
        answers
    };
    let (answers, _to) = tokio::join!(reading, writing);
    Ok(answers)
}

struct Answer {
    status: u16,
    body: Vec<u8>,
    is_head: bool,
}

/// The next answer, if there is one. The last may be cut: whoever hangs up on what was not read yet takes
/// back what the other side has not read yet.
fn answer(rest: &mut &[u8], is_head: bool) -> Result<Option<Answer>, String> {
    if rest.is_empty() {
        return Ok(None);
    }
    let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&rest[..end]).to_lowercase();
    *rest = &rest[end + 4..];
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status: u16 = status.ok_or_else(|| format!("no answer: {head:?}"))?;
    let header = |name: &str| {
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    };
    let mut body = Vec::new();
    if is_head || status == 204 || status == 304 {
        return Ok(Some(Answer { status, body, is_head: true }));
    }
    if let Some(length) = header("content-length") {
        let length: usize = length.parse().map_err(|_| format!("a length {length:?}"))?;
        let Some(whole) = rest.get(..length) else { return Ok(None) };
        body.extend_from_slice(whole);
        *rest = &rest[length..];
    } else if header("transfer-encoding").is_some() {
        loop {
            let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else {
                return Ok(None);
            };
            let size = String::from_utf8_lossy(&rest[..line]).into_owned();
            let size = usize::from_str_radix(size.trim(), 16);
            let size = size.map_err(|_| "a piece without a size".to_owned())?;
            *rest = &rest[line + 2..];
            let (Some(whole), Some(more)) = (rest.get(..size), rest.get(size + 2..)) else {
                return Ok(None);
            };
            body.extend_from_slice(whole);
            *rest = more;
            if size == 0 {
                break;
            }
        }
    }
    Ok(Some(Answer { status, body, is_head: false }))
}

fn judged(answer: &Answer) -> Result<Fate, String> {
    let shown: String = String::from_utf8_lossy(&answer.body).chars().take(200).collect();
    if answer.status >= 500 {
        return Err(format!("{} {shown:?}", answer.status));
    }
    let is_refusal = answer.status >= 400;
    if is_refusal && !answer.is_head && serde_json::from_slice::<WireError>(&answer.body).is_err() {
        return Err(format!("{} without a code: {shown:?}", answer.status));
    }
    Ok(Fate::taken(!is_refusal))
}

// --- frames ---

type Socket = WebSocketStream<TcpStream>;

/// Commands on sockets of everybody, each bunch with an honest one behind it. Most reach what lies behind
/// the reading of them: that has a door of its own.
pub async fn frames(dose: Dose, place: &Place) -> [Tally; 2] {
    let half = Dose { inputs: dose.inputs.div_ceil(2), ..dose };
    let staff = poured("staff's frames at the port", "staff_commands", half, place).await;
    [staff, poured("visitors' frames at the port", "visitor_commands", half, place).await]
}

async fn poured(door: &'static str, folder: &'static str, dose: Dose, place: &Place) -> Tally {
    let is_staff = folder == "staff_commands";
    let mut pour = Pour::new(door, folder, dose).mostly(if is_staff {
        is_command::<StaffCommand>
    } else {
        is_command::<VisitorCommand>
    });
    pour.known.clone_from(&place.known);
    let (path, tokens) =
        if is_staff { ("/ws/staff", &place.staff) } else { ("/ws/visitor", &place.visitors) };
    let mut kept: Vec<Option<Socket>> = tokens.iter().map(|_| None).collect();
    let mut number = 0_u64;
    loop {
        let mut chance = pour.beside();
        let count = chance.between(1, FRAMES);
        let bunch: Vec<Vec<u8>> = (0..count).map_while(|_| pour.next_input()).collect();
        let Some(first) = bunch.first() else { return pour.tally };
        let mut says: Vec<String> = bunch.iter().map(|input| text_of(input, &mut chance)).collect();
        number += 1;
        let id = format!("honest-{number}");
        says.push(honest(&id, is_staff));
        let who = usize::try_from(chance.below(tokens.len() as u64)).unwrap();
        let asking = async {
            let socket = match kept[who].take() {
                Some(socket) => socket,
                None => greeted(place.port, path, &tokens[who], &mut chance).await?,
            };
            asked(socket, &says, &id).await
        };
        let outcome = Box::pin(timeout(ANSWER_WITHIN, asking)).await;
        match outcome.unwrap_or_else(|_| Err("it hangs".to_owned())) {
            Ok(asked) => {
                kept[who] = asked.socket;
                for (at, input) in bunch.iter().enumerate() {
                    pour.count(input, Ok(Fate::taken(at < asked.carried_out)));
                }
            }
            Err(why) => pour.count(first, Err(format!("{why}, behind {says:?}"))),
        }
    }
}

/// Whether an open socket's command is read and carried out, as far as its form says.
fn is_command<C: Command>(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let Ok(envelope) = Envelope::decode(text) else { return false };
    envelope.name != "hello" && C::decode(&envelope.name, envelope.body.get()).is_ok()
}

fn honest(id: &str, is_staff: bool) -> String {
    let (name, body) = if is_staff {
        ("watch_floor", json!({"on": false}))
    } else {
        ("load_history", json!({"before": null, "limit": 1}))
    };
    json!({"id": id, "type": name, "body": body}).to_string()
}

async fn greeted(
    port: u16,
    path: &str,
    token: &str,
    chance: &mut Chance,
) -> Result<Socket, String> {
    let stream = open(port, chance).await.map_err(|error| error.to_string())?;
    let url = format!("ws://127.0.0.1:{port}{path}");
    let upgraded = tokio_tungstenite::client_async(url, stream).await;
    let (mut socket, _) = upgraded.map_err(|error| error.to_string())?;
    let hello = json!({"id": "h", "type": "hello",
        "body": {"version": 1, "token": token, "resume": null}});
    let said = socket.send(Message::text(hello.to_string())).await;
    said.map_err(|error| error.to_string())?;
    Ok(socket)
}

/// What became of a bunch.
struct Asked {
    /// If the relay still speaks to it.
    socket: Option<Socket>,
    /// Commands before the last that were carried out.
    carried_out: usize,
}

/// Sends them; the last must be answered, unless the relay says goodbye with its reason.
async fn asked(mut socket: Socket, says: &[String], last: &str) -> Result<Asked, String> {
    for text in says {
        // It may have said goodbye already: that is read below.
        let _ = socket.feed(Message::text(text.clone())).await;
    }
    let _ = socket.flush().await;
    let mut carried_out = 0;
    loop {
        let text = match socket.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_))) => return Err("it was closed without a goodbye".to_owned()),
            // What it said last may be lost with a link on which it was still written to.
            Some(Err(_)) | None => return Ok(Asked { socket: None, carried_out }),
            Some(Ok(_)) => continue,
        };
        let said: Value = serde_json::from_str(&text).map_err(|why| why.to_string())?;
        let error = (!said["error"].is_null())
            .then(|| serde_json::from_value::<WireError>(said["error"].clone()));
        match (said["type"].as_str(), error) {
            (_, Some(Err(_))) | (Some("bye"), None) => {
                return Err(format!("a refusal without a code: {said}"));
            }
            (_, Some(Ok(error)))
                if matches!(error.code, ErrorCode::Internal | ErrorCode::StorageFailed) =>
            {
                return Err(format!("it was answered {said}"));
            }
            (Some("bye"), _) => return Ok(Asked { socket: None, carried_out }),
            (Some("reply"), _) if said["id"] == last => {
                return Ok(Asked { socket: Some(socket), carried_out });
            }
            (Some("reply"), None) => carried_out += 1,
            _ => {}
        }
    }
}
