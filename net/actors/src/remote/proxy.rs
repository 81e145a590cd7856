//! What stands for an actor of another node here: a mailbox, and a task that sends what comes into it.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

use morgana_exec::{Either, select};

use super::channel::{Outgoing, Refusal, State};
use super::codec::Wire;
use super::error::LookupError;
use super::link::Shared;
use super::protocol::Protocol;
use crate::Address;
use crate::local::actor::Ended;
use crate::local::mailbox::{Mailbox, Next};

/// How often it is looked whether requests are still wanted, while too many wait.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Closes a channel when whoever waits for its opening is gone.
struct Opening<'a>(&'a Shared, u32, bool);

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        if !self.2 {
            self.0.close_outgoing(self.1);
        }
    }
}

pub(crate) async fn open<M: Protocol>(
    link: &Rc<Shared>,
    name: &str,
    capacity: usize,
) -> Result<Address<M>, LookupError> {
    let mailbox = Mailbox::<M>::new(capacity);
    let address = Address::of(&mailbox);
    let close = {
        let mailbox = mailbox.clone();
        Box::new(move |ended| mailbox.close(ended))
    };
    let (id, channel) = link.open(name, M::TYPE, close)?;
    let mut opening = Opening(link, id, false);
    loop {
        let seen = channel.changed.count();
        match channel.state.get() {
            State::Opening => {}
            State::Open => break,
            State::Refused(refusal) => {
                return Err(match refusal {
                    Refusal::Unknown => LookupError::Unknown,
                    Refusal::TooMany => LookupError::TooMany,
                    Refusal::Type(other) => LookupError::OtherType(other),
                });
            }
            State::Ended(Ended::PeerGone) => return Err(LookupError::PeerGone),
            State::Ended(_) => return Err(LookupError::Unknown),
        }
        channel.changed.after(seen).await;
    }
    let task = run(link.clone(), id, channel.clone(), mailbox);
    link.tasks.spawn(task).map_err(|_| LookupError::NoTask)?;
    opening.2 = true;
    Ok(address)
}

async fn run<M: Wire>(link: Rc<Shared>, id: u32, channel: Rc<Outgoing>, mailbox: Rc<Mailbox<M>>) {
    let ended = loop {
        if let Some(ended) = wait_for_room(&link, &channel).await {
            break ended;
        }
        let next = poll_fn(|cx| {
            if let State::Ended(ended) = channel.state.get() {
                return Poll::Ready(Err(ended));
            }
            // Registers only: the count does not pass itself.
            let _ = channel.changed.poll_after(channel.changed.count(), cx);
            mailbox.poll_next(cx).map(Ok)
        });
        match next.await {
            Err(ended) => break ended,
            Ok(Next::Message(message)) => {
                channel.credit.set(channel.credit.get().saturating_sub(1));
                link.send(id, message);
            }
            Ok(Next::Stop) => break Ended::Stopped,
            Ok(Next::Orphaned) => break Ended::Finished,
        }
    };
    link.close_outgoing(id);
    mailbox.close(ended);
}

/// Waits until a message may be sent; gives the reason if none ever may.
async fn wait_for_room(link: &Shared, channel: &Outgoing) -> Option<Ended> {
    loop {
        let seen = (channel.changed.count(), link.moved.count());
        match channel.state.get() {
            State::Ended(ended) => return Some(ended),
            _ if channel.credit.get() > 0 && link.has_room() => return None,
            _ => {}
        }
        let change = select(channel.changed.after(seen.0), link.moved.after(seen.1));
        match select(change, link.tasks.timers().sleep(LOOK_AGAIN)).await {
            Either::First(_) | Either::Second(()) => {}
        }
    }
}
