//! An ordered map that is a value: a clone costs one reference, and a change copies only what is on the way to it.
//!
//! A B+ tree of shared blocks, with the entries themselves in the lowest ones. Blocks that became small are not joined; one that became
//! empty goes.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt::Debug;
use core::slice;

/// Entries of a block, at most; what a change copies is so many for each level. Full blocks of nodes, and such as are left behind by
/// entries that come in order, are what heaps give out without rounding: 1,344 and 1,008 bytes.
const FULL: usize = 28;

/// What a map holds: each entry has its own key.
pub(crate) trait Keyed: Clone {
    type Key: Ord + ?Sized;
    /// A key by itself, as blocks above blocks have it.
    type Bound: Borrow<Self::Key> + Clone + Debug;

    fn key(&self) -> &Self::Key;

    fn bound(&self) -> Self::Bound;
}

#[derive(Debug)]
pub(crate) struct Map<E: Keyed>(Option<Rc<Block<E>>>);

/// All leaves are equally far from the root.
#[derive(Clone, Debug)]
enum Block<E: Keyed> {
    Leaf(Vec<E>),
    /// The blocks below. Each but the first has keys from the one that stands with it on.
    Inner(Vec<Below<E>>),
}

type Below<E> = (<E as Keyed>::Bound, Rc<Block<E>>);

impl<E: Keyed> Clone for Map<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E: Keyed> Default for Map<E> {
    fn default() -> Self {
        Self(None)
    }
}

impl<E: Keyed> Map<E> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether nobody has changed one of the two since one was the other's clone.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Rc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }

    /// The entries, by key.
    pub(crate) fn iter(&self) -> Iter<'_, E> {
        let mut iter = Iter {
            above: Vec::new(),
            leaf: [].iter(),
        };
        if let Some(root) = &self.0 {
            iter.descend(root);
        }
        iter
    }

    /// Takes the map apart, and hands out the entries that no other map shares.
    pub(crate) fn take_apart(self, mut each: impl FnMut(E)) {
        let mut above = Vec::new();
        let mut next = self.0;
        while let Some(block) = next.take().or_else(|| above.pop()) {
            match Rc::into_inner(block) {
                Some(Block::Leaf(entries)) => entries.into_iter().for_each(&mut each),
                Some(Block::Inner(blocks)) => {
                    above.extend(blocks.into_iter().map(|(_, block)| block));
                }
                None => {}
            }
        }
    }

    pub(crate) fn get(&self, key: &E::Key) -> Option<&E> {
        let mut block = self.0.as_deref()?;
        loop {
            match block {
                Block::Inner(blocks) => block = &blocks[at_or_below::<E>(blocks, key)].1,
                Block::Leaf(entries) => return Some(&entries[find(entries, key).ok()?]),
            }
        }
    }

    /// The entry, which is there, for changes; its key is to stay.
    pub(crate) fn get_mut(&mut self, key: &E::Key) -> Option<&mut E> {
        let mut block = Rc::make_mut(self.0.as_mut()?);
        loop {
            match block {
                Block::Inner(blocks) => {
                    let at = at_or_below::<E>(blocks, key);
                    block = Rc::make_mut(&mut blocks[at].1);
                }
                Block::Leaf(entries) => {
                    let at = find(entries, key).ok()?;
                    return Some(&mut entries[at]);
                }
            }
        }
    }

    /// Puts an entry in, in place of one that has the same key.
    pub(crate) fn insert(&mut self, entry: E) {
        let Some(root) = &mut self.0 else {
            self.0 = Some(Rc::new(Block::Leaf(vec![entry])));
            return;
        };
        if let Some(upper) = Rc::make_mut(root).insert(entry) {
            let lower = (root.bound(), root.clone());
            *root = Rc::new(Block::Inner(vec![lower, upper]));
        }
    }

    pub(crate) fn remove(&mut self, key: &E::Key) -> Option<E> {
        self.get(key)?;
        let root = self.0.as_mut()?;
        let removed = Rc::make_mut(root).remove(key);
        while let Block::Inner(blocks) = &**root
            && let [(_, only)] = &blocks[..]
        {
            *root = only.clone();
        }
        if root.is_empty() {
            self.0 = None;
        }
        removed
    }
}

impl<E: Keyed> Block<E> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Leaf(entries) => entries.is_empty(),
            Self::Inner(blocks) => blocks.is_empty(),
        }
    }

    /// A key that is not above any other of the block. No block of a map is empty.
    fn bound(&self) -> E::Bound {
        match self {
            Self::Leaf(entries) => entries[0].bound(),
            Self::Inner(blocks) => blocks[0].0.clone(),
        }
    }

    /// Returns the upper half, and where it begins, if the block was full. Calls itself as deep as the tree is.
    fn insert(&mut self, entry: E) -> Option<Below<E>> {
        match self {
            Self::Leaf(entries) => {
                match find(entries, entry.key()) {
                    Ok(at) => entries[at] = entry,
                    Err(at) => {
                        // Most nodes have few children, so there is room for no more than those.
                        entries.reserve_exact(1);
                        entries.insert(at, entry);
                    }
                }
                let upper = split(entries)?;
                Some((upper[0].bound(), Rc::new(Self::Leaf(upper))))
            }
            Self::Inner(blocks) => {
                let at = at_or_below::<E>(blocks, entry.key());
                let upper = Rc::make_mut(&mut blocks[at].1).insert(entry)?;
                blocks.insert(at + 1, upper);
                let upper = split(blocks)?;
                Some((upper[0].0.clone(), Rc::new(Self::Inner(upper))))
            }
        }
    }

    fn remove(&mut self, key: &E::Key) -> Option<E> {
        match self {
            Self::Leaf(entries) => {
                let at = find(entries, key).ok()?;
                let removed = entries.remove(at);
                if entries.len() <= entries.capacity() / 2 {
                    entries.shrink_to_fit();
                }
                Some(removed)
            }
            Self::Inner(blocks) => {
                let at = at_or_below::<E>(blocks, key);
                let below = Rc::make_mut(&mut blocks[at].1);
                let removed = below.remove(key);
                if below.is_empty() {
                    blocks.remove(at);
                }
                removed
            }
        }
    }
}

