//! What the protocol says: statuses, fields, waiting, and a disk that fails.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use morgana_block::{BlockDevice, BlockError, Geometry, RamDisk};
use morgana_exec::join_all;
use morgana_http::{Ask, Client, ClientLimits, Method};
use morgana_queue::{JobQueue, Limits, NewJob, QueueError};
use morgana_sockets::{Host, Stream};
use queue::Settings;

use crate::world::{Time, client, disk, serve, test};

/// An answer: its code, the fields that matter here, and its content.
#[derive(Debug)]
struct Answer {
    code: u16,
    fields: Vec<(&'static str, String)>,
    text: String,
}

impl Answer {
    fn field(&self, name: &str) -> &str {
        let mut fields = self.fields.iter();
        let field = fields.find(|(other, _)| *other == name);
        field.map_or("", |(_, value)| value)
    }

    /// The path of what is said of a leased job.
    fn path(&self, what: &str) -> String {
        let (id, token) = (self.field("Job-Id"), self.field("Job-Token"));
        format!("/jobs/{id}/{what}?token={token}")
    }
}

/// Who asks a service, each time over a connection of its own.
struct Asker(Host, SocketAddr);

impl Asker {
    async fn new(host: &Host, settings: Settings) -> (Self, Time) {
        let time = Time::default();
        let disk = Rc::new(disk(&settings.queue));
        let address = serve(host, &time, settings, disk).await;
        (Self(host.clone(), address), time)
    }

    async fn ask(&self, method: Method, target: &str, content: &[u8]) -> Answer {
        let stream = Stream::connect(&self.0, self.1).await.expect("a service");
        let mut client = Client::new(stream, self.0.timers(), ClientLimits::DEFAULT);
        let ask = Ask {
            method,
            ..Ask::get("queue", target)
        };
        let mut reply = client.send(&ask, content).await.expect("an answer");
        let names = ["Job-Id", "Job-Token", "Job-Attempt", "Retry-After", "Allow"];
        let headers = reply.head().headers();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let fields = names
            .into_iter()
            .filter_map(|name| Some((name, text(headers.first(name)?))));
        let (code, fields) = (reply.head().code(), fields.collect());
        let content = reply.read_to_end(1 << 20).await.expect("a content");
        let text = text(&content);
        Answer { code, fields, text }
    }

    async fn post(&self, target: &str, content: &[u8]) -> Answer {
        self.ask(Method::Post, target, content).await
    }

