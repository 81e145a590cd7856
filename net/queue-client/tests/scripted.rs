//! Services that die, are silent, or talk nonsense.

#![allow(async_fn_in_trait)]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use morgana_block::BlockError;
use morgana_http::{Read, Write};
use morgana_queue::{JobId, JobQueue, NewJob, Outcome, QueueError, Token};
use morgana_queue_client::{RemoteQueue, Settings};
use morgana_sockets::{Host, Listener, Stream, run};

/// What a service does with a request.
#[derive(Clone)]
enum Step {
    /// Answers this.
    Say(String),
    /// Answers this, and closes the connection without having said so.
    Leave(String),
    /// Closes the connection.
    Die,
    /// Nothing.
    Silence,
}

fn say(status: &str, fields: &str, content: &str) -> Step {
    let length = content.len();
    Step::Say(format!(
        "HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\n\r\n{content}"
    ))
}

/// How many requests came, and how many connections were closed.
#[derive(Default)]
struct Seen {
    requests: Cell<usize>,
    closed: morgana_exec::Notify,
}

/// Runs a test against a service that does these steps, one a request.
fn with_service<F: Future<Output = ()> + 'static>(
    steps: Vec<Step>,
    main: impl FnOnce(RemoteQueue<Host>, Rc<Seen>) -> F + 'static,
) {
    let ended = run(|host| async move {
        let listener = Listener::bind(&host, "127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Rc::new(Seen::default());
        let serving = serve(listener, RefCell::new(steps.into()), seen.clone());
        host.tasks().spawn(serving).unwrap();
        let settings = Settings {
            answer_time: Duration::from_millis(300),
            pause: Duration::from_millis(1),
            ..Settings::default()
        };
        let timers = host.timers();
        let queue = RemoteQueue::new(host.clone(), address, timers.clone(), settings);
        timers
            .timeout(Duration::from_secs(60), main(queue, seen))
            .await
    });
    ended.expect("descriptors").expect("an end in time");
}

async fn serve(listener: Listener, steps: RefCell<VecDeque<Step>>, seen: Rc<Seen>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        while request(&mut stream).await.is_some() {
            seen.requests.set(seen.requests.get() + 1);
            let step = steps.borrow_mut().pop_front();
            match step.expect("no more requests than steps") {
                Step::Say(answer) => {
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
                Step::Leave(answer) => {
                    // Who is gone has no use for it.
                    let _ = stream.write_all(answer.as_bytes()).await;
                    break;
                }
                Step::Die => break,
                Step::Silence => std::future::pending().await,
            }
        }
        drop(stream);
        seen.closed.notify();
    }
}

/// Reads a whole request.
async fn request(stream: &mut Stream) -> Option<()> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).await.ok()?;
        bytes.extend(byte);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    for _ in 0..length.map_or(0, |length| length.parse().unwrap()) {
        stream.read_exact(&mut byte).await.ok()?;
    }
    Some(())
}

fn keyed() -> NewJob {
    NewJob {
        key: b"k".to_vec(),
        ..NewJob::default()
    }
}

const ID: JobId = JobId(7);
const TOKEN: Token = Token(9);

#[test]
fn a_job_without_a_key_is_never_sent_twice() {
    for step in [Step::Die, Step::Silence] {
        with_service(vec![step], |queue, seen| async move {
            let outcome = queue.enqueue(NewJob::default()).await;
            assert_eq!(outcome, Err(QueueError::Unknown));
            assert_eq!(seen.requests.get(), 1);
        });
    }
}

#[test]
fn a_job_with_a_key_is_sent_again() {
    let steps = vec![Step::Die, Step::Die, say("201 Created", "", "{\"id\":7}")];
    with_service(steps, |queue, seen| async move {
        assert_eq!(queue.enqueue(keyed()).await, Ok(Outcome::New(ID)));
        assert_eq!(seen.requests.get(), 3);
    });
    with_service(vec![Step::Die; 3], |queue, _| async move {
        assert_eq!(queue.enqueue(keyed()).await, Err(QueueError::Unknown));
    });
}

