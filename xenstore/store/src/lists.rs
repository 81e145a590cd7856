//! Lists of permissions, each of them kept once: many nodes have the same.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::entry::{Entries, Entry};

/// Lists that are kept before it is first looked which of them no node has any more. (Few: a daemon whose guests come and go holds so many for nobody.)
const FIRST_LOOK: usize = 16;

/// Longer lists are not looked for.
const LONG: usize = 16;

/// The lists that clients have set.
#[derive(Debug)]
pub(crate) struct Lists {
    known: BTreeSet<Entries>,
    /// With so many, those that no node has go.
    look_at: usize,
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            known: BTreeSet::new(),
            look_at: FIRST_LOOK,
        }
    }
}

impl Lists {
    /// The list, shared with whoever has the same.
    pub(crate) fn shared(&mut self, list: Vec<Entry>) -> Entries {
        if list.len() > LONG {
            return list.into();
        }
        if let Some(known) = self.known.get(&*list) {
            return known.clone();
        }
        if self.known.len() >= self.look_at {
            self.known.retain(Entries::is_shared);
            self.look_at = FIRST_LOOK.max(2 * self.known.len());
        }
        let list = Entries::from(list);
        self.known.insert(list.clone());
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use morgana_hal::DomId;

    #[test]
    fn equal_lists_are_one_and_those_that_nobody_has_go() {
        let mut lists = Lists::default();
        let list = |number| vec![Entry::private(DomId::new(number))];
        let kept: Vec<Entries> = (0..100).map(|number| lists.shared(list(number))).collect();
        for (number, one) in kept.iter().enumerate() {
            assert!(core::ptr::eq::<[Entry]>(
                &**one,
                &*lists.shared(list(number as u16))
            ));
        }
        for number in 100..5000 {
            lists.shared(list(number));
            assert!(lists.known.len() <= 2 * 100 + 1);
        }
        drop(kept);
        for number in 0..500 {
            lists.shared(list(number));
        }
        assert!(lists.known.len() <= FIRST_LOOK);
    }
}
