//! What every `JobQueue` does, for any implementation.

use morgana_queue::{JobId, JobQueue, Limits, NewJob, Outcome, QueueError, Token};

/// Asks empty queues with these limits for everything. `pass` lets so many milliseconds pass.
pub(crate) async fn conforms<Q: JobQueue>(open: impl AsyncFn(Limits) -> Q, pass: impl Fn(u64)) {
    let limits = Limits {
        attempts: 2,
        window: 50,
        ..Limits::default()
    };
    order(&open(limits).await).await;
    keys(&open(limits).await, &pass).await;
    leases(&open(limits).await, &pass).await;
    delays(&open(limits).await, &pass).await;
    attempts(&open(limits).await).await;
    pages(&open(limits).await).await;
    let few = Limits { jobs: 1, ..limits };
    bounds(&open(few).await, few).await;
}

fn job(payload: &[u8], priority: u8) -> NewJob {
    NewJob {
        payload: payload.to_vec(),
        priority,
        ..NewJob::default()
    }
}

async fn order(queue: &impl JobQueue) {
    for (payload, priority) in [(b"a", 0), (b"b", 9), (b"c", 9)] {
        queue.enqueue(job(payload, priority)).await.unwrap();
    }
    for expected in [b"b", b"c", b"a"] {
        let lease = queue.lease(10).await.unwrap().unwrap();
        assert_eq!(
            (lease.payload.as_slice(), lease.attempt),
            (expected.as_slice(), 1)
        );
        queue.acknowledge(lease.id, lease.token).await.unwrap();
    }
    assert_eq!(queue.lease(10).await, Ok(None));
    assert_eq!(queue.statistics().await, Ok(Default::default()));
}

async fn keys(queue: &impl JobQueue, pass: &impl Fn(u64)) {
    let keyed = || NewJob {
        key: b"k".to_vec(),
        ..NewJob::default()
    };
    let Outcome::New(id) = queue.enqueue(keyed()).await.unwrap() else {
        panic!("nothing has this key");
    };
    assert_eq!(queue.enqueue(keyed()).await, Ok(Outcome::Duplicate(id)));
    pass(50);
    let again = queue.enqueue(keyed()).await.unwrap();
    assert!(matches!(again, Outcome::New(other) if other > id));
}

async fn leases(queue: &impl JobQueue, pass: &impl Fn(u64)) {
    queue.enqueue(job(b"a", 0)).await.unwrap();
    let first = queue.lease(10).await.unwrap().unwrap();
    pass(9);
    queue.extend(first.id, first.token, 10).await.unwrap();
    pass(10);
    let refused = queue.acknowledge(first.id, first.token).await;
    assert_eq!(refused, Err(QueueError::NoLease));
    pass(400_000);
    let second = queue.lease(10).await.unwrap().unwrap();
    assert_eq!((second.id, second.attempt), (first.id, 2));
    let never = queue.acknowledge(second.id, Token(!second.token.0)).await;
    assert_eq!(never, Err(QueueError::NoLease));
    assert_eq!(queue.fail(second.id, second.token).await, Ok(Outcome::Dead));
    let letters = queue.dead_letters(JobId(0), 10).await.unwrap();
    assert_eq!((letters[0].id, letters[0].attempts), (first.id, 2));
    queue.requeue(first.id).await.unwrap();
    assert_eq!(queue.purge(first.id).await, Err(QueueError::NoDeadLetter));
    for attempt in [1, 2] {
        pass(400_000);
        let lease = queue.lease(10).await.unwrap().unwrap();
        assert_eq!(lease.attempt, attempt);
        queue.fail(lease.id, lease.token).await.unwrap();
    }
    queue.purge(first.id).await.unwrap();
    assert_eq!(queue.statistics().await, Ok(Default::default()));
}

async fn delays(queue: &impl JobQueue, pass: &impl Fn(u64)) {
    let late = NewJob {
        delay: 30,
        ..job(b"late", 255)
    };
    queue.enqueue(late).await.unwrap();
    assert_eq!(queue.lease(10).await, Ok(None));
    queue.enqueue(job(b"early", 0)).await.unwrap();
    let statistics = queue.statistics().await.unwrap();
    assert_eq!((statistics.ready, statistics.delayed), (1, 1));
    assert_eq!(statistics.bytes, b"lateearly".len());
    pass(29);
    let early = queue.lease(100).await.unwrap().unwrap();
    assert_eq!(early.payload, b"early");
    assert_eq!(queue.lease(10).await, Ok(None));
    pass(1);
    let late = queue.lease(100).await.unwrap().unwrap();
    assert_eq!(late.payload, b"late");
    assert_eq!(queue.statistics().await.unwrap().leased, 2);
    // Nobody has its lease with the token of another.
    let other = queue.acknowledge(late.id, early.token).await;
    assert_eq!(other, Err(QueueError::NoLease));
}

async fn attempts(queue: &impl JobQueue) {
    let once = NewJob {
        attempts: 1,
        ..job(b"", 0)
    };
    queue.enqueue(once).await.unwrap();
    queue.enqueue(job(b"", 0)).await.unwrap();
    for dead in [true, false] {
        let lease = queue.lease(10).await.unwrap().unwrap();
        assert!(lease.payload.is_empty());
        let failed = queue.fail(lease.id, lease.token).await.unwrap();
        assert_eq!(failed == Outcome::Dead, dead);
        assert_eq!(matches!(failed, Outcome::Retry(_)), !dead);
    }
}

async fn pages(queue: &impl JobQueue) {
    let every_byte: Vec<u8> = (0..=255).collect();
    for number in 0..5 {
        let once = NewJob {
            attempts: 1,
            // Any bytes are a key, too.
            key: [&every_byte[number..number + 9], b"%&=?#/ +"].concat(),
            ..job(&every_byte, 0)
        };
        queue.enqueue(once.clone()).await.unwrap();
        let again = queue.enqueue(once).await;
        assert!(matches!(again, Ok(Outcome::Duplicate(_))));
        let lease = queue.lease(10).await.unwrap().unwrap();
        queue.fail(lease.id, lease.token).await.unwrap();
    }
    let all = queue.dead_letters(JobId(0), 10).await.unwrap();
    assert_eq!(all.len(), 5);
    assert!(all.iter().all(|letter| letter.payload == every_byte));
    assert!(all.is_sorted_by(|one, other| one.id < other.id));
    let some = queue.dead_letters(all[1].id, 3).await;
    assert_eq!(some.as_deref(), Ok(&all[1..4]));
    assert_eq!(queue.dead_letters(JobId(0), 0).await, Ok(Vec::new()));
}

async fn bounds(queue: &impl JobQueue, limits: Limits) {
    let long = vec![0; limits.payload + 1];
    assert_eq!(
        queue.enqueue(job(&long, 0)).await,
        Err(QueueError::TooLarge)
    );
    let long = NewJob {
        key: vec![0; limits.key + 1],
        ..NewJob::default()
    };
    assert_eq!(queue.enqueue(long).await, Err(QueueError::TooLarge));
    queue.enqueue(job(b"a", 0)).await.unwrap();
    assert_eq!(queue.enqueue(job(b"b", 0)).await, Err(QueueError::Full));
    assert_eq!(queue.statistics().await.unwrap().ready, 1);
}
