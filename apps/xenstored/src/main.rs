//! The xenstore daemon: the program. For Linux it is a daemon, whose options its README tells; for Xen a stub-domain.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod arguments;
#[cfg(not(target_os = "none"))]
mod linux;
mod serving;
#[cfg(target_os = "none")]
mod stubdom;

#[cfg(target_os = "none")]
morgana::main!(stubdom::serve);

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    linux::main()
}
