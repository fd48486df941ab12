//! Many readings of one thing: the middle one, the smallest and the largest, percentiles.

use serde::Serialize;

/// The middle one, with the smallest and the largest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Spread {
    pub(super) fn of(readings: impl IntoIterator<Item = f64>) -> Self {
        let mut all: Vec<f64> = readings.into_iter().collect();
        all.sort_by(f64::total_cmp);
        let [median, least, most] = [0.5, 0.0, 1.0].map(|share| nearest(&all, share));
        Self { median, least, most }
    }

    /// The same where there may be none.
    pub(super) fn of_any(readings: Vec<f64>) -> Option<Self> {
        (!readings.is_empty()).then(|| Self::of(readings))
    }
}

/// The smallest reading that at least this share does not exceed; zero if there are none. `sorted`
/// is in order.
pub(super) fn nearest<T: Copy + Default>(sorted: &[T], share: f64) -> T {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list"
    )]
    let place = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// Times in nanoseconds, as milliseconds at the usual percentiles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) most: f64,
}

impl Percentiles {
    pub(super) fn of(mut nanos: Vec<u64>) -> Self {
        nanos.sort_unstable();
        let [p50, p99, p999, most] =
            [0.5, 0.99, 0.999, 1.0].map(|share| nearest(&nanos, share) as f64 / 1e6);
        Self { p50, p99, p999, most }
    }

    /// Each percentile's median over rounds.
    pub(super) fn middle(rounds: &[Self]) -> Self {
        let middle = |of: fn(&Self) -> f64| Spread::of(rounds.iter().map(of)).median;
        Self {
            p50: middle(|round| round.p50),
            p99: middle(|round| round.p99),
            p999: middle(|round| round.p999),
            most: middle(|round| round.most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_readings_that_were_made() {
        let nanos = (1..=1_000).rev().map(|n| n * 1_000_000).collect();
        let found = Percentiles::of(nanos);
        assert_eq!(found, Percentiles { p50: 500.0, p99: 990.0, p999: 999.0, most: 1_000.0 });
        assert_eq!(Percentiles::of(Vec::new()), Percentiles::default());
        assert_eq!(Percentiles::of(vec![7_000_000]).p999, 7.0);
    }

    #[test]
    fn a_spread_has_its_middle_between_its_ends() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!(spread, Spread { median: 2.0, least: 1.0, most: 3.0 });
    }
}
