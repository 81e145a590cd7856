//! What the ends of the link do, step by step.

use std::task::{Context, Poll, Waker};

use morgana_exec::{Duplex, Executor, ManualClock, duplex};
use morgana_hal::{ByteStream, DomId, StreamError};
use morgana_xenconsoled::{Helper, Link, LinkError, Outlets};

use crate::frames::{CLOSE, CREDIT, OPEN, SHOWN, TYPED, frame};
use crate::support::{Outlet, store, turns};

const GUEST: DomId = DomId::new(5);

/// What a poll by nobody answers.
fn polled<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Option<T> {
    match poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

fn read(stream: &Duplex) -> Vec<u8> {
    let mut piece = vec![0; 1 << 16];
    let len = polled(|cx| stream.poll_read(cx, &mut piece));
    piece.truncate(len.map_or(0, |len| len.unwrap_or(0)));
    piece
}

fn write(stream: &Duplex, bytes: &[u8]) {
    let written = polled(|cx| stream.poll_write(cx, bytes));
    assert_eq!(written, Some(Ok(bytes.len())));
}

/// Serves a helper for a moment: sends it what waits, and takes `sent`. Returns what it was sent, and how the link has ended, if it has.
fn drive(link: &Link, sent: &[u8]) -> (Vec<u8>, Option<LinkError>) {
    let (ours, theirs) = duplex(1 << 16);
    write(&theirs, sent);
    let mut driven = Box::pin(link.drive(&ours));
    let end = polled(|cx| driven.as_mut().poll(cx));
    (read(&theirs), end)
}

#[test]
fn what_was_typed_at_one_helper_is_no_credit_at_the_next() {
    let link = Link::default();
    let (terminal, _) = link.open_terminal(GUEST).unwrap();
    let typed = frame(TYPED, 5, &[b'x'; 1000]);
    assert_eq!(drive(&link, &typed), (frame(OPEN, 5, b""), None));
    let (ours, theirs) = duplex(1 << 16);
    let mut driven = Box::pin(link.drive(&ours));
    assert_eq!(polled(|cx| driven.as_mut().poll(cx)), None);
    assert_eq!(read(&theirs), frame(OPEN, 5, b""));
    // As much as any helper may send.
    write(&theirs, &frame(TYPED, 5, &[b'y'; 1024]));
    assert_eq!(polled(|cx| driven.as_mut().poll(cx)), None);
    let mut piece = [0; 1500];
    let len = polled(|cx| terminal.poll_read(cx, &mut piece));
    assert_eq!(len, Some(Ok(1500)));
    assert!(piece.starts_with(&[b'x'; 1000]) && piece.ends_with(&[b'y'; 500]));
    assert_eq!(polled(|cx| driven.as_mut().poll(cx)), None);
    let credit = 500u32.to_le_bytes();
    assert_eq!(read(&theirs), frame(CREDIT, 5, &credit));
}

#[test]
fn guests_that_come_and_go_while_there_is_no_helper_leave_nothing() {
    let link = Link::default();
    for _ in 0..1000 {
        drop(link.open_terminal(GUEST));
    }
    assert_eq!(drive(&link, &[]), (Vec::new(), None));
}

#[test]
fn a_helper_that_types_without_credit_is_left() {
    let link = Link::default();
    let (terminal, _) = link.open_terminal(GUEST).unwrap();
    let typed = frame(TYPED, 5, &[b'x'; 600]);
    let (_, end) = drive(&link, &typed.repeat(2));
    assert_eq!(end, Some(LinkError::Breach));
    // What it was given has not been sent to it.
    let (_, end) = drive(&link, &[]);
    assert_eq!(end, None);
    let mut piece = [0; 600];
    assert_eq!(
        polled(|cx| terminal.poll_read(cx, &mut piece)),
        Some(Ok(600))
    );
}

/// Runs a test beside a helper of domain 9, to which the console of domain 5 is given. The stream holds so many bytes each way.
fn with_helper(capacity: usize, test: impl AsyncFnOnce(Outlet, Duplex) + 'static) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let run = async move {
        let (_server, client) = store(&tasks);
        for (key, value) in [("name", "web"), ("console/backend-id", "9")] {
            let path = format!("/local/domain/5/{key}");
            client.write(&path, value).await.unwrap();
        }
        let outlet = Outlet::default();
        let helper = Helper::new(outlet.clone(), client, &tasks, DomId::new(9));
        let (ours, theirs) = duplex(capacity);
        let task = tasks.spawn(async move { helper.serve(&ours).await });
        task.unwrap();
        test(outlet, theirs).await;
    };
    executor.block_on(run, &mut clock.idle(), &clock);
}

#[test]
fn a_stub_domain_that_reads_no_credit_may_not_go_on() {
    // It can send a frame at a time, and there is room for 233 frames of credit that it does not read.
    with_helper(2100, async |outlet, stream| {
        write(&stream, &frame(OPEN, 5, b""));
        turns(20).await;
        let mut shown = 0;
        let more = frame(SHOWN, 5, &[b'x'; 2000]);
        while let Some(Ok(len)) = polled(|cx| stream.poll_write(cx, &more)) {
            assert!(len == more.len() && shown < 300 * 2000);
            turns(20).await;
            shown += read(&outlet.0.terminals.borrow()[&GUEST]).len();
        }
        // The link has ended.
        assert!((233 * 2000..250 * 2000).contains(&shown), "{shown} bytes");
        let written = polled(|cx| stream.poll_write(cx, b"x"));
        assert_eq!(written, Some(Err(StreamError::Closed)));
    });
}

#[test]
fn the_last_that_is_shown_is_on_the_terminal_when_the_guest_is_gone() {
    with_helper(1 << 16, async |outlet, stream| {
        let last = frame(SHOWN, 5, b"panic");
        let all = [frame(OPEN, 5, b""), last, frame(CLOSE, 5, b"")].concat();
        write(&stream, &all);
        turns(20).await;
        assert_eq!(read(&outlet.0.terminals.borrow()[&GUEST]), b"panic");
    });
}

#[test]
fn a_stub_domain_gets_no_terminal_of_a_guest_that_is_not_its_own() {
    with_helper(1 << 16, async |outlet, stream| {
        write(&stream, &frame(OPEN, 6, b""));
        write(&stream, &frame(SHOWN, 6, b"not mine"));
        write(&stream, &frame(OPEN, 5, b""));
        turns(20).await;
        let terminals: Vec<DomId> = outlet.0.terminals.borrow().keys().copied().collect();
        assert_eq!(terminals, [GUEST]);
        let logs: Vec<String> = outlet.0.logs.borrow().keys().cloned().collect();
        assert_eq!(logs, ["web"]);
    });
}
