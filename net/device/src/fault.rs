//! A decorator that loses, damages, repeats and reorders the frames that a device receives, as a seed tells it to.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::task::{Context, Poll};

use crate::{Capabilities, Device, RxFrame, RxMeta, SplitMix};

/// How often each fault happens, in 1 of 1,000 frames. Where the faults of both directions are wanted, both ends are decorated.
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultPlan {
    /// Frames that are lost.
    pub drop_per_mille: u16,
    /// Frames in which one bit is flipped. What the device told about the checksum stays as it was.
    pub corrupt_per_mille: u16,
    /// Frames that arrive twice.
    pub duplicate_per_mille: u16,
    /// Frames that arrive after up to [`MAX_DELAYED`] later ones.
    pub reorder_per_mille: u16,
}

/// How many frames are held back for reordering at most; one more goes on at once.
pub const MAX_DELAYED: usize = 8;

/// How many lost frames one call of `receive` passes over before it answers that there is none now.
const MAX_DROPS_A_CALL: usize = 64;

/// What has been done so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FaultCounts {
    /// Frames lost.
    pub dropped: u64,
    /// Frames damaged.
    pub corrupted: u64,
    /// Frames repeated.
    pub duplicated: u64,
    /// Frames held back.
    pub reordered: u64,
}

/// A device with faults.
#[derive(Debug)]
pub struct Faulty<D> {
    device: D,
    plan: FaultPlan,
    random: SplitMix,
    counts: FaultCounts,
    /// To be delivered next.
    ready: VecDeque<InjectedFrame>,
    /// To be delivered after so many more frames.
    delayed: Vec<(usize, InjectedFrame)>,
}

impl<D: Device> Faulty<D> {
    /// Decorates `device`; the same seed and the same frames give the same faults.
    pub fn new(device: D, plan: FaultPlan, seed: u64) -> Self {
        Self {
            device,
            plan,
            random: SplitMix::new(seed),
            counts: FaultCounts::default(),
            ready: VecDeque::new(),
            delayed: Vec::new(),
        }
    }

    /// What has been done so far.
    pub fn counts(&self) -> FaultCounts {
        self.counts
    }

    /// Takes one frame from the device, and decides about it. False if the device has none.
    fn step(&mut self) -> bool {
        let Some(mut received) = self.device.receive() else {
            return false;
        };
        let mut frame = InjectedFrame {
            meta: received.meta(),
            bytes: received.bytes().to_vec(),
        };
        drop(received);
        if self.random.chance(self.plan.drop_per_mille) {
            self.counts.dropped += 1;
            return true;
        }
        if self.random.chance(self.plan.corrupt_per_mille) && !frame.bytes.is_empty() {
            let at = self.random.below(frame.bytes.len());
            frame.bytes[at] ^= 1 << self.random.below(8);
            self.counts.corrupted += 1;
        }
        if self.random.chance(self.plan.duplicate_per_mille) {
            self.ready.push_back(frame.clone());
            self.counts.duplicated += 1;
        }
        if self.delayed.len() < MAX_DELAYED && self.random.chance(self.plan.reorder_per_mille) {
            let after = 1 + self.random.below(MAX_DELAYED);
            self.delayed.push((after, frame));
            self.counts.reordered += 1;
        } else {
            self.ready.push_back(frame);
        }
        self.release();
        true
    }

    /// Counts one frame down, and lets go of what has been held back long enough.
    fn release(&mut self) {
        let mut at = 0;
        while at < self.delayed.len() {
            if self.delayed[at].0 == 0 {
                let (_, frame) = self.delayed.remove(at);
                self.ready.push_back(frame);
            } else {
                self.delayed[at].0 -= 1;
                at += 1;
            }
        }
    }
}

impl<D: Device> Device for Faulty<D> {
    type TxSlot<'a>
        = D::TxSlot<'a>
    where
        Self: 'a;
    type RxFrame<'a>
        = InjectedFrame
    where
        Self: 'a;

    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    fn transmit(&mut self) -> Option<Self::TxSlot<'_>> {
        self.device.transmit()
    }

    fn receive(&mut self) -> Option<InjectedFrame> {
        for _ in 0..MAX_DROPS_A_CALL {
            if let Some(frame) = self.ready.pop_front() {
                return Some(frame);
            }
            if !self.step() {
                // Nothing comes after them any more: what was held back arrives now, in whatever order it was.
                let (_, frame) = self.delayed.pop()?;
                return Some(frame);
            }
        }
        None
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.ready.is_empty() || !self.delayed.is_empty() {
            return Poll::Ready(());
        }
        self.device.poll_ready(cx)
    }

    fn flush(&mut self) {
        self.device.flush();
    }
}

/// A frame that has passed a [`Faulty`] device.
#[derive(Clone, Debug)]
pub struct InjectedFrame {
    meta: RxMeta,
    bytes: Vec<u8>,
}

impl RxFrame for InjectedFrame {
    fn meta(&self) -> RxMeta {
        self.meta
    }

    fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::{MacAddr, PairConfig, PairDevice, TxMeta, TxSlot, pair};

    fn run(plan: FaultPlan, seed: u64, frames: u8) -> (Vec<Vec<u8>>, FaultCounts) {
        let macs = [MacAddr([2; 6]), MacAddr([4; 6])];
        let (mut a, b): (PairDevice, _) = pair(macs, PairConfig::default());
        let mut b = Faulty::new(b, plan, seed);
        for number in 0..frames {
            a.transmit().unwrap().send(60, |frame| {
                frame.fill(number);
                TxMeta::default()
            });
        }
        a.flush();
        let mut received = Vec::new();
        while let Some(mut frame) = b.receive() {
            received.push(frame.bytes().to_vec());
        }
        (received, b.counts())
    }

    #[test]
    fn without_faults_nothing_changes() {
        let (frames, counts) = run(FaultPlan::default(), 1, 100);
        assert_eq!(counts, FaultCounts::default());
        assert!(frames.iter().map(|frame| frame[7]).eq(0..100));
    }

    #[test]
    fn a_seed_replays_exactly_and_the_counts_are_true() {
        let plan = FaultPlan {
            drop_per_mille: 100,
            corrupt_per_mille: 100,
            duplicate_per_mille: 100,
            reorder_per_mille: 200,
        };
        let (frames, counts) = run(plan, 7, 200);
        assert_eq!(run(plan, 7, 200), (frames.clone(), counts));
        assert_ne!(run(plan, 8, 200).0, frames);
        let whole = 200 - counts.dropped + counts.duplicated;
        assert_eq!(frames.len() as u64, whole);
        let damaged = frames
            .iter()
            .filter(|frame| frame.iter().any(|byte| *byte != frame[0]))
            .count() as u64;
        assert!(counts.dropped > 0 && counts.duplicated > 0 && counts.reordered > 0);
        assert!(damaged >= counts.corrupted && counts.corrupted > 0);
        let steps_back = frames
            .windows(2)
            .filter(|two| two[1][9] < two[0][9])
            .count();
        assert!(steps_back > 0);
    }

    #[test]
    fn what_was_held_back_is_not_lost() {
        let plan = FaultPlan {
            reorder_per_mille: 1000,
            ..FaultPlan::default()
        };
        let (frames, _) = run(plan, 1, 50);
        let mut numbers: Vec<u8> = frames.iter().map(|frame| frame[0]).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..50));
    }
}
