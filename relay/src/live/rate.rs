//! How often something may happen: a token bucket without a clock.

use crate::limits::Rate;

/// One counted thing. Times are milliseconds that never go back.
///
/// Holds the time at which the bucket would be full again: one number is all a bucket needs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    full_at_ms: u64,
}

impl Bucket {
    /// Takes one, or says after how many milliseconds there is one.
    pub(crate) fn take(&mut self, now_ms: u64, rate: Rate) -> Result<(), u32> {
        let cost_ms = u64::from(1_000 / rate.per_second.max(1)).max(1);
        let full_at = self.full_at_ms.max(now_ms) + cost_ms;
        let room_ms = u64::from(rate.burst) * cost_ms;
        match (full_at - now_ms).checked_sub(room_ms) {
            None | Some(0) => {
                self.full_at_ms = full_at;
                Ok(())
            }
            Some(missing) => Err(u32::try_from(missing).unwrap_or(u32::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bucket;
    use crate::limits::Rate;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let rate = Rate { burst: 3, per_second: 10 };
        let mut bucket = Bucket::default();
        assert_eq!([(); 4].map(|()| bucket.take(5_000, rate)), [Ok(()), Ok(()), Ok(()), Err(100)]);
        assert_eq!(bucket.take(5_099, rate), Err(1));
        assert_eq!(bucket.take(5_100, rate), Ok(()));
        assert_eq!(bucket.take(5_100, rate), Err(100));
    }

    #[test]
    fn a_pause_gives_no_more_than_the_burst() {
        let rate = Rate { burst: 2, per_second: 5 };
        let mut bucket = Bucket::default();
        bucket.take(0, rate).unwrap();
        assert_eq!([(); 3].map(|()| bucket.take(60_000, rate)), [Ok(()), Ok(()), Err(200)]);
    }
}
