//! ELF notes: what an image tells its loader (elfnote.h).

use morgana_abi::elfnote;

use crate::features;
use crate::image::{ImageError, Problem};
use crate::read;

/// What was found. A number that is not there is `None`.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Notes {
    pub(crate) entry: Option<u64>,
    pub(crate) virt_base: Option<u64>,
    pub(crate) paddr_offset: Option<u64>,
    pub(crate) hypercall_page: Option<u64>,
    /// Where the first note is that is Xen's.
    pub(crate) first: Option<u64>,
    /// Where the note with `hypercall_page` is.
    pub(crate) hypercall_page_at: u64,
}

const NAME: &[u8] = b"Xen\0";
/// Bytes of a note before its name.
const HEAD: u64 = 12;

/// Reads the notes in `start .. start + len` of the file, which lies in it.
pub(crate) fn read(
    bytes: &[u8],
    start: u64,
    len: u64,
    notes: &mut Notes,
) -> Result<(), ImageError> {
    let section = read::range(bytes, start, len)?;
    let mut at = 0;
    // Each turn goes on by 12 bytes at least.
    while at + HEAD <= len {
        let name_len = u64::from(read::u32(section, at)?);
        let description_len = u64::from(read::u32(section, at + 4)?);
        let kind = read::u32(section, at + 8)?;
        let torn = ImageError {
            problem: Problem::BrokenNote,
            offset: start + at,
        };
        let name_at = at + HEAD;
        let description_at = name_at + name_len.next_multiple_of(4);
        let name = read::range(section, name_at, name_len).map_err(|_| torn)?;
        let description =
            read::range(section, description_at, description_len).map_err(|_| torn)?;
        if name == NAME {
            notes.first.get_or_insert(start + at);
            note(kind, description, start + at, notes)?;
        }
        at = description_at + description_len.next_multiple_of(4);
    }
    Ok(())
}

fn note(kind: u32, description: &[u8], at: u64, notes: &mut Notes) -> Result<(), ImageError> {
    let wrong = |problem| ImageError {
        problem,
        offset: at,
    };
    let number = || match description.len() {
        4 => read::u32(description, 0).map(u64::from),
        8 => read::u64(description, 0),
        _ => Err(wrong(Problem::BrokenNote)),
    };
    match kind {
        elfnote::ENTRY => notes.entry = Some(number()?),
        elfnote::VIRT_BASE => notes.virt_base = Some(number()?),
        elfnote::PADDR_OFFSET => notes.paddr_offset = Some(number()?),
        elfnote::HYPERCALL_PAGE => {
            notes.hypercall_page = Some(number()?);
            notes.hypercall_page_at = at;
        }
        elfnote::XEN_VERSION if text(description) != b"xen-3.0" => {
            return Err(wrong(Problem::OtherXen));
        }
        elfnote::LOADER if text(description) != b"generic" => {
            return Err(wrong(Problem::OtherLoader));
        }
        elfnote::FEATURES => features::check(text(description)).map_err(wrong)?,
        _ => {}
    }
    Ok(())
}

/// Up to the zero that ends it.
fn text(description: &[u8]) -> &[u8] {
    let end = description.iter().position(|&byte| byte == 0);
    &description[..end.unwrap_or(description.len())]
}
