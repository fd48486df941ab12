//! S8 on an empty relay: from the start of the process to the first accepted socket, and its memory.

use std::time::{Duration, Instant};

use anyhow::Result;
use yingke_tests::link::Visitor;
use yingke_tests::relay::TestRelay;
use yingke_tests::visitor::TestVisitor;

use crate::Spread;
use crate::quick::Quick;

pub(crate) async fn measure() -> Result<()> {
    let mut relay = TestRelay::prepare(crate::relay_program()?)?;
    let site = relay.add_site("Tea", "http://shop.localhost")?;
    relay.run().await?;
    let vera = TestVisitor::enter(&relay.address, &site).await?;
    relay.stop().await?;
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        let begun = Instant::now();
        relay.spawn()?;
        let socket = loop {
            match Quick::open::<Visitor>(&relay.address, &vera.token).await {
                Ok(socket) => break socket,
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        memory.push(crate::resident_kib(relay.pid()?)?);
        drop(socket);
        relay.stop().await?;
    }
    println!("S8 empty: start to first accepted socket {} ms", Spread::of(times));
    println!("S8 empty: RSS then {} KiB", Spread::of(memory));
    relay.finish().await
}
