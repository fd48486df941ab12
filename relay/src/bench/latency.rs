//! S3 and S4: the delay from the intended moment of sending to the arrival at the other side, at
//! rates that the relay can carry, beside that of a bare echo and of a bare loop that commits the same
//! rows on the same disk.

use super::bare::BareLoop;
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
    let (folder, bare_folder) = (place.folder("latency"), place.folder("latency-bare"));
    let mut bare = BareLoop::open(&bare_folder).await?;
    let pairs = Pairs::start(&folder).await?;
    let echo = Echo::start(2 * PAIRS).await?;
    pairs.saturate(PAIRS, dose.round / 4).await?;
    for &rate in &dose.rates {
        let [mut relay, mut late, mut commits, mut echoes] =
            [const { Vec::<Percentiles>::new() }; 4];
        let [mut cpu, mut bare_cpu] = [const { Vec::<f64>::new() }; 2];
        for _ in 0..dose.rounds {
            let round = pairs.pace(rate, 2 * dose.round).await?;
            relay.push(round.delay);
            late.push(round.late);
            cpu.extend(round.cpu_us);
            let time = dose.round;
            let (back, committed) = bare.aside(move |bare| bare.pace(rate, time)).await?;
            bare = back;
            commits.push(committed.delay);
            bare_cpu.extend(committed.cpu_us);
            echoes.push(echo.pace(rate, dose.round / 2).await?);
        }
        let p99 = Spread::of(relay.iter().map(|round| round.p99));
        let echo_ms = Percentiles::middle(&echoes);
        let of = AtRate {
            rate,
            relay_ms: Percentiles::middle(&relay),
            relay_p99_ms: p99,
            sent_late_ms: Percentiles::middle(&late),
            bare_ms: Percentiles::middle(&commits),
            bare_p99_ms: Spread::of(commits.iter().map(|round| round.p99)),
            echo_ms,
            ratio_to_echo: p99.median / echo_ms.p99,
            cpu_us_per_message: Spread::of_any(cpu),
            bare_cpu_us_per_message: Spread::of_any(bare_cpu),
        };
        if rate == RATES[0] {
            report.figures.s3 = Some(p99.median);
        } else if rate == RATES[1] {
            report.figures.s4 = Some(p99.median);
        }
        say(&of.line());
        report.raw.latency.push(of);
    }
    drop(echo);
    pairs.stop().await?;
    drop(bare);
    remove(&folder);
    remove(&bare_folder);
    Ok(())
}
