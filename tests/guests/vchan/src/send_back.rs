//! Sending back what comes.

use alloc::boxed::Box;
use alloc::vec;
use core::error::Error;
use core::future::poll_fn;

use morgana::Platform;
use morgana::hal::{ByteStream, StreamError};
use morgana_vchan::Vchan;

/// Bytes at once.
const PIECE: usize = 4096;
/// A length that is none: the other end wants this one to come again, or to end.
const COME_AGAIN: u32 = 0;
const GO: u32 = u32::MAX;
/// Room for any message.
const LONGEST: usize = 1 << 20;

/// What is to come behind an end of the vchan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    Another,
    End,
}

/// Returns how many bytes there were, and why there are no more.
pub(crate) async fn stream<P: Platform>(vchan: &Vchan<P>) -> (u64, StreamError) {
    let mut bytes = 0;
    let mut piece = [0; PIECE];
    loop {
        let len = match poll_fn(|cx| vchan.poll_read(cx, &mut piece)).await {
            Ok(len) => len,
            Err(error) => return (bytes, error),
        };
        if let Err(error) = write(vchan, &piece[..len]).await {
            return (bytes, error);
        }
        bytes += len as u64;
    }
}

/// Writes all of it.
pub(crate) async fn write<P: Platform>(vchan: &Vchan<P>, bytes: &[u8]) -> Result<(), StreamError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let len = poll_fn(|cx| vchan.poll_write(cx, rest)).await?;
        rest = &rest[len..];
    }
    Ok(())
}

/// Returns how many messages there were, and what the other end wants next.
pub(crate) async fn messages<P: Platform>(vchan: &Vchan<P>) -> Result<(u64, Next), Box<dyn Error>> {
    let mut count = 0;
    let mut message = vec![0; 4];
    loop {
        vchan.receive(&mut message[..4]).await?;
        let length = u32::from_le_bytes([message[0], message[1], message[2], message[3]]);
        let next = match length {
            COME_AGAIN => Some(Next::Another),
            GO => Some(Next::End),
            _ => None,
        };
        if let Some(next) = next {
            return Ok((count, next));
        }
        let len = 4 + length as usize;
        if len > LONGEST {
            return Err("no message is so long".into());
        }
        message.resize(message.len().max(len), 0);
        vchan.receive(&mut message[4..len]).await?;
        vchan.send(&message[..len]).await?;
        count += 1;
    }
}
