//! A server that breaks the protocol: the connection ends with the reason, and everyone who waits gets it.

use super::*;
use crate::{Breach, Closed, Error};
use morgana_hal::StreamError;

/// Two readers wait; the server gets the first request and does `what`. Both, and later ones, get the error.
fn breach(expected: Closed, what: impl AsyncFn(&Server, &Received) + 'static) {
    script(
        move |client, _| async move {
            let (a, b) = join(client.read("a"), client.read("b")).await;
            assert_eq!(a, Err(Error::Closed(expected)));
            assert_eq!(b, Err(Error::Closed(expected)));
            assert_eq!(client.write("c", "").await, Err(Error::Closed(expected)));
            assert_eq!(client.watch("c").await.err(), Some(Error::Closed(expected)));
            assert_eq!(client.closed(), Some(expected));
        },
        async move |server: &mut Server| {
            let received = server.receive().await;
            server.receive().await;
            what(server, &received).await;
            // Until the client hangs up: more bytes change nothing.
            let stream = server.stream.as_ref().unwrap();
            let mut buffer = [0; 16];
            let end = poll_fn(|cx| stream.poll_read(cx, &mut buffer)).await;
            assert_eq!(end, Err(StreamError::Closed));
        },
    );
}

const READ: u32 = Operation::Read as u32;

#[test]
fn an_unknown_request_is_answered() {
    breach(
        Closed::Protocol(Breach::UnknownRequest),
        async |server, _| {
            server.packet(READ, 77, 0, b"x").await;
        },
    );
}

#[test]
fn request_zero_is_answered() {
    breach(
        Closed::Protocol(Breach::UnknownRequest),
        async |server, _| {
            server.packet(READ, 0, 0, b"x").await;
        },
    );
}

#[test]
fn another_operation_is_answered() {
    breach(
        Closed::Protocol(Breach::WrongOperation),
        async |server, received| {
            let id = received.header.request.0;
            server.packet(Operation::Write.code(), id, 0, b"OK\0").await;
        },
    );
}

#[test]
fn an_operation_that_does_not_exist_is_answered() {
    breach(
        Closed::Protocol(Breach::WrongOperation),
        async |server, received| {
            server
                .packet(0xffff, received.header.request.0, 0, b"")
                .await;
        },
    );
}

#[test]
fn an_answer_comes_in_another_transaction() {
    breach(
        Closed::Protocol(Breach::WrongTransaction),
        async |server, received| {
            server
                .packet(READ, received.header.request.0, 3, b"x")
                .await;
        },
    );
}

#[test]
fn a_payload_is_too_long() {
    breach(
        Closed::Protocol(Breach::PayloadTooLong),
        async |server, received| {
            let header = Header {
                len: 4097,
                ..received.header
            };
            server.send(&header.to_bytes()).await;
        },
    );
}

#[test]
fn an_error_has_no_end() {
    breach(
        Closed::Protocol(Breach::MalformedReply),
        async |server, received| {
            server.refuse(received, b"ENOENT").await;
        },
    );
}

#[test]
fn an_event_is_malformed() {
    breach(
        Closed::Protocol(Breach::MalformedEvent),
        async |server, _| {
            server
                .packet(Operation::WatchEvent.code(), 0, 0, b"/a\0tok")
                .await;
        },
    );
}

#[test]
fn a_request_is_answered_twice() {
    script(
        |client, _| async move {
            assert_eq!(client.read("a").await.unwrap(), b"1");
            let expected = Closed::Protocol(Breach::UnknownRequest);
            assert_eq!(client.read("b").await, Err(Error::Closed(expected)));
        },
        async |server: &mut Server| {
            let received = server.receive().await;
            server.answer(&received, b"1").await;
            server.answer(&received, b"1").await;
        },
    );
}

#[test]
fn the_stream_ends() {
    script(
        |client, _| async move {
            let closed = Error::Closed(Closed::Stream(StreamError::Closed));
            assert_eq!(client.read("a").await, Err(closed));
        },
        async |server: &mut Server| {
            server.receive().await;
            server.stream = None;
        },
    );
}

#[test]
fn malformed_payloads_close_too() {
    for (asks_for_children, payload) in [(true, &b"a\0b"[..]), (true, b"\0"), (false, b"x3\0")] {
        script(
            move |client, _| async move {
                let expected = Error::Closed(Closed::Protocol(Breach::MalformedReply));
                if asks_for_children {
                    assert_eq!(client.children("a").await, Err(expected));
                } else {
                    assert_eq!(client.permissions("a").await, Err(expected));
                }
                assert_eq!(client.read("a").await, Err(expected));
            },
            async move |server: &mut Server| {
                let received = server.receive().await;
                server.answer(&received, payload).await;
            },
        );
    }
}

#[test]
fn a_directory_in_parts_that_never_ends_is_malformed() {
    script(
        |client, _| async move {
            let expected = Error::Closed(Closed::Protocol(Breach::MalformedReply));
            assert_eq!(client.children("a").await, Err(expected));
        },
        async |server: &mut Server| {
            let received = server.receive().await;
            server.refuse(&received, b"E2BIG\0").await;
            let received = server.receive().await;
            server.answer(&received, b"1\0").await;
        },
    );
}
