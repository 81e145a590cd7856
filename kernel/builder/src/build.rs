//! Building a domain, step by step.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::mem::offset_of;

use morgana_abi::grant_table::{RESERVED_CONSOLE, RESERVED_XENSTORE};
use morgana_abi::shared_info::{SharedInfo, VcpuInfo};
use morgana_hal::{
    DomId, GrantRef, Mfn, NewDomain, PAGE_SIZE, Pages, Pfn, Port, SharedRegion, Start, Toolstack,
    ToolstackError,
};

use crate::contents::{COMMAND_LINE_BYTES, Contents, Sink};
use crate::image::Image;
use crate::layout::{Layout, LayoutError};

/// What a domain may have over what it is built with, in pages: what libxl gives, too (1 MiB).
const SLACK: u64 = 256;

/// Processors whose state is in the page shared with Xen (`XEN_LEGACY_MAX_VCPUS`).
const SHARED_VCPUS: usize = 32;

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

/// A domain with memory and with ports for its rings, in which nothing is yet. Dropping it ends the domain.
pub struct Shell<'a, T: Toolstack> {
    domain: Domain<'a, T>,
    frames: Vec<Mfn>,
    xenstore_port: Port,
    console_port: Port,
    xenstored: DomId,
    xenconsoled: DomId,
}

/// A domain that ends when this is dropped.
pub struct Domain<'a, T: Toolstack> {
    toolstack: &'a T,
    id: DomId,
}

impl<T: Toolstack> Domain<'_, T> {
    /// Which one it is.
    pub fn id(&self) -> DomId {
        self.id
    }

    /// Lets the domain live on.
    pub fn keep(self) -> DomId {
        let id = self.id;
        core::mem::forget(self);
        id
    }
}

impl<T: Toolstack> Drop for Domain<'_, T> {
    fn drop(&mut self) {
        // Who drops it gives up anyway. Xen has the domain listed for as long as it is not gone.
        let _ = self.toolstack.destroy(self.id);
    }
}

