//! NSD, Knot and our server, asked the same.

use morgana_dns_peers::{
    Case, Comparison, Daemon, Ours, Pair, Peer, Primary, Reply, Transferred, Transport, World,
    cases, malformed,
};
use morgana_peer_programs::Packages;

/// Queries to the zones of one seed.
const QUERIES: usize = 2_000;

/// With so many, every rule is needed.
const ENOUGH: usize = 50_000;

type Answers = Vec<Option<Vec<u8>>>;

fn packages() -> Packages {
    morgana_dns_peers::packages()
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

/// Compares a peer with what `left` answers.
fn compare(
    pair: Pair,
    peer: Peer,
    queries: usize,
    mut left: impl FnMut(&World, &[Case]) -> Answers,
) {
    let packages = packages();
    let mut comparison = Comparison::new(pair);
    let (mut found, most) = (0, asked("MORGANA_DNS_FAILURES", 1));
    for seed in seeds(queries) {
        let world = World::new(&packages, seed).unwrap();
        let cases = cases(&world, 0, QUERIES);
        let left = left(&world, &cases);
        let right = answers(&packages, peer, &world, &cases);
        for difference in comparison.all(&world, &cases, &left, &right) {
            println!("{difference}");
            found += 1;
            assert!(found < most, "no more differences are shown");
        }
    }
    println!("{comparison}");
    assert_eq!(found, 0, "differences that nothing explains");
    let idle = comparison.idle_rules();
    assert!(
        idle.is_empty() || comparison.queries() < ENOUGH,
        "rules that were never needed: {idle:?}"
    );
}

fn answers(packages: &Packages, peer: Peer, world: &World, cases: &[Case]) -> Answers {
    let daemon = Daemon::start(packages, peer, world).unwrap();
    daemon.client().unwrap().ask(cases).unwrap()
}

fn ours(world: &World, cases: &[Case]) -> Answers {
    let mut server = Ours::new(world).unwrap_or_else(|error| panic!("{world:?}: {error}"));
    let made = server.ask(cases);
    // Many answers were kept, and are the same when they are given again.
    assert_eq!(server.ask(cases), made, "world {}", world.seed());
    made
}

#[test]
fn knot_and_nsd_agree() {
    let packages = packages();
    let knot = |world: &World, cases: &[Case]| answers(&packages, Peer::Knot, world, cases);
    compare(Pair::KnotAndNsd, Peer::Nsd, 2_000, knot);
}

#[test]
fn ours_and_nsd_agree() {
    compare(Pair::OursAndNsd, Peer::Nsd, 20_000, ours);
}

#[test]
fn ours_and_knot_agree() {
    compare(Pair::OursAndKnot, Peer::Knot, 6_000, ours);
}

#[test]
fn whole_zones_are_the_same_from_ours_and_nsd() {
    let packages = packages();
    let world = World::new(&packages, asked("MORGANA_DNS_SEED", 3) as u64).unwrap();
    has_all_of(
        &Daemon::start(&packages, Peer::Nsd, &world).unwrap(),
        &world,
    );
}

/// Whatever comes, what we answer is a message, and is no longer than it may be.
#[test]
fn broken_queries_get_whole_answers_or_none() {
    let packages = packages();
    let world = World::new(&packages, 1).unwrap();
    let mut ours = Ours::new(&world).unwrap();
    let cases = malformed(&world, 0, 20_000);
    let (mut answered, mut silent) = (0, 0);
    for (case, answer) in cases.iter().zip(ours.ask(&cases)) {
        let Some(answer) = answer else {
            silent += 1;
            continue;
        };
        answered += 1;
        if let Err(error) = Reply::parse(&answer) {
            panic!("{case}: {error}");
        }
        assert!(
            case.transport == Transport::Tcp || answer.len() <= 1232,
            "{case}"
        );
        assert_eq!(answer[..2], case.message[..2], "{case}");
    }
    assert!(
        answered > 5_000 && silent > 500,
        "{answered} answered, {silent} not"
    );
}

/// NSD takes our zones by AXFR, and once we have told it of a change, takes them anew.
#[test]
fn nsd_is_a_secondary_of_ours() {
    is_a_secondary(Peer::Nsd);
}

/// So does Knot.
#[test]
fn knot_is_a_secondary_of_ours() {
    is_a_secondary(Peer::Knot);
}

fn is_a_secondary(peer: Peer) {
    let packages = packages();
    let first = World::new(&packages, 3).unwrap();
    let primary = Primary::start(&first).unwrap();
    let mut secondary = Daemon::secondary(&packages, peer, &first, primary.address()).unwrap();
    has_all_of(&secondary, &first);
    let second = first.changed(&packages).unwrap();
    assert_ne!(first.serial(), second.serial());
    primary.replace(&second);
    let client = secondary.client().unwrap();
    // A refresh by itself would take two hours, as the SOA says.
    for zone in second.zones() {
        assert!(client.takes(&Ours::notification(zone).unwrap()).unwrap());
    }
    secondary.follows(&second).unwrap();
    has_all_of(&secondary, &second);
}

/// All records of all zones, and their times to live.
fn has_all_of(peer: &Daemon, world: &World) {
    let (client, mut ours) = (peer.client().unwrap(), Ours::new(world).unwrap());
    for zone in world.zones() {
        let theirs = Transferred::from_peer(&client, zone).unwrap();
        let ours = Transferred::from_ours(&mut ours, zone).unwrap();
        assert!(ours.len() > 10, "{}", zone.origin());
        assert!(
            ours == theirs,
            "{}: {} and {} records",
            zone.origin(),
            ours.len(),
            theirs.len()
        );
    }
}
