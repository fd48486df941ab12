//! One session as a value: what a frame from the client means and what is due when. It has no clock
//! and no socket; times are milliseconds since the session began.

use yingke_shared::commands::{Command, Envelope};
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::ids::ClientId;
use yingke_shared::limits::{COMMANDS_IN_FLIGHT_MAX, FRAME_BYTES_MAX, HELLO_WITHIN_MS};

use crate::limits::{
    DEAD_AFTER_MS, OWN_STALL_MS, PING_EVERY_MS, QUIET_DELIVERY_MS, WRITE_STALL_MS,
};

/// What a frame is.
#[derive(Debug)]
pub(crate) enum Inbound<C> {
    /// Not a frame of this protocol, or too large: the session ends.
    Fatal(ErrorCode),
    /// A command that is not carried out.
    Refused(ClientId, WireError),
    /// A command.
    Command(ClientId, C),
}

/// Which rate a command counts against: the person's, on all sockets together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The first frame, and again when the client found a gap.
    Hello,
    /// A message.
    Message,
    /// A preview or a typing sign: answered only when refused.
    Ephemeral,
    /// Anything else that is answered.
    Other,
}

/// What is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing.
    Nothing,
    /// A ping.
    Ping,
    /// A ping and an empty delivery.
    PingAndDelivery,
    /// The end: the peer is dead, does not read, or never said hello.
    End(ErrorCode),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Machine {
    /// A hello was answered.
    welcomed: bool,
    /// When anything last came.
    heard_at_ms: u64,
    /// When the last ping left, or would have.
    pinged_at_ms: u64,
    /// When the reader's position last moved.
    delivered_at_ms: u64,
    /// Since when the socket takes no more.
    stalled_since_ms: Option<u64>,
    /// Commands whose answer was not yet handed to the socket.
    unanswered: usize,
}

impl Machine {
    /// A session that just began.
    pub(crate) fn new() -> Self {
        Self {
            welcomed: false,
            heard_at_ms: 0,
            pinged_at_ms: 0,
            delivered_at_ms: 0,
            stalled_since_ms: None,
            unanswered: 0,
        }
    }

    /// Something came from the peer, if only a pong.
    pub(crate) fn heard(&mut self, now_ms: u64) {
        self.heard_at_ms = now_ms;
    }

    /// Reads a text frame. `take` counts a command of this person, or says after how many milliseconds
    /// there is room; who said no hello yet is nobody.
    pub(crate) fn read<C: Command>(
        &mut self,
        frame: &str,
        class_of: impl Fn(&C) -> Class,
        take: impl FnOnce(Class) -> Result<(), u32>,
    ) -> Inbound<C> {
        if frame.len() > FRAME_BYTES_MAX {
            return Inbound::Fatal(ErrorCode::TooLarge);
        }
        let Ok(envelope) = Envelope::decode(frame) else {
            return Inbound::Fatal(ErrorCode::BadFrame);
        };
        let refused = |error| Inbound::Refused(envelope.id.clone(), error);
        let command = match C::decode(&envelope.name, envelope.body.get()) {
            Ok(command) => command,
            Err(code) if !self.welcomed => return Inbound::Fatal(code),
            Err(code) => {
                return match take(Class::Other) {
                    Ok(()) => refused(WireError::new(code)),
                    Err(wait) => refused(too_fast(wait)),
                };
            }
        };
        let class = class_of(&command);
        if !self.welcomed && class != Class::Hello {
            return Inbound::Fatal(ErrorCode::Unauthenticated);
        }
        // A hello is counted when it is known who says it.
        if class != Class::Hello
            && let Err(wait) = take(class)
        {
            return refused(too_fast(wait));
        }
        if matches!(class, Class::Message | Class::Other) {
            if self.unanswered >= COMMANDS_IN_FLIGHT_MAX {
                return refused(too_fast(1_000));
            }
            self.unanswered += 1;
        }
        Inbound::Command(envelope.id, command)
    }

    /// The welcome is on its way.
    pub(crate) fn welcomed(&mut self, now_ms: u64) {
        self.welcomed = true;
        self.delivered_at_ms = now_ms;
    }

