//! S1 and S7: durable messages a second (stored, synced, acknowledged, delivered to the other side)
//! with 1, 10 and 100 pairs, against the same rows written by a bare loop and against a bare echo.

use super::bare::BareLoop;
use super::echo::Echo;
use super::error::BenchError;
use super::options::Dose;
use super::pairs::{PAIRS, Pairs};
use super::place::{Place, remove};
use super::report::{OfPairs, Report};
use super::say;
use super::spread::Spread;

/// Messages of one transaction of the bare loop.
const BATCH: u64 = 100;
const COUNTS: [usize; 3] = [1, 10, PAIRS];

/// See the module.
pub(super) async fn measure(
    place: &Place,
    dose: &Dose,
    report: &mut Report,
) -> Result<(), BenchError> {
    say("S1, S7: messages a second");
    let (folder, bare_folder) = (place.folder("durable"), place.folder("bare"));
    let mut bare = BareLoop::open(&bare_folder).await?;
    let pairs = Pairs::start(&folder).await?;
    let echo = Echo::start(2 * PAIRS).await?;
    // Caches fill, statements are prepared, the clocks of the processor rise.
    pairs.saturate(PAIRS, dose.round / 4).await?;
    for count in COUNTS {
        let mut of = OfPairs::begin(count);
        let [mut relay, mut cpu, mut bare_cpu] = [const { Vec::<f64>::new() }; 3];
        let [mut batch, mut single, mut echoes] = [const { Vec::<f64>::new() }; 3];
        for _ in 0..dose.rounds {
            let round = pairs.saturate(count, dose.round).await?;
            relay.push(round.per_second);
            cpu.extend(round.cpu_us);
            let time = dose.round / 4;
            let (back, (in_batches, alone)) = bare
                .aside(move |bare| Ok((bare.saturate(BATCH, 2 * time)?, bare.saturate(1, time)?)))
                .await?;
            bare = back;
            batch.push(in_batches.per_second);
            bare_cpu.extend(in_batches.cpu_us);
            single.push(alone.per_second);
            if count == PAIRS {
                echoes.push(echo.saturate(time).await?);
            }
        }
        of.relay_per_second = Spread::of(relay);
        of.bare_in_batches_per_second = Spread::of(batch);
        of.bare_alone_per_second = Spread::of(single);
        of.ratio_to_batches = of.relay_per_second.median / of.bare_in_batches_per_second.median;
        of.ratio_to_alone = of.relay_per_second.median / of.bare_alone_per_second.median;
        of.cpu_us_per_message = Spread::of_any(cpu);
        of.bare_cpu_us_per_message = Spread::of_any(bare_cpu);
        if count == PAIRS {
            let echoes = Spread::of(echoes);
            of.echoes_per_second = Some(echoes);
            of.ratio_to_echoes = Some(of.relay_per_second.median / echoes.median);
            of.relay_resident_kib = pairs.resident_kib();
            report.figures.s1 = Some(of.ratio_to_batches);
            report.figures.s7 = of.cpu_us_per_message.map(|cpu| cpu.median);
        }
        say(&of.line());
        report.raw.durable.push(of);
    }
    drop(echo);
    pairs.stop().await?;
    drop(bare);
    remove(&folder);
    remove(&bare_folder);
    Ok(())
}
