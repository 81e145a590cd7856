//! Sorting records in steps: a zone of a hundred thousand of them must not keep others waiting.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::record::{Octets, Record};
use crate::text::Reason;

/// Records that are sorted at once, before merging begins.
const RUN: usize = 256;

/// A merge sort that can stop after any record.
#[derive(Debug)]
pub(crate) struct Sorter {
    from: Vec<Record>,
    to: Vec<Record>,
    /// How long the sorted runs of `from` are; 0 before there are any.
    width: usize,
    /// The next records of the two runs that are being merged.
    left: usize,
    right: usize,
    /// Where the left of the two begins.
    start: usize,
}

impl Sorter {
    pub(crate) fn new(records: Vec<Record>) -> Result<Self, Reason> {
        let mut to = Vec::new();
        if records.len() > RUN {
            to.try_reserve_exact(records.len())
                .map_err(|_| Reason::Memory)?;
        }
        Ok(Self {
            from: records,
            to,
            width: 0,
            left: 0,
            right: 0,
            start: 0,
        })
    }

    /// Goes on for about `budget` records. True when all are sorted.
    pub(crate) fn step(&mut self, octets: &Octets, budget: usize) -> bool {
        if self.width == 0 {
            self.runs(octets, budget);
            return self.width > 0 && self.from.len() <= RUN;
        }
        for _ in 0..budget {
            if self.to.len() == self.from.len() {
                core::mem::swap(&mut self.from, &mut self.to);
                self.to.clear();
                self.width *= 2;
                self.begin(0);
                if self.width >= self.from.len() {
                    return true;
                }
            }
            self.merge_one(octets);
        }
        false
    }

    /// The records, when they are sorted.
    pub(crate) fn finish(self) -> Vec<Record> {
        self.from
    }

    fn runs(&mut self, octets: &Octets, budget: usize) {
        let some = (budget / RUN).max(1).saturating_mul(RUN);
        let end = self.from.len().min(self.start.saturating_add(some));
        for run in self.from[self.start..end].chunks_mut(RUN) {
            run.sort_unstable_by(|one, other| octets.order(one, other));
        }
        self.start = end;
        if end == self.from.len() {
            self.width = RUN;
            self.begin(0);
        }
    }

    fn begin(&mut self, start: usize) {
        self.start = start;
        self.left = start;
        self.right = self.middle();
    }

    fn middle(&self) -> usize {
        self.from.len().min(self.start + self.width)
    }

    fn merge_one(&mut self, octets: &Octets) {
        let end = self.from.len().min(self.start + 2 * self.width);
        let left = (self.left < self.middle()).then(|| self.from[self.left]);
        let right = (self.right < end).then(|| self.from[self.right]);
        let next = match (left, right) {
            (Some(left), Some(right)) if octets.order(&left, &right) == Ordering::Greater => right,
            (Some(left), _) => {
                self.left += 1;
                self.to.push(left);
                return;
            }
            (None, Some(right)) => right,
            (None, None) => return self.begin(end),
        };
        self.right += 1;
        self.to.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::base::iana::Rtype;

    fn sorted(values: &[u32], budget: usize) -> Vec<u32> {
        let mut octets = Octets::default();
        let key = octets.add_key(b"").unwrap();
        let records = values
            .iter()
            .map(|value| {
                octets
                    .add(key, Rtype::A, 0, 0, &value.to_be_bytes())
                    .unwrap()
            })
            .collect();
        let mut sorter = Sorter::new(records).unwrap();
        let mut steps = 0;
        while !sorter.step(&octets, budget) {
            steps += 1;
            assert!(steps < 1_000_000);
        }
        let value = |record: &Record| u32::from_be_bytes(octets.data(record).try_into().unwrap());
        sorter.finish().iter().map(value).collect()
    }

    #[test]
    fn any_number_of_records_is_sorted_in_steps_of_any_length() {
        for count in [0, 1, 255, 256, 257, 511, 512, 513, 1_000, 2_049] {
            // A permutation, as 7,919 is prime and larger.
            let values: Vec<u32> = (0..count).map(|value| value * 5_000 % 7_919).collect();
            let mut expected = values.clone();
            expected.sort_unstable();
            for budget in [1, 100, 5_000] {
                assert_eq!(sorted(&values, budget), expected, "{count} by {budget}");
            }
        }
    }
}
