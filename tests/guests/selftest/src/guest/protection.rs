//! W^X, the zero page, guard pages.

use alloc::boxed::Box;

use morgana_pv::{Protection, can_execute_data, can_read, can_write, protection};

use super::{Guest, Outcome, ensure};

pub(super) fn text(_: &Guest) -> Outcome {
    let address = text as *const () as usize;
    let found = protection(address);
    ensure!(found == Protection::ReadExecute, "{found:?}");
    ensure!(can_read(address), "cannot be read");
    ensure!(!can_write(address), "can be written");
    Ok(())
}

pub(super) fn constants(_: &Guest) -> Outcome {
    static CONSTANT: [u64; 4] = [1, 2, 3, 4];
    let address = CONSTANT.as_ptr() as usize;
    let found = protection(address);
    ensure!(found == Protection::Read, "{found:?}");
    ensure!(can_read(address), "cannot be read");
    ensure!(!can_write(address), "can be written");
    Ok(())
}

pub(super) fn data(_: &Guest) -> Outcome {
    let on_stack = 7_u64;
    let on_heap = Box::new(7_u64);
    let large = alloc::vec![0_u8; 100_000];
    for address in [
        (&raw const on_stack) as usize,
        (&raw const *on_heap) as usize,
        large.as_ptr() as usize,
    ] {
        let found = protection(address);
        ensure!(found == Protection::ReadWrite, "{address:#x}: {found:?}");
        ensure!(can_write(address), "{address:#x} cannot be written");
    }
    ensure!(!can_execute_data(), "data was executed");
    Ok(())
}

pub(super) fn zero_page(_: &Guest) -> Outcome {
    // All that is below the image, and addresses that no processor has.
    for address in [
        0,
        8,
        4096,
        0x1f_f000,
        0x3f_fff8,
        0x8000_0000_0000,
        usize::MAX - 7,
    ] {
        ensure!(!can_read(address), "{address:#x} can be read");
        ensure!(!can_write(address), "{address:#x} can be written");
    }
    ensure!(protection(0) == Protection::None, "page 0 is mapped");
    Ok(())
}

pub(super) fn guard(_: &Guest) -> Outcome {
    let here = 0_u64;
    let page = (&raw const here) as usize & !4095;
    // The stack has 128 KiB.
    let hole = (0..=32)
        .map(|index| page - index * 4096)
        .find(|&address| protection(address) == Protection::None);
    let Some(hole) = hole else {
        return Err("no unmapped page below the stack".into());
    };
    ensure!(
        !can_read(hole) && !can_write(hole),
        "the guard can be touched"
    );
    ensure!(
        protection(hole + 4096) == Protection::ReadWrite,
        "the page above the guard is no stack"
    );
    Ok(())
}

pub(super) fn nowhere_both(Guest { pv, .. }: &Guest) -> Outcome {
    let image = 0x40_0000;
    let end = image + (pv.pages() as usize + 2048) * 4096;
    for address in (0..end).step_by(4096) {
        ensure!(
            protection(address) != Protection::ReadWriteExecute,
            "{address:#x} can be written and executed"
        );
    }
    Ok(())
}
