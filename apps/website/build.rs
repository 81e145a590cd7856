//! Renders the project's documents into the pages that the program serves.

use std::env;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let Some(out) = env::var_os("OUT_DIR") else {
        println!("cargo::error=this is a build script: cargo runs it");
        return ExitCode::FAILURE;
    };
    let mut set = match website_pages::build(&root) {
        Ok(set) => set,
        Err(problems) => {
            for problem in problems {
                println!("cargo::error={problem}");
            }
            return ExitCode::FAILURE;
        }
    };
    let written = set
        .date_from_environment()
        .and_then(|()| set.write("PAGES", Path::new(&out)));
    if let Err(error) = written {
        println!("cargo::error={error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
