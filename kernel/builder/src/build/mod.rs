//! Building a domain, step by step.

mod guard;
mod mapped;
mod shell;

use core::fmt;

use morgana_hal::{DomId, Mfn, Port, Toolstack, ToolstackError};

use crate::image::Image;
use crate::layout::{Layout, LayoutError};

pub use guard::Domain;
use shell::check_command_line;
pub use shell::{Shell, set_command_line};

/// A domain to be built.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its UUID.
    pub handle: [u8; 16],
    /// Its memory, in pages of 4 KiB.
    pub pages: u64,
    /// The highest event channel port that it may have.
    pub max_port: Port,
    /// Its command line, without zero bytes.
    pub command_line: &'a [u8],
    /// The domain of xenstored.
    pub xenstored: DomId,
    /// The domain of the console daemon.
    pub xenconsoled: DomId,
}

/// A domain that was built and is still paused. Whoever lets it run has to tell xenstored of its ring before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Built {
    /// Which one it is.
    pub domain: DomId,
    /// The frame of its `start_info`, which has its command line ([`set_command_line`](crate::set_command_line)).
    pub start_info_frame: Mfn,
    /// The frame of its ring of xenstore.
    pub xenstore_frame: Mfn,
    /// The port of that ring.
    pub xenstore_port: Port,
    /// The frame of its console's ring.
    pub console_frame: Mfn,
    /// The port of that ring.
    pub console_port: Port,
}

/// Something that can fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Making the domain.
    Create,
    /// Giving it memory.
    Populate,
    /// Making the ports of its rings.
    Listen,
    /// Asking Xen about it.
    Look,
    /// Mapping its memory, to write what it starts with.
    Map,
    /// Having Xen write the hypercalls.
    HypercallPage,
    /// Having Xen check its page tables.
    Pin,
    /// Granting its rings to the daemons.
    Grant,
    /// Setting how its processor starts.
    Start,
}

/// Why no domain was built. Nothing is left of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BuildError {
    /// The image does not fit the memory.
    Layout(LayoutError),
    /// The command line has more than 1,023 bytes, or a zero in it.
    CommandLine,
    /// A step failed.
    Step(Step, ToolstackError),
}

impl Image {
    /// Builds a domain of this image. It is paused; dropping the guard ends it.
    ///
    /// # Errors
    ///
    /// [`BuildError`]; nothing is left of the domain then.
    pub fn build<'a, T: Toolstack>(
        &self,
        toolstack: &'a T,
        wanted: &Wanted<'_>,
    ) -> Result<(Built, Domain<'a, T>), BuildError> {
        let layout = Layout::new(self, wanted.pages).map_err(BuildError::Layout)?;
        check_command_line(wanted.command_line)?;
        Shell::new(toolstack, wanted)?.fill(self, &layout, wanted.command_line)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "making the domain",
            Self::Populate => "giving it memory",
            Self::Listen => "making its event channels",
            Self::Look => "asking Xen about it",
            Self::Map => "mapping its memory",
            Self::HypercallPage => "writing its hypercall page",
            Self::Pin => "checking its page tables",
            Self::Grant => "granting its rings",
            Self::Start => "setting its processor",
        })
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout(error) => error.fmt(f),
            Self::CommandLine => {
                f.write_str("a command line has at most 1,023 bytes, none of which is zero")
            }
            Self::Step(step, error) => write!(f, "{step}: {error}"),
        }
    }
}

impl core::error::Error for BuildError {}
