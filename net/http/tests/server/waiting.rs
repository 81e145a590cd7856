//! Handlers that let a client wait for its answer, and give up when it is gone.

use std::cell::Cell;
use std::rc::Rc;

use embedded_io_async::{Read, Write};
use morgana_exec::{Either, Notify, select};
use morgana_http::{BodyError, End, Exchange, Handler, Limits, Relayed, Request, Response, Status};

use crate::support::Rig;

/// Answers when it is told to.
struct Patient {
    now: Rc<Notify>,
    gone: Rc<Cell<u32>>,
}

impl Handler for Patient {
    const RELAYS: bool = true;

    async fn relay<'h, S: Read + Write>(
        &'h self,
        _request: &Request<'_>,
        exchange: &mut Exchange<'_, '_, S>,
    ) -> Relayed<'h> {
        let seen = self.now.count();
        match select(exchange.gone(), self.now.after(seen)).await {
            Either::First(()) => {
                self.gone.set(self.gone.get() + 1);
                Relayed::Response(Response::empty(Status::NO_CONTENT))
            }
            Either::Second(_) => Relayed::Response(Response::ok("text/plain", b"now")),
        }
    }

    async fn handle<'h>(
        &'h self,
        _request: &Request<'_>,
        _body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        Response::text(Status::INTERNAL_SERVER_ERROR)
    }
}

const POST: &str = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";

fn rig() -> (Rig<Patient>, Rc<Notify>, Rc<Cell<u32>>) {
    let (now, gone) = (Rc::new(Notify::new()), Rc::new(Cell::new(0)));
    let handler = |_| Patient {
        now: now.clone(),
        gone: gone.clone(),
    };
    (Rig::new(handler, Limits::DEFAULT), now, gone)
}

#[test]
fn who_waits_is_answered_and_may_ask_again() {
    let (mut rig, now, gone) = rig();
    let client = rig.connect();
    for _ in 0..2 {
        client.send(POST);
        rig.settle();
        assert_eq!(client.received(), b"");
        now.notify();
        rig.settle();
        let answer = client.received();
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n") && answer.ends_with(b"\r\n\r\nnow"));
    }
    assert_eq!((client.end(), gone.get()), (None, 0));
}

#[test]
fn who_closes_or_breaks_off_is_gone() {
    let (mut rig, _, gone) = rig();
    let (closing, breaking) = (rig.connect(), rig.connect());
    closing.send(POST);
    breaking.send(POST);
    rig.settle();
    assert_eq!(gone.get(), 0);
    closing.close();
    breaking.break_off();
    rig.settle();
    assert_eq!(gone.get(), 2);
    assert_eq!(breaking.end(), Some(End::Stream));
}

#[test]
fn what_comes_while_it_waits_is_dropped_and_the_connection_closes_behind_the_answer() {
    let (mut rig, now, gone) = rig();
    let client = rig.connect();
    client.send(POST);
    rig.settle();
    client.send(POST);
    rig.settle();
    now.notify();
    rig.settle();
    let answer = client.text();
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    client.close();
    rig.settle();
    assert_eq!((client.end(), gone.get()), (Some(End::Finished), 0));
}

#[test]
fn who_floods_is_as_good_as_gone() {
    let (mut rig, _, gone) = rig();
    let client = rig.connect();
    client.send(POST);
    client.send(vec![b'x'; Limits::DEFAULT.linger_bytes + 2048]);
    rig.settle();
    assert_eq!(gone.get(), 1);
}
