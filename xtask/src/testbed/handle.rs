//! A running testbed, as the commands and the tests use it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};

use super::agent::{Deadline, Input, Session};
use super::console::Console;
use super::debs;
use super::emulator::Emulator;
use super::initramfs::BootFiles;
use super::ours::Ours;
use super::qemu::{Machine, TRANSFER_BYTES};
use super::qmp::Qmp;
use super::relay::{Relay, Wire};
use super::snapshot::Snapshot;
use crate::cache::Cache;

/// A short wait: for what takes a second or two.
const BRIEF: Duration = Duration::from_secs(60);

/// The daemon that serves xenstore from dom0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Xenstored {
    /// Xen's, in C.
    #[default]
    C,
    /// Xen's, in OCaml.
    Ocaml,
}

/// What is forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Connections.
    Tcp,
    /// Datagrams, and the answers to them.
    Udp,
}

impl Protocol {
    /// Takes `/tcp` or `/udp` off the end of a text; without either it is TCP.
    pub(crate) fn split(text: &str) -> Result<(&str, Protocol), String> {
        match text.split_once('/') {
            None => Ok((text, Protocol::Tcp)),
            Some((rest, "tcp")) => Ok((rest, Protocol::Tcp)),
            Some((rest, "udp")) => Ok((rest, Protocol::Udp)),
            Some((_, other)) => Err(format!("{other} is neither tcp nor udp")),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        })
    }
}

/// A port of the host's 127.0.0.1 that leads to a port in the testbed's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forward {
    /// What is forwarded.
    pub(crate) protocol: Protocol,
    /// The port on the host.
    pub(crate) host: u16,
    /// Where it leads: dom0 is 10.0.2.15.
    pub(crate) address: Ipv4Addr,
    /// The port there.
    pub(crate) port: u16,
}

impl FromStr for Forward {
    type Err = String;

    fn from_str(text: &str) -> Result<Forward, String> {
        let (ports, protocol) = Protocol::split(text)?;
        let parts: Vec<&str> = ports.split(':').collect();
        let [host, address, port] = parts[..] else {
            return Err("not of the form HOSTPORT:IP:PORT or HOSTPORT:IP:PORT/udp".to_owned());
        };
        Ok(Forward {
            protocol,
            host: host.parse().map_err(|_| format!("{host} is no port"))?,
            address: address
                .parse()
                .map_err(|_| format!("{address} is no IPv4 address"))?,
            port: port.parse().map_err(|_| format!("{port} is no port"))?,
        })
    }
}

/// A running testbed. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Testbed {
    cache: Cache,
    files: BootFiles,
    qmp: Mutex<Qmp>,
    console: Console,
    idle: Mutex<Vec<Session>>,
    freed: Condvar,
    /// The host's side of dom0's `/dev/vdb`: whoever holds it copies.
    transfer: Mutex<File>,
    /// What [`Testbed::put_once`] has copied, and to where.
    copied: Mutex<BTreeSet<(PathBuf, String)>>,
    /// Where UDP gets in and out, until the relay has it.
    wire: Mutex<Option<Wire>>,
    /// There from the first forward of UDP on.
    relay: OnceLock<Relay>,
    /// Ends QEMU when it is dropped.
    _machine: super::qemu::Life,
}

impl Testbed {
    /// Starts a testbed from its snapshot; prepares whatever is missing.
    pub(crate) fn start(xenstored: Xenstored) -> Result<Testbed> {
        let cache = Cache::open()?;
        let emulator = Emulator::find(&cache)?;
        let files = BootFiles::prepare(&cache)?;
        let options = match xenstored {
            Xenstored::C => "morgana.xenstored=c",
            Xenstored::Ocaml => "morgana.xenstored=ocaml",
        };
        Testbed::start_from(cache, &emulator, files, options)
    }

    /// Starts a testbed whose dom0 has booted with `program` as its xenstored.
    pub(crate) fn start_with_xenstored(ours: Ours, program: &Path) -> Result<Testbed> {
        let cache = Cache::open()?;
        let emulator = Emulator::find(&cache)?;
        let files = BootFiles::prepare(&cache)?.with_xenstored(&cache, ours, program)?;
        Testbed::start_from(cache, &emulator, files, ours.option())
    }

    fn start_from(
        cache: Cache,
        emulator: &Emulator,
        files: BootFiles,
        options: &str,
    ) -> Result<Testbed> {
        let snapshot = Snapshot::prepare(&cache, emulator, &files, options)?;
        let Machine {
            qmp,
            console,
            sessions,
            transfer,
            wire,
            life,
        } = snapshot.start(emulator, &files, options)?;
        let testbed = Testbed {
            cache,
            files,
            qmp: Mutex::new(qmp),
            console,
            idle: Mutex::new(sessions),
            freed: Condvar::new(),
            transfer: Mutex::new(transfer),
            copied: Mutex::default(),
            wire: Mutex::new(Some(wire)),
            relay: OnceLock::new(),
            _machine: life,
        };
        testbed.set_clock()?;
        Ok(testbed)
    }

