//! Lies, to see that the laws notice them: something is not so at one of the world's seams (what the
//! relay's disk says, what a link carries, what somebody remembers), and a law must say it.
//!
//! Most are told once all agree, of the disk, beside the relay; those of links and people while
//! everything goes on. Each row says which law notices, by its words, and in which world that was first
//! seen. `tests/it/simulated.rs` tells all of them in each run.

use serde_json::{Value, json};

use super::run::{Outcome, Simulation, Who, run_with};
use super::wire::Said;

/// Something that is not so, and the words of the law that notices it.
#[derive(Debug)]
pub struct Lie {
    /// What is not so.
    pub name: &'static str,
    how: How,
    /// All of them are in one violation.
    words: &'static [&'static str],
    /// The first world from 0 on in which it is noticed.
    seed: u64,
}

#[derive(Debug, Clone, Copy)]
enum How {
    /// The disk says otherwise once all agree: SQL, for the laws of the end.
    End(&'static str),
    /// The same, for the laws of every look.
    Look(&'static str),
    /// Somebody remembers otherwise once all agree; whether there was something to remember.
    Memory(fn(&mut Simulation) -> bool),
    /// A link carries something else to these people; none: it is swallowed.
    Link(fn(&Simulation, Who) -> bool, fn(&Simulation, Value) -> Option<Value>, Times),
    /// Visitors do something else.
    Trick(Trick),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    Always,
}

/// What a visitor does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trick {
    /// Sends the newest first.
    NewestFirst,
    /// Offers nothing again to a relay whose history was replaced.
    NothingAgain,
}

/// So many worlds from [`Lie::seed`] on may pass before a lie counts as not noticed.
const WORLDS_MAX: u64 = 40;

impl Lie {
    /// The first world from the one it is known of in which it is noticed, if one of the next does.
    #[must_use]
    pub fn noticed(&'static self) -> Option<u64> {
        self.noticed_from(self.seed)
    }

    /// The same from any world on.
    #[must_use]
    pub fn noticed_from(&'static self, from: u64) -> Option<u64> {
        (from..from + WORLDS_MAX).find(|seed| self.is_noticed_in(&run_with(*seed, self)))
    }

    fn is_noticed_in(&self, outcome: &Outcome) -> bool {
        let said = |violation: &String| self.words.iter().all(|word| violation.contains(word));
        outcome.violations.iter().any(said)
    }

    pub(super) fn trick(&self) -> Option<Trick> {
        match self.how {
            How::Trick(trick) => Some(trick),
            _ => None,
        }
    }

    /// Told on the way of a frame, not in the end.
    fn is_of_the_way(&self) -> bool {
        matches!(self.how, How::Link(..) | How::Trick(_))
    }
}

impl Simulation {
    /// Tells a lie once all agree, if there is one of that kind; then the laws are asked at once.
    pub(super) fn lie_in_the_end(&mut self) -> bool {
        let Some(lie) = self.lie.filter(|lie| !lie.is_of_the_way()) else { return false };
        let (sql, looks) = match lie.how {
            How::End(sql) => (sql, false),
            How::Look(sql) => (sql, true),
            How::Memory(change) => {
                change(self);
                ("", false)
            }
            How::Link(..) | How::Trick(_) => return false,
        };
        self.place.memory.change(sql).unwrap();
        if looks {
            let differences = self.differences(true);
            self.violations.extend(differences);
        }
        self.final_law();
        true
    }

