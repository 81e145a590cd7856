//! Domains as their guests would see them: by the page tables that they are given.

use core::mem::offset_of;
use std::collections::BTreeMap;

use crate::support::{Call, Elf, Xen};
use morgana_abi::start_info::{ConsoleDomU, StartInfo};
use morgana_builder::{BuildError, Image, Layout, LayoutError, Step, Wanted, set_command_line};
use morgana_hal::{DomId, Mfn, Pfn, Port, Start, ToolstackError};

const MIB: u64 = 256;
const COMMAND_LINE: &[u8] = b"seconds=1 ip=dhcp";

fn wanted(pages: u64) -> Wanted<'static> {
    Wanted {
        handle: [1; 16],
        pages,
        max_port: Port::new(1023),
        command_line: COMMAND_LINE,
        xenstored: DomId::new(3),
        xenconsoled: DomId::DOM0,
    }
}

/// A domain that was built, as its processor finds it.
struct Guest {
    xen: Xen,
    start: Start,
    memory: BTreeMap<u64, Vec<u8>>,
}

impl Guest {
    fn build(image: &Image, pages: u64) -> Self {
        let xen = Xen::default();
        let (_, domain) = image.build(&xen, &wanted(pages)).unwrap();
        domain.keep();
        let calls = xen.calls.borrow().clone();
        let start = calls.iter().find_map(|call| match call {
            Call::StartAt(start) => Some(*start),
            _ => None,
        });
        Self {
            start: start.unwrap(),
            memory: xen.memory(),
            xen,
        }
    }

    /// The entry of a virtual address, and the frame that it names: a walk of four levels (Intel SDM vol. 3, 4.5).
    fn walk(&self, address: u64) -> Option<(u64, Mfn)> {
        let mut table = self.start.root.number();
        let mut entry = 0;
        for shift in [39, 30, 21, 12] {
            let index = (address >> shift & 511) as usize;
            let page = self.memory.get(&table)?;
            entry = u64::from_le_bytes(page[index * 8..index * 8 + 8].try_into().unwrap());
            if entry & 1 == 0 {
                return None;
            }
            table = entry >> 12 & 0xff_ffff_ffff;
        }
        Some((entry, Mfn::new(table)))
    }

    fn read(&self, address: u64, len: usize) -> Vec<u8> {
        let addresses = address..address + len as u64;
        let byte = |at: u64| self.memory[&self.walk(at).unwrap().1.number()][at as usize & 0xfff];
        addresses.map(byte).collect()
    }

    fn number(&self, address: u64) -> u64 {
        u64::from_le_bytes(self.read(address, 8).try_into().unwrap())
    }

    fn told(&self, field: usize) -> u64 {
        self.number(self.start.argument + field as u64)
    }
}

