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

fn disk(text: &str) -> Result<Disk, String> {
    let whole = WHOLE.replace("disk = []", &alloc::format!("disk = ['{text}']"));
    let config = Config::parse(&whole).map_err(|error| error.to_string())?;
    Ok(config.disks[0].clone())
}

#[test]
fn disks_in_every_way_that_xl_has() {
    let expected = Disk {
        target: "/dev/vg/a".to_string(),
        device: "xvdb".to_string(),
        number: 51728,
        access: DiskAccess::ReadOnly,
        backend: None,
    };
    for text in [
        "phy:/dev/vg/a,xvdb,r",
        "/dev/vg/a,raw,xvdb,ro",
        "/dev/vg/a,,xvdb,r",
        "target=/dev/vg/a, vdev=xvdb, access=ro, format=raw, backendtype=phy",
    ] {
        assert_eq!(disk(text).as_ref(), Ok(&expected), "{text}");
    }
    let of_another = disk("vdev=xvda,target=a=b,backend=store").unwrap();
    assert_eq!(of_another.backend.as_deref(), Some("store"));
    assert_eq!(
        (of_another.target.as_str(), of_another.number),
        ("a=b", 51712)
    );
    assert_eq!(of_another.access, DiskAccess::ReadWrite);
    for (text, wrong) in [
        ("", "target"),
        ("/dev/a", "vdev"),
        ("vdev=xvda", "target"),
        ("/dev/a,qcow2,xvda,w", "format"),
        ("/dev/a,raw,hda,w", "vdev"),
        ("/dev/a,raw,xvda,x", "access"),
        ("/dev/a,raw,xvda,w,more", "a part of it is not known"),
        ("/dev/a,raw,xvda,w,colour=red", "a part of it is not known"),
    ] {
        let said = disk(text).unwrap_err();
        assert!(
            said.starts_with("line 10: disk: ") && said.contains(wrong),
            "{text}: {said}"
        );
    }
    let twice = WHOLE.replace("disk = []", "disk = ['/a,raw,xvda,w', '/b,raw,xvda,w']");
    assert!(wrong(&twice).contains("vdev"));
}

#[test]
fn interfaces() {
    let vif = |text: &str| {
        let whole = WHOLE.replace("# none", &alloc::format!("'{text}'"));
        Config::parse(&whole).map(|config| config.vifs[0].clone())
    };
    let given = vif("mac=00:16:3e:01:02:0f,bridge=xenbr0").unwrap();
    assert_eq!(given.mac, Some([0, 0x16, 0x3e, 1, 2, 15]));
    assert_eq!(given.bridge.as_deref(), Some("xenbr0"));
    assert_eq!(vif("").unwrap(), Vif::default());
    for text in [
        "mac=01:00:00:00:00:00",
        "mac=1:2:3:4:5:6",
        "mac=00:16:3e:01:02",
        "mac=00:16:3e:01:02:03:04",
        "bridge=",
        "bridge=a-name-of-sixteen",
        "script=vif-bridge",
        "nonsense",
    ] {
        let said = vif(text).unwrap_err().to_string();
        assert!(said.starts_with("line 7: vif: "), "{text}: {said}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z_=\\[\\]'\"0-9 ,;#\n]{0,200}") {
        let _ = Config::parse(&text);
    }
}