    /// Tells a lie about what the relay says to somebody.
    pub(super) fn lie_on_the_way(&mut self, who: Who, said: Said) -> Option<Said> {
        let Some(Lie { how: How::Link(to, change, times), .. }) = self.lie else {
            return Some(said);
        };
        if !to(self, who) || *times == Times::Once && self.lied {
            return Some(said);
        }
        let Said::Frame(text) = &said else { return Some(said) };
        let before: Value = serde_json::from_str(text).unwrap();
        let after = change(self, before.clone());
        if after.as_ref() == Some(&before) {
            return Some(said);
        }
        self.lied = true;
        after.map(|frame| Said::Frame(frame.to_string()))
    }
}

// --- to whom ---

fn staff(_: &Simulation, who: Who) -> bool {
    matches!(who, Who::Agent(_))
}

fn manager(of: &Simulation, who: Who) -> bool {
    of.manager.is_some_and(|manager| who == Who::Agent(manager))
}

fn visitors(_: &Simulation, who: Who) -> bool {
    matches!(who, Who::Visitor(_))
}

fn second_tabs(of: &Simulation, who: Who) -> bool {
    matches!(who, Who::Visitor(n) if of.visitors[n].tab_of.is_some())
}

// --- what ---

fn is_news(frame: &Value) -> bool {
    frame["type"] == "delivery" && frame["events"].as_array().is_some_and(|all| !all.is_empty())
}

fn swallowed(_: &Simulation, frame: Value) -> Option<Value> {
    (!is_news(&frame)).then_some(frame)
}

fn emptied(_: &Simulation, mut frame: Value) -> Option<Value> {
    if is_news(&frame) {
        frame["events"] = json!([]);
    }
    Some(frame)
}

fn elsewhere(_: &Simulation, mut frame: Value) -> Option<Value> {
    if frame["ok"]["kind"] == "accepted" {
        frame["ok"]["seq"] = json!(frame["ok"]["seq"].as_u64()? + 1);
    }
    Some(frame)
}

/// Only what was acknowledged before.
fn elsewhere_again(of: &Simulation, frame: Value) -> Option<Value> {
    let is_known = of.staff_acked.keys().any(|id| frame["id"] == id.as_str());
    if is_known { elsewhere(of, frame) } else { Some(frame) }
}

fn refused(_: &Simulation, mut frame: Value) -> Option<Value> {
    if frame["ok"]["kind"] == "accepted" {
        frame = json!({"type": "reply", "id": frame["id"], "error": {"code": "forbidden"}});
    }
    Some(frame)
}

fn unknown_token(_: &Simulation, mut frame: Value) -> Option<Value> {
    if frame["ok"]["kind"] == "accepted" {
        frame = json!({"type": "bye", "error": {"code": "unauthenticated"}});
    }
    Some(frame)
}

fn resumed_later(_: &Simulation, mut frame: Value) -> Option<Value> {
    if frame["start"]["mode"] == "resumed" {
        frame["start"]["position"] = json!(frame["start"]["position"].as_u64()? + 1);
    }
    Some(frame)
}

/// What is in the log is taken out of somebody's memory of what was sent.
fn taken_out(of: &mut Simulation) -> bool {
    let rows = of.stored();
    for agent in &mut of.agents {
        let id = agent.id.to_string();
        let mut sent = agent.queued.iter().map(|(_, client_id, _)| client_id);
        let there = sent.find(|client_id| rows.contains_key(&(id.clone(), (*client_id).clone())));
        if let Some(there) = there {
            agent.discarded.insert(there.clone());
            return true;
        }
    }
    false
}

/// An agent remembers to have written the other way round.
fn other_way_round(of: &mut Simulation) -> bool {
    of.agents.iter_mut().for_each(|agent| agent.queued.reverse());
    true
}

macro_rules! lies {
    ($($name:literal: $how:expr => $($word:literal)+, $seed:literal;)*) => {
        &[$(Lie { name: $name, how: $how, words: &[$($word),+], seed: $seed }),*]
    };
}

use How::{End, Link, Look, Memory};
use Times::{Always, Once};

/// All of them.
pub const LIES: &[Lie] = lies![
    // The law of acknowledgement.
    "what a visitor wrote is gone": End("DELETE FROM messages WHERE author = 'visitor'")
        => "visitor" "is lost", 0;
    "nothing is offered again to a restored relay": How::Trick(Trick::NothingAgain)
        => "visitor" "is lost", 30;
    "a visitor is told of another place": Link(visitors, elsewhere, Once)
        => "is elsewhere than acknowledged", 0;
    "a visitor is refused what is taken": Link(visitors, refused, Once)
        => "was refused and is there", 0;
    "a visitor's token is forgotten with an answer": Link(visitors, unknown_token, Once)
        => "is there as two visitors'", 0;
    "a visitor sends the newest first": How::Trick(Trick::NewestFirst)
        => "visitor" "stands before an earlier one", 0;
    "a message that nobody wrote":
        End("UPDATE messages SET client_id = client_id || 'x' WHERE author = 'visitor'")
        => "was never written", 0;
    "what was left is not marked": End("DELETE FROM leave_messages")
        => "was left and is not marked so", 0;
    "what was left is gone": End("DELETE FROM messages WHERE conversation_id IN
        (SELECT conversation_id FROM leave_messages)") => "was left and is lost", 0;
    "what an agent wrote is gone": End("DELETE FROM messages WHERE author = 'agent'")
        => "is not where it was acknowledged", 0;
    "an agent is told of another place": Link(staff, elsewhere, Once)
        => "is not where it was acknowledged", 0;
    "an agent is told two places": Link(staff, elsewhere_again, Once)
        => "was acknowledged twice, differently", 16;
    "what an agent took out is there": Memory(taken_out) => "was taken out and is there", 0;
    "an agent wrote the other way round": Memory(other_way_round)
        => "stands before an earlier one", 0;
    "an agent's message is elsewhere":
        End("UPDATE messages SET conversation_id = conversation_id || 'x' WHERE author = 'agent'")
        => "is in another conversation", 0;
    // Deliveries and the log.
    "a delivery is swallowed": Link(staff, swallowed, Once) => "Agent(" "delivery Some", 0;
    "a visitor's delivery is swallowed": Link(visitors, swallowed, Once)
        => "Visitor(" "delivery Some", 0;
    "a visitor is resumed too late": Link(visitors, resumed_later, Once) => "resumed at", 1;
    "the log has a hole": End("DELETE FROM events WHERE position = 3") => "holes: ", 0;
    "a conversation has a hole": End("DELETE FROM messages WHERE seq = 2") => "holes: ", 0;
    // Screens.
    "visitors are told nothing": Link(visitors, emptied, Always) => "visitor" " holds\n", 0;
    "second tabs are told nothing": Link(second_tabs, emptied, Always) => "another tab, holds\n", 0;
    "agents are told nothing": Link(staff, emptied, Always) => "agent " " holds\n", 0;
    "another name of the site": Look("UPDATE sites SET name = 'elsewhere'")
        => "visitor" " holds\n", 0;
    "another name of an agent": Look("UPDATE agents SET nickname = 'nobody'")
        => "agent " " holds\n", 0;
    "nothing was read": Look("DELETE FROM marks") => "recounted", 2;
    "other messages than on an agent's disk":
        Look("UPDATE messages SET client_id = client_id || 'x'") => "on disk", 0;
    "an agent's message is neither there nor marked":
        Look("DELETE FROM messages WHERE author = 'agent'") => "is neither sent nor marked", 0;
    // Who has what.
    "more than the capacity":
        End("UPDATE OR IGNORE conversations SET state = 'serving',
             agent_id = (SELECT min(id) FROM agents)") => " serves " "capacity", 0;
    "somebody waits beside a free place":
        Look("UPDATE conversations SET state = 'waiting', agent_id = NULL, tries = 0,
              waiting_reason = 'routing'
              WHERE state = 'serving'") => "waits beside", 0;
    "a member who serves, too":
        Look("UPDATE conversations SET members = '[\"' || agent_id || '\"]'
              WHERE state = 'serving'") => "serving: " "unannounced", 0;
    "who is away takes part": Look("UPDATE agents SET availability = 'away'")
        => "is gone and still has a part in it", 0;
    "an invitation is open for ever":
        Look("UPDATE invitations SET outcome = '', offered_until = made_at, made_at = 0")
        => "open since", 6;
    "an invitation of somebody without a part": Look("UPDATE invitations SET outcome = ''")
        => "has no part in", 6;
    "an invitation of who takes part": Look("UPDATE invitations SET outcome = '', offered_to =
        (SELECT c.agent_id FROM conversations c
         WHERE c.id = conversation_id AND c.state = 'serving')")
        => "asks who takes part already", 6;
    // Managers and notes.
    "a watching manager is told nothing": Link(manager, emptied, Always) => " watches\n", 10;
    "a conversation the manager does not see":
        Look("UPDATE OR IGNORE conversations SET state = 'waiting', agent_id = NULL,
              waiting_reason = 'routing'
              WHERE state = 'ended'") => "does not see", 0;
    "notes are gone": End("DELETE FROM notes") => "is there 0 times", 9;
    "a note that nobody wrote": End("UPDATE notes SET text = 'another'")
        => "the note" "was never written", 9;
    "other notes than on an agent's disk": Look("UPDATE notes SET text = 'another'")
        => "has notes", 9;
];
