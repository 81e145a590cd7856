//! Requests to watch, and to watch no longer.

use alloc::rc::Rc;
use alloc::string::String;

use morgana_xenstore_wire::{ABSOLUTE_PATH_MAX, Errno, PAYLOAD_MAX, Path};

use crate::connection::{errno, watch_bytes};
use crate::handling::{Done, Handling, ok};
use crate::journal::WatchChange;
use crate::quota::Resource;
use crate::settings::Features;
use crate::watches::Watch;

impl Handling<'_> {
    pub(crate) fn watch(
        &mut self,
        path: &str,
        token: &str,
        depth: Option<u32>,
    ) -> Result<Done, Errno> {
        let features = self.store.settings.of(self.caller.domain).features;
        if depth.is_some() && !features.contains(Features::WATCH_DEPTH) {
            return Err(Errno::Invalid);
        }
        let (absolute, prefix) = self.watch_path(path)?;
        // Whatever changes below the path is at most this long, so an event always fits its packet.
        if ABSOLUTE_PATH_MAX + token.len() + 2 > PAYLOAD_MAX {
            return Err(Errno::Invalid);
        }
        let watched = (Rc::<str>::from(absolute), Rc::<str>::from(token));
        let connection = self.connection()?;
        if connection.watches.contains_key(&watched) {
            return Err(Errno::Exists);
        }
        let watches = connection.watches.len();
        self.admit(Resource::Watches, watches + 1)?;
        self.admit_bytes(watch_bytes(&watched.0, &watched.1))?;
        let watch = Watch {
            connection: self.from,
            token: watched.1.clone(),
            prefix,
            depth,
        };
        // Everybody hears at once of what was there before.
        self.events.extend(watch.event(&watched.0));
        self.store.watches.add(&watched.0, watch);
        self.connection()?.add_watch(watched, prefix);
        self.store
            .note_watch(self.from, path, token, WatchChange::Set(depth));
        Ok(ok())
    }

    pub(crate) fn unwatch(&mut self, path: &str, token: &str) -> Result<Done, Errno> {
        let (absolute, _) = self.watch_path(path)?;
        if !self.store.watches.remove(&absolute, self.from, token) {
            return Err(Errno::NotFound);
        }
        let watched = (absolute.into(), token.into());
        self.connection()?.remove_watch(&watched);
        self.store
            .note_watch(self.from, path, token, WatchChange::Unset);
        Ok(ok())
    }

    /// The absolute path of a watch, and how much of it the caller did not write.
    pub(crate) fn watch_path(&mut self, path: &str) -> Result<(String, usize), Errno> {
        let path = Path::parse_watch(path).map_err(errno)?;
        let absolute = self.connection()?.absolute(path)?;
        self.admit(Resource::PathLength, absolute.len())?;
        let prefix = absolute.len() - path.as_str().len();
        Ok((absolute, prefix))
    }
}
