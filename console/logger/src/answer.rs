//! A domain that reads.

use alloc::vec::Vec;

use morgana_block::BlockDevice;
use morgana_exec::{Either, select, yield_now};
use morgana_hal::{Platform, WallTime};
use morgana_journal::{Cursor, Span, Step};
use morgana_record::{Entry, Follow, FormatError, Frames, Query, Refusal, ToDomain, Whose};
use morgana_vchan::Vchan;

use crate::slot::{End, Slot, receive};
use crate::source::ended;

/// Entries looked at before others have their turn.
const IN_ONE_TURN: u32 = 32;

/// Answers a query until the domain has enough.
pub(crate) async fn answer<P: Platform, D: BlockDevice>(
    slot: &Slot<P, D>,
    vchan: &Vchan<P>,
    mut query: Query,
) -> Result<(), End> {
    if !slot.shared.options.readers.allow(slot.domain) {
        match query.whose {
            // It may look at its own records.
            Whose::All => query.whose = Whose::Id(slot.domain),
            Whose::Id(domain) if domain == slot.domain => {}
            _ => return send(vchan, &ToDomain::Refused(Refusal::NotAllowed)).await,
        }
    }
    // Nothing comes from a domain that reads; what comes is a breach, or the end.
    let mut frames = Frames::default();
    match select(tell(slot, vchan, &query), receive(vchan, &mut frames)).await {
        Either::First(end) => end,
        Either::Second(Ok(_)) => Err(FormatError::Magic.into()),
        Either::Second(Err(end)) => Err(end),
    }
}

async fn tell<P: Platform, D: BlockDevice>(
    slot: &Slot<P, D>,
    vchan: &Vchan<P>,
    query: &Query,
) -> Result<(), End> {
    let journal = &slot.shared.journal;
    let numbers = journal.numbers();
    // A number that was never given is one of another journal.
    let mut cursor = match query.from {
        from if from == 0 || from > numbers.end => journal.oldest(),
        from => journal.at(from),
    };
    let mut told = Told::NotAll;
    let mut turn = 0;
    loop {
        let seen = journal.appended().count();
        let may_want = |span: Span| {
            let [first, last] = [span.first, span.last].map(WallTime::from_unix_nanos);
            query.may_want(first, last)
        };
        match journal.next(&mut cursor, may_want).await {
            Ok(Step::Entry { number, .. }) => {
                if let Some(message) = message(&cursor, number, query) {
                    vchan.send(&message).await.map_err(ended)?;
                }
            }
            Ok(Step::Lost(count)) => send(vchan, &ToDomain::Lost(count)).await?,
            Ok(Step::End) => {
                if told == Told::NotAll {
                    send(vchan, &ToDomain::UpToDate(cursor.number())).await?;
                    told = Told::All;
                }
                if query.follow == Follow::No {
                    // The domain closes the connection when it has read all.
                    return core::future::pending().await;
                }
                journal.appended().after(seen).await;
            }
            Err(error) => log::error!("a part of the log cannot be read: {error}"),
        }
        turn += 1;
        if turn == IN_ONE_TURN {
            turn = 0;
            yield_now().await;
        }
    }
}

/// Whether the domain knows that all entries have come that there were.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    NotAll,
    All,
}

/// The entry at the cursor as a message, if it is wanted.
fn message(cursor: &Cursor, number: u64, query: &Query) -> Option<Vec<u8>> {
    let entry = Entry::decode(cursor.entry()).ok()?;
    query.wants(&entry).then(|| {
        let mut message = Vec::new();
        ToDomain::Entry(number, entry).encode(&mut message);
        message
    })
}

async fn send<P: Platform>(vchan: &Vchan<P>, message: &ToDomain) -> Result<(), End> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    vchan.send(&bytes).await.map_err(ended)
}
