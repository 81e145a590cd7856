//! Images that are wrong, each in one way.

use crate::support::{Elf, note};
use morgana_abi::elfnote;
use morgana_builder::{Image, Problem};

const BASE: u64 = 0x40_0000;

fn refused(bytes: Vec<u8>) -> (Problem, u64) {
    let error = Image::parse(bytes).unwrap_err();
    (error.problem, error.offset)
}

fn changed(change: impl FnOnce(&mut Elf)) -> Vec<u8> {
    let mut elf = Elf::at(BASE);
    change(&mut elf);
    elf.bytes()
}

fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = Elf::at(BASE).bytes();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

fn number(kind: u32, value: u64) -> Vec<u8> {
    note(kind, &value.to_le_bytes())
}

#[test]
fn headers() {
    assert_eq!(refused(vec![]), (Problem::Truncated, 0));
    assert_eq!(refused(b"\x1f\x8b\x08\0".to_vec()), (Problem::NotElf, 0));
    assert_eq!(refused(patched(4, &[1])), (Problem::Not64Bit, 4));
    assert_eq!(refused(patched(5, &[2])), (Problem::Not64Bit, 4));
    assert_eq!(refused(patched(16, &[3])), (Problem::NotExecutable, 16));
    assert_eq!(refused(patched(18, &[183])), (Problem::OtherMachine, 18));
    assert_eq!(refused(patched(54, &[32])), (Problem::BadHeaderSize, 54));
    assert_eq!(refused(patched(56, &[65])), (Problem::TooManyHeaders, 56));
    let far = refused(patched(32, &u64::MAX.to_le_bytes()));
    assert_eq!(far.0, Problem::Truncated);
}

#[test]
fn segments() {
    // The second program header, and its fields.
    const AT: usize = 64 + 56;
    let at = AT as u64;
    let outside = patched(AT + 8, &0x10_0000_u64.to_le_bytes());
    assert_eq!(refused(outside), (Problem::SegmentOutsideFile, at));
    let wrapped = patched(AT + 8, &u64::MAX.to_le_bytes());
    assert_eq!(refused(wrapped), (Problem::SegmentOutsideFile, at));
    let small = patched(AT + 40, &10_u64.to_le_bytes());
    assert_eq!(refused(small), (Problem::SegmentSizes, at));
    let below = changed(|elf| elf.loads[1].physical = BASE - 1);
    assert_eq!(refused(below), (Problem::SegmentPlace, at));
    let huge = changed(|elf| elf.loads[1].memory_size = u64::MAX);
    assert_eq!(refused(huge), (Problem::SegmentPlace, at));
    let nothing = changed(|elf| elf.loads.clear());
    assert_eq!(refused(nothing).0, Problem::NothingToLoad);
}

#[test]
fn notes() {
    let more = |note: Vec<u8>| refused(changed(|elf| elf.notes.extend(note))).0;
    assert_eq!(
        more(note(elfnote::XEN_VERSION, b"xen-4.0\0")),
        Problem::OtherXen
    );
    assert_eq!(more(note(elfnote::LOADER, b"own")), Problem::OtherLoader);
    assert_eq!(
        more(note(elfnote::FEATURES, b"!dom0")),
        Problem::MissingFeature
    );
    assert_eq!(more(note(elfnote::ENTRY, b"123")), Problem::BrokenNote);
    assert_eq!(
        more(number(elfnote::ENTRY, BASE - 1)),
        Problem::EntryOutside
    );
    assert_eq!(
        more(number(elfnote::HYPERCALL_PAGE, BASE + 1)),
        Problem::HypercallPage
    );
    assert_eq!(
        more(number(elfnote::HYPERCALL_PAGE, 0)),
        Problem::HypercallPage
    );
    for base in [
        0x40_0001,
        1 << 47,
        0xffff_8000_0000_0000,
        0xffff_87ff_ffff_f000,
    ] {
        assert_eq!(
            more(number(elfnote::VIRT_BASE, base)),
            Problem::AddressSpace
        );
    }
    let torn = changed(|elf| elf.notes.truncate(elf.notes.len() - 4));
    assert_eq!(refused(torn).0, Problem::BrokenNote);
    assert_eq!(
        refused(changed(|elf| elf.notes.clear())).0,
        Problem::NoNotes
    );
    let others = changed(|elf| elf.notes = b"\x04\0\0\0\x01\0\0\0\x01\0\0\0GNU\0a\0\0\0".to_vec());
    assert_eq!(refused(others).0, Problem::NoNotes);
}

#[test]
fn an_image_reaches_to_the_end_of_the_address_space_and_no_further() {
    let high = u64::MAX - 0x5fff;
    let image = Image::parse(Elf::at(high).bytes()).unwrap();
    let error = morgana_builder::Layout::new(&image, 4096).unwrap_err();
    assert_eq!(error, morgana_builder::LayoutError::AddressSpace);
    assert_eq!(
        refused(Elf::at(high + 0x1000).bytes()).0,
        Problem::AddressSpace
    );
    assert_eq!(
        refused(Elf::at((1 << 47) - 0x1000).bytes()).0,
        Problem::AddressSpace
    );
}

/// A 32-bit number in a note is a number, too, and what is not said has a default.
#[test]
fn short_numbers_and_defaults() {
    let bytes = changed(|elf| {
        elf.notes = note(elfnote::VIRT_BASE, &(BASE as u32).to_le_bytes());
        elf.loads.iter_mut().for_each(|load| load.physical -= BASE);
    });
    let image = Image::parse(bytes).unwrap();
    assert_eq!(image.virt_base(), BASE);
    assert_eq!(image.entry(), BASE + 0x10);
    assert_eq!(image.hypercall_page(), None);
}