#[test]
fn what_was_heard_the_first_time_is_done() {
    let missing = || say("404 Not Found", "", "{\"error\":\"no such job\"}");
    with_service(vec![Step::Die, missing()], |queue, _| async move {
        assert_eq!(queue.acknowledge(ID, TOKEN).await, Ok(()));
    });
    with_service(vec![missing()], |queue, _| async move {
        assert_eq!(queue.acknowledge(ID, TOKEN).await, Err(QueueError::NoLease));
    });
    with_service(vec![Step::Die, missing()], |queue, _| async move {
        assert_eq!(queue.purge(ID).await, Ok(()));
    });
    let taken = say("409 Conflict", "", "{}");
    with_service(vec![Step::Die, taken], |queue, _| async move {
        assert_eq!(queue.fail(ID, TOKEN).await, Err(QueueError::Unknown));
    });
}

#[test]
fn a_lease_that_is_lost_is_not_asked_for_again() {
    with_service(vec![Step::Die], |queue, seen| async move {
        assert_eq!(queue.lease(10).await, Err(QueueError::Unknown));
        assert_eq!(seen.requests.get(), 1);
    });
}

#[test]
fn where_nobody_is_nothing_was_done() {
    let ended = run(|host| async move {
        let listener = Listener::bind(&host, "127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let settings = Settings {
            pause: Duration::from_millis(1),
            ..Settings::default()
        };
        let queue = RemoteQueue::new(host.clone(), address, host.timers(), settings);
        queue.enqueue(NewJob::default()).await
    });
    assert_eq!(ended.unwrap(), Err(QueueError::Unreachable));
}

#[test]
fn refusals_are_told_apart() {
    let again = "Retry-After: 1\r\n";
    for (step, expected) in [
        (say("503 x", again, "{}"), QueueError::Full),
        (say("503 x", "", "{}"), QueueError::Device(BlockError::Io)),
        (say("413 x", "", "{}"), QueueError::TooLarge),
        (say("400 x", "", "{}"), QueueError::Peer),
        (say("201 x", "", "{}"), QueueError::Peer),
        (say("201 x", "", "{\"id\":-1}"), QueueError::Peer),
        (
            say("201 x", "", "{\"id\":18446744073709551616}"),
            QueueError::Peer,
        ),
        (Step::Say("garbage\r\n\r\n".into()), QueueError::Peer),
    ] {
        with_service(vec![step], move |queue, _| async move {
            assert_eq!(queue.enqueue(NewJob::default()).await, Err(expected));
        });
    }
}

#[test]
fn nonsense_is_refused() {
    let whole = "Job-Id: 1\r\nJob-Token: 2\r\nJob-Attempt: 3\r\n";
    for (fields, content) in [
        ("Job-Id: 1\r\nJob-Token: 2\r\n", String::new()),
        (
            "Job-Id: x\r\nJob-Token: 2\r\nJob-Attempt: 3\r\n",
            String::new(),
        ),
        (
            "Job-Id: 1\r\nJob-Token: 2\r\nJob-Attempt: 4294967296\r\n",
            String::new(),
        ),
        (whole, "x".repeat((32 << 10) + 1)),
    ] {
        with_service(
            vec![say("200 OK", fields, &content)],
            |queue, _| async move {
                assert_eq!(queue.lease(10).await, Err(QueueError::Peer));
            },
        );
    }
    let entry = "{\"id\":1,\"attempts\":1,\"payload\":\"\"}";
    for content in [
        "{}".to_owned(),
        // A page that leads to itself, one with more than was asked for, one that goes back.
        "{\"dead\":[],\"next\":0}".to_owned(),
        format!("{{\"dead\":[{entry},{entry}]}}"),
        format!("{{\"dead\":[{}{entry}]}}", format!("{entry},").repeat(100)),
    ] {
        with_service(vec![say("200 OK", "", &content)], |queue, _| async move {
            let letters = queue.dead_letters(JobId(0), 1000).await;
            assert_eq!(letters, Err(QueueError::Peer));
        });
    }
    with_service(vec![say("200 OK", "", "[]")], |queue, _| async move {
        assert_eq!(queue.statistics().await, Err(QueueError::Peer));
    });
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_not_used() {
    let answer = || say("201 Created", "", "{\"id\":7}");
    let Step::Say(first) = answer() else {
        unreachable!("it was said");
    };
    with_service(
        vec![Step::Leave(first), answer()],
        |queue, seen| async move {
            let before = seen.closed.count();
            assert_eq!(queue.enqueue(NewJob::default()).await, Ok(Outcome::New(ID)));
            seen.closed.after(before).await;
            assert_eq!(queue.enqueue(NewJob::default()).await, Ok(Outcome::New(ID)));
            assert_eq!(seen.requests.get(), 2);
        },
    );
}
