//! The client and our own server, over a stream in memory.

use std::future::poll_fn;

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use morgana_exec::{Duplex, Executor, ManualClock, duplex};
use morgana_hal::{ByteStream, StreamError};
use morgana_http::{
    Ask, BodyError, Client, ClientError, ClientLimits, Handler, Limits, Method, Methods, Request,
    Response, Server, Status, read_to_end,
};

/// One end of a connection.
pub(crate) struct Stream(pub(crate) Duplex);

impl ErrorType for Stream {
    type Error = ErrorKind;
}

fn failed(_: StreamError) -> ErrorKind {
    ErrorKind::BrokenPipe
}

impl Read for Stream {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        match poll_fn(|cx| self.0.poll_read(cx, room)).await {
            Err(StreamError::Closed) => Ok(0),
            other => other.map_err(failed),
        }
    }
}

impl Write for Stream {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|cx| self.0.poll_write(cx, bytes))
            .await
            .map_err(failed)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

struct App;

impl Handler for App {
    fn methods(&self, _: &Request<'_>) -> Methods {
        Methods::READ_ONLY.with(Method::Post)
    }

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        match (request.method(), request.path()) {
            (Method::Post, _) => match read_to_end(body, 1 << 16).await {
                Ok(bytes) => Response::ok("text/plain", bytes),
                Err(_) => Response::text(Status::BAD_REQUEST),
            },
            (_, "/silent") => std::future::pending().await,
            (_, "/") => Response::ok("text/plain", b"hello"),
            _ => Response::text(Status::NOT_FOUND),
        }
    }
}

/// Runs `client` against the server.
fn with_server<F: Future<Output = ()> + 'static>(client: impl FnOnce(Client<Stream>) -> F) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let (ours, theirs) = duplex(700);
    let timers = executor.handle().timers();
    let server = Server::new(App, timers.clone(), Limits::DEFAULT);
    let serving = async move {
        server.serve(&mut Stream(theirs)).await;
    };
    drop(executor.handle().spawn(serving).expect("room for a task"));
    let client = client(Client::new(Stream(ours), timers, ClientLimits::DEFAULT));
    executor.block_on(client, &mut clock.idle(), &clock);
}

#[test]
fn a_connection_carries_many_requests() {
    with_server(|mut client| async move {
        for _ in 0..3 {
            let mut reply = client.send(&Ask::get("a", "/"), b"").await.unwrap();
            assert_eq!(reply.head().code(), 200);
            assert_eq!(
                reply.head().headers().first("content-type"),
                Some(&b"text/plain"[..])
            );
            assert_eq!(reply.read_to_end(5).await.unwrap(), b"hello");
            assert!(client.is_idle());
        }
        let post = Ask {
            method: Method::Post,
            fields: &[("X-A", "b")],
            ..Ask::get("a", "/echo?x")
        };
        let text: Vec<u8> = (0..20_000u32).map(|number| number as u8).collect();
        let mut reply = client.send(&post, &text).await.unwrap();
        assert!(reply.read_to_end(20_000).await.unwrap() == text);
        for length in [Some(20_000), None] {
            let mut reply = client.upload(&post, &mut &text[..], length).await.unwrap();
            assert_eq!(reply.head().code(), 200);
            assert!(reply.read_to_end(20_000).await.unwrap() == text);
        }
        let head = Ask {
            method: Method::Head,
            ..Ask::get("a", "/")
        };
        let mut reply = client.send(&head, b"").await.unwrap();
        assert_eq!(reply.read_to_end(0).await.unwrap(), b"");
        let reply = client.send(&Ask::get("a", "/none"), b"").await.unwrap();
        assert_eq!(reply.head().code(), 404);
        // Not read to its end: the rest must not be taken for the next answer.
        assert!(!client.is_idle());
        let next = client.send(&Ask::get("a", "/"), b"").await.map(drop);
        assert_eq!(next, Err(ClientError::NotIdle));
    });
}

#[test]
fn a_silent_server_is_given_up() {
    with_server(|mut client| async move {
        let result = client.send(&Ask::get("a", "/silent"), b"").await.map(drop);
        assert_eq!(result, Err(ClientError::TimedOut));
    });
}
