//! S3 and S4: the delay from the intended moment of sending to the arrival at the other side, at
//! rates that the relay can carry, beside that of a bare echo.

use super::echo::Echo;
use super::error::BenchError;
use super::options::{Dose, RATES};
use super::pairs::{PAIRS, Pairs};
use super::place::{Place, remove};
use super::report::{AtRate, Report};
use super::say;
use super::spread::{Percentiles, Spread};

/// See the module.
pub(super) async fn measure(
    place: &Place,
    dose: &Dose,
    report: &mut Report,
) -> Result<(), BenchError> {
    say("S3, S4: delays");
    let folder = place.folder("latency");
    let pairs = Pairs::start(&folder).await?;
    let bare = Echo::start(2 * PAIRS).await?;
    pairs.saturate(PAIRS, dose.round / 4).await?;
    for &rate in &dose.rates {
        let [mut relay, mut late, mut echoes] = [const { Vec::<Percentiles>::new() }; 3];
        let mut cpu = Vec::new();
        for _ in 0..dose.rounds {
            let round = pairs.pace(rate, 2 * dose.round).await?;
            relay.push(round.delay);
            late.push(round.late);
            cpu.extend(round.cpu_us);
            echoes.push(bare.pace(rate, dose.round / 2).await?);
        }
        let p99 = Spread::of(relay.iter().map(|round| round.p99));
        let echo = Percentiles::middle(&echoes);
        let of = AtRate {
            rate,
            relay_ms: Percentiles::middle(&relay),
            relay_p99_ms: p99,
            sent_late_ms: Percentiles::middle(&late),
            echo_ms: echo,
            ratio_to_echo: p99.median / echo.p99,
            cpu_us_per_message: (!cpu.is_empty()).then(|| Spread::of(cpu)),
        };
        if rate == RATES[0] {
            report.figures.s3 = Some(p99.median);
        } else if rate == RATES[1] {
            report.figures.s4 = Some(p99.median);
        }
        say(&of.line());
        report.raw.latency.push(of);
    }
    drop(bare);
    pairs.stop().await?;
    remove(&folder);
    Ok(())
}
