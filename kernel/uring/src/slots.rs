//! What is under way.

use core::task::Waker;
use std::os::fd::OwnedFd;
use std::rc::Rc;

/// An operation under way. The kernel may use both the buffer's memory and the file until the completion has come, so neither is touched before.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Handed back with the completion.
    pub(crate) buffer: Vec<u8>,
    /// Kept open.
    pub(crate) _file: Rc<OwnedFd>,
    pub(crate) state: State,
}

#[derive(Debug)]
pub(crate) enum State {
    /// The kernel is at it, and perhaps somebody waits.
    Running(Option<Waker>),
    /// The kernel is at it, and nobody waits any more.
    Abandoned,
    /// The kernel has said how it went.
    Done(i32),
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    slots: Vec<Option<Operation>>,
    free: Vec<usize>,
}

impl Slots {
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn insert(&mut self, operation: Operation) -> usize {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = Some(operation);
                slot
            }
            None => {
                self.slots.push(Some(operation));
                self.slots.len() - 1
            }
        }
    }

    pub(crate) fn get_mut(&mut self, slot: usize) -> Option<&mut Operation> {
        self.slots.get_mut(slot)?.as_mut()
    }

    pub(crate) fn remove(&mut self, slot: usize) -> Option<Operation> {
        let operation = self.slots.get_mut(slot)?.take()?;
        self.free.push(slot);
        Some(operation)
    }

    /// Everything, for a ring that ends.
    pub(crate) fn take_all(&mut self) -> Vec<Option<Operation>> {
        self.free.clear();
        core::mem::take(&mut self.slots)
    }
}
