//! A target's inputs, and the runs with them.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use morgana_net_device::SplitMix;

use crate::dictionary::words;
use crate::mutation::mutation;

/// As much as the fuzzers are told (fuzz/README.md).
const MAX_BYTES: usize = 4096;

/// The inputs of a fuzz target that were worth keeping, and the words of its format.
#[derive(Debug)]
pub struct Corpus {
    target: String,
    files: Vec<PathBuf>,
    inputs: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Corpus {
    /// That of this target.
    ///
    /// # Panics
    ///
    /// If it cannot be read, or has no input: both belong to the source.
    pub fn of(target: &str) -> Self {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let folder = fuzz.join("corpus").join(target);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => panic!("{}: {error}", folder.display()),
        };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{} is empty", folder.display());
        let inputs = files
            .iter()
            .map(|file| match fs::read(file) {
                Ok(input) => input,
                Err(error) => panic!("{}: {error}", file.display()),
            })
            .collect();
        let dictionary = fuzz.join("dictionaries").join(format!("{target}.dict"));
        Self {
            target: target.to_owned(),
            files,
            inputs,
            words: fs::read_to_string(dictionary).map_or_else(|_| Vec::new(), |text| words(&text)),
        }
    }

    /// Gives every input to `check`, and returns what it answers.
    ///
    /// # Panics
    ///
    /// As `check` does; which input it was is printed.
    pub fn replay<T>(&self, mut check: impl FnMut(&[u8]) -> T) -> Vec<T> {
        let mut answers = Vec::with_capacity(self.inputs.len());
        for (file, input) in self.files.iter().zip(&self.inputs) {
            match catch_unwind(AssertUnwindSafe(|| check(input))) {
                Ok(answer) => answers.push(answer),
                Err(payload) => {
                    eprintln!("{}: {} fails", self.target, file.display());
                    resume_unwind(payload);
                }
            }
        }
        answers
    }

    /// Gives `check` new inputs made of the kept ones: those of the seeds 0 to `count`, and half as many of seeds that nobody chose. Or only
    /// that of the seed that the environment names by `MORGANA_SEED`.
    ///
    /// # Panics
    ///
    /// As `check` does: the seed is printed, and the input written to a file.
    pub fn mutate<T>(&self, count: u64, mut check: impl FnMut(&[u8]) -> T) {
        let mut run = |seeds: core::ops::Range<u64>| {
            for seed in seeds {
                let input = self.mutation(seed);
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| check(&input))) {
                    self.keep(seed, &input);
                    resume_unwind(payload);
                }
            }
        };
        if let Ok(asked) = std::env::var("MORGANA_SEED") {
            match asked.parse::<u64>() {
                Ok(seed) => return run(seed..seed.saturating_add(1)),
                Err(_) => panic!("MORGANA_SEED is not a number: {asked}"),
            }
        }
        run(0..count);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let unchosen = now.map_or(0, |since| since.as_nanos() as u64);
        println!(
            "{}: seeds 0 to {count}, and {} from {unchosen} on",
            self.target,
            count / 2
        );
        run(unchosen..unchosen.saturating_add(count / 2));
    }

    /// The input that a seed makes.
    fn mutation(&self, seed: u64) -> Vec<u8> {
        let largest = self.inputs.iter().map(Vec::len).max().unwrap_or(0);
        let mut random = SplitMix::new(seed);
        mutation(
            &mut random,
            &self.inputs,
            &self.words,
            largest.max(MAX_BYTES),
        )
    }

    /// Says which input has failed, and keeps it.
    fn keep(&self, seed: u64, input: &[u8]) {
        let target = &self.target;
        eprintln!(
            "{target}: the input of seed {seed} fails (to run it alone: MORGANA_SEED={seed})"
        );
        let folder = failures();
        let file = folder.join(format!("{target}-{seed}"));
        match fs::create_dir_all(&folder).and_then(|()| fs::write(&file, input)) {
            Ok(()) => eprintln!(
                "{target}: it is in {}, and may go to fuzz/corpus/{target}",
                file.display()
            ),
            Err(error) => eprintln!("{target}: cannot write {}: {error}", file.display()),
        }
    }
}

/// A folder beside the test programs of this build.
fn failures() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    let folder = own.parent().and_then(Path::parent);
    folder.unwrap_or(Path::new(".")).join("failing-inputs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus() -> Corpus {
        Corpus {
            target: "test".to_owned(),
            files: vec![PathBuf::from("one"), PathBuf::from("two")],
            inputs: vec![vec![1; 40], vec![2; 40]],
            words: Vec::new(),
        }
    }

    #[test]
    fn what_was_kept_is_replayed_and_the_real_ones_are_there() {
        assert_eq!(corpus().replay(|input| input[0]), [1, 2]);
        let ring = Corpus::of("ring");
        assert!(ring.replay(|input| input.len()).len() > 10);
        assert!(!Corpus::of("http_request").words.is_empty());
    }

    #[test]
    fn a_failing_input_is_kept_and_the_seed_makes_it_again() {
        let corpus = corpus();
        let mut failed = Vec::new();
        let result = catch_unwind(AssertUnwindSafe(|| {
            corpus.mutate(1_000, |input| {
                if input.contains(&0xff) {
                    failed = input.to_vec();
                    resume_unwind(Box::new("found"));
                }
            });
        }));
        assert!(result.is_err());
        let seed = (0..1_000).find(|&seed| corpus.mutation(seed) == failed);
        let file = failures().join(format!("test-{}", seed.unwrap()));
        assert_eq!(fs::read(&file).unwrap(), failed);
        fs::remove_file(file).unwrap();
    }
}
