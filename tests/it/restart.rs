//! P25: asked to stop (SIGTERM) under load, again and again, the relay tells every client when to come
//! back, each another moment, ends within ten seconds with success, and loses nothing it acknowledged.
//! Once made to fail by telling everybody the same moment; the full dose's bound, by a hundredth of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use yingke_relay::limits::STOP_WITHIN_MS;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::views::Availability;
use yingke_tests::dose;
use yingke_tests::judge::judge;
use yingke_tests::link::{Link, Visitor};
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::seat::TestSeat;
use yingke_tests::wait;

use crate::load::Load;
use crate::scene::Scene;
use crate::witnesses::{self, Writer};

const RESTARTS: usize = 10;
/// With `--full P25`.
const RESTARTS_FULL: usize = 100;
const WRITERS: usize = 8;
/// Sockets that only listen: what each of them is told at the end is looked at.
const LISTENERS: usize = 40;
/// Far above the relay's own bound, because the computer may be busy; the printed line says how long it
/// was. A full dose has the computer to itself and holds the relay to its bound.
const WITHIN: Duration = Duration::from_secs(60);
const WITHIN_FULL: Duration = Duration::from_millis(STOP_WITHIN_MS);

/// Over how much time the clients of one stop are spread; nearly each has a moment of its own.
fn spread_of(moments: &BTreeSet<u32>) -> Result<u32> {
    ensure!(moments.len() > LISTENERS * 3 / 4, "{} moments: {moments:?}", moments.len());
    ensure!(moments.iter().all(|moment| (500..=3_500).contains(moment)), "{moments:?}");
    let spread = moments.last().unwrap_or(&0) - moments.first().unwrap_or(&0);
    ensure!(spread > 2_000, "clients come back within {spread} ms of each other");
    Ok(spread)
}

/// 10 stops; with `YINGKE_FULL=P25` 100.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p25_asked_to_stop_under_load_the_relay_loses_nothing_and_spreads_its_clients() -> Result<()>
{
    let is_full = dose::is_full("P25");
    let (restarts, within) =
        if is_full { (RESTARTS_FULL, WITHIN_FULL) } else { (RESTARTS, WITHIN) };
    let mut relay = TestRelay::prepare(relay_program()?)?;
    relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "20");
    relay.run().await?;
    let mut scene = Scene::on(relay, "http://shop.localhost").await?;
    let address = scene.address().clone();
    let home = tempfile::tempdir()?;
    let account = scene.hire("Ana", 200).await?;
    let seat = TestSeat::open(home.path(), &address, &account).await?;
    seat.set_availability(Availability::Online).await?;
    let mut ana = Writer { name: "Ana".to_owned(), seat, written: Vec::new() };
    let load = Load::start(&scene, WRITERS, 100, "restart").await?;
    let mut tokens = Vec::new();
    for _ in 0..LISTENERS {
        tokens.push(scene.visitor().await?.token);
    }

    let (mut slowest, mut least_spread) = (Duration::ZERO, u32::MAX);
    for round in 0..restarts {
        let mut listening = Vec::new();
        for token in &tokens {
            listening.push(Link::<Visitor>::open(&address, token, None).await?);
        }
        ana.seat.until_connected().await?;
        let rows = ana.seat.look(|view| {
            view.state.inbox.iter().map(|row| row.conversation_id.clone()).collect::<Vec<_>>()
        });
        for conversation in rows {
            let text = format!("from Ana, round {round}, number {}", ana.written.len());
            let item = ana.seat.say(&conversation, &text).await?;
            ana.written.push((item.client_id, conversation, text));
        }
        let asked = Instant::now();
        let status = scene.relay.stop().await?;
        let took = asked.elapsed();
        ensure!(status.success(), "SIGTERM ended the relay with {status}");
        ensure!(took <= within, "stopping took {took:?}");
        slowest = slowest.max(took);
        let mut moments = BTreeSet::new();
        for link in &listening {
            let bye = link.until_closed().await?.context("the relay says goodbye")?;
            ensure!(bye.error.code == ErrorCode::Unavailable, "{bye:?}");
            moments.insert(bye.error.retry_after_ms.context("and when to come back")?);
        }
        least_spread = least_spread.min(spread_of(&moments)?);
        scene.relay.run().await?;
    }
    let (mut visitors, mut senders) = load.stop().await?;
    let mut all = Vec::new();
    ana.seat.until_connected().await?;
    ana.seat.until_all_sent().await?;
    let (page, sent) = witnesses::hear_the_seat(ana, &senders, &mut all).await?;
    all.push(page);
    senders.extend(sent);
    all.push(witnesses::visitors("the visitors' pages", &mut visitors).await?);
    all.push(witnesses::rest(&address, &scene.admin.token, &senders).await?);
    let verdict = judge(&senders, &all);
    println!(
        "P25: restarts={restarts} {verdict} slowest stop {} ms, clients spread over {least_spread} ms",
        slowest.as_millis()
    );
    ensure!(verdict.is_clean(), "{verdict} {:#?}", verdict.findings);
    ensure!(verdict.acked > restarts * WRITERS, "there was hardly any load: {verdict}");
    let sound = wait::until("the check says that all is well", || async {
        Ok(scene.relay.command_line(&["check"])?.contains("all is well").then_some(()))
    });
    sound.await?;
    scene.finish().await
}
