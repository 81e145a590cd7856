use alloc::string::ToString;

use proptest::prelude::*;

use super::*;

const WHOLE: &str = "# A domain
name = \"web\"
type = \"pv\"
kernel = 'web.xen'
memory = 8   # MiB
vcpus = 1
vif = [
    # none
]
disk = []; extra = \"log=debug ip='dhcp'\"

on_reboot = \"destroy\"
";

#[test]
fn a_whole_one() {
    let config = Config::parse(WHOLE).unwrap();
    assert_eq!(config.name, "web");
    assert_eq!(config.kernel, "web.xen");
    assert_eq!(config.pages, 2048);
    assert_eq!(config.extra, "log=debug ip='dhcp'");
    assert_eq!(config.on_poweroff, Action::Destroy);
    assert_eq!(config.on_reboot, Action::Destroy);
}

/// What is wrong, with one line more, or another one.
fn wrong(text: &str) -> String {
    Config::parse(text).unwrap_err().to_string()
}

#[test]
fn a_mistake_has_its_line() {
    let with = |line: &str| wrong(&(WHOLE.to_string() + line));
    assert_eq!(with("colour = 1"), "line 13: colour: the key is not known");
    assert_eq!(
        with("\nmemory = 9"),
        "line 14: memory: the key is there already"
    );
    assert!(with("nonsense").starts_with("line 13: a key, an equals sign"));
    assert!(with("a = \"b\" c").starts_with("line 13: a key"));
    assert!(with("a = \"b").starts_with("line 13: a text or a list has no end"));
    assert!(with("a = [\n'b'").starts_with("line 14: a text or a list has no end"));
    assert!(with("a = [ ['b'] ]").contains("list in a list"));
    assert!(with("a = 1x").contains("a number is wanted"));
}

#[test]
fn what_is_not_supported_is_refused() {
    let other = |old: &str, new: &str| wrong(&WHOLE.replace(old, new));
    assert_eq!(
        other("vcpus = 1", "vcpus = 2"),
        "line 6: vcpus: this toolstack cannot do that"
    );
    assert!(other("\"pv\"", "\"hvm\"").contains("type"));
    assert!(other("[]", "['phy:/dev/a,xvda,w']").contains("disk"));
    assert!(other("disk = []", "disk = 'a'").contains("a list is wanted"));
    assert!(other("\"destroy\"", "\"explode\"").contains("on_reboot"));
    assert!(other("memory = 8", "memory = 0").contains("too small"));
    assert!(other("memory = 8", "memory = []").contains("a number"));
    assert!(other("memory = 8", "").contains("memory is missing"));
    assert!(other("name = \"web\"", "").contains("name is missing"));
    for name in ["", "7", "a/b"] {
        assert!(other("\"web\"", &alloc::format!("\"{name}\"")).contains("a name has"));
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z_=\\[\\]'\"0-9 ,;#\n]{0,200}") {
        let _ = Config::parse(&text);
    }
}