    /// dom0's clock stood still since the snapshot.
    fn set_clock(&self) -> Result<()> {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .context("this machine's clock is before 1970")?;
        self.sh(&format!(
            "date -s @{}.{:03} >/dev/null",
            now.as_secs(),
            now.subsec_millis()
        ))?;
        Ok(())
    }

    /// Runs a shell line in dom0, passes on what it prints as it comes, and returns its status.
    pub(crate) fn run(
        &self,
        script: &str,
        deadline: Deadline,
        out: &mut (dyn Write + Send),
        err: &mut (dyn Write + Send),
    ) -> Result<i32> {
        self.order(script, Input::Silence, deadline, out, err)
    }

    /// Runs a shell line in dom0 that takes less than a minute; returns what it prints. A status other than 0 is an error.
    pub(crate) fn sh(&self, script: &str) -> Result<String> {
        self.sh_within(script, BRIEF)
    }

    /// As [`Testbed::sh`], with another limit of time.
    pub(crate) fn sh_within(&self, script: &str, limit: Duration) -> Result<String> {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = self.run(script, Deadline::after(limit), &mut out, &mut err)?;
        let out = String::from_utf8_lossy(&out).into_owned();
        if status != 0 {
            let err = String::from_utf8_lossy(&err);
            bail!("`{script}` in dom0 ends with status {status}\n{out}{err}");
        }
        Ok(out)
    }

    fn order(
        &self,
        script: &str,
        input: Input<'_>,
        deadline: Deadline,
        out: &mut (dyn Write + Send),
        err: &mut (dyn Write + Send),
    ) -> Result<i32> {
        let mut session = self.take_session()?;
        let status = session.run(script, input, deadline, out, err)?;
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(session);
        self.freed.notify_one();
        Ok(status)
    }