/// Takes the upper half of what is too much. Of entries that come in order, the lower part stays nearly full.
fn split<T>(entries: &mut Vec<T>) -> Option<Vec<T>> {
    if entries.len() <= FULL {
        return None;
    }
    let upper = entries.split_off(FULL * 3 / 4);
    entries.shrink_to_fit();
    Some(upper)
}

fn find<E: Keyed>(entries: &[E], key: &E::Key) -> Result<usize, usize> {
    entries.binary_search_by(|other| other.key().cmp(key))
}

/// Which of the blocks has the key, if any has. There is one at least.
fn at_or_below<E: Keyed>(blocks: &[Below<E>], key: &E::Key) -> usize {
    let after = blocks.partition_point(|(first, _)| first.borrow() <= key);
    after.saturating_sub(1)
}

/// The entries, by key.
#[derive(Debug)]
pub(crate) struct Iter<'a, E: Keyed> {
    /// The blocks still to come, of each level.
    above: Vec<slice::Iter<'a, Below<E>>>,
    leaf: slice::Iter<'a, E>,
}

impl<'a, E: Keyed> Iter<'a, E> {
    fn descend(&mut self, mut block: &'a Block<E>) {
        loop {
            match block {
                Block::Leaf(entries) => {
                    self.leaf = entries.iter();
                    return;
                }
                Block::Inner(blocks) => {
                    let mut rest = blocks.iter();
                    let Some((_, first)) = rest.next() else {
                        return;
                    };
                    self.above.push(rest);
                    block = first;
                }
            }
        }
    }
}

impl<'a, E: Keyed> Iterator for Iter<'a, E> {
    type Item = &'a E;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.leaf.next() {
                return Some(entry);
            }
            match self.above.last_mut()?.next() {
                Some((_, block)) => self.descend(block),
                None => drop(self.above.pop()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    impl<V: Clone> Keyed for (u16, V) {
        type Key = u16;
        type Bound = u16;

        fn key(&self) -> &u16 {
            &self.0
        }

        fn bound(&self) -> u16 {
            self.0
        }
    }

    fn entries(map: &Map<(u16, u32)>) -> Vec<(u16, u32)> {
        map.iter().copied().collect()
    }

    proptest! {
        #[test]
        fn it_is_as_a_plain_map_and_its_clones_stay_as_they_were(
            steps in proptest::collection::vec((0..4u8, 0..600u16, any::<u32>()), 0..2000),
        ) {
            let mut plain = BTreeMap::new();
            let mut map = Map::default();
            let mut kept = Vec::new();
            for (what, key, value) in steps {
                match what {
                    0 | 1 => {
                        map.insert((key, value));
                        plain.insert(key, value);
                    }
                    2 => {
                        let removed = map.remove(&key).map(|(_, value)| value);
                        prop_assert_eq!(removed, plain.remove(&key));
                    },
                    _ => {
                        if let Some(changed) = map.get_mut(&key) {
                            changed.1 = value;
                        }
                        plain.entry(key).and_modify(|changed| *changed = value);
                        prop_assert_eq!(map.get(&key).map(|entry| &entry.1), plain.get(&key));
                        if value % 16 == 0 {
                            kept.push((map.clone(), entries(&map)));
                        }
                    }
                }
            }
            prop_assert_eq!(entries(&map), plain.into_iter().collect::<Vec<_>>());
            for (map, then) in kept {
                prop_assert_eq!(entries(&map), then);
            }
        }
    }

    #[test]
    fn an_emptied_map_begins_anew() {
        let mut map = Map::default();
        for key in 0..5000u16 {
            map.insert((key, u32::from(key)));
        }
        for key in (0..5000).rev() {
            assert_eq!(map.remove(&key), Some((key, u32::from(key))));
        }
        assert!(map.is_empty());
        map.insert((1, 1));
        assert_eq!(entries(&map), [(1, 1)]);
    }

    #[test]
    fn what_is_taken_apart_is_what_nobody_shares() {
        let mut map: Map<(u16, Rc<u16>)> = Map::default();
        for key in 0..100 {
            map.insert((key, Rc::new(key)));
        }
        let clone = map.clone();
        map.take_apart(|_| panic!("it is shared"));
        let mut taken = 0;
        clone.take_apart(|_| taken += 1);
        assert_eq!(taken, 100);
    }
}
