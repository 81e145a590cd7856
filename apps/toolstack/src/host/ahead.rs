//! Domains that are built ahead: all of them is there, and they need but a name, a command line and to be let run.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use morgana_builder::{BuildError, COMMAND_LINE_BYTES, Image, set_command_line};
use morgana_exec::join;
use morgana_hal::{Activity, DomId, Mfn, Toolstack, WallTime};
use morgana_xenstore_client::{Error, Tree, text};

use super::Host;
use crate::config::{Config, DiskAccess};
use crate::error::HostError;
use crate::nodes;
use crate::outlets::Outlets;
use crate::uuid::Uuid;

/// A domain that was built ahead, by its node.
struct Ahead {
    domain: DomId,
    uuid: String,
    start_info: Mfn,
}

impl<T: Toolstack, O: Outlets> Host<T, O> {
    /// Makes a domain that waits for [`take`](Self::take). The disks that it could write it gets only then: another domain may have them until that begins. `kind` is what it will be asked for by: one word, the same for what is made of the same image in the same way.
    ///
    /// # Errors
    ///
    /// [`HostError`]; nothing is left of the domain then.
    pub async fn prepare(
        &self,
        kind: &str,
        config: &Config,
        image: &Image,
        uuid: Uuid,
        now: WallTime,
    ) -> Result<DomId, HostError> {
        let mut config = config.clone();
        config.name = format!("{}.ahead.{uuid}", config.name);
        config
            .disks
            .retain(|disk| disk.access == DiskAccess::ReadOnly);
        let (built, domain) = self.make(&config, image, uuid, now).await?;
        let value = format!("{kind} {uuid} {}", built.start_info_frame.number());
        let path = nodes::ahead(built.domain);
        self.finish(domain, uuid, async {
            Ok(self.client.write(&path, value).await?)
        })
        .await
    }

    /// Lets a domain run that was built ahead, with the name, the command line and the disks to be written of this configuration; `None` if there is none of this kind, whether or not the name is in use.
    ///
    /// # Errors
    ///
    /// [`HostError`]; the domain is ended then.
    pub async fn take(&self, kind: &str, config: &Config) -> Result<Option<DomId>, HostError> {
        let line = config.extra.as_bytes();
        // For a mistake of who asks none of those that wait is spoilt.
        if line.len() > COMMAND_LINE_BYTES || line.contains(&0) {
            return Err(HostError::Build(BuildError::CommandLine));
        }
        // Mostly there are none: that is to be told at once.
        let there = self.ahead().await?;
        if there.is_empty() {
            return Ok(None);
        }
        if let Some(domain) = self.called(&config.name).await? {
            return Err(HostError::NameInUse(domain));
        }
        let taken = self
            .client
            .transaction(async |tree| self.take_one(tree, &there, kind, &config.name).await)
            .await?;
        let Some(ahead) = taken else {
            return Ok(None);
        };
        let domain = ahead.domain;
        self.names.forget(domain);
        let started = async {
            self.give_disks(domain, config).await?;
            set_command_line(&self.toolstack, domain, ahead.start_info, line)?;
            Ok(self.toolstack.unpause(domain)?)
        };
        if let Err(error) = started.await {
            // What went wrong first is what is told.
            let _ = self.destroy(domain).await;
            return Err(error);
        }
        Ok(Some(domain))
    }

    /// How many domains of this kind wait for [`take`](Self::take).
    ///
    /// # Errors
    ///
    /// [`HostError`].
    pub async fn waiting(&self, kind: &str) -> Result<usize, HostError> {
        let domains = self.ahead().await?;
        let paths: Vec<String> = domains.iter().map(|&domain| nodes::ahead(domain)).collect();
        let values = self.client.read_each(&paths).await;
        let told = domains.iter().zip(paths.iter().zip(values));
        let ahead = told.filter_map(|(&domain, (path, value))| {
            let value = text(path, value).ok()?;
            parse(domain, &value, kind)
        });
        Ok(ahead.filter(|ahead| self.waits(ahead)).count())
    }

