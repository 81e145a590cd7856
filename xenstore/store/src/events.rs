//! Who hears of what.

use alloc::rc::Rc;
use alloc::vec::Vec;

use morgana_xenstore_wire::Path;

use crate::caller::{Caller, Intent};
use crate::changes::{Change, Kind};
use crate::connection::ConnectionId;
use crate::outgoing::{Content, Event, Outgoing};
use crate::store::Store;
use crate::watches::{Scope, Watch};

/// The event of a domain's introduction (docs/misc/xenstore.txt, WATCH).
pub(crate) const INTRODUCE_DOMAIN: &str = "@introduceDomain";
/// The event of a domain's shutdown or end.
pub(crate) const RELEASE_DOMAIN: &str = "@releaseDomain";

impl Store {
    /// An event for each watch of the connection, as if it was just set: in place of events that could not be kept.
    pub fn reminders(&self, connection: ConnectionId) -> impl Iterator<Item = Content> {
        let known = self.connections.get(&connection).into_iter();
        let watches = known.flat_map(|known| &known.watches);
        watches.filter_map(|((path, token), &prefix)| {
            let event = Event::shared(path.clone(), prefix, token.clone())?;
            Some(Content::Event(event))
        })
    }

    pub(crate) fn fire(&self, changes: &[Change], out: &mut Vec<Outgoing>) {
        for change in changes {
            let Ok(path) = Path::parse(&change.path) else {
                continue;
            };
            // Made for the first who hears of it, and shared by all.
            let mut heard: Option<Rc<str>> = None;
            for watch in self.watches.at_or_above(path) {
                let caller = self.caller(watch.connection);
                if caller.is_some_and(|caller| change.is_visible_to(&caller)) {
                    let path = heard.get_or_insert_with(|| change.path.as_str().into());
                    out.extend(watch.event(path));
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
                out.extend(event(watch.connection, path.into(), 0, &watch.token));
            }
        }
    }

    fn caller(&self, connection: ConnectionId) -> Option<Caller> {
        Some(self.connections.get(&connection)?.caller)
    }
}

impl Watch {
    pub(crate) fn event(&self, path: &Rc<str>) -> Option<Outgoing> {
        event(self.connection, path.clone(), self.prefix, &self.token)
    }
}

fn event(to: ConnectionId, path: Rc<str>, prefix: usize, token: &Rc<str>) -> Option<Outgoing> {
    let content = Content::Event(Event::shared(path, prefix, token.clone())?);
    Some(Outgoing { to, content })
}
