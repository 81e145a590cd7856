//! Features that an image needs of Xen (elfnote.h, `XEN_ELFNOTE_FEATURES`; features.h).

use crate::image::Problem;

/// What an unprivileged PV domain has, or may be told not to use.
const HAD: [&[u8]; 4] = [
    b"writable_page_tables",
    b"writable_descriptor_tables",
    b"pae_pgdir_above_4gb",
    b"mmu_pt_update_preserve_ad",
];

/// Names joined by `|`. What has no `!` before it the image can do without.
pub(crate) fn check(features: &[u8]) -> Result<(), Problem> {
    let names = features.split(|&byte| byte == b'|');
    let mut required = names.filter_map(|name| name.strip_prefix(b"!"));
    match required.all(|name| HAD.contains(&name)) {
        true => Ok(()),
        false => Err(Problem::MissingFeature),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_required_must_be_there() {
        assert_eq!(check(b""), Ok(()));
        assert_eq!(check(b"!writable_page_tables|pae_pgdir_above_4gb"), Ok(()));
        assert_eq!(check(b"auto_translated_physmap|unheard_of"), Ok(()));
        for name in [&b"!auto_translated_physmap"[..], b"a|!unheard_of", b"!"] {
            assert_eq!(check(name), Err(Problem::MissingFeature));
        }
    }
}
