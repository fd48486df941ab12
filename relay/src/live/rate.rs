//! How often something may happen: token buckets without a clock, and those of one person.

use parking_lot::Mutex;

use super::machine::Class;
use crate::limits::{COMMANDS_RATE, HELLOS_RATE, PREVIEWS_RATE, Rate};

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

    /// From then on it is as if nothing had ever been taken.
    pub(crate) fn empty_at_ms(&self) -> u64 {
        self.empty_at_us.div_ceil(1_000)
    }
}

/// The rates of one person, on all sockets together, those that are gone included.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<Buckets>);

#[derive(Debug, Default)]
struct Buckets {
    hellos: Bucket,
    messages: Bucket,
    ephemerals: Bucket,
    others: Bucket,
}

impl Rates {
    /// Counts one, or says after how many milliseconds there is room.
    pub(crate) fn take(&self, class: Class, now_ms: u64, messages: Rate) -> Result<(), u32> {
        let mut buckets = self.0.lock();
        match class {
            Class::Hello => buckets.hellos.take(now_ms, HELLOS_RATE),
            Class::Message => buckets.messages.take(now_ms, messages),
            Class::Ephemeral => buckets.ephemerals.take(now_ms, PREVIEWS_RATE),
            Class::Other => buckets.others.take(now_ms, COMMANDS_RATE),
        }
    }

    /// From then on they are as if new.
    pub(crate) fn empty_at_ms(&self) -> u64 {
        let Buckets { hellos, messages, ephemerals, others } = &*self.0.lock();
        let all = [hellos, messages, ephemerals, others];
        all.iter().map(|bucket| bucket.empty_at_ms()).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use yingke_shared::ids::{AgentId, SiteId, VisitorId};
    use yingke_shared::views::Role;

    use super::{Bucket, Rates};
    use crate::auth::TokenHash;
    use crate::limits::{HELLOS_RATE, Rate};
    use crate::live::hub::{Hub, Registration};
    use crate::live::machine::Class;
    use crate::live::mailbox::Mailbox;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let rate = Rate { burst: 3, per_second: 10 };
        let mut bucket = Bucket::default();
        assert_eq!([(); 4].map(|()| bucket.take(5_000, rate)), [Ok(()), Ok(()), Ok(()), Err(100)]);
        assert_eq!(bucket.take(5_099, rate), Err(1));
        assert_eq!(bucket.take(5_100, rate), Ok(()));
        assert_eq!(bucket.take(5_100, rate), Err(100));
        assert_eq!(bucket.empty_at_ms(), 5_400);
    }

    #[test]
    fn a_pause_gives_no_more_than_the_burst() {
        let rate = Rate { burst: 2, per_second: 5 };
        let mut bucket = Bucket::default();
        bucket.take(0, rate).unwrap();
        assert_eq!([(); 3].map(|()| bucket.take(60_000, rate)), [Ok(()), Ok(()), Err(200)]);
    }

    #[test]
    fn previews_are_five_a_second_and_cost_no_messages() {
        let rates = Rates::default();
        let messages = Rate::of_messages(10);
        let take = |class, now_ms| rates.take(class, now_ms, messages);
        assert_eq!((0..20).filter(|_| take(Class::Ephemeral, 1).is_ok()).count(), 5);
        assert_eq!(take(Class::Ephemeral, 201), Ok(()));
        assert_eq!(take(Class::Ephemeral, 201), Err(200));
        assert_eq!((0..30).filter(|_| take(Class::Message, 201).is_ok()).count(), 20);
        assert_eq!(rates.empty_at_ms(), 2_201);
    }

    fn vera(hub: &Hub) -> Registration {
        let (vera, shop) = (VisitorId::new("vera").unwrap(), SiteId::new("shop").unwrap());
        hub.join_visitor(&vera, &shop, &Arc::new(Mailbox::default()))
    }

    fn ana(hub: &Hub) -> Registration {
        let ana = AgentId::new("ana").unwrap();
        hub.join_staff(&ana, Role::Agent, &TokenHash::of("t"), &Arc::new(Mailbox::default()))
    }

    /// So slow that none comes back while a test runs.
    const FEW: Rate = Rate { burst: 2_000, per_second: 1 };

    /// Whoever reconnected had a full bucket again.
    #[test]
    fn coming_back_gives_nobody_more() {
        let hub = Hub::new();
        for join in [vera, ana] {
            let place = join(&hub);
            for _ in 0..FEW.burst {
                place.take(Class::Message, FEW).unwrap();
            }
            assert!(place.take(Class::Message, FEW).is_err());
            let second = join(&hub);
            assert!(second.take(Class::Message, FEW).is_err(), "all sockets together");
            drop((place, second));
            let back = join(&hub);
            assert!(back.take(Class::Message, FEW).is_err());
            assert!(back.take(Class::Other, FEW).is_ok(), "other rates are others");
        }
    }

    #[test]
    fn hellos_are_counted_for_the_person() {
        let hub = Hub::new();
        let mut passed = 0;
        while vera(&hub).take(Class::Hello, FEW).is_ok() {
            passed += 1;
        }
        // Some more came meanwhile.
        assert!((HELLOS_RATE.burst..2 * HELLOS_RATE.burst).contains(&passed), "{passed}");
        assert!(ana(&hub).take(Class::Hello, FEW).is_ok(), "another person is another rate");
    }

    #[test]
    fn hellos_are_counted_for_the_address_whoever_comes_and_goes() {
        let hub = Hub::new();
        let here = "198.51.100.7".parse().unwrap();
        let there = "198.51.100.8".parse().unwrap();
        let rate = Rate { burst: 3, per_second: 1 };
        for _ in 0..3 {
            hub.admit(here, 1).map_err(|_| ()).unwrap().take_hello(rate).unwrap();
        }
        let wait = hub.admit(here, 1).map_err(|_| ()).unwrap().take_hello(rate).unwrap_err();
        assert!((1..=1_000).contains(&wait), "{wait}");
        hub.admit(there, 1).map_err(|_| ()).unwrap().take_hello(rate).unwrap();
    }

    /// Ten thousand sockets behind one address that all come back at once, twice.
    #[test]
    fn a_storm_from_one_address_passes() {
        let hub = Hub::new();
        let here = "198.51.100.7".parse().unwrap();
        for _ in 0..20_000 {
            let admission = hub.admit(here, 10_000).map_err(|_| ()).unwrap();
            admission.take_hello(Rate::of_hellos(10_000)).unwrap();
        }
    }
}
