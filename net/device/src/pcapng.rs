//! The pcapng format (draft-ietf-opsawg-pcapng), as far as a capture of one interface needs it: little-endian, times in nanoseconds.
//!
//! A capture is a chain of blocks, each with its length at both ends. It begins with [`header`]; then comes a [`packet`] for each frame, and, where the
//! chain has to reach further than the packets do, a [`filler`], which readers pass over.

use alloc::vec::Vec;

use crate::Direction;

/// Block types (sections 4.1 to 4.3). Those with the highest bit are for local use.
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const FILLER: u32 = 0x8000_4d6f;

/// Section 4.1: by which readers tell the byte order.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Link type Ethernet (LINKTYPE_ETHERNET of the registry at tcpdump.org).
const LINKTYPE_ETHERNET: u32 = 1;

/// Options, with their lengths in the upper half of the word: `if_tsresol` of one byte (section 4.2), `epb_flags` of four (section 4.3).
const TIME_RESOLUTION: u32 = 9 | 1 << 16;
const NANOSECONDS: u32 = 9;
const FLAGS: u32 = 2 | 4 << 16;
const END_OF_OPTIONS: u32 = 0;

/// How many bytes a packet's block has besides the frame, which is padded to four.
pub const PACKET_OVERHEAD: usize = 44;
/// The shortest block: nothing but its type and its two lengths.
pub const SHORTEST_BLOCK: usize = 12;
/// How many bytes [`header`] has.
pub const HEADER_BYTES: usize = 60;

/// Appends what a capture begins with. `snap_len` is how many bytes of a frame are kept at most.
pub fn header(out: &mut Vec<u8>, snap_len: u32) {
    // Version 1.0, and a section of unknown length.
    words(
        out,
        &[SECTION, 28, BYTE_ORDER_MAGIC, 1, u32::MAX, u32::MAX, 28],
    );
    let head = [INTERFACE, 32, LINKTYPE_ETHERNET, snap_len];
    let options = [TIME_RESOLUTION, NANOSECONDS, END_OF_OPTIONS, 32];
    words(out, &head);
    words(out, &options);
}

/// How many bytes the block of a packet has of which `captured` bytes are kept.
pub const fn packet_len(captured: usize) -> usize {
    captured.next_multiple_of(4) + PACKET_OVERHEAD
}

/// Appends a frame that had `original` bytes, of which `captured` are kept. `now_ns` is counted from the Unix epoch.
pub fn packet(
    out: &mut Vec<u8>,
    direction: Direction,
    now_ns: u64,
    captured: &[u8],
    original: usize,
) {
    // No frame is anywhere near so long.
    let bytes = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    let total = bytes(packet_len(captured.len()));
    let (high, low) = ((now_ns >> 32) as u32, now_ns as u32);
    let lengths = [bytes(captured.len()), bytes(original)];
    words(
        out,
        &[ENHANCED_PACKET, total, 0, high, low, lengths[0], lengths[1]],
    );
    out.extend_from_slice(captured);
    out.resize(
        out.len() + captured.len().next_multiple_of(4) - captured.len(),
        0,
    );
    // Section 4.3.1: the two lowest bits.
    let flags = match direction {
        Direction::Received => 1,
        Direction::Sent => 2,
    };
    words(out, &[FLAGS, flags, END_OF_OPTIONS, total]);
}

/// Makes all of `space` one block that readers pass over. Only its ends are written. The space has a multiple of four bytes, [`SHORTEST_BLOCK`] at least; of
/// any other nothing is made.
pub fn filler(space: &mut [u8]) {
    let total = match u32::try_from(space.len()) {
        Ok(total) if space.len() >= SHORTEST_BLOCK && total % 4 == 0 => total.to_le_bytes(),
        _ => return,
    };
    if let Some((head, rest)) = space.split_first_chunk_mut::<8>() {
        head[..4].copy_from_slice(&FILLER.to_le_bytes());
        head[4..].copy_from_slice(&total);
        if let Some(tail) = rest.last_chunk_mut() {
            *tail = total;
        }
    }
}

fn words(out: &mut Vec<u8>, words: &[u32]) {
    for word in words {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The types and lengths of a chain's blocks, if it is one.
    fn blocks(mut bytes: &[u8]) -> Option<Vec<(u32, usize)>> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let word =
                |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
            let len = word(4)? as usize;
            if len < SHORTEST_BLOCK || word(len - 4)? as usize != len {
                return None;
            }
            found.push((word(0)?, len));
            bytes = &bytes[len..];
        }
        Some(found)
    }

    #[test]
    fn a_capture_is_a_chain_of_blocks() {
        let mut out = Vec::new();
        header(&mut out, 65_535);
        assert_eq!(out.len(), HEADER_BYTES);
        let mut expected = alloc::vec![(SECTION, 28), (INTERFACE, 32)];
        for len in [0, 1, 2, 3, 4, 60, 1514] {
            packet(&mut out, Direction::Sent, 7, &alloc::vec![1; len], len + 9);
            expected.push((ENHANCED_PACKET, packet_len(len)));
        }
        let end = out.len();
        out.resize(end + 4096, 9);
        filler(&mut out[end..]);
        expected.push((FILLER, 4096));
        assert_eq!(blocks(&out), Some(expected));
    }

    #[test]
    fn a_packet_says_when_and_which_way() {
        let mut out = Vec::new();
        let now = 1_700_000_000_123_456_789;
        packet(&mut out, Direction::Received, now, &[5; 6], 1000);
        let words: Vec<u32> = out
            .chunks(4)
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect();
        assert_eq!(u64::from(words[3]) << 32 | u64::from(words[4]), now);
        assert_eq!(words[5..7], [6, 1000]);
        assert_eq!(words[7..9], [0x0505_0505, 0x0505]);
        assert_eq!(words[9..], [2 | 4 << 16, 1, 0, 52]);
    }

    #[test]
    fn what_is_no_space_for_a_filler_is_left_alone() {
        for len in [0, 4, 8, 11, 13, 15] {
            let mut space = alloc::vec![7; len];
            filler(&mut space);
            assert_eq!(space, alloc::vec![7; len]);
        }
    }
}
