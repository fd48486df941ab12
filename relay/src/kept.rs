//! What is remembered of somebody for a while: bounded, and never searched through as a whole.
//!
//! Each value has a time at which it no longer matters. What is over is forgotten with the next one
//! that is put in; when too many are not over yet, the one nearest to its end is, so a flood of fresh
//! keys can neither grow the memory nor free a key that is being held back for long.

use std::collections::{BTreeMap, BTreeSet};

/// Values by key, each until its end. Times are any numbers that grow.
#[derive(Debug)]
pub(crate) struct Kept<K, V> {
    values: BTreeMap<K, (u64, V)>,
    /// The same keys by their ends.
    ends: BTreeSet<(u64, K)>,
    keys_max: usize,
}

impl<K: Ord + Clone, V> Kept<K, V> {
    pub(crate) fn new(keys_max: usize) -> Self {
        Self { values: BTreeMap::new(), ends: BTreeSet::new(), keys_max }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let (end, value) = self.values.remove(key)?;
        self.ends.remove(&(end, key.clone()));
        Some(value)
    }

    /// Keeps `value` until `end`, in the place of what was kept for the key. An end after `latest` is
    /// of a clock that was set back since: such keys make room first.
    pub(crate) fn put(&mut self, key: K, end: u64, value: V, now: u64, latest: u64) {
        self.remove(&key);
        while self.ends.first().is_some_and(|(end, _)| *end <= now) {
            self.forget_first();
        }
        if self.values.len() >= self.keys_max {
            match self.ends.last() {
                Some((end, _)) if *end > latest => self.forget_last(),
                _ => self.forget_first(),
            }
        }
        self.ends.insert((end, key.clone()));
        self.values.insert(key, (end, value));
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.ends.pop_first() {
            self.values.remove(&key);
        }
    }

    fn forget_last(&mut self) {
        if let Some((_, key)) = self.ends.pop_last() {
            self.values.remove(&key);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        assert_eq!(self.values.len(), self.ends.len());
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_forgotten_and_what_ends_first_makes_room() {
        let mut kept = Kept::new(3);
        for (key, end) in [("a", 100), ("b", 300), ("c", 200)] {
            kept.put(key, end, end, 0, 1_000);
        }
        kept.put("d", 400, 400, 0, 1_000);
        assert_eq!((kept.get(&"a"), kept.get(&"c"), kept.len()), (None, Some(&200), 3));
        kept.put("e", 500, 500, 300, 1_000);
        assert_eq!((kept.get(&"b"), kept.get(&"d"), kept.len()), (None, Some(&400), 2));
        kept.put("d", 600, 601, 300, 1_000);
        assert_eq!((kept.get(&"d"), kept.len()), (Some(&601), 2));
        assert_eq!((kept.remove(&"d"), kept.remove(&"d"), kept.len()), (Some(601), None, 1));
    }

    #[test]
    fn what_a_clock_left_behind_makes_room_first() {
        let mut kept = Kept::new(2);
        kept.put("from a wrong future", 1_000_000, (), 999_000, 1_100_000);
        kept.put("a", 1_050, (), 1_000, 2_000);
        kept.put("b", 1_060, (), 1_000, 2_000);
        assert!(kept.get(&"from a wrong future").is_none());
        assert_eq!(kept.len(), 2);
    }
}
