//! Time and randomness of the product, passed in everywhere so that tests and simulation can own
//! them. Nothing else in the relay reads a clock or makes an id.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use yingke_shared::time::Timestamp;

/// Where "now" and randomness come from.
pub trait World: Send + Sync + 'static {
    /// The wall clock; for stamping, never for ordering.
    fn now(&self) -> Timestamp;
    /// A new id: unguessable, sorting by creation.
    fn new_id(&self) -> String;
    /// 256 bits of secret randomness as 43 characters of base64url.
    fn new_secret(&self) -> String;
    /// Begins to count.
    fn stopwatch(&self) -> Box<dyn Stopwatch> {
        Box::new(Running(Instant::now()))
    }
}

/// Time that goes by, whatever the clock on the wall does: for deadlines.
pub trait Stopwatch: Send + Sync + 'static {
    /// Milliseconds since it began.
    fn passed_ms(&self) -> u64;
    /// Waits until so many have passed.
    fn until(&self, passed_ms: u64) -> BoxFuture<'static, ()>;
}

struct Running(Instant);

impl Stopwatch for Running {
    fn passed_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn until(&self, passed_ms: u64) -> BoxFuture<'static, ()> {
        // A deadline in a hundred years is none.
        let at = self.0.checked_add(Duration::from_millis(passed_ms));
        match at {
            Some(at) => Box::pin(tokio::time::sleep_until(at)),
            None => Box::pin(futures_util::future::pending()),
        }
    }
}

/// The real world.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealWorld;

impl World for RealWorld {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(0);
        Timestamp::from_millis(millis).unwrap_or_default()
    }

    fn new_id(&self) -> String {
        uuid::Uuid::now_v7().to_string()
    }

    fn new_secret(&self) -> String {
        use base64::Engine as _;
        // Two UUIDv4-quality sources would not be enough; ask the system for 32 bytes. If it has
        // none to give, the relay must not go on: this is the one place that may abort.
        let mut bytes = [0_u8; 32];
        if getrandom::fill(&mut bytes).is_err() {
            tracing::error!("the system gives no randomness; ending");
            std::process::abort();
        }
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    }
}
