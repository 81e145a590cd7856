//! Who has a connection's name: a connection, or the memory of one that this side closed first (RFC 9293 section 3.6.1).

use alloc::collections::{BTreeMap, VecDeque};
use core::time::Duration;

use morgana_hal::Instant;
use smoltcp::wire::TcpControl;

use super::emit::BareSegment;
use super::table::ConnectionId;
use super::wire::{Wire, after};
use crate::flow::FlowKey;
use crate::frame::Segment;

/// How long: what smoltcp takes for twice the maximum segment lifetime. RFC 9293 says four minutes, which nobody waits for.
const DURATION: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
enum Owner {
    Connection(ConnectionId),
    TimeWait(Remembered),
}

/// A connection in TIME-WAIT, which needs no socket.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    until: Instant,
    send_next: u32,
    receive_next: u32,
}

/// All names that are taken.
#[derive(Debug, Default)]
pub(crate) struct Names {
    owners: BTreeMap<FlowKey, Owner>,
    /// How many of them are in TIME-WAIT.
    remembered: usize,
    /// Those, in the order of their ends. An entry whose end differs from the one remembered is void.
    order: VecDeque<(Instant, FlowKey)>,
}

/// What a segment for a connection in TIME-WAIT is.
pub(crate) enum Late {
    /// The beginning of a new connection between the same ends; the old one is forgotten.
    Reopens,
    /// To be answered: the peer has not heard our last acknowledgement.
    Answer(BareSegment),
    /// To be ignored.
    Ignore,
}

impl Names {
    /// How many are in TIME-WAIT.
    pub(crate) fn remembered(&self) -> usize {
        self.remembered
    }

    pub(crate) fn is_taken(&self, flow: &FlowKey) -> bool {
        self.owners.contains_key(flow)
    }

    /// The connection of that name.
    pub(crate) fn connection(&self, flow: &FlowKey) -> Option<ConnectionId> {
        match self.owners.get(flow) {
            Some(&Owner::Connection(id)) => Some(id),
            _ => None,
        }
    }

    /// Gives a name to a connection.
    pub(crate) fn give(&mut self, flow: FlowKey, id: ConnectionId) {
        self.set(flow, Owner::Connection(id));
    }

    /// Takes a name from a connection, if it has it.
    pub(crate) fn take(&mut self, flow: &FlowKey, id: ConnectionId) {
        if self.connection(flow) == Some(id) {
            self.owners.remove(flow);
        }
    }

    fn set(&mut self, flow: FlowKey, owner: Owner) -> Option<Remembered> {
        self.remembered += usize::from(matches!(owner, Owner::TimeWait(_)));
        match self.owners.insert(flow, owner) {
            Some(Owner::TimeWait(before)) => {
                self.remembered -= 1;
                Some(before)
            }
            _ => None,
        }
    }

    /// Lets a name be that of a connection in TIME-WAIT. At the limit the oldest of these is forgotten.
    pub(crate) fn remember(&mut self, flow: FlowKey, wire: &Wire, now: Instant, limit: usize) {
        self.expire(now);
        while self.remembered >= limit.max(1) {
            let Some((until, oldest)) = self.order.pop_front() else {
                break;
            };
            self.forget(&oldest, until);
        }
        let until = now + DURATION;
        let remembered = Remembered {
            until,
            send_next: wire.send_next,
            receive_next: wire.receive_next,
        };
        let before = self.set(flow, Owner::TimeWait(remembered));
        if before.is_none_or(|before| before.until != until) {
            self.order.push_back((until, flow));
        }
        // Void entries come from reopened connections, each of which took a handshake; they go as their time passes.
        if self.order.len() > 2 * limit.max(1) {
            let owners = &self.owners;
            self.order
                .retain(|(until, flow)| ends_at(owners.get(flow), *until));
        }
    }

