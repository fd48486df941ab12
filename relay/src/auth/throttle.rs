//! Rates per key in bounded memory: sign-ins, wrong passwords, new visitors.
//!
//! A token bucket per key, kept as the one time at which it would be full again, and until then.

use parking_lot::Mutex;
use yingke_shared::time::Timestamp;

use crate::kept::Kept;

/// How much is allowed.
#[derive(Debug, Clone, Copy)]
pub struct ThrottleRule {
    /// At once.
    pub burst: u32,
    /// One more after this long.
    pub refill_ms: u64,
    /// Keys remembered.
    pub keys_max: usize,
}

/// Buckets by key.
pub struct Throttle<K> {
    rule: ThrottleRule,
    /// Epoch milliseconds at which the key's bucket is full again.
    full_at: Mutex<Kept<K, u64>>,
}

impl<K: Ord + Clone> Throttle<K> {
    /// With nothing used.
    #[must_use]
    pub fn new(rule: ThrottleRule) -> Self {
        Self { rule, full_at: Mutex::new(Kept::new(rule.keys_max)) }
    }

    /// Is there one left for `key`? Uses none up. Otherwise: milliseconds to wait.
    pub fn check(&self, key: &K, now: Timestamp) -> Result<(), u32> {
        let full_at = self.full_at.lock().get(key).copied().unwrap_or(0);
        self.rule.wait_ms(full_at, now.millis()).map_or(Ok(()), Err)
    }

    /// Uses one up, if there is one left.
    pub fn take(&self, key: &K, now: Timestamp) -> Result<(), u32> {
        let now = now.millis();
        let mut all = self.full_at.lock();
        let full_at = all.get(key).copied().unwrap_or(0);
        if let Some(wait) = self.rule.wait_ms(full_at, now) {
            return Err(wait);
        }
        let used = now.saturating_add(self.rule.missing_ms(full_at, now));
        let full_at = used.saturating_add(self.rule.refill_ms);
        let latest = now.saturating_add(self.rule.capacity_ms());
        all.put(key.clone(), full_at, full_at, now, latest);
        Ok(())
    }

    /// Gives one back that was taken for nothing.
    pub fn give_back(&self, key: &K, now: Timestamp) {
        let now = now.millis();
        let mut all = self.full_at.lock();
        let Some(full_at) = all.get(key).map(|full_at| full_at.saturating_sub(self.rule.refill_ms))
        else {
            return;
        };
        if full_at > now {
            all.put(
                key.clone(),
                full_at,
                full_at,
                now,
                now.saturating_add(self.rule.capacity_ms()),
            );
        } else {
            all.remove(key);
        }
    }

    /// Gives the key a full bucket again.
    pub fn forget(&self, key: &K) {
        self.full_at.lock().remove(key);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.full_at.lock().len()
    }
}

impl ThrottleRule {
    fn capacity_ms(self) -> u64 {
        self.refill_ms.saturating_mul(u64::from(self.burst))
    }

    /// How far the bucket is from full. More than a whole bucket cannot be: the clock was set back,
    /// and nobody is locked out for that.
    fn missing_ms(self, full_at: u64, now: u64) -> u64 {
        let missing = full_at.saturating_sub(now);
        if missing > self.capacity_ms() { 0 } else { missing }
    }

    /// How long until one is left, if none is now.
    fn wait_ms(self, full_at: u64, now: u64) -> Option<u32> {
        let missing = self.missing_ms(full_at, now);
        let over = missing.saturating_add(self.refill_ms).saturating_sub(self.capacity_ms());
        (over > 0).then(|| u32::try_from(over).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: ThrottleRule = ThrottleRule { burst: 2, refill_ms: 100, keys_max: 3 };

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    #[test]
    fn a_burst_then_one_by_one() {
        let throttle = Throttle::new(RULE);
        assert_eq!(throttle.take(&"a", at(1_000)), Ok(()));
        assert_eq!(throttle.take(&"a", at(1_000)), Ok(()));
        assert_eq!(throttle.take(&"a", at(1_000)), Err(100));
        assert_eq!(throttle.check(&"a", at(1_040)), Err(60));
        assert_eq!(throttle.take(&"b", at(1_040)), Ok(()), "another key is another bucket");
        assert_eq!(throttle.take(&"a", at(1_100)), Ok(()));
        assert_eq!(throttle.take(&"a", at(1_100)), Err(100));
        assert_eq!(throttle.take(&"a", at(5_000)), Ok(()));
        assert_eq!(throttle.take(&"a", at(5_000)), Ok(()));
        assert_eq!(throttle.take(&"a", at(5_000)), Err(100), "no more than the burst is saved up");
    }

    #[test]
    fn memory_is_bounded_and_the_punished_are_kept() {
        let throttle = Throttle::new(RULE);
        for _ in 0..2 {
            throttle.take(&0, at(1_000)).unwrap();
        }
        for key in 1..1_000 {
            let _ = throttle.take(&key, at(1_000));
        }
        assert_eq!(throttle.len(), 3);
        assert_eq!(throttle.take(&0, at(1_000)), Err(100));
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let throttle = Throttle::new(RULE);
        throttle.take(&"a", at(1_000_000)).unwrap();
        throttle.take(&"a", at(1_000_000)).unwrap();
        assert_eq!(throttle.take(&"a", at(1_000)), Ok(()));
        assert_eq!(throttle.take(&"a", at(1_000)), Ok(()));
        assert_eq!(throttle.take(&"a", at(1_000)), Err(100));
    }

    #[test]
    fn what_was_taken_for_nothing_is_given_back() {
        let throttle = Throttle::new(RULE);
        throttle.take(&"a", at(1_000)).unwrap();
        throttle.take(&"a", at(1_000)).unwrap();
        throttle.give_back(&"a", at(1_010));
        assert_eq!(throttle.take(&"a", at(1_010)), Ok(()));
        assert_eq!(throttle.take(&"a", at(1_010)), Err(90), "and no more than that");
        throttle.give_back(&"b", at(1_010));
        throttle.give_back(&"a", at(1_150));
        assert_eq!(throttle.len(), 0, "as if nothing had been");
    }

    #[test]
    fn success_clears() {
        let throttle = Throttle::new(RULE);
        throttle.take(&"a", at(1)).unwrap();
        throttle.take(&"a", at(1)).unwrap();
        throttle.forget(&"a");
        assert_eq!(throttle.take(&"a", at(1)), Ok(()));
    }
}
