//! The pages of a vchan: a server's are its own, a client's are mapped.

use morgana_hal::{Memory, Pages, Platform, SharedRegion};

/// Pages of either kind.
pub(crate) enum Shared<P: Platform> {
    Own(<P::Memory as Memory>::Shared),
    Mapped(<P::Memory as Memory>::Imported),
}

impl<P: Platform> Shared<P> {
    pub(crate) fn region(&self) -> &SharedRegion {
        match self {
            Self::Own(pages) => pages.region(),
            Self::Mapped(pages) => pages.region(),
        }
    }
}
