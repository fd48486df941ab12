//! Values in numbered places.
//!
//! Owns numbers that stay the same while a value lives, so that a name is looked up once and then
//! never compared again. Places are used again in a fixed order: the same facts give the same ones.

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;

/// The place of a `T`.
pub(crate) struct Ix<T>(u32, PhantomData<fn() -> T>);

impl<T> Clone for Ix<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ix<T> {}

impl<T> PartialEq for Ix<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Ix<T> {}

impl<T> Ord for Ix<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<T> PartialOrd for Ix<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> fmt::Debug for Ix<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Values by place.
#[derive(Debug, Clone)]
pub(crate) struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, value: T) -> Ix<T> {
        if let Some(place) = self.free.pop()
            && let Some(slot) = self.places.get_mut(place as usize)
        {
            *slot = Some(value);
            return Ix(place, PhantomData);
        }
        let place = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.places.push(Some(value));
        Ix(place, PhantomData)
    }

    pub(crate) fn get(&self, ix: Ix<T>) -> Option<&T> {
        self.places.get(ix.0 as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, ix: Ix<T>) -> Option<&mut T> {
        self.places.get_mut(ix.0 as usize)?.as_mut()
    }

    pub(crate) fn remove(&mut self, ix: Ix<T>) -> Option<T> {
        let value = self.places.get_mut(ix.0 as usize)?.take();
        if value.is_some() {
            self.free.push(ix.0);
        }
        value
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ix<T>, &T)> {
        let places = self.places.iter().zip(0_u32..);
        places.filter_map(|(value, place)| Some((Ix(place, PhantomData), value.as_ref()?)))
    }
}
