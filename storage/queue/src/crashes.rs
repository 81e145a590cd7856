//! The power fails at every byte that a run writes: what was answered is there, what was begun may be, and nothing else.

extern crate std;

mod recorder;

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::{format, println, vec};

use morgana_exec::join_all;

use recorder::{Event, Recorder};

use crate::backoff::next_random;
use crate::jobs::View;
use crate::{Backoff, JobId, JobQueue, Lease, Limits, NewJob, OpenError, Queue};

type Views = BTreeMap<Vec<u8>, View>;

fn limits() -> Limits {
    Limits {
        jobs: 8,
        payload: 600,
        key: 3,
        bytes: 1200,
        keys: 64,
        window: 1 << 40,
        attempts: 2,
        backoff: Backoff { first: 2, most: 8 },
        ..Limits::default()
    }
}

/// Nothing here waits for anybody.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a queue waits for nothing but its device"),
    }
}

/// What was asked for after `begun` events, and answered after `answered`; and what the queue had then.
struct Step {
    begun: usize,
    answered: usize,
    view: Views,
}

struct Run {
    disk: Recorder,
    steps: Vec<Step>,
}

/// A run that does everything, with the queue opened anew now and then.
fn run(sector_size: usize, seed: u64, length: usize) -> Run {
    let mut random = seed;
    let bytes = limits().device_bytes() as usize;
    let disk = Recorder::new(sector_size, vec![0; bytes.next_multiple_of(8192)]);
    let start = Step {
        begun: 0,
        answered: 0,
        view: Views::new(),
    };
    let mut run = Run {
        disk,
        steps: vec![start],
    };
    let time = Rc::new(Cell::new(1));
    let mut leases = Vec::<Lease>::new();
    while run.steps.len() < length {
        let clock = time.clone();
        let opened = Queue::open(run.disk.clone(), move || clock.get(), limits(), random);
        let queue = now(opened).unwrap();
        for _ in 0..100 {
            time.set(time.get() + next_random(&mut random) % 3);
            let begun = run.disk.events();
            step(&queue, &mut random, &mut leases);
            run.steps.push(Step {
                begun,
                answered: run.disk.events(),
                view: queue.view(),
            });
        }
    }
    run
}

fn step(queue: &Queue<Recorder, impl Fn() -> u64>, random: &mut u64, leases: &mut Vec<Lease>) {
    let mut below = |most: u64| next_random(random) % most;
    match below(10) {
        0..=2 => {
            let count = 1 + below(3);
            let jobs: Vec<_> = (0..count)
                .map(|_| NewJob {
                    payload: vec![below(256) as u8; [4, 40, 600][below(3) as usize]],
                    key: vec![b'k'; below(4) as usize],
                    priority: below(3) as u8,
                    delay: below(2) * 3,
                    attempts: below(3) as u32,
                })
                .collect();
            now(join_all(jobs.into_iter().map(|job| queue.enqueue(job))));
        }
        3..=5 => leases.extend(now(queue.lease(1 + below(20))).unwrap()),
        what if !leases.is_empty() => {
            let lease = leases.swap_remove(below(leases.len() as u64) as usize);
            match what {
                6 => _ = now(queue.acknowledge(lease.id, lease.token)),
                7 => {
                    if now(queue.extend(lease.id, lease.token, 20)).is_ok() {
                        leases.push(lease);
                    }
                }
                _ => _ = now(queue.fail(lease.id, lease.token)),
            }
        }
        what => {
            let dead = now(queue.dead_letters(JobId(0), 1)).unwrap();
            if let Some(letter) = dead.first() {
                match what {
                    6 | 7 => now(queue.requeue(letter.id)).unwrap(),
                    _ => now(queue.purge(letter.id)).unwrap(),
                }
            }
        }
    }
}

/// Opens what a crash in or before event `at` has left.
fn check(run: &Run, image: Vec<u8>, at: usize, context: &str) {
    let disk = Recorder::new(run.disk.0.geometry.sector_size(), image);
    let queue = now(Queue::open(disk, || 0, limits(), 99))
        .unwrap_or_else(|error| panic!("{context}: {error}"));
    let answered = run.steps.partition_point(|step| step.answered <= at) - 1;
    let begun = run.steps.partition_point(|step| step.begun <= at);
    compare(&run.steps[answered..begun], &queue.view(), context);
}

/// Each job and each key is as it was at one of these steps.
fn compare(steps: &[Step], found: &Views, context: &str) {
    let names = steps.iter().flat_map(|step| step.view.keys());
    for name in names.chain(found.keys()) {
        let found = found.get(name);
        let same = |step: &Step| match (found, step.view.get(name)) {
            // A job without attempts left is leased or dead; time decides which.
            (Some(found), Some(known)) => {
                *found
                    == View {
                        dead: found.dead,
                        ..known.clone()
                    }
            }
            (found, known) => found.is_none() && known.is_none(),
        };
        let context = || format!("{context}: {name:?} is {found:?}");
        assert!(steps.iter().any(same), "{}", context());
    }
}

