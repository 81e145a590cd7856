//! The headers of a 64-bit ELF file (System V gABI, "ELF Header" and "Program Header").

use alloc::vec::Vec;

use crate::image::{ImageError, Problem};
use crate::read;

/// Program headers that an image may have.
pub(crate) const MOST_HEADERS: u16 = 64;

const MAGIC: &[u8] = b"\x7fELF";
/// `ELFCLASS64`, `ELFDATA2LSB`, `EV_CURRENT`.
const IDENTITY: [u8; 3] = [2, 1, 1];
const ET_EXEC: u16 = 2;
const EM_X86_64: u16 = 62;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const HEADER_SIZE: u16 = 56;

/// Offsets in the file's header.
const E_TYPE: u64 = 16;
const E_MACHINE: u64 = 18;
const E_ENTRY: u64 = 24;
const E_PHOFF: u64 = 32;
const E_PHENTSIZE: u64 = 54;
const E_PHNUM: u64 = 56;

/// Offsets in a program header.
const P_OFFSET: u64 = 8;
const P_PADDR: u64 = 24;
const P_FILESZ: u64 = 32;
const P_MEMSZ: u64 = 40;

/// What the headers say.
#[derive(Debug)]
pub(crate) struct Headers {
    /// `e_entry`.
    pub(crate) entry: u64,
    pub(crate) loads: Vec<Header>,
    pub(crate) notes: Vec<Header>,
}

/// A program header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    /// Where in the file the header itself is.
    pub(crate) at: u64,
    /// Where its bytes begin in the file. They have been looked for: they are there.
    pub(crate) offset: u64,
    pub(crate) file_size: u64,
    pub(crate) physical: u64,
    pub(crate) memory_size: u64,
}

/// Reads the headers, and looks whether what they name is in the file.
pub(crate) fn headers(bytes: &[u8]) -> Result<Headers, ImageError> {
    let wrong = |problem, offset| Err(ImageError { problem, offset });
    if read::range(bytes, 0, 4)? != MAGIC {
        return wrong(Problem::NotElf, 0);
    }
    if read::range(bytes, 4, 3)? != IDENTITY {
        return wrong(Problem::Not64Bit, 4);
    }
    if read::u16(bytes, E_TYPE)? != ET_EXEC {
        return wrong(Problem::NotExecutable, E_TYPE);
    }
    if read::u16(bytes, E_MACHINE)? != EM_X86_64 {
        return wrong(Problem::OtherMachine, E_MACHINE);
    }
    if read::u16(bytes, E_PHENTSIZE)? != HEADER_SIZE {
        return wrong(Problem::BadHeaderSize, E_PHENTSIZE);
    }
    let count = read::u16(bytes, E_PHNUM)?;
    if count > MOST_HEADERS {
        return wrong(Problem::TooManyHeaders, E_PHNUM);
    }
    let mut headers = Headers {
        entry: read::u64(bytes, E_ENTRY)?,
        loads: Vec::new(),
        notes: Vec::new(),
    };
    let table = read::u64(bytes, E_PHOFF)?;
    for index in 0..u64::from(count) {
        let at = table
            .checked_add(index * u64::from(HEADER_SIZE))
            .ok_or(ImageError {
                problem: Problem::Truncated,
                offset: E_PHOFF,
            })?;
        match kind(bytes, at)? {
            PT_LOAD => headers.loads.push(header(bytes, at)?),
            PT_NOTE => headers.notes.push(header(bytes, at)?),
            _ => {}
        }
    }
    Ok(headers)
}

fn kind(bytes: &[u8], at: u64) -> Result<u32, ImageError> {
    let header = read::range(bytes, at, HEADER_SIZE.into())?;
    read::u32(header, 0)
}

fn header(bytes: &[u8], at: u64) -> Result<Header, ImageError> {
    let fields = read::range(bytes, at, HEADER_SIZE.into())?;
    let header = Header {
        at,
        offset: read::u64(fields, P_OFFSET)?,
        file_size: read::u64(fields, P_FILESZ)?,
        physical: read::u64(fields, P_PADDR)?,
        memory_size: read::u64(fields, P_MEMSZ)?,
    };
    read::range(bytes, header.offset, header.file_size).map_err(|_| ImageError {
        problem: Problem::SegmentOutsideFile,
        offset: at,
    })?;
    Ok(header)
}
