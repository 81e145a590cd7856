//! What requests are made of.

use morgana_hal::DomId;
use morgana_net_device::SplitMix;
use morgana_xenstore_wire::Operation;

use crate::script::{Cast, NOBODY};

/// Makes payloads: mostly such as make sense, of few names, so that requests are about the same nodes.
pub(crate) struct Words {
    cast: Cast,
}

/// How often each operation is asked for, of 100.
const OPERATIONS: [(usize, Operation); 19] = [
    (18, Operation::Write),
    (12, Operation::Read),
    (9, Operation::Directory),
    (4, Operation::DirectoryPart),
    (8, Operation::GetPerms),
    (9, Operation::SetPerms),
    (9, Operation::Mkdir),
    (8, Operation::Rm),
    (9, Operation::Watch),
    (4, Operation::Unwatch),
    (1, Operation::ResetWatches),
    (2, Operation::GetDomainPath),
    (2, Operation::IsDomainIntroduced),
    (1, Operation::Resume),
    (1, Operation::SetTarget),
    (1, Operation::Release),
    (1, Operation::GetFeature),
    (1, Operation::GetQuota),
    (0, Operation::Introduce),
];

const NAMES: [&str; 4] = ["a", "b", "c", "d-1"];

/// What is no path.
const NO_PATHS: [&str; 12] = [
    "", "//", "/t/", "/t//a", "t/", "/t a", "/t\u{e4}", "/t/a.b", "@", "@nothing", "/t/+", "./t",
];

impl Words {
    pub(crate) fn new(cast: Cast) -> Self {
        Self { cast }
    }

    pub(crate) fn operation(&self, random: &mut SplitMix) -> Operation {
        let sum = OPERATIONS.iter().map(|(weight, _)| weight).sum();
        let mut at = random.below(sum);
        for (weight, operation) in OPERATIONS {
            if at < weight {
                return operation;
            }
            at -= weight;
        }
        Operation::Read
    }

    /// A request's code and payload; the client is this domain.
    pub(crate) fn request(&self, random: &mut SplitMix, client: Option<DomId>) -> (u32, Vec<u8>) {
        let operation = self.operation(random);
        let mut payload = self.payload(random, operation, client);
        if random.chance(25) {
            spoil(random, &mut payload);
        }
        (operation.code(), payload)
    }

    /// Bytes of no meaning.
    pub(crate) fn noise(&self, random: &mut SplitMix) -> Vec<u8> {
        let len = [0, 1, 3, 17][random.below(4)];
        let bytes = (0..len).map(|_| b"\0\0/at01n\xff@"[random.below(10)]);
        bytes.collect()
    }

    fn payload(
        &self,
        random: &mut SplitMix,
        operation: Operation,
        client: Option<DomId>,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let mut put = |text: &str| {
            out.extend_from_slice(text.as_bytes());
            out.push(0);
        };
        match operation {
            Operation::ResetWatches => put(""),
            Operation::DirectoryPart => {
                put(&self.path(random, client));
                put(["0", "0", "2", "4", "100", "-1", "x"][random.below(7)]);
            }
            Operation::Write => {
                put(&self.path(random, client));
                out.extend(self.value(random));
            }
            Operation::SetPerms => {
                // Who owns the root matters when that domain ends.
                let root = self.cast == Cast::Domains && client.is_none() && random.chance(30);
                match root {
                    true => put("/"),
                    false => put(&self.path(random, client)),
                }
                for _ in 0..=random.below(3) {
                    put(&self.permission(random, client));
                }
            }
            Operation::Watch | Operation::Unwatch => {
                put(&self.watch_path(random, client));
                put(["t", "u", "t", ""][random.below(4)]);
            }
            Operation::GetDomainPath
            | Operation::IsDomainIntroduced
            | Operation::Resume
            | Operation::Release => {
                let domain = self.domain(random, operation);
                put(&domain);
            }
            Operation::SetTarget => {
                let domain = self.domain(random, operation);
                put(&domain);
                let target = self.domain(random, operation);
                put(&target);
            }
            Operation::GetFeature => {}
            Operation::GetQuota => put("nodes"),
            _ => put(&self.path(random, client)),
        }
        out
    }

