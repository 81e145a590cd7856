//! Who may be in a handshake.

use alloc::collections::BTreeSet;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::Poll;

use morgana_exec::Notify;

/// Tasks that are under way, of which the oldest gives up when there are too many.
#[derive(Debug)]
pub(crate) struct Turns {
    limit: usize,
    next: Cell<u64>,
    under_way: RefCell<BTreeSet<u64>>,
    changed: Notify,
}

/// One that is under way.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    number: u64,
}

impl Turns {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            next: Cell::new(0),
            under_way: RefCell::default(),
            changed: Notify::new(),
        }
    }

    /// Begins one, and displaces the oldest if there are too many.
    pub(crate) fn begin(&self) -> Turn<'_> {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        let mut under_way = self.under_way.borrow_mut();
        under_way.insert(number);
        if under_way.len() > self.limit {
            under_way.pop_first();
            self.changed.notify();
        }
        Turn {
            turns: self,
            number,
        }
    }
}

impl Turn<'_> {
    /// Waits until it has to give up.
    pub(crate) async fn displaced(&self) {
        let mut seen = self.turns.changed.count();
        poll_fn(|cx| {
            loop {
                if !self.turns.under_way.borrow().contains(&self.number) {
                    return Poll::Ready(());
                }
                match self.turns.changed.poll_after(seen, cx) {
                    Poll::Ready(count) => seen = count,
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.under_way.borrow_mut().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::pin::pin;
    use core::task::{Context, Waker};

    #[test]
    fn the_oldest_gives_up() {
        let turns = Turns::new(2);
        let [first, second] = [turns.begin(), turns.begin()];
        let given_up = |turn: &Turn<'_>| {
            let cx = &mut Context::from_waker(Waker::noop());
            pin!(turn.displaced()).poll(cx).is_ready()
        };
        assert!(!given_up(&first));
        let third = turns.begin();
        assert!(given_up(&first) && !given_up(&second) && !given_up(&third));
        drop(second);
        let fourth = turns.begin();
        assert!(!given_up(&third) && !given_up(&fourth));
    }
}
