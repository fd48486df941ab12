//! S5: user-space memory per idle signed-in visitor socket, after one message each way, at 5,000.

use anyhow::Result;
use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::{SetAvailability, StaffSendMessage};
use yingke_shared::views::Availability;
use yingke_tests::link::{Staff, Visitor};
use yingke_tests::relay::TestRelay;
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::durable::TEXT;
use crate::quick::Quick;

const VISITORS: usize = 5_000;
const CAPACITY: usize = 200;

pub(crate) async fn measure() -> Result<()> {
    let mut relay = TestRelay::prepare(crate::relay_program()?)?;
    relay.run().await?;
    let address = relay.address.clone();
    let admin = relay.admin().await?;
    let site = admin.add_site("Tea", "http://shop.localhost").await?;
    let mut agents = Vec::new();
    for number in 0..VISITORS.div_ceil(CAPACITY) {
        let capacity = u32::try_from(CAPACITY)?;
        let account = admin.add_agent(&format!("Ana{number}"), capacity).await?;
        let token = address.sign_in(&account.account, &account.password).await?.token;
        let mut agent = Quick::open::<Staff>(&address, &token).await?;
        let online = SetAvailability { availability: Availability::Online };
        agent.ask(&StaffCommand::SetAvailability(online)).await?;
        agents.push((account, token, agent));
    }
    // Everything is stored first, without sockets: what is measured is the sockets alone.
    let mut visitors = Vec::new();
    for number in 0..VISITORS {
        let mut visitor = TestVisitor::enter(&address, &site).await?;
        let conversation = visitor.say(TEXT).await?.conversation;
        visitor.leave();
        visitors.push((visitor.token, conversation));
        if number % 1_000 == 999 {
            println!("S5: {} visitors have written", number + 1);
        }
    }
    let settle = || wait::pass(std::time::Duration::from_secs(12));
    settle().await;
    let before = crate::resident_kib(relay.pid()?)?;
    let mut sockets = Vec::new();
    for (token, _) in &visitors {
        sockets.push(Quick::open::<Visitor>(&address, token).await?);
    }
    // One message each way over the socket itself.
    for socket in &mut sockets {
        socket.ask(&TestVisitor::message(TEXT)).await?;
    }
    drop(agents.iter_mut().map(|(_, _, agent)| agent.delivered.clone()).collect::<Vec<_>>());
    let mut answering = Vec::new();
    for (account, token, _) in &agents {
        let link = yingke_tests::staff::StaffSocket::connect(&address, &account.id, token).await?;
        answering.push(link);
    }
    for agent in &answering {
        let held: Vec<_> = agent.link.snapshot().conversations.into_keys().collect();
        for conversation_id in held {
            let text = TEXT.to_owned();
            let command =
                StaffCommand::StaffSendMessage(StaffSendMessage { conversation_id, text });
            agent.link.must(&command).await?;
        }
    }
    drop(answering);
    let mut idling = Vec::new();
    for mut socket in sockets {
        idling.push(tokio::spawn(async move { socket.idle().await }));
    }
    settle().await;
    let after = crate::resident_kib(relay.pid()?)?;
    let alive = idling.iter().filter(|task| !task.is_finished()).count();
    println!(
        "S5: {alive} idle visitor sockets: {:.1} KiB each ({before:.0} KiB before, {after:.0} KiB after)",
        (after - before) / alive as f64
    );
    for task in idling {
        task.abort();
    }
    drop(agents);
    relay.finish().await
}
