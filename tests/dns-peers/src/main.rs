//! `dns-peers SEED FOLDER` writes the zones of a seed into a folder, to look at them.

#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use morgana_dns_peers::{VARIABLE, World, packages};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match &arguments[..] {
        [seed, folder] => match seed.parse() {
            Ok(seed) => write(seed, Path::new(folder)),
            Err(_) => Err(io::Error::other("the seed is no number")),
        },
        _ => Err(io::Error::other("usage: dns-peers SEED FOLDER")),
    };
    if let Err(error) = done {
        eprintln!("dns-peers: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn write(seed: u64, folder: &Path) -> io::Result<()> {
    let packages =
        packages().ok_or_else(|| io::Error::other(format!("{VARIABLE} names no folder")))?;
    fs::create_dir_all(folder)?;
    for zone in World::new(&packages, seed)?.zones() {
        fs::write(folder.join(format!("{}zone", zone.origin())), zone.text())?;
        println!("{} {:?}", zone.origin(), zone.signing());
    }
    Ok(())
}
