//! A domain that has all but its contents.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::mem::offset_of;

use morgana_abi::grant_table::{RESERVED_CONSOLE, RESERVED_XENSTORE};
use morgana_abi::start_info::StartInfo;
use morgana_hal::{
    DomId, GrantRef, Mfn, NewDomain, PAGE_SIZE, Pages, Pfn, Port, Start, Toolstack, ToolstackError,
};

use super::guard::Domain;
use super::mapped::{MappedPages, mask_upcalls};
use super::{BuildError, Built, Step, Wanted};
use crate::contents::{COMMAND_LINE_BYTES, Contents};
use crate::image::Image;
use crate::layout::{Layout, LayoutError};

/// What a domain may have over what it is built with, in pages: what libxl gives, too (1 MiB).
const SLACK: u64 = 256;

/// A domain with memory and with ports for its rings, in which nothing is yet. Dropping it ends the domain.
pub struct Shell<'a, T: Toolstack> {
    domain: Domain<'a, T>,
    frames: Vec<Mfn>,
    xenstore_port: Port,
    console_port: Port,
    xenstored: DomId,
    xenconsoled: DomId,
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
        check_command_line(command_line)?;
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
            start_info_frame: self.frame(layout.start_info),
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

/// Gives a domain that has not run yet another command line; `frame` is that of its `start_info`.
///
/// # Errors
///
/// [`BuildError`].
pub fn set_command_line(
    toolstack: &impl Toolstack,
    domain: DomId,
    frame: Mfn,
    command_line: &[u8],
) -> Result<(), BuildError> {
    check_command_line(command_line)?;
    let page = toolstack.map(domain, &[frame]).map_err(at(Step::Map))?;
    let mut line = [0; COMMAND_LINE_BYTES + 1];
    line[..command_line.len()].copy_from_slice(command_line);
    page.region().write(offset_of!(StartInfo, cmd_line), &line);
    Ok(())
}

/// Whether a guest would see all of it.
pub(super) fn check_command_line(line: &[u8]) -> Result<(), BuildError> {
    match line.len() <= COMMAND_LINE_BYTES && !line.contains(&0) {
        true => Ok(()),
        false => Err(BuildError::CommandLine),
    }
}

fn at(step: Step) -> impl Fn(ToolstackError) -> BuildError {
    move |error| BuildError::Step(step, error)
}

impl<T: Toolstack> fmt::Debug for Shell<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell")
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}
