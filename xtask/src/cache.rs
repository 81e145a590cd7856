//! The cache folder outside the checkout: what was fetched, unpacked and booted once.
//!
//! Every entry is a folder that is either whole or absent: it is made in a staging folder beside it and renamed. Two
//! runs at once are kept apart by a lock file.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::interrupt::{self, Guard};

/// The cache folder.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// `$XDG_CACHE_HOME/morgana`, or `~/.cache/morgana`; it is made when it is missing.
    pub(crate) fn open() -> Result<Cache> {
        let base = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
            (Some(cache), _) if Path::new(&cache).is_absolute() => PathBuf::from(cache),
            (_, Some(home)) if !home.is_empty() => PathBuf::from(home).join(".cache"),
            _ => bail!("no cache folder: set XDG_CACHE_HOME (to an absolute path) or HOME"),
        };
        let root = base.join("morgana");
        fs::create_dir_all(&root)
            .with_context(|| format!("cannot make the cache folder {}", root.display()))?;
        Ok(Cache { root })
    }

    /// The path of an entry; it need not exist.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A folder of the cache that is filled bit by bit and has no whole state, as the downloaded packages have none.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    /// Waits for, and takes, the lock called `name`. It is given back on drop, and by the kernel when the process dies.
    pub(crate) fn lock(&self, name: &str) -> Result<File> {
        let path = self.path(&format!("{name}.lock"));
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)
                .with_context(|| format!("cannot make {}", above.display()))?;
        }
        let file = File::create(&path)
            .with_context(|| format!("cannot make the lock file {}", path.display()))?;
        if file.try_lock().is_err() {
            eprintln!(
                "waiting for another run that prepares the same thing ({})",
                path.display()
            );
            file.lock()
                .with_context(|| format!("cannot lock {}", path.display()))?;
        }
        Ok(file)
    }

    /// The folder `name`, made by `fill` when it is missing. `fill` is given an empty staging folder.
    pub(crate) fn entry(
        &self,
        name: &str,
        fill: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let path = self.path(name);
        if path.is_dir() {
            return Ok(path);
        }
        let _lock = self.lock(name)?;
        if path.is_dir() {
            return Ok(path);
        }
        let stage = Stage::new(self.path(&format!("{name}.part")))?;
        fill(&stage.path)?;
        fs::rename(&stage.path, &path)
            .with_context(|| format!("cannot move {} into its place", stage.path.display()))?;
        Ok(path)
    }
}

/// A staging folder, removed again if its owner fails or is interrupted before it is moved away.
struct Stage {
    path: PathBuf,
    _removal: Guard,
}

impl Stage {
    fn new(path: PathBuf) -> Result<Stage> {
        if path.exists() {
            fs::remove_dir_all(&path)
                .with_context(|| format!("cannot remove what is left at {}", path.display()))?;
        }
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        let doomed = path.clone();
        let removal = interrupt::on_exit(move || {
            if doomed.exists() {
                let _ = fs::remove_dir_all(&doomed);
            }
        });
        Ok(Stage {
            path,
            _removal: removal,
        })
    }
}

/// A short name for some content: 16 hexadecimal digits.
///
/// The hash need not be the same in two versions of the standard library: an entry under the old name is then made anew.
pub(crate) fn key(parts: &[&[u8]]) -> String {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        part.hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn keys_tell_parts_apart() {
        assert_ne!(key(&[b"ab", b"c"]), key(&[b"a", b"bc"]));
        assert_eq!(key(&[b"ab"]), key(&[b"ab"]));
        assert_eq!(key(&[]).len(), 16);
    }
}
