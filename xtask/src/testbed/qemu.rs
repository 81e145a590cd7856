//! The machine: one QEMU process, reached over socket pairs only, so that nothing of it is left in the file system.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use rustix::io::FdFlags;

use super::agent::Session;
use super::console::Console;
use super::emulator::Emulator;
use super::initramfs::BootFiles;
use super::qmp::Qmp;
use super::relay::{self, Wire};
use crate::hold;
use crate::interrupt::{self, Guard};

/// Memory of the whole machine, in MiB.
const MACHINE_MIB: u32 = 2048;
/// Memory of dom0, in MiB; the rest is for guests.
const DOM0_MIB: u32 = 768;
/// The size of the scratch disk, `/dev/vda` in dom0: it is sparse and empty at every start.
const SCRATCH_BYTES: u64 = 8 << 30;
/// The size of the disk through which files are copied, `/dev/vdb` in dom0.
pub(super) const TRANSFER_BYTES: u64 = 1 << 30;
/// How many commands can run in dom0 at once.
pub(crate) const SESSIONS: usize = 6;

/// How the machine starts, and where its memory and its state are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'a> {
    /// The file with the memory.
    pub(crate) ram: &'a Path,
    /// The file with the state of the devices; QEMU inherits it.
    pub(crate) state: &'a File,
    /// What comes first.
    pub(crate) from: From,
}

/// What a machine starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// It boots, and its memory is written to the file.
    Boot,
    /// It goes on from a saved state; the memory file is mapped copy-on-write and stays as it is.
    Snapshot,
}

/// A running machine. It is killed on drop.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Its control socket.
    pub(crate) qmp: Qmp,
    /// What came over its serial line.
    pub(crate) console: Console,
    /// Ends of the ports that dom0's agents serve.
    pub(crate) sessions: Vec<Session>,
    /// What dom0 sees as `/dev/vdb`.
    pub(crate) transfer: File,
    /// Where UDP gets in and out.
    pub(super) wire: Wire,
    /// Ends QEMU when it is dropped.
    pub(crate) life: Life,
}

/// QEMU's life.
#[derive(Debug)]
pub(crate) struct Life {
    _guard: Guard,
}

