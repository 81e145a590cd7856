//! Content codings, and which of them a client takes (RFC 9110 §12.5.3).

use crate::wire::{Request, elements, trim};

/// How a representation is coded (RFC 9110 §8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// The gzip format (RFC 1952).
    Gzip,
    /// Brotli (RFC 7932).
    Brotli,
}

/// How much a client wants something, in thousandths; nothing at 0.
type Weight = u16;

/// What a client that names some codings, and not identity, makes of that: it takes it, rather than nothing.
const UNNAMED_IDENTITY: Weight = 0;
const MOST: Weight = 1000;

impl Coding {
    /// Its name in `Content-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }

    /// Whether a client calls it so. `x-gzip` is what gzip was called once (§8.4.1.3).
    fn is_called(self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.name().as_bytes())
            || (self == Self::Gzip && name.eq_ignore_ascii_case(b"x-gzip"))
    }

    /// Which of `available` the client wants most; of several, the first. `None` if it takes none of them.
    ///
    /// A client that says nothing gets identity if that is available, and the first one otherwise. An element of `Accept-Encoding` that is malformed is not there.
    pub fn choose(request: &Request<'_>, available: &[Self]) -> Option<Self> {
        if request.headers().first("accept-encoding").is_none() {
            let identity = available.contains(&Self::Identity);
            return identity
                .then_some(Self::Identity)
                .or(available.first().copied());
        }
        let mut best: Option<(Weight, Self)> = None;
        for &coding in available {
            if let Some(weight) = coding.weight(request)
                && best.is_none_or(|(most, _)| weight > most)
            {
                best = Some((weight, coding));
            }
        }
        best.map(|(_, coding)| coding)
    }

    /// How much a client that names codings wants this one; `None` if it does not take it.
    fn weight(self, request: &Request<'_>) -> Option<Weight> {
        let mut any = None;
        for list in request.headers().all("accept-encoding") {
            for (name, weight) in elements(list).filter_map(weighted) {
                if self.is_called(name) {
                    return (weight > 0).then_some(weight);
                }
                if name == b"*" && any.is_none() {
                    any = Some(weight);
                }
            }
        }
        match any {
            Some(weight) => (weight > 0).then_some(weight),
            // Identity is always acceptable, unless it is refused.
            None => (self == Self::Identity).then_some(UNNAMED_IDENTITY),
        }
    }
}

/// A coding and its weight: `gzip`, `gzip;q=0.5`.
fn weighted(element: &[u8]) -> Option<(&[u8], Weight)> {
    let mut parts = element.split(|&byte| byte == b';').map(trim);
    let name = parts.next()?;
    let weight = match parts.next() {
        None => MOST,
        Some(parameter) => match parameter {
            [b'q' | b'Q', b'=', value @ ..] => quality(value)?,
            _ => return None,
        },
    };
    parts.next().is_none().then_some((name, weight))
}

/// `qvalue` (§12.4.2): 0 to 1 with at most three decimals.
fn quality(text: &[u8]) -> Option<Weight> {
    let (whole, decimals) = match text {
        [whole] => (whole, &[][..]),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| Weight::from(byte - b'0'));
    let mut weight = digit(whole)?;
    for place in 0..3 {
        weight = weight * 10 + decimals.get(place).map_or(Some(0), digit)?;
    }
    (weight <= MOST).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::HeadLimits;
    use Coding::{Brotli, Gzip, Identity};
    use std::format;

    const LIMITS: HeadLimits = HeadLimits {
        head: 8192,
        target: 64,
        headers: 8,
    };

    fn chosen(lines: &str, available: &[Coding]) -> Option<Coding> {
        let mut head = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").into_bytes();
        let request = Request::parse(&mut head, &LIMITS).expect("well-formed");
        Coding::choose(&request, available)
    }

    #[test]
    fn the_client_s_weights_count_then_the_server_s_order() {
        let all = [Brotli, Gzip, Identity];
        for (accepted, expected) in [
            ("gzip, deflate, br, zstd", Some(Brotli)),
            ("gzip, deflate", Some(Gzip)),
            ("X-GZIP", Some(Gzip)),
            ("BR;q=0.5 , gzip ; Q=0.8", Some(Gzip)),
            ("br;q=0.001, identity;q=0.002", Some(Identity)),
            ("br;q=0.001", Some(Brotli)),
            ("*", Some(Brotli)),
            ("*, br;q=0", Some(Gzip)),
            ("gzip;q=0.5, *;q=0.4", Some(Gzip)),
            ("*;q=0", None),
            ("*;q=0, identity", Some(Identity)),
            ("identity;q=0", None),
            ("identity;q=0, gzip;q=0.000, br;q=0.1", Some(Brotli)),
            ("", Some(Identity)),
            ("zstd", Some(Identity)),
            // Malformed elements are not there.
            ("br;q=2, gzip;q=0.1234, identity", Some(Identity)),
            ("br;level=3, br;q=1;a=b, gzip;q=", Some(Identity)),
            ("br;q=1.001, gzip;q=0.5", Some(Gzip)),
        ] {
            let lines = format!("Accept-Encoding: {accepted}\r\n");
            assert_eq!(chosen(&lines, &all), expected, "{accepted}");
        }
        let lines = "Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n";
        assert_eq!(chosen(lines, &all), Some(Brotli));
    }

    #[test]
    fn who_says_nothing_gets_it_as_it_is() {
        assert_eq!(chosen("", &[Brotli, Gzip, Identity]), Some(Identity));
        assert_eq!(chosen("", &[Gzip]), Some(Gzip));
        assert_eq!(chosen("", &[]), None);
        assert_eq!(chosen("Accept-Encoding: br\r\n", &[Gzip]), None);
    }
}
