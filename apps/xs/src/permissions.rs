//! Permissions as people write them.
//!
//! A node has an owner, says what all domains may do that it does not name, and has entries for those that it names. In xenstore's letters that is
//! a list whose first entry is the owner's: `n0 r5 b7`. In words it is told piece by piece, and what is not told stays: `others:read both:7`.

use std::fmt;

use morgana_hal::DomId;
use morgana_xenstore_client::{Access, Permission};

use crate::escape::plain;
use crate::failure::Failure;

/// Entries as xenstore's own tools show them, such as `n0,r5`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed<'a>(pub(crate) &'a [Permission]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{entry}")?;
        }
        Ok(())
    }
}

/// What a node's permissions are to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// This list, whatever they were.
    List(Vec<Permission>),
    /// What they are, with these changes one after the other.
    Changes(Vec<Change>),
}

/// A change in words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// `owner:5`
    Owner(DomId),
    /// `others:read`
    Others(Access),
    /// `read:5`
    Entry(Permission),
    /// `drop:5`
    Drop(DomId),
}

impl Wanted {
    /// Reads arguments: all in letters, or all in words.
    pub(crate) fn parse(words: &[String]) -> Result<Self, Failure> {
        let letters: Option<Vec<_>> = words.iter().map(|word| entry(word)).collect();
        if let Some(list) = letters {
            return Ok(Self::List(list));
        }
        let mut changes = Vec::new();
        for word in words {
            changes.push(change(word).ok_or_else(|| refuse(word))?);
        }
        Ok(Self::Changes(changes))
    }

    /// The list for a node whose list is `now`.
    pub(crate) fn apply(&self, now: &[Permission]) -> Vec<Permission> {
        match self {
            Self::List(list) => list.clone(),
            Self::Changes(changes) => {
                let mut list = now.to_vec();
                for change in changes {
                    change.apply(&mut list);
                }
                list
            }
        }
    }
}

impl Change {
    fn apply(self, list: &mut Vec<Permission>) {
        // The first entry is the owner's, and no other's.
        let first = |list: &mut Vec<Permission>| {
            if list.is_empty() {
                let (domain, access) = (DomId::DOM0, Access::None);
                list.push(Permission { domain, access });
            }
        };
        first(list);
        match self {
            Self::Owner(domain) => list[0].domain = domain,
            Self::Others(access) => list[0].access = access,
            Self::Entry(entry) => {
                let mut others = list.iter_mut().skip(1);
                match others.find(|known| known.domain == entry.domain) {
                    Some(known) => *known = entry,
                    None => list.push(entry),
                }
            }
            Self::Drop(domain) => {
                let mut index = 0;
                list.retain(|entry| {
                    index += 1;
                    index == 1 || entry.domain != domain
                });
            }
        }
    }
}

fn refuse(word: &str) -> Failure {
    Failure::Usage(format!(
        "{}: neither all in letters (n0 r5 w7 b3) nor all in words (owner:0 others:none read:5 write:7 both:3 none:4 drop:9)",
        plain(word.as_bytes())
    ))
}

/// `n0` and its like.
pub(crate) fn entry(word: &str) -> Option<Permission> {
    let (letter, number) = word.split_at_checked(1)?;
    let access = match letter {
        "n" => Access::None,
        "r" => Access::Read,
        "w" => Access::Write,
        "b" => Access::Both,
        _ => return None,
    };
    let domain = domain(number)?;
    Some(Permission { domain, access })
}

fn change(word: &str) -> Option<Change> {
    let (what, whom) = word.split_once([':', '='])?;
    match what {
        "owner" => Some(Change::Owner(domain(whom)?)),
        "others" => Some(Change::Others(access(whom)?)),
        "drop" => Some(Change::Drop(domain(whom)?)),
        what => {
            let (access, domain) = (access(what)?, domain(whom)?);
            Some(Change::Entry(Permission { domain, access }))
        }
    }
}

fn access(word: &str) -> Option<Access> {
    Some(match word {
        "none" => Access::None,
        "read" => Access::Read,
        "write" => Access::Write,
        "both" => Access::Both,
        _ => return None,
    })
}

fn domain(digits: &str) -> Option<DomId> {
    let digit = |byte: u8| byte.is_ascii_digit();
    let number = digits.bytes().all(digit).then(|| digits.parse())?;
    number.ok().map(DomId::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Wanted> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Wanted::parse(&words).ok()
    }

    fn list(line: &str) -> Vec<Permission> {
        line.split(',').map(|word| entry(word).unwrap()).collect()
    }

    #[test]
    fn letters_replace_the_list_and_words_change_it() {
        let now = list("n0,r5,b7");
        for (line, then) in [
            ("r3 w4", "r3,w4"),
            ("owner:9", "n9,r5,b7"),
            ("owner=9 others=both", "b9,r5,b7"),
            ("read:7 write:8", "n0,r5,r7,w8"),
            ("none:5", "n0,n5,b7"),
            ("drop:5 drop:0", "n0,b7"),
            ("read:0", "n0,r5,b7,r0"),
        ] {
            let then_is = parse(line).unwrap().apply(&now);
            assert_eq!(Listed(&then_is).to_string(), then, "{line}");
        }
        assert_eq!(parse("read:5").unwrap().apply(&[]), list("n0,r5"));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for bad in [
            "n",
            "x0",
            "n-1",
            "n65536",
            "n+1",
            "read",
            "read:",
            "read:x",
            "others:5",
            "owner:read",
            "n0 read:5",
            "read:5 n0",
            "é0",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
