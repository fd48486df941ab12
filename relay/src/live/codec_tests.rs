//! Frames cut anywhere, in pieces, too large, wrong; what is written is read by another library.

use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameSocket};

use super::*;

const MAX: usize = 300;

/// A frame as a client writes it.
fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mask = [0x1d, 0x8a, 0x00, 0xff];
    let mut bytes = Vec::new();
    put(&mut bytes, first & KIND, body);
    let head = bytes.len() - body.len();
    bytes.truncate(head);
    bytes[0] = first;
    bytes[1] |= MASKED;
    bytes.extend_from_slice(&mask);
    bytes.extend(body.iter().zip(mask.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Everything `stream` says when it comes in portions of `portion` bytes.
fn heard(stream: &[u8], portion: usize) -> Vec<Heard> {
    let mut reader = Reader::new(MAX);
    let mut all = Vec::new();
    for some in stream.chunks(portion) {
        let mut next = reader.take(some);
        while let Some(heard) = next {
            let is_over = heard == Heard::Wrong;
            all.push(heard);
            if is_over {
                return all;
            }
            next = reader.next();
        }
    }
    all
}

fn text(said: &str) -> Heard {
    Heard::Text(said.to_owned())
}

#[test]
fn frames_cut_anywhere_say_the_same() {
    let long = "茶".repeat(100);
    let stream = [
        frame(LAST | TEXT, b"one"),
        frame(LAST | PING, b"there?"),
        frame(TEXT, "in \u{8336}".as_bytes().get(..4).unwrap()),
        frame(CONTINUED, "\u{8336}".as_bytes().get(1..2).unwrap()),
        frame(LAST | PONG, b""),
        frame(LAST | CONTINUED, "\u{8336} pieces".as_bytes().get(2..).unwrap()),
        frame(LAST | TEXT, long.as_bytes()),
        frame(LAST | TEXT, b""),
        frame(LAST | CLOSE, &[0x03, 0xe8, b'x']),
    ]
    .concat();
    let expected = [
        text("one"),
        Heard::Ping(b"there?".as_slice().into()),
        Heard::Pong,
        text("in 茶 pieces"),
        text(&long),
        text(""),
        Heard::Close(Some([0x03, 0xe8])),
    ];
    for portion in 1..=stream.len() {
        assert_eq!(heard(&stream, portion), expected, "in portions of {portion}");
    }
}

#[test]
fn what_is_no_text_or_too_large_is_said_and_passed_over() {
    let after = frame(LAST | TEXT, b"after");
    let in_pieces = [frame(TEXT, &[b'x'; 200]), frame(CONTINUED, &[b'x'; 101])].concat();
    for (stream, said) in [
        (frame(LAST | BINARY, b"x"), Heard::NotText),
        (frame(LAST | TEXT, &[0xc3, 0x28]), Heard::NotText),
        (frame(LAST | TEXT, &[b'x'; MAX + 1]), Heard::TooLarge),
        (frame(TEXT, &vec![b'x'; 100_000]), Heard::TooLarge),
        (in_pieces, Heard::TooLarge),
    ] {
        let stream = [stream, after.clone()].concat();
        for portion in [1, 2, 7, 150, stream.len()] {
            assert_eq!(heard(&stream, portion), [said.clone(), text("after")]);
        }
    }
    assert_eq!(heard(&frame(LAST | TEXT, &[b'x'; MAX]), 1), [text(&"x".repeat(MAX))]);
}

#[test]
fn nothing_follows_a_frame_that_may_not_come() {
    let mut unmasked = Vec::new();
    put_text(&mut unmasked, "x");
    let endless = [LAST | TEXT, MASKED | 127, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4];
    for stream in [
        unmasked,
        frame(LAST | CONTINUED, b"of nothing"),
        frame(PING, b"in pieces"),
        frame(LAST | 0x3, b"reserved"),
        frame(LAST | 0x40 | TEXT, b"extended"),
        frame(LAST | PING, &[b'x'; CONTROL_BYTES_MAX + 1]),
        frame(LAST | CLOSE, &[3]),
        [frame(TEXT, b"begun"), frame(LAST | TEXT, b"another")].concat(),
    ] {
        assert_eq!(heard(&stream, stream.len()), [Heard::Wrong]);
        assert_eq!(heard(&stream, 1), [Heard::Wrong]);
    }
    assert_eq!(heard(&endless, endless.len()), [Heard::TooLarge]);
}

#[test]
fn an_idle_reader_keeps_nothing() {
    let mut reader = Reader::new(MAX);
    let stream = [frame(LAST | TEXT, b"one"), frame(LAST | TEXT, b"two")].concat();
    assert_eq!(reader.take(&stream), Some(text("one")));
    assert_eq!((reader.next(), reader.next()), (Some(text("two")), None));
    assert_eq!(reader.pending.capacity(), 0);
}

#[test]
fn bytes_by_chance_end_in_something() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..2_000 {
        let stream: Vec<u8> = (0..64)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[3]
            })
            .collect();
        let whole = heard(&stream, stream.len());
        assert_eq!(heard(&stream, 1), whole);
    }
}

#[test]
fn another_library_reads_what_is_written() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
        let said = "x".repeat(length);
        let mut out = Vec::new();
        put_text(&mut out, &said);
        put_ping(&mut out);
        put_pong(&mut out, b"there?");
        put_close(&mut out, Some([0x03, 0xe8]));
        let mut peer = FrameSocket::new(std::io::Cursor::new(out));
        let mut next = || -> Frame { peer.read(None).unwrap().unwrap() };
        let first = next();
        assert_eq!(first.header().opcode, OpCode::Data(Data::Text));
        assert_eq!(first.payload(), said.as_bytes());
        assert_eq!(next().header().opcode, OpCode::Control(Control::Ping));
        assert_eq!(next().payload(), b"there?");
        let last = next();
        assert_eq!(last.header().opcode, OpCode::Control(Control::Close));
        assert_eq!(last.payload(), [0x03, 0xe8]);
    }
}
