//! A command line tool for xenstore. Its README tells what it does; `xs --help` has examples.

#![forbid(unsafe_code)]

mod base64;
mod cli;
mod commands;
mod dump;
mod escape;
mod failure;
mod json;
mod natural;
mod output;
mod paint;
mod path;
mod permissions;
mod picture;
mod session;
mod walk;
mod watching;
mod words;

use std::process::ExitCode;

fn main() -> ExitCode {
    morgana_command::start(session::run)
}
