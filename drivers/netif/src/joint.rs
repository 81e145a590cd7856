//! Where a device and the task that keeps it connected meet.
//!
//! A stack or a bridge owns a device for as long as it likes, while the device's connection comes and goes with the other domain. So the
//! connection, `L`, lies in a [`Joint`] that both hold: the device uses it while it is there, and its keeper puts it there and takes it away.

use alloc::boxed::Box;
use core::cell::{Cell, RefCell, RefMut};
use core::convert::Infallible;
use core::task::{Context, Poll};
use core::time::Duration;

use morgana_exec::{Notify, Timers};

/// A place for a connection that comes and goes.
#[derive(Debug)]
pub struct Joint<L> {
    /// In a box, since it is large and goes from hand to hand.
    link: RefCell<Option<Box<L>>>,
    /// Tells the device that the connection came or went.
    changed: Notify,
    /// Tells the keeper that the device has seen something, or is not wanted any more.
    attention: Notify,
    abandoned: Cell<bool>,
}

impl<L> Default for Joint<L> {
    fn default() -> Self {
        Self {
            link: RefCell::new(None),
            changed: Notify::new(),
            attention: Notify::new(),
            abandoned: Cell::new(false),
        }
    }
}

impl<L> Joint<L> {
    /// The device: the connection, if it is there. What is borrowed must be given back before anybody waits.
    pub fn link(&self) -> Option<RefMut<'_, L>> {
        let link = self.link.try_borrow_mut().ok()?;
        RefMut::filter_map(link, Option::as_deref_mut).ok()
    }

    /// The device: ready if `poll` says so of the connection, or once the connection came or went. What came or went while `poll` looked
    /// is not missed.
    pub fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut L, &mut Context<'_>) -> Poll<()>,
    ) -> Poll<()> {
        let seen = self.changes();
        if let Some(mut link) = self.link() {
            let ready = poll(&mut link, cx);
            if ready.is_ready() {
                return ready;
            }
        }
        self.poll_changed(seen, cx)
    }

    /// How often the connection came or went. To be read before looking at it.
    fn changes(&self) -> u64 {
        self.changed.count()
    }

    /// Ready once the connection came or went since [`changes`](Self::changes) was `seen`.
    fn poll_changed(&self, seen: u64, cx: &mut Context<'_>) -> Poll<()> {
        self.changed.poll_after(seen, cx).map(|_| ())
    }

    /// The device: asks the keeper to look at the connection.
    pub fn call(&self) {
        self.attention.notify();
    }

    /// The device: tells the keeper that nobody uses the device any more.
    pub fn abandon(&self) {
        self.abandoned.set(true);
        self.attention.notify();
    }

    /// The keeper: waits until nobody uses the device any more.
    pub async fn abandoned(&self) {
        self.over(|_| None::<Infallible>).await;
    }

    /// The keeper: waits until there is a `violation` of the connection. `None` if nobody uses the device any more.
    pub async fn over<V>(&self, violation: impl Fn(&L) -> Option<V>) -> Option<V> {
        loop {
            let seen = self.attention.count();
            if self.abandoned.get() {
                return None;
            }
            let found = self.link().and_then(|link| violation(&link));
            if found.is_some() {
                return found;
            }
            self.attention.after(seen).await;
        }
    }

    /// The keeper: puts a connection there, in place of what was there. The device may be using that, which lasts no longer than a pass.
    pub async fn put_in_time(&self, timers: &Timers, link: Box<L>) {
        let mut next = link;
        while let Err(link) = self.put(next) {
            next = link;
            timers.sleep(BUSY_PAUSE).await;
        }
    }

    /// The keeper: takes the connection away, which is there.
    pub async fn take_in_time(&self, timers: &Timers) -> Box<L> {
        loop {
            match self.take() {
                Some(link) => return link,
                None => timers.sleep(BUSY_PAUSE).await,
            }
        }
    }

    /// Puts a connection there, unless the device holds on to the old one right now: then it is handed back.
    fn put(&self, link: Box<L>) -> Result<(), Box<L>> {
        let Ok(mut place) = self.link.try_borrow_mut() else {
            return Err(link);
        };
        *place = Some(link);
        drop(place);
        self.changed.notify();
        Ok(())
    }

    /// The keeper: tells the device to look again although no connection came or went. It ends, perhaps without there having been one.
    pub fn tell(&self) {
        self.changed.notify();
    }

    /// Takes the connection away. `None` if there is none, or if the device holds on to it right now.
    fn take(&self) -> Option<Box<L>> {
        let link = self.link.try_borrow_mut().ok()?.take();
        if link.is_some() {
            self.changed.notify();
        }
        link
    }
}

/// How long to wait for the end of a pass.
const BUSY_PAUSE: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use core::task::Waker;

    #[test]
    fn a_connection_comes_and_goes() {
        let joint = Joint::default();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(joint.link().is_none());
        let seen = joint.changes();
        assert_eq!(joint.poll_changed(seen, &mut cx), Poll::Pending);
        joint.put(Box::new(7)).unwrap();
        assert_eq!(joint.poll_changed(seen, &mut cx), Poll::Ready(()));
        assert_eq!(joint.link().as_deref(), Some(&7));
        assert_eq!(joint.take().as_deref(), Some(&7));
        assert!(joint.link().is_none() && joint.take().is_none());
    }

    #[test]
    fn a_device_is_ready_by_its_connection_or_by_a_change_of_it() {
        let joint = Joint::default();
        let mut cx = Context::from_waker(Waker::noop());
        let asked = |_: &mut i32, _: &mut Context<'_>| -> Poll<()> { unreachable!("no link") };
        assert_eq!(joint.poll_ready(&mut cx, asked), Poll::Pending);
        joint.put(Box::new(7)).unwrap();
        let mut poll = |answer: Poll<()>| joint.poll_ready(&mut cx, |_, _| answer);
        assert_eq!(poll(Poll::Ready(())), Poll::Ready(()));
        assert_eq!(poll(Poll::Pending), Poll::Pending);
        let meanwhile = joint.poll_ready(&mut cx, |_, _| {
            joint.changed.notify();
            Poll::Pending
        });
        assert_eq!(meanwhile, Poll::Ready(()));
    }

    #[test]
    fn what_is_in_use_is_not_taken() {
        let joint = Joint::default();
        joint.put(Box::new(7)).unwrap();
        let held = joint.link();
        assert_eq!(joint.take(), None);
        assert_eq!(joint.put(Box::new(8)), Err(Box::new(8)));
        drop(held);
        assert_eq!(joint.take().as_deref(), Some(&7));
    }
}
