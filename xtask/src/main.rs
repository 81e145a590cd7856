#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod autoscale;
mod bench;
mod build;
mod cache;
mod check;
mod cli;
mod doc;
mod dom0;
mod hold;
mod interrupt;
mod machines;
mod process;
mod progress;
mod run;
mod size;
mod symbolize;
mod test;
mod testbed;
mod workspace;

use std::ffi::OsString;

use clap::Parser;
use clap::error::ErrorKind;

use cli::{Cli, Task};

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let [_, first, rest @ ..] = &arguments[..]
        && first == hold::HOLD
    {
        finish(hold::become_program(rest).map(|()| 0));
    }
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            error.exit()
        }
        Err(error) => {
            eprintln!("{}", cli::complaint(&error));
            std::process::exit(2);
        }
    };
    finish(interrupt::listen().and_then(|()| perform(&cli.command)));
}

fn perform(task: &Task) -> anyhow::Result<i32> {
    match task {
        Task::Build(arguments) => build::run(arguments),
        Task::Run(arguments) => run::run(arguments),
        Task::Test(arguments) => test::run(arguments),
        Task::Bench(arguments) => bench::run(arguments),
        Task::Check => check::run(),
        Task::Doc => doc::run(),
        Task::Size(arguments) => size::run(arguments),
        Task::Symbolize(arguments) => symbolize::run(arguments),
        Task::Dom0(arguments) => dom0::run(arguments),
    }
}

/// Ends the process; what is registered for its end is done first.
fn finish(result: anyhow::Result<i32>) -> ! {
    interrupt::yield_to_signal();
    let status = result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        1
    });
    interrupt::exit(status)
}
