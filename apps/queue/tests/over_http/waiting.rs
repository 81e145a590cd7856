//! Clients that wait for a job.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use morgana_http::{Ask, Client, ClientLimits, Method};
use morgana_sockets::Stream;
use queue::Settings;

use crate::asker::Asker;
use crate::world::test;

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
