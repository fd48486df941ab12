//! P15: thousands of sockets are cut at once and all come back at once, each where it was; meanwhile
//! new visitors get in. Once made to fail by letting the readers' queue hold two.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use yingke_tests::dose;
use yingke_tests::http::Address;
use yingke_tests::link::{Bookmark, Link, Visitor};
use yingke_tests::processes::{allow_many_files, peak_kib, resident_kib};
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::scene::Scene;

/// Sockets of one visitor: fewer than the relay lets one have.
const TABS: usize = 10;
/// Visitors of one address: fewer than may enter at once.
const STREET: usize = 100;
const BACK_WITHIN: Duration = Duration::from_secs(30);
const RESIDENT_KIB_MAX: f64 = 1_024.0 * 1_024.0;
/// All are cut at the same moment. So many come back at once, the others as soon as one of these is in:
/// this process makes all the sockets, on the processors the relay has.
const DIALS_AT_ONCE: usize = 500;

/// Opens a socket again until the relay lets it in.
async fn come_back(
    address: &Address,
    token: &str,
    bookmark: Bookmark<Visitor>,
) -> Result<(Link<Visitor>, Duration)> {
    let begun = Instant::now();
    loop {
        match Link::open(address, token, Some(bookmark.clone())).await {
            Ok(link) => return Ok((link, begun.elapsed())),
            Err(_) if begun.elapsed() < 2 * wait::LIMIT => {
                wait::pass(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// 2,000 sockets; with `YINGKE_FULL=P15` 10,000.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p15_a_storm_of_returning_sockets_locks_nobody_out() -> Result<()> {
    let is_full = dose::is_full("P15");
    let sockets = if is_full { 10_000 } else { 2_000 };
    allow_many_files()?;
    let mut relay = TestRelay::prepare(relay_program()?)?;
    relay.set_environment("YINGKE_SOCKETS_PER_ADDRESS", "20000");
    relay.run().await?;
    let scene = Scene::on(relay, "http://shop.localhost").await?;
    let address = scene.address().clone();

    let mut people = Vec::new();
    let mut street = address.clone();
    for number in 0..sockets / TABS {
        if number % STREET == 0 {
            let house = u8::try_from(number / STREET + 2)?;
            street = Address::asked_from(address.port, Ipv4Addr::new(127, 0, 0, house))?;
        }
        let mut visitor = TestVisitor::enter(&street, &scene.site).await?;
        visitor.say("somebody is here").await?;
        visitor.leave();
        people.push(visitor);
    }
    let mut links = Vec::new();
    for visitor in &people {
        for _ in 0..TABS {
            links.push((visitor.token.clone(), Link::open(&address, &visitor.token, None).await?));
        }
    }
    let before = resident_kib(scene.relay.pid()?)?;
    let marks: Vec<(String, Bookmark<Visitor>)> =
        links.iter().map(|(token, link)| (token.clone(), link.bookmark())).collect();
    drop(links);

    let begun = Instant::now();
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(DIALS_AT_ONCE));
    let mut coming = Vec::new();
    for (token, bookmark) in marks {
        let (address, places) = (address.clone(), std::sync::Arc::clone(&places));
        coming.push(tokio::spawn(async move {
            let _place = places.acquire_owned().await?;
            come_back(&address, &token, bookmark).await
        }));
    }
    // In the middle of it somebody comes for the first time and asks something.
    let fresh = Address::asked_from(address.port, Ipv4Addr::new(127, 0, 1, 1))?;
    let mut viktor = TestVisitor::enter(&fresh, &scene.site).await?;
    viktor.say("is anybody there?").await?;
    let new_visitor = begun.elapsed();
    viktor.leave();

    let mut back = Vec::new();
    for task in coming {
        let (link, _) = task.await.map_err(|error| anyhow!(error))??;
        back.push(link);
    }
    let all_back = begun.elapsed();
    let peak = peak_kib(scene.relay.pid()?)?;
    let resumed = back.iter().filter(|link| link.look(|held| held.resumed)).count();
    println!(
        "P15: {} sockets back in {} ms, {resumed} of them where they were; a new visitor was answered \
         after {} ms; the relay held {:.0} MiB before, {:.0} MiB at most",
        back.len(),
        all_back.as_millis(),
        new_visitor.as_millis(),
        before / 1_024.0,
        peak / 1_024.0,
    );
    ensure!(back.len() == sockets && resumed == sockets, "{resumed} of {sockets} resumed");
    // How long is judged by the full dose alone, which has the computer to itself.
    ensure!(!is_full || all_back <= BACK_WITHIN, "all back after {all_back:?}");
    let new_in_time = new_visitor <= Duration::from_secs(10);
    ensure!(!is_full || new_in_time, "a new visitor waited {new_visitor:?}");
    ensure!(peak <= RESIDENT_KIB_MAX, "{peak} KiB");
    // Every socket hears what comes next.
    let mut vera = people.swap_remove(0);
    vera.connect().await?;
    vera.say("and everybody is back").await?;
    for link in back.iter().take(TABS) {
        let heard = link.until("what comes next", |held| (!held.events.is_empty()).then_some(()));
        heard.await.context("a socket that came back hears nothing")?;
    }
    drop(back);
    scene.finish().await
}
