//! Clients: a request a line, an answer a line.

use std::convert::Infallible;
use std::future::poll_fn;
use std::os::unix::net::{UnixListener, UnixStream};
use std::rc::Rc;
use std::time::Duration;

use morgana_exec::Handle;
use morgana_hal::ByteStream;
use morgana_linux::{Direction, Reactor, Source};

use super::service::Service;

/// Clients at a time. One more is closed at once.
const MAX_CLIENTS: usize = 32;
/// The longest request, in bytes. A client that sends a longer one is told so, and closed.
const LONGEST: usize = 64 << 10;
const TOO_LONG: &[u8] =
    b"{\"error\":\"a request is longer than 64 KiB\",\"kind\":\"bad-request\"}\n";
/// How long nobody is accepted after that has failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes clients, each as a task.
pub(super) async fn accept(
    service: &Rc<Service>,
    listener: Source<UnixListener>,
    reactor: &Reactor,
    tasks: &Handle,
) -> Infallible {
    let clients = Rc::new(());
    loop {
        let accepted =
            poll_fn(|cx| listener.poll_io(Direction::Read, cx, |listener| listener.accept())).await;
        let stream = accepted.and_then(|(stream, _)| {
            stream.set_nonblocking(true)?;
            reactor.register_stream(stream)
        });
        let Ok(stream) = stream else {
            // Out of descriptors, or of memory: it passes.
            tasks.timers().sleep(PAUSE).await;
            continue;
        };
        if Rc::strong_count(&clients) > MAX_CLIENTS {
            continue;
        }
        let (service, one) = (Rc::clone(service), Rc::clone(&clients));
        // Without a task for it the client is closed.
        let _ = tasks.spawn(async move {
            serve(&service, &stream).await;
            drop(one);
        });
    }
}

async fn serve(service: &Rc<Service>, stream: &Source<UnixStream>) {
    let mut received = Vec::new();
    loop {
        let Some(end) = received.iter().position(|&byte| byte == b'\n') else {
            if received.len() > LONGEST {
                let _ = write(stream, TOO_LONG).await;
                return;
            }
            let mut piece = [0; 4096];
            match poll_fn(|cx| stream.poll_read(cx, &mut piece)).await {
                Ok(len) => received.extend_from_slice(&piece[..len]),
                Err(_) => return,
            }
            continue;
        };
        let line: Vec<u8> = received.drain(..=end).collect();
        let mut answer = service.answer(&line).await;
        answer.push('\n');
        if write(stream, answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn write(
    stream: &Source<UnixStream>,
    mut bytes: &[u8],
) -> Result<(), morgana_hal::StreamError> {
    while !bytes.is_empty() {
        let written = poll_fn(|cx| stream.poll_write(cx, bytes)).await?;
        bytes = &bytes[written..];
    }
    Ok(())
}
