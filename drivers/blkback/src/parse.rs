//! What a ring entry means, if it means anything: nothing of it is used before it has passed here.

use alloc::vec::Vec;

use morgana_blkif::{
    DiscardFlags, Operation, RawRequest, SECTOR_SIZE, SECTORS_PER_PAGE, SEGMENTS_PER_INDIRECT_PAGE,
    Segment, Status,
};
use morgana_block::{Discard, Geometry, Writes};
use morgana_hal::{CopyFrom, GrantRef, Platform};
use zerocopy::{FromZeros, IntoBytes};

use crate::Violation;
use crate::foreign::Foreign;

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Work {
    Read(Span),
    Write(Span),
    Flush,
    Discard {
        sector: u64,
        count: u64,
        how: Discard,
    },
}

impl Work {
    /// How many bytes are to be moved.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Read(span) | Self::Write(span) => span.bytes,
            Self::Flush | Self::Discard { .. } => 0,
        }
    }
}

/// Sectors of the device, and the memory of the front end that goes with them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    /// In sectors of the device.
    pub(crate) sector: u64,
    pub(crate) bytes: usize,
    /// Checked: each lies within its page, and together they have `bytes` bytes.
    pub(crate) pieces: Vec<Piece>,
}

/// A part of a page of the front end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    pub(crate) gref: GrantRef,
    pub(crate) offset: u16,
    pub(crate) len: u16,
}

/// Why a request is answered without being done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// It leaves the disk, is not of whole sectors, or writes what is read-only.
    Refused,
    /// It is not offered.
    Unsupported,
    /// A page of segments could not be read.
    BadGrant,
}

impl Refusal {
    pub(crate) fn status(self) -> Status {
        match self {
            Self::Refused | Self::BadGrant => Status::ERROR,
            Self::Unsupported => Status::NOT_SUPPORTED,
        }
    }
}

/// The disk as its front end may use it.
pub(crate) struct Rules {
    pub(crate) geometry: Geometry,
    pub(crate) writes: Writes,
    /// The most segments of an indirect request.
    pub(crate) segments: usize,
    /// Whether discards are offered: plain, secure.
    pub(crate) discard: (bool, bool),
}

/// The operation that the answer to an entry names.
pub(crate) fn operation(entry: &RawRequest) -> Operation {
    match entry.operation {
        Operation::INDIRECT => entry.indirect().indirect_op,
        operation => operation,
    }
}

/// Reads an entry.
pub(crate) fn parse(
    entry: &RawRequest,
    rules: &Rules,
    foreign: &Foreign<impl Platform>,
) -> Result<Result<Work, Refusal>, Violation> {
    let write = match entry.operation {
        Operation::READ => false,
        Operation::WRITE => true,
        Operation::FLUSH_DISKCACHE if entry.request().nr_segments == 0 => {
            return Ok(Ok(Work::Flush));
        }
        // A flush that also writes is not done by any front end, nor offered.
        Operation::FLUSH_DISKCACHE => return Ok(Err(Refusal::Unsupported)),
        Operation::DISCARD => return Ok(discard(entry, rules)),
        Operation::INDIRECT => return indirect(entry, rules, foreign),
        _ => return Ok(Err(Refusal::Unsupported)),
    };
    let request = entry.request();
    let count = usize::from(request.nr_segments);
    let Some(segments) = request.seg.get(..count) else {
        return Err(Violation::TooManySegments(count as u16));
    };
    span(request.sector_number, segments, write, rules)
}

fn indirect(
    entry: &RawRequest,
    rules: &Rules,
    foreign: &Foreign<impl Platform>,
) -> Result<Result<Work, Refusal>, Violation> {
    let request = entry.indirect();
    let write = match request.indirect_op {
        Operation::READ => false,
        Operation::WRITE => true,
        Operation(other) => return Err(Violation::IndirectOperation(other)),
    };
    let count = usize::from(request.nr_segments);
    // The limit leaves no more pages than the request names.
    if count > rules.segments {
        return Err(Violation::TooManySegments(request.nr_segments));
    }
    let mut segments = Vec::new();
    segments.resize(count, Segment::new_zeroed());
    let pages = segments.chunks_mut(SEGMENTS_PER_INDIRECT_PAGE);
    let mut copies: Vec<CopyFrom<'_>> = pages
        .zip(request.indirect_grefs)
        .map(|(page, gref)| CopyFrom {
            grant: GrantRef::new(gref),
            offset: 0,
            into: page.as_mut_bytes(),
            status: Ok(()),
        })
        .collect();
    foreign.copy_from(&mut copies);
    if copies.iter().any(|copy| copy.status.is_err()) {
        return Ok(Err(Refusal::BadGrant));
    }
    drop(copies);
    span(request.sector_number, &segments, write, rules)
}

fn span(
    first: u64,
    segments: &[Segment],
    write: bool,
    rules: &Rules,
) -> Result<Result<Work, Refusal>, Violation> {
    let mut pieces = Vec::with_capacity(segments.len());
    let mut bytes = 0;
    for segment in segments {
        let (first, last) = (segment.first_sect, segment.last_sect);
        if first > last || usize::from(last) >= SECTORS_PER_PAGE {
            return Err(Violation::Segment { first, last });
        }
        let len = usize::from(last - first + 1) * SECTOR_SIZE;
        bytes += len;
        pieces.push(Piece {
            gref: GrantRef::new(segment.gref),
            // Both are at most a page.
            offset: (usize::from(first) * SECTOR_SIZE) as u16,
            len: len as u16,
        });
    }
    let geometry = &rules.geometry;
    let each = (geometry.sector_size() / SECTOR_SIZE) as u64;
    let sector = first / each;
    let whole = first.is_multiple_of(each) && geometry.check(sector, bytes).is_ok();
    if !whole || bytes == 0 || write && rules.writes == Writes::Refused {
        return Ok(Err(Refusal::Refused));
    }
    let span = Span {
        sector,
        bytes,
        pieces,
    };
    Ok(Ok(if write {
        Work::Write(span)
    } else {
        Work::Read(span)
    }))
}

fn discard(entry: &RawRequest, rules: &Rules) -> Result<Work, Refusal> {
    let request = entry.discard();
    let how = if request.flag.contains(DiscardFlags::SECURE) {
        Discard::Secure
    } else {
        Discard::Plain
    };
    let (plain, secure) = rules.discard;
    if !plain || how == Discard::Secure && !secure {
        return Err(Refusal::Unsupported);
    }
    let each = (rules.geometry.sector_size() / SECTOR_SIZE) as u64;
    let (sector, count) = (request.sector_number / each, request.nr_sectors / each);
    let whole = request.sector_number.is_multiple_of(each)
        && request.nr_sectors.is_multiple_of(each)
        && rules.geometry.check_sectors(sector, count).is_ok();
    if !whole || rules.writes == Writes::Refused {
        return Err(Refusal::Refused);
    }
    Ok(Work::Discard { sector, count, how })
}
