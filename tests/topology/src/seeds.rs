//! Which seeds a test runs with.

use std::time::{SystemTime, UNIX_EPOCH};

/// Runs `test` with the fixed seeds and with one that nobody chose; or with that of `MORGANA_SEED` alone. Prints each, so that the output of a
/// failed test names it.
pub fn for_each_seed(fixed: &[u64], test: impl Fn(u64)) {
    let asked = std::env::var("MORGANA_SEED");
    if let Some(seed) = asked.ok().and_then(|text| text.parse().ok()) {
        println!("seed {seed}");
        return test(seed);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let unchosen = now.map_or(0, |since| since.as_nanos() as u64);
    for seed in fixed.iter().copied().chain([unchosen]) {
        println!("seed {seed} (to run it alone: MORGANA_SEED={seed})");
        test(seed);
    }
}
