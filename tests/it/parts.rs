//! A part of the relay that meets a bug is noticed: whichever of its tasks or threads panics, the
//! process ends with a word and a code of its own, so that a supervisor starts it again; nobody was
//! told anything wrong, and what was acknowledged is there.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use yingke_tests::judge::{Fate, Sent, judge};
use yingke_tests::link::new_id;
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::scene::Scene;
use crate::witnesses;

/// EX_SOFTWARE of sysexits: what the process ends with when it is its own fault.
const EXIT_BUG: i32 = 70;

/// Comes, writes and looks until the relay is gone; gives what was sent. Whoever is answered is
/// answered well.
async fn live_until_gone(scene: &Scene, vera: &mut TestVisitor) -> Result<Vec<Sent>> {
    let mut own = Vec::new();
    let end = tokio::time::Instant::now() + wait::LIMIT;
    if vera.connect().await.is_err() {
        return Ok(own);
    }
    // Something to be fanned out that is no message.
    let _ = scene.agent("Ana", 8).await;
    loop {
        let (client_id, text) = (new_id(), format!("Vera's number {}", own.len()));
        let (fate, is_gone) = match vera.say_as(&client_id, &text).await {
            Ok(Ok(accepted)) => (Fate::Acked(accepted.conversation, accepted.seq), false),
            Ok(Err(error)) if error.code.can_retry() => (Fate::Unknown, false),
            Ok(Err(error)) => bail!("refused: {error:?}"),
            Err(_) => (Fate::Unknown, true),
        };
        own.push(Sent { client_id, text, fate });
        if is_gone {
            return Ok(own);
        }
        let _ = vera.fresh_snapshot().await;
        ensure!(tokio::time::Instant::now() < end, "the relay goes on without a part");
        wait::pass(Duration::from_millis(20)).await;
    }
}

/// The part panics at this passage of the place; the relay ends and says which it was.
async fn ends(place: &str, passage: u32, part: &str) -> Result<()> {
    let mut scene = Scene::set().await?;
    let mut vera = scene.visitor().await?;
    let first = "is anybody there?".to_owned();
    let accepted = vera.say(&first).await?;
    let fate = Fate::Acked(accepted.conversation, accepted.seq);
    let first = Sent { client_id: accepted.client_id, text: first, fate };
    scene.relay.stop().await?;
    scene.relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "10000");
    scene.relay.set_environment("YINGKE_FAULT", format!("{place}:{passage}"));
    scene.relay.run().await?;
    let mut sent = vec![first];
    sent.extend(live_until_gone(&scene, &mut vera).await?);
    let status = scene.relay.until_ended().await?;
    let log = scene.relay.log();
    ensure!(status.code() == Some(EXIT_BUG), "{place}: ended with {status}\n{log}");
    let word = format!("{part} met a bug");
    ensure!(log.contains(&word), "{place}: the log does not say {word:?}\n{log}");

    scene.relay.unset_environment("YINGKE_FAULT");
    scene.relay.run().await?;
    let senders = [sent];
    let heard = [witnesses::rest(scene.address(), &scene.admin.token, &senders).await?];
    let verdict = judge(&senders, &heard);
    ensure!(verdict.is_clean(), "{place}: {verdict} {:#?}", verdict.findings);
    vera.connect().await?;
    ensure!(vera.say("and now?").await?.seq.get() > 1);
    scene.relay.stop().await?;
    scene.relay.give_up();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_meets_a_bug_ends_the_relay() -> Result<()> {
    ends("panic_in_writer", 7, "the writer").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fan_out_on_the_writers_thread_that_meets_a_bug_ends_the_relay() -> Result<()> {
    ends("panic_in_attendant", 3, "the writer").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpointer_that_meets_a_bug_ends_the_relay() -> Result<()> {
    ends("panic_in_checkpointer", 3, "the checkpointer").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_meets_a_bug_ends_the_relay() -> Result<()> {
    ends("panic_in_reader", 12, "a reader").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fan_out_that_meets_a_bug_ends_the_relay() -> Result<()> {
    ends("panic_in_fan_out", 1, "fan-out").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assignment_that_meets_a_bug_ends_the_relay() -> Result<()> {
    ends("panic_in_assignment", 12, "assignment").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telling_that_meets_a_bug_ends_the_relay() -> Result<()> {
    ends("panic_in_telling", 2, "telling how things stand").await
}
