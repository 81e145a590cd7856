//! What a back end answers.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Operation;

/// What became of a request (blkif.h, `blkif_response`, in the x86_64 ABI).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Response {
    /// The request's id.
    pub id: u64,
    /// The request's operation; of an indirect request, the one that it carries.
    pub operation: Operation,
    /// Not used.
    pub pad: u8,
    /// One of [`Status`].
    pub status: Status,
    /// Not used.
    pub pad2: u32,
}

impl Response {
    /// An answer.
    pub fn new(id: u64, operation: Operation, status: Status) -> Self {
        Self {
            id,
            operation,
            status,
            ..Self::default()
        }
    }
}

/// The status of a response (blkif.h, `BLKIF_RSP_*`).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct Status(pub i16);

impl Status {
    /// It is done (`BLKIF_RSP_OKAY`).
    pub const OKAY: Self = Self(0);
    /// It has failed, or the request was wrong (`BLKIF_RSP_ERROR`).
    pub const ERROR: Self = Self(-1);
    /// The back end cannot do this (`BLKIF_RSP_EOPNOTSUPP`).
    pub const NOT_SUPPORTED: Self = Self(-2);
}
