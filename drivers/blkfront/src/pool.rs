//! Which pages of the pool are in use, as chains through one table: no page is allocated for each request, and none is freed.

use alloc::vec::Vec;

/// Pages that belong together, in order. Only its [`Pool`] can tell which they are.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// Meaningless if `len` is 0.
    first: u16,
    last: u16,
    len: u16,
}

impl Chain {
    pub(crate) fn len(&self) -> usize {
        self.len.into()
    }

    /// The first page, if there is one.
    pub(crate) fn first(&self) -> Option<u16> {
        (self.len > 0).then_some(self.first)
    }
}

/// The table. Each page is in exactly one chain.
#[derive(Debug)]
pub(crate) struct Pool {
    /// For each page the next one of its chain; meaningless for a chain's last.
    next: Vec<u16>,
    free: Chain,
}

impl Pool {
    /// `pages` free pages, at least one and at most 65,535.
    pub(crate) fn new(pages: u16) -> Self {
        Self {
            next: (1..=pages).collect(),
            free: Chain {
                first: 0,
                last: pages.saturating_sub(1),
                len: pages,
            },
        }
    }

    /// How many pages there are.
    pub(crate) fn pages(&self) -> usize {
        self.next.len()
    }

    /// How many are free.
    pub(crate) fn free(&self) -> usize {
        self.free.len()
    }

    /// Takes `count` free pages, if there are so many.
    pub(crate) fn take(&mut self, count: usize) -> Option<Chain> {
        if count > self.free() {
            return None;
        }
        let mut taken = Chain::default();
        if count == 0 {
            return Some(taken);
        }
        taken.first = self.free.first;
        taken.last = taken.first;
        for _ in 1..count {
            taken.last = self.next(taken.last);
        }
        // No more than the pool has pages.
        taken.len = count as u16;
        self.free.first = self.next(taken.last);
        self.free.len -= taken.len;
        Some(taken)
    }

    /// Gives pages back.
    pub(crate) fn give(&mut self, chain: Chain) {
        let free = core::mem::take(&mut self.free);
        self.free = self.joined(free, chain);
    }

    /// Both chains, one after the other.
    pub(crate) fn joined(&mut self, first: Chain, second: Chain) -> Chain {
        match (first.len, second.len) {
            (_, 0) => first,
            (0, _) => second,
            (one, other) => {
                self.next[usize::from(first.last)] = second.first;
                Chain {
                    first: first.first,
                    last: second.last,
                    len: one + other,
                }
            }
        }
    }

    /// The page after `page` in its chain.
    pub(crate) fn next(&self, page: u16) -> u16 {
        self.next[usize::from(page)]
    }

    /// The pages of a chain.
    pub(crate) fn iter(&self, chain: &Chain) -> impl Iterator<Item = usize> {
        let mut page = chain.first;
        (0..chain.len).map(move |_| {
            let this = page;
            page = self.next.get(usize::from(this)).copied().unwrap_or(0);
            usize::from(this)
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn no_page_is_in_two_chains(steps in prop::collection::vec((any::<bool>(), 0usize..12), 0..200)) {
            let mut pool = Pool::new(32);
            let mut chains = Vec::new();
            for (take, count) in steps {
                if take {
                    let free = pool.free();
                    match pool.take(count) {
                        Some(chain) => { prop_assert_eq!(chain.len(), count); chains.push(chain); }
                        None => prop_assert!(count > free),
                    }
                } else if !chains.is_empty() {
                    let chain = chains.swap_remove(count % chains.len());
                    pool.give(chain);
                }
                let used: Vec<usize> = chains.iter().flat_map(|chain| pool.iter(chain)).collect();
                let distinct: BTreeSet<_> = used.iter().collect();
                prop_assert_eq!(distinct.len(), used.len());
                prop_assert_eq!(used.len() + pool.free(), 32);
            }
            for chain in chains { pool.give(chain); }
            prop_assert!(pool.take(32).is_some() && pool.take(1).is_none());
        }
    }
}
