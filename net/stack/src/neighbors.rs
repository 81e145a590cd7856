//! Asking the link who has an address.
//!
//! smoltcp asks by itself, but after one question it asks nobody anything for a second (`iface::neighbor::Cache`). Whoever begins to speak with five others would wait four seconds for the last one, so
//! the questions that it leaves out are asked here. The answers go to smoltcp, which keeps them.

use alloc::collections::VecDeque;
use core::net::IpAddr;
use core::time::Duration;

use morgana_hal::Instant;

use crate::engine::Engine;
use crate::ndp;

/// Of one address no more often than that (RFC 1122 section 2.3.2.1).
const SILENCE: Duration = Duration::from_secs(1);
/// Addresses that are asked for within that time; further ones wait until smoltcp asks.
pub(crate) const MOST: usize = 32;

/// The addresses that were asked for within the last second.
#[derive(Debug, Default)]
pub(crate) struct Asked(VecDeque<(IpAddr, Instant)>);

impl Asked {
    /// Notes that an address is asked for now, if it may be.
    fn ask(&mut self, address: IpAddr, now: Instant) -> bool {
        while let Some((_, at)) = self.0.front()
            && now.since(*at) >= SILENCE
        {
            self.0.pop_front();
        }
        let may = self.0.len() < MOST && !self.0.iter().any(|(asked, _)| *asked == address);
        if may {
            self.0.push_back((address, now));
        }
        may
    }
}

impl Engine {
    /// A packet for `remote` cannot leave, because who is next on its way has not told its Ethernet address. `frames` had been sent before smoltcp tried: if one more has left since, it is the question.
    pub(crate) fn neighbor_is_missing(&mut self, remote: IpAddr, frames: u64, now: Instant) {
        let Some(next) = self.addresses.next_hop(remote) else {
            return;
        };
        let Some(source) = self.source_for(next) else {
            return;
        };
        if !self.asked.ask(next, now) || self.stats.frames_sent > frames {
            return;
        }
        match (source, next) {
            (IpAddr::V4(source), IpAddr::V4(next)) => {
                self.post(ndp::arp_question(self.mac, source, next));
            }
            (IpAddr::V6(source), IpAddr::V6(next)) => {
                self.post(ndp::solicitation(self.mac, source, next));
            }
            // Both are of one family.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: usize) -> IpAddr {
        [10, 0, 0, last as u8].into()
    }

    #[test]
    fn an_address_is_asked_for_once_a_second() {
        let mut asked = Asked::default();
        let at = |ms| Instant::ZERO + Duration::from_millis(ms);
        assert!(asked.ask(address(1), at(0)));
        assert!(!asked.ask(address(1), at(999)));
        assert!(asked.ask(address(2), at(999)));
        assert!(asked.ask(address(1), at(1000)));
        assert!(!asked.ask(address(2), at(1998)));
    }

    #[test]
    fn there_is_an_end_of_questions() {
        let mut asked = Asked::default();
        let count = (0..200).filter(|last| asked.ask(address(*last), Instant::ZERO));
        assert_eq!(count.count(), MOST);
        let later = Instant::ZERO + SILENCE;
        assert!(asked.ask(address(199), later));
        assert_eq!(asked.0.len(), 1);
    }
}
