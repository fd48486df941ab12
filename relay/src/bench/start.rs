//! S8: from the start of the process to the first accepted socket, with many stored messages, and
//! what is in memory then.

use std::path::Path;

use super::child::Relay;
use super::client::{Side, welcome};
use super::error::{BenchError, During as _};
use super::ground::{Ground, TEXT, UNSUMMED};
use super::options::Dose;
use super::place::{Place, remove};
use super::report::{OfStart, Report};
use super::say;
use super::spread::Spread;
use crate::clock::{RealWorld, World as _};
use crate::store::{Bare, StoreError};
use crate::{conversations, events, params};

/// Messages of one conversation.
const OF_A_CONVERSATION: i64 = 10;
/// Conversations of one transaction.
const AT_ONCE: i64 = 1_000;
/// Starts beyond the rounds: one is over in a blink.
const MORE_ROUNDS: usize = 4;

/// See the module.
pub(super) async fn measure(
    place: &Place,
    dose: &Dose,
    report: &mut Report,
) -> Result<(), BenchError> {
    say(&format!("S8: storing {} messages", dose.stored));
    let folder = place.folder("start");
    let ground = Ground::of_pairs(&folder, 1).await?;
    let (filled, messages) = (folder.clone(), i64::from(dose.stored));
    let filling = tokio::task::spawn_blocking(move || fill(&filled, messages));
    filling.await.during("filling a database")??;
    let visitor = ground.visitors.first();
    let visitor = visitor.ok_or_else(|| BenchError::new("starting a relay", "no visitor"))?;
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    // The first start is not one of the rounds: it finds the files of another kind of writer.
    for round in 0..=dose.rounds + MORE_ROUNDS {
        let relay = Relay::start(&folder).await?;
        let accepted = welcome(relay.address, &Side::Visitor, &visitor.token, 0, None).await?;
        let took = relay.spawned.elapsed();
        if round > 0 {
            times.push(took.as_secs_f64() * 1e3);
            memory.extend(relay.resident_kib());
        }
        drop(accepted);
        relay.stop().await?;
    }
    let of = OfStart {
        stored: dose.stored,
        first_socket_ms: Spread::of(times),
        resident_kib: (!memory.is_empty()).then(|| Spread::of(memory)),
    };
    report.figures.s8 = Some(of.first_socket_ms.median);
    say(&of.line());
    report.raw.start = Some(of);
    remove(&folder);
    Ok(())
}

/// Many ended conversations, as if they had been: rows, numbers and log alike.
fn fill(folder: &Path, messages: i64) -> Result<(), BenchError> {
    let database = Bare::open(folder).during("opening a database")?;
    database.forget_syncs().during("filling a database")?;
    let position = database.look(events::END, &[]).during("reading the log's end")?;
    let mut position = position.unwrap_or(0);
    let mut left = messages;
    while left > 0 {
        let piece = || -> Result<(), StoreError> {
            database.begin()?;
            for _ in 0..AT_ONCE {
                if left <= 0 {
                    break;
                }
                conversation(&database, &mut position)?;
                left -= OF_A_CONVERSATION;
            }
            database.execute(events::MOVE_END, params![position])?;
            database.commit()
        };
        let mut piece = piece;
        piece().during("filling a database")?;
    }
    Ok(())
}

fn conversation(database: &Bare, position: &mut i64) -> Result<(), StoreError> {
    let (id, visitor, now) = (RealWorld.new_id(), RealWorld.new_id(), RealWorld.now());
    let no_body = "";
    let mut event = |kind: &str, seq: Option<i64>| {
        *position += 1;
        database.execute(events::INSERT, params![*position, now, kind, id, seq, no_body])?;
        Ok::<_, StoreError>(*position)
    };
    let started = event("conversation_started", None)?;
    for seq in 1..=OF_A_CONVERSATION {
        let client_id = RealWorld.new_id();
        let at = event("message_appended", Some(seq))?;
        database.execute(
            conversations::store::INSERT_MESSAGE,
            params![
                id, seq, visitor, client_id, "visitor", TEXT, false, now, seq, now, UNSUMMED, at
            ],
        )?;
    }
    database.execute(
        "INSERT INTO conversations (id, site_id, visitor_id, state, started_at, \
         started_position, ended_at, ended_by) VALUES (?, '', ?, 'ended', ?, ?, ?, 'visitor')",
        params![id, visitor, now, started, now],
    )
}
