//! Images, made by hand.

use morgana_abi::elfnote;

/// Where the program headers are, and how long one is.
pub(crate) const TABLE: usize = 64;
pub(crate) const HEADER: usize = 56;

/// An image to be made.
#[derive(Clone)]
pub(crate) struct Elf {
    pub(crate) entry: u64,
    pub(crate) loads: Vec<Load>,
    pub(crate) notes: Vec<u8>,
}

/// A segment.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) physical: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) memory_size: u64,
}

/// A note of Xen's.
pub(crate) fn note(kind: u32, description: &[u8]) -> Vec<u8> {
    let mut note = Vec::new();
    for word in [4, description.len() as u32, kind] {
        note.extend(word.to_le_bytes());
    }
    note.extend(b"Xen\0");
    note.extend(description);
    note.resize(note.len().next_multiple_of(4), 0);
    note
}

impl Elf {
    /// A kernel of two segments at `virt_base`, with a hypercall page in the second page.
    pub(crate) fn at(virt_base: u64) -> Self {
        let number = |kind, value: u64| note(kind, &value.to_le_bytes());
        let text: Vec<u8> = (0..5000_u32).map(|index| index as u8).collect();
        Self {
            entry: virt_base + 0x10,
            loads: vec![
                Load {
                    physical: virt_base,
                    bytes: text,
                    memory_size: 0x2000,
                },
                Load {
                    physical: virt_base + 0x2400,
                    bytes: vec![7; 100],
                    memory_size: 0x3000,
                },
            ],
            notes: [
                note(elfnote::GUEST_OS, b"test\0"),
                note(elfnote::XEN_VERSION, b"xen-3.0\0"),
                note(elfnote::LOADER, b"generic\0"),
                note(elfnote::FEATURES, b"!writable_page_tables|other\0"),
                number(elfnote::VIRT_BASE, virt_base),
                number(elfnote::PADDR_OFFSET, virt_base),
                number(elfnote::ENTRY, virt_base + 0x10),
                number(elfnote::HYPERCALL_PAGE, virt_base + 0x1000),
            ]
            .concat(),
        }
    }

    /// The file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let count = self.loads.len() + 1;
        let mut file = vec![0; TABLE + count * HEADER];
        let put = |file: &mut Vec<u8>, at: usize, bytes: &[u8]| {
            file[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(&mut file, 0, b"\x7fELF\x02\x01\x01");
        put(&mut file, 16, &2_u16.to_le_bytes());
        put(&mut file, 18, &62_u16.to_le_bytes());
        put(&mut file, 20, &1_u32.to_le_bytes());
        put(&mut file, 24, &self.entry.to_le_bytes());
        put(&mut file, 32, &(TABLE as u64).to_le_bytes());
        put(&mut file, 52, &64_u16.to_le_bytes());
        put(&mut file, 54, &(HEADER as u16).to_le_bytes());
        put(&mut file, 56, &(count as u16).to_le_bytes());
        let notes = Load {
            physical: 0,
            bytes: self.notes.clone(),
            memory_size: self.notes.len() as u64,
        };
        let parts = self.loads.iter().map(|load| (1_u32, load));
        for (index, (kind, load)) in parts.chain([(4, &notes)]).enumerate() {
            let at = TABLE + index * HEADER;
            let offset = file.len() as u64;
            put(&mut file, at, &kind.to_le_bytes());
            for (field, value) in [
                (8, offset),
                (16, load.physical),
                (24, load.physical),
                (32, load.bytes.len() as u64),
                (40, load.memory_size),
            ] {
                put(&mut file, at + field, &value.to_le_bytes());
            }
            file.extend(&load.bytes);
        }
        file
    }
}
