//! What a front end is asked for.

use morgana_block::Discard;

/// A request, in sectors of 512 bytes whatever the device's own are. Its bytes fit into one request of the ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request<'a> {
    /// Read so many bytes, a multiple of 512.
    Read {
        /// The first sector.
        sector: u64,
        /// How many bytes.
        bytes: usize,
    },
    /// Write these bytes, a multiple of 512.
    Write {
        /// The first sector.
        sector: u64,
        /// The bytes.
        data: &'a [u8],
    },
    /// Make durable what was written.
    Flush,
    /// Forget sectors.
    Discard {
        /// The first sector.
        sector: u64,
        /// How many.
        sectors: u64,
        /// How thoroughly.
        how: Discard,
    },
}

impl Request<'_> {
    /// How many bytes are to be moved.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Read { bytes, .. } => *bytes,
            Self::Write { data, .. } => data.len(),
            Self::Flush | Self::Discard { .. } => 0,
        }
    }
}
