//! The journal: a state, and what has changed since, frame by frame, for a daemon that comes after one that has crashed.

use core::fmt;

use crate::frame::{FRAME_HEAD, Kind, checksum, frame_head, split_frame};

/// What a journal begins with.
const IDENT: [u8; 8] = *b"xsjournl";

/// Daemons of another version make something else of the records.
const VERSION: u32 = 1;

/// The header: ident, version, generation, the boot's id, and a checksum of all that.
const HEADER: usize = 40;

/// How much comes before the state.
pub const HEAD: usize = HEADER + FRAME_HEAD;

/// Names the time between two boots of the machine; domains do not outlive it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BootId(pub [u8; 16]);

/// A place in all that daemons have kept since the boot: the changes before it are in some journal, in the frames of this one or its state. What is kept beside
/// the journal says by a position with which changes it becomes true.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Position {
    /// Which journal: each that takes another one's place has a higher number.
    pub generation: u32,
    /// Behind how many of its frames.
    pub frames: u32,
}

impl Position {
    /// The beginning of the journal that takes the place of the one that this is in.
    #[must_use]
    pub const fn next_generation(self) -> Self {
        Self {
            generation: self.generation.saturating_add(1),
            frames: 0,
        }
    }

    /// Behind one more frame.
    #[must_use]
    pub const fn next_frame(self) -> Self {
        Self {
            frames: self.frames.saturating_add(1),
            ..self
        }
    }
}

/// What comes before the state in a new journal; frames of changes come behind it.
pub fn head(boot: BootId, generation: u32, state: &[u8]) -> [u8; HEAD] {
    let mut bytes = [0; HEAD];
    bytes[..8].copy_from_slice(&IDENT);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&generation.to_le_bytes());
    bytes[16..32].copy_from_slice(&boot.0);
    let sum = checksum(0, &bytes[..32]);
    bytes[32..HEADER].copy_from_slice(&sum.to_le_bytes());
    bytes[HEADER..].copy_from_slice(&frame_head(Kind::State, state));
    bytes
}

/// A journal that is read.
#[derive(Clone, Debug)]
pub struct Journal<'a> {
    boot: BootId,
    reached: Position,
    state: &'a [u8],
    rest: &'a [u8],
}

/// Why a journal cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadJournal {
    /// It does not begin as one does.
    Ident,
    /// A version that is not known here.
    Version(u32),
    /// Its header is not as it was written.
    Header,
    /// The state is not whole, or not as it was written.
    State,
}

impl fmt::Display for BadJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ident => f.write_str("it does not begin as a journal of xenstored does"),
            Self::Version(version) => write!(f, "version {version} is not known here"),
            Self::Header => f.write_str("its header is damaged"),
            Self::State => f.write_str("the state in it is damaged"),
        }
    }
}

impl core::error::Error for BadJournal {}

/// Which boot and which generation a journal is of, from its first [`HEAD`] bytes; `None` if they are no journal's.
pub fn identify(head: &[u8; HEAD]) -> Option<(BootId, u32)> {
    let (header, _) = head.split_first_chunk::<HEADER>()?;
    let (said, sum) = header.split_at(32);
    let is_one = said.starts_with(&IDENT) && checksum(0, said).to_le_bytes() == sum;
    is_one.then(|| identity(said))
}

/// The same from a header that is as it was written.
fn identity(said: &[u8]) -> (BootId, u32) {
    let (mut generation, mut boot) = ([0; 4], BootId([0; 16]));
    generation.copy_from_slice(&said[12..16]);
    boot.0.copy_from_slice(&said[16..32]);
    (boot, u32::from_le_bytes(generation))
}

impl<'a> Journal<'a> {
    /// Reads the header and the state.
    ///
    /// # Errors
    ///
    /// [`BadJournal`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, BadJournal> {
        let behind = bytes.strip_prefix(&IDENT).ok_or(BadJournal::Ident)?;
        let (version, _) = behind.split_first_chunk().ok_or(BadJournal::Header)?;
        let version = u32::from_le_bytes(*version);
        if version != VERSION {
            return Err(BadJournal::Version(version));
        }
        let (header, frames) = bytes
            .split_first_chunk::<HEADER>()
            .ok_or(BadJournal::Header)?;
        let (said, sum) = header.split_at(32);
        if checksum(0, said).to_le_bytes() != sum {
            return Err(BadJournal::Header);
        }
        let (boot, generation) = identity(said);
        let reached = Position {
            generation,
            frames: 0,
        };
        match split_frame(frames) {
            Some((Kind::State, state, rest)) => Ok(Self {
                boot,
                reached,
                state,
                rest,
            }),
            _ => Err(BadJournal::State),
        }
    }

    /// Of which boot it is.
    pub const fn boot(&self) -> BootId {
        self.boot
    }

    /// How far it was read: at its state, or behind the changes that came last.
    pub const fn reached(&self) -> Position {
        self.reached
    }

    /// The state, a stream for [`Reader::new`](crate::Reader::new).
    pub const fn state(&self) -> &'a [u8] {
        self.state
    }

    /// The next changes, records for [`Reader::of_changes`](crate::Reader::of_changes). None behind the last frame that is whole.
    pub fn next_changes(&mut self) -> Option<&'a [u8]> {
        let (kind, changes, rest) = split_frame(self.rest)?;
        if kind != Kind::Changes {
            return None;
        }
        self.rest = rest;
        self.reached = self.reached.next_frame();
        Some(changes)
    }

    /// Bytes that were not read, without the zeros behind them. Behind the last frame these are what is not whole, or damaged.
    pub fn unread(&self) -> usize {
        let last = self.rest.iter().rposition(|&byte| byte != 0);
        last.map_or(0, |last| last + 1)
    }
}
