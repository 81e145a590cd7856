//! Who hears of what.

use alloc::vec::Vec;

use morgana_xenstore_wire::Path;

use crate::caller::{Caller, Intent};
use crate::changes::{Change, Kind};
use crate::connection::ConnectionId;
use crate::outgoing::{Outgoing, event};
use crate::store::Store;
use crate::watches::{Scope, Watch};

/// The event of a domain's introduction (docs/misc/xenstore.txt, WATCH).
pub(crate) const INTRODUCE_DOMAIN: &str = "@introduceDomain";
/// The event of a domain's shutdown or end.
pub(crate) const RELEASE_DOMAIN: &str = "@releaseDomain";

impl Store {
    /// An event for each watch of the connection, as if it was just set: in place of events that could not be kept.
    pub fn remind(&self, connection: ConnectionId, out: &mut Vec<Outgoing>) {
        let Some(known) = self.connections.get(&connection) else {
            return;
        };
        for ((path, token), &prefix) in &known.watches {
            let path = path.get(prefix..).unwrap_or_default();
            out.extend(event(connection, path, token));
        }
    }

    pub(crate) fn fire(&self, changes: &[Change], out: &mut Vec<Outgoing>) {
        for change in changes {
            let Ok(path) = Path::parse(&change.path) else {
                continue;
            };
            for watch in self.watches.at_or_above(path) {
                let caller = self.caller(watch.connection);
                if caller.is_some_and(|caller| change.is_visible_to(&caller)) {
                    out.extend(watch.event(&change.path));
                }
            }
            if matches!(change.kind, Kind::Removed { .. }) {
                for (path, watch) in self.watches.below(&change.path) {
                    let caller = self.caller(watch.connection);
                    let gone = Path::parse(path).is_ok_and(|path| {
                        caller.is_some_and(|caller| change.took_along(path, &caller))
                    });
                    if gone {
                        out.extend(watch.event(path));
                    }
                }
            }
        }
    }

    pub(crate) fn fire_special(&self, name: &'static str, scope: Scope, out: &mut Vec<Outgoing>) {
        let Some(permissions) = self.special.get(name) else {
            return;
        };
        for (path, watch) in self.watches.special(name, scope) {
            let caller = self.caller(watch.connection);
            if caller.is_some_and(|caller| caller.may(Intent::Read, permissions)) {
                out.extend(event(watch.connection, &path, &watch.token));
            }
        }
    }

    fn caller(&self, connection: ConnectionId) -> Option<Caller> {
        Some(self.connections.get(&connection)?.caller)
    }
}

impl Watch {
    pub(crate) fn event(&self, path: &str) -> Option<Outgoing> {
        event(self.connection, path.get(self.prefix..)?, &self.token)
    }
}
