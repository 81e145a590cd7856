//! How a client finds its server.

use alloc::boxed::Box;
use core::cell::Cell;
use core::error::Error;
use core::time::Duration;

use counter::{SERVER, Words, place};
use morgana::exec::{Either, select};
use morgana::net::{ConnectOptions, TcpStream};
use morgana::xenstore::Watch;
use morgana::{Domain, Network, Platform, log};
use morgana_actors::{Place, Tcp, Way};
use morgana_vchan::{Vchan, connect};

/// How long finding a way may take; half of it for a vchan, which a server that was just told of this domain still has to offer.
const WITHIN: Duration = Duration::from_secs(8);

/// Where the server is, and the way to it.
pub(crate) struct Dialler<P: Platform> {
    domain: Domain<P>,
    network: Network<P>,
    words: Words,
    /// Of the node that says where the server is.
    watch: Watch,
    way: Cell<&'static str>,
}

impl<P: Platform> Dialler<P> {
    pub(crate) async fn new(domain: Domain<P>, words: &Words) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            network: domain.network().await?,
            watch: domain.xenstore()?.watch(SERVER).await?,
            words: words.clone(),
            way: Cell::new(""),
            domain,
        })
    }

    /// How the last connection was made.
    pub(crate) fn way(&self) -> &'static str {
        self.way.get()
    }

    /// Connects to the server, as soon as it is said where it is; begins anew if it is said to be elsewhere.
    pub(crate) async fn dial(&self) -> Result<Way<Vchan<P>, Tcp>, Box<dyn Error>> {
        loop {
            let Some(place) = self.place().await? else {
                self.watch.next().await?;
                continue;
            };
            match select(self.watch.next(), self.connect(&place)).await {
                Either::First(changed) => _ = changed?,
                Either::Second(way) => return way,
            }
        }
    }

    /// As the toolstack says it, or the command line.
    async fn place(&self) -> Result<Option<Place>, Box<dyn Error>> {
        match self.domain.xenstore()?.read_text(SERVER).await {
            Ok(text) => Ok(Some(place(&text)?)),
            Err(error) if error.is_not_found() => {
                Ok(self.words.server.map(|tcp| Place { near: None, tcp }))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn connect(&self, place: &Place) -> Result<Way<Vchan<P>, Tcp>, Box<dyn Error>> {
        let (platform, store) = (self.domain.platform(), self.domain.xenstore()?);
        let way = place
            .dial(
                self.words.host,
                &self.domain.timers(),
                WITHIN,
                async |domain, path: &str| {
                    let vchan = connect(platform, store, domain, path).await;
                    vchan.inspect_err(|error| log::info!("no vchan: {error}"))
                },
                async |to| {
                    let options = ConnectOptions::default();
                    let stream = TcpStream::connect(self.network.stack(), to, options).await;
                    stream.map(Tcp)
                },
            )
            .await?;
        self.way.set(match way {
            Way::Vchan(_) => "vchan",
            Way::Tcp(_) => "TCP",
        });
        Ok(way)
    }
}
