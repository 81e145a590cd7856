//! The order in which people expect names: `vif2` before `vif10`.

use std::cmp::Ordering;

/// Compares names: runs of digits by their number, all else by its bytes.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        let order = match (run(&mut left), run(&mut right)) {
            (None, None) => return a.cmp(b),
            (first, second) => match (first, second) {
                (Some(Run::Number(first)), Some(Run::Number(second))) => {
                    first.len().cmp(&second.len()).then(first.cmp(second))
                }
                (first, second) => first.map(Run::bytes).cmp(&second.map(Run::bytes)),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// A part of a name.
#[derive(Clone, Copy)]
enum Run<'a> {
    /// Digits, without zeros before them.
    Number(&'a [u8]),
    Text(&'a [u8]),
}

impl<'a> Run<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            Self::Number(bytes) | Self::Text(bytes) => bytes,
        }
    }
}

/// Takes the next run off a name.
fn run<'a>(name: &mut &'a [u8]) -> Option<Run<'a>> {
    let digits = name.first()?.is_ascii_digit();
    let other = |byte: &u8| byte.is_ascii_digit() != digits;
    let end = name.iter().position(other).unwrap_or(name.len());
    let (run, rest) = name.split_at(end);
    *name = rest;
    if !digits {
        return Some(Run::Text(run));
    }
    let zeros = run.iter().take_while(|&&byte| byte == b'0').count();
    Some(Run::Number(&run[zeros..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_and_letters_compare() {
        let mut names = [
            "vif10", "10", "2", "vif2", "a", "0", "vif", "a1b10", "a1b9", "02", "B",
        ];
        names.sort_by(|a, b| compare(a, b));
        let expected = [
            "0", "02", "2", "10", "B", "a", "a1b9", "a1b10", "vif", "vif2", "vif10",
        ];
        assert_eq!(names, expected);
        // Longer than any integer type.
        let long = "9".repeat(100);
        assert_eq!(compare("10", &long), Ordering::Less);
        assert_eq!(compare(&long, &long), Ordering::Equal);
    }

    proptest::proptest! {
        #[test]
        fn it_is_an_order(a in "[a-c0-2/]{0,6}", b in "[a-c0-2/]{0,6}", c in "[a-c0-2/]{0,6}") {
            let (ab, bc, ac) = (compare(&a, &b), compare(&b, &c), compare(&a, &c));
            proptest::prop_assert_eq!(ab, compare(&b, &a).reverse());
            proptest::prop_assert_eq!(ab == Ordering::Equal, a == b);
            if ab != Ordering::Greater && bc != Ordering::Greater {
                proptest::prop_assert_ne!(ac, Ordering::Greater);
            }
        }
    }
}
