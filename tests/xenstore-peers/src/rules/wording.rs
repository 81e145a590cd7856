//! Requests that are not as the protocol has them.

use super::Consequence::{self, Parted, Same};
use super::{Case, Op, Peer};
use crate::script::Ask;

/// The longest path from the root (io/xs_wire.h, `XENSTORE_ABS_PATH_MAX`).
const ABSOLUTE_MAX: usize = 3072;
/// The longest path from the client's home (`XENSTORE_REL_PATH_MAX`); also the most that C takes behind a domain's home.
const RELATIVE_MAX: usize = 2048;
/// `quota-path-max` of oxenstored.
const OCAML_MAX: usize = 1024;

/// What xenstore.txt has since Xen 4.18 or later.
pub(super) fn newer(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    let newer = [Op::GetFeature, Op::SetFeature, Op::GetQuota, Op::SetQuota];
    (newer.contains(&operation) && case.refuse("ENOSYS")).then_some(Same)
}

/// oxenstored 4.17 has no `DIRECTORY_PART`.
pub(super) fn directory_part(case: &Case<'_>, _: &Ask, operation: Op) -> Option<Consequence> {
    (operation == Op::DirectoryPart && case.refuse("ENOSYS")).then_some(Same)
}

/// A number that is none: they read it as C's atoi does.
pub(super) fn number(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let strings = ask.strings();
    let numbers = match operation {
        Op::GetDomainPath | Op::IsDomainIntroduced | Op::Release | Op::Resume | Op::SetTarget => {
            &strings[..]
        }
        Op::DirectoryPart => strings.get(1..)?,
        _ => return None,
    };
    let bad = numbers.iter().any(|number| !is_number(number));
    if !bad || !case.refused("EINVAL") {
        return None;
    }
    match operation {
        Op::SetTarget | Op::Resume | Op::Release => Some(case.parted_if_granted()),
        _ => Some(Same),
    }
}

/// From 0 to 65535, in decimal.
fn is_number(text: &[u8]) -> bool {
    let digits = text.iter().all(u8::is_ascii_digit);
    let text = core::str::from_utf8(text).unwrap_or_default();
    digits && text.parse::<u16>().is_ok()
}

/// A permission that is none.
pub(super) fn permission(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let is_one = |text: &&[u8]| {
        text.split_first()
            .is_some_and(|(letter, domain)| b"nrwb".contains(letter) && is_number(domain))
    };
    let strings = ask.strings();
    let all = strings.get(1..).is_some_and(|list| list.iter().all(is_one));
    let is_so = operation == Op::SetPerms && !all && case.refused("EINVAL");
    is_so.then(|| case.parted_if_granted())
}

/// The longest path.
pub(super) fn long(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let path = ask.absolute(case.cast())?;
    let is_watch = [Op::Watch, Op::Unwatch].contains(&operation);
    let is_so = match case.peer {
        Peer::C => behind_home(&path).len() > RELATIVE_MAX && case.refuse("EINVAL"),
        // It takes any path of a watch.
        Peer::Ocaml if is_watch => path.len() > RELATIVE_MAX && case.refused("EINVAL"),
        Peer::Ocaml => path.len() > OCAML_MAX && case.refuse("EINVAL"),
    };
    is_so.then(|| case.parted_if_granted())
}

fn behind_home(path: &str) -> &str {
    let behind = path.strip_prefix("/local/domain/");
    let behind = behind.and_then(|rest| rest.split_once('/'));
    behind.map_or(path, |(_, behind)| behind)
}

/// Bytes behind the last string that have no NUL.
pub(super) fn reserved(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let has_reserved = [
        Op::SetPerms,
        Op::SetTarget,
        Op::Watch,
        Op::Unwatch,
        Op::Introduce,
        Op::DirectoryPart,
    ];
    // oxenstored does not look for the last NUL anywhere.
    let lenient = case.peer == Peer::Ocaml || has_reserved.contains(&operation);
    let is_so = lenient && !ask.rest().is_empty() && case.refused("EINVAL");
    is_so.then(|| case.parted_if_granted())
}

/// What is in the payload of a request that has none.
pub(super) fn no_payload(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let has_none = [Op::TransactionStart, Op::ResetWatches];
    let is_so = has_none.contains(&operation) && ask.payload != b"\0";
    (is_so && case.refused("EINVAL")).then_some(Parted)
}

/// The end of a transaction with more or less than `T` or `F` and a NUL.
pub(super) fn end_payload(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let is_known = [&b"T\0"[..], b"F\0"].contains(&&ask.payload[..]);
    let is_so = operation == Op::TransactionEnd && !is_known && case.refused("EINVAL");
    is_so.then(|| case.parted_if_granted())
}

/// To watch no longer what is no path.
pub(super) fn unwatch(case: &Case<'_>, ask: &Ask, operation: Op) -> Option<Consequence> {
    let is_so =
        operation == Op::Unwatch && !ask.strings().first().is_some_and(|path| is_path(path));
    (is_so && case.errors("EINVAL", "ENOENT")).then_some(Same)
}

/// What is no path, or one of a special event where none is wanted.
pub(super) fn no_path(case: &Case<'_>, ask: &Ask, _: Op) -> Option<Consequence> {
    let strings = ask.strings();
    let path = strings.first()?;
    let is_so = (!is_path(path) || path.starts_with(b"@")) && case.refused("EINVAL");
    (is_so && !case.theirs().is_granted()).then_some(Same)
}

/// "ASCII alphanumerics and plus the four punctuation characters -/_@. Doubled slashes and trailing slashes (except to specify the root) are
/// forbidden. The empty path is also forbidden."
fn is_path(path: &[u8]) -> bool {
    let max = match path.first() {
        None => return false,
        Some(b'/') => ABSOLUTE_MAX,
        Some(_) => RELATIVE_MAX,
    };
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-/_@".contains(byte);
    let is_doubled = path.windows(2).any(|two| two == b"//");
    let is_trailing = path.len() > 1 && path.ends_with(b"/");
    path.len() <= max && path.iter().all(is_allowed) && !is_doubled && !is_trailing
}
