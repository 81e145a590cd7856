//! Any bytes from the peer of a handshake: an end says what is wrong, and never panics, grows or goes on for ever.

#[path = "../support/mod.rs"]
mod support;

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use embedded_io_async::{ErrorType, Read, Write};
use morgana_tls::{AcceptError, Limits, TlsError};
use support::{acceptor, connector, run};

/// Of what either end says before it gives up: a flight of the handshake and an alert.
const MOST_SAID: usize = 8192;

/// Bytes from a client.
pub(crate) fn server(input: &[u8]) {
    // In pieces of any size the end is the same.
    let [whole, pieces] = [usize::MAX, 7].map(|piece| {
        let (stream, written) = Replayed::new(input, piece);
        let end = run(move |tasks| async move {
            let acceptor = acceptor(&tasks, Limits::default());
            acceptor.accept(stream).await.map(drop).unwrap_err()
        });
        assert!(written.borrow().len() < MOST_SAID);
        end
    });
    assert!(
        is_expected(&whole) && whole == pieces,
        "{whole:?}, {pieces:?}"
    );
}

/// Bytes from a server.
pub(crate) fn client(input: &[u8]) {
    let (stream, written) = Replayed::new(input, usize::MAX);
    // It has chosen its keys itself: nobody can have guessed them.
    let end = run(move |tasks| async move {
        let connector = connector(&tasks);
        let end = connector.connect("example.test", stream).await;
        end.map(drop).unwrap_err()
    });
    assert!(written.borrow().len() < MOST_SAID);
    assert!(is_expected(&end), "{end:?}");
}

/// Whether it is the peer's fault, and took no time.
fn is_expected<E>(end: &AcceptError<E>) -> bool {
    let AcceptError::Tls(error) = end else {
        return false;
    };
    matches!(
        error,
        TlsError::Protocol(_) | TlsError::Truncated | TlsError::TooMuch
    )
}

/// A peer that says what it has to say, whatever it hears, and is gone.
struct Replayed {
    input: Vec<u8>,
    at: usize,
    piece: usize,
    written: Rc<RefCell<Vec<u8>>>,
}

impl Replayed {
    fn new(input: &[u8], piece: usize) -> (Self, Rc<RefCell<Vec<u8>>>) {
        let written = Rc::default();
        let stream = Self {
            input: input.to_vec(),
            at: 0,
            piece,
            written: Rc::clone(&written),
        };
        (stream, written)
    }
}

impl ErrorType for Replayed {
    type Error = Infallible;
}

impl Read for Replayed {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        let rest = &self.input[self.at..];
        let count = rest.len().min(into.len()).min(self.piece);
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

impl Write for Replayed {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.written.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
