//! Which queue a frame goes to: one flow stays in one queue, so that its frames stay in order.

use crate::segment::{ETHERTYPE_IPV4, ETHERTYPE_IPV6, ethertype};

/// A number that is the same for all frames of one flow: from its addresses, and its ports if it has any. It is no secret, so whoever chooses the
/// addresses can choose the queue.
pub fn flow_hash(frame: &[u8]) -> u32 {
    let (addresses, protocol, ports) = match ethertype(frame) {
        Some(ETHERTYPE_IPV4) => {
            let header = frame
                .get(14)
                .map_or(0, |first| usize::from(first & 0x0f) * 4);
            // Only the first of several fragments has ports.
            let whole = frame
                .get(20..22)
                .is_some_and(|word| word[0] & 0x3f == 0 && word[1] == 0);
            (
                frame.get(26..34),
                frame.get(23),
                whole.then_some(14 + header),
            )
        }
        Some(ETHERTYPE_IPV6) => (frame.get(22..54), frame.get(20), Some(54)),
        _ => (frame.get(..12), None, None),
    };
    let mut hash = FNV_OFFSET;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u32::from(*byte)).wrapping_mul(FNV_PRIME);
        }
    };
    add(addresses.unwrap_or_default());
    // IANA "Protocol numbers": TCP and UDP.
    if let (Some(6 | 17), Some(at)) = (protocol, ports) {
        add(frame.get(at..at + 4).unwrap_or_default());
    }
    // The low bits are the ones that choose a queue.
    hash ^ hash >> 16
}

/// The FNV-1a hash of 32 bits (draft-eastlake-fnv).
const FNV_OFFSET: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    fn tcp4(port: u16, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![2; 12];
        frame.extend([
            8, 0, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ]);
        frame.extend(port.to_be_bytes());
        frame.extend([0, 80]);
        frame.extend(payload);
        frame
    }

    #[test]
    fn a_flow_has_one_hash_and_flows_have_many() {
        let queues: Vec<u32> = (0..64)
            .map(|port| flow_hash(&tcp4(port, b"a")) % 4)
            .collect();
        let again: Vec<u32> = (0..64)
            .map(|port| flow_hash(&tcp4(port, b"other")) % 4)
            .collect();
        assert_eq!(queues, again);
        for queue in 0..4 {
            assert!(queues.iter().filter(|which| **which == queue).count() > 4);
        }
    }

    #[test]
    fn fragments_go_together() {
        let (mut first, mut second) = (tcp4(1, b"a"), tcp4(2, b"b"));
        first[20] = 0x20;
        second[21] = 8;
        assert_eq!(flow_hash(&first), flow_hash(&second));
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(mut frame in prop::collection::vec(any::<u8>(), 0..80), v6: bool) {
            flow_hash(&frame);
            if frame.len() > 14 {
                frame[12..14].copy_from_slice(if v6 { &[0x86, 0xdd] } else { &[8, 0] });
            }
            flow_hash(&frame);
        }
    }
}