#[test]
fn a_guest_finds_all_that_it_is_promised() {
    for virt_base in [0, 0x40_0000, 0x7f_ffe0_0000, 0xffff_ffff_8000_0000] {
        let image = Image::parse(Elf::at(virt_base).bytes()).unwrap();
        let pages = 16 * MIB;
        let guest = Guest::build(&image, pages);
        let frames = guest.xen.frames();
        let layout = Layout::new(&image, pages).unwrap();

        // The region is mapped in a row, ends at a multiple of 4 MiB, and nothing else is mapped.
        let region = layout.mapped * 4096;
        assert_eq!(virt_base.wrapping_add(region) % (4 << 20), 0);
        for page in 0..layout.mapped {
            let (entry, frame) = guest.walk(virt_base + page * 4096).unwrap();
            assert_eq!(frame, frames[page as usize]);
            let is_table = layout.tables.contains(&page);
            assert_eq!(entry & 2 == 0, is_table, "only tables are read-only");
            assert_eq!(entry & 0xf80, 0, "no flag that Xen does not take");
        }
        assert!(guest.walk(virt_base.wrapping_add(region)).is_none());
        if virt_base > 0 {
            assert!(guest.walk(virt_base - 1).is_none());
        }

        // The image.
        assert_eq!(guest.start.entry, virt_base + 0x10);
        let elf = Elf::at(virt_base);
        assert_eq!(guest.read(virt_base, 5000), elf.loads[0].bytes);
        assert_eq!(
            guest.read(virt_base + 5000, 0x2000 - 5000),
            [0; 0x2000 - 5000]
        );
        assert_eq!(guest.read(virt_base + 0x2400, 100), [7; 100]);
        assert_eq!(guest.read(virt_base + 0x2400 + 100, 0x2f00), [0; 0x2f00]);

        // What it is told.
        assert_eq!(guest.read(guest.start.argument, 15), b"xen-3.0-x86_64\0");
        assert_eq!(guest.told(offset_of!(StartInfo, nr_pages)), pages);
        assert_eq!(guest.told(offset_of!(StartInfo, shared_info)), 0x99 << 12);
        assert_eq!(guest.told(offset_of!(StartInfo, mod_len)), 0);
        let cmd_line = guest.start.argument + offset_of!(StartInfo, cmd_line) as u64;
        let line = guest.read(cmd_line, COMMAND_LINE.len() + 1);
        assert_eq!(line, [COMMAND_LINE, b"\0"].concat());

        // The list of frames.
        let list = guest.told(offset_of!(StartInfo, mfn_list));
        for page in [0, 1, 511, 512, pages - 1] {
            let frame = frames[page as usize].number();
            assert_eq!(guest.number(list + page * 8), frame);
        }

        // The rings, which are empty, and whose frames are told.
        let console = offset_of!(StartInfo, console) + offset_of!(ConsoleDomU, mfn);
        for (field, page) in [
            (offset_of!(StartInfo, store_mfn), layout.xenstore),
            (console, layout.console),
        ] {
            let frame = frames[page.number() as usize];
            assert_eq!(guest.told(field), frame.number());
            assert_eq!(guest.read(layout.address(page), 4096), [0; 4096]);
        }
        let port = guest.told(offset_of!(StartInfo, store_evtchn)) as u32;
        assert_eq!(port, 1);

        // Tables and stack.
        let tables = guest.told(offset_of!(StartInfo, pt_base));
        assert_eq!(guest.walk(tables).unwrap().1, guest.start.root);
        let count = guest.told(offset_of!(StartInfo, nr_pt_frames));
        assert_eq!(count, layout.tables.end - layout.tables.start);
        assert_eq!(guest.start.stack, tables + count * 4096 + 4096);
        assert!(guest.walk(guest.start.stack - 8).is_some());
        assert!(virt_base + (region - 1) - guest.start.stack >= 512 * 1024 - 1);
    }
}

#[test]
fn the_steps_come_in_order() {
    let image = Image::parse(Elf::at(0x40_0000).bytes()).unwrap();
    let guest = Guest::build(&image, 8 * MIB);
    let layout = Layout::new(&image, 8 * MIB).unwrap();
    let frames = guest.xen.frames();
    let frame = |page: Pfn| frames[page.number() as usize];
    let calls = guest.xen.calls.borrow();
    let root = frame(Pfn::new(layout.tables.start));
    let grant = |reference, peer, page| {
        Call::Grant(morgana_hal::GrantRef::new(reference), peer, frame(page))
    };
    assert_eq!(
        calls[..],
        [
            Call::Create,
            Call::Populate,
            Call::Listen(DomId::new(3)),
            Call::Listen(DomId::DOM0),
            Call::Map,
            Call::HypercallPage(frames[1]),
            Call::Pin(root),
            Call::Map,
            grant(0, DomId::DOM0, layout.console),
            grant(1, DomId::new(3), layout.xenstore),
            Call::StartAt(guest.start),
        ]
    );
    // No processor is called before it says so.
    let shared = &guest.memory[&0x99];
    assert!((0..32).all(|vcpu| shared[vcpu * 64 + 1] == 1));
}

