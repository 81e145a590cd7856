//! Taking symbols and debug information out of an image.
//!
//! What a domain builder loads comes first in the file; what follows is cut off. The headers of the sections that are
//! loaded are kept, so that tools can still tell code from data.

use object::Endianness;
use object::elf::{FileHeader64, SHF_ALLOC, SHT_NOBITS};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};

/// The ELF64 header's fields that change, by their offsets (ELF-64 Object File Format, figure 2).
const E_SHOFF: usize = 40;
const E_SHNUM: usize = 60;
const E_SHSTRNDX: usize = 62;
/// The size of a section header (figure 8), and its offsets of name and file position.
const HEADER: usize = 64;
const SH_OFFSET: usize = 24;
const SHT_STRTAB: u32 = 3;

/// The image without what is not loaded.
pub(super) fn strip(full: &[u8]) -> object::Result<Vec<u8>> {
    let elf = FileHeader64::<Endianness>::parse(full)?;
    let endian = elf.endian()?;
    let mut end = 0;
    for segment in elf.program_headers(endian, full)? {
        end = end.max(
            segment
                .p_offset(endian)
                .saturating_add(segment.p_filesz(endian)),
        );
    }
    let headers_end =
        elf.e_phoff(endian) + u64::from(elf.e_phentsize(endian)) * u64::from(elf.e_phnum(endian));
    let end = usize::try_from(end.max(headers_end))
        .unwrap_or(usize::MAX)
        .min(full.len());
    let mut out = full[..end].to_vec();

    let sections = elf.sections(endian, full)?;
    let mut names = vec![0];
    let mut headers = vec![0; HEADER];
    let mut count: u16 = 1;
    let table = usize::try_from(elf.e_shoff(endian)).unwrap_or(usize::MAX);
    for (index, section) in sections.iter().enumerate() {
        if section.sh_flags(endian) & u64::from(SHF_ALLOC) == 0 {
            continue;
        }
        let at = table.saturating_add(index * HEADER);
        let Some(header) = full.get(at..at.saturating_add(HEADER)) else {
            continue;
        };
        let mut header = header.to_vec();
        header[..4].copy_from_slice(&(names.len() as u32).to_le_bytes());
        if section.sh_type(endian) == SHT_NOBITS {
            header[SH_OFFSET..SH_OFFSET + 8].copy_from_slice(&(end as u64).to_le_bytes());
        }
        names.extend_from_slice(sections.section_name(endian, section)?);
        names.push(0);
        headers.extend_from_slice(&header);
        count += 1;
    }
    let own_name = names.len() as u32;
    names.extend_from_slice(b".shstrtab\0");
    let mut own = vec![0; HEADER];
    own[..4].copy_from_slice(&own_name.to_le_bytes());
    own[4..8].copy_from_slice(&SHT_STRTAB.to_le_bytes());
    own[SH_OFFSET..SH_OFFSET + 8].copy_from_slice(&(out.len() as u64).to_le_bytes());
    own[32..40].copy_from_slice(&(names.len() as u64).to_le_bytes());
    own[48..56].copy_from_slice(&1_u64.to_le_bytes());
    headers.extend_from_slice(&own);

    out.extend_from_slice(&names);
    out.resize(out.len().next_multiple_of(8), 0);
    let place = out.len() as u64;
    out.extend_from_slice(&headers);
    out[E_SHOFF..E_SHOFF + 8].copy_from_slice(&place.to_le_bytes());
    out[E_SHNUM..E_SHNUM + 2].copy_from_slice(&(count + 1).to_le_bytes());
    out[E_SHSTRNDX..E_SHSTRNDX + 2].copy_from_slice(&count.to_le_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use object::{Object, ObjectSection, ObjectSegment};

    use super::strip;

    #[test]
    fn keeps_what_is_loaded_and_nothing_else() {
        // Any ELF file will do: this test itself.
        let full = std::fs::read("/proc/self/exe").unwrap();
        let bare = strip(&full).unwrap();
        assert!(bare.len() < full.len());
        let (before, after) = (
            object::File::parse(&*full).unwrap(),
            object::File::parse(&*bare).unwrap(),
        );
        assert!(after.section_by_name(".symtab").is_none());
        assert!(after.section_by_name(".debug_line").is_none());
        let text = |file: &object::File<'_>| file.section_by_name(".text").unwrap().address();
        assert_eq!(text(&before), text(&after));
        for (old, new) in before.segments().zip(after.segments()) {
            assert_eq!(old.data().unwrap().len(), new.data().unwrap().len());
            // The first segment has the ELF header in it, which changes.
            if old.file_range().0 > 0 {
                assert_eq!(old.data().unwrap(), new.data().unwrap());
            }
        }
    }

    #[test]
    fn refuses_what_is_no_elf_file() {
        assert!(strip(b"no ELF").is_err());
    }
}