    async fn get(&self, target: &str) -> Answer {
        self.ask(Method::Get, target, b"").await
    }
}

#[test]
fn a_job_from_its_birth_to_its_end() {
    test(|host| async move {
        let (queue, time) = Asker::new(&host, Settings::default()).await;
        let put = queue
            .post("/jobs?key=a%20b&priority=3&attempts=2", b"work")
            .await;
        assert_eq!((put.code, put.text.as_str()), (201, "{\"id\":1}"));
        let put = queue.post("/jobs?key=a%20b", b"").await;
        assert_eq!(
            (put.code, put.text.as_str()),
            (200, "{\"id\":1,\"duplicate\":true}")
        );
        let lease = queue.post("/leases", b"").await;
        assert_eq!((lease.code, lease.text.as_str()), (200, "work"));
        assert_eq!(
            (lease.field("Job-Id"), lease.field("Job-Attempt")),
            ("1", "1")
        );
        assert_eq!(queue.post("/leases", b"").await.code, 204);
        let extend = format!("{}&ms=50000", lease.path("extend"));
        assert_eq!(queue.post(&extend, b"").await.code, 204);
        time.pass(40_000);
        let failed = queue.post(&lease.path("fail"), b"").await;
        assert!(failed.code == 200 && failed.text.starts_with("{\"retry_in_ms\":"));
        assert_eq!(queue.post(&lease.path("acknowledge"), b"").await.code, 409);
        time.pass(400_000);
        let lease = queue.post("/leases?ms=10", b"").await;
        assert_eq!(lease.field("Job-Attempt"), "2");
        let failed = queue.post(&lease.path("fail"), b"").await;
        assert_eq!(
            (failed.code, failed.text.as_str()),
            (200, "{\"dead\":true}")
        );
        let dead = queue.get("/dead").await;
        let expected = "{\"dead\":[{\"id\":1,\"attempts\":2,\"payload\":\"d29yaw==\"}]}";
        assert_eq!((dead.code, dead.text.as_str()), (200, expected));
        assert_eq!(queue.post("/dead/1/requeue", b"").await.code, 204);
        assert_eq!(queue.ask(Method::Delete, "/dead/1", b"").await.code, 404);
        let lease = queue.post("/leases", b"").await;
        assert_eq!(queue.post(&lease.path("acknowledge"), b"").await.code, 204);
        assert_eq!(queue.post(&lease.path("acknowledge"), b"").await.code, 404);
        let stats = queue.get("/stats").await.text;
        for part in [
            "\"ready\":0,",
            "\"acknowledged\":1,",
            "\"failed\":2,",
            "\"bytes\":0,",
        ] {
            assert!(stats.contains(part), "{part} in {stats}");
        }
        let metrics = queue.get("/metrics").await.text;
        assert!(metrics.contains("\nqueue_enqueued_total 1\n"), "{metrics}");
        assert_eq!(queue.get("/healthz").await.text, "ok\n");
    });
}

#[test]
fn what_makes_no_sense_is_told() {
    test(|host| async move {
        let (queue, _) = Asker::new(&host, Settings::default()).await;
        for (target, why) in [
            ("/jobs?priority=256", "priority has no such value"),
            ("/jobs?delay_ms=1s", "delay_ms has no such value"),
            ("/jobs?key=%", "key has no such value"),
            ("/jobs?attempts=1&attempts=1", "attempts is there twice"),
            ("/jobs?prio=1", "a parameter that is not known here"),
            ("/leases?wait_ms=20001", "wait_ms has no such value"),
            ("/jobs/1/acknowledge", "token is missing"),
            ("/jobs/1/extend?token=1", "ms is missing"),
        ] {
            let answer = queue.post(target, b"").await;
            let expected = format!("{{\"error\":\"{why}\"}}");
            assert_eq!((answer.code, answer.text), (400, expected), "{target}");
        }
        let long = vec![0; Limits::default().payload + 1];
        for (target, content, code) in [
            ("/jobs", &long[..], 413),
            ("/jobs", &vec![0; 70_000], 413),
            ("/jobs/1/acknowledge?token=1", b"", 404),
            ("/jobs/x/fail?token=1", b"", 404),
            ("/jobs/+1/fail?token=1", b"", 404),
            ("/dead/1/requeue", b"", 404),
            ("/nowhere", b"", 404),
        ] {
            assert_eq!(queue.post(target, content).await.code, code, "{target}");
        }
        let refused = queue.get("/jobs").await;
        assert_eq!(
            (refused.code, refused.field("Allow")),
            (405, "POST, OPTIONS")
        );
        assert_eq!(queue.get("/dead?most=101").await.code, 400);
        assert_eq!(
            queue.get("/stats").await.text.split(',').next(),
            Some("{\"ready\":0")
        );
    });
}

#[test]
fn pages_of_dead_letters_are_bounded() {
    test(|host| async move {
        let settings = Settings {
            page_bytes: 30,
            ..Settings::default()
        };
        let (queue, _) = Asker::new(&host, settings).await;
        for _ in 0..7 {
            assert_eq!(queue.post("/jobs?attempts=1", &[7; 10]).await.code, 201);
            let lease = queue.post("/leases", b"").await;
            assert_eq!(
                queue.post(&lease.path("fail"), b"").await.text,
                "{\"dead\":true}"
            );
        }
        let page = queue.get("/dead").await.text;
        assert_eq!(page.matches("\"id\"").count(), 3);
        assert!(page.ends_with("],\"next\":4}"), "{page}");
        let page = queue.get("/dead?from=2&most=1").await.text;
        assert!(
            page.contains("\"id\":2,") && page.ends_with("],\"next\":3}"),
            "{page}"
        );
        let client = client(&host, queue.1);
        let letters = client
            .dead_letters(morgana_queue::JobId(2), 5)
            .await
            .unwrap();
        let ids: Vec<_> = letters.iter().map(|letter| letter.id.0).collect();
        assert_eq!(ids, [2, 3, 4, 5, 6]);
        assert!(letters.iter().all(|letter| letter.payload == [7; 10]));
    });
}

#[test]
fn who_waits_gets_a_job_as_soon_as_there_is_one() {
    test(|host| async move {
        let settings = Settings {
            waiting: 2,
            ..Settings::default()
        };
        let (queue, _) = Asker::new(&host, settings).await;
        let queue = Rc::new(queue);
        let order = Rc::new(RefCell::new(Vec::new()));
        let waiting = async |name: &'static str| {
            let lease = queue.post("/leases?wait_ms=20000", b"").await;
            order.borrow_mut().push(name);
            lease
        };
        let seats = async |count: usize| {
            let seats = format!("\"waiting\":{count},");
            while !queue.get("/stats").await.text.contains(&seats) {}
        };
        let others = async {
            seats(2).await;
            let third = queue.post("/leases?wait_ms=20000", b"").await;
            assert_eq!((third.code, third.field("Retry-After")), (503, "1"));
            assert!(order.borrow().is_empty());
            assert_eq!(queue.post("/jobs", b"one").await.code, 201);
            assert_eq!(queue.post("/jobs?delay_ms=0", b"two").await.code, 201);
            seats(0).await;
        };
        let both = morgana_exec::join(waiting("a"), waiting("b"));
        let ((one, two), ()) = morgana_exec::join(both, others).await;
        let mut texts = [one.text, two.text];
        texts.sort();
        assert_eq!(texts, ["one", "two"]);
    });
}

