//! What the protocol says: statuses, fields, limits.

use morgana_exec::join_all;
use morgana_http::Method;
use morgana_queue::{JobQueue, Limits, NewJob, QueueError};
use queue::Settings;

use crate::asker::Asker;
use crate::world::{client, test};

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
