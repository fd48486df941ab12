//! `yingke-relay bench` (R04): what this machine carries.
//!
//! It starts real relays as children of itself, on folders of its own beside the given one, and
//! drives them over loopback with clients that cost as little as possible. In the same run and on
//! the same disk it measures the limits to hold them against: the same rows written by a bare loop,
//! and a bare WebSocket echo. Rounds alternate between the two, so that a busy machine disturbs both
//! alike; medians are told with the smallest and the largest. Never touches a relay's own data.

mod bare;
mod child;
mod client;
mod crowd;
mod durable;
mod echo;
mod error;
mod ground;
mod latency;
mod live;
mod options;
mod pairs;
mod place;
mod report;
mod spread;
mod start;

use std::process::ExitCode;
use std::time::Instant;

pub use options::Options;

use crate::serve::stop_signal;
use error::{BenchError, During as _};
use options::{Dose, Part};
use place::Place;
use report::Report;

/// Measures as the options say; prints the figures on standard output, progress on standard error.
pub(crate) fn run(options: &Options) -> ExitCode {
    let dose = match options.dose() {
        Ok(dose) => dose,
        Err(problem) => {
            say(&problem);
            return ExitCode::from(crate::cli::EXIT_USAGE);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let measured = runtime.block_on(async {
        let stop_asked = stop_signal().during("watching signals")?;
        tokio::select! {
            biased;
            () = stop_asked => Err(BenchError::new("the bench", "it was interrupted")),
            report = Box::pin(measure(&dose)) => report,
        }
    });
    runtime.shutdown_background();
    match measured {
        Ok(report) => {
            report.print(options.json);
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// The parts, one after another. Each has a relay and a folder of its own.
async fn measure(dose: &Dose) -> Result<Report, BenchError> {
    let begun = Instant::now();
    let place = Place::new(dose)?;
    let mut report = Report::new(dose);
    for part in &dose.parts {
        match part {
            Part::Durable => Box::pin(durable::measure(&place, dose, &mut report)).await?,
            Part::Latency => Box::pin(latency::measure(&place, dose, &mut report)).await?,
            Part::Live => Box::pin(live::measure(&place, dose, &mut report)).await?,
            Part::Crowd => Box::pin(crowd::measure(&place, dose, &mut report)).await?,
            Part::Start => Box::pin(start::measure(&place, dose, &mut report)).await?,
        }
    }
    report.raw.took_s = begun.elapsed().as_secs_f64();
    Ok(report)
}

/// One line of progress. A closed pipe is the reader's choice.
fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "yingke-relay bench: {line}");
}
