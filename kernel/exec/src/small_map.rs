//! A map for few entries.

use alloc::vec::Vec;

/// A map that looks at all its entries in turn. For dozens of them that is as fast as a search tree, of which every type of entry costs an
/// image about 6 KiB of code.
#[derive(Clone, Debug)]
pub struct SmallMap<K, V>(Vec<(K, V)>);

impl<K: Eq, V> SmallMap<K, V> {
    /// An empty map; allocates nothing.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the key has an entry.
    pub fn contains_key(&self, key: &K) -> bool {
        self.index(key).is_some()
    }

    /// The key's value.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.index(key).map(|index| &self.0[index].1)
    }

    /// The key's value, to change.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.index(key).map(|index| &mut self.0[index].1)
    }

    /// Sets the key's value, and returns the one that it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.get_mut(&key) {
            Some(old) => Some(core::mem::replace(old, value)),
            None => {
                self.0.push((key, value));
                None
            }
        }
    }

    /// Takes the key's entry out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let index = self.index(key)?;
        Some(self.0.swap_remove(index).1)
    }

    /// Keeps the entries for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    /// All values, in no particular order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// All entries, in no particular order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    fn index(&self, key: &K) -> Option<usize> {
        self.0.iter().position(|(own, _)| own == key)
    }
}

impl<K: Eq, V> Default for SmallMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0u8..4, 0u8..8, 0u16..), 0..60)) {
            let (mut small, mut model) = (SmallMap::new(), BTreeMap::new());
            for (what, key, value) in steps {
                match what {
                    0 | 1 => prop_assert_eq!(small.insert(key, value), model.insert(key, value)),
                    2 => prop_assert_eq!(small.remove(&key), model.remove(&key)),
                    _ => {
                        small.retain(|key, _| key % 3 != 0);
                        model.retain(|key, _| key % 3 != 0);
                    }
                }
                prop_assert_eq!(small.len(), model.len());
                prop_assert_eq!(small.get(&key), model.get(&key));
                prop_assert_eq!(small.contains_key(&key), model.contains_key(&key));
                let mut all: std::vec::Vec<_> = small.iter_mut().map(|(k, v)| (*k, *v)).collect();
                all.sort_unstable();
                prop_assert!(all.into_iter().eq(model.iter().map(|(k, v)| (*k, *v))));
            }
        }
    }
}
