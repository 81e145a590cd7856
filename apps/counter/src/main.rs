//! A counter, and who asks it: the program. Its README has the words of the command line, and so has `--help` on Linux.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

#[cfg(target_os = "none")]
extern crate alloc;

#[cfg(target_os = "none")]
#[path = "domain/mod.rs"]
mod program;
#[cfg(not(target_os = "none"))]
#[path = "linux.rs"]
mod program;

#[cfg(target_os = "none")]
morgana::main!(program::run, help = counter::HELP);

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    program::main()
}
