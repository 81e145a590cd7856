//! A keyed hash, for numbers that a stranger must not be able to guess.

/// SipHash-2-4 (Aumasson, Bernstein 2012), of a secret and a short message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SipKey {
    keys: [u64; 2],
}

impl SipKey {
    pub(crate) const fn new(keys: [u64; 2]) -> Self {
        Self { keys }
    }

    /// The hash of `words`, least significant bytes first.
    pub(crate) fn hash(&self, words: &[u64]) -> u64 {
        let [k0, k1] = self.keys;
        let mut v = [
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        // The message is whole words, so the last block holds its length only (modulo 256, in the top byte).
        let length = ((words.len() * 8) as u64) << 56;
        for word in words.iter().copied().chain([length]) {
            v[3] ^= word;
            round(&mut v);
            round(&mut v);
            v[0] ^= word;
        }
        v[2] ^= 0xff;
        for _ in 0..4 {
            round(&mut v);
        }
        v[0] ^ v[1] ^ v[2] ^ v[3]
    }
}

fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use core::hash::Hasher;

    #[test]
    #[expect(
        deprecated,
        reason = "the standard library's own SipHash-2-4 is the reference"
    )]
    fn it_agrees_with_the_standard_library() {
        for (keys, words) in [
            ([0, 0], &[0u64; 0][..]),
            ([1, 2], &[3][..]),
            ([u64::MAX, 7], &[1, 2, 3, 4, 5][..]),
        ] {
            let mut reference = std::hash::SipHasher::new_with_keys(keys[0], keys[1]);
            for word in words {
                reference.write(&word.to_le_bytes());
            }
            assert_eq!(SipKey::new(keys).hash(words), reference.finish());
        }
    }
}
