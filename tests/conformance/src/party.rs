//! One of the two domains.

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use morgana_exec::Handle;
use morgana_hal::{DomId, Platform};
use morgana_xenstore_client::{Client, Watch};

use crate::Failure;
use crate::scene::hear;

/// Which of the two domains this is. Most checks are about what the subject sees; the peer does what it takes to see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The one whose platform is looked at.
    Subject,
    /// The other.
    Peer,
}

impl Role {
    /// The other role.
    pub const fn other(self) -> Self {
        match self {
            Self::Subject => Self::Peer,
            Self::Peer => Self::Subject,
        }
    }

    /// Its name, as it stands in xenstore and on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Peer => "peer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownRole;

impl fmt::Display for UnknownRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the role is neither subject nor peer")
    }
}

impl core::error::Error for UnknownRole {}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        [Self::Subject, Self::Peer]
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or(UnknownRole)
    }
}

/// Where the two domains meet, and as what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meeting {
    /// A node that both may write, and that nobody has used before.
    pub root: String,
    /// What this one is.
    pub role: Role,
    /// A domain that exists and is neither of the two.
    pub stranger: DomId,
}

/// One of the two domains, after it has found the other.
pub struct Party<P> {
    pub(crate) platform: P,
    pub(crate) tasks: Handle,
    pub(crate) client: Client,
    pub(crate) meeting: Meeting,
    pub(crate) own: DomId,
    pub(crate) peer: DomId,
    /// The other's last words, if it fails.
    pub(crate) last_words: Watch,
}

impl<P: Platform> Party<P> {
    /// Finds the other.
    ///
    /// # Errors
    ///
    /// A [`Failure`] if xenstore does not let it, or the other is not there in time.
    pub async fn join(
        platform: P,
        tasks: &Handle,
        client: Client,
        meeting: Meeting,
    ) -> Result<Self, Failure> {
        let own: u16 = client.read_number("domid").await?;
        let Meeting { root, role, .. } = &meeting;
        let last_words = client.watch(&failed_path(root)).await?;
        client
            .write(&domain_path(root, *role), format!("{own}"))
            .await?;
        let theirs = domain_path(root, role.other());
        let peer = hear(&client, tasks, &last_words, root, &theirs).await?;
        Ok(Self {
            platform,
            tasks: tasks.clone(),
            client,
            own: DomId::new(own),
            peer: DomId::new(peer),
            last_words,
            meeting,
        })
    }

    /// Its own id.
    pub fn own(&self) -> DomId {
        self.own
    }

    /// The other's.
    pub fn peer(&self) -> DomId {
        self.peer
    }

    /// Tells the other that there is no sense in going on.
    pub(crate) async fn give_up(&self, why: &str) {
        let path = failed_path(&self.meeting.root);
        // Whoever does not hear it gives up by itself, later.
        let _ = self
            .client
            .write(&path, format!("{}: {why}", self.meeting.role))
            .await;
    }
}

impl<P> fmt::Debug for Party<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Party")
            .field("meeting", &self.meeting)
            .field("own", &self.own)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

pub(crate) fn failed_path(root: &str) -> String {
    format!("{root}/failed")
}

fn domain_path(root: &str, role: Role) -> String {
    format!("{root}/{role}/domain")
}
