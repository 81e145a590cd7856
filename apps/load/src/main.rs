//! A load generator for HTTP: the program.

#![forbid(unsafe_code)]

mod arguments;
mod connection;
mod counts;
mod plan;
mod report;
mod schedule;
mod target;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match start(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::from(2)
        }
    }
}

fn start(arguments: &arguments::Arguments) -> Result<ExitCode, String> {
    let plan = plan::Plan::new(arguments)?;
    let allowed = arguments.allow_errors;
    let total = morgana_sockets::run(|host| connection::run(host, plan));
    let total = total.map_err(|error| format!("cannot start: {error}"))??;
    Ok(match total.errors() {
        1.. if !allowed => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}
