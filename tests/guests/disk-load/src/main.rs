//! Measures the disk that the first argument names, past the page cache, with as little of its own as Linux allows: one access at a time by
//! `pread` and `pwrite`, several by io_uring. Writes what guest-disk writes.

#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::thread::sleep;
use std::time::{Duration, Instant};

use morgana_uring::{Batch, Way};

#[path = "../../disk/src/cases.rs"]
mod cases;

use cases::{CASES, Case, PAUSE_MS, Places, WARM_UP};

/// asm-generic/fcntl.h.
const O_DIRECT: i32 = 0o40000;

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or("/dev/xvda".into());
    for case in &CASES {
        let warm_up = Case {
            count: WARM_UP,
            ..*case
        };
        once(&path, &warm_up)?;
        println!("READY {}", case.name);
        sleep(Duration::from_millis(PAUSE_MS));
        let start = Instant::now();
        once(&path, case)?;
        let nanos = start.elapsed().as_nanos();
        println!("DONE {} {} {nanos}", case.name, case.count);
    }
    println!("READY end");
    sleep(Duration::from_secs(60));
    Ok(())
}

fn once(path: &str, case: &Case) -> io::Result<()> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(O_DIRECT)
        .open(path)?;
    let bytes = size(path)?;
    if case.depth == 1 {
        one_by_one(&file, case, bytes)
    } else {
        several(file, case, bytes)
    }
}

/// sysfs counts sectors of 512 bytes.
fn size(path: &str) -> io::Result<u64> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let text = std::fs::read_to_string(format!("/sys/class/block/{name}/size"))?;
    let sectors: u64 = text.trim().parse().map_err(io::Error::other)?;
    Ok(sectors * 512)
}

fn one_by_one(file: &File, case: &Case, size: u64) -> io::Result<()> {
    let mut places = Places::new(case, size);
    let mut buffer = vec![0x5a; 2 * case.bytes + 4096];
    let start = buffer.as_ptr().align_offset(4096);
    let block = &mut buffer[start..start + case.bytes];
    for _ in 0..case.count {
        let offset = places.next() * case.bytes as u64;
        if case.writes {
            file.write_all_at(block, offset)?;
        } else {
            file.read_exact_at(block, offset)?;
        }
    }
    Ok(())
}

fn several(file: File, case: &Case, size: u64) -> io::Result<()> {
    let way = if case.writes { Way::Write } else { Way::Read };
    let mut places = Places::new(case, size);
    let mut batch = Batch::new(file.into(), case.depth, case.bytes)?;
    let mut left = case.count;
    let (mut free, mut under_way): (Vec<usize>, usize) = ((0..case.depth).collect(), 0);
    while left > 0 || under_way > 0 {
        while left > 0
            && let Some(slot) = free.pop()
        {
            batch.push(slot, way, places.next() * case.bytes as u64)?;
            (left, under_way) = (left - 1, under_way + 1);
        }
        let mut failed = None;
        batch.wait(|slot, result| {
            free.push(slot);
            under_way -= 1;
            match result {
                Ok(count) if count == case.bytes => {}
                Ok(_) => failed = Some(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => failed = Some(error),
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
    }
    Ok(())
}