    /// Ends all domains of this kind that wait for [`take`](Self::take).
    ///
    /// # Errors
    ///
    /// [`HostError`] of the first that could not be ended.
    pub async fn discard(&self, kind: &str) -> Result<(), HostError> {
        loop {
            let there = self.ahead().await?;
            let claimed = self
                .client
                .transaction(async |tree| {
                    let found = self.find_one(tree, &there, kind).await?;
                    if let Some(ahead) = &found {
                        nodes::remove_ahead(tree, ahead.domain).await?;
                    }
                    Ok::<_, Error>(found)
                })
                .await?;
            match claimed {
                None => return Ok(()),
                Some(ahead) => self.destroy(ahead.domain).await?,
            }
        }
    }

    /// Gives a domain that waits the disks that it could write.
    async fn give_disks(&self, domain: DomId, config: &Config) -> Result<(), HostError> {
        let disks = config.disks.iter();
        let disks = disks.filter(|disk| disk.access == DiskAccess::ReadWrite);
        let (devices, held) = self.disks(disks).await?;
        if devices.is_empty() {
            return Ok(());
        }
        nodes::write_devices(&self.client, domain, &devices).await?;
        self.connect(domain, &devices, &held).await
    }

    /// Those of all kinds that have a node.
    async fn ahead(&self) -> Result<Vec<DomId>, Error> {
        let listed = match self.client.children(nodes::AHEAD).await {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            listed => listed?,
        };
        let numbers = listed.iter().filter_map(|number| number.parse().ok());
        Ok(numbers.map(DomId::new).collect())
    }

    /// Takes the node of one of these away, so that nobody else has it, and names it.
    async fn take_one(
        &self,
        tree: &Tree,
        there: &[DomId],
        kind: &str,
        name: &str,
    ) -> Result<Option<Ahead>, Error> {
        let Some(ahead) = self.find_one(tree, there, kind).await? else {
            return Ok(None);
        };
        let names = [
            format!("{}/name", nodes::home(ahead.domain)),
            format!("/vm/{}/name", ahead.uuid),
        ];
        let names = names.map(|path| (path, name.to_string()));
        // Nobody waits for the answer to one before the next one goes.
        let removing = nodes::remove_ahead(tree, ahead.domain);
        let (named, removed) = join(tree.write_each(&names), removing).await;
        named.and(removed)?;
        Ok(Some(ahead))
    }

    /// One of these that waits. The nodes of those that do no more are removed.
    async fn find_one(
        &self,
        tree: &Tree,
        there: &[DomId],
        kind: &str,
    ) -> Result<Option<Ahead>, Error> {
        for &domain in there {
            let Ok(value) = tree.read_text(&nodes::ahead(domain)).await else {
                continue;
            };
            let Some(ahead) = parse(domain, &value, kind) else {
                continue;
            };
            if self.waits(&ahead) {
                return Ok(Some(ahead));
            }
            // Somebody has ended it; its number may be another's by now.
            nodes::remove_ahead(tree, domain).await?;
        }
        Ok(None)
    }

    /// Whether it is there, and still paused.
    fn waits(&self, ahead: &Ahead) -> bool {
        let info = self.toolstack.info(ahead.domain);
        info.ok().flatten().is_some_and(|info| {
            let uuid = Uuid::from_bytes(info.handle).to_string();
            uuid == ahead.uuid && info.activity == Activity::Paused
        })
    }
}

/// What its node says, if it is of this kind.
fn parse(domain: DomId, value: &str, kind: &str) -> Option<Ahead> {
    let mut words = value.split(' ');
    let of_this_kind = words.next() == Some(kind);
    let uuid = words.next()?.to_string();
    let start_info = Mfn::new(words.next()?.parse().ok()?);
    of_this_kind.then_some(Ahead {
        domain,
        uuid,
        start_info,
    })
}
