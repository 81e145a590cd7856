//! The archive format that Linux unpacks at boot: cpio, "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).

use std::io::{self, Write};

/// What an entry is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node<'a> {
    /// A folder.
    Folder,
    /// A file, with its permission bits and content.
    File(u32, &'a [u8]),
    /// A symbolic link, with its target.
    Link(&'a str),
}

/// Writes an archive to `out`.
#[derive(Debug)]
pub(crate) struct Archive<W: Write> {
    out: W,
    inode: u32,
}

// stat.h: S_IFDIR, S_IFREG, S_IFLNK.
const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

impl<W: Write> Archive<W> {
    /// An empty archive.
    pub(crate) fn new(out: W) -> Archive<W> {
        Archive { out, inode: 0 }
    }

    /// Adds an entry. `path` is relative to the root and has no leading slash; folders come before what is in them.
    pub(crate) fn add(&mut self, path: &str, node: Node<'_>) -> io::Result<()> {
        let (mode, data) = match node {
            Node::Folder => (FOLDER | 0o755, &[][..]),
            Node::File(permissions, data) => (FILE | (permissions & 0o7777), data),
            Node::Link(target) => (LINK | 0o777, target.as_bytes()),
        };
        self.entry(path, mode, data)
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.entry("TRAILER!!!", 0, &[])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn entry(&mut self, path: &str, mode: u32, data: &[u8]) -> io::Result<()> {
        self.inode += 1;
        let size =
            u32::try_from(data.len()).map_err(|_| io::Error::other("a file of 4 GiB or more"))?;
        let name_size =
            u32::try_from(path.len() + 1).map_err(|_| io::Error::other("a path too long"))?;
        // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
        let fields = [self.inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
        self.out.write_all(b"070701")?;
        for field in fields {
            write!(self.out, "{field:08x}")?;
        }
        self.out.write_all(path.as_bytes())?;
        // The header has 110 bytes; name and data are each padded to a multiple of four.
        self.out
            .write_all(&[0; 4][..1 + padding(110 + path.len() + 1)])?;
        self.out.write_all(data)?;
        self.out.write_all(&[0; 4][..padding(data.len())])
    }
}

fn padding(length: usize) -> usize {
    length.wrapping_neg() % 4
}

#[cfg(test)]
mod tests {
    use super::{Archive, Node};

    #[test]
    fn lays_entries_out_in_words() {
        let mut archive = Archive::new(Vec::new());
        archive.add("d", Node::Folder).unwrap();
        archive.add("d/file", Node::File(0o755, b"12345")).unwrap();
        archive.add("link", Node::Link("d/file")).unwrap();
        let bytes = archive.finish().unwrap();
        assert_eq!(bytes.len() % 4, 0);
        let second = 112;
        assert_eq!(&bytes[second..second + 6], b"070701");
        assert_eq!(&bytes[second + 14..second + 22], b"000081ed");
        assert_eq!(&bytes[second + 54..second + 62], b"00000005");
        assert_eq!(&bytes[second + 110..second + 117], b"d/file\0");
        assert_eq!(&bytes[second + 120..second + 125], b"12345");
        assert_eq!(&bytes[second + 128..second + 134], b"070701");
    }
}
