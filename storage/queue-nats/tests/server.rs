//! With Debian's nats-server.

#![allow(async_fn_in_trait)]

#[path = "../../queue/tests/rules/mod.rs"]
mod rules;

use std::fs;
use std::net::TcpStream;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use morgana_peer_programs::{Folder, Packages, Process, free_address};
use morgana_queue::{JobId, JobQueue, Limits, NewJob, Outcome, QueueError};
use morgana_queue_nats::{NatsQueue, OpenError, Settings};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread.
fn run<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut future, began) = (pin!(future), Instant::now());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "it does not end");
        std::thread::park_timeout(PATIENCE);
    }
}

/// A server with a folder of its own.
struct Server {
    packages: Packages,
    folder: Folder,
    port: u16,
    process: Option<Process>,
}

impl Server {
    /// `None` where the program is not.
    fn start() -> Option<Self> {
        let Some(packages) = Packages::from_environment("MORGANA_NATS_PACKAGES") else {
            eprintln!(
                "skipped: `cargo xtask test unit` fetches nats-server and sets MORGANA_NATS_PACKAGES"
            );
            return None;
        };
        let mut server = Self {
            packages,
            folder: Folder::new().expect("a folder"),
            port: free_address().expect("a port").port(),
            process: None,
        };
        server.run();
        Some(server)
    }

    fn run(&mut self) {
        let folder = self.folder.path().display();
        let config = self.folder.path().join("nats.conf");
        let text = format!(
            "listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"{folder}\" }}\nlog_file: \"{folder}/log\"\n",
            self.port
        );
        fs::write(&config, text).expect("a file");
        let mut command = self.packages.command("usr/sbin/nats-server");
        let process = Process::start(command.arg("-c").arg(&config));
        let mut process = process.expect("it starts");
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = process.ended().expect("a process");
            assert!(ended.is_none() && began.elapsed() < PATIENCE, "{ended:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.process = Some(process);
    }

    /// Ends at once, without a word.
    fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.child().kill().expect("it runs");
        process.child().wait().expect("it has ended");
    }

    fn settings(&self, stream: &str) -> Settings {
        Settings {
            servers: format!("nats://127.0.0.1:{}", self.port),
            stream: stream.to_owned(),
            ..Settings::default()
        }
    }
}

fn job(payload: &[u8]) -> NewJob {
    NewJob {
        payload: payload.to_vec(),
        ..NewJob::default()
    }
}

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
fn two_programs_share_a_queue_and_no_job_is_done_by_both() {
    let Some(server) = Server::start() else {
        return;
    };
    let open = || run(NatsQueue::open(server.settings("shared"))).expect("a queue");
    let (one, two) = (open(), open());
    for number in 0..100_u8 {
        run(one.enqueue(job(&[number]))).expect("there is room");
    }
    let work = |queue: &NatsQueue| {
        let (mut done, mut idle) = (Vec::<u8>::new(), 0);
        // What the other one has put in comes a little later.
        while idle < 50 {
            match run(queue.lease(60_000)).expect("a server") {
                Some(lease) => {
                    done.extend(&lease.payload);
                    run(queue.acknowledge(lease.id, lease.token)).expect("it is held");
                    idle = 0;
                }
                None => {
                    idle += 1;
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        }
        done
    };
    let done = std::thread::scope(|scope| {
        let other = scope.spawn(|| work(&two));
        let own = work(&one);
        [own, other.join().expect("no panic")]
    });
    let mut all = done.concat();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<u8>>());
}

#[test]
fn of_two_with_the_same_key_one_is_put_in() {
    let Some(server) = Server::start() else {
        return;
    };
    let open = || run(NatsQueue::open(server.settings("keys"))).expect("a queue");
    let (one, two) = (open(), open());
    for round in 0..20_u8 {
        let keyed = || NewJob {
            key: vec![round],
            ..job(&[round])
        };
        let (first, second) = std::thread::scope(|scope| {
            let other = scope.spawn(|| run(two.enqueue(keyed())));
            (run(one.enqueue(keyed())), other.join().expect("no panic"))
        });
        match (first, second) {
            (Ok(Outcome::New(id)), Ok(Outcome::Duplicate(same)))
            | (Ok(Outcome::Duplicate(same)), Ok(Outcome::New(id))) => assert_eq!(id, same),
            both => panic!("{both:?}"),
        }
        let lease = run(one.lease(1000)).expect("a server").expect("a job");
        assert_eq!(lease.payload, [round]);
        run(one.acknowledge(lease.id, lease.token)).expect("it is held");
        assert_eq!(run(one.lease(1000)), Ok(None));
    }
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
