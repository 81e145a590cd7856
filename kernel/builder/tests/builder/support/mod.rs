//! What the tests build, and where.

mod elf;
mod xen;

pub(crate) use elf::{Elf, note};
pub(crate) use xen::{Call, Xen};
