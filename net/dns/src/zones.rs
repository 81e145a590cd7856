//! The zones of a server.

use alloc::rc::Rc;
use alloc::vec::Vec;

use crate::key::{Key, ends};
use crate::name::Name;
use crate::zone::Zone;

/// A set of zones, each once. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Zones(
    /// Sorted by their keys.
    Vec<Rc<Zone>>,
);

impl Zones {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a zone. One of the same name is replaced, and returned.
    pub fn insert(&mut self, zone: impl Into<Rc<Zone>>) -> Option<Rc<Zone>> {
        let zone = zone.into();
        match self.0.binary_search_by(|one| one.key().cmp(zone.key())) {
            Ok(place) => Some(core::mem::replace(&mut self.0[place], zone)),
            Err(place) => {
                self.0.insert(place, zone);
                None
            }
        }
    }

    /// The zone of exactly that name.
    pub fn get(&self, origin: &Name) -> Option<&Rc<Zone>> {
        self.exact(Key::of(origin.wire()).as_bytes())
    }

    /// All zones, in canonical order.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<Zone>> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn exact(&self, key: &[u8]) -> Option<&Rc<Zone>> {
        let place = self.0.binary_search_by(|one| one.key().cmp(key)).ok()?;
        self.0.get(place)
    }

    /// The zone that has the longest part of a name.
    pub(crate) fn longest(&self, name: &[u8]) -> Option<&Rc<Zone>> {
        let key = Key::of(name);
        let key = key.as_bytes();
        if let [only] = &self.0[..] {
            return key.starts_with(only.key()).then_some(only);
        }
        let mut best = self.exact(b"");
        for end in ends(key) {
            if let Some(zone) = self.exact(&key[..end]) {
                best = Some(zone);
            }
        }
        best
    }
}

impl FromIterator<Zone> for Zones {
    fn from_iter<I: IntoIterator<Item = Zone>>(zones: I) -> Self {
        let mut all = Self::new();
        for zone in zones {
            all.insert(zone);
        }
        all
    }
}