    /// Waits for a session. One that failed never comes back.
    fn take_session(&self) -> Result<Session> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .freed
            .wait_timeout_while(idle, BRIEF, |idle| idle.is_empty());
        let (mut idle, _) = waited.unwrap_or_else(PoisonError::into_inner);
        idle.pop()
            .context("too many commands in dom0 at once, or too many that failed")
    }

    /// Adds Debian packages with all that they depend on. Their scripts do not run.
    pub(crate) fn add_packages(&self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let archive = debs::archive(&self.cache, &self.files, names)?;
        let bytes =
            fs::read(&archive).with_context(|| format!("cannot read {}", archive.display()))?;
        let put = self.put_bytes(&bytes, "/packages", 0o600);
        let limit = BRIEF + Duration::from_secs(bytes.len() as u64 / 1_000_000);
        let script = "cd / && busybox cpio -idu </packages 2>/dev/null && rm /packages";
        put.and_then(|()| self.sh_within(script, limit).map(drop))
            .with_context(|| {
                format!(
                    "dom0 cannot unpack {}: is it too large for its memory?",
                    names.join(", ")
                )
            })
    }

    /// Copies a file of the host to dom0, its permissions included. Folders above it are made.
    pub(crate) fn put(&self, host: &Path, dom0: &str) -> Result<()> {
        let metadata = host
            .metadata()
            .with_context(|| format!("cannot read {}", host.display()))?;
        if metadata.is_dir() {
            bail!("{} is a folder: only files are copied", host.display());
        }
        let bytes = fs::read(host).with_context(|| format!("cannot read {}", host.display()))?;
        self.put_bytes(&bytes, dom0, metadata.permissions().mode() & 0o7777)
            .with_context(|| format!("cannot copy {} to dom0", host.display()))
    }

    /// As [`Testbed::put`], of a file that nobody changes on either side: it is copied the first time only.
    pub(crate) fn put_once(&self, host: &Path, dom0: &str) -> Result<()> {
        let mut copied = self.copied.lock().unwrap_or_else(PoisonError::into_inner);
        let copy = (host.to_owned(), dom0.to_owned());
        if !copied.contains(&copy) {
            self.put(host, dom0)?;
            copied.insert(copy);
        }
        Ok(())
    }

    /// Makes a file in dom0.
    pub(crate) fn put_bytes(&self, bytes: &[u8], dom0: &str, mode: u32) -> Result<()> {
        /// Few bytes go over the serial line. For more, a disk is about twenty times faster. (A pipe inside dom0 is slower
        /// than either: each buffer costs two switches between tasks, which are dear in an emulated machine.)
        const FEW: usize = 64 * 1024;
        let (path, size) = (quoted(dom0), bytes.len());
        let mut err = Vec::new();
        let deadline = Deadline::after(BRIEF + Duration::from_secs(size as u64 / 1_000_000));
        let before = format!("mkdir -p \"$(dirname {path})\" && dd of={path} 2>/dev/null");
        let after = format!("chmod {mode:o} {path}");
        let status = if size <= FEW {
            let script =
                format!("{before} bs={FEW} count={size} iflag=fullblock,count_bytes && {after}");
            self.order(
                &script,
                Input::Bytes(bytes),
                deadline,
                &mut io::sink(),
                &mut err,
            )?
        } else {
            let disk = self.transfer.lock().unwrap_or_else(PoisonError::into_inner);
            if size as u64 > TRANSFER_BYTES {
                bail!("{size} bytes are more than fit in dom0");
            }
            disk.write_all_at(bytes, 0)
                .context("cannot write to the transfer disk")?;
            // Direct, since what dom0 remembers of the disk is old.
            let blocks = size.div_ceil(1 << 20);
            let script = format!(
                "{before} if=/dev/vdb iflag=direct bs=1M count={blocks} && truncate -s {size} {path} && {after}"
            );
            self.order(&script, Input::Silence, deadline, &mut io::sink(), &mut err)?
        };
        if status != 0 {
            bail!(
                "dom0 cannot write {dom0}: {}",
                String::from_utf8_lossy(&err).trim_end()
            );
        }
        Ok(())
    }

    /// Copies a file of dom0 to the host. The host's file is whole or untouched.
    pub(crate) fn get(&self, dom0: &str, host: &Path) -> Result<()> {
        let mut name = host
            .file_name()
            .with_context(|| format!("{} names no file", host.display()))?
            .to_owned();
        name.push(".part");
        let part = host.with_file_name(name);
        let copied = self
            .fetch(dom0, &part)
            .with_context(|| format!("cannot copy {dom0} from dom0"));
        let copied = copied.and_then(|()| {
            fs::rename(&part, host).with_context(|| format!("cannot write {}", host.display()))
        });
        if copied.is_err() {
            let _ = fs::remove_file(&part);
        }
        copied
    }

    fn fetch(&self, dom0: &str, part: &Path) -> Result<()> {
        let disk = self.transfer.lock().unwrap_or_else(PoisonError::into_inner);
        let path = quoted(dom0);
        let script = format!(
            "[ -f {path} ] || {{ echo no such file >&2; exit 1; }}; size=$(stat -Lc %s {path}) && [ $size -le {TRANSFER_BYTES} ] && \
             dd if={path} of=/dev/vdb oflag=direct bs=1M conv=sync 2>/dev/null && echo $size"
        );
        let size = self.sh_within(&script, Duration::from_secs(600))?;
        let size: u64 = size.trim().parse().context("dom0 says no size")?;
        let mut file =
            File::create(part).with_context(|| format!("cannot write {}", part.display()))?;
        let mut reader = disk.try_clone().context("cannot read the transfer disk")?;
        reader.rewind().context("cannot read the transfer disk")?;
        let copied = io::copy(&mut reader.take(size), &mut file)
            .with_context(|| format!("cannot write {}", part.display()))?;
        if copied != size {
            bail!("{copied} of {size} bytes arrived");
        }
        Ok(())
    }

    /// Opens a port of the host's 127.0.0.1.
    pub(crate) fn forward(&self, forward: Forward) -> Result<()> {
        let Forward {
            protocol,
            host,
            address,
            port,
        } = forward;
        let mut qmp = self.qmp.lock().unwrap_or_else(PoisonError::into_inner);
        if protocol == Protocol::Udp {
            return self
                .relay(&mut qmp)?
                .forward(host, SocketAddrV4::new(address, port));
        }
        qmp.human(&format!(
            "hostfwd_add net tcp:127.0.0.1:{host}-{address}:{port}"
        ))
        .with_context(|| format!("cannot forward port {host} of 127.0.0.1 (is it in use?)"))
    }

    /// What carries UDP; it is started if it is not there.
    fn relay(&self, qmp: &mut Qmp) -> Result<&Relay> {
        let wire = self
            .wire
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(wire) = wire {
            let relay = Relay::join(wire, qmp)?;
            // Whoever has the wire is the first.
            let _ = self.relay.set(relay);
        }
        self.relay
            .get()
            .context("UDP does not get into the testbed")
    }

    /// The files that the testbed is made of, on the host.
    pub(crate) fn files(&self) -> &BootFiles {
        &self.files
    }

    /// What came last over the serial line: messages of Xen and of dom0's kernel.
    pub(crate) fn console(&self) -> &Console {
        &self.console
    }
}

/// A word for the shell, whatever is in it.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{Forward, Protocol, quoted};

    #[test]
    fn reads_forwards() {
        let forward: Forward = "8080:10.0.2.50:80".parse().unwrap();
        assert_eq!((forward.host, forward.port), (8080, 80));
        assert_eq!(forward.protocol, Protocol::Tcp);
        assert_eq!("8080:10.0.2.50:80/tcp".parse(), Ok(forward));
        let udp: Forward = "5353:10.0.2.51:53/udp".parse().unwrap();
        assert_eq!((udp.protocol, udp.port), (Protocol::Udp, 53));
        assert_eq!(forward.address.octets(), [10, 0, 2, 50]);
        for bad in [
            "",
            "80",
            "8080:80",
            "x:10.0.2.50:80",
            "8080:10.0.2:80",
            "8080:10.0.2.50:65536",
            "8080:10.0.2.50:80/sctp",
            "8080/udp:10.0.2.50:80",
        ] {
            assert!(bad.parse::<Forward>().is_err(), "{bad}");
        }
    }

    #[test]
    fn quotes_quotes() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
