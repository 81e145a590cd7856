//! CRC-32 (ISO 3309), as busybox's `crc32` writes it.

/// A checksum of what was fed to it so far.
pub(crate) struct Crc(u32);

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                value >> 1 ^ 0xedb8_8320
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
};

impl Crc {
    pub(crate) fn new() -> Self {
        Self(!0)
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = TABLE[usize::from(self.0 as u8 ^ byte)] ^ self.0 >> 8;
        }
    }

    pub(crate) fn value(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Crc;

    #[test]
    fn is_the_usual_one() {
        let mut crc = Crc::new();
        crc.feed(b"123456789");
        assert_eq!(crc.value(), 0xcbf4_3926);
    }
}
