//! Lists of children, as replies have them.

use alloc::format;
use alloc::vec::Vec;

use morgana_xenstore_wire::{Errno, PAYLOAD_MAX};

use crate::handling::Done;
use crate::node::Node;

pub(crate) fn names(node: &Node) -> Vec<u8> {
    let mut list = Vec::new();
    for name in node.names() {
        list.extend_from_slice(name.as_bytes());
        list.push(0);
    }
    list
}

/// As many whole names as fit a packet, from an offset in the whole list on; an empty name after the last, and alone behind the list.
pub(crate) fn directory_part(node: &Node, offset: usize) -> Result<Done, Errno> {
    let list = names(node);
    let mut payload = format!("{}\0", node.children_stamp().0).into_bytes();
    let rest = list.get(offset..).unwrap_or_default();
    let room = PAYLOAD_MAX - payload.len();
    if rest.len() < room {
        payload.extend_from_slice(rest);
        payload.push(0);
        return Ok(Done::Reply(payload));
    }
    let fits = rest[..room].iter().rposition(|&byte| byte == 0);
    let end = fits.ok_or(Errno::TooBig)? + 1;
    payload.extend_from_slice(&rest[..end]);
    Ok(Done::Reply(payload))
}
