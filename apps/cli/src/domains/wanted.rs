//! What is wanted, as files say it.

use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use morgana_builder::Image;
use morgana_toolstack::Config;

use crate::failure::Failure;

/// The largest kernel, packed or not, in bytes.
const LARGEST_KERNEL: u64 = 256 << 20;
/// The largest configuration.
const LARGEST_CONFIG: u64 = 1 << 20;

/// A domain that is wanted, and the files that say so.
pub(crate) struct Wanted {
    config: Config,
    kernel: Vec<u8>,
    kind: String,
}

/// From where the paths in a configuration go that are not absolute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Base {
    /// In the language of xl the current folder, as xl has it; in TOML the configuration's.
    ByLanguage,
    /// The configuration's folder.
    Configuration,
}

impl Wanted {
    /// Reads a configuration and the kernel that it names.
    pub(crate) fn read(path: &Path, base: Base) -> Result<Self, Failure> {
        let (mut config, text) = read_config(path)?;
        let folder = match base == Base::Configuration || is_toml(path) {
            true => path.parent().unwrap_or(Path::new("")),
            false => Path::new(""),
        };
        config.kernel = from(folder, &config.kernel);
        for disk in config
            .disks
            .iter_mut()
            .filter(|disk| disk.backend.is_none())
        {
            // Others read it, in whatever folder they are.
            let target = std::path::absolute(from(folder, &disk.target)).map_err(Failure::of)?;
            disk.target = target.to_string_lossy().into_owned();
        }
        let kernel = unpacked(read(Path::new(&config.kernel), LARGEST_KERNEL)?)
            .map_err(|why| Failure::Failed(format!("{}: {why}", config.kernel)))?;
        let mut hasher = DefaultHasher::new();
        (&text, &kernel).hash(&mut hasher);
        Ok(Self {
            kind: format!("{:016x}", hasher.finish()),
            config,
            kernel,
        })
    }

    /// With the image understood.
    pub(crate) fn understood(self) -> Result<Understood, Failure> {
        let image = Image::parse(self.kernel)
            .map_err(|error| Failure::Failed(format!("{}: {error}", self.config.kernel)))?;
        Ok(Understood {
            config: self.config,
            image,
            kind: self.kind,
        })
    }
}

/// A domain that is wanted, whose image was understood.
pub(crate) struct Understood {
    pub(crate) config: Config,
    pub(crate) image: Image,
    /// The same for the same files.
    pub(crate) kind: String,
}

/// A configuration, and its text.
pub(crate) fn read_config(path: &Path) -> Result<(Config, String), Failure> {
    let wrong = |why: &dyn fmt::Display| Failure::Failed(format!("{}: {why}", path.display()));
    let text = String::from_utf8(read(path, LARGEST_CONFIG)?);
    let text = text.map_err(|_| wrong(&"it is no UTF-8 text"))?;
    let config = match is_toml(path) {
        true => Config::parse_toml(&text),
        false => Config::parse(&text),
    };
    let config = config.map_err(|error| wrong(&error))?;
    Ok((config, text))
}

/// Whether a file's name says that it is in TOML.
fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "toml")
}

/// A path that goes from a folder on if it is not absolute.
fn from(folder: &Path, path: &str) -> String {
    // Both were text before.
    folder.join(path).to_string_lossy().into_owned()
}

/// A kernel that may be packed by gzip (RFC 1952), as xl takes it, too.
fn unpacked(kernel: Vec<u8>) -> Result<Vec<u8>, String> {
    if !kernel.starts_with(&[0x1f, 0x8b]) {
        return Ok(kernel);
    }
    let mut whole = Vec::new();
    GzDecoder::new(kernel.as_slice())
        .take(LARGEST_KERNEL + 1)
        .read_to_end(&mut whole)
        .map_err(|error| format!("it cannot be unpacked: {error}"))?;
    if whole.len() as u64 > LARGEST_KERNEL {
        return Err(format!(
            "unpacked it has more than {} MiB",
            LARGEST_KERNEL >> 20
        ));
    }
    Ok(whole)
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_path_goes_from_a_folder_on() {
        assert_eq!(from(Path::new("/guests"), "web.xen"), "/guests/web.xen");
        assert_eq!(from(Path::new(""), "web.xen"), "web.xen");
        assert_eq!(from(Path::new("/guests"), "/web.xen"), "/web.xen");
        assert!(is_toml(Path::new("a/web.toml")) && !is_toml(Path::new("toml/web.cfg")));
    }

    #[test]
    fn a_packed_kernel_is_unpacked_and_others_stay_as_they_are() {
        let kernel = b"\x7fELF and so on".repeat(100);
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&kernel).unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(unpacked(packed.clone()).unwrap(), kernel);
        assert_eq!(unpacked(kernel.clone()).unwrap(), kernel);
        for cut in 2..packed.len() {
            let why = unpacked(packed[..cut].to_vec()).unwrap_err();
            assert!(why.starts_with("it cannot be unpacked"), "{why}");
        }
        let mut spoilt = packed;
        let last = spoilt.len() - 8;
        spoilt[last] ^= 1;
        assert!(unpacked(spoilt).is_err());
    }
}
