//! How fast bytes go.

use alloc::vec;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::time::Duration;

use morgana::Platform;
use morgana::hal::{ByteStream, Clock, StreamError};
use morgana_vchan::Vchan;

use crate::send_back::write;

async fn read<P: Platform>(vchan: &Vchan<P>, piece: &mut [u8]) -> Result<usize, StreamError> {
    poll_fn(|cx| vchan.poll_read(cx, piece)).await
}

/// Takes so many bytes, and answers with one.
pub(crate) async fn sink<P: Platform>(
    vchan: &Vchan<P>,
    bytes: u64,
    most: usize,
) -> Result<(), StreamError> {
    let mut piece = vec![0; most];
    let mut got = 0;
    while got < bytes {
        got += read(vchan, &mut piece).await? as u64;
    }
    write(vchan, b"!").await
}

/// Sends so many bytes, and waits for the answer.
pub(crate) async fn source<P: Platform>(
    vchan: &Vchan<P>,
    clock: &impl Clock,
    bytes: u64,
    most: usize,
) -> Result<Duration, StreamError> {
    let piece = vec![0; most];
    let start = clock.now();
    let mut left = bytes;
    while left > 0 {
        let len = left.min(most as u64);
        write(vchan, &piece[..len as usize]).await?;
        left -= len;
    }
    read(vchan, &mut [0]).await?;
    Ok(clock.now().since(start))
}

/// Sends a byte and waits for one, so many times; returns what the middle one took.
pub(crate) async fn ping<P: Platform>(
    vchan: &Vchan<P>,
    clock: &impl Clock,
    count: usize,
) -> Result<Duration, StreamError> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = clock.now();
        write(vchan, b"x").await?;
        read(vchan, &mut [0]).await?;
        times.push(clock.now().since(start));
    }
    times.sort_unstable();
    Ok(times.get(count / 2).copied().unwrap_or_default())
}
