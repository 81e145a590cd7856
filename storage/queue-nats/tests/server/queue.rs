//! One program and its queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use morgana_peer_programs::free_address;
use morgana_queue::{JobId, JobQueue, Limits, NewJob, Outcome, QueueError};
use morgana_queue_nats::{NatsQueue, OpenError, Settings};

use crate::rules;
use crate::support::{PATIENCE, Server, job, run};

#[test]
fn the_queue_on_nats_conforms() {
    let Some(server) = Server::start() else {
        return;
    };
    let (time, streams) = (Arc::new(AtomicU64::new(1)), AtomicU64::new(0));
    let clock = time.clone();
    run(rules::conforms(
        async |limits| {
            let clock = clock.clone();
            let number = streams.fetch_add(1, Ordering::Relaxed);
            let settings = Settings {
                limits,
                clock: Arc::new(move || clock.load(Ordering::Relaxed)),
                ..server.settings(&format!("conformance-{number}"))
            };
            NatsQueue::open(settings).await.expect("a new queue")
        },
        |milliseconds| _ = time.fetch_add(milliseconds, Ordering::Relaxed),
    ));
}

#[test]
fn jobs_survive_a_server_that_is_killed() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let queue = run(NatsQueue::open(server.settings("killed"))).expect("a queue");
    for number in 0..20_u8 {
        run(queue.enqueue(job(&[number]))).expect("there is room");
    }
    let lease = run(queue.lease(600_000)).expect("a server").expect("a job");
    server.kill();
    server.run();
    let began = Instant::now();
    while run(queue.acknowledge(lease.id, lease.token)).is_err() {
        assert!(began.elapsed() < PATIENCE, "it does not connect again");
    }
    drop(queue);
    let queue = run(NatsQueue::open(server.settings("killed"))).expect("the queue");
    assert_eq!(run(queue.statistics()).expect("a server").ready, 19);
    for number in 1..20_u8 {
        let lease = run(queue.lease(1000)).expect("a server").expect("a job");
        assert_eq!(lease.payload, [number]);
    }
}

#[test]
fn dead_letters_beyond_the_bound_are_dropped() {
    let Some(server) = Server::start() else {
        return;
    };
    let settings = Settings {
        limits: Limits {
            dead: 2,
            ..Limits::default()
        },
        ..server.settings("dead")
    };
    let queue = run(NatsQueue::open(settings)).expect("a queue");
    for number in 0..4_u8 {
        let once = NewJob {
            attempts: 1,
            ..job(&[number])
        };
        run(queue.enqueue(once)).expect("there is room");
        let lease = run(queue.lease(1000)).expect("a server").expect("a job");
        assert_eq!(run(queue.fail(lease.id, lease.token)), Ok(Outcome::Dead));
    }
    let letters = run(queue.dead_letters(JobId(0), 10)).expect("a server");
    let payloads: Vec<_> = letters.iter().map(|letter| letter.payload[0]).collect();
    assert_eq!(payloads, [2, 3]);
}

#[test]
fn where_no_queue_can_be_that_is_told() {
    let Some(server) = Server::start() else {
        return;
    };
    let refused = |settings| run(NatsQueue::open(settings)).expect_err("no queue");
    for name in ["", "a.b", "a b", "*"] {
        assert_eq!(refused(server.settings(name)), OpenError::Name);
    }
    let nobody = Settings {
        servers: format!("nats://{}", free_address().expect("a port")),
        ..Settings::default()
    };
    assert_eq!(refused(nobody), OpenError::Unreachable);
    let mut long = server.settings("long");
    long.limits.payload = usize::MAX;
    assert_eq!(refused(long), OpenError::Limits);
}

#[test]
fn without_a_server_it_is_not_known_what_was_done() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let settings = Settings {
        answer_time: Duration::from_millis(500),
        ..server.settings("gone")
    };
    let queue = run(NatsQueue::open(settings)).expect("a queue");
    run(queue.enqueue(job(b"first"))).expect("there is room");
    server.kill();
    let lost = run(queue.enqueue(job(b"second")));
    assert_eq!(lost, Err(QueueError::Unknown));
}

#[test]
fn it_works_on_the_run_loop_of_sockets() {
    let Some(server) = Server::start() else {
        return;
    };
    let ended = morgana_sockets::run(|host| async move {
        let bell = host.bell().expect("its own loop");
        let settings = Settings {
            bell: Arc::new(move || bell.ring()),
            ..server.settings("loop")
        };
        let queue = NatsQueue::open(settings).await.expect("a queue");
        for number in 0..50_u8 {
            queue.enqueue(job(&[number])).await.expect("there is room");
            let lease = queue.lease(1000).await.expect("a server").expect("a job");
            let done = queue.acknowledge(lease.id, lease.token).await;
            done.expect("it is held");
        }
        queue.statistics().await
    });
    assert_eq!(ended.expect("descriptors"), Ok(Default::default()));
}
