//! A guest's network interface, recorded in dom0: tcpdump at the back end's side, its output straight into a file of the host.

use std::io::{self, Write};

use anyhow::{Result, bail};
use morgana_netif::{Offload, TxChecksum, blank_or_complete, complete};

use super::agent::Deadline;
use super::guest::Guest;
use super::handle::Testbed;

/// What dom0 needs for it.
const PACKAGE: &str = "tcpdump";

impl Guest {
    /// Waits until the guest is there, which was created paused, begins to record its first network interface, lets it run, and records until it has
    /// ended. In `out` are whole packets at all times.
    pub(crate) fn record(&self, testbed: &Testbed, out: &mut (dyn Write + Send)) -> Result<()> {
        let (name, over) = (self.name(), self.over());
        let told = format!("/run/testbed/pcap.{name}");
        // tcpdump wants an interface that is up (IFF_UP, the lowest bit of its flags), which the script of xl makes it a while after it is there.
        // -U: each packet at once. Nothing of it is looked up, and nobody is changed to: that user is not there.
        let script = format!(
            "until id=$(xl domid {name} 2>/dev/null) && grep -q '[13579bdf]$' /sys/class/net/vif$id.0/flags 2>/dev/null; do [ -e {over} ] && exit 0; sleep 0.1; done\n\
             tcpdump -Z root -n -U -s 65535 -i vif$id.0 -w - 2>{told} & recorder=$!\n\
             until grep -q listening {told}; do kill -0 $recorder 2>/dev/null || {{ cat {told} >&2; break; }}; sleep 0.05; done\n\
             xl unpause {name}\n\
             while kill -0 $recorder 2>/dev/null && ! [ -e {over} ]; do sleep 0.1; done\n\
             kill $recorder 2>/dev/null; wait $recorder; grep -q listening {told}"
        );
        let mut err = Vec::new();
        let mut whole = Whole::new(out);
        let status = testbed.run(&script, Deadline::never(), &mut whole, &mut err)?;
        if status != 0 {
            let said = String::from_utf8_lossy(&err);
            bail!("nothing was recorded of {name}: {}", said.trim());
        }
        Ok(())
    }

    /// Adds to dom0 what recording needs.
    pub(crate) fn prepare_recording(testbed: &Testbed) -> Result<()> {
        testbed.add_packages(&[PACKAGE.to_owned()])
    }
}

/// Passes a capture on (draft-ietf-opsawg-pcap) packet by packet. Checksums that a sender has left to whoever takes the packet out of the machine are completed, since
/// those who read the capture would find them wrong.
struct Whole<'a> {
    out: &'a mut (dyn Write + Send),
    held: Vec<u8>,
    begun: Begun,
}

/// Whether the file's header has passed.
#[derive(PartialEq, Eq)]
enum Begun {
    Not,
    Yes,
}

/// The header of a file, and of a packet; in the latter, where its length is.
const FILE_HEADER: usize = 24;
const PACKET_HEADER: usize = 16;
const LENGTH: usize = 8;

impl<'a> Whole<'a> {
    fn new(out: &'a mut (dyn Write + Send)) -> Self {
        Self {
            out,
            held: Vec::new(),
            begun: Begun::Not,
        }
    }

    /// How long the next whole piece is, if it is there.
    fn next(&self) -> Option<usize> {
        let len = match self.begun {
            Begun::Not => FILE_HEADER,
            Begun::Yes => {
                let length = self.held.get(LENGTH..LENGTH + 4)?.try_into().ok()?;
                PACKET_HEADER + u32::from_le_bytes(length) as usize
            }
        };
        (self.held.len() >= len).then_some(len)
    }
}

impl Write for Whole<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(len) = self.next() {
            let piece = &mut self.held[..len];
            if self.begun == Begun::Yes {
                finish(&mut piece[PACKET_HEADER..]);
            }
            self.begun = Begun::Yes;
            self.out.write_all(piece)?;
            self.held.drain(..len);
            at += len;
        }
        if at > 0 {
            self.out.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Completes a frame's checksum if it is blank.
fn finish(frame: &mut [u8]) {
    let mut blank = frame.to_vec();
    let is_one = blank_or_complete(&mut blank, Offload::Both) == TxChecksum::Blank;
    if is_one && blank == frame {
        // It is one, so there is something to complete.
        let _ = complete(frame);
    }
}