/// Gives `cut` each event with what was durable before it, and the writes since.
fn each_event(run: &Run, mut cut: impl FnMut(usize, &[u8], &[(usize, &[u8])])) {
    let events = run.disk.0.events.borrow();
    let mut durable = vec![0; run.disk.0.bytes.borrow().len()];
    let mut pending = Vec::<(usize, &[u8])>::new();
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Write(start, bytes) => pending.push((*start, bytes)),
            Event::Flush => {}
        }
        cut(at, &durable, &pending);
        if let Event::Flush = event {
            for (start, bytes) in pending.drain(..) {
                durable[start..start + bytes.len()].copy_from_slice(bytes);
            }
        }
    }
}

#[test]
fn what_was_answered_survives_a_cut_at_every_byte() {
    for (sector_size, length) in [(512, 150), (4096, 50)] {
        let run = run(sector_size, 7, length);
        let mut cuts = 0;
        each_event(&run, |at, durable, pending| {
            let Some((&(start, last), before)) = pending.split_last() else {
                return;
            };
            let mut image = durable.to_vec();
            for (start, bytes) in before {
                image[*start..start + bytes.len()].copy_from_slice(bytes);
            }
            // What is zero at the end is as good as written.
            let len = last
                .iter()
                .rposition(|&byte| byte != 0)
                .map_or(0, |at| at + 1);
            for cut in 0..=len {
                cuts += 1;
                image[start..start + cut].copy_from_slice(&last[..cut]);
                check(
                    &run,
                    image.clone(),
                    at,
                    &format!("{sector_size}, event {at}, byte {cut}"),
                );
            }
        });
        println!("{cuts} cuts in sectors of {sector_size}");
        assert!(cuts > 1000);
    }
}

#[test]
fn what_was_answered_survives_when_any_writes_since_the_last_flush_are_lost_or_torn() {
    let mut random = 3;
    for seed in 0..6 {
        let sector_size = if seed % 4 == 3 { 4096 } else { 512 };
        let run = run(sector_size, seed, 160);
        each_event(&run, |at, durable, pending| {
            for variant in 0..4 {
                let mut image = durable.to_vec();
                for (start, bytes) in pending {
                    for (index, sector) in bytes.chunks(sector_size).enumerate() {
                        let cut = next_random(&mut random) as usize % sector_size;
                        let range = match next_random(&mut random) % 5 {
                            0 | 1 => 0..sector_size,
                            2 => 0..cut,
                            3 => cut..sector_size,
                            _ => 0..0,
                        };
                        let place = &mut image[start + index * sector_size..][..sector_size];
                        place[range.clone()].copy_from_slice(&sector[range]);
                    }
                }
                check(
                    &run,
                    image,
                    at,
                    &format!("seed {seed}, event {at}, variant {variant}"),
                );
            }
        });
    }
}

#[test]
fn damage_to_any_byte_is_an_error_or_loses_the_last_batch_alone() {
    for seed in [1] {
        let run = run(512, seed, 50);
        let whole = run.disk.0.bytes.borrow().clone();
        let (mut errors, mut opened) = (0, 0);
        let last = run.steps.last().unwrap().answered;
        let before = run.steps.partition_point(|step| step.answered < last);
        for at in 0..whole.len() {
            let mut image = whole.clone();
            image[at] ^= 1 << (at % 8);
            let disk = Recorder::new(512, image);
            match now(Queue::open(disk, || 0, limits(), 99)) {
                Ok(queue) => {
                    opened += 1;
                    let context = format!("seed {seed}, byte {at}");
                    compare(&run.steps[before - 1..], &queue.view(), &context);
                }
                Err(error) => {
                    errors += 1;
                    // Without the name of its only header it is no queue.
                    let nameless = at < 8 && error == OpenError::Foreign;
                    assert!(
                        nameless || error == OpenError::Damaged,
                        "seed {seed}, byte {at}: {error}"
                    );
                }
            }
        }
        assert!(errors > 500 && opened > 500, "{errors} {opened}");
    }
}

#[test]
fn runs_do_what_they_are_to_test() {
    let run = run(512, 7, 150);
    let last = &run.steps.last().unwrap().view;
    assert!(
        run.steps
            .iter()
            .any(|step| step.view.values().any(|job| job.dead))
    );
    assert!(
        run.steps
            .iter()
            .any(|step| step.view.values().any(|job| job.attempts == 2))
    );
    assert!(last.values().any(|view| view.payload.len() == 600) || last.len() > 2);
    // Once for each open, and again when a half is full.
    let events = run.disk.0.events.borrow();
    let headers = events.iter().filter(|event| match event {
        Event::Write(_, bytes) => bytes.starts_with(b"mrgnjob1") && bytes[8] == 1,
        Event::Flush => false,
    });
    assert!(headers.count() > 3);
}
