//! The zone of a site (RFC 1035 section 5).

use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};

/// A zone in which `name` and `www.NAME` are at `address`, and the two guests at theirs.
pub(crate) fn zone(
    name: &str,
    address: Ipv4Addr,
    website: Ipv4Addr,
    dns: Ipv4Addr,
) -> Result<String> {
    ensure!(is_name(name), "{name} is not a domain's name");
    // Each run's zone is newer than that before it, until the number wraps around in 2106 (RFC 1982).
    let serial = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |time| time.as_secs() as u32);
    Ok(format!(
        "$ORIGIN {name}.\n\
         $TTL 300\n\
         @ IN SOA ns1 hostmaster ( {serial} 3600 900 604800 300 )\n\
         @ IN NS ns1\n\
         @ IN A {address}\n\
         www IN CNAME @\n\
         ; the guests, as they see each other\n\
         ns1 IN A {dns}\n\
         guest IN A {website}\n\
         ; no mail is sent from or to this name\n\
         @ IN MX 0 .\n\
         @ IN TXT \"v=spf1 -all\"\n"
    ))
}

/// Whether a text is a host's name in two parts or more (RFC 1123 section 2.1), and so also harmless in a file's name and on a command line.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 200 && name.contains('.') && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::zone;

    #[test]
    fn only_names_get_a_zone() {
        let local = Ipv4Addr::LOCALHOST;
        let text = zone("morgana.test", local, local, local).unwrap();
        assert!(text.starts_with("$ORIGIN morgana.test.\n"));
        for bad in [
            "", "test", "a..b", "A.test", "-a.test", "a/b.test", "a.test.", "a b.test",
        ] {
            assert!(zone(bad, local, local, local).is_err(), "{bad}");
        }
    }
}
