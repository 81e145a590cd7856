//! The bytes that go over a console, which both of its ends know.

#![no_std]
#![forbid(unsafe_code)]

use morgana_net_device::SplitMix;

/// The bytes of a seed, from the first one on.
#[derive(Clone, Debug)]
pub struct Stream {
    random: SplitMix,
    word: [u8; 8],
    /// How many bytes of the word have been given.
    used: usize,
}

impl Stream {
    /// The bytes of this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            random: SplitMix::new(seed),
            word: [0; 8],
            used: 8,
        }
    }

    /// Gives the next bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used == self.word.len() {
                self.word = self.random.next_u64().to_le_bytes();
                self.used = 0;
            }
            *byte = self.word[self.used];
            self.used += 1;
        }
    }

    /// Says where in `bytes` the first one is that is not the next one of the stream.
    pub fn differs(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut expected = [0; 1];
        bytes.iter().position(|&byte| {
            self.fill(&mut expected);
            byte != expected[0]
        })
    }
}
