//! The packages that the testbed is made of, and dom0's initramfs.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::apt::{Apt, Assumed};
use super::modules::Modules;
use super::peer;
use super::tree::Tree;
use crate::cache::{Cache, key};
use crate::progress::Step;

/// What is asked of Debian; the rest follows from their dependencies.
const PACKAGES: [&str; 15] = [
    "bash",
    "busybox-static",
    "coreutils",
    "curl",
    "grep",
    "iproute2",
    "kmod",
    "libc-bin",
    "linux-image-amd64",
    "netbase",
    "xen-hypervisor-4.17-amd64",
    "xen-utils-4.17",
    "xen-utils-common",
    "xenstore-utils",
    "xz-utils",
];

/// What those depend on but dom0 does without.
pub(super) const ABSENT: [Assumed; 5] = [
    "Package: python3\nStatus: install ok installed\nVersion: 3.11.2-1\nMulti-Arch: allowed\nArchitecture: amd64",
    "Package: linux-base\nStatus: install ok installed\nVersion: 999\nArchitecture: all",
    "Package: initramfs-tools\nStatus: install ok installed\nVersion: 999\nArchitecture: all\nProvides: linux-initramfs-tool",
    "Package: debconf\nStatus: install ok installed\nVersion: 999\nArchitecture: all",
    "Package: udev\nStatus: install ok installed\nVersion: 999\nArchitecture: amd64",
];

/// Loaded at boot, in this order.
const LOADED: [&str; 13] = [
    "xenfs",
    "xen-evtchn",
    "xen-gntdev",
    "xen-gntalloc",
    "xen-privcmd",
    "virtio_pci",
    "virtio_console",
    "virtio_net",
    "virtio_blk",
    "bridge",
    "xen-netback",
    "xen-blkback",
    "tun",
];

/// There to be loaded with modprobe.
const LOADABLE: [&str; 10] = [
    "loop",
    "brd",
    "null_blk",
    "ext4",
    "veth",
    "macvlan",
    "vxlan",
    "sch_netem",
    "dm_mod",
    "8021q",
];

const INIT: &str = include_str!("dom0/init");
const AGENT: &str = include_str!("dom0/agent");
const VIF_BRIDGE: &str = include_str!("dom0/vif-bridge");

/// The files that QEMU boots.
#[derive(Clone, Debug)]
pub(crate) struct BootFiles {
    /// A folder of the cache with all of them.
    pub(crate) folder: PathBuf,
    /// Its name: it changes with the packages' versions and with the recipe.
    pub(crate) key: String,
}

impl BootFiles {
    /// The initramfs of the Linux domain that ours are compared with.
    pub(crate) fn peer_initramfs(&self) -> PathBuf {
        self.folder.join("peer.cpio")
    }

    /// The paths in dom0's tree, one a line.
    pub(crate) fn listing(&self) -> PathBuf {
        self.folder.join("listing")
    }

    /// The boot files, fetched and made where they are missing.
    pub(crate) fn prepare(cache: &Cache) -> Result<BootFiles> {
        let closure =
            Apt::new(cache)?.closure(&PACKAGES, &ABSENT, "Xen and a Linux for dom0 from Debian")?;
        let recipe = [
            peer::INIT,
            peer::INIT_DISK,
            include_str!("peer.rs"),
            INIT,
            AGENT,
            VIF_BRIDGE,
            include_str!("initramfs.rs"),
            include_str!("tree.rs"),
        ];
        let recipe: Vec<&[u8]> = recipe.iter().map(|text| text.as_bytes()).collect();
        let key = key(&[closure.key().as_bytes(), key(&recipe).as_bytes()]);
        let folder = cache.entry(&format!("boot/{key}"), |stage| {
            let root = stage.join("root");
            fs::create_dir(&root)?;
            closure.unpack(&root, "Xen and dom0", |_| true)?;
            let _step = Step::spinner("making dom0's initramfs");
            make(&root, stage)?;
            fs::remove_dir_all(&root)?;
            Ok(())
        })?;
        Ok(BootFiles { folder, key })
    }
}

fn make(root: &Path, out: &Path) -> Result<()> {
    let busybox = root.join("bin/busybox");
    fs::copy(&busybox, out.join("busybox")).context("busybox-static has no /bin/busybox")?;
    let release = release(root)?;
    fs::copy(
        root.join(format!("boot/vmlinuz-{release}")),
        out.join("vmlinuz"),
    )?;
    let packed = root.join("boot/xen-4.17-amd64.gz");
    let unpacked = File::create(out.join("xen"))?;
    let status = Command::new(&busybox)
        .args(["gunzip", "-c"])
        .arg(&packed)
        .stdout(unpacked)
        .stdin(Stdio::null())
        .status()
        .context("cannot run busybox")?;
    if !status.success() {
        bail!("cannot unpack {}", packed.display());
    }
    let tree = tree(root, &release)?;
    let file = BufWriter::new(File::create(out.join("dom0.cpio"))?);
    tree.pack(file)?;
    peer::make(root, &release, out)?;
    let listing: Vec<&str> = tree.paths().collect();
    fs::write(out.join("listing"), listing.join("\n"))?;
    Ok(())
}

