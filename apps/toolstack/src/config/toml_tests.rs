use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

const WHOLE: &str = r#"# A domain
name = "web"
type = "pv"
kernel = 'web.xen'
memory = 8
vcpus = 1
extra = "log=debug ip='dhcp'"
on_reboot = "destroy"

[[vif]]
mac = "00:16:3e:01:02:03"
bridge = "xenbr7"

[[vif]]

[[disk]]
target = "/dev/vg/web=1,a"
vdev = "xvda"
access = "r"
backend = "disks"

[[disk]]
target = "/dev/ram0"
format = "raw"
vdev = "xvdb"
"#;

/// The same in the language of xl.
const XL: &str = "name = 'web'
kernel = 'web.xen'
memory = 8
extra = \"log=debug ip='dhcp'\"
on_reboot = 'destroy'
vif = ['mac=00:16:3e:01:02:03,bridge=xenbr7', '']
disk = ['target=/dev/vg/web,vdev=xvda,access=r,backend=disks', '/dev/ram0,raw,xvdb,w']
";

#[test]
fn both_languages_say_the_same() {
    let mut config = Config::parse_toml(WHOLE).unwrap();
    // There is no way to say a comma in the other one.
    assert_eq!(config.disks[0].target, "/dev/vg/web=1,a");
    config.disks[0].target = "/dev/vg/web".to_string();
    assert_eq!(config, Config::parse(XL).unwrap());
}

#[test]
fn what_is_written_is_read() {
    let mut config = Config::parse_toml(WHOLE).unwrap();
    config.extra = "tab\t quote\" back\\slash \u{7f} \u{e9}".to_string();
    assert_eq!(Config::parse_toml(&config.to_toml()), Ok(config));
}

fn wrong(text: &str) -> String {
    Config::parse_toml(text).unwrap_err().to_string()
}

#[test]
fn a_mistake_has_its_line() {
    let other = |old: &str, new: &str| {
        assert!(WHOLE.contains(old), "{old}");
        wrong(&WHOLE.replacen(old, new, 1))
    };
    for (old, new, said) in [
        (
            "memory = 8",
            "memori = 8",
            "line 5: memori: the key is not known",
        ),
        (
            "memory = 8",
            "memory = 8\nmemory = 9",
            "line 6: duplicate key",
        ),
        (
            "memory = 8",
            "memory = -8",
            "line 5: memory: a number is wanted",
        ),
        (
            "memory = 8",
            "memory = 8.5",
            "line 5: memory: a number is wanted",
        ),
        (
            "memory = 8",
            "memory = 0",
            "line 5: memory: the number is too small or too large",
        ),
        ("memory = 8", "memory = ", "line 5: "),
        ("memory = 8\n", "", "memory is missing"),
        ("\"web\"", "\"7\"", "line 2: name: a name has"),
        ("\"web\"", "7", "line 2: name: a text in quotes is wanted"),
        (
            "\"pv\"",
            "\"hvm\"",
            "line 3: type: this toolstack cannot do that",
        ),
        (
            "bridge =",
            "brigde =",
            "line 12: vif.brigde: the key is not known",
        ),
        (
            "\"xenbr7\"",
            "7",
            "line 12: vif.bridge: a text in quotes is wanted",
        ),
        (
            "\"00:16",
            "\"01:16",
            "line 11: vif: mac is missing, or not understood",
        ),
        ("vdev = \"xvda\"\n", "", "line 16: disk: vdev is missing"),
        (
            "\"xvdb\"",
            "\"xvda\"",
            "line 22: disk: vdev is missing, or not understood",
        ),
        (
            "access = \"r\"",
            "access = \"x\"",
            "line 19: disk: access is missing",
        ),
        ("[[vif]]\nmac", "[vif]\nmac", "line "),
        (
            "[[vif]]\nmac",
            "[[colour]]\nmac",
            "line 10: colour: the key is not known",
        ),
        ("extra = ", "extra = [", "line "),
    ] {
        let told = other(old, new);
        assert!(told.starts_with(said), "{new}: {told}");
    }
    assert_eq!(
        wrong("vif = 1\nname = 'a'\nkernel = 'a'\nmemory = 1"),
        "line 1: vif: a list is wanted"
    );
    assert_eq!(
        wrong("name = 'a'\nkernel = 'a'\nmemory = 1\nvif = ['mac=0']"),
        "line 4: vif: mac is missing, or not understood"
    );
}

#[test]
fn there_is_an_end_of_what_is_read() {
    let many: String = (0..1025).map(|number| format!("a{number} = 1\n")).collect();
    assert!(wrong(&many).contains("more than 1,024 settings"));
    let long = format!("vif = [{}]", "'',".repeat(1025));
    assert!(wrong(&long).starts_with("line 1: more than 1,024"));
    let devices = "[[vif]]\n".repeat(17);
    assert!(
        wrong(&format!("name = 'a'\nkernel = 'a'\nmemory = 1\n{devices}")).contains("at most 16")
    );
    for deep in ["[", "{a=", "a.", "[[a."] {
        wrong(&format!("a = {}", deep.repeat(100_000)));
        wrong(&deep.repeat(100_000));
    }
    let key = "a".repeat(100_000);
    assert!(wrong(&format!("{key} = 1")).len() < 300);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*|[a-z=\\[\\]{}\"'\\\\.,0-9 \n#]*") {
        if let Err(error) = Config::parse_toml(&text) {
            prop_assert!(error.to_string().lines().count() <= 1);
        }
    }

    #[test]
    fn any_change_of_one_is_read_or_refused(place in 0..WHOLE.len(), with in "\\PC{0,3}|[\n\"'=\\[\\]]{0,3}") {
        let mut text = WHOLE.to_string();
        text.replace_range(place..=place, &with);
        if let Ok(config) = Config::parse_toml(&text) {
            prop_assert_eq!(Config::parse_toml(&config.to_toml()), Ok(config));
        }
    }
}

#[test]
fn lines_are_those_of_an_editor() {
    let lines: Vec<String> = ["\n\nx = 1", "\r\n\r\nx = 1", "a.b = 1\n\n[x]"]
        .map(wrong)
        .into();
    assert!(lines[0].starts_with("line 3: x"), "{lines:?}");
    assert!(lines[1].starts_with("line 3: x"), "{lines:?}");
    assert!(lines[2].starts_with("line 1: a"), "{lines:?}");
}
