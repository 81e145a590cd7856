//! A check, as one of the two plays it: what they say to each other goes through xenstore.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
use core::str::FromStr;
use core::time::Duration;

use morgana_exec::{Either, Handle, Timers, select};
use morgana_hal::{DomId, GrantRef, Platform, Port, Usage};
use morgana_xenstore_client::{Client, Watch};

use crate::party::failed_path;
use crate::{Check, Failure, Outcome, Party, Role};

/// For how long one waits for the other's word. No verdict on how fast it is: only the end of a run that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// One check, seen by one of the two.
#[derive(Debug)]
pub struct Scene<'a, P> {
    party: &'a Party<P>,
    check: Check,
}

impl<'a, P: Platform> Scene<'a, P> {
    pub(crate) fn new(party: &'a Party<P>, check: Check) -> Self {
        Self { party, check }
    }

    pub(crate) fn role(&self) -> Role {
        self.party.meeting.role
    }

    pub(crate) fn own(&self) -> DomId {
        self.party.own
    }

    pub(crate) fn peer(&self) -> DomId {
        self.party.peer
    }

    pub(crate) fn stranger(&self) -> DomId {
        self.party.meeting.stranger
    }

    pub(crate) fn events(&self) -> &P::Events {
        self.party.platform.events()
    }

    pub(crate) fn memory(&self) -> &P::Memory {
        self.party.platform.memory()
    }

    pub(crate) fn clock(&self) -> &P::Clock {
        self.party.platform.clock()
    }

    pub(crate) fn platform(&self) -> &P {
        &self.party.platform
    }

    pub(crate) fn usage(&self) -> Usage {
        self.party.platform.usage()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.party.client
    }

    pub(crate) fn timers(&self) -> Timers {
        self.party.tasks.timers()
    }

    /// The node under which this one writes in this check.
    pub(crate) fn home(&self) -> String {
        self.home_of(self.role())
    }

    /// The node under which the other does.
    pub(crate) fn others_home(&self) -> String {
        self.home_of(self.role().other())
    }

    fn home_of(&self, role: Role) -> String {
        let (root, check) = (&self.party.meeting.root, self.check);
        format!("{root}/{role}/{check}")
    }

    /// Tells the other something. A key is used once in a check.
    pub(crate) async fn tell(&self, key: &str, value: impl Display) -> Outcome {
        let path = word(&self.home(), key);
        Ok(self.client().write(&path, value.to_string()).await?)
    }

    /// Waits for what the other tells.
    pub(crate) async fn hear<T: FromStr>(&self, key: &str) -> Result<T, Failure> {
        let path = word(&self.others_home(), key);
        let Party {
            client,
            tasks,
            last_words,
            ..
        } = self.party;
        hear(client, tasks, last_words, &self.party.meeting.root, &path).await
    }

    /// Waits until both have come to this point.
    pub(crate) async fn meet(&self, point: &str) -> Outcome {
        self.tell(point, "here").await?;
        self.hear::<String>(point).await.map(drop)
    }

    /// Tells the other several numbers.
    pub(crate) async fn tell_all(&self, key: &str, numbers: impl Iterator<Item = u32>) -> Outcome {
        let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
        self.tell(key, numbers.join(",")).await
    }

    /// Waits for several numbers.
    pub(crate) async fn hear_all(&self, key: &str) -> Result<Vec<u32>, Failure> {
        let numbers: String = self.hear(key).await?;
        let numbers = numbers.split(',').map(str::parse);
        numbers
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::new(format!("{key}: {error}")))
    }

    pub(crate) async fn tell_grants(&self, key: &str, grants: &[GrantRef]) -> Outcome {
        let numbers = grants.iter().map(|grant| grant.number());
        self.tell_all(key, numbers).await
    }

    pub(crate) async fn hear_grants(&self, key: &str) -> Result<Vec<GrantRef>, Failure> {
        let numbers = self.hear_all(key).await?;
        Ok(numbers.into_iter().map(GrantRef::new).collect())
    }

    pub(crate) async fn hear_grant(&self, key: &str) -> Result<GrantRef, Failure> {
        Ok(GrantRef::new(self.hear(key).await?))
    }

    pub(crate) async fn hear_port(&self, key: &str) -> Result<Port, Failure> {
        Ok(Port::new(self.hear(key).await?))
    }

    /// Waits for something that must come, by events and not by words.
    pub(crate) async fn expect<F: Future>(
        &self,
        what: &str,
        future: F,
    ) -> Result<F::Output, Failure> {
        let in_time = self.timers().timeout(PATIENCE, future).await;
        in_time.map_err(|_| Failure::new(format!("{what} did not come")))
    }
}

/// Words of more than one word are one node.
fn word(home: &str, key: &str) -> String {
    format!("{home}/{}", key.replace(' ', "-"))
}

/// Waits until there is a node at `path`, unless the other gives up.
pub(crate) async fn hear<T: FromStr>(
    client: &Client,
    tasks: &Handle,
    last_words: &Watch,
    root: &str,
    path: &str,
) -> Result<T, Failure> {
    let silent = |_| Failure::new(format!("the other never wrote {path}"));
    let heard = tasks
        .timers()
        .timeout(PATIENCE, until_written(client, last_words, root, path))
        .await
        .map_err(silent)??;
    let misunderstood = |_| Failure::new(format!("{path} is {heard:?}"));
    heard.parse().map_err(misunderstood)
}

async fn until_written(
    client: &Client,
    last_words: &Watch,
    root: &str,
    path: &str,
) -> Result<String, Failure> {
    let watch = client.watch(path).await?;
    loop {
        match client.read_text(path).await {
            Err(error) if error.is_not_found() => {}
            result => return Ok(result?),
        }
        match select(watch.next(), last_words.next()).await {
            Either::First(changed) => drop(changed?),
            Either::Second(changed) => {
                changed?;
                match client.read_text(&failed_path(root)).await {
                    Err(error) if error.is_not_found() => {}
                    result => return Err(Failure::new(result?)),
                }
            }
        }
    }
}