    fn path(&self, random: &mut SplitMix, client: Option<DomId>) -> String {
        let special = random.below(200);
        if let Some(bad) = NO_PATHS.get(special) {
            return (*bad).to_owned();
        }
        match special {
            12 => return "@releaseDomain".to_owned(),
            13 => return "@introduceDomain".to_owned(),
            // About the longest that there may be.
            14 => return "/t/".to_owned() + &"x".repeat(3066 + random.below(5)),
            15 => return "t/".to_owned() + &"x".repeat(2043 + random.below(5)),
            16 => return "/t/".to_owned() + &"x/".repeat(10 + random.below(100)) + "a",
            17..25 if self.cast == Cast::Domains => {
                return ["/", "/local", "/local/domain", "/tool"][random.below(4)].to_owned();
            }
            _ => {}
        }
        let base = self.base(random, client);
        let mut path = base.to_owned();
        for level in 0..random.below(4) {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(NAMES[random.below(4 - level)]);
        }
        if path.is_empty() {
            "a".to_owned()
        } else {
            path
        }
    }

    /// Where a path begins; the empty one is the client's home.
    fn base(&self, random: &mut SplitMix, client: Option<DomId>) -> &'static str {
        match (self.cast, client) {
            (Cast::Programs, _) => ["/t", "/t", "t", "/local/domain/0/t"][random.below(4)],
            (_, None) => {
                ["/t", "/t", "", "/local/domain/1", "/local/domain/2", "/u"][random.below(6)]
            }
            (_, Some(_)) => ["", "", "/t", "/local/domain/1", "/local/domain/2"][random.below(5)],
        }
    }

    fn watch_path(&self, random: &mut SplitMix, client: Option<DomId>) -> String {
        match random.below(20) {
            0 => "@releaseDomain".to_owned(),
            1 => "@introduceDomain".to_owned(),
            2 if self.cast == Cast::Domains => "/".to_owned(),
            _ => self.path(random, client),
        }
    }

    fn value(&self, random: &mut SplitMix) -> Vec<u8> {
        match random.below(20) {
            0 => vec![b'v'; 1900 + random.below(300)],
            1 => vec![0, b'v', 0],
            2..5 => Vec::new(),
            _ => vec![b'0' + random.below(10) as u8],
        }
    }

    fn permission(&self, random: &mut SplitMix, client: Option<DomId>) -> String {
        if random.chance(30) {
            return ["", "n", "x1", "n-1", "n70000", "n1x", "rw1", "b32752"][random.below(8)]
                .to_owned();
        }
        let letter = ["n", "r", "w", "b"][random.below(4)];
        let number = match (client, self.cast) {
            // Guests may not give away what they own.
            (Some(domain), _) if random.chance(600) => domain.number(),
            (_, Cast::Domains) => random.below(usize::from(NOBODY)) as u16,
            (_, Cast::Programs) => 0,
        };
        let number = if random.chance(30) { NOBODY } else { number };
        format!("{letter}{number}")
    }

    /// Of those that are served, only the script itself lets go.
    fn domain(&self, random: &mut SplitMix, operation: Operation) -> String {
        if random.chance(100) {
            return ["", "x", "-1", "65536", "32752", "9x"][random.below(6)].to_owned();
        }
        let any = match (operation, self.cast) {
            (Operation::Release | Operation::Resume | Operation::SetTarget, Cast::Programs) => {
                usize::from(NOBODY)
            }
            (Operation::Release, _) => 3 + random.below(4),
            (Operation::SetTarget, _) => random.below(4),
            _ => random.below(usize::from(NOBODY) + 2),
        };
        any.to_string()
    }
}

/// Makes something malformed of a payload.
fn spoil(random: &mut SplitMix, payload: &mut Vec<u8>) {
    match random.below(5) {
        0 => drop(payload.pop()),
        1 => payload.push(0),
        2 => payload.extend_from_slice(b"more"),
        3 => payload.clear(),
        _ => payload.extend_from_slice(b"more\0"),
    }
}
