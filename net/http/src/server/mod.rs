//! The server: a loop over any async byte stream that reads requests, asks a handler, and writes answers.

mod access_log;
mod body;
mod connection;
mod end;
mod handler;
mod input;
mod limits;
mod output;
mod pool;
mod relay;
mod stats;
mod transport;

use core::future::Future;
use core::net::IpAddr;

use embedded_io_async::{Read, Write};
use morgana_exec::Timers;

pub use access_log::{AccessLog, LINE};
pub use body::{BodyError, read_to_end};
pub use end::End;
pub use handler::Handler;
pub use limits::Limits;
pub use output::{OutputError, Unfinished};
pub use relay::{Exchange, Outgoing, RelayContent, RelayError, Relayed};
pub use stats::{Snapshot, Stats};

use connection::Connection;
use pool::Pool;

/// A server: a handler with the limits, the counters and the buffers that its connections share. One value serves any
/// number of listeners; each connection is a call of [`serve`](Self::serve) in a task of its own.
#[derive(Debug)]
pub struct Server<H> {
    handler: H,
    timers: Timers,
    limits: Limits,
    stats: Stats,
    pool: Pool,
}

impl<H: Handler> Server<H> {
    /// A server that answers with `handler` and takes its time from `timers`.
    pub fn new(handler: H, timers: Timers, limits: Limits) -> Self {
        let pool = Pool::new(&limits);
        Self {
            handler,
            timers,
            limits,
            stats: Stats::default(),
            pool,
        }
    }

    /// The handler.
    pub const fn handler(&self) -> &H {
        &self.handler
    }

    /// The counters.
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Serves one connection until it ends, and says why it ended. Closing the stream is left to the caller.
    ///
    /// Beyond [`Limits::connections`] the answer is a 503 with `Retry-After`; beyond [`Limits::refusals`] of these at a
    /// time, nothing at all.
    pub fn serve<S: Read + Write>(&self, stream: &mut S) -> impl Future<Output = End> {
        self.serve_from(None, stream)
    }

    /// As [`serve`](Self::serve), for a client whose address the access log shall name.
    pub async fn serve_from<S: Read + Write>(&self, peer: Option<IpAddr>, stream: &mut S) -> End {
        let mut connection = Connection::new(self, peer, stream);
        let end = match self.stats.enter(self.limits.connections) {
            Some(_seat) => connection.run().await,
            None => match self.stats.refuse(self.limits.refusals) {
                Some(_seat) => connection.refuse().await,
                None => End::Refused,
            },
        };
        self.stats.count_end(end);
        end
    }
}
