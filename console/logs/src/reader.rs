//! Reading what a logger keeps.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::time::Duration;

use morgana_exec::Timers;
use morgana_hal::{ByteStream, DomId, Platform, StreamError};
use morgana_record::{FormatError, Frames, Query, Refusal, Role, ToDomain, ToLogger};
use morgana_vchan::{SendError, Sizes, Vchan, VchanError, listen};
use morgana_xenstore_client::{Client, Error};

use crate::place::OFFERS;

/// The rings: entries need room, a query hardly any.
const SIZES: Sizes = Sizes {
    to_server: 64 << 10,
    to_client: 2 << 10,
};

/// For so long a logger may leave a query unanswered.
const PATIENCE: Duration = Duration::from_secs(10);

/// A query that is under way.
#[derive(Debug)]
pub struct Reader<P: Platform> {
    vchan: Vchan<P>,
    frames: Frames,
    timers: Timers,
    client: Client,
    path: String,
    answered: Answered,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answered {
    NotYet,
    Yes,
}

impl<P: Platform> Reader<P> {
    /// Asks the logger `peer`. `name` tells this query from others of the domain: letters, digits and hyphens.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn open(
        platform: &P,
        client: &Client,
        timers: &Timers,
        peer: DomId,
        name: &str,
        query: Query,
    ) -> Result<Self, ReadError> {
        let path = format!("{OFFERS}/{name}");
        let vchan = listen(platform, client, peer, &path, SIZES).await?;
        let mut message = Vec::new();
        ToLogger::Hello(Role::Read(query)).encode(&mut message);
        vchan.send(&message).await?;
        Ok(Self {
            vchan,
            frames: Frames::default(),
            timers: timers.clone(),
            client: client.clone(),
            path,
            answered: Answered::NotYet,
        })
    }

    /// The next message: an entry, how many were lost, or that all are there.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn next(&mut self) -> Result<ToDomain, ReadError> {
        let message = match self.answered {
            Answered::Yes => receive(&self.vchan, &mut self.frames).await,
            Answered::NotYet => {
                let first = receive(&self.vchan, &mut self.frames);
                let first = self.timers.timeout(PATIENCE, first).await;
                first.map_err(|_| ReadError::NoAnswer)?
            }
        };
        self.answered = Answered::Yes;
        match message? {
            ToDomain::Refused(why) => Err(ReadError::Refused(why)),
            ToDomain::Kept(_) => Err(ReadError::Format(FormatError::Kind(0))),
            message => Ok(message),
        }
    }

    /// Ends it, and takes its keys out of xenstore.
    ///
    /// # Errors
    ///
    /// xenstore's.
    pub async fn close(self) -> Result<(), Error> {
        let Self {
            vchan,
            client,
            path,
            ..
        } = self;
        drop(vchan);
        client.remove(&path).await
    }
}

async fn receive<P: Platform>(
    vchan: &Vchan<P>,
    frames: &mut Frames,
) -> Result<ToDomain, ReadError> {
    let mut buffer = [0; 4096];
    loop {
        if let Some(message) = frames.to_domain()? {
            return Ok(message);
        }
        let len = poll_fn(|cx| vchan.poll_read(cx, &mut buffer)).await?;
        frames.add(&buffer[..len]);
    }
}

/// Why there is nothing to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// No vchan can be offered.
    Vchan(VchanError),
    /// The connection has ended.
    Stream(StreamError),
    /// The logger broke the protocol.
    Format(FormatError),
    /// No logger has answered in time.
    NoAnswer,
    /// The logger does not answer this query.
    Refused(Refusal),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vchan(error) => error.fmt(f),
            Self::Stream(error) => error.fmt(f),
            Self::Format(error) => write!(f, "the logger breaks the protocol: {error}"),
            Self::NoAnswer => {
                write!(f, "no logger has answered within {} s", PATIENCE.as_secs())
            }
            Self::Refused(Refusal::TooMany) => {
                f.write_str("the logger serves as many as it can: try again later")
            }
            Self::Refused(Refusal::NotAllowed) => {
                f.write_str("the logger does not let this domain read what it asks for")
            }
        }
    }
}

impl core::error::Error for ReadError {}

impl From<VchanError> for ReadError {
    fn from(error: VchanError) -> Self {
        Self::Vchan(error)
    }
}

impl From<StreamError> for ReadError {
    fn from(error: StreamError) -> Self {
        Self::Stream(error)
    }
}

impl From<SendError> for ReadError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Stream(error) => Self::Stream(error),
            // A query is far shorter than the ring.
            SendError::TooLong => Self::Format(FormatError::Limit),
        }
    }
}

impl From<FormatError> for ReadError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}
