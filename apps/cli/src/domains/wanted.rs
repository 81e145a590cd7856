//! What is wanted, as files say it.

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

    /// The kernel, understood.
    pub(crate) fn image(&self) -> Result<Image, Failure> {
        let kernel = self.kernel.clone();
        Image::parse(kernel)
            .map_err(|error| Failure::Failed(format!("{}: {error}", self.config.kernel)))
    }
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
