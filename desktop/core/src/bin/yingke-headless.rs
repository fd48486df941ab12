//! `yingke-headless`: the client without a window. Serves the workbench to a browser on this
//! computer and prints the address to open, its only line on standard output; logs go to standard
//! error.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tracing_subscriber::EnvFilter;
use yingke_client::Core;
use yingke_client::headless::Headless;
use yingke_client::host::SystemHost;

/// The Yingke agent's client behind a local socket.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where profile, cache and outbox live.
    #[arg(long)]
    data: PathBuf,
    /// The loopback address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The built workbench (`desktop-ui/dist`).
    #[arg(long)]
    ui: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the headless client did not start");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let host = Arc::new(SystemHost::new(arguments.data, None));
    let core = Core::start(Arc::clone(&host) as _).await?;
    let headless = Headless::serve(core.clone(), host, arguments.listen, arguments.ui).await?;
    // Before the address is told: who reads it may ask at once.
    let asked = asked_to_stop()?;
    writeln!(std::io::stdout(), "{}", headless.url())?;
    std::io::stdout().flush()?;
    asked.await?;
    headless.stop().await;
    core.shutdown().await;
    Ok(())
}

#[cfg(unix)]
fn asked_to_stop() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        }
    })
}

#[cfg(not(unix))]
fn asked_to_stop() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
