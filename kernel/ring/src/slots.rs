//! The table of what is in flight: ids that go to the peer and come back, or do not, or come twice.

use alloc::vec::Vec;
use core::fmt;

/// The largest capacity of [`Slots`]: it leaves an id two bits to tell a slot's uses apart.
pub const MAX_SLOTS: usize = 1 << 14;

/// A table of fixed capacity that gives each value an id of 16 bits.
///
/// An id consists of a slot's number and of its generation, which changes at every use: an id that is given back a second time, or was
/// never given out, is an error until the slot has gone through all its generations (2^16 / capacity uses). Slots are used in turn,
/// the one that has been free for longest first. All memory is allocated at the beginning.
#[derive(Debug)]
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// How many low bits of an id are the slot's number.
    index_bits: u32,
    /// The free slots, as a list through `Slot::Free`; meaningless when `len` is the capacity.
    first_free: u16,
    last_free: u16,
    len: usize,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u16,
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    /// With the next free slot (meaningless in the last one).
    Free(u16),
    Used(T),
}

/// Why an id does not name a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotError {
    /// No slot has this number.
    Unknown,
    /// The slot is not in use, or it is by another value: the id was given back already, or is made up.
    Stale,
}

impl fmt::Display for SlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the id was never given out",
            Self::Stale => "the id is not in flight (any more)",
        })
    }
}

impl core::error::Error for SlotError {}

impl<T> Slots<T> {
    /// An empty table for `capacity` values.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0 or more than [`MAX_SLOTS`].
    pub fn new(capacity: usize) -> Self {
        assert!(
            (1..=MAX_SLOTS).contains(&capacity),
            "a slot table has 1 to {MAX_SLOTS} slots"
        );
        let slots = (0..capacity)
            .map(|index| Slot {
                generation: 0,
                state: State::Free((index + 1) as u16),
            })
            .collect();
        Self {
            slots,
            index_bits: capacity.next_power_of_two().trailing_zeros(),
            first_free: 0,
            last_free: (capacity - 1) as u16,
            len: 0,
        }
    }

    /// How many values there can be.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether there is no room for another.
    pub fn is_full(&self) -> bool {
        self.len == self.capacity()
    }

    /// Keeps a value and gives its id.
    ///
    /// # Errors
    ///
    /// The value itself, if the table is full.
    pub fn insert(&mut self, value: T) -> Result<u16, T> {
        if self.is_full() {
            return Err(value);
        }
        let index = self.first_free;
        let slot = &mut self.slots[usize::from(index)];
        if let State::Free(next) = slot.state {
            self.first_free = next;
        }
        slot.state = State::Used(value);
        self.len += 1;
        Ok(Self::id(self.index_bits, index, slot.generation))
    }

    /// The value with this id.
    ///
    /// # Errors
    ///
    /// [`SlotError`] if no value has it.
    pub fn value(&self, id: u16) -> Result<&T, SlotError> {
        let index = self.check(id)?;
        match &self.slots[index].state {
            State::Used(value) => Ok(value),
            State::Free(_) => Err(SlotError::Stale),
        }
    }

    /// The value with this id, to change.
    ///
    /// # Errors
    ///
    /// [`SlotError`] if no value has it.
    pub fn value_mut(&mut self, id: u16) -> Result<&mut T, SlotError> {
        let index = self.check(id)?;
        match &mut self.slots[index].state {
            State::Used(value) => Ok(value),
            State::Free(_) => Err(SlotError::Stale),
        }
    }

    /// Takes out the value with this id; the id is void from then on.
    ///
    /// # Errors
    ///
    /// [`SlotError`] if no value has it.
    pub fn remove(&mut self, id: u16) -> Result<T, SlotError> {
        let index = self.check(id)?;
        self.release(index).ok_or(SlotError::Stale)
    }

