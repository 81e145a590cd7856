//! Appending, reading, overtaking, and looking for a span of time.

#[allow(dead_code)]
mod support;

use morgana_block::{BlockDevice, RamDisk, Traced};
use morgana_journal::{JournalError, MAX_ENTRY, SEGMENT_BYTES, Step, open};
use support::{Forgetful, all, now};

fn ram(segments: usize) -> RamDisk {
    RamDisk::new(512, (segments * SEGMENT_BYTES / 512) as u64).unwrap()
}

#[test]
fn what_is_no_journal_and_no_empty_disk_is_refused() {
    assert_eq!(now(open(ram(1), 1)).err(), Some(JournalError::TooSmall));
    let disk = ram(2);
    now(disk.write(0, &[0x55; 512])).unwrap();
    assert_eq!(now(open(&disk, 1)).err(), Some(JournalError::Foreign));
    let (mut writer, _) = now(open(ram(2), 1)).unwrap();
    for size in [0, MAX_ENTRY + 1] {
        let refused = now(writer.append(0, &vec![0; size]));
        assert_eq!(refused, Err(JournalError::Size));
    }
    assert_eq!(now(writer.append(0, &[7; MAX_ENTRY])), Ok(0));
}

#[test]
fn a_reader_follows_the_writer_through_all_segments() {
    let (mut writer, journal) = now(open(ram(3), 1)).unwrap();
    let mut cursor = journal.oldest();
    for number in 0..2000u64 {
        let entry = number.to_le_bytes().repeat(20);
        assert_eq!(now(writer.append(number, &entry)), Ok(number));
        let step = now(journal.next(&mut cursor, |_| true));
        assert_eq!(
            step,
            Ok(Step::Entry {
                number,
                time: number
            })
        );
        assert_eq!(cursor.entry(), entry);
        assert_eq!(now(journal.next(&mut cursor, |_| true)), Ok(Step::End));
    }
}

#[test]
fn a_reader_that_is_overtaken_is_told() {
    let (mut writer, journal) = now(open(ram(2), 1)).unwrap();
    let mut cursor = journal.oldest();
    for number in 0..2000 {
        now(writer.append(number, &[1; 200])).unwrap();
        if number == 0 {
            let first = now(journal.next(&mut cursor, |_| true)).unwrap();
            assert_eq!(first, Step::Entry { number: 0, time: 0 });
        }
    }
    let oldest = journal.numbers().start;
    assert!(oldest > 1000);
    // What it had copied of its segment is still read.
    let lost = loop {
        match now(journal.next(&mut cursor, |_| true)).unwrap() {
            Step::Entry { number, .. } => assert!(number < 400),
            Step::Lost(count) => break count,
            Step::End => panic!("the end before the loss"),
        }
    };
    assert!(lost > 0);
    let next = now(journal.next(&mut cursor, |_| true)).unwrap();
    assert_eq!(
        next,
        Step::Entry {
            number: oldest,
            time: oldest
        }
    );
}

#[test]
fn segments_of_other_times_are_not_read() {
    let disk = Traced::new(ram(16));
    {
        let (mut writer, _) = now(open(&disk, 1)).unwrap();
        for time in 0..3000 {
            now(writer.append(time, &[1; 200])).unwrap();
        }
        now(writer.commit()).unwrap();
    }
    // Also what is known after it was opened anew.
    let (_, journal) = now(open(&disk, 2)).unwrap();
    assert_eq!(journal.numbers(), 0..3000);
    let before = disk.counts().reads;
    let mut cursor = journal.oldest();
    let mut found = Vec::new();
    let wanted = 1000..=1010;
    loop {
        let step = journal.next(&mut cursor, |span| {
            span.first <= *wanted.end() && *wanted.start() <= span.last
        });
        match now(step).unwrap() {
            Step::Entry { time, .. } if wanted.contains(&time) => found.push(time),
            Step::Entry { .. } => {}
            Step::Lost(count) => panic!("{count} lost"),
            Step::End => break,
        }
    }
    assert_eq!(found, wanted.collect::<Vec<_>>());
    assert!(disk.counts().reads - before <= 2);
}

#[test]
fn a_disk_that_has_grown_keeps_what_it_had() {
    let small = Forgetful::new(512, 2 * SEGMENT_BYTES);
    let (mut writer, journal) = now(open(small.clone(), 1)).unwrap();
    for time in 0..1000 {
        now(writer.append(time, &[1; 200])).unwrap();
    }
    now(writer.commit()).unwrap();
    let large = Forgetful::new(512, 5 * SEGMENT_BYTES);
    let mut bytes = vec![0; 2 * SEGMENT_BYTES];
    now(small.read(0, &mut bytes)).unwrap();
    now(large.write(0, &bytes)).unwrap();
    let (mut writer, grown) = now(open(large, 2)).unwrap();
    assert_eq!(all(&grown), all(&journal));
    let oldest = grown.numbers().start;
    for time in 1000..1800 {
        now(writer.append(time, &[1; 200])).unwrap();
    }
    assert_eq!(grown.numbers(), oldest..1800);
    assert_eq!(all(&grown).len() as u64, 1800 - oldest);
}
