//! NSD, Knot and our server, asked the same.

use morgana_dns_peers::{Comparison, Daemon, Packages, Pair, Peer, World, cases};

/// Queries to the zones of one seed.
const QUERIES: usize = 2_000;

fn packages() -> Packages {
    Packages::from_environment()
        .expect("no peers: `cargo xtask test unit` fetches them and sets MORGANA_DNS_PACKAGES")
}

/// A number that the environment names.
fn asked(name: &str, default: usize) -> usize {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The seeds of as many worlds as there have to be for so many queries.
fn seeds(default: usize) -> impl Iterator<Item = u64> {
    let first = asked("MORGANA_DNS_SEED", 0) as u64;
    let worlds = asked("MORGANA_DNS_QUERIES", default).div_ceil(QUERIES);
    first..first + worlds.max(1) as u64
}

#[test]
fn nsd_and_knot_agree() {
    let packages = packages();
    let mut comparison = Comparison::new(Pair::NsdAndKnot);
    for seed in seeds(4_000) {
        let world = World::new(&packages, seed).unwrap();
        let cases = cases(&world, 0, QUERIES);
        let answers = [Peer::Nsd, Peer::Knot].map(|peer| {
            let daemon = Daemon::start(&packages, peer, &world).unwrap();
            daemon.client().unwrap().ask(&cases).unwrap()
        });
        comparison
            .all(&world, &cases, &answers[0], &answers[1])
            .unwrap_or_else(|difference| panic!("{difference}"));
    }
    println!("{comparison}");
}