    /// All values with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &T)> {
        let bits = self.index_bits;
        self.slots
            .iter()
            .zip(0u16..)
            .filter_map(move |(slot, index)| match &slot.state {
                State::Used(value) => Some((Self::id(bits, index, slot.generation), value)),
                State::Free(_) => None,
            })
    }

    /// Takes out one value after the other, for a device that closes. Those that the caller leaves in the iterator stay.
    pub fn drain(&mut self) -> impl Iterator<Item = T> {
        let mut indices = 0..self.slots.len();
        core::iter::from_fn(move || indices.find_map(|index| self.release(index)))
    }

    fn id(index_bits: u32, index: u16, generation: u16) -> u16 {
        // Capacity 1 to 2^14: the shift is 0 to 14, and higher generation bits fall off at the top.
        generation.wrapping_shl(index_bits) | index
    }

    /// The index of the slot that `id` names, if the generation is that of the slot's present use.
    fn check(&self, id: u16) -> Result<usize, SlotError> {
        let index = id & ((1u16 << self.index_bits) - 1);
        let slot = self
            .slots
            .get(usize::from(index))
            .ok_or(SlotError::Unknown)?;
        if Self::id(self.index_bits, index, slot.generation) != id {
            return Err(SlotError::Stale);
        }
        Ok(usize::from(index))
    }

    fn release(&mut self, index: usize) -> Option<T> {
        let was_full = self.is_full();
        let slot = &mut self.slots[index];
        if matches!(slot.state, State::Free(_)) {
            return None;
        }
        let State::Used(value) = core::mem::replace(&mut slot.state, State::Free(0)) else {
            return None;
        };
        slot.generation = slot.generation.wrapping_add(1);
        let index = index as u16;
        if was_full {
            self.first_free = index;
        } else if let State::Free(next) = &mut self.slots[usize::from(self.last_free)].state {
            *next = index;
        }
        self.last_free = index;
        self.len -= 1;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::vec;

    #[test]
    fn an_id_is_good_for_one_completion() {
        let mut slots = Slots::new(4);
        let id = slots.insert("a").unwrap();
        assert_eq!(slots.remove(id), Ok("a"));
        assert_eq!(slots.remove(id), Err(SlotError::Stale));
        for _ in 0..4 {
            slots.insert("b").unwrap();
        }
        assert_eq!(slots.remove(id), Err(SlotError::Stale));
        assert_eq!(slots.insert("c"), Err("c"));
    }

    #[test]
    fn numbers_beyond_the_capacity_are_unknown() {
        let mut slots = Slots::new(5);
        for value in 0..5 {
            slots.insert(value).unwrap();
        }
        assert_eq!(slots.remove(5), Err(SlotError::Unknown));
        assert_eq!(slots.remove(7), Err(SlotError::Unknown));
        assert_eq!(slots.remove(8), Err(SlotError::Stale));
        assert_eq!(slots.drain().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert!(slots.is_empty());
    }

    #[test]
    fn the_smallest_and_the_largest_table_work() {
        for capacity in [1, 2, 3, MAX_SLOTS - 1, MAX_SLOTS] {
            if cfg!(miri) && capacity > 3 {
                // So many slots take Miri minutes.
                continue;
            }
            let mut slots = Slots::new(capacity);
            for round in 0..3 {
                let ids: Vec<u16> = (0..capacity)
                    .map(|i| slots.insert(i + round).unwrap())
                    .collect();
                assert!(slots.is_full());
                for (i, id) in ids.iter().enumerate() {
                    assert_eq!(slots.remove(*id), Ok(i + round));
                }
            }
        }
    }

    proptest! {
        /// Against a map of what is in flight; `Err` is an id that the "peer" makes up.
        #[test]
        fn agrees_with_a_map(capacity in 1usize..20, steps in prop::collection::vec(any::<(u8, u16)>(), 0..crate::tests::steps(300))) {
            let mut slots = Slots::new(capacity);
            let mut model = BTreeMap::new();
            let mut retired = vec![];
            for (step, (what, id)) in steps.into_iter().enumerate() {
                match what % 4 {
                    0 | 1 => match slots.insert(step) {
                        Ok(id) => prop_assert!(model.insert(id, step).is_none()),
                        Err(back) => prop_assert!(back == step && model.len() == capacity),
                    },
                    2 => {
                        let known = model.keys().nth(usize::from(id) % capacity).copied();
                        if let Some(id) = known {
                            prop_assert_eq!(slots.remove(id).ok(), model.remove(&id));
                            retired.push(id);
                        }
                    }
                    _ => {
                        let id = retired.get(usize::from(id)).copied().unwrap_or(id);
                        prop_assert_eq!(slots.value(id).ok(), model.get(&id));
                        prop_assert_eq!(slots.remove(id).ok(), model.remove(&id));
                    }
                }
                prop_assert_eq!(slots.len(), model.len());
                prop_assert_eq!(slots.iter().map(|(id, &v)| (id, v)).collect::<BTreeMap<_, _>>(), model.clone());
            }
        }
    }
}