#[test]
fn whatever_fails_nothing_is_left() {
    let image = Image::parse(Elf::at(0).bytes()).unwrap();
    let all = Guest::build(&image, 8 * MIB).xen.calls.borrow().len() as u32;
    for left in 0..all {
        let xen = Xen::default();
        xen.left.set(Some(left));
        let error = image.build(&xen, &wanted(8 * MIB)).unwrap_err();
        assert!(matches!(
            error,
            BuildError::Step(_, ToolstackError::Refused(-1))
        ));
        let calls = xen.calls.borrow();
        let is_made = calls.contains(&Call::Create);
        let is_ended = calls.last() == Some(&Call::Destroy);
        assert_eq!(is_made, is_ended, "{error}");
        assert_eq!(
            left == 0,
            error == BuildError::Step(Step::Create, ToolstackError::Refused(-1))
        );
    }
}

#[test]
fn a_guard_that_is_dropped_ends_the_domain() {
    let image = Image::parse(Elf::at(0).bytes()).unwrap();
    let xen = Xen::default();
    drop(image.build(&xen, &wanted(8 * MIB)).unwrap());
    assert_eq!(xen.calls.borrow().last(), Some(&Call::Destroy));
}

#[test]
fn what_does_not_fit_is_not_tried() {
    let image = Image::parse(Elf::at(0).bytes()).unwrap();
    let xen = Xen::default();
    let error = image.build(&xen, &wanted(MIB)).unwrap_err();
    let small = LayoutError::TooSmall { needed: 4 * MIB };
    assert_eq!(error, BuildError::Layout(small));
    assert_eq!(
        error.to_string(),
        "the domain needs 4 MiB of memory at least"
    );
    assert!(xen.calls.borrow().is_empty());
    let large = Layout::new(&image, u64::MAX).unwrap_err();
    assert_eq!(large, LayoutError::TooLarge);

    for line in [&[b'a'; 1024][..], b"a\0b"] {
        let wanted = Wanted {
            command_line: line,
            ..wanted(8 * MIB)
        };
        let error = image.build(&xen, &wanted).unwrap_err();
        assert_eq!(error, BuildError::CommandLine);
    }
    assert!(xen.calls.borrow().is_empty());
}

/// What a domain that was built ahead is told at last.
#[test]
fn a_command_line_is_replaced_whole() {
    let image = Image::parse(Elf::at(0x40_0000).bytes()).unwrap();
    let xen = Xen::default();
    let (built, domain) = image.build(&xen, &wanted(8 * MIB)).unwrap();
    domain.keep();
    let before = xen.memory()[&built.start_info_frame.number()].clone();
    set_command_line(&xen, built.domain, built.start_info_frame, b"short").unwrap();
    let after = xen.memory()[&built.start_info_frame.number()].clone();
    let at = offset_of!(StartInfo, cmd_line);
    assert_eq!(
        &after[at..at + COMMAND_LINE.len()],
        b"short\0\0\0\0\0\0\0\0\0\0\0\0"
    );
    assert_eq!(
        (&before[..at], &before[at + 1024..]),
        (&after[..at], &after[at + 1024..])
    );
    let long = set_command_line(&xen, built.domain, built.start_info_frame, &[b'a'; 1024]);
    assert_eq!(long, Err(BuildError::CommandLine));
}

/// One image, two domains: the second is like the first.
#[test]
fn an_image_is_built_more_than_once() {
    let image = Image::parse(Elf::at(0x40_0000).bytes()).unwrap();
    let first = Guest::build(&image, 8 * MIB).memory;
    assert_eq!(Guest::build(&image, 8 * MIB).memory, first);
}

/// The larger the memory, the longer the list and the more tables; each grows into the other's place.
#[test]
fn any_memory_has_a_layout() {
    let image = Image::parse(Elf::at(0x40_0000).bytes()).unwrap();
    for pages in (4..4096).map(|mebibytes| mebibytes * MIB).chain([1 << 32]) {
        let layout = Layout::new(&image, pages).unwrap();
        assert!(layout.mapped <= pages);
        assert_eq!(layout.p2m.end - layout.p2m.start, pages.div_ceil(512));
        let free = layout.mapped - layout.stack.number() - 1;
        assert!((128..128 + 1024).contains(&free), "{layout:?}");
        assert!(
            layout.tables.end - layout.tables.start
                <= 4 + layout.mapped / 512 + layout.mapped / 512 / 512
        );
    }
}