#[test]
fn who_waits_for_a_delayed_job_gets_it_in_time() {
    test(|host| async move {
        let (queue, time) = Asker::new(&host, Settings::default()).await;
        assert_eq!(queue.post("/jobs?delay_ms=30", b"late").await.code, 201);
        let passing = async {
            host.timers().sleep(Duration::from_millis(10)).await;
            time.pass(30);
        };
        let waiting = queue.post("/leases?wait_ms=20000", b"");
        let (lease, ()) = morgana_exec::join(waiting, passing).await;
        assert_eq!(lease.text, "late");
        let none = queue.post("/leases?wait_ms=1", b"").await;
        assert_eq!(none.code, 204);
    });
}

#[test]
fn who_goes_gives_up_its_place_and_gets_no_job() {
    test(|host| async move {
        let (queue, _) = Asker::new(&host, Settings::default()).await;
        let stream = Stream::connect(&host, queue.1).await.unwrap();
        let mut gone = Client::new(stream, host.timers(), ClientLimits::DEFAULT);
        let ask = Ask {
            method: Method::Post,
            ..Ask::get("queue", "/leases?wait_ms=20000")
        };
        let waiting = async {
            let answer = gone.send(&ask, b"").await;
            panic!("an answer: {:?}", answer.is_ok());
        };
        let until = async { while !queue.get("/stats").await.text.contains("\"waiting\":1,") {} };
        // What is dropped closes its connection.
        morgana_exec::select(waiting, until).await;
        drop(gone);
        while !queue.get("/stats").await.text.contains("\"waiting\":0,") {}
        assert_eq!(queue.post("/jobs", b"mine").await.code, 201);
        let lease = queue.post("/leases", b"").await;
        assert_eq!(
            (lease.text.as_str(), lease.field("Job-Attempt")),
            ("mine", "1")
        );
    });
}

#[test]
fn a_full_queue_says_when_to_try_again() {
    test(|host| async move {
        let mut settings = Settings::default();
        settings.queue.jobs = 2;
        let (queue, _) = Asker::new(&host, settings).await;
        for code in [201, 201, 503] {
            let answer = queue.post("/jobs", b"").await;
            assert_eq!(answer.code, code);
            assert_eq!(answer.field("Retry-After") == "1", code == 503);
        }
        let client = client(&host, queue.1);
        let full = client.enqueue(NewJob::default()).await;
        assert_eq!(full, Err(QueueError::Full));
    });
}

#[test]
fn many_at_once_are_served() {
    test(|host| async move {
        let (queue, _) = Asker::new(&host, Settings::default()).await;
        let client = client(&host, queue.1);
        let jobs = (0..100).map(|_| client.enqueue(NewJob::default()));
        assert!(join_all(jobs).await.iter().all(Result::is_ok));
        let leases = join_all((0..101).map(|_| client.lease(1000))).await;
        let leased = leases.iter().filter(|lease| matches!(lease, Ok(Some(_))));
        assert_eq!(leased.count(), 100);
    });
}

/// A disk that fails when it is told to.
struct Frail(RamDisk, Cell<bool>);

impl BlockDevice for Frail {
    fn geometry(&self) -> Geometry {
        self.0.geometry()
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        match self.1.get() {
            true => Err(BlockError::Io),
            false => self.0.read(sector, into).await,
        }
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        match self.1.get() {
            true => Err(BlockError::Io),
            false => self.0.write(sector, from).await,
        }
    }

    async fn flush(&self) -> Result<(), BlockError> {
        match self.1.get() {
            true => Err(BlockError::Io),
            false => self.0.flush().await,
        }
    }
}

#[test]
fn a_disk_that_fails_is_told_and_opened_again() {
    test(|host| async move {
        let settings = Settings {
            reopen_time: Duration::from_millis(1),
            ..Settings::default()
        };
        let frail = Rc::new(Frail(disk(&settings.queue), Cell::new(false)));
        let address = serve(&host, &Time::default(), settings, frail.clone()).await;
        let queue = Asker(host.clone(), address);
        assert_eq!(queue.post("/jobs", b"first").await.code, 201);
        let lease = queue.post("/leases", b"").await;
        frail.1.set(true);
        let refused = queue.post("/jobs", b"second").await;
        assert_eq!((refused.code, refused.field("Retry-After")), (503, ""));
        assert_eq!(queue.get("/healthz").await.code, 503);
        assert_eq!(queue.post(&lease.path("acknowledge"), b"").await.code, 503);
        let client = client(&host, address);
        let failed = Err(QueueError::Device(BlockError::Io));
        assert_eq!(client.enqueue(NewJob::default()).await, failed);
        frail.1.set(false);
        while queue.get("/healthz").await.code != 200 {}
        // The lease is what it was, and the figures go on.
        assert_eq!(queue.post(&lease.path("acknowledge"), b"").await.code, 204);
        let stats = queue.get("/stats").await.text;
        assert!(
            stats.contains("\"leases\":1,\"acknowledged\":1,"),
            "{stats}"
        );
        assert!(
            stats.contains("\"enqueued\":1,") || stats.contains("\"enqueued\":2,"),
            "{stats}"
        );
    });
}
