//! A domain that sends records.

use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;

use log::Level;
use morgana_block::BlockDevice;
use morgana_exec::{Either, select};
use morgana_hal::{Clock, Platform};
use morgana_record::{Entry, FormatError, Frames, Name, Refusal, ToDomain, ToLogger};
use morgana_vchan::{SendError, Vchan};

use crate::keeper::{Kept, Taken};
use crate::slot::{End, Slot, receive};

/// What was taken of one run of a domain's program: it may send the same records again over another connection.
#[derive(Debug, Default)]
pub(crate) struct Session {
    id: Option<u64>,
    /// The number that the next record has.
    next: u64,
    kept: Rc<Kept>,
}

impl Session {
    /// The domain says which session its connection belongs to.
    pub(crate) fn begin(&mut self, id: u64) {
        if self.id != Some(id) {
            *self = Self {
                id: Some(id),
                ..Self::default()
            };
        }
    }
}

/// Takes records until the connection ends.
pub(crate) async fn take<P: Platform, D: BlockDevice>(
    slot: &Slot<P, D>,
    vchan: &Vchan<P>,
    frames: Frames,
    session: &mut Session,
    name: &Name,
) -> Result<(), End> {
    let kept = session.kept.clone();
    let taking = records(slot, vchan, frames, session, name);
    match select(taking, tell(vchan, &kept)).await {
        Either::First(end) | Either::Second(end) => end,
    }
}

/// Says to a domain that nothing is taken of it.
pub(crate) async fn refuse<P: Platform>(vchan: &Vchan<P>) -> Result<(), End> {
    let mut message = Vec::new();
    ToDomain::Refused(Refusal::NotAllowed).encode(&mut message);
    vchan.send(&message).await.map_err(ended)?;
    Err(End::NotAllowed)
}

async fn records<P: Platform, D: BlockDevice>(
    slot: &Slot<P, D>,
    vchan: &Vchan<P>,
    mut frames: Frames,
    session: &mut Session,
    name: &Name,
) -> Result<(), End> {
    let shared = &slot.shared;
    loop {
        let ToLogger::Record(number, record) = receive(vchan, &mut frames).await? else {
            return Err(FormatError::Magic.into());
        };
        // It came over an earlier connection.
        if number < session.next {
            continue;
        }
        let received = shared.platform.clock().wall();
        let entry = Entry {
            domain: slot.domain,
            name: name.clone(),
            received,
            record,
        };
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        rest(slot, bytes.len()).await;
        let taken = Taken {
            entry: bytes,
            received: received.unix_nanos(),
            told: Some((session.kept.clone(), number)),
        };
        session.next = number.saturating_add(1);
        if shared.entries.send(taken).await.is_err() {
            // Nobody keeps anything any more: the logger is about to end.
            return Ok(());
        }
    }
}

/// Lets a domain that sends too fast wait. Its ring fills meanwhile, and it is its own affair what it does then.
async fn rest<P: Platform, D: BlockDevice>(slot: &Slot<P, D>, bytes: usize) {
    let timers = &slot.shared.timers;
    let wait = slot.known.pace.borrow_mut().take(timers.now(), bytes);
    let Some(wait) = wait else {
        return;
    };
    if let Some(times) = slot.known.slowed.borrow_mut().again() {
        let domain = slot.domain;
        let text = format!(
            "{domain} is slowed down: it sends too much (record {times} of those that waited)"
        );
        slot.shared.note(Level::Warn, text, domain);
    }
    timers.sleep(wait).await;
}

/// Tells the domain what is kept.
async fn tell<P: Platform>(vchan: &Vchan<P>, kept: &Kept) -> Result<(), End> {
    let mut told = 0;
    let mut message = Vec::new();
    loop {
        let seen = kept.changed.count();
        let before = kept.before.get();
        if before > told {
            message.clear();
            ToDomain::Kept(before).encode(&mut message);
            vchan.send(&message).await.map_err(ended)?;
            told = before;
        }
        kept.changed.after(seen).await;
    }
}

pub(crate) fn ended(error: SendError) -> End {
    match error {
        SendError::Stream(error) => error.into(),
        // Its ring is smaller than any message: no client of this protocol makes one like that.
        SendError::TooLong => End::Ring,
    }
}
