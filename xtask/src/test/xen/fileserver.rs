//! Files of a disk over HTTP, and captures of what passes: from dom0, as `cargo xtask run --pcap` makes them, and by a guest itself onto a disk.

use std::thread;
use std::time::Duration;

use anyhow::{Error, Result, ensure};

use super::archives::ArchiveDisk;
use super::{Lab, XenTest};
use crate::build::Changes;
use crate::run::ADDRESS_WORDS;
use crate::testbed::{Birth, Deadline, End, Guest};

pub(super) const TESTS: &[XenTest] = &[XenTest {
    name: "fileserver/recorded",
    run: recorded,
}];

/// Octets of the file.
const SIZE: usize = 500_000;
/// How long a guest may run, and take to shut down.
const LIFE: Duration = Duration::from_secs(300);
const PATIENCE: Duration = Duration::from_secs(30);

fn recorded(lab: &Lab<'_>) -> Result<()> {
    Guest::prepare_recording(lab)?;
    let disk = ArchiveDisk::new(lab, 0)?;
    let file: Vec<u8> = (0..SIZE).map(|at| (at * at / 7) as u8).collect();
    disk.write(&[("index.html", b"<p>here</p>"), ("in/file.bin", &file)])?;
    let changes = Changes {
        disks: Some(vec![disk.words("xvda")]),
        extra: ADDRESS_WORDS.to_owned(),
        ..Changes::default()
    };
    let guest = lab.guest_with("fileserver", &changes)?;
    let mut capture = Vec::new();
    thread::scope(|scope| -> Result<()> {
        let recorder = scope.spawn(|| guest.record(lab, &mut capture));
        let client = scope.spawn(|| {
            // Whatever comes of it: the others wait for the guest's end.
            let fetched = fetch(lab, &guest);
            let ended = guest
                .shut_down(lab, PATIENCE)
                .or_else(|_| guest.destroy(lab));
            fetched.and(ended)
        });
        let mut console = Vec::new();
        let end = guest.run_from(Birth::Paused, lab, Deadline::after(LIFE), &mut console);
        let panicked = |_| Err(Error::msg("a thread panicked"));
        client.join().unwrap_or_else(panicked)?;
        recorder.join().unwrap_or_else(panicked)?;
        let end = end?;
        ensure!(end == End::PowerOff, "{end:?}");
        Ok(())
    })?;
    lab.put_bytes(&capture, "/capture", 0o644)?;
    // From before the guest runs: it announces its address.
    passed(lab, "/capture", &["who-has 10.0.2.50"])?;
    onto_a_disk(lab, ArchiveDisk::new(lab, 1)?)
}

fn fetch(lab: &Lab<'_>, guest: &Guest) -> Result<()> {
    lab.expect_line(guest, "serving on port 80")?;
    let curl = "curl -sS --max-time 50";
    let told = lab.sh(&format!("{curl} -i http://10.0.2.50/"))?;
    ensure!(
        told.starts_with("HTTP/1.1 200 ") && told.ends_with("<p>here</p>"),
        "{told}"
    );
    let told = lab.sh(&format!(
        "cd / && {curl} -o whole http://10.0.2.50/in/file.bin && cmp whole archive-0/in/file.bin && echo same; \
         {curl} -r 499000- -o rest -D head http://10.0.2.50/in/file.bin; cat head; \
         tail -c 1000 whole | cmp - rest && echo same"
    ))?;
    ensure!(
        told.matches("same\n").count() == 2
            && told.contains("HTTP/1.1 206 ")
            && told.contains("bytes 499000-499999/500000"),
        "{told}"
    );
    let told = lab.sh(&format!("{curl} -i http://10.0.2.50/none"))?;
    ensure!(told.starts_with("HTTP/1.1 404 "), "{told}");
    Ok(())
}

/// A guest that writes what passes onto a disk of its own.
fn onto_a_disk(lab: &Lab<'_>, disk: ArchiveDisk<'_>) -> Result<()> {
    let device = disk.device();
    let changes = Changes {
        disks: Some(vec![format!(
            "vdev=xvdc,format=raw,access=rw,target={device}"
        )]),
        extra: format!("{ADDRESS_WORDS} pcap=xvdc"),
        ..Changes::default()
    };
    let guest = lab.guest_with("guest-echo", &changes)?;
    guest.create(lab)?;
    lab.expect_line(&guest, "serving")?;
    let told =
        lab.sh("curl -sS --max-time 50 --data-binary hello http://10.0.2.50/cgi-bin/echo")?;
    ensure!(told == "hello", "{told}");
    guest.shut_down(lab, PATIENCE)?;
    lab.sh(&format!("dd if={device} of=/own bs=1M"))?;
    passed(lab, "/own", &[])
}

/// Whether tcpdump finds a connection to the guest, from its first packet to its last, with good checksums, and what else there must be.
fn passed(lab: &Lab<'_>, file: &str, more: &[&str]) -> Result<()> {
    let told = lab.sh(&format!("tcpdump -Z root -nvr {file} 2>&1"))?;
    let wanted = [
        "> 10.0.2.50.80: Flags [S]",
        "10.0.2.50.80 > ",
        "Flags [F",
        "HTTP/1.1 200 OK",
    ];
    for text in wanted.iter().chain(more) {
        ensure!(told.contains(text), "no {text:?} in {file}:\n{told}");
    }
    ensure!(
        !told.contains("incorrect") && !told.contains("truncated"),
        "{told}"
    );
    Ok(())
}
