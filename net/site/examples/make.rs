//! Makes a site of a folder and writes it into another, to look at it with any web server: `make FOLDER OUT [https://HOST]`.
//!
//! In the folder are `pages` and `posts`, and in `theme`, if there is one, files to be put in the places of the built-in ones.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use morgana_site::{BaseUrl, Drafts, Fault, Kind, Problem, Settings, Sources, Theme, Value};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (folder, out, base) = match &arguments[..] {
        [folder, out] => (folder, out, "http://127.0.0.1"),
        [folder, out, base] => (folder, out, base.as_str()),
        _ => {
            eprintln!("usage: make FOLDER OUT [https://HOST]");
            return ExitCode::FAILURE;
        }
    };
    match make(Path::new(folder), Path::new(out), base) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            ExitCode::FAILURE
        }
    }
}

fn make(folder: &Path, out: &Path, base: &str) -> Result<(), Vec<Problem>> {
    let one = |problem| vec![problem];
    let told = |file: &str, why: String| vec![Problem::of_file(file, Fault::Template(why))];
    let base = BaseUrl::new(base).map_err(|error| told("base", error.to_string()))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut sources = Sources::new(Settings {
        drafts: Drafts::Shown,
        ..Settings::new(&name, base)
    });
    sources
        .folder(folder, "pages", "/", Kind::Page)
        .map_err(one)?;
    if folder.join("posts").is_dir() {
        sources
            .folder(folder, "posts", "/blog/", Kind::Post)
            .map_err(one)?;
    }
    let theme = match folder.join("theme") {
        own if own.is_dir() => Theme::default().with_folder(&own).map_err(one)?,
        _ => Theme::default(),
    };
    let set = sources.read()?.render(&theme, |_| Value::from(()))?;
    for (path, body) in set.files() {
        write(out, path, body).map_err(|error| told(path, error.to_string()))?;
    }
    Ok(())
}

fn write(out: &Path, path: &str, body: &[u8]) -> io::Result<()> {
    let mut file = out.join(path.trim_start_matches('/'));
    if path.ends_with('/') {
        file = file.join("index.html");
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, body)
}