    fn forget(&mut self, flow: &FlowKey, until: Instant) {
        if ends_at(self.owners.get(flow), until) {
            self.owners.remove(flow);
            self.remembered -= 1;
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(&(until, flow)) = self.order.front()
            && until <= now
        {
            self.order.pop_front();
            self.forget(&flow, until);
        }
    }

    /// What to do about a segment; `None` if its connection is not in TIME-WAIT.
    pub(crate) fn late(&mut self, segment: &Segment, now: Instant) -> Option<Late> {
        self.expire(now);
        let Some(&Owner::TimeWait(kept)) = self.owners.get(&segment.flow) else {
            return None;
        };
        // RFC 9293 section 3.10.7.4: a SYN beyond the old connection's numbers may open a new one.
        if segment.opens() && after(segment.sequence, kept.receive_next) {
            self.forget(&segment.flow, kept.until);
            return Some(Late::Reopens);
        }
        let silent = segment.control == TcpControl::Rst
            || (segment.payload == 0 && segment.control != TcpControl::Fin);
        if silent {
            // RFC 1337: a reset must not end TIME-WAIT. And an answer to a bare acknowledgement could be answered in turn.
            return Some(Late::Ignore);
        }
        Some(Late::Answer(BareSegment {
            from: segment.flow.local,
            to: segment.flow.remote,
            control: TcpControl::None,
            sequence: kept.send_next,
            acknowledgement: Some(kept.receive_next),
            window: 0,
            max_segment: None,
            window_scale: None,
            sack_permitted: false,
        }))
    }
}

fn ends_at(owner: Option<&Owner>, until: Instant) -> bool {
    matches!(owner, Some(Owner::TimeWait(kept)) if kept.until == until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, SocketAddr};

    fn flow(port: u16) -> FlowKey {
        let end = |port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
        FlowKey {
            remote: end(port),
            local: end(7),
        }
    }

    /// A connection that has received up to 500.
    fn wire() -> Wire {
        let mut wire = Wire::new(100, 1500);
        wire.receive_next = 500;
        wire
    }

    fn segment(control: TcpControl, sequence: u32) -> Segment {
        Segment {
            flow: flow(1),
            control,
            sequence,
            acknowledgement: (control != TcpControl::Syn).then_some(100),
            window: 0,
            window_scale: None,
            max_segment: None,
            sack_permitted: false,
            payload: 0,
            header: 0,
            from_mac: [0; 6],
        }
    }

    #[test]
    fn a_repeated_end_is_answered_and_everything_else_is_not() {
        let mut names = Names::default();
        names.remember(flow(1), &wire(), Instant::ZERO, 10);
        let mut receive =
            |control, sequence| names.late(&segment(control, sequence), Instant::ZERO);
        let Some(Late::Answer(answer)) = receive(TcpControl::Fin, 499) else {
            panic!("the peer's end goes without an answer");
        };
        assert_eq!((answer.sequence, answer.acknowledgement), (100, Some(500)));
        for (control, sequence) in [(TcpControl::None, 500), (TcpControl::Rst, 500)] {
            assert!(matches!(receive(control, sequence), Some(Late::Ignore)));
        }
        // An old SYN opens nothing, a new one does, once.
        assert!(!matches!(
            receive(TcpControl::Syn, 400),
            Some(Late::Reopens)
        ));
        assert!(matches!(receive(TcpControl::Syn, 501), Some(Late::Reopens)));
        assert!(receive(TcpControl::Syn, 501).is_none());
    }

    #[test]
    fn they_end_and_the_oldest_goes_first() {
        let mut names = Names::default();
        let at = |s| Instant::ZERO + Duration::from_secs(s);
        for port in 0..20u16 {
            names.remember(flow(port), &wire(), at(port.into()), 4);
            assert!(names.remembered() <= 4);
        }
        assert!(!names.is_taken(&flow(15)) && names.is_taken(&flow(16)));
        let syn = segment(TcpControl::Syn, 400);
        assert!(names.late(&syn, at(27)).is_none());
        assert_eq!(names.remembered(), 2);
        // The same name again and again is one entry, and leaves no trail.
        for step in 0..1000 {
            names.remember(flow(1), &wire(), at(40 + step / 500), 4);
        }
        assert_eq!(names.remembered(), 1);
        assert!(names.order.len() <= 9);
    }
}
