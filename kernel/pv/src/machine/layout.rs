//! Where the linker script (`targets/xen.ld`) put things.

use core::ops::Range;

macro_rules! symbols {
    ($($(#[$doc:meta])* $name:ident = $symbol:ident;)*) => {
        unsafe extern "C" {
            $(static $symbol: u8;)*
        }
        $(
            $(#[$doc])*
            fn $name() -> usize {
                &raw const $symbol as usize
            }
        )*
    };
}

symbols! {
    image_start = __image_start;
    text_end = __text_end;
    rodata_end = __rodata_end;
    stack_guard_start = __stack_guard;
    stack_bottom = __stack_bottom;
    stack_top = __stack_top;
    fault_stack_guard_start = __fault_stack_guard;
    fault_stack_bottom = __fault_stack_bottom;
}

/// Where pseudo-physical page 0 is mapped. Below it nothing ever is.
pub(super) fn virt_base() -> usize {
    // The image begins at VIRT_BASE.
    image_start()
}

/// Code, and the hypercall page.
pub(super) fn text() -> Range<usize> {
    image_start()..text_end()
}

/// Constants.
pub(super) fn rodata() -> Range<usize> {
    text_end()..rodata_end()
}

/// The stack that everything runs on.
pub(super) fn stack() -> Range<usize> {
    stack_bottom()..stack_top()
}

/// Whether a page is one of those that stay unmapped below a stack.
pub(super) fn is_guard(address: usize) -> bool {
    (stack_guard_start()..stack_bottom()).contains(&address)
        || (fault_stack_guard_start()..fault_stack_bottom()).contains(&address)
}
