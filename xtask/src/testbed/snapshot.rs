//! A dom0 that has booted, kept: its memory in a file, its devices in another.
//!
//! The memory is left out of QEMU's migration stream (the capability `x-ignore-shared`). A restored machine maps the file
//! copy-on-write, so that it starts without reading it, many may run from it at once, and none can change it.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use rustix::fs::FallocateFlags;
use serde_json::json;

use super::agent::{Deadline, Input};
use super::emulator::Emulator;
use super::initramfs::BootFiles;
use super::qemu::{From, Machine, Start};
use crate::cache::{Cache, key};
use crate::progress::Step;

/// How long dom0 may take to boot.
const BOOT: Duration = Duration::from_secs(900);
/// How long QEMU may take to write, or to read, the state of the devices.
const TRANSFER: Duration = Duration::from_secs(60);
/// How many snapshots are kept, of which a run of all tests needs four; those that were used longest ago go first.
const KEPT: usize = 8;

/// The files of a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    folder: PathBuf,
}

impl Snapshot {
    /// The snapshot for these files and options, booted and taken when it is missing.
    pub(crate) fn prepare(
        cache: &Cache,
        emulator: &Emulator,
        files: &BootFiles,
        dom0_options: &str,
    ) -> Result<Snapshot> {
        let recipe = [include_str!("qemu.rs"), include_str!("snapshot.rs")];
        let key = key(&[
            files.key.as_bytes(),
            emulator.version.as_bytes(),
            dom0_options.as_bytes(),
            recipe[0].as_bytes(),
            recipe[1].as_bytes(),
        ]);
        let name = format!("snapshots/{key}");
        let fresh = !cache.path(&name).is_dir();
        let folder = cache.entry(&name, |stage| take(emulator, files, dom0_options, stage))?;
        let used = folder.join("used");
        fs::write(&used, "").with_context(|| format!("cannot write {}", used.display()))?;
        if fresh {
            prune(&cache.path("snapshots"));
        }
        Ok(Snapshot { folder })
    }

    /// A machine that goes on from the snapshot.
    pub(crate) fn start(
        &self,
        emulator: &Emulator,
        files: &BootFiles,
        dom0_options: &str,
    ) -> Result<Machine> {
        let path = self.folder.join("state");
        let state = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let start = Start {
            ram: &self.folder.join("ram"),
            state: &state,
            from: From::Snapshot,
        };
        Machine::start(emulator, files, dom0_options, start)
    }
}

fn take(emulator: &Emulator, files: &BootFiles, dom0_options: &str, stage: &Path) -> Result<()> {
    let _step = Step::spinner("booting Xen and dom0 once (later runs start from a snapshot of it)");
    let ram = stage.join("ram");
    let state = File::create(stage.join("state")).context("cannot make the file for the state")?;
    let start = Start {
        ram: &ram,
        state: &state,
        from: From::Boot,
    };
    let mut machine = Machine::start(emulator, files, dom0_options, start)?;
    let deadline = Deadline::after(BOOT);
    // All agents answer, `xl` has been read and linked once, and what was cached of files is free again.
    for session in &mut machine.sessions {
        let script = "xl list >/dev/null && sync && echo 3 >/proc/sys/vm/drop_caches";
        let mut err = Vec::new();
        let status = session.run(
            script,
            Input::Silence,
            deadline,
            &mut std::io::sink(),
            &mut err,
        );
        match status {
            Ok(0) => {}
            Ok(status) => bail!(
                "dom0 does not work: `xl list` ends with status {status}\n{}\nthe last of its console:\n{}",
                String::from_utf8_lossy(&err),
                machine.console.tail()
            ),
            Err(error) => bail!(
                "dom0 does not boot: {error:#}\nthe last of its console:\n{}",
                machine.console.tail()
            ),
        }
    }
    machine.qmp.call("stop", json!({}))?;
    ignore_shared(&mut machine)?;
    // A shell that QEMU starts; its parent holds the file open.
    let uri = format!("exec:cat >/proc/$PPID/fd/{}", state.as_raw_fd());
    machine.qmp.call("migrate", json!({ "uri": uri }))?;
    wait(&mut machine, "query-migrate", "completed")?;
    drop(machine);
    punch_holes(&ram)
}

/// Reads the state of the devices into a machine that was started to wait for it.
pub(super) fn restore(machine: &mut Machine, state: &File) -> Result<()> {
    ignore_shared(machine)?;
    machine.qmp.call(
        "migrate-incoming",
        json!({ "uri": format!("fd:{}", state.as_raw_fd()) }),
    )?;
    // It was stopped when it was saved.
    wait(machine, "query-status", "paused")?;
    machine.qmp.call("cont", json!({}))?;
    Ok(())
}

fn ignore_shared(machine: &mut Machine) -> Result<()> {
    let capability = json!({ "capability": "x-ignore-shared", "state": true });
    machine.qmp.call(
        "migrate-set-capabilities",
        json!({ "capabilities": [capability] }),
    )?;
    Ok(())
}

fn wait(machine: &mut Machine, query: &str, wanted: &str) -> Result<()> {
    let start = Instant::now();
    loop {
        let answer = machine.qmp.call(query, json!({}))?;
        let status = answer["status"].as_str().unwrap_or("");
        if status == wanted {
            return Ok(());
        }
        if status == "failed" || start.elapsed() > TRANSFER {
            bail!("QEMU cannot transfer the machine's state (it says {answer})");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Gives back the disk space of pages that are all zero.
fn punch_holes(path: &Path) -> Result<()> {
    const CHUNK: usize = 64 * 1024;
    /// Compared as a whole: byte by byte, a compiler that does not optimise makes some ten seconds of it.
    static ZEROS: [u8; CHUNK] = [0; CHUNK];
    let mut file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .context("cannot open the memory file")?;
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    loop {
        let mut count = 0;
        while count < CHUNK {
            match file
                .read(&mut chunk[count..])
                .context("cannot read the memory file")?
            {
                0 => break,
                more => count += more,
            }
        }
        if count == 0 {
            return Ok(());
        }
        if chunk[..count] == ZEROS[..count] {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // Not every file system can; then the file only takes more space.
            if rustix::fs::fallocate(&file, flags, at, count as u64).is_err() {
                return Ok(());
            }
        }
        at += count as u64;
    }
}

fn prune(folder: &Path) {
    let Ok(listing) = fs::read_dir(folder) else {
        return;
    };
    let mut found: Vec<(SystemTime, PathBuf)> = listing
        .flatten()
        .filter_map(|item| {
            Some((
                item.path().join("used").metadata().ok()?.modified().ok()?,
                item.path(),
            ))
        })
        .collect();
    found.sort();
    let surplus = found.len().saturating_sub(KEPT);
    for (_, path) in &found[..surplus] {
        let _ = fs::remove_dir_all(path);
    }
}
