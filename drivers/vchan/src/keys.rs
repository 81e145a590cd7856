//! The server's two keys in xenstore.

use alloc::format;
use alloc::string::{String, ToString};

use morgana_hal::{DomId, GrantRef, Port};
use morgana_xenstore_client::{Client, Error, KeyError};
use morgana_xenstore_wire::{Access, Permission};

/// What a client needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keys {
    /// By which reference the server grants the page.
    pub ring: GrantRef,
    /// The server's port.
    pub port: Port,
}

fn paths(path: &str) -> [String; 2] {
    ["ring-ref", "event-channel"].map(|key| format!("{path}/{key}"))
}

impl Keys {
    /// Writes them, so that `peer` may read them and nobody else.
    pub(crate) async fn write(
        self,
        client: &Client,
        path: &str,
        own: DomId,
        peer: DomId,
    ) -> Result<(), Error> {
        let [ring, port] = paths(path);
        let may_read = |domain, access| Permission { domain, access };
        let permissions = [may_read(own, Access::None), may_read(peer, Access::Read)];
        client
            .transaction(async |tree| {
                for (path, number) in [(&ring, self.ring.number()), (&port, self.port.number())] {
                    tree.write(path, number.to_string()).await?;
                    tree.set_permissions(path, &permissions).await?;
                }
                Ok::<_, Error>(())
            })
            .await
    }

    /// Reads them.
    pub(crate) async fn read(client: &Client, path: &str) -> Result<Self, KeyError> {
        let [ring, port] = paths(path);
        Ok(Self {
            ring: GrantRef::new(client.read_number(&ring).await?),
            port: Port::new(client.read_number(&port).await?),
        })
    }
}

/// Takes back what [`listen`](crate::listen) has written at `path`: for a server that is about to go, so that no client finds it any more. The one that is
/// there stays.
///
/// # Errors
///
/// xenstore's.
pub async fn withdraw(client: &Client, path: &str) -> Result<(), Error> {
    for path in &paths(path) {
        match client.remove(path).await {
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
