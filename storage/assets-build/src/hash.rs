//! Entity tags from content.

/// FNV-1a's 128-bit offset basis (RFC 9923, section 5).
const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
/// FNV's 128-bit prime (RFC 9923, section 5).
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// The strong entity tag of `content`, without the quotes around it: the 128-bit FNV-1a hash in hexadecimal.
pub fn entity_tag(content: &[u8]) -> String {
    let hash = content.iter().fold(OFFSET_BASIS, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    });
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        assert_eq!(entity_tag(b""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(entity_tag(b"a"), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(entity_tag(b"foobar"), "343e1662793c64bf6f0d3597ba446f18");
    }
}
