//! An archive that was opened.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use morgana_block::{BlockDevice, BlockError};

use crate::bytes::{Window, read_bytes};
use crate::extension::Extension;
use crate::header::{BLOCK, Header, Type, until_zero};
use crate::index::{Index, Place};
use crate::limits::{EXTENSION_MAX, EXTENSIONS};
use crate::path::normalised;
use crate::{Entry, Fault, Kind, Limits, OpenError, ReadError};

/// A tar archive on a block device.
pub struct Archive<D> {
    device: D,
    index: Index,
}

impl<D: BlockDevice> Archive<D> {
    /// Reads all headers of the archive on `device`, which begins at its first sector.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub async fn open(device: D, limits: Limits) -> Result<Self, OpenError> {
        let mut index = Index::default();
        let mut window = Window::new(&device);
        let mut at = 0;
        while let Some(next) = entry(&mut window, at, &mut index).await? {
            let broken = |fault| OpenError::Broken { at, fault };
            index.check(&limits).map_err(broken)?;
            at = next;
        }
        Ok(Self { device, index })
    }

    /// The device.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// All files and directories, in the order of their paths.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.index.all()
    }

    /// The file or directory of this path, as [`Entry::path`] gives it. A directory is found only if the archive has it, which tar sees to when it stores one.
    pub fn find(&self, path: &str) -> Option<Entry<'_>> {
        self.index.find(path)
    }

    /// How many entries are neither files nor directories, and so are not here.
    pub fn passed_over(&self) -> usize {
        self.index.passed_over
    }

    /// All of a file, if it has no more than `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn read(&self, entry: &Entry<'_>, limit: usize) -> Result<Vec<u8>, ReadError> {
        let size = usize::try_from(entry.size()).ok();
        let size = size.filter(|&size| size <= limit);
        let mut bytes = vec![0; size.ok_or(ReadError::TooLarge)?];
        self.read_at(entry, 0, &mut bytes).await?;
        Ok(bytes)
    }

    /// Bytes of a file from `offset` on, as many as it has and `into` takes; returns how many.
    ///
    /// # Errors
    ///
    /// [`ReadError`], but not `TooLarge`.
    pub async fn read_at(
        &self,
        entry: &Entry<'_>,
        offset: u64,
        into: &mut [u8],
    ) -> Result<usize, ReadError> {
        if entry.kind() != Kind::File {
            return Err(ReadError::NotAFile);
        }
        let left = entry.size().saturating_sub(offset);
        let count = usize::try_from(left).map_or(into.len(), |left| left.min(into.len()));
        if count == 0 {
            return Ok(0);
        }
        // Within the file, which is within the device. One that has shrunk says so itself.
        read_bytes(&self.device, entry.start() + offset, &mut into[..count]).await?;
        Ok(count)
    }
}

/// Looks at the entry whose first header is at `at`; returns where the next one is. `None` at the archive's end.
async fn entry<D: BlockDevice>(
    window: &mut Window<'_, D>,
    at: u64,
    index: &mut Index,
) -> Result<Option<u64>, OpenError> {
    let mut extension = Extension::default();
    let mut at = at;
    let mut extensions = 0;
    loop {
        let start = at;
        let broken = move |fault| OpenError::Broken { at: start, fault };
        let block: Option<[u8; BLOCK]> = window.array(at).await?;
        let block = block.ok_or(broken(Fault::Truncated))?;
        let Some(header) = Header::parse(&block).map_err(broken)? else {
            // Between an extension and its entry there are no zeros.
            return match extensions {
                0 => Ok(None),
                _ => Err(broken(Fault::Truncated)),
            };
        };
        let kind = header.kind();
        let extends = matches!(
            kind,
            Type::Pax | Type::PaxGlobal | Type::LongName | Type::LongLink
        );
        let size = match (kind, extension.size) {
            (Type::File | Type::Other, Some(size)) => size,
            _ => header.size().map_err(broken)?,
        };
        let contents = Contents::new(start, size, window.end()).map_err(broken)?;
        if !extends {
            add(index, &header, extension, contents).map_err(broken)?;
            return Ok(Some(contents.next));
        }
        extensions += 1;
        if extensions > EXTENSIONS {
            return Err(broken(Fault::Extension));
        }
        extend(window, &mut extension, kind, contents)
            .await?
            .map_err(broken)?;
        at = contents.next;
    }
}

/// Where what follows a header is.
#[derive(Clone, Copy)]
struct Contents {
    start: u64,
    size: u64,
    /// Where the next header is.
    next: u64,
}

impl Contents {
    /// Of a header at `at`, on a device of `end` bytes.
    fn new(at: u64, size: u64, end: u64) -> Result<Self, Fault> {
        let start = at + BLOCK as u64;
        let padded = size.checked_next_multiple_of(BLOCK as u64);
        let next = padded.and_then(|padded| start.checked_add(padded));
        let next = next.filter(|&next| next <= end).ok_or(Fault::Truncated)?;
        Ok(Self { start, size, next })
    }
}

/// Takes in an extension header.
async fn extend<D: BlockDevice>(
    window: &mut Window<'_, D>,
    extension: &mut Extension,
    kind: Type,
    contents: Contents,
) -> Result<Result<(), Fault>, BlockError> {
    let size = usize::try_from(contents.size).unwrap_or(usize::MAX);
    if size > EXTENSION_MAX {
        return Ok(Err(Fault::TooLong));
    }
    Ok(match kind {
        Type::Pax => extension.pax(&window.vec(contents.start, size).await?),
        Type::LongName => {
            let name = window.vec(contents.start, size).await?;
            extension.path = Some(until_zero(&name).to_vec());
            Ok(())
        }
        // A path or a size that all files have would make no sense; nothing else matters here.
        _ => Ok(()),
    })
}

/// Adds an entry to the index, or passes it over.
fn add(
    index: &mut Index,
    header: &Header<'_>,
    extension: Extension,
    contents: Contents,
) -> Result<(), Fault> {
    let kind = match header.kind() {
        Type::File | Type::Other => Kind::File,
        Type::Directory => Kind::Directory,
        Type::Sparse => return Err(Fault::Sparse),
        _ => {
            index.pass_over();
            return Ok(());
        }
    };
    let (prefix, name) = match &extension.path {
        Some(path) => (&[][..], &path[..]),
        None => header.path(),
    };
    let place = Place {
        kind,
        start: contents.start,
        size: contents.size,
        modified: header.modified(),
    };
    index.add(normalised(prefix, name)?, place);
    Ok(())
}

impl<D> fmt::Debug for Archive<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