/// The kernel's release, as its folder of modules is called.
fn release(root: &Path) -> Result<String> {
    let folder = root.join("lib/modules");
    let mut names = fs::read_dir(&folder).context("the kernel package has no /lib/modules")?;
    let first = names
        .next()
        .context("the kernel package has no modules")??;
    Ok(first.file_name().to_string_lossy().into_owned())
}

fn tree(root: &Path, release: &str) -> Result<Tree> {
    let mut tree = Tree::new();
    for path in ["bin", "sbin", "usr/bin", "usr/sbin"] {
        // Links to the wrapper are replaced by links to what it starts, below; Python and Perl are absent.
        tree.graft(root, path, &|place| !place.ends_with(".py"))?;
    }
    let programs = "usr/lib/xen-4.17/bin";
    tree.graft(root, programs, &|_| true)?;
    for item in fs::read_dir(root.join(programs))? {
        let name = item?.file_name().to_string_lossy().into_owned();
        tree.link(&format!("usr/sbin/{name}"), &format!("/{programs}/{name}"));
    }
    // Xen's modules for Python, for those who add a Python.
    tree.graft(root, "usr/lib/xen-4.17/lib/python/xen", &|_| true)?;
    tree.graft(root, "etc", &|_| true)?;
    tree.graft(root, "usr/lib/xen-common", &|_| true)?;
    // Every program names the loader by this path.
    tree.graft(root, "lib64", &|_| true)?;
    tree.libraries(root)?;
    // Loaded by name: by whoever ends a thread (xl does), and when names of hosts and users are looked up.
    for name in [
        "libgcc_s.so.1",
        "libnss_files.so.2",
        "libnss_dns.so.2",
        "libresolv.so.2",
    ] {
        tree.library(root, name)?;
    }

    let modules = Modules::find(root, &format!("lib/modules/{release}/kernel"))?;
    let names: Vec<&str> = LOADED.iter().chain(&LOADABLE).copied().collect();
    let mut dependencies = String::new();
    for (path, needs) in modules.closure(root, &names)? {
        tree.graft(root, &path, &|_| true)?;
        let short = |path: &str| {
            path.split_once(&format!("{release}/"))
                .map_or(path.to_owned(), |(_, rest)| rest.to_owned())
        };
        let needs: Vec<String> = needs.iter().map(|need| short(need)).collect();
        dependencies.push_str(&format!("{}: {}\n", short(&path), needs.join(" ")));
    }
    tree.text(
        &format!("usr/lib/modules/{release}/modules.dep"),
        0o644,
        &dependencies,
    );
    let loaded = modules.closure(root, &LOADED)?;
    let loaded: Vec<String> = loaded
        .iter()
        .map(|(path, _)| format!("/usr/{path}\n"))
        .collect();
    tree.text("etc/testbed/modules", 0o644, &loaded.concat());

    tree.text("init", 0o755, INIT);
    tree.text("usr/lib/testbed/agent", 0o755, AGENT);
    tree.text("etc/xen/scripts/vif-bridge", 0o755, VIF_BRIDGE);
    // With a cache of its libraries a program starts in half the time: it need not look for each in every folder.
    tree.text(
        "etc/ld.so.conf",
        0o644,
        "/usr/lib/xen-4.17/lib/x86_64-linux-gnu\n/usr/lib/x86_64-linux-gnu\n",
    );
    tree.text("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\nwww-data:x:33:33:www-data:/:/bin/false\n");
    tree.text(
        "etc/group",
        0o644,
        "root:x:0:\nnogroup:x:65534:\nwww-data:x:33:\nadm:x:4:\n",
    );
    tree.text("etc/hosts", 0o644, "127.0.0.1 localhost\n10.0.2.15 dom0\n");
    tree.text("etc/hostname", 0o644, "dom0\n");
    tree.text("etc/resolv.conf", 0o644, "nameserver 10.0.2.3\n");
    tree.text(
        "etc/nsswitch.conf",
        0o644,
        "passwd: files\ngroup: files\nhosts: files dns\n",
    );
    tree.link("usr/bin/sh", "busybox");
    // Debian's kmod replaces these; busybox's read the text form of modules.dep that is written above.
    for name in ["modprobe", "insmod", "rmmod", "lsmod", "depmod", "modinfo"] {
        tree.link(&format!("usr/sbin/{name}"), "../bin/busybox");
    }
    Ok(tree)
}