    /// A command's answer was handed to the socket.
    pub(crate) fn answered(&mut self) {
        self.unanswered = self.unanswered.saturating_sub(1);
    }

    /// A delivery was handed to the socket.
    pub(crate) fn delivered(&mut self, now_ms: u64) {
        self.delivered_at_ms = now_ms;
    }

    /// The socket was given something that it has yet to take.
    pub(crate) fn writes(&mut self, now_ms: u64) {
        self.stalled_since_ms.get_or_insert(now_ms);
    }

    /// The socket took something, or everything. However much still waits behind it: the peer reads.
    pub(crate) fn written(&mut self) {
        self.stalled_since_ms = None;
    }

    /// When to ask [`Machine::due`] again.
    pub(crate) fn next_ms(&self) -> u64 {
        if !self.welcomed {
            return HELLO_WITHIN_MS;
        }
        // A peer that dies right after a ping is noticed when its time is over, not a ping later.
        (self.pinged_at_ms + PING_EVERY_MS).min(self.ends_at_ms())
    }

    /// When the peer counts as dead if nothing comes and nothing more can be written.
    fn ends_at_ms(&self) -> u64 {
        let silent_at = self.heard_at_ms + DEAD_AFTER_MS;
        let stalled_at = self.stalled_since_ms.map(|since| since + WRITE_STALL_MS);
        stalled_at.map_or(silent_at, |stalled_at| stalled_at.min(silent_at))
    }

    /// What is due at `now_ms`.
    pub(crate) fn due(&mut self, now_ms: u64) -> Due {
        if now_ms < self.next_ms() {
            return Due::Nothing;
        }
        if !self.welcomed {
            // Late is not wrong: a link that stalled must not cost anyone the session.
            return Due::End(ErrorCode::Unavailable);
        }
        if now_ms >= self.next_ms() + OWN_STALL_MS {
            // It was this process that stood still: what peers sent meanwhile is not yet read, and
            // all of them are not to be sent away for it.
            self.heard_at_ms = now_ms;
            self.stalled_since_ms = None;
        }
        if now_ms >= self.ends_at_ms() {
            return Due::End(ErrorCode::Unavailable);
        }
        self.pinged_at_ms = now_ms;
        if now_ms.saturating_sub(self.delivered_at_ms) >= QUIET_DELIVERY_MS {
            Due::PingAndDelivery
        } else {
            Due::Ping
        }
    }
}

/// Comes again, after so long.
pub(crate) fn too_fast(wait_ms: u32) -> WireError {
    WireError { code: ErrorCode::TooFast, retry_after_ms: Some(wait_ms) }
}

#[cfg(test)]
mod tests {
    use yingke_shared::commands::VisitorCommand;

    use super::*;

    fn class(command: &VisitorCommand) -> Class {
        match command {
            VisitorCommand::Hello(_) => Class::Hello,
            VisitorCommand::VisitorSendMessage(_) => Class::Message,
            VisitorCommand::Preview(_) => Class::Ephemeral,
            _ => Class::Other,
        }
    }

    fn read(machine: &mut Machine, frame: &str) -> String {
        match machine.read(frame, class, |_| Ok(())) {
            Inbound::Fatal(code) => format!("fatal {code:?}"),
            Inbound::Refused(id, error) => format!("{id} refused {:?}", error.code),
            Inbound::Command(id, command) => format!("{id} {}", command.name()),
        }
    }

    const HELLO: &str =
        r#"{"id":"h","type":"hello","body":{"version":1,"token":"t","resume":null}}"#;
    const END: &str = r#"{"id":"e","type":"end_conversation","body":{}}"#;

    fn welcomed() -> Machine {
        let mut machine = Machine::new();
        assert_eq!(read(&mut machine, HELLO), "h hello");
        machine.welcomed(0);
        machine
    }

