//! What our guests are compared with: a Linux PV domain with busybox's httpd, its kernel packed and unpacked.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::cpio::{Archive, Node};
use super::modules::Modules;
use super::tree::Tree;

/// The first process of such a domain. It has the same address as ours: they run in turn.
pub(super) const INIT: &str = include_str!("peer/init");

/// The same of a Linux domain with a disk (`rdinit=/init-disk`).
pub(super) const INIT_DISK: &str = include_str!("peer/init-disk");

/// Its page, of 612 bytes as nginx's welcome page has them.
const PAGE_BYTES: usize = 612;

/// Makes `peer.cpio` and `vmlinux` in `out`.
pub(super) fn make(root: &Path, release: &str, out: &Path) -> Result<()> {
    let mut tree = Tree::new();
    tree.graft(root, "bin/busybox", &|_| true)?;
    let modules = Modules::find(root, &format!("lib/modules/{release}/kernel"))?;
    for (list, module) in [
        ("modules", "xen-netfront"),
        ("modules.disk", "xen-blkfront"),
    ] {
        let mut order = String::new();
        for (path, _) in modules.closure(root, &[module])? {
            tree.graft(root, &path, &|_| true)?;
            order.push_str(&format!("/usr/{path}\n"));
        }
        tree.text(list, 0o644, &order);
    }
    tree.text("init-disk", 0o755, INIT_DISK);
    tree.text("init", 0o755, INIT);
    let page = "<!doctype html><title>A page</title>\n";
    tree.text("www/index.html", 0o644, &format!("{page:.<PAGE_BYTES$}"));
    tree.pack(BufWriter::new(File::create(out.join("peer.cpio"))?))?;
    unpack(root, &out.join("vmlinuz"), &out.join("vmlinux"))
}

/// Such a domain's initramfs with one more program in its root.
pub(crate) fn with_program(initramfs: &Path, program: &Path) -> Result<Vec<u8>> {
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let name = program.file_name().and_then(|name| name.to_str());
    let mut bytes = read(initramfs)?;
    // Linux unpacks one archive after the other, with zeros between them.
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    let mut archive = Archive::new(bytes);
    archive.add(
        name.context("the program has no name")?,
        Node::File(0o755, &read(program)?),
    )?;
    Ok(archive.finish()?)
}

/// Takes the ELF file out of a bzImage (Linux, Documentation/x86/boot.rst: `setup_sects`, `payload_offset`, `payload_length`).
fn unpack(root: &Path, packed: &Path, unpacked: &Path) -> Result<()> {
    let image = fs::read(packed).with_context(|| format!("cannot read {}", packed.display()))?;
    let payload = payload(&image).context("Linux's kernel is no bzImage")?;
    ensure!(
        payload.starts_with(b"\xfd7zXZ\0"),
        "Linux's kernel is not packed with xz, as Debian's is"
    );
    // The kernel's build adds the size, in four bytes.
    let (payload, _) = payload.split_at(payload.len() - 4);
    let file = unpacked.with_extension("xz");
    fs::write(&file, payload).with_context(|| format!("cannot write {}", file.display()))?;
    let out =
        File::create(unpacked).with_context(|| format!("cannot write {}", unpacked.display()))?;
    // Debian's program with its own loader and libraries: the host may have none.
    let libraries =
        ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"].map(|path| root.join(path));
    let mut command = Command::new(root.join("lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"));
    command
        .arg("--library-path")
        .arg(std::env::join_paths(libraries).context("the cache folder's path has a colon")?);
    command
        .arg(root.join("usr/bin/xz"))
        .arg("-dc")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(out);
    let status = command.status().context("cannot start xz")?;
    ensure!(
        status.success(),
        "xz cannot unpack Linux's kernel ({status})"
    );
    fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))
}

fn payload(image: &[u8]) -> Option<&[u8]> {
    let word =
        |at: usize| Some(u32::from_le_bytes(image.get(at..at + 4)?.try_into().ok()?) as usize);
    if image.get(0x202..0x206)? != b"HdrS" {
        // The magic of the header is at 0x202, its version comes after it.
        return None;
    }
    let sectors = match image.get(0x1f1)? {
        0 => 4,
        sectors => usize::from(*sectors),
    };
    let start = (sectors + 1) * 512 + word(0x248)?;
    image.get(start..start + word(0x24c)?)
}

#[cfg(test)]
mod tests {
    use super::payload;

    #[test]
    fn finds_the_payload() {
        let mut image = vec![0; 4096];
        image[0x1f1] = 1;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x248..0x24c].copy_from_slice(&16_u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&4_u32.to_le_bytes());
        image[1040..1044].copy_from_slice(b"data");
        assert_eq!(payload(&image), Some(&b"data"[..]));
        assert_eq!(payload(&image[..1042]), None);
        assert_eq!(payload(b"no kernel"), None);
    }
}
