//! Two answers to the same query, and what of their difference is explained.

use std::collections::BTreeMap;
use std::fmt;

use crate::queries::Case;
use crate::reply::{Reply, SECTIONS};
use crate::rules::{Pair, Rule, Side, rules};
use crate::world::World;

/// Compares answers, and counts.
#[derive(Debug)]
pub struct Comparison {
    pair: Pair,
    queries: usize,
    /// How often each rule was needed.
    explained: BTreeMap<&'static str, usize>,
    /// How often each response code was in the answers of the first.
    codes: BTreeMap<u16, usize>,
    truncated: usize,
}

/// A difference that nothing explains.
#[derive(Debug)]
pub struct Difference {
    text: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Difference {}

impl Comparison {
    /// For two servers, the first of which may be ours.
    pub fn new(pair: Pair) -> Self {
        Self {
            pair,
            queries: 0,
            explained: BTreeMap::new(),
            codes: BTreeMap::new(),
            truncated: 0,
        }
    }

    /// Compares the answers to all cases, and tells all differences that nothing explains.
    pub fn all(
        &mut self,
        world: &World,
        cases: &[Case],
        ours: &[Option<Vec<u8>>],
        theirs: &[Option<Vec<u8>>],
    ) -> Vec<Difference> {
        let pairs = cases.iter().zip(ours).zip(theirs);
        let compared = pairs.map(|((case, ours), theirs)| {
            self.case(world, case, ours.as_deref(), theirs.as_deref())
        });
        compared.filter_map(Result::err).collect()
    }

    /// Compares the answers to a query.
    ///
    /// # Errors
    ///
    /// The difference, with all that is needed to see it again.
    pub fn case(
        &mut self,
        world: &World,
        case: &Case,
        ours: Option<&[u8]>,
        theirs: Option<&[u8]>,
    ) -> Result<(), Difference> {
        self.queries += 1;
        let (mut left, mut right) = (side(ours), side(theirs));
        if let Side::Reply(reply) = &left {
            *self.codes.entry(reply.rcode).or_default() += 1;
            self.truncated += usize::from(reply.has(crate::reply::TRUNCATED));
        }
        for rule in rules(self.pair) {
            if differences(&left, &right).is_empty() {
                break;
            }
            if (rule.explain)(world, case, &mut left, &mut right) {
                *self.explained.entry(rule.name).or_default() += 1;
            }
        }
        let differences = differences(&left, &right);
        if differences.is_empty() {
            return Ok(());
        }
        let [first, second] = self.pair.names();
        let zone = case
            .asked
            .as_ref()
            .and_then(|asked| world.zone_of(&asked.name));
        let zone = zone.map(|zone| format!("{} {:?}", zone.origin(), zone.signing()));
        Err(Difference {
            text: format!(
                "world {}, zone {}, {case}\n differ in {}\n {first}:\n{}\n {second}:\n{}",
                world.seed(),
                zone.unwrap_or_else(|| "-".into()),
                differences.join(", "),
                side(ours),
                side(theirs),
            ),
        })
    }

    /// How many queries were compared.
    pub fn queries(&self) -> usize {
        self.queries
    }

    /// The rules that were never needed.
    pub fn idle_rules(&self) -> Vec<&'static str> {
        let rules: Vec<&Rule> = rules(self.pair).collect();
        let idle = rules
            .iter()
            .filter(|rule| !self.explained.contains_key(rule.name));
        idle.map(|rule| rule.name).collect()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (queries, truncated) = (self.queries, self.truncated);
        write!(
            f,
            "{queries} queries, {truncated} truncated, rcodes {:?}",
            self.codes
        )?;
        for rule in rules(self.pair) {
            let count = self.explained.get(rule.name).unwrap_or(&0);
            write!(f, "\n  {count:6} {} ({})", rule.name, rule.clause)?;
        }
        Ok(())
    }
}

fn side(octets: Option<&[u8]>) -> Side {
    match octets.map(Reply::parse) {
        None => Side::Silent,
        Some(Ok(reply)) => Side::Reply(Box::new(reply)),
        Some(Err(error)) => Side::Broken(error),
    }
}

/// In what they differ.
fn differences(left: &Side, right: &Side) -> Vec<&'static str> {
    let (left, right) = match (left, right) {
        (Side::Reply(left), Side::Reply(right)) => (left, right),
        (Side::Silent, Side::Silent) => return Vec::new(),
        _ => return vec!["whether they answer"],
    };
    let mut found = Vec::new();
    if left.rcode != right.rcode {
        found.push("rcode");
    }
    if left.flags & !0x0f != right.flags & !0x0f {
        found.push("flags");
    }
    if left.question != right.question {
        found.push("question");
    }
    if left.edns != right.edns {
        found.push("edns");
    }
    let sections = left.sections.iter().zip(&right.sections).zip(SECTIONS);
    found.extend(
        sections
            .filter(|((left, right), _)| left != right)
            .map(|(_, name)| name),
    );
    found
}

#[cfg(test)]
mod tests {
    use super::rules;
    use crate::rules::Pair;

    #[test]
    fn the_page_has_all_rules() {
        let page = include_str!("../../../docs/dns-differences.md");
        for pair in [Pair::KnotAndNsd, Pair::OursAndNsd, Pair::OursAndKnot] {
            for rule in rules(pair) {
                let row = format!("\n| {} |", rule.name);
                assert!(page.contains(&row), "{row}");
            }
        }
    }
}
