#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod capture;
mod device;
mod either;
mod fault;
mod pair;
pub mod pcapng;
mod random;
mod trace;
mod vif;

pub use capture::{Captured, Capturing, Direction, FrameSink};
pub use device::{Capabilities, Device, RxFrame, TxSlot};
pub use fault::{FaultCounts, FaultPlan, Faulty, InjectedFrame, MAX_DELAYED};
pub use morgana_netif::{
    GsoProtocol, MacAddr, NoSegment, NotLarge, Offload, ParseMacError, RxChecksum, RxMeta,
    Segmentation, SegmentationOffload, Segments, TxChecksum, TxMeta, Verdict, blank_or_complete,
    complete, verify,
};
pub use pair::{PAIR_FRAMES, PairConfig, PairDevice, PairFrame, PairSlot, pair};
pub use random::SplitMix;
pub use trace::{TraceSink, Traced, Tracing};
pub use vif::BACK_END_MAC;
