//! Archives in the format ustar (POSIX.1-1988), of files and folders; what the guests read by `storage/tar`.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::SystemTime;

const BLOCK: usize = 512;

/// Packs what is in `folder`, in the order of names. Links are followed; what is neither file nor folder is left out.
pub(super) fn pack(folder: &Path, mut out: impl Write) -> io::Result<()> {
    add(folder, "", &mut out)?;
    // The end: two blocks of zeros.
    out.write_all(&[0; 2 * BLOCK])?;
    out.flush()
}

fn add(folder: &Path, below: &str, out: &mut impl Write) -> io::Result<()> {
    let mut names = Vec::new();
    for item in fs::read_dir(folder)? {
        let name = item?.file_name().into_string();
        names.push(name.map_err(|name| unfit(&name.to_string_lossy(), "a name is not UTF-8"))?);
    }
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let metadata = fs::metadata(&path)?;
        let seconds = metadata
            .modified()?
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |time| time.as_secs());
        let name = format!("{below}{name}");
        if metadata.is_dir() {
            let name = format!("{name}/");
            out.write_all(&header(&name, 0o755, 0, seconds, b'5')?)?;
            add(&path, &name, out)?;
        } else if metadata.is_file() {
            let bytes = fs::read(&path)?;
            out.write_all(&header(&name, 0o644, bytes.len() as u64, seconds, b'0')?)?;
            out.write_all(&bytes)?;
            let padding = bytes.len().next_multiple_of(BLOCK) - bytes.len();
            out.write_all(&[0; BLOCK][..padding])?;
        }
    }
    Ok(())
}

/// The header in front of a file or folder.
fn header(name: &str, mode: u32, size: u64, seconds: u64, kind: u8) -> io::Result<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    let (prefix, rest) = split(name).ok_or_else(|| unfit(name, "the path is too long"))?;
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, rest.as_bytes());
    put(100, format!("{mode:07o}").as_bytes());
    // Owner and group: root.
    put(108, b"0000000\x000000000\x00");
    if size >= 1 << 33 {
        return Err(unfit(name, "the file is too large"));
    }
    put(124, format!("{size:011o}").as_bytes());
    put(
        136,
        format!("{:011o}", seconds.min((1 << 33) - 1)).as_bytes(),
    );
    // The checksum is taken with spaces in its place.
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    put(345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

/// A path as the two fields have room for it: up to 155 bytes, and up to 100 behind a slash.
fn split(name: &str) -> Option<(&str, &str)> {
    const NAME: usize = 100;
    const PREFIX: usize = 155;
    if name.len() <= NAME {
        return Some(("", name));
    }
    name.match_indices('/')
        .map(|(at, _)| (&name[..at], &name[at + 1..]))
        .find(|(prefix, rest)| prefix.len() <= PREFIX && rest.len() <= NAME && !rest.is_empty())
}

fn unfit(name: &str, why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, format!("{name}: {why}"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::pack;

    /// GNU tar, which every Debian has, reads what we write.
    #[test]
    fn tar_reads_it() {
        let folder = std::env::temp_dir().join(format!("morgana-tar-{}", std::process::id()));
        let long = "l".repeat(90);
        let deep = folder.join("in").join(&long).join(&long);
        std::fs::create_dir_all(deep.parent().unwrap()).unwrap();
        std::fs::write(&deep, vec![b'x'; 1000]).unwrap();
        std::fs::write(folder.join("empty"), "").unwrap();
        let archive = folder.with_extension("tar");
        pack(&folder, std::fs::File::create(&archive).unwrap()).unwrap();
        let listed = Command::new("tar")
            .arg("-tf")
            .arg(&archive)
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert_eq!(
            listed,
            format!("empty\nin/\nin/{long}/\nin/{long}/{long}\n")
        );
        let compared = Command::new("tar")
            .arg("-xOf")
            .arg(&archive)
            .arg(format!("in/{long}/{long}"))
            .output()
            .unwrap();
        assert_eq!(compared.stdout, vec![b'x'; 1000]);
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::remove_file(&archive).unwrap();
    }
}
