//! How an input becomes another.

use morgana_net_device::SplitMix;

/// Numbers at which code changes its mind, as 64-bit ones; shorter ones are their lower bytes.
const LIMITS: [u64; 16] = [
    0,
    1,
    2,
    4,
    16,
    64,
    0x7f,
    0x80,
    0xff,
    0x100,
    0xfff,
    0x1000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    u64::MAX,
];

/// How many changes make a new input, at the most.
const MAX_CHANGES: usize = 6;

/// A new input of `max` bytes at the most, made of one of `inputs`.
pub(crate) fn mutation(
    random: &mut SplitMix,
    inputs: &[Vec<u8>],
    words: &[Vec<u8>],
    max: usize,
) -> Vec<u8> {
    let mut input = one_of(random, inputs).cloned().unwrap_or_default();
    for _ in 0..=random.below(MAX_CHANGES) {
        change(random, &mut input, inputs, words);
    }
    input.truncate(max);
    input
}

fn change(random: &mut SplitMix, input: &mut Vec<u8>, inputs: &[Vec<u8>], words: &[Vec<u8>]) {
    match random.below(10) {
        0 | 1 => flip(random, input),
        2 | 3 => limit(random, input),
        4 => step(random, input),
        5 => {
            let piece = piece(random, input);
            insert(random, input, &piece);
        }
        6 => cut(random, input),
        7 => {
            let other = one_of(random, inputs).cloned().unwrap_or_default();
            let piece = piece(random, &other);
            insert(random, input, &piece);
        }
        8 => cross(random, input, inputs),
        _ => match one_of(random, words) {
            Some(word) => insert(random, input, &word.clone()),
            None => noise(random, input),
        },
    }
}

/// One of them, if there is any.
fn one_of<'a, T>(random: &mut SplitMix, all: &'a [T]) -> Option<&'a T> {
    all.get(random.below(all.len()))
}

/// Turns a bit over.
fn flip(random: &mut SplitMix, input: &mut [u8]) {
    let at = random.below(input.len());
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

/// The place of a number of 1, 2, 4 or 8 bytes.
fn number(random: &mut SplitMix, len: usize) -> (usize, usize) {
    let size = 1 << random.below(4);
    let at = random.below(len);
    (at, len.min(at + size))
}

/// Writes a number at its limits, in either order of bytes.
fn limit(random: &mut SplitMix, input: &mut [u8]) {
    let (at, end) = number(random, input.len());
    let value = one_of(random, &LIMITS).copied().unwrap_or(0).to_le_bytes();
    let place = &mut input[at..end];
    place.copy_from_slice(&value[..place.len()]);
    if random.below(4) == 0 {
        place.reverse();
    }
}

/// Makes a number a little larger or smaller.
fn step(random: &mut SplitMix, input: &mut [u8]) {
    let (at, end) = number(random, input.len());
    let place = &mut input[at..end];
    let mut value = [0; 8];
    value[..place.len()].copy_from_slice(place);
    let by = random.below(33) as u64;
    let value = u64::from_le_bytes(value).wrapping_add(by).wrapping_sub(16);
    place.copy_from_slice(&value.to_le_bytes()[..place.len()]);
}

/// A short piece of an input.
fn piece(random: &mut SplitMix, input: &[u8]) -> Vec<u8> {
    let at = random.below(input.len());
    let end = input.len().min(at + 1 + random.below(64));
    input[at..end].to_vec()
}

/// Puts bytes anywhere: between others, or over them.
fn insert(random: &mut SplitMix, input: &mut Vec<u8>, bytes: &[u8]) {
    let at = random.below(input.len() + 1);
    let end = match random.below(2) {
        0 => at,
        _ => input.len().min(at + bytes.len()),
    };
    input.splice(at..end, bytes.iter().copied());
}

/// Takes a piece away.
fn cut(random: &mut SplitMix, input: &mut Vec<u8>) {
    let at = random.below(input.len());
    let end = input.len().min(at + 1 + random.below(64));
    input.drain(at..end);
}

/// Goes on as another input does.
fn cross(random: &mut SplitMix, input: &mut Vec<u8>, inputs: &[Vec<u8>]) {
    let Some(other) = one_of(random, inputs) else {
        return;
    };
    input.truncate(random.below(input.len() + 1));
    input.extend_from_slice(&other[random.below(other.len() + 1)..]);
}

/// Adds bytes of no meaning.
fn noise(random: &mut SplitMix, input: &mut Vec<u8>) {
    let bytes = random.next_u64().to_le_bytes();
    let len = 1 + random.below(bytes.len());
    insert(random, input, &bytes[..len]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_one_input_and_others_make_others() {
        let inputs = [(0..60).collect(), b"another".to_vec(), Vec::new()];
        let words = [b"word".to_vec()];
        let all: Vec<Vec<u8>> = (0..500)
            .map(|seed| mutation(&mut SplitMix::new(seed), &inputs, &words, 100))
            .collect();
        let again = mutation(&mut SplitMix::new(7), &inputs, &words, 100);
        assert_eq!(all[7], again);
        assert!(all.iter().all(|input| input.len() <= 100));
        let mut different = all.clone();
        different.sort();
        different.dedup();
        assert!(different.len() > 300);
        assert!(
            all.iter()
                .any(|input| input.windows(4).any(|window| window == b"word"))
        );
    }

    #[test]
    fn nothing_is_made_of_nothing_without_harm() {
        for seed in 0..2_000 {
            mutation(&mut SplitMix::new(seed), &[], &[], 10);
            mutation(&mut SplitMix::new(seed), &[Vec::new()], &[], 10);
        }
    }
}
