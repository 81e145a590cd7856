//! Where a guest's console is, as the toolstack writes it (docs/misc/xenstore-paths.pandoc, `console/`).

use alloc::format;
use core::pin::pin;
use core::str::FromStr;

use morgana_exec::join;
use morgana_hal::{DomId, Port};
use morgana_xenstore_client::{Client, Error, KeyError, Problem};
use morgana_xenstore_wire::Errno;

use crate::Guests;
use crate::backlog::DEFAULT_LIMIT;

/// What is written by the toolstack for a console that this daemon is to serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// The guest's port.
    pub(crate) port: Port,
    /// Which page it is. Only whether it changes matters: the page is reached by its grant.
    ring: u64,
    /// How much output that nobody reads is to be kept, in bytes.
    pub(crate) limit: usize,
}

/// What `console/type` says of a console that is this daemon's. (Others are QEMU's.)
const OURS: &str = "xenconsoled";

impl Place {
    /// Reads it; `None` as long as there is none, or if another daemon is to serve it.
    ///
    /// # Errors
    ///
    /// A key that makes no sense, or xenstore's.
    pub(crate) async fn read(
        client: &Client,
        home: &str,
        which: Guests,
    ) -> Result<Option<Self>, KeyError> {
        let path = format!("{home}/console/type");
        // Pinned here, since a future that is handed over takes its room twice.
        let port = pin!(number(client, home, "port"));
        let ring = pin!(number(client, home, "ring-ref"));
        let limit = pin!(number(client, home, "limit"));
        let server = pin!(number(client, home, "backend-id"));
        let kind = pin!(async { optional(client.read_text(&path).await) });
        let numbers = pin!(join(join(port, ring), join(limit, server)));
        let (((port, ring), (limit, server)), kind) = join(numbers, kind).await;
        let (port, ring, limit) = (port?, ring?, limit?);
        // The guest could write something else here, and would have no console then.
        let given = server?.is_some_and(|server: u16| server != DomId::DOM0.number());
        let ours = kind?.is_none_or(|kind| kind == OURS) && (which == Guests::Given || !given);
        Ok(match (port, ring) {
            (Some(port), Some(ring)) if ours => Some(Self {
                port: Port::new(port),
                ring,
                limit: limit.unwrap_or(DEFAULT_LIMIT),
            }),
            _ => None,
        })
    }
}

async fn number<N: FromStr>(client: &Client, home: &str, key: &str) -> Result<Option<N>, KeyError> {
    optional(client.read_number(&format!("{home}/console/{key}")).await)
}

/// What is not there is `None`; and so is what may not be read yet: the toolstack says that behind.
fn optional<T>(read: Result<T, KeyError>) -> Result<Option<T>, KeyError> {
    match read {
        Err(error) if error.is_not_found() => Ok(None),
        Err(KeyError {
            problem: Problem::Request(Error::Refused(Errno::Access)),
            ..
        }) => Ok(None),
        read => read.map(Some),
    }
}
