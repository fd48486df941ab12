//! The door of the network: raw bytes to a port. Half of them are heads of HTTP, bent; the other half
//! are good heads that open a WebSocket, and then frames that no good library would send: cut into
//! fragments, with wrong lengths, opcodes, masks and bits, text that is none, closes with every code.
//!
//! All that can be seen from here is what comes back; what the process thought of it is its log's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::bend::{bend_bytes, hostile_text};
use super::{Dose, Fate, Pour, Tally};
use crate::chance::Chance;

/// Connections at once.
const AT_ONCE: usize = 48;
/// Whatever has not come by now was not going to: the next input.
const ANSWER_WITHIN: Duration = Duration::from_millis(700);
/// More than any answer of the product that is asked for here.
const ANSWER_BYTES_MAX: usize = 2 << 20;

/// Where the bytes go, and what a good head needs there.
#[derive(Debug, Clone)]
pub struct Target {
    /// The port.
    pub port: u16,
    /// Sockets: their path, and the frame that opens them.
    pub sockets: Vec<(String, String)>,
    /// Paths that mean something.
    pub paths: Vec<String>,
    /// Headers that a good request has, each with its end of line.
    pub headers: String,
}

/// See the module.
pub async fn wire(door: &'static str, folder: &'static str, dose: Dose, target: &Target) -> Tally {
    let mut pour = Pour::new(door, folder, dose);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut under_way: JoinSet<(Vec<u8>, Result<Fate, String>)> = JoinSet::new();
    while let Some(input) = pour.next_input() {
        let mut chance = pour.beside();
        let (bytes, expects_frames) = bytes_of(&input, target, &mut chance);
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        while let Some(Ok((said, fate))) = under_way.try_join_next() {
            pour.count(&said, fate);
        }
        let port = target.port;
        under_way.spawn(async move {
            let fate = Box::pin(send(port, &bytes, expects_frames, &mut chance)).await;
            drop(place);
            (input, fate)
        });
    }
    while let Some(Ok((said, fate))) = under_way.join_next().await {
        pour.count(&said, fate);
    }
    pour.tally
}

/// What is written to the port for an input: a text of the folder, which is a frame here and a body
/// there.
fn bytes_of(input: &[u8], target: &Target, chance: &mut Chance) -> (Vec<u8>, bool) {
    if chance.below(2) == 0 && !target.sockets.is_empty() {
        let (path, hello) = chance.one_of(&target.sockets).clone();
        let mut bytes = socket_head(&path, &target.headers, chance);
        if chance.below(6) > 0 {
            bytes.extend(frame(0x81, hello.as_bytes(), None, chance));
        }
        for _ in 0..=chance.below(4) {
            bytes.extend(hostile_frame(input, chance));
        }
        return (bytes, true);
    }
    let path = if chance.below(6) == 0 {
        format!("/{}", hostile_text(chance))
    } else {
        chance.one_of(&target.paths).clone()
    };
    let method = *chance.one_of(&[
        "GET", "GET", "POST", "POST", "PATCH", "HEAD", "OPTIONS", "CONNECT", "PRI", "get",
    ]);
    let mut head = format!("{method} {path} HTTP/1.1\r\n{}", target.headers);
    match chance.below(6) {
        0 => head.push_str("Transfer-Encoding: chunked\r\n"),
        1 => head.push_str(&format!(
            "Content-Length: {}\r\n",
            chance.one_of(&["-1", "99999999999999999999", "1, 2", "", "0x1", "65537"])
        )),
        2 => head.push_str(&format!(
            "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n",
            input.len()
        )),
        _ => head.push_str(&format!("Content-Length: {}\r\n", input.len())),
    }
    for _ in 0..chance.below(3) {
        head.push_str(&format!("{}: {}\r\n", hostile_text(chance), hostile_text(chance)));
    }
    if chance.below(60) == 0 {
        head.push_str(&"X-A: b\r\n".repeat(2_000));
    }
    let mut bytes = head.into_bytes();
    if chance.below(3) == 0 {
        bend_bytes(&mut bytes, chance);
    }
    bytes.extend_from_slice(b"\r\n");
    if chance.below(5) == 0 {
        let size = *chance.one_of(&[
            "5",
            "ffffffffffffffff",
            "-1",
            "5;a=\"b",
            "zz",
            "00000000000000000005",
        ]);
        bytes.extend_from_slice(format!("{size}\r\n").as_bytes());
    }
    bytes.extend_from_slice(input);
    (bytes, false)
}

