//! Memory that another domain may write at any moment, reachable by copy only.
//!
//! Invariants of [`ReadRegion`], on which every block below relies:
//!
//! 1. `base` is aligned to 8 bytes and `base .. base + len` stays mapped for reading while the value lives; for a
//!    [`SharedRegion`] also for writing. Whoever calls `from_raw` promises this.
//! 2. No reference to the region's bytes exists anywhere in this domain, so an access can only race with accesses of the same kind
//!    (atomic ones here) or with a peer's, which the compiler knows nothing of.
//!
//! All accesses are atomic with relaxed order or stronger, or made by instructions that the compiler does not see into: a racing write gives
//! old bytes, new bytes or a mix, never undefined behaviour. Order between accesses comes from the acquire and release methods, or from
//! fences at the caller.

mod copy;
mod pieces;
mod region;
#[cfg(test)]
mod tests;

pub use pieces::{PieceLayout, Pieces, piece_count};
pub use region::{ReadRegion, SharedRegion};
