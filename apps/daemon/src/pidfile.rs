//! The file with the daemon's process id.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// Locks the file for as long as the value lives, and writes the process id into it.
///
/// # Errors
///
/// Those of the file; `WouldBlock` if another daemon has locked it.
pub fn write(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_daemon_has_it_at_a_time() {
        let folder = std::env::temp_dir().join(format!("morgana-pid-{}", std::process::id()));
        let path = folder.join("pid");
        let first = write(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{}\n", std::process::id()));
        assert_eq!(write(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(first);
        write(&path).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}
