//! The rules of a queue.

use alloc::vec::Vec;

use crate::jobs::Jobs;
use crate::{Backoff, JobId, Limits, NewJob, Outcome, QueueError};

fn limits() -> Limits {
    Limits {
        jobs: 3,
        payload: 4,
        bytes: 8,
        attempts: 2,
        window: 50,
        backoff: Backoff {
            first: 10,
            most: 40,
        },
        ..Limits::default()
    }
}

fn job(payload: &[u8], priority: u8, delay: u64) -> NewJob {
    NewJob {
        payload: payload.to_vec(),
        priority,
        delay,
        ..NewJob::default()
    }
}

#[test]
fn higher_priorities_come_first_and_then_the_oldest() {
    let mut queue = Jobs::new(limits(), 1);
    for (payload, priority) in [(b"a", 0), (b"b", 9), (b"c", 9)] {
        queue.enqueue(0, job(payload, priority, 0)).unwrap();
    }
    let order: Vec<_> = core::iter::from_fn(|| queue.lease(0, 10))
        .map(|lease| lease.payload)
        .collect();
    assert_eq!(order, [b"b", b"c", b"a"]);
}

#[test]
fn delayed_jobs_wait() {
    let mut queue = Jobs::new(limits(), 1);
    queue.enqueue(0, job(b"a", 0, 5)).unwrap();
    assert_eq!(queue.next_change(), Some(5));
    assert_eq!(queue.lease(4, 10), None);
    assert!(queue.lease(5, 10).is_some());
}

#[test]
fn a_lease_that_ends_is_a_failed_attempt_and_its_token_is_worth_nothing() {
    let mut queue = Jobs::new(limits(), 1);
    queue.enqueue(0, job(b"a", 0, 0)).unwrap();
    let first = queue.lease(0, 10).unwrap();
    assert_eq!(queue.extend(9, first.id, first.token, 10), Ok(19));
    assert_eq!(
        queue.acknowledge(19, first.id, first.token),
        Err(QueueError::NoLease)
    );
    let second = queue.lease(29, 10).unwrap();
    assert_eq!((second.id, second.attempt), (first.id, 2));
    assert_eq!(
        queue.acknowledge(30, first.id, first.token),
        Err(QueueError::NoLease)
    );
    assert_eq!(queue.fail(30, second.id, second.token), Ok(Outcome::Dead));
    assert_eq!(
        queue
            .dead_letters(JobId(0))
            .map(|letter| letter.attempts)
            .collect::<Vec<_>>(),
        [2]
    );
    queue.requeue(first.id).unwrap();
    let third = queue.lease(30, 10).unwrap();
    queue.acknowledge(30, third.id, third.token).unwrap();
    assert_eq!(queue.statistics(), Default::default());
    assert_eq!(queue.purge(first.id), Err(QueueError::NoDeadLetter));
}

#[test]
fn a_key_is_taken_once_within_the_window() {
    let mut queue = Jobs::new(limits(), 1);
    let keyed = || NewJob {
        key: b"k".to_vec(),
        ..NewJob::default()
    };
    assert_eq!(queue.enqueue(0, keyed()), Ok(Outcome::New(JobId(1))));
    assert_eq!(queue.enqueue(49, keyed()), Ok(Outcome::Duplicate(JobId(1))));
    assert_eq!(queue.enqueue(50, keyed()), Ok(Outcome::New(JobId(2))));
}

#[test]
fn a_full_queue_refuses_and_is_as_before() {
    let mut queue = Jobs::new(limits(), 1);
    assert_eq!(
        queue.enqueue(0, job(b"12345", 0, 0)),
        Err(QueueError::TooLarge)
    );
    queue.enqueue(0, job(b"1234", 0, 0)).unwrap();
    queue.enqueue(0, job(b"123", 0, 0)).unwrap();
    assert_eq!(queue.enqueue(0, job(b"12", 0, 0)), Err(QueueError::Full));
    queue.enqueue(0, job(b"1", 0, 0)).unwrap();
    assert_eq!(queue.enqueue(0, job(b"", 0, 0)), Err(QueueError::Full));
    assert_eq!((queue.statistics().ready, queue.statistics().bytes), (3, 8));
}

#[test]
fn a_job_may_have_attempts_of_its_own() {
    let mut queue = Jobs::new(limits(), 1);
    for (attempts, expected) in [(1, 1), (0, 2), (3, 3)] {
        let job = NewJob {
            attempts,
            ..job(b"", 0, 0)
        };
        let Ok(Outcome::New(id)) = queue.enqueue(0, job) else {
            panic!("there is room");
        };
        for attempt in 1..=expected {
            let lease = queue.lease(1000 * u64::from(attempt), 10).unwrap();
            assert_eq!((lease.id, lease.attempt), (id, attempt));
            let now = 1000 * u64::from(attempt);
            let dead = queue.fail(now, id, lease.token) == Ok(Outcome::Dead);
            assert_eq!(dead, attempt == expected);
        }
        queue.purge(id).unwrap();
        // The time of a queue does not run backwards: another one.
        queue = Jobs::new(limits(), 1);
    }
}

#[test]
fn of_too_many_dead_letters_the_oldest_are_dropped() {
    let limits = Limits {
        dead: 2,
        ..limits()
    };
    let mut queue = Jobs::new(limits, 1);
    for _ in 0..5 {
        let once = NewJob {
            attempts: 1,
            ..job(b"12", 0, 0)
        };
        queue.enqueue(0, once).unwrap();
        let lease = queue.lease(0, 10).unwrap();
        assert_eq!(queue.fail(0, lease.id, lease.token), Ok(Outcome::Dead));
    }
    let letters = queue.dead_letters(JobId(0)).map(|letter| letter.id);
    assert_eq!(letters.collect::<Vec<_>>(), [JobId(4), JobId(5)]);
    let statistics = queue.statistics();
    assert_eq!((statistics.dead, statistics.bytes), (2, 4));
    assert_eq!((queue.totals().died, queue.totals().dropped), (5, 3));
    assert!(queue.contains(JobId(4)) && !queue.contains(JobId(3)));
}

#[test]
fn waits_double_and_are_bounded() {
    let backoff = Backoff {
        first: 10,
        most: 40,
    };
    for (attempt, full) in [(1, 10), (2, 20), (3, 40), (4, 40), (u32::MAX, 40)] {
        for random in 0..100 {
            assert!((full / 2..=full).contains(&backoff.wait(attempt, random)));
        }
    }
}
