//! What domains forgot to give back.

use core::fmt;

use morgana_hal::{DomId, GrantRef, Port};

/// One thing that is still in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leftover {
    /// A domain still grants a page.
    Grant {
        /// Whose page.
        domain: DomId,
        /// Who may use it.
        peer: DomId,
        /// By which reference.
        grant: GrantRef,
    },
    /// A domain gave a page back while the peer still mapped it.
    QuarantinedPage {
        /// Whose page.
        domain: DomId,
        /// Who maps it.
        peer: DomId,
        /// By which reference.
        grant: GrantRef,
    },
    /// A domain still maps a peer's page.
    Mapping {
        /// Who maps.
        domain: DomId,
        /// Whose page.
        peer: DomId,
        /// By which reference.
        grant: GrantRef,
    },
    /// A port is still open.
    Port {
        /// Whose port.
        domain: DomId,
        /// Its number.
        port: Port,
    },
    /// A domain's page is in use, but granted to nobody.
    Page {
        /// Whose page.
        domain: DomId,
        /// The how many-th of its pages.
        page: usize,
    },
    /// A domain's main function has returned, but values that belong to the domain are still alive somewhere, so it goes on.
    Undead {
        /// Which.
        domain: DomId,
    },
    /// A domain is no more, but peers still map pages of it.
    DeadDomain {
        /// Which.
        domain: DomId,
        /// How many pages.
        mapped_pages: usize,
    },
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant {
                domain,
                peer,
                grant,
            } => write!(f, "{domain} still grants {grant} to {peer}"),
            Self::QuarantinedPage {
                domain,
                peer,
                grant,
            } => write!(f, "{domain} gave {grant} back, but {peer} still maps it"),
            Self::Mapping {
                domain,
                peer,
                grant,
            } => write!(f, "{domain} still maps {grant} of {peer}"),
            Self::Port { domain, port } => write!(f, "{domain} still has {port} open"),
            Self::Page { domain, page } => {
                write!(f, "{domain} uses its page {page}, but grants it to nobody")
            }
            Self::Undead { domain } => {
                write!(f, "{domain} has ended, but something of it is still alive")
            }
            Self::DeadDomain {
                domain,
                mapped_pages,
            } => write!(
                f,
                "{domain} is dead, but peers still map {mapped_pages} pages of it"
            ),
        }
    }
}

/// All that is still in use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leftovers(Vec<Leftover>);

impl Leftovers {
    pub(crate) fn new(found: Vec<Leftover>) -> Self {
        Self(found)
    }

    /// Whether nothing is left over.
    pub fn is_clean(&self) -> bool {
        self.0.is_empty()
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Leftover> {
        self.0.iter()
    }
}

impl fmt::Display for Leftovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return f.write_str("nothing is left over");
        }
        for (number, leftover) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{leftover}")?;
        }
        Ok(())
    }
}
