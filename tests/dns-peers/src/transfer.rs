//! Whole zones on their way (RFC 5936), from ours and from a peer.

use std::collections::BTreeSet;
use std::io;

use crate::client::Client;
use crate::name;
use crate::ours::Ours;
use crate::reply::{Key, Reply};
use crate::world::Zone;

/// A record: what tells its set apart, its time to live, and its data.
type Record = (Key, u32, Vec<u8>);

/// A zone that was transferred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transferred {
    records: BTreeSet<Record>,
    authorities: usize,
}

impl Transferred {
    /// From our server.
    ///
    /// # Errors
    ///
    /// What is wrong with a message, in words.
    pub fn from_ours(ours: &mut Ours, zone: &Zone) -> Result<Self, String> {
        let mut transferred = Self::default();
        for message in ours.transfer(&query(zone)) {
            transferred.take(&message)?;
        }
        transferred.whole()
    }

    /// From a peer.
    ///
    /// # Errors
    ///
    /// Those of the socket, and what is wrong with a message.
    pub fn from_peer(client: &Client, zone: &Zone) -> io::Result<Self> {
        let mut transferred = Self::default();
        let mut wrong = None;
        client.transfer(&query(zone), |message| {
            wrong = transferred.take(message).err();
            wrong.is_some() || transferred.authorities >= 2
        })?;
        match wrong {
            Some(wrong) => Err(io::Error::other(wrong)),
            None => transferred.whole().map_err(io::Error::other),
        }
    }

    /// How many records there are, the SOA once.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn take(&mut self, message: &[u8]) -> Result<(), String> {
        const SOA: u16 = 6;
        let reply = Reply::parse(message)?;
        if reply.rcode != 0 {
            return Err(format!("it is refused: {reply}"));
        }
        for (key, set) in &reply.sections[0] {
            if key.2 == SOA {
                self.authorities += set.data.len();
            }
            let ttl = set.ttls[0];
            let records = set.data.iter().map(|data| (key.clone(), ttl, data.clone()));
            self.records.extend(records);
        }
        Ok(())
    }

    /// The SOA is the first record and the last (RFC 5936, section 2.2).
    fn whole(self) -> Result<Self, String> {
        match self.authorities {
            2 => Ok(self),
            other => Err(format!("a transfer with {other} SOA records")),
        }
    }
}

fn query(zone: &Zone) -> Vec<u8> {
    let mut query = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(name::wire(&name::labels(zone.origin())));
    query.extend([0, 252, 0, 1]);
    query
}
