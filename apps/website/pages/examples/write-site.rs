//! Writes the site into a folder, to look at it with any web server: `write-site ROOT FOLDER`.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let [_, root, folder] = &env::args().collect::<Vec<_>>()[..] else {
        eprintln!("usage: write-site ROOT FOLDER");
        return ExitCode::FAILURE;
    };
    let set = match website_pages::build(Path::new(root)) {
        Ok(set) => set,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            return ExitCode::FAILURE;
        }
    };
    for (path, body) in set.files() {
        let file = match path.strip_suffix('/') {
            Some(folder) => format!("{folder}/index.html"),
            None => path.to_owned(),
        };
        if let Err(error) = write(&Path::new(folder).join(file.trim_start_matches('/')), body) {
            eprintln!("{path}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn write(file: &Path, body: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, body)
}
