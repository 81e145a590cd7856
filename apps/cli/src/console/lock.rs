//! One console at a time: two that read the same terminal would each see a part.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use morgana_hal::DomId;

use crate::failure::Failure;

/// Where `xl console` has its locks, so that the two respect each other.
const LOCKS: &str = "/var/lock";

/// Held as long as the console is in use.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    pub(super) fn take(domain: DomId) -> Result<Self, Failure> {
        Self::take_in(Path::new(LOCKS), domain)
    }

    fn take_in(folder: &Path, domain: DomId) -> Result<Self, Failure> {
        let path = folder.join(format!("xenconsole.{}", domain.number()));
        let wrong = |error| Failure::Failed(format!("{}: {error}", path.display()));
        loop {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            let file = options.mode(0o600).open(&path).map_err(wrong)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Failure::Failed(format!(
                        "somebody else has the console of domain {}",
                        domain.number()
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(wrong(error)),
            }
            // Whoever had it may have removed it in between; then another one may lock a new file of this name.
            let ours = file.metadata().map_err(wrong)?.ino();
            if fs::metadata(&path).is_ok_and(|found| found.ino() == ours) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // It is locked still, so it is this one's. A file that stays is no harm.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_at_a_time() {
        let folder = std::env::temp_dir().join(format!("morgana-console-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (seven, eight) = (DomId::new(7), DomId::new(8));
        let lock = Lock::take_in(&folder, seven).unwrap();
        let other = Lock::take_in(&folder, seven).unwrap_err();
        assert_eq!(
            other.to_string(),
            "somebody else has the console of domain 7"
        );
        drop(Lock::take_in(&folder, eight).unwrap());
        drop(lock);
        drop(Lock::take_in(&folder, seven).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::remove_dir(&folder).unwrap();
        assert!(Lock::take_in(&folder, seven).is_err());
    }
}
