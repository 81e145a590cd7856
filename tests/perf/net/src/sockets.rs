//! The peer: Linux's own TCP.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::BLOCK;

/// Receives what one client sends, and ends the connection then.
pub(crate) fn sink(address: &str) -> Result<()> {
    let (mut stream, _) = TcpListener::bind(address)?.accept()?;
    let mut block = vec![0; BLOCK];
    while stream.read(&mut block)? > 0 {}
    Ok(())
}

/// Sends, and waits until the other end has had all.
pub(crate) fn source(address: &str, bytes: u64) -> Result<Duration> {
    let mut stream = connect(address)?;
    let block = vec![0x5a; BLOCK];
    let start = Instant::now();
    let mut left = bytes;
    while left > 0 {
        let len = left.min(BLOCK as u64);
        stream.write_all(&block[..len as usize])?;
        left -= len;
    }
    stream.shutdown(Shutdown::Write)?;
    ensure!(stream.read(&mut [0])? == 0, "the sink does not send");
    Ok(start.elapsed())
}

/// The sink may not be there yet: it is tried for a while.
fn connect(address: &str) -> Result<TcpStream> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => return Ok(stream),
            Err(error) if Instant::now() > end => return Err(error.into()),
            Err(_) => std::thread::yield_now(),
        }
    }
}
