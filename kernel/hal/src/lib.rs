#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod civil;
mod clock;
mod domain_state;
mod events;
mod id;
mod idle;
mod local;
mod memory;
mod platform;
mod shared;
mod stream;
mod toolstack;

pub use civil::{Civil, date, days_since_1970};
pub use clock::{Clock, Instant, WallTime};
pub use domain_state::DomainState;
pub use events::{After, Channel, EventError, Events, Virq};
pub use id::{DomId, GrantRef, Mfn, PAGE_SIZE, Pfn, Port};
pub use idle::Idle;
pub use local::LocalPages;
pub use memory::{CopyFrom, CopyTo, Memory, MemoryError, Pages, ReadOnlyPages, SharedPages};
pub use platform::{Exit, Platform, Usage};
pub use shared::{PieceLayout, Pieces, ReadRegion, SharedRegion, piece_count};
pub use stream::{ByteStream, StreamError};
pub use toolstack::{Activity, DomainInfo, NewDomain, Start, Toolstack, ToolstackError};