fn socket_head(path: &str, headers: &str, chance: &mut Chance) -> Vec<u8> {
    let extensions = match chance.below(4) {
        0 => "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99\r\n",
        1 => "Sec-WebSocket-Protocol: a, b\r\n",
        _ => "",
    };
    let mut head = format!(
        "GET {path} HTTP/1.1\r\n{headers}Connection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extensions}"
    )
    .into_bytes();
    if chance.below(12) == 0 {
        bend_bytes(&mut head, chance);
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// A frame of any kind around this text.
fn hostile_frame(input: &[u8], chance: &mut Chance) -> Vec<u8> {
    match chance.below(14) {
        // Text as it is: what is in it is hostile enough.
        0..=3 => frame(0x81, input, None, chance),
        // In fragments, sometimes with a ping or a new beginning between.
        4 | 5 => {
            let mut bytes = Vec::new();
            let piece = usize::try_from(chance.between(1, 40)).unwrap();
            for (at, part) in input.chunks(piece).take(60).enumerate() {
                bytes.extend(frame(if at == 0 { 0x01 } else { 0x00 }, part, None, chance));
                if chance.below(10) == 0 {
                    let between = *chance.one_of(&[0x89, 0x8a, 0x81, 0x09]);
                    bytes.extend(frame(between, b"x", None, chance));
                }
            }
            if chance.below(4) > 0 {
                bytes.extend(frame(0x80, b"", None, chance));
            }
            bytes
        }
        // A length that is not the payload's.
        6 | 7 => {
            let length = *chance.one_of(&[
                0,
                1,
                125,
                126,
                65_535,
                65_536,
                65_537,
                1 << 31,
                1 << 62,
                u64::MAX,
            ]);
            frame(0x81, input, Some(length), chance)
        }
        // Closing for every reason, with every text.
        8 => {
            let code = u16::try_from(chance.below(65_536)).unwrap();
            let code = *chance
                .one_of(&[0, 999, 1_000, 1_004, 1_005, 1_006, 1_015, 2_999, 3_000, 5_000, code]);
            let mut body = code.to_be_bytes().to_vec();
            body.extend_from_slice(chance.one_of::<&[u8]>(&[
                b"",
                b"bye",
                b"\xff\xfe",
                &[b'a'; 124],
            ]));
            body.truncate(usize::try_from(chance.below(130)).unwrap());
            frame(0x88, &body, None, chance)
        }
        // Control frames that are too long, or not whole.
        9 => {
            let body = vec![0; usize::try_from(chance.below(300)).unwrap()];
            frame(*chance.one_of(&[0x89, 0x8a, 0x88, 0x09, 0x0a]), &body, None, chance)
        }
        // Any first byte: reserved bits and opcodes, compression nobody agreed on.
        10..=12 => frame(u8::try_from(chance.below(256)).unwrap(), input, None, chance),
        _ => {
            let mut bytes = frame(0x81, input, None, chance);
            bend_bytes(&mut bytes, chance);
            bytes
        }
    }
}

fn frame(first: u8, payload: &[u8], declared: Option<u64>, chance: &mut Chance) -> Vec<u8> {
    let length = declared.unwrap_or(payload.len() as u64);
    let masked = chance.below(15) > 0;
    let bit = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match u8::try_from(length) {
        Ok(short) if short < 126 => bytes.push(bit | short),
        _ if length <= 65_535 && chance.below(20) > 0 => {
            bytes.push(bit | 126);
            bytes.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            bytes.push(bit | 127);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
    }
    if !masked {
        bytes.extend_from_slice(payload);
        return bytes;
    }
    let mask = u32::try_from(chance.below(1 << 32)).unwrap().to_be_bytes();
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Writes the bytes in some pieces, closes the way there, and reads what comes back.
async fn send(
    port: u16,
    bytes: &[u8],
    is_socket: bool,
    chance: &mut Chance,
) -> Result<Fate, String> {
    let mut stream =
        open(port, chance).await.map_err(|error| format!("it cannot be reached: {error}"))?;
    let pieces = chance.between(1, 4);
    let size = bytes.len() / usize::try_from(pieces).unwrap() + 1;
    for piece in bytes.chunks(size) {
        // It may have hung up already, which is an answer too.
        if stream.write_all(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    if !is_socket || chance.below(2) == 0 {
        let _ = stream.shutdown().await;
    }
    let mut answer = Vec::new();
    let reading = async {
        let mut part = [0; 16 * 1024];
        while answer.len() < ANSWER_BYTES_MAX {
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => return,
                Ok(read) => answer.extend_from_slice(&part[..read]),
            }
        }
    };
    // A socket that was left open waits for more, as it should: the relay's own limits end it.
    let _ = Box::pin(timeout(ANSWER_WITHIN, reading)).await;
    if answer.starts_with(b"HTTP/1.1 5") && !answer.starts_with(b"HTTP/1.1 505") {
        let shown: String = String::from_utf8_lossy(&answer).chars().take(200).collect();
        return Err(format!("it was answered {shown:?}"));
    }
    Ok(Fate::taken(answer.starts_with(b"HTTP/1.1 2") || answer.starts_with(b"HTTP/1.1 101")))
}

/// From one of this computer's many addresses, so that limits for each of them are not what is met.
pub(super) async fn open(port: u16, chance: &mut Chance) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let from = [
        127,
        0,
        u8::try_from(chance.below(200)).unwrap_or(0),
        u8::try_from(chance.between(1, 250)).unwrap_or(1),
    ];
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await
}
