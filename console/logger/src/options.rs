//! What a logger may be told at its making.

use alloc::vec::Vec;

use morgana_hal::DomId;

/// Limits, and who may read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// How fast a domain may send.
    pub rate: Rate,
    /// Connections at once. Each takes a watch on xenstore, and up to 33 mapped pages.
    pub connections: usize,
    /// Connections of one domain at once; the control domain may have half of all, if that is more.
    pub of_a_domain: usize,
    /// Whose records are kept.
    pub senders: Peers,
    /// Who may read others' records. Each domain may read its own.
    pub readers: Peers,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rate: Rate::default(),
            connections: 48,
            of_a_domain: 4,
            senders: Peers::All,
            readers: Peers::Control,
        }
    }
}

/// How fast a domain may send records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Bytes of records a second, in the long run. 0 is no limit.
    pub bytes_a_second: u32,
    /// What a domain that was silent may send at once, in bytes.
    pub burst: u32,
}

impl Default for Rate {
    /// 64 KiB a second, and 256 KiB at once.
    fn default() -> Self {
        Self {
            bytes_a_second: 64 << 10,
            burst: 256 << 10,
        }
    }
}

/// Who may do something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Peers {
    /// The control domain only.
    Control,
    /// All domains.
    All,
    /// The control domain and these.
    These(Vec<DomId>),
}

impl Peers {
    /// Whether this domain may.
    pub(crate) fn allow(&self, domain: DomId) -> bool {
        domain == DomId::DOM0
            || match self {
                Self::Control => false,
                Self::All => true,
                Self::These(domains) => domains.contains(&domain),
            }
    }
}
