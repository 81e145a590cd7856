//! An ordered map that is a value: a clone costs one reference, and a change copies only what is on the way to it.
//!
//! A B+ tree of shared blocks. Blocks that became small are not joined; one that became empty goes.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::slice;

/// Entries of a block, at most. What a change copies is so many entries for each level.
const FULL: usize = 32;

#[derive(Clone, Debug)]
pub(crate) struct Map<K, V>(Option<Rc<Block<K, V>>>);

/// All leaves are equally far from the root.
#[derive(Clone, Debug)]
enum Block<K, V> {
    Leaf(Vec<(K, V)>),
    /// The blocks below. Each but the first has keys from the one that stands with it on.
    Inner(Vec<Below<K, V>>),
}

type Below<K, V> = (K, Rc<Block<K, V>>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K, V> Map<K, V> {
    /// The entries, by key.
    pub(crate) fn iter(&self) -> Iter<'_, K, V> {
        let mut iter = Iter {
            above: Vec::new(),
            leaf: [].iter(),
        };
        if let Some(root) = &self.0 {
            iter.descend(root);
        }
        iter
    }

    /// Takes the map apart, and hands out the values that no other map shares.
    pub(crate) fn take_apart(self, mut each: impl FnMut(V)) {
        let mut waiting = vec![];
        waiting.extend(self.0);
        while let Some(block) = waiting.pop() {
            match Rc::into_inner(block) {
                Some(Block::Leaf(entries)) => {
                    entries.into_iter().for_each(|(_, value)| each(value))
                }
                Some(Block::Inner(blocks)) => {
                    waiting.extend(blocks.into_iter().map(|(_, block)| block));
                }
                None => {}
            }
        }
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut block = self.0.as_deref()?;
        loop {
            match block {
                Block::Inner(blocks) => block = &blocks[at_or_below(blocks, key)].1,
                Block::Leaf(entries) => {
                    let at = find(entries, key).ok()?;
                    return Some(&entries[at].1);
                }
            }
        }
    }
}

impl<K: Clone, V: Clone> Map<K, V> {
    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        // Nothing is copied if there is no such entry.
        self.get(key)?;
        let mut block = Rc::make_mut(self.0.as_mut()?);
        loop {
            match block {
                Block::Inner(blocks) => {
                    let at = at_or_below(blocks, key);
                    block = Rc::make_mut(&mut blocks[at].1);
                }
                Block::Leaf(entries) => {
                    let at = find(entries, key).ok()?;
                    return Some(&mut entries[at].1);
                }
            }
        }
    }

    /// Puts an entry in, or another value to a key that is there.
    pub(crate) fn insert(&mut self, key: K, value: V)
    where
        K: Ord,
    {
        let Some(root) = &mut self.0 else {
            self.0 = Some(Rc::new(Block::Leaf(vec![(key, value)])));
            return;
        };
        let first = root.first_key().clone();
        if let Some((middle, right)) = Rc::make_mut(root).insert(key, value) {
            let left = root.clone();
            *root = Rc::new(Block::Inner(vec![(first, left), (middle, right)]));
        }
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
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

impl<K, V> Block<K, V> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Leaf(entries) => entries.is_empty(),
            Self::Inner(blocks) => blocks.is_empty(),
        }
    }

    /// A key of the block that is not above any other. No block of a map is empty.
    fn first_key(&self) -> &K {
        match self {
            Self::Leaf(entries) => &entries[0].0,
            Self::Inner(blocks) => &blocks[0].0,
        }
    }
}

impl<K: Clone, V: Clone> Block<K, V> {
    /// Returns the upper half, and where it begins, if the block was full. Calls itself as deep as the tree is.
    fn insert(&mut self, key: K, value: V) -> Option<(K, Rc<Self>)>
    where
        K: Ord,
    {
        match self {
            Self::Leaf(entries) => {
                match find(entries, &key) {
                    Ok(at) => entries[at].1 = value,
                    Err(at) => {
                        // Most nodes have few children: room for those that there are.
                        entries.reserve_exact(1 + entries.len() / 2);
                        entries.insert(at, (key, value));
                    }
                }
                split(entries).map(|(key, upper)| (key, Rc::new(Self::Leaf(upper))))
            }
            Self::Inner(blocks) => {
                let at = at_or_below(blocks, &key);
                let upper = Rc::make_mut(&mut blocks[at].1).insert(key, value)?;
                blocks.insert(at + 1, upper);
                split(blocks).map(|(key, upper)| (key, Rc::new(Self::Inner(upper))))
            }
        }
    }

    fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Leaf(entries) => {
                let at = find(entries, key).ok()?;
                Some(entries.remove(at).1)
            }
            Self::Inner(blocks) => {
                let at = at_or_below(blocks, key);
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
fn split<K: Clone, T>(entries: &mut Vec<(K, T)>) -> Option<(K, Vec<(K, T)>)> {
    if entries.len() <= FULL {
        return None;
    }
    let upper = entries.split_off(FULL * 3 / 4);
    entries.shrink_to_fit();
    Some((upper[0].0.clone(), upper))
}

fn find<K: Borrow<Q>, Q: Ord + ?Sized, V>(entries: &[(K, V)], key: &Q) -> Result<usize, usize> {
    entries.binary_search_by(|(other, _)| other.borrow().cmp(key))
}

/// Which of the blocks has the key, if any has. There is one at least.
fn at_or_below<K: Borrow<Q>, Q: Ord + ?Sized, V>(blocks: &[(K, V)], key: &Q) -> usize {
    let after = blocks.partition_point(|(first, _)| first.borrow() <= key);
    after.saturating_sub(1)
}

/// The entries, by key.
#[derive(Debug)]
pub(crate) struct Iter<'a, K, V> {
    /// The blocks still to come, of each level.
    above: Vec<slice::Iter<'a, Below<K, V>>>,
    leaf: slice::Iter<'a, (K, V)>,
}

impl<'a, K, V> Iter<'a, K, V> {
    fn descend(&mut self, mut block: &'a Block<K, V>) {
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

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.leaf.next() {
                return Some((key, value));
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

    fn entries(map: &Map<u16, u32>) -> Vec<(u16, u32)> {
        map.iter().map(|(&key, &value)| (key, value)).collect()
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
                        map.insert(key, value);
                        plain.insert(key, value);
                    }
                    2 => prop_assert_eq!(map.remove(&key), plain.remove(&key)),
                    _ => {
                        if let Some(changed) = map.get_mut(&key) {
                            *changed = value;
                        }
                        plain.entry(key).and_modify(|changed| *changed = value);
                        prop_assert_eq!(map.get(&key), plain.get(&key));
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
            map.insert(key, u32::from(key));
        }
        for key in (0..5000).rev() {
            assert_eq!(map.remove(&key), Some(u32::from(key)));
        }
        assert!(map.0.is_none());
        map.insert(1, 1);
        assert_eq!(entries(&map), [(1, 1)]);
    }

    #[test]
    fn what_is_taken_apart_is_what_nobody_shares() {
        let mut map: Map<u16, Rc<u16>> = Map::default();
        for key in 0..100 {
            map.insert(key, Rc::new(key));
        }
        let clone = map.clone();
        map.take_apart(|_| panic!("it is shared"));
        let mut taken = 0;
        clone.take_apart(|_| taken += 1);
        assert_eq!(taken, 100);
    }
}
