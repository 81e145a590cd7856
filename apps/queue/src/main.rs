//! A queue of jobs: the program. Its README has the words of the command line, and so has `--help` on Linux.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]
#![allow(async_fn_in_trait)]

#[cfg(target_os = "none")]
extern crate alloc;

#[cfg(target_os = "none")]
#[path = "domain.rs"]
mod program;
#[cfg(not(target_os = "none"))]
#[path = "linux.rs"]
mod program;

#[cfg(target_os = "none")]
morgana::main!(program::serve, help = queue::HELP);

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    program::main()
}
