//! Finding what is on a device.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::vec;
use core::cell::RefCell;

use morgana_block::BlockDevice;
use morgana_exec::{Notify, join_all};

use crate::frame::Walk;
use crate::header::{HEADER_BYTES, Header, MAX_SEGMENTS, SEGMENT_BYTES};
use crate::journal::{Inner, Open, Segment, State};
use crate::writer::nonce;
use crate::{Journal, JournalError, Span, Writer};

/// Headers read at once.
const AT_ONCE: usize = 32;

/// Opens the journal of a device, or begins one on a device whose beginning is zero. `seed` is a random number.
///
/// What a crash has left behind the last whole entry is cut.
///
/// # Errors
///
/// [`JournalError`].
pub async fn open<D: BlockDevice>(
    device: D,
    seed: u64,
) -> Result<(Writer<D>, Journal<D>), JournalError> {
    let room = device.geometry().bytes() / SEGMENT_BYTES as u64;
    let places = usize::try_from(room).map_or(MAX_SEGMENTS, |room| room.min(MAX_SEGMENTS));
    if places < 2 {
        return Err(JournalError::TooSmall);
    }
    let inner = |device, segments, open| {
        Journal(Rc::new(Inner {
            device,
            places,
            state: RefCell::new(State { segments, open }),
            appended: Notify::new(),
        }))
    };
    let found = headers(&device, places).await?;
    let Some((last, place)) = found.values().next_back().copied() else {
        let header = Header {
            sequence: 1,
            first: 0,
            nonce: nonce(seed, 1),
            before: Span::NONE,
        };
        let segments = VecDeque::from([segment(&header, 0)]);
        let journal = inner(device, segments, Open::new(header));
        let mut writer = Writer::new(journal.clone(), seed, 0);
        // Alone: whatever a crash leaves of it, the rest of the sector is zero, and the device is known to be ours.
        writer.commit().await?;
        return Ok((writer, journal));
    };
    let mut segments = VecDeque::<Segment>::new();
    for (header, place) in found.values() {
        if let Some(before) = segments.back_mut()
            && before.sequence + 1 == header.sequence
        {
            before.span = Some(header.before);
        }
        segments.push_back(segment(header, *place));
    }
    let journal = inner(device, segments, Open::new(last));
    let mut bytes = journal.read(place).await?;
    let mut end = Walk::new(last.chain(), last.first);
    let mut span = Span::NONE;
    while let Some(frame) = end.next(&bytes) {
        span = span.with(frame.time);
    }
    bytes.truncate(end.offset);
    journal.0.state.borrow_mut().open = Open {
        header: last,
        bytes,
        end,
        span,
    };
    Ok((Writer::new(journal.clone(), seed, end.offset), journal))
}

const fn segment(header: &Header, place: usize) -> Segment {
    Segment {
        sequence: header.sequence,
        place,
        first: header.first,
        span: None,
    }
}

/// All headers on the device with their places, by their sequence.
async fn headers<D: BlockDevice>(
    device: &D,
    places: usize,
) -> Result<BTreeMap<u64, (Header, usize)>, JournalError> {
    let sector_size = device.geometry().sector_size();
    let sectors = (SEGMENT_BYTES / sector_size) as u64;
    let mut found = BTreeMap::new();
    let mut empty = true;
    for from in (0..places).step_by(AT_ONCE) {
        let to = places.min(from + AT_ONCE);
        let reads = (from..to).map(async |place| {
            let mut sector = vec![0; sector_size];
            device.read(place as u64 * sectors, &mut sector).await?;
            Ok::<_, JournalError>((place, sector))
        });
        for read in join_all(reads).await {
            let (place, sector) = read?;
            if let Some(header) = Header::decode(&sector[..HEADER_BYTES]) {
                found.entry(header.sequence).or_insert((header, place));
            }
            empty &= place > 0 || sector[HEADER_BYTES..].iter().all(|&byte| byte == 0);
        }
    }
    if found.is_empty() && !empty {
        return Err(JournalError::Foreign);
    }
    Ok(found)
}