    #[test]
    fn nothing_but_hello_comes_first() {
        let mut machine = Machine::new();
        assert_eq!(read(&mut machine, END), "fatal Unauthenticated");
        assert_eq!(read(&mut machine, r#"{"id":"x"}"#), "fatal BadFrame");
        assert_eq!(machine.due(9_999), Due::Nothing);
        assert_eq!(machine.due(10_000), Due::End(ErrorCode::Unavailable));
    }

    #[test]
    fn a_refusal_names_the_command() {
        let mut machine = welcomed();
        let check = |machine: &mut Machine, frame: &str, expected: &str| {
            assert_eq!(read(machine, frame), expected);
        };
        check(&mut machine, r#"{"id":"a","type":"fly","body":{}}"#, "a refused UnknownCommand");
        check(&mut machine, r#"{"id":"b","type":"preview","body":{}}"#, "b refused BadBody");
        let extra = r#"{"id":"c","type":"end_conversation","body":{"now":true}}"#;
        check(&mut machine, extra, "c refused BadBody");
        check(&mut machine, r#"{"id":"d","type":"preview","body":{},"x":1}"#, "fatal BadFrame");
        let large = format!(r#"{{"id":"e","type":"{}","body":{{}}}}"#, "x".repeat(70_000));
        check(&mut machine, &large, "fatal TooLarge");
    }

    #[test]
    fn whoever_is_too_fast_is_told_when_to_come_again() {
        let mut machine = welcomed();
        let counted = |class: Class| if class == Class::Other { Err(70) } else { Ok(()) };
        for frame in [END, r#"{"id":"a","type":"fly","body":{}}"#] {
            let inbound: Inbound<VisitorCommand> = machine.read(frame, class, counted);
            let Inbound::Refused(_, error) = inbound else { panic!("{inbound:?}") };
            assert_eq!((error.code, error.retry_after_ms), (ErrorCode::TooFast, Some(70)));
        }
    }

    #[test]
    fn only_so_many_commands_are_unanswered() {
        let mut machine = welcomed();
        for _ in 0..COMMANDS_IN_FLIGHT_MAX {
            assert_eq!(read(&mut machine, END), "e end_conversation");
        }
        assert_eq!(read(&mut machine, END), "e refused TooFast");
        machine.answered();
        assert_eq!(read(&mut machine, END), "e end_conversation");
    }

    #[test]
    fn pings_a_quiet_delivery_and_death() {
        let mut machine = welcomed();
        assert_eq!(machine.due(3_999), Due::Nothing);
        assert_eq!(machine.due(4_000), Due::Ping);
        machine.heard(4_001);
        assert_eq!(machine.due(8_000), Due::PingAndDelivery);
        machine.delivered(8_000);
        assert_eq!(machine.due(12_000), Due::Ping);
        assert_eq!(machine.next_ms(), 13_001);
        assert_eq!(machine.due(13_001), Due::End(ErrorCode::Unavailable));
    }

    #[test]
    fn a_relay_that_stood_still_sends_nobody_away() {
        let mut machine = welcomed();
        assert_eq!(machine.due(4_000), Due::Ping);
        machine.heard(4_010);
        // Stopped from 5 s to 65 s, a laptop's sleep or a paused machine; the peer never left.
        assert_eq!(machine.due(65_000), Due::PingAndDelivery);
        assert_eq!(machine.due(69_000), Due::PingAndDelivery);
        assert_eq!(machine.due(74_000), Due::End(ErrorCode::Unavailable));
    }

    #[test]
    fn a_peer_that_talks_and_does_not_read_ends() {
        let mut machine = welcomed();
        machine.writes(1_000);
        machine.writes(2_000);
        machine.heard(4_000);
        assert_eq!(machine.due(4_000), Due::Ping);
        machine.heard(8_000);
        assert_eq!(machine.due(8_000), Due::PingAndDelivery);
        machine.heard(11_000);
        assert_eq!(machine.next_ms(), 11_000);
        assert_eq!(machine.due(11_000), Due::End(ErrorCode::Unavailable));
    }

    #[test]
    fn a_peer_that_reads_slowly_lives() {
        let mut machine = welcomed();
        for second in 1..=30 {
            let now_ms = second * 1_000;
            machine.written();
            machine.writes(now_ms);
            machine.heard(now_ms);
            assert!(!matches!(machine.due(now_ms), Due::End(_)), "ended at {now_ms}");
        }
    }
}
