//! What tells a client that may ask over the network from one that may not.

use std::fmt;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Characters of a token: less can be guessed, more fits no head of a request.
const SHORTEST: usize = 16;
const LONGEST: usize = 512;

/// A secret that clients say, too.
pub(super) struct Token(Vec<u8>);

impl Token {
    /// Reads the token in a file that nobody but its owner may read.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let told = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
        let file = File::open(path).map_err(|error| told(&error))?;
        let mode = file.metadata().map_err(|error| told(&error))?.permissions();
        if mode.mode() & 0o077 != 0 {
            return Err(told(
                &"others than its owner may read or write it (chmod 600)",
            ));
        }
        let mut text = Vec::new();
        // A line feed at the end is none of it, nor the two characters of other systems.
        let read = file.take(LONGEST as u64 + 3).read_to_end(&mut text);
        read.map_err(|error| told(&error))?;
        let text = text.trim_ascii();
        let fits = (SHORTEST..=LONGEST).contains(&text.len());
        if !fits || !text.iter().all(u8::is_ascii_graphic) {
            return Err(told(&format_args!(
                "a token has {SHORTEST} to {LONGEST} visible ASCII characters"
            )));
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether a request's `Authorization` says it: `Bearer TOKEN` (RFC 6750 §2.1). How long that takes tells nothing of the token but its length.
    pub(super) fn is_said_by(&self, authorization: Option<&[u8]>) -> bool {
        let Some((scheme, said)) = authorization.and_then(|value| value.split_at_checked(7)) else {
            return false;
        };
        // The scheme's case says nothing (RFC 9110 §11.1).
        if !scheme.eq_ignore_ascii_case(b"Bearer ") || said.len() != self.0.len() {
            return false;
        }
        let pairs = said.iter().zip(&self.0);
        // A compiler that saw through it could end at the first difference.
        let differences = pairs.fold(0, |all, (said, own)| black_box(all | (said ^ own)));
        black_box(differences) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;
    use crate::daemon::scratch::Scratch;

    fn file(folder: &Scratch, text: &str, mode: u32) -> std::path::PathBuf {
        let path = folder.path().join("token");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn only_the_whole_token_is_right() {
        let folder = Scratch::new();
        let token = Token::read(&file(&folder, "0123456789abcdef\n", 0o600)).unwrap();
        assert!(token.is_said_by(Some(b"Bearer 0123456789abcdef")));
        assert!(token.is_said_by(Some(b"bearer 0123456789abcdef")));
        for wrong in [
            None,
            Some(&b""[..]),
            Some(b"Bearer "),
            Some(b"Bearer"),
            Some(b"Basic  0123456789abcdef"),
            Some(b"Bearer 0123456789abcde"),
            Some(b"Bearer 0123456789abcdeF"),
            Some(b"Bearer 1123456789abcdef"),
            Some(b"Bearer 0123456789abcdef0"),
            Some(b"Bearer  0123456789abcdef"),
            Some(b"0123456789abcdef"),
        ] {
            assert!(!token.is_said_by(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_file_that_is_no_secret_is_refused() {
        let folder = Scratch::new();
        for (text, mode, why) in [
            ("0123456789abcdef", 0o644, "chmod 600"),
            ("0123456789abcdef", 0o640, "chmod 600"),
            ("0123456789abcde", 0o600, "16 to 512"),
            ("0123456789 abcdef", 0o600, "16 to 512"),
            ("", 0o600, "16 to 512"),
            (&"x".repeat(513), 0o400, "16 to 512"),
            (&"x".repeat(100_000), 0o400, "16 to 512"),
        ] {
            let _ = fs::remove_file(folder.path().join("token"));
            let said = Token::read(&file(&folder, text, mode)).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        let said = Token::read(&folder.path().join("none")).unwrap_err();
        assert!(said.contains("No such file"), "{said}");
    }
}
