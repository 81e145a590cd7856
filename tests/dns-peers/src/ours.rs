//! Our server, in this process.

use std::net::{IpAddr, Ipv4Addr};

use morgana_dns::{
    Config, Notification, Outcome, Peer, Server, Transport, Zone, ZoneError, notification,
};
use morgana_hal::WallTime;

use crate::queries::{self, Case};
use crate::world::World;

/// When all queries come: 2026-06-01.
const NOW: WallTime = WallTime::from_unix_nanos(1_780_272_000_000_000_000);

/// Who asks.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Our server with the zones of a world. It has no limit of rate, as the peers have none here.
#[derive(Debug)]
pub struct Ours {
    server: Server,
}

impl Ours {
    /// Reads the zones.
    ///
    /// # Errors
    ///
    /// The first that is wrong with one.
    pub fn new(world: &World) -> Result<Self, ZoneError> {
        let zones = world.zones().iter().map(|zone| {
            let file = format!("{}zone", zone.origin());
            Zone::parse(None, &file, zone.text().as_bytes())
        });
        let zones = zones.collect::<Result<_, _>>()?;
        let config = Config {
            rate_limit: None,
            transfers: vec![ADDRESS.to_string().parse().expect("it is an address")],
            ..Config::default()
        };
        Ok(Self {
            server: Server::new(zones, config),
        })
    }

    /// What tells secondary servers that a zone has changed.
    ///
    /// # Errors
    ///
    /// What is wrong with the zone.
    pub fn notification(zone: &crate::world::Zone) -> Result<Notification, ZoneError> {
        let parsed = Zone::parse(None, zone.origin(), zone.text().as_bytes())?;
        Ok(notification(&parsed, 4711))
    }

    /// Asks all cases. The answers are in the order of the cases; `None` where there was none.
    pub fn ask(&mut self, cases: &[Case]) -> Vec<Option<Vec<u8>>> {
        cases.iter().map(|case| self.answer(case)).collect()
    }

    /// All messages that a query for a whole zone gets.
    pub(crate) fn transfer(&mut self, query: &[u8]) -> Vec<Vec<u8>> {
        let mut answer = Vec::new();
        let from = Peer {
            address: ADDRESS,
            transport: Transport::Tcp,
        };
        match self.server.answer(query, from, NOW, &mut answer) {
            Outcome::Reply => vec![answer],
            Outcome::Drop => Vec::new(),
            Outcome::Transfer(mut transfer) => {
                let mut messages = Vec::new();
                while transfer.next(&mut answer) {
                    messages.push(core::mem::take(&mut answer));
                }
                messages
            }
        }
    }

    fn answer(&mut self, case: &Case) -> Option<Vec<u8>> {
        let mut answer = Vec::new();
        let from = Peer {
            address: ADDRESS,
            transport: match case.transport {
                queries::Transport::Udp => Transport::Udp,
                queries::Transport::Tcp => Transport::Tcp,
            },
        };
        match self.server.answer(&case.message, from, NOW, &mut answer) {
            Outcome::Reply => Some(answer),
            Outcome::Drop => None,
            // The first message stands for all.
            Outcome::Transfer(mut transfer) => transfer.next(&mut answer).then_some(answer),
        }
    }
}
