//! S1: durable messages a second (stored, synced, acknowledged, delivered to the other side) with 1,
//! 10 and 100 pairs of clients, against the bare loops of [`crate::bare`] in the same run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::StaffSendMessage;
use yingke_shared::ids::ConversationId;
use yingke_shared::views::Availability;
use yingke_tests::http::{Address, Admin};
use yingke_tests::link::{Staff, Visitor};
use yingke_tests::relay::TestRelay;
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::TestVisitor;

use crate::Spread;
use crate::bare::Bare;
use crate::quick::Quick;

/// 40 characters, a usual line.
pub(crate) const TEXT: &str =
    "您好，请问这款龙井还有货吗？如果今天下单，大概什么时候能够送到上海浦东呢？谢谢您";

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);

pub(crate) async fn measure() -> Result<()> {
    let mut relay = TestRelay::prepare(crate::relay_program()?)?;
    crate::durable::lift_rates(&mut relay);
    relay.run().await?;
    let address = relay.address.clone();
    let admin = relay.admin().await?;
    let site = admin.add_site("Tea", "http://shop.localhost").await?;
    // Signing in is slowed down on purpose, so all are known first and connected then.
    let mut known = Vec::new();
    for number in 0..100 {
        known.push(acquaintance(&address, &admin, &site, number).await?);
    }
    let mut pairs = Vec::new();
    for (agent, visitor, conversation) in &known {
        pairs.push(Pair {
            visitor: Quick::open::<Visitor>(&address, visitor).await?,
            agent: Quick::open::<Staff>(&address, &agent.token).await?,
            conversation: conversation.clone(),
        });
    }
    drop(known);
    let mut bare = Bare::open()?;
    for count in [1, 10, 100] {
        let (mut relay_speed, mut batch, mut single, mut raw) = (vec![], vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            relay_speed.push(round(&mut pairs, count).await?);
            batch.push(bare.messages_per_second(100, ROUND / 2)?);
            single.push(bare.messages_per_second(1, ROUND / 4)?);
            raw.push(bare.raw_inserts_per_second(ROUND / 4)?);
        }
        let relay_speed = Spread::of(relay_speed);
        let [batch, single, raw] = [batch, single, raw].map(Spread::of);
        println!(
            "S1 pairs={count}: relay {relay_speed}/s; bare loop in batches of 100 {batch}/s, ratio \
             {:.2}; bare loop per message {single}/s, ratio {:.2}; raw insert per message {raw}/s, \
             ratio {:.2}",
            relay_speed.median / batch.median,
            relay_speed.median / single.median,
            relay_speed.median / raw.median,
        );
    }
    relay.finish().await
}

/// The relay's rate per session would be what is measured; it is set out of the way.
pub(crate) fn lift_rates(relay: &mut TestRelay) {
    relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "100000");
}

/// A visitor and the agent who serves them, each with one socket.
struct Pair {
    visitor: Quick,
    agent: Quick,
    conversation: ConversationId,
}

/// An agent who is there, and the token of the visitor the agent serves.
async fn acquaintance(
    address: &Address,
    admin: &Admin,
    site: &yingke_shared::ids::SiteId,
    number: usize,
) -> Result<(StaffSocket, String, ConversationId)> {
    let account = admin.add_agent(&format!("Ana{number}"), 1).await?;
    let agent = StaffSocket::sign_in(address, &account).await?;
    agent.set_availability(Availability::Online).await?;
    let vera = TestVisitor::enter(address, site).await?;
    let conversation = vera.say(TEXT).await?.conversation;
    agent.until_gained(&conversation).await?;
    Ok((agent, vera.token, conversation))
}

/// Both sides of every pair write as fast as they are answered; counted is what was acknowledged and
/// delivered to the other side.
async fn round(pairs: &mut [Pair], count: usize) -> Result<f64> {
    let (pairs, others) = pairs.split_at_mut(count);
    let stop = Arc::new(AtomicBool::new(false));
    let delivered = |pairs: &[Pair]| -> u64 {
        pairs
            .iter()
            .map(|pair| {
                pair.visitor.delivered.load(Ordering::Relaxed)
                    + pair.agent.delivered.load(Ordering::Relaxed)
            })
            .sum()
    };
    let before = delivered(pairs);
    let begun = Instant::now();
    let end = tokio::time::Instant::now() + ROUND;
    let mut writers = Vec::new();
    for pair in pairs.iter_mut() {
        let command = StaffCommand::StaffSendMessage(StaffSendMessage {
            conversation_id: pair.conversation.clone(),
            text: TEXT.to_owned(),
        });
        let Pair { visitor, agent, .. } = pair;
        let (by_visitor, by_agent) = (Arc::clone(&stop), Arc::clone(&stop));
        writers.push(futures_util::future::join(
            async move {
                while !by_visitor.load(Ordering::Relaxed) {
                    visitor.ask(&TestVisitor::message(TEXT)).await?;
                }
                anyhow::Ok(())
            },
            async move {
                while !by_agent.load(Ordering::Relaxed) {
                    agent.ask(&command).await?;
                }
                anyhow::Ok(())
            },
        ));
    }
    // The others only answer pings, else the relay would take them for dead.
    let idle = futures_util::future::join_all(
        others
            .iter_mut()
            .map(|pair| futures_util::future::join(pair.visitor.idle(), pair.agent.idle())),
    );
    let clock = async {
        let _ = tokio::time::timeout(ROUND, idle).await;
        tokio::time::sleep_until(end).await;
        stop.store(true, Ordering::Relaxed);
    };
    let (written, ()) =
        futures_util::future::join(futures_util::future::join_all(writers), clock).await;
    for (visitor, agent) in written {
        visitor.and(agent).context("a writer")?;
    }
    // Each message is delivered to its visitor's and to its agent's socket.
    let messages = (delivered(pairs) - before) as f64 / 2.0;
    Ok(messages / begun.elapsed().as_secs_f64())
}
