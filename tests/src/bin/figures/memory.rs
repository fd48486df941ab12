//! S5: user-space memory per idle signed-in visitor socket, after one message each way, at 5,000.

use std::net::Ipv4Addr;

use anyhow::Result;
use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::StaffSendMessage;
use yingke_shared::views::Availability;
use yingke_tests::http::Address;
use yingke_tests::link::Visitor;
use yingke_tests::relay::TestRelay;
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::durable::TEXT;
use crate::quick::Quick;

const VISITORS: usize = 5_000;
const CAPACITY: usize = 200;
/// Visitors of one address: fewer than the relay lets in at once.
const STREET: usize = 100;

pub(crate) async fn measure() -> Result<()> {
    let mut relay = TestRelay::prepare(crate::relay_program()?)?;
    crate::durable::lift_rates(&mut relay);
    relay.run().await?;
    let address = relay.address.clone();
    let admin = relay.admin().await?;
    let site = admin.add_site("Tea", "http://shop.localhost").await?;
    let mut agents = Vec::new();
    for number in 0..VISITORS.div_ceil(CAPACITY) {
        let capacity = u32::try_from(CAPACITY)?;
        let account = admin.add_agent(&format!("Ana{number}"), capacity).await?;
        let agent = StaffSocket::sign_in(&address, &account).await?;
        agent.set_availability(Availability::Online).await?;
        agents.push(agent);
    }
    // Everything is stored first, without sockets: what is measured is the sockets alone.
    let mut visitors = Vec::new();
    let mut street = address.clone();
    for number in 0..VISITORS {
        if number % STREET == 0 {
            let house = u8::try_from(number / STREET + 2)?;
            street = Address::asked_from(address.port, Ipv4Addr::new(127, 0, 0, house))?;
        }
        let mut visitor = TestVisitor::enter(&street, &site).await?;
        visitor.say(TEXT).await?;
        visitor.leave();
        visitors.push(visitor.token);
    }
    let settle = || wait::pass(std::time::Duration::from_secs(12));
    settle().await;
    let before = crate::resident_kib(relay.pid()?)?;
    let mut idling = Vec::new();
    for token in &visitors {
        let mut socket = Quick::open::<Visitor>(&address, token).await?;
        socket.ask(&TestVisitor::message(TEXT)).await?;
        idling.push(tokio::spawn(async move { socket.idle().await }));
    }
    for agent in &agents {
        for conversation_id in agent.link.snapshot().conversations.into_keys() {
            let text = TEXT.to_owned();
            let command =
                StaffCommand::StaffSendMessage(StaffSendMessage { conversation_id, text });
            agent.link.must(&command).await?;
        }
    }
    settle().await;
    let after = crate::resident_kib(relay.pid()?)?;
    let alive = idling.iter().filter(|task| !task.is_finished()).count();
    println!(
        "S5: {alive} idle visitor sockets: {:.1} KiB each ({before:.0} KiB before, {after:.0} after)",
        (after - before) / alive as f64
    );
    for task in idling {
        task.abort();
    }
    drop(agents);
    relay.finish().await
}