impl<'a, T: Toolstack> Shell<'a, T> {
    /// Makes a domain, its memory and its ports. Of what is wanted the command line does not matter yet.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub fn new(toolstack: &'a T, wanted: &Wanted<'_>) -> Result<Self, BuildError> {
        let new = NewDomain {
            handle: wanted.handle,
            vcpus: 1,
            max_pages: wanted.pages + SLACK,
            max_port: wanted.max_port,
        };
        let id = toolstack.create(&new).map_err(at(Step::Create))?;
        let domain = Domain { toolstack, id };
        let pages =
            usize::try_from(wanted.pages).map_err(|_| BuildError::Layout(LayoutError::TooLarge))?;
        let mut frames = vec![Mfn::new(0); pages];
        toolstack
            .populate(id, &mut frames)
            .map_err(at(Step::Populate))?;
        let listen = |peer| toolstack.listen_for(id, peer).map_err(at(Step::Listen));
        Ok(Self {
            xenstore_port: listen(wanted.xenstored)?,
            console_port: listen(wanted.xenconsoled)?,
            domain,
            frames,
            xenstored: wanted.xenstored,
            xenconsoled: wanted.xenconsoled,
        })
    }

    /// Which domain it is.
    pub fn domain(&self) -> DomId {
        self.domain.id
    }

    /// Fills the domain. It does not run yet: the guard is to be kept when all is done that must be before.
    ///
    /// # Errors
    ///
    /// [`BuildError`]; the domain is gone then.
    pub fn fill(
        self,
        image: &Image,
        layout: &Layout,
        command_line: &[u8],
    ) -> Result<(Built, Domain<'a, T>), BuildError> {
        if command_line.len() > COMMAND_LINE_BYTES || command_line.contains(&0) {
            return Err(BuildError::CommandLine);
        }
        let (toolstack, id) = (self.domain.toolstack, self.domain.id);
        let info = toolstack.info(id).map_err(at(Step::Look))?;
        let info = info.ok_or(BuildError::Step(Step::Look, ToolstackError::NoSuchDomain))?;
        let contents = Contents {
            frames: &self.frames,
            shared_info: info.shared_info,
            xenstore_port: self.xenstore_port,
            console_port: self.console_port,
            command_line,
        };
        let written = layout.written();
        let frames = &self.frames[written.start as usize..written.end as usize];
        let pages = toolstack.map(id, frames).map_err(at(Step::Map))?;
        let mut sink = MappedPages {
            region: pages.region(),
            first: written.start * PAGE_SIZE as u64,
        };
        contents.emit(image, layout, &mut sink);
        // No page table may be mapped when Xen takes it as one.
        drop(pages);
        self.connect(info.shared_info, image, layout)?;
        let built = Built {
            domain: id,
            xenstore_frame: self.frame(layout.xenstore),
            xenstore_port: self.xenstore_port,
            console_frame: self.frame(layout.console),
            console_port: self.console_port,
        };
        Ok((built, self.domain))
    }

    /// All but the contents.
    fn connect(&self, shared_info: Mfn, image: &Image, layout: &Layout) -> Result<(), BuildError> {
        let (toolstack, id) = (self.domain.toolstack, self.domain.id);
        if let Some(page) = image.hypercall_page() {
            toolstack
                .write_hypercall_page(id, self.frame(page))
                .map_err(at(Step::HypercallPage))?;
        }
        let root = self.frame(Pfn::new(layout.tables.start));
        toolstack.pin(id, root).map_err(at(Step::Pin))?;
        let shared = toolstack.map(id, &[shared_info]).map_err(at(Step::Map))?;
        mask_upcalls(shared.region());
        drop(shared);
        let grants = [
            (RESERVED_CONSOLE, self.xenconsoled, layout.console),
            (RESERVED_XENSTORE, self.xenstored, layout.xenstore),
        ];
        let grants = grants
            .map(|(reference, peer, page)| (GrantRef::new(reference), peer, self.frame(page)));
        toolstack.grant(id, &grants).map_err(at(Step::Grant))?;
        let start = Start {
            entry: image.entry(),
            stack: layout.address(layout.stack) + PAGE_SIZE as u64,
            argument: layout.address(layout.start_info),
            root,
        };
        toolstack.start_at(id, 0, &start).map_err(at(Step::Start))
    }

    fn frame(&self, page: Pfn) -> Mfn {
        // The layout names no page that the domain does not have.
        self.frames[page.number() as usize]
    }
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
        Shell::new(toolstack, wanted)?.fill(self, &layout, wanted.command_line)
    }
}

/// No processor is called until it says that it is ready (xen.h, `evtchn_upcall_mask`).
fn mask_upcalls(region: &SharedRegion) {
    for vcpu in 0..SHARED_VCPUS {
        let info = offset_of!(SharedInfo, vcpu_info) + vcpu * size_of::<VcpuInfo>();
        region.write(info + offset_of!(VcpuInfo, evtchn_upcall_mask), &[1]);
    }
}

/// Mapped pages as a sink.
struct MappedPages<'a> {
    region: &'a SharedRegion,
    /// The pseudo-physical address of the first.
    first: u64,
}

impl MappedPages<'_> {
    fn offset(&self, at: u64) -> usize {
        // Contents stay in the layout's pages, all of which are mapped.
        (at - self.first) as usize
    }
}

impl Sink for MappedPages<'_> {
    fn write(&mut self, at: u64, bytes: &[u8]) {
        self.region.write(self.offset(at), bytes);
    }

    fn zero(&mut self, at: u64, len: u64) {
        const ZEROS: [u8; PAGE_SIZE] = [0; PAGE_SIZE];
        let mut done = 0;
        while done < len {
            let step = (len - done).min(PAGE_SIZE as u64);
            self.write(at + done, &ZEROS[..step as usize]);
            done += step;
        }
    }
}

fn at(step: Step) -> impl Fn(ToolstackError) -> BuildError {
    move |error| BuildError::Step(step, error)
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

impl<T: Toolstack> fmt::Debug for Domain<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Domain").field(&self.id).finish()
    }
}

impl<T: Toolstack> fmt::Debug for Shell<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell")
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}
