//! Waiting for a condition, with a limit. The only place of the crate that lets time pass.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Generous on purpose: a limit ends a hung test, it measures nothing.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Between two looks at something that cannot tell of its change.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// Asks `look` until it gives a value; errors are reported only if the limit passes.
pub async fn until<T, F, Fut>(what: &str, look: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    until_within(LIMIT, what, look).await
}

/// The same with a limit of its own.
pub async fn until_within<T, F, Fut>(limit: Duration, what: &str, mut look: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let end = Instant::now() + limit;
    loop {
        let seen = look().await;
        if let Ok(Some(value)) = seen {
            return Ok(value);
        }
        if Instant::now() > end {
            match seen {
                Err(error) => return Err(error.context(format!("waited in vain: {what}"))),
                _ => bail!("waited in vain for {limit:?}: {what}"),
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Lets the given time pass: how long load runs before the next kill, or as long as the relay asked
/// for in `retry_after_ms`. Never used to hope that something has happened meanwhile.
pub async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
