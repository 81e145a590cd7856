//! What goes through the ring: entries like those of network and block devices.

use morgana_netif::{TxFlags, TxRequest, TxResponse, TxStatus};
use morgana_ring::Entry;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A kind of entry, and what both ends do with it.
pub(crate) trait Exchange: 'static {
    type Request: Entry;
    type Response: Entry;

    /// The `number`-th request.
    fn ask(number: u64) -> Self::Request;
    /// The back end's answer.
    fn answer(request: &Self::Request) -> Self::Response;
    /// Whether this is the answer to the `number`-th request.
    fn fits(response: &Self::Response, number: u64) -> bool;
}

/// The transmit ring of a network device: 12 bytes there, 4 back.
pub(crate) struct Net;

impl Exchange for Net {
    type Request = TxRequest;
    type Response = TxResponse;

    fn ask(number: u64) -> TxRequest {
        TxRequest {
            gref: number as u32,
            offset: 0,
            flags: TxFlags::default(),
            id: number as u16,
            size: 1500,
        }
    }

    fn answer(request: &TxRequest) -> TxResponse {
        // Every field is looked at, as a back end does: a compiler leaves out the copy of what nobody uses.
        let good = request.gref as u16 == request.id
            && request.offset == 0
            && request.flags == TxFlags::default()
            && request.size == 1500;
        if !good {
            return refuse(request);
        }
        TxResponse {
            id: request.id,
            status: TxStatus::OKAY,
        }
    }

    fn fits(response: &TxResponse, number: u64) -> bool {
        response.id == number as u16 && response.status == TxStatus::OKAY
    }
}

/// A request that a back end refuses is rare; the peer says the same by `__builtin_expect`.
#[cold]
fn refuse(request: &TxRequest) -> TxResponse {
    TxResponse {
        id: request.id,
        status: TxStatus::ERROR,
    }
}

/// A block device's ring: 112 bytes there, 16 back (blkif.h, `blkif_request` and `blkif_response`).
pub(crate) struct Block;

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct BlockRequest {
    operation: u8,
    segments: u8,
    handle: u16,
    unused: u32,
    id: u64,
    sector: u64,
    pieces: [u64; 11],
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct BlockResponse {
    id: u64,
    operation: u8,
    unused: u8,
    status: i16,
    padding: u32,
}

impl Exchange for Block {
    type Request = BlockRequest;
    type Response = BlockResponse;

    fn ask(number: u64) -> BlockRequest {
        BlockRequest {
            operation: 0,
            segments: 11,
            handle: 0,
            unused: 0,
            id: number,
            sector: number,
            pieces: [0; 11],
        }
    }

    fn answer(request: &BlockRequest) -> BlockResponse {
        BlockResponse {
            id: request.id,
            operation: 0,
            unused: 0,
            status: if request.sector == request.id { 0 } else { -1 },
            padding: 0,
        }
    }

    fn fits(response: &BlockResponse, number: u64) -> bool {
        response.id == number && response.status == 0
    }
}
