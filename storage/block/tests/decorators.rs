//! Devices around a device.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use morgana_block::{
    BlockDevice, BlockError, Counts, Discard, Faults, Faulty, RamDisk, ReadOnly, Slice, Traced,
    Writes,
};

/// None of these waits for anything.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a RAM disk waits for nothing"),
    }
}

fn sector(disk: &impl BlockDevice, number: u64) -> u8 {
    let mut bytes = [0; 512];
    now(disk.read(number, &mut bytes)).unwrap();
    assert!(bytes.iter().all(|&byte| byte == bytes[0]));
    bytes[0]
}

#[test]
fn a_slice_is_a_device_of_its_own() {
    let disk = RamDisk::new(512, 100).unwrap();
    let (first, second) = (
        Slice::new(&disk, 0..50).unwrap(),
        Slice::new(&disk, 50..60).unwrap(),
    );
    now(first.write(49, &[1; 512])).unwrap();
    now(second.write(0, &[2; 1024])).unwrap();
    assert_eq!(
        [49, 50, 51, 52].map(|number| sector(&disk, number)),
        [1, 2, 2, 0]
    );
    assert_eq!(second.geometry().sectors(), 10);
    for (number, bytes) in [(10, 512), (9, 1024), (u64::MAX, 512)] {
        let refused = Err(BlockError::OutOfRange);
        assert_eq!(now(second.write(number, &vec![9; bytes])), refused);
        assert_eq!(now(second.read(number, &mut vec![9; bytes])), refused);
    }
    assert_eq!(
        now(second.discard(5, 6, Discard::Plain)),
        Err(BlockError::OutOfRange)
    );
    now(second.discard(1, 1, Discard::Plain)).unwrap();
    assert_eq!([50, 51].map(|number| sector(&disk, number)), [2, 0]);
    for (start, end) in [(90, 101), (101, 101), (60, 50)] {
        assert!(Slice::new(&disk, start..end).is_err());
    }
}

#[test]
fn what_is_read_only_stays_as_it_is() {
    let disk = RamDisk::new(512, 8).unwrap();
    now(disk.write(3, &[7; 512])).unwrap();
    let frozen = ReadOnly(&disk);
    assert_eq!(frozen.geometry().writes(), Writes::Refused);
    assert_eq!(now(frozen.write(3, &[8; 512])), Err(BlockError::ReadOnly));
    assert!(now(frozen.discard(3, 1, Discard::Plain)).is_err() && !frozen.discards(Discard::Plain));
    // A part of it is read-only too.
    let part = Slice::new(&frozen, 3..4).unwrap();
    assert_eq!(now(part.write(0, &[8; 512])), Err(BlockError::ReadOnly));
    assert_eq!(
        now(part.discard(0, 1, Discard::Plain)),
        Err(BlockError::ReadOnly)
    );
    assert_eq!(sector(&part, 0), 7);
}

#[test]
fn accesses_are_counted() {
    let disk = Traced::new(RamDisk::new(512, 8).unwrap());
    now(disk.write(0, &[1; 1024])).unwrap();
    now(disk.read(0, &mut [0; 512])).unwrap();
    now(disk.flush()).unwrap();
    now(disk.discard(0, 8, Discard::Secure)).unwrap();
    assert!(now(disk.read(8, &mut [0; 512])).is_err());
    let wanted = Counts {
        reads: 1,
        read_bytes: 512,
        writes: 1,
        written_bytes: 1024,
        flushes: 1,
        discards: 1,
        errors: 1,
    };
    assert_eq!(disk.counts(), wanted);
}

#[test]
fn faults_come_as_the_seed_says() {
    let faults = Faults {
        reads: 5,
        writes: 5,
        torn_writes: 5,
        flushes: 5,
    };
    let outcomes = |seed| {
        let disk = Faulty::new(RamDisk::new(512, 8).unwrap(), faults, seed);
        let mut torn = 0;
        let outcomes: Vec<bool> = (0..400)
            .map(|round: u64| match round % 3 {
                0 => now(disk.read(0, &mut [0; 512])).is_ok(),
                1 => now(disk.flush()).is_ok(),
                _ => {
                    let (old, new) = (round as u8, round as u8 + 1);
                    let undisturbed = Slice::new(&disk, 0..8).unwrap();
                    let _ = now(undisturbed.write(0, &[old; 2048]));
                    let written = now(disk.write(0, &[new; 2048])).is_ok();
                    torn += usize::from(!written);
                    written
                }
            })
            .collect();
        assert!(torn > 10);
        outcomes
    };
    assert_eq!(outcomes(1), outcomes(1));
    assert_ne!(outcomes(1), outcomes(2));
    assert!((200..360).contains(&outcomes(3).iter().filter(|&&good| good).count()));
    let never = Faulty::new(RamDisk::new(512, 8).unwrap(), Faults::default(), 1);
    assert!((0..100).all(|_| now(never.flush()).is_ok()));
}
