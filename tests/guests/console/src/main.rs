//! A guest whose console carries streams of bytes. It obeys what comes over the console, a line at a time:
//!
//! * `send BYTES`: it sends so many bytes of its seed (`seed=` on the command line);
//! * `take BYTES`: it takes so many bytes of its seed, and answers `ok` or `bad PLACE`;
//! * `both BYTES`: both at once;
//! * `ping`: it answers `ping`;
//! * `end`: it ends.
//!
//! Its command line has `log=off`, so that nothing else goes over the console.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::error::Error;
use core::fmt;
use core::future::poll_fn;

use alloc::boxed::Box;

use guest_console::Stream;
use morgana::exec::join;
use morgana::hal::{ByteStream, StreamError};
use morgana::{Domain, Platform};

morgana::main!(obey);

/// Bytes at once.
const PIECE: usize = 2048;

/// The console, and what came over it and is not used yet.
struct Console<C> {
    stream: Rc<C>,
    ahead: RefCell<Vec<u8>>,
}

impl<C: ByteStream> Console<C> {
    async fn read(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        let len = {
            let mut ahead = self.ahead.borrow_mut();
            let len = ahead.len().min(buffer.len());
            buffer[..len].copy_from_slice(&ahead[..len]);
            ahead.drain(..len);
            len
        };
        if len > 0 {
            return Ok(len);
        }
        poll_fn(|cx| self.stream.poll_read(cx, buffer)).await
    }

    async fn line(&self) -> Result<String, StreamError> {
        let mut line = Vec::new();
        let mut buffer = [0; 64];
        loop {
            let len = self.read(&mut buffer).await?;
            let end = buffer[..len].iter().position(|&byte| byte == b'\n');
            line.extend_from_slice(&buffer[..end.unwrap_or(len)]);
            if let Some(end) = end {
                let rest = &buffer[end + 1..len];
                self.ahead.borrow_mut().splice(..0, rest.iter().copied());
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
        }
    }

    async fn write(&self, mut bytes: &[u8]) -> Result<(), StreamError> {
        while !bytes.is_empty() {
            let len = poll_fn(|cx| self.stream.poll_write(cx, bytes)).await?;
            bytes = &bytes[len..];
        }
        Ok(())
    }

    async fn send(&self, seed: u64, bytes: u64) -> Result<(), StreamError> {
        let mut stream = Stream::new(seed);
        let mut piece = vec![0; PIECE];
        let mut left = bytes;
        while left > 0 {
            let len = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            stream.fill(&mut piece[..len]);
            self.write(&piece[..len]).await?;
            left -= len as u64;
        }
        Ok(())
    }

    /// Takes bytes; where the first wrong one is.
    async fn take(&self, seed: u64, bytes: u64) -> Result<Option<u64>, StreamError> {
        let mut stream = Stream::new(seed);
        let mut piece = vec![0; PIECE];
        let (mut at, mut wrong) = (0, None);
        while at < bytes {
            let most = piece
                .len()
                .min(usize::try_from(bytes - at).unwrap_or(usize::MAX));
            let len = self.read(&mut piece[..most]).await?;
            if wrong.is_none() {
                let place = stream.differs(&piece[..len]);
                wrong = place.map(|place| at + place as u64);
            }
            at += len as u64;
        }
        Ok(wrong)
    }

    async fn answer(&self, wrong: Option<u64>) -> Result<(), StreamError> {
        match wrong {
            None => self.write(b"ok\n").await,
            Some(place) => self.write(format!("bad {place}\n").as_bytes()).await,
        }
    }
}

async fn obey<P: Platform>(domain: Domain<P>) -> Result<(), Box<dyn Error>> {
    let seed = domain.command_line().parse("seed", 0)?;
    let console = Console {
        stream: Rc::new(domain.platform().console().ok_or(NoConsole)?),
        ahead: RefCell::default(),
    };
    loop {
        let line = console.line().await?;
        let (command, bytes) = line.split_once(' ').unwrap_or((&line, "0"));
        let bytes: u64 = bytes.trim().parse().unwrap_or(0);
        match command {
            "send" => console.send(seed, bytes).await?,
            "take" => {
                let wrong = console.take(seed, bytes).await?;
                console.answer(wrong).await?;
            }
            "both" => {
                let both = join(console.send(seed, bytes), console.take(seed, bytes));
                let (sent, wrong) = both.await;
                sent?;
                console.answer(wrong?).await?;
            }
            "ping" => console.write(b"ping\n").await?,
            "end" => return Ok(()),
            _ => console.write(b"what?\n").await?,
        }
    }
}

/// The console is somebody else's.
#[derive(Debug)]
struct NoConsole;

impl fmt::Display for NoConsole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the console is the log's: the command line needs log=off")
    }
}

impl Error for NoConsole {}
