//! How often something may happen: a token bucket without a clock.

use crate::limits::Rate;

/// One counted thing. Times are milliseconds that never go back.
///
/// Holds the time at which it is empty again, in microseconds: one number is all it needs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    empty_at_us: u64,
}

impl Bucket {
    /// Takes one, or says after how many milliseconds there is one.
    pub(crate) fn take(&mut self, now_ms: u64, rate: Rate) -> Result<(), u32> {
        let now_us = now_ms * 1_000;
        let cost_us = u64::from(1_000_000 / rate.per_second.max(1)).max(1);
        let empty_at = self.empty_at_us.max(now_us) + cost_us;
        let room_us = u64::from(rate.burst) * cost_us;
        match (empty_at - now_us).checked_sub(room_us) {
            None | Some(0) => {
                self.empty_at_us = empty_at;
                Ok(())
            }
            Some(missing) => Err(u32::try_from(missing.div_ceil(1_000)).unwrap_or(u32::MAX)),
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
