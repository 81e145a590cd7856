//! Compressing a content when it is baked in.

use std::io::Cursor;

use brotli::enc::BrotliEncoderParams;
use miniz_oxide::deflate::compress_to_vec;

/// Only a form that saves so many bytes is worth being one.
const LEAST_SAVING: usize = 64;
/// The best that each format's compressor does.
const DEFLATE_LEVEL: u8 = 10;
const BROTLI_QUALITY: i32 = 11;

/// Compressed forms of a content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Forms {
    /// One gzip member (RFC 1952).
    pub(crate) gzip: Vec<u8>,
    /// A brotli stream (RFC 7932), where it is shorter than that.
    pub(crate) brotli: Option<Vec<u8>>,
}

/// Compresses a content of this media type; `None` if that gains nothing.
pub(crate) fn pack(content_type: &str, content: &[u8]) -> Option<Forms> {
    if !is_text(content_type) {
        return None;
    }
    let gzip = gzip(content);
    if gzip.len() + LEAST_SAVING > content.len() {
        return None;
    }
    let brotli = brotli(content).filter(|brotli| brotli.len() + LEAST_SAVING <= gzip.len());
    Some(Forms { gzip, brotli })
}

/// Whether contents of this type are not compressed by themselves.
fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/")
        || kind.ends_with("+xml")
        || matches!(
            kind,
            "application/json" | "application/xml" | "application/wasm"
        )
}

/// One member without name and time, so that it depends on the content alone.
fn gzip(content: &[u8]) -> Vec<u8> {
    // Magic number, deflate, no flags, no time, slowest compression, unknown system (section 2.3.1).
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
    member.extend_from_slice(&compress_to_vec(content, DEFLATE_LEVEL));
    member.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
    // Modulo 2^32, as the format has it.
    member.extend_from_slice(&(content.len() as u32).to_le_bytes());
    member
}

fn brotli(content: &[u8]) -> Option<Vec<u8>> {
    let parameters = BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        size_hint: content.len(),
        ..BrotliEncoderParams::default()
    };
    let mut stream = Vec::new();
    brotli::BrotliCompress(&mut Cursor::new(content), &mut stream, &parameters).ok()?;
    Some(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::process::{Command, Stdio};

    const HTML: &str = "text/html; charset=utf-8";

    fn prose() -> Vec<u8> {
        (0..400)
            .flat_map(|line| format!("<p>Line {line} of {}</p>\n", line * 37 % 91).into_bytes())
            .collect()
    }

    #[test]
    fn only_what_gains_is_packed() {
        assert_eq!(pack(HTML, b"<p>short</p>"), None);
        assert_eq!(pack("image/png", &prose()), None);
        let mut state = 1u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .take(5000)
        .collect();
        assert_eq!(pack("text/plain", &noise), None);
        let forms = pack(HTML, &prose()).expect("it repeats itself");
        assert!(forms.gzip.len() < prose().len() / 3);
        assert!(forms.brotli.expect("longer").len() < forms.gzip.len());
    }

    #[test]
    fn the_brotli_form_is_the_content() {
        let content = prose();
        let stream = pack(HTML, &content).and_then(|forms| forms.brotli).unwrap();
        let mut back = Vec::new();
        brotli::Decompressor::new(&stream[..], 4096)
            .read_to_end(&mut back)
            .unwrap();
        assert!(back == content);
    }

    /// The format's own program reads what we write.
    #[test]
    fn gzip_unpacks_the_gzip_form() {
        let content = prose();
        let member = pack(HTML, &content).unwrap().gzip;
        let mut program = Command::new("gzip")
            .arg("-dc")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("gzip is part of every Debian");
        program.stdin.take().unwrap().write_all(&member).unwrap();
        let told = program.wait_with_output().unwrap();
        assert!(told.status.success() && told.stdout == content);
    }
}
