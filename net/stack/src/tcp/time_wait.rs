//! Connections that this side closed first, remembered for a while without a socket (RFC 9293 section 3.6.1).

use alloc::collections::{BTreeMap, VecDeque};
use core::time::Duration;

use morgana_hal::Instant;
use smoltcp::wire::TcpControl;

use super::emit::BareSegment;
use super::wire::{Wire, after};
use crate::flow::FlowKey;
use crate::frame::Segment;

/// How long: what smoltcp takes for twice the maximum segment lifetime. RFC 9293 says four minutes, which nobody waits for.
const DURATION: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
struct Remembered {
    until: Instant,
    send_next: u32,
    receive_next: u32,
}

/// Connections in TIME-WAIT.
#[derive(Debug, Default)]
pub(crate) struct TimeWaits {
    by_flow: BTreeMap<FlowKey, Remembered>,
    /// In the order of their ends. An entry whose end differs from the one remembered is void.
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

impl TimeWaits {
    pub(crate) fn len(&self) -> usize {
        self.by_flow.len()
    }

    /// Remembers a connection. At the limit the oldest is forgotten.
    pub(crate) fn insert(&mut self, flow: FlowKey, wire: &Wire, now: Instant, limit: usize) {
        self.expire(now);
        while self.by_flow.len() >= limit.max(1) {
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
        let before = self.by_flow.insert(flow, remembered);
        if before.is_none_or(|before| before.until != until) {
            self.order.push_back((until, flow));
        }
        // Void entries come from reopened connections, each of which took a handshake; they go as their time passes.
        if self.order.len() > 2 * limit.max(1) {
            let by_flow = &self.by_flow;
            self.order
                .retain(|(until, flow)| by_flow.get(flow).is_some_and(|kept| kept.until == *until));
        }
    }

    fn forget(&mut self, flow: &FlowKey, until: Instant) {
        if self
            .by_flow
            .get(flow)
            .is_some_and(|kept| kept.until == until)
        {
            self.by_flow.remove(flow);
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
    pub(crate) fn receive(&mut self, segment: &Segment, now: Instant) -> Option<Late> {
        self.expire(now);
        let kept = self.by_flow.get(&segment.flow)?;
        // RFC 9293 section 3.10.7.4: a SYN beyond the old connection's numbers may open a new one.
        if segment.opens() && after(segment.sequence, kept.receive_next) {
            self.by_flow.remove(&segment.flow);
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

    /// Whether a connection of that name is remembered.
    pub(crate) fn contains(&self, flow: &FlowKey) -> bool {
        self.by_flow.contains_key(flow)
    }
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
        let mut time_waits = TimeWaits::default();
        time_waits.insert(flow(1), &wire(), Instant::ZERO, 10);
        let mut receive =
            |control, sequence| time_waits.receive(&segment(control, sequence), Instant::ZERO);
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
        let mut time_waits = TimeWaits::default();
        let at = |s| Instant::ZERO + Duration::from_secs(s);
        for port in 0..20u16 {
            time_waits.insert(flow(port), &wire(), at(port.into()), 4);
            assert!(time_waits.len() <= 4);
        }
        assert!(!time_waits.contains(&flow(15)) && time_waits.contains(&flow(16)));
        let syn = segment(TcpControl::Syn, 400);
        assert!(time_waits.receive(&syn, at(27)).is_none());
        assert_eq!(time_waits.len(), 2);
        // The same name again and again is one entry, and leaves no trail.
        for step in 0..1000 {
            time_waits.insert(flow(1), &wire(), at(40 + step / 500), 4);
        }
        assert_eq!(time_waits.len(), 1);
        assert!(time_waits.order.len() <= 9);
    }
}
