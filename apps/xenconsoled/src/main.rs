//! The console daemon: the program. For Linux it is a daemon, whose options its README tells, or the helper of one that is a stub-domain; for
//! Xen it is that stub-domain.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

#[cfg(target_os = "none")]
extern crate alloc;

#[cfg(not(target_os = "none"))]
mod linux;
#[cfg(target_os = "none")]
mod stubdom;

/// Where a stub-domain offers its helper in domain 0 a vchan: in its home.
const LINK: &str = "data/consoles";

#[cfg(target_os = "none")]
morgana::main!(stubdom::serve);

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    linux::main()
}
