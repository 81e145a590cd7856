//! Domains that somebody is in the middle of making or ending: who is killed then finds them at the next start.

use alloc::format;
use alloc::string::ToString;

use morgana_exec::{join, join_all};
use morgana_hal::{Activity, DomainInfo, Toolstack};
use morgana_xenstore_client::{Error, text};

use super::Host;
use crate::error::HostError;
use crate::nodes;
use crate::outlets::Outlets;
use crate::uuid::Uuid;

impl<T: Toolstack, O: Outlets> Host<T, O> {
    /// Notes in xenstore that `owner` is about to make a domain of this UUID. The note lives as long as domains do: until the machine ends.
    ///
    /// # Errors
    ///
    /// [`HostError`]; the domain is not to be made then.
    pub async fn note(&self, owner: &str, uuid: Uuid) -> Result<(), HostError> {
        Ok(self.client.write(&nodes::unfinished(uuid), owner).await?)
    }

    /// Takes the note back: the domain is made, or nothing is left of it.
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn finished(&self, uuid: Uuid) -> Result<(), HostError> {
        Ok(self.forget(&nodes::unfinished(uuid)).await?)
    }

    async fn forget(&self, path: &str) -> Result<(), Error> {
        match self.client.remove(path).await {
            Err(error) if error.is_not_found() => Ok(()),
            removed => removed,
        }
    }

    /// Takes its name from a domain that runs no more, so that another one can have it, and notes that `owner` is ending it. If nothing is left of it by now, nothing happens.
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn unname(&self, owner: &str, info: &DomainInfo) -> Result<(), HostError> {
        let uuid = Uuid::from_bytes(info.handle);
        let (home, vm) = (nodes::home(info.domain), format!("/vm/{uuid}"));
        let paths = [format!("{home}/name"), format!("{vm}/name")];
        let unnamed = self.client.transaction(async |tree| {
            // Whoever else ends it may have removed its nodes, and its number may be another's.
            if tree.read(&format!("{home}/vm")).await? != vm.as_bytes() {
                return Ok(());
            }
            let noted = nodes::unfinished(uuid);
            // Somebody waits for the name: all is asked at once.
            let (noted, removed) = join(
                tree.write(&noted, owner),
                join_all(paths.iter().map(|path| tree.remove(path))),
            )
            .await;
            let mut removed = removed.into_iter();
            noted.and(removed.try_for_each(|removed| removed.or_else(nodes::none)))
        });
        unnamed.await.or_else(nodes::none)?;
        self.names.forget(info.domain);
        Ok(())
    }

    /// Ends what `owner` has left when it was killed: domains that it had not finished to make, and those that it was ending. Of some something may be left for a while. Tells how many there were.
    ///
    /// # Errors
    ///
    /// [`HostError`] of the first that could not be ended.
    pub async fn end_unfinished(&self, owner: &str) -> Result<usize, HostError> {
        let noted = match self.client.children(nodes::UNFINISHED).await {
            Err(error) if error.is_not_found() => return Ok(0),
            noted => noted?,
        };
        let infos = self.toolstack.list()?;
        let mut ended = 0;
        for uuid in noted {
            let path = format!("{}/{uuid}", nodes::UNFINISHED);
            if text(&path, self.client.read(&path).await).as_deref() != Ok(owner) {
                continue;
            }
            let mut all = infos.iter();
            let found = all.find(|info| Uuid::from_bytes(info.handle).to_string() == uuid);
            if let Some(info) = found
                && self.is_unfinished(info).await?
            {
                match self.end(info.domain).await {
                    Ok(_) => ended += 1,
                    // It came to its end meanwhile.
                    Err(HostError::NoSuchDomain) => {}
                    Err(error) => return Err(error),
                }
            }
            self.forget(&path).await?;
        }
        Ok(ended)
    }

    /// Whether a domain that is noted has never run and does not wait to be taken, or runs no more and has no name.
    async fn is_unfinished(&self, info: &DomainInfo) -> Result<bool, HostError> {
        let lacks = async |path: &str| match self.client.read(path).await {
            Err(error) if error.is_not_found() => Ok(true),
            read => read.map(|_| false),
        };
        Ok(match info.activity {
            Activity::Paused if info.cpu_time_ns == 0 => lacks(&nodes::ahead(info.domain)).await?,
            Activity::ShutDown(_) | Activity::Dying => {
                lacks(&format!("{}/name", nodes::home(info.domain))).await?
            }
            _ => false,
        })
    }
}
