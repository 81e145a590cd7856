//! The program from its start to its end.

use std::process::ExitCode;

use morgana_sockets::{Host, run};

use crate::{Arguments, Program, lines};

/// Runs `serve` on what the program's arguments say, or tells how it is used. What `serve` says is wrong is the program's last line.
pub fn main<F>(program: &Program, serve: impl FnOnce(Host, Arguments) -> F + 'static) -> ExitCode
where
    F: Future<Output = Result<(), String>> + 'static,
{
    let fail = |why: &str| {
        eprintln!("{}: {why}", program.name);
        ExitCode::FAILURE
    };
    let arguments = match Arguments::parse(program.disks, std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", program.help());
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&error),
    };
    lines::start(program.name);
    match run(|host| serve(host, arguments)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&error),
        Err(error) => fail(&error.to_string()),
    }
}