impl Machine {
    /// Starts QEMU. `dom0_options` are added to the command line of dom0's kernel.
    pub(crate) fn start(
        emulator: &Emulator,
        files: &BootFiles,
        dom0_options: &str,
        start: Start<'_>,
    ) -> Result<Machine> {
        let mut wiring = Wiring::default();
        let scratch = nameless_file("scratch", SCRATCH_BYTES)?;
        let transfer = nameless_file("transfer", TRANSFER_BYTES)?;
        let mut arguments = machine(start);
        arguments.extend(boot(dom0_options));
        let serial = wiring.pair(&mut arguments, "serial")?;
        arguments.extend(words("-serial chardev:serial"));
        let control = wiring.pair(&mut arguments, "control")?;
        arguments.extend(words("-mon chardev=control,mode=control"));
        // Restricted: else QEMU takes what is sent to a guest that is not up yet, and connects to whatever has that address outside.
        arguments.extend(words(
            "-netdev user,id=net,restrict=on,dhcpstart=10.0.2.200 -device virtio-net-pci,netdev=net,romfile=",
        ));
        for (id, file) in [("scratch", &scratch), ("transfer", &transfer)] {
            // The files have no name; QEMU opens them through its own list of open files.
            let fd = inherited(file.as_fd())?;
            arguments.extend(words(&format!(
                "-drive if=none,id={id},format=raw,file.locking=off,file=/proc/self/fd/{fd} -device virtio-blk-pci,drive={id}"
            )));
        }
        let [heard, spoken] = relay::CHANNELS;
        let wire = Wire {
            heard: wiring.pair(&mut arguments, heard)?,
            spoken: wiring.pair(&mut arguments, spoken)?,
        };
        arguments.extend(words("-device virtio-serial-pci"));
        let mut sessions = Vec::new();
        for number in 0..SESSIONS {
            let io = wiring.pair(&mut arguments, &format!("io{number}"))?;
            arguments.extend(words(&format!(
                "-device virtserialport,chardev=io{number},name=io.{number}"
            )));
            let errors = wiring.pair(&mut arguments, &format!("err{number}"))?;
            arguments.extend(words(&format!(
                "-device virtserialport,chardev=err{number},name=err.{number}"
            )));
            sessions.push(Session::new(io, errors));
        }
        inherited(start.state.as_fd())?;
        if start.from == From::Snapshot {
            arguments.extend(words("-incoming defer"));
        }
        let mut command = hold::command(&emulator.program, hold::End::Kill);
        command
            .args(&emulator.arguments)
            .args(&arguments)
            .envs(emulator.environment.iter().cloned());
        // Ctrl-C is for us; we end QEMU then.
        command
            .current_dir(&files.folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = command
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start QEMU")?;
        let child = Arc::new(Mutex::new(child));
        let doomed = Arc::clone(&child);
        let life = interrupt::on_exit(move || end(&doomed));
        drop(wiring);
        let console = Console::follow(serial);
        let qmp = Qmp::new(control)
            .with_context(|| format!("QEMU does not start: {}", complaint(&child)))?;
        let mut machine = Machine {
            qmp,
            console,
            sessions,
            transfer,
            wire,
            life: Life { _guard: life },
        };
        if start.from == From::Snapshot {
            super::snapshot::restore(&mut machine, start.state)
                .with_context(|| complaint(&child))?;
        }
        Ok(machine)
    }
}

/// The emulated processor: one that Linux boots on as dom0.
const PROCESSOR: &str = "Haswell";

fn machine(start: Start<'_>) -> Vec<OsString> {
    let share = match start.from {
        From::Boot => "on",
        From::Snapshot => "off",
    };
    let mut arguments = words(
        "-nodefaults -no-user-config -display none -no-reboot -accel tcg,thread=multi -smp 2 -cpu",
    );
    arguments.push(PROCESSOR.into());
    arguments.extend(words(&format!(
        "-m {MACHINE_MIB} -machine pc,memory-backend=ram -object"
    )));
    let mut object = OsString::from(format!(
        "memory-backend-file,id=ram,size={MACHINE_MIB}M,share={share},mem-path="
    ));
    object.push(escaped(start.ram));
    arguments.push(object);
    arguments
}

/// QEMU runs in the folder of the boot files: their names must have no comma, which separates modules.
fn boot(dom0_options: &str) -> Vec<OsString> {
    vec![
        "-kernel".into(),
        "xen".into(),
        "-initrd".into(),
        format!("vmlinuz console=hvc0 loglevel=4 rdinit=/init {dom0_options},dom0.cpio").into(),
        "-append".into(),
        // `bootscrub` writes to all memory, which would all have to be kept in the snapshot. With `eager-fpu`, Xen changes the registers
        // of SSE and AVX whenever it changes domains. Without, it waits for the first use, and under emulation some of them got lost: 4 in
        // 1,000 times that a program of dom0 kept them for a while. Programs then ended by segmentation faults and broken heaps.
        format!(
            "console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=all dom0_mem={DOM0_MIB}M,max:{DOM0_MIB}M spec-ctrl=no,eager-fpu xpti=0 bootscrub=0"
        )
        .into(),
    ]
}

/// Our ends and QEMU's ends of socket pairs.
#[derive(Default)]
struct Wiring {
    theirs: Vec<UnixStream>,
}

impl Wiring {
    /// Adds a character device called `id` and returns our end of it.
    fn pair(&mut self, arguments: &mut Vec<OsString>, id: &str) -> Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair().context("cannot make a socket pair")?;
        let number = inherited(theirs.as_fd())?;
        arguments.extend(words(&format!("-chardev socket,id={id},fd={number}")));
        self.theirs.push(theirs);
        Ok(ours)
    }
}

/// Lets child processes inherit a file descriptor; returns its number.
fn inherited(fd: BorrowedFd<'_>) -> Result<i32> {
    rustix::io::fcntl_setfd(fd, FdFlags::empty()).context("cannot pass a file descriptor on")?;
    Ok(fd.as_raw_fd())
}

/// A sparse file that has no name any more.
fn nameless_file(purpose: &str, size: u64) -> Result<File> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("morgana-{purpose}-{}-{number}", std::process::id());
    let path: PathBuf = std::env::temp_dir().join(name);
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path);
    let file =
        file.with_context(|| format!("cannot make the temporary file {}", path.display()))?;
    std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    file.set_len(size)
        .with_context(|| format!("cannot size the {purpose} disk"))?;
    Ok(file)
}

fn words(text: &str) -> Vec<OsString> {
    text.split(' ').map(OsString::from).collect()
}

/// A path as QEMU's options want it: a comma is doubled.
fn escaped(path: &Path) -> OsString {
    path.to_string_lossy().replace(',', ",,").into()
}

fn end(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = child.kill();
    let _ = child.wait();
}

/// What QEMU wrote to its standard error; it is ended to get it.
fn complaint(child: &Mutex<Child>) -> String {
    use std::io::Read;
    end(child);
    let mut text = String::new();
    if let Some(mut stderr) = child
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .stderr
        .take()
    {
        let _ = stderr.read_to_string(&mut text);
    }
    // QEMU names each feature of the processor model that TCG lacks.
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("TCG doesn't support requested feature"))
        .collect();
    lines.join("\n")
}
