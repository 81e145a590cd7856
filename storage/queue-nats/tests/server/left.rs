//! Producers that die in the midst of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use morgana_queue::{JobId, JobQueue, NewJob, Outcome};
use morgana_queue_nats::{NatsQueue, Settings};

use crate::support::{Server, job, run};

/// A job as a producer leaves it that dies before it has taken the key `k`: see `src/record.rs`.
fn unfinished(at: u64) -> Vec<u8> {
    let mut bytes = b"mjb1".to_vec();
    bytes.extend_from_slice(&0_u64.to_le_bytes());
    bytes.push(3);
    for number in [at, 0] {
        bytes.extend_from_slice(&u64::to_le_bytes(number));
    }
    bytes.extend_from_slice(&[0; 4 + 4 + 1]);
    bytes.extend_from_slice(&1_u16.to_le_bytes());
    bytes.extend_from_slice(b"kleft");
    bytes
}

/// Puts messages into a stream as they are.
fn publish(server: &Server, messages: Vec<(String, Vec<u8>)>) -> Vec<u64> {
    let address = format!("127.0.0.1:{}", server.port);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async move {
        let client = async_nats::connect(address).await.expect("a server");
        let context = async_nats::jetstream::new(client);
        let mut sequences = Vec::new();
        for (subject, message) in messages {
            let sent = context
                .publish(subject, message.into())
                .await
                .expect("a server");
            sequences.push(sent.await.expect("an answer").sequence);
        }
        sequences
    })
}

#[test]
fn what_producers_that_died_have_left_is_finished_or_ended() {
    let Some(server) = Server::start() else {
        return;
    };
    let time = Arc::new(AtomicU64::new(1000));
    let open = || {
        let clock = time.clone();
        let settings = Settings {
            clock: Arc::new(move || clock.load(Ordering::Relaxed)),
            ..server.settings("left")
        };
        run(NatsQueue::open(settings)).expect("a queue")
    };
    let keyed = || NewJob {
        key: b"k".to_vec(),
        ..job(b"again")
    };
    drop(open());
    let sequences = publish(&server, vec![("left.job.one".into(), unfinished(1000))]);
    // Nothing is said of it that is no record.
    publish(
        &server,
        vec![
            ("left.job.two".into(), b"mjb1".to_vec()),
            ("left.what".into(), vec![0]),
        ],
    );
    let queue = open();
    assert_eq!(run(queue.lease(10)), Ok(None));
    // The key is not taken: who puts the job in again has it put in, and the first one never counts.
    let Ok(Outcome::New(id)) = run(queue.enqueue(keyed())) else {
        panic!("nothing has this key");
    };
    assert!(id.0 > sequences[0]);
    let lease = run(queue.lease(10)).expect("a server").expect("a job");
    assert_eq!((lease.id, lease.payload.as_slice()), (id, &b"again"[..]));
    run(queue.acknowledge(lease.id, lease.token)).expect("it is held");
    assert_eq!(run(queue.statistics()).expect("a server").delayed, 1);
    drop(queue);
    time.fetch_add(200_000, Ordering::Relaxed);
    let queue = open();
    assert_eq!(run(queue.statistics()), Ok(Default::default()));
    drop(queue);
    // One whose key is taken counts: it is finished by who puts it in again, or opens the queue.
    let sequences = publish(&server, vec![("left.job.three".into(), unfinished(1000))]);
    let mut key = b"mky1".to_vec();
    key.extend_from_slice(&sequences[0].to_le_bytes());
    key.extend_from_slice(&(time.load(Ordering::Relaxed) + 1000).to_le_bytes());
    publish(&server, vec![("left.key.6b".into(), key)]);
    let queue = open();
    assert_eq!(
        run(queue.enqueue(keyed())),
        Ok(Outcome::Duplicate(JobId(sequences[0])))
    );
    let lease = run(queue.lease(10)).expect("a server").expect("a job");
    assert_eq!(
        (lease.id.0, lease.payload.as_slice()),
        (sequences[0], &b"left"[..])
    );
}
