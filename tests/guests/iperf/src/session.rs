//! One test: the control connection, and the stream that it asks for.
//!
//! A byte is a state of the test (iperf3, `iperf_api.h`); JSON comes behind its length in four bytes. Both ends of a test know it by a cookie.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use embedded_io_async::{Read, ReadExactError, Write};
use morgana::exec::{Either, select};
use morgana::net::{TcpError, TcpListener, TcpStream};

use crate::parameters::{Direction, direction};

/// 36 characters and a zero.
const COOKIE: usize = 37;
/// More than iperf3 says of anything.
const LONGEST_JSON: usize = 65_536;
/// What is read or written at once: iperf3 itself takes 128 KiB.
const BLOCK: usize = 131_072;

const TEST_START: u8 = 1;
const TEST_RUNNING: u8 = 2;
const TEST_END: u8 = 4;
const PARAM_EXCHANGE: u8 = 9;
const CREATE_STREAMS: u8 = 10;
const EXCHANGE_RESULTS: u8 = 13;
const DISPLAY_RESULTS: u8 = 14;
const IPERF_DONE: u8 = 16;

/// Why a test failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A connection broke.
    Connection(TcpError),
    /// A connection ended.
    Ended,
    /// The client says what does not belong here.
    Unexpected(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => error.fmt(f),
            Self::Ended => f.write_str("a connection ended"),
            Self::Unexpected(what) => write!(f, "not expected: {what}"),
        }
    }
}

impl core::error::Error for Failure {}

impl From<TcpError> for Failure {
    fn from(error: TcpError) -> Self {
        Self::Connection(error)
    }
}

impl From<ReadExactError<TcpError>> for Failure {
    fn from(error: ReadExactError<TcpError>) -> Self {
        match error {
            ReadExactError::UnexpectedEof => Self::Ended,
            ReadExactError::Other(error) => Self::Connection(error),
        }
    }
}

/// Serves one test. Gives the bytes that went over the stream.
pub(crate) async fn run(listener: &TcpListener) -> Result<u64, Failure> {
    let mut control = listener.accept().await;
    let mut cookie = [0; COOKIE];
    control.read_exact(&mut cookie).await?;
    control.write_all(&[PARAM_EXCHANGE]).await?;
    let direction = direction(&read_json(&mut control).await?);
    control.write_all(&[CREATE_STREAMS]).await?;
    let mut stream = listener.accept().await;
    let mut same = [0; COOKIE];
    stream.read_exact(&mut same).await?;
    if same != cookie {
        return Err(Failure::Unexpected("the stream of another test"));
    }
    control.write_all(&[TEST_START]).await?;
    control.write_all(&[TEST_RUNNING]).await?;
    let mut bytes = 0;
    let end = match direction {
        Direction::In => select(next_state(&mut control), drain(&mut stream, &mut bytes)).await,
        Direction::Out => select(next_state(&mut control), fill(&mut stream, &mut bytes)).await,
    };
    let state = match end {
        Either::First(state) => state?,
        Either::Second(_) => next_state(&mut control).await?,
    };
    if state != TEST_END {
        return Err(Failure::Unexpected("a state before the test's end"));
    }
    // As iperf3's server does: its client may sit in the middle of a block, and hears of nothing else before the stream ends.
    drop(stream);
    control.write_all(&[EXCHANGE_RESULTS]).await?;
    read_json(&mut control).await?;
    write_json(&mut control, &results(bytes)).await?;
    control.write_all(&[DISPLAY_RESULTS]).await?;
    if next_state(&mut control).await? != IPERF_DONE {
        return Err(Failure::Unexpected("a state after the results"));
    }
    Ok(bytes)
}

/// Reads all that comes.
async fn drain(stream: &mut TcpStream, bytes: &mut u64) -> Result<(), Failure> {
    let mut block = vec![0; BLOCK];
    loop {
        match stream.read(&mut block).await? {
            0 => return Ok(()),
            len => *bytes += len as u64,
        }
    }
}

/// Writes without end.
async fn fill(stream: &mut TcpStream, bytes: &mut u64) -> Result<(), Failure> {
    let block = vec![0x5a; BLOCK];
    loop {
        *bytes += stream.write(&block).await? as u64;
    }
}

async fn next_state(control: &mut TcpStream) -> Result<u8, Failure> {
    let mut state = [0];
    control.read_exact(&mut state).await?;
    Ok(state[0])
}

async fn read_json(control: &mut TcpStream) -> Result<String, Failure> {
    let mut length = [0; 4];
    control.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST_JSON {
        return Err(Failure::Unexpected("very long JSON"));
    }
    let mut json: Vec<u8> = vec![0; length];
    control.read_exact(&mut json).await?;
    String::from_utf8(json).map_err(|_| Failure::Unexpected("no UTF-8"))
}

async fn write_json(control: &mut TcpStream, json: &str) -> Result<(), Failure> {
    control
        .write_all(&(json.len() as u32).to_be_bytes())
        .await?;
    control.write_all(json.as_bytes()).await?;
    Ok(())
}

/// What iperf3 wants to be told in the end; it looks for every one of these words.
fn results(bytes: u64) -> String {
    format!(
        "{{\"cpu_util_total\":0,\"cpu_util_user\":0,\"cpu_util_system\":0,\"sender_has_retransmits\":0,\
         \"streams\":[{{\"id\":1,\"bytes\":{bytes},\"retransmits\":-1,\"jitter\":0,\"errors\":0,\
         \"omitted_errors\":0,\"packets\":0,\"omitted_packets\":0,\"start_time\":0,\"end_time\":1}}]}}"
    )
}
