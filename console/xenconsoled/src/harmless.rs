//! Making control sequences harmless: a log is shown on terminals, and guests write it.

/// Replaces by `.` each byte that could begin a control sequence: C0 controls but tab, line feed and carriage return; DEL; and the second byte of
/// what is a C1 control in UTF-8 (ECMA-48). All lengths stay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Harmless {
    /// The last byte was the first one of a C1 control in UTF-8, or of any of the next 32 characters.
    after_c2: bool,
}

const DEL: u8 = 0x7f;
/// Begins U+0080 to U+00BF in UTF-8.
const LEAD: u8 = 0xc2;

impl Harmless {
    /// Goes over the next bytes of the same stream.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let c1 = self.after_c2 && (0x80..=0x9f).contains(byte);
            self.after_c2 = *byte == LEAD;
            let c0 = *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
            if c0 || c1 || *byte == DEL {
                *byte = b'.';
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn made(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        Harmless::default().apply(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn what_could_move_a_cursor_is_replaced() {
        assert_eq!(made("a\tb\r\n"), "a\tb\r\n");
        assert_eq!(made("\x1b[31mred\x07\x08\x7f\0"), ".[31mred....");
        assert_eq!(made("é ß § \u{a0}"), "é ß § \u{a0}");
    }

    #[test]
    fn c1_controls_are_found_across_pieces() {
        let mut bytes = "\u{9b}31m\u{85}".as_bytes().to_vec();
        let mut harmless = Harmless::default();
        for byte in &mut bytes {
            harmless.apply(core::slice::from_mut(byte));
        }
        assert_eq!(bytes, b"\xc2.31m\xc2.");
    }
}
