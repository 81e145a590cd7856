//! tcpdump, tshark and capinfos from Debian's packages, with their own loader and libraries.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the packages; `cargo xtask test unit` fetches them and sets this variable.
const VARIABLE: &str = "MORGANA_CAPTURE_READERS";

pub(crate) struct Readers(PathBuf);

impl Readers {
    /// `None` outside of `cargo xtask test unit`.
    pub(crate) fn from_environment() -> Option<Self> {
        std::env::var_os(VARIABLE).map(|folder| Self(folder.into()))
    }

    /// Runs a reader, which must succeed and complain of nothing; returns what it writes.
    pub(crate) fn run(&self, program: &str, arguments: &[&str], file: &Path) -> String {
        let Self(folder) = self;
        let path = |below: &str| folder.join(below).display().to_string();
        let libraries = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"]
            .map(path)
            .join(":");
        let output = Command::new(path("lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"))
            .args(["--library-path", &libraries])
            .arg(path(&format!("usr/bin/{program}")))
            .args(arguments)
            .arg(file)
            .env("WIRESHARK_DATA_DIR", path("usr/share/wireshark"))
            .env("HOME", "/nonexistent")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let complaints = said.lines().filter(|line| {
            // tcpdump names the file; tshark warns of its own superuser.
            !line.starts_with("reading from file") && !line.contains("Running as user")
        });
        let complaints: Vec<&str> = complaints.filter(|line| !line.trim().is_empty()).collect();
        assert!(
            output.status.success() && complaints.is_empty(),
            "{program}: {said}"
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Reads a capture by all three, which must find the same packets, none of them malformed, and all checksums good; returns how many there are.
    pub(crate) fn agree(&self, file: &Path) -> usize {
        let by_tcpdump = self
            .run("tcpdump", &["-Z", "root", "-nn", "-r"], file)
            .lines()
            .count();
        let told = self.run("capinfos", &["-M", "-c"], file);
        let by_capinfos = told.split_whitespace().last().unwrap().parse();
        let options = [
            "-n",
            "-o",
            "ip.check_checksum:TRUE",
            "-o",
            "tcp.check_checksum:TRUE",
            "-o",
            "udp.check_checksum:TRUE",
            "-T",
            "fields",
            "-e",
            "frame.number",
            "-e",
            "_ws.malformed",
            "-e",
            "ip.checksum.status",
            "-e",
            "tcp.checksum.status",
            "-e",
            "udp.checksum.status",
            "-r",
        ];
        let packets = self.run("tshark", &options, file);
        for packet in packets.lines() {
            let mut fields = packet.split('\t').skip(1);
            assert_eq!(fields.next().unwrap_or(""), "", "malformed: {packet}");
            // 1 is good; a packet that has no such checksum has an empty field.
            assert!(
                fields.all(|status| ["", "1"].contains(&status)),
                "bad: {packet}"
            );
        }
        assert_eq!(
            (by_tcpdump, Ok(by_tcpdump)),
            (packets.lines().count(), by_capinfos)
        );
        by_tcpdump
    }
}
