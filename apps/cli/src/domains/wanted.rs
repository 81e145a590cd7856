//! What is wanted, as files say it.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

use morgana_builder::Image;
use morgana_toolstack::Config;

use crate::failure::Failure;

/// The largest kernel that is read, in bytes.
const LARGEST_KERNEL: u64 = 1 << 30;
/// The largest configuration.
const LARGEST_CONFIG: u64 = 1 << 20;

/// A domain that is wanted, and the files that say so.
pub(crate) struct Wanted {
    pub(crate) config: Config,
    kernel: Vec<u8>,
    /// The same for the same files.
    pub(crate) kind: String,
}

impl Wanted {
    /// Reads a configuration and the kernel that it names.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = read(path, LARGEST_CONFIG)?;
        let text = String::from_utf8(text)
            .map_err(|_| Failure::Failed(format!("{}: it is no UTF-8 text", path.display())))?;
        let config = Config::parse(&text)
            .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
        let kernel = read(Path::new(&config.kernel), LARGEST_KERNEL)?;
        let mut hasher = DefaultHasher::new();
        (&text, &kernel).hash(&mut hasher);
        Ok(Self {
            kind: format!("{:016x}", hasher.finish()),
            config,
            kernel,
        })
    }

    /// The kernel, understood.
    pub(crate) fn image(&self) -> Result<Image, Failure> {
        let kernel = self.kernel.clone();
        Image::parse(kernel)
            .map_err(|error| Failure::Failed(format!("{}: {error}", self.config.kernel)))
    }
}

fn read(path: &Path, largest: u64) -> Result<Vec<u8>, Failure> {
    let wrong = |error: io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    let len = fs::metadata(path).map_err(wrong)?.len();
    if len > largest {
        return Err(Failure::Failed(format!(
            "{}: it has more than {} MiB",
            path.display(),
            largest >> 20
        )));
    }
    fs::read(path).map_err(wrong)
}
