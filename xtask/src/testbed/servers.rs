//! Linux domains that serve as ours do: nginx, NSD and Knot from Debian's packages, in the initramfs of the peer.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::apt::Apt;
use super::cpio::{Archive, Node};
use super::guest::Guest;
use super::handle::Testbed;
use super::initramfs::ABSENT;
use super::tree::Tree;
use crate::cache::{Cache, key};
use crate::progress::Step;

const PACKAGES: [&str; 3] = ["knot", "nginx", "nsd"];
const PROGRAMS: [&str; 3] = ["usr/sbin/knotd", "usr/sbin/nginx", "usr/sbin/nsd"];

const INIT: &str = include_str!("servers/init");
/// The programs' configurations.
const FILES: [(&str, &str); 5] = [
    ("etc/servers/nginx.conf", include_str!("servers/nginx.conf")),
    ("etc/servers/nsd.conf", include_str!("servers/nsd.conf")),
    ("etc/servers/knot.conf", include_str!("servers/knot.conf")),
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
    ),
    ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
];

/// Memory of such a domain, in MiB: what its largest zone and thousands of connections need, and more.
const MEMORY: u32 = 384;

/// A server in a Linux domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// A web server.
    Nginx,
    /// A name server.
    Nsd,
    /// A name server.
    Knot,
}

impl Server {
    /// Its name, and that of its domain.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Server::Nginx => "nginx",
            Server::Nsd => "nsd",
            Server::Knot => "knot",
        }
    }
}

/// The kernel and the initramfs of such domains, in dom0.
#[derive(Debug)]
pub(crate) struct Servers<'a> {
    testbed: &'a Testbed,
}

impl<'a> Servers<'a> {
    /// Copies them to dom0. `files`, with paths that are relative to the root and folders that exist there or are named before, are added to
    /// the initramfs.
    pub(crate) fn install(testbed: &'a Testbed, files: &[(&str, Node<'_>)]) -> Result<Servers<'a>> {
        let boot = testbed.files();
        let read =
            |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let mut bytes = read(&boot.peer_initramfs())?;
        // Linux unpacks one archive after the other, with zeros between them.
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes.extend_from_slice(&read(&programs()?)?);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        let mut archive = Archive::new(bytes);
        for (path, node) in files {
            archive.add(path, *node)?;
        }
        testbed.put_bytes(&archive.finish()?, "/servers/initramfs", 0o644)?;
        testbed.put_once(&boot.folder.join("vmlinux"), "/servers/vmlinux")?;
        Ok(Servers { testbed })
    }

    /// A domain that serves; `words` are added to its kernel's command line.
    pub(crate) fn guest(&self, server: Server, words: &str) -> Result<Guest> {
        let name = server.name();
        let text = format!(
            "name = \"{name}\"\ntype = \"pv\"\nkernel = \"/servers/vmlinux\"\nramdisk = \"/servers/initramfs\"\nmemory = {MEMORY}\nvcpus = 1\n\
             vif = ['bridge=xenbr0']\nextra = \"console=hvc0 quiet rdinit=/init-servers serve={name} {words}\"\n"
        );
        Guest::configured(self.testbed, name, &text)
    }
}

/// An archive with the programs, what they need, and their configurations.
fn programs() -> Result<PathBuf> {
    const WHAT: &str = "nginx, NSD and Knot";
    let cache = Cache::open()?;
    let closure = Apt::new(&cache)?.closure(&PACKAGES, &ABSENT, WHAT)?;
    let mut recipe: Vec<&[u8]> = vec![
        closure.key().as_bytes(),
        INIT.as_bytes(),
        include_bytes!("servers.rs"),
        include_bytes!("tree.rs"),
    ];
    recipe.extend(FILES.iter().map(|(_, content)| content.as_bytes()));
    let folder = cache.entry(&format!("servers/{}", key(&recipe)), |stage| {
        let root = stage.join("root");
        fs::create_dir(&root)?;
        closure.unpack(&root, WHAT, |_| true)?;
        let _step = Step::spinner("packing servers for a Linux domain");
        let mut tree = Tree::default();
        for path in PROGRAMS {
            tree.graft(&root, path, &|_| true)?;
        }
        // Every program names the loader by this path.
        tree.graft(&root, "lib64", &|_| true)?;
        tree.libraries(&root)?;
        for (path, content) in FILES {
            tree.text(path, 0o644, content);
        }
        tree.text("init-servers", 0o755, INIT);
        tree.pack(BufWriter::new(File::create(stage.join("cpio"))?))?;
        fs::remove_dir_all(&root).context("cannot remove the unpacked packages")
    })?;
    Ok(folder.join("cpio"))
}
