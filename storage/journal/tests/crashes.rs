//! The power fails at every write: what was committed is there, and nothing that was never appended.

#[allow(dead_code)]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use morgana_journal::{SEGMENT_BYTES, open};
use support::{Forgetful, Random, all, now};

/// All that was ever appended under a number: after a crash, a number that was not committed is used again.
type Written = BTreeMap<u64, BTreeSet<Vec<u8>>>;

/// Appends and commits until the power fails or the script ends. Returns which entries must be there.
fn run(disk: &Forgetful, random: &mut Random, written: &mut Written, steps: usize) -> Range<u64> {
    let Ok((mut writer, journal)) = now(open(disk.clone(), random.next())) else {
        // Before it was begun.
        return 0..0;
    };
    let mut committed = journal.numbers().end;
    for _ in 0..steps {
        let len = match random.below(8) {
            0 => 1 + random.below(16 << 10),
            _ => 1 + random.below(300),
        };
        let byte = random.next() as u8;
        let entry: Vec<u8> = (0..len).map(|at| byte ^ at as u8).collect();
        let next = journal.numbers().end;
        written.entry(next).or_default().insert(entry.clone());
        let Ok(number) = now(writer.append(next, &entry)) else {
            break;
        };
        assert_eq!(number, next);
        if random.below(4) == 0 {
            match now(writer.commit()) {
                Ok(next) => committed = next,
                Err(_) => break,
            }
        }
    }
    let oldest = journal.numbers().start;
    oldest.min(committed)..committed
}

fn check(disk: &Forgetful, written: &Written, must: Range<u64>, context: &str) {
    let (_, journal) =
        now(open(disk.clone(), 1)).unwrap_or_else(|error| panic!("{context}: {error}"));
    let found = all(&journal);
    for pair in found.windows(2) {
        assert!(pair[0].0 < pair[1].0, "{context}: numbers grow");
    }
    for (number, time, entry) in &found {
        assert_eq!(number, time, "{context}");
        let known = written
            .get(number)
            .is_some_and(|known| known.contains(entry));
        assert!(known, "{context}: {number} was never written so");
    }
    let numbers: BTreeSet<u64> = found.iter().map(|(number, ..)| *number).collect();
    for number in must {
        assert!(
            numbers.contains(&number),
            "{context}: {number} was committed"
        );
    }
}

/// Four lives of a journal of four segments, each of which ends after so many accesses.
fn lives(sector_size: u32, seed: u64, accesses: u64) {
    let disk = Forgetful::new(sector_size, 4 * SEGMENT_BYTES);
    let mut random = Random(seed);
    let mut written = Written::new();
    for life in 0..4 {
        disk.fail_after(accesses);
        let must = run(&disk, &mut random, &mut written, 200);
        disk.crash(&mut random);
        let context =
            format!("sectors of {sector_size}, seed {seed}, {accesses} accesses, life {life}");
        check(&disk, &written, must, &context);
    }
}

#[test]
fn what_was_committed_survives_at_every_write() {
    for accesses in 0..200 {
        lives(512, accesses, accesses);
    }
    for accesses in 0..60 {
        lives(4096, accesses, accesses);
    }
}

#[test]
fn what_was_committed_survives_many_laps() {
    for seed in 0..30 {
        lives(512, seed, 300 + 37 * seed);
    }
}

#[test]
fn a_commit_that_failed_can_be_tried_again() {
    let disk = Forgetful::new(512, 2 * SEGMENT_BYTES);
    let (mut writer, journal) = now(open(disk.clone(), 1)).unwrap();
    now(writer.append(0, b"one")).unwrap();
    disk.fail_after(1);
    assert!(now(writer.commit()).is_err());
    disk.fail_after(u64::MAX);
    now(writer.append(1, b"two")).unwrap();
    assert_eq!(now(writer.commit()), Ok(2));
    disk.crash(&mut Random(1));
    let (_, again) = now(open(disk, 2)).unwrap();
    assert_eq!(all(&again), all(&journal));
}

#[test]
fn damage_loses_entries_and_invents_none() {
    for seed in 0..100 {
        let mut random = Random(seed);
        let disk = Forgetful::new(512, 3 * SEGMENT_BYTES);
        let mut written = Written::new();
        run(&disk, &mut random, &mut written, 400);
        disk.damage(|bytes| {
            for _ in 0..1 + random.below(20) {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
        });
        check(&disk, &written, 0..0, &format!("seed {seed}"));
    }
}
