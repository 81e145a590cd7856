//! A configuration as libvirt's XML (<https://libvirt.org/formatdomain.html>, <https://libvirt.org/drvxen.html>).

use std::fmt::Write;

use crate::{Cause, Config};
use morgana_toolstack::{Action, Disk, DiskAccess, Vif};

/// Which driver of libvirt's reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hypervisor {
    /// The one for Xen (libxl).
    Xen,
    /// The one for tests: a host that libvirt makes up, whose domains do nothing.
    Test,
}

impl Hypervisor {
    /// What libvirt calls it in XML.
    fn word(self) -> &'static str {
        match self {
            Self::Xen => "xen",
            Self::Test => "test",
        }
    }

    /// What libvirt calls a domain that is paravirtualised; on a host that is made up there is nothing else than this.
    fn kind(self) -> &'static str {
        match self {
            Self::Xen => "<type arch='x86_64' machine='xenpv'>linux</type>",
            Self::Test => "<type arch='x86_64'>hvm</type>",
        }
    }
}

/// The XML of a paravirtualised domain. What a text has that XML gives a meaning to is escaped.
///
/// # Errors
///
/// Bad input: what XML has no way to write, or libvirt to say.
pub fn domain_xml(config: &Config, hypervisor: Hypervisor) -> Result<String, Cause> {
    let mut xml = format!("<domain type='{}'>\n", hypervisor.word());
    element(&mut xml, 2, "name", &config.name)?;
    // Pages of 4 KiB.
    let _ = writeln!(
        xml,
        "  <memory unit='KiB'>{}</memory>",
        config.pages.saturating_mul(4)
    );
    let _ = writeln!(xml, "  <vcpu>1</vcpu>\n  <os>\n    {}", hypervisor.kind());
    element(&mut xml, 4, "kernel", &config.kernel)?;
    if !config.extra.is_empty() {
        element(&mut xml, 4, "cmdline", &config.extra)?;
    }
    xml.push_str("  </os>\n");
    for (name, action) in [
        ("on_poweroff", config.on_poweroff),
        ("on_reboot", config.on_reboot),
        ("on_crash", config.on_crash),
    ] {
        element(&mut xml, 2, name, action_word(action))?;
    }
    xml.push_str("  <devices>\n");
    for each in &config.disks {
        disk(&mut xml, each)?;
    }
    for each in &config.vifs {
        vif(&mut xml, each)?;
    }
    xml.push_str("    <console type='pty'>\n      <target type='xen' port='0'/>\n    </console>\n");
    xml.push_str("  </devices>\n</domain>\n");
    Ok(xml)
}

fn action_word(action: Action) -> &'static str {
    match action {
        Action::Destroy => "destroy",
        Action::Restart => "restart",
        Action::Preserve => "preserve",
    }
}

fn disk(xml: &mut String, disk: &Disk) -> Result<(), Cause> {
    xml.push_str("    <disk type='block' device='disk'>\n      <driver name='phy' type='raw'/>\n");
    if let Some(backend) = &disk.backend {
        backend_domain(xml, backend)?;
    }
    let _ = writeln!(xml, "      <source dev='{}'/>", escaped(&disk.target)?);
    let _ = writeln!(
        xml,
        "      <target dev='{}' bus='xen'/>",
        escaped(&disk.device)?
    );
    if disk.access == DiskAccess::ReadOnly {
        xml.push_str("      <readonly/>\n");
    }
    xml.push_str("    </disk>\n");
    Ok(())
}

fn vif(xml: &mut String, vif: &Vif) -> Result<(), Cause> {
    xml.push_str("    <interface type='bridge'>\n");
    if let Some(backend) = &vif.backend {
        backend_domain(xml, backend)?;
    }
    if let Some([a, b, c, d, e, f]) = vif.mac {
        let _ = writeln!(
            xml,
            "      <mac address='{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}'/>"
        );
    }
    let bridge = vif.bridge.as_deref().unwrap_or("xenbr0");
    let _ = writeln!(xml, "      <source bridge='{}'/>", escaped(bridge)?);
    xml.push_str("    </interface>\n");
    Ok(())
}

/// The domain that serves a device.
fn backend_domain(xml: &mut String, name: &str) -> Result<(), Cause> {
    let _ = writeln!(xml, "      <backenddomain name='{}'/>", escaped(name)?);
    Ok(())
}

fn element(xml: &mut String, indent: usize, name: &str, text: &str) -> Result<(), Cause> {
    let _ = writeln!(xml, "{:indent$}<{name}>{}</{name}>", "", escaped(text)?);
    Ok(())
}

/// A text as XML has it, in an element or an attribute.
fn escaped(text: &str) -> Result<String, Cause> {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has none of these, not even as numbers (2.2), or turns them into spaces.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                return Err(Cause::Wrong(
                    "a configuration for libvirt has no control characters".to_owned(),
                ));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse(text).unwrap()
    }

    #[test]
    fn a_configuration_becomes_xml() {
        let config = config(
            "name = 'web'\nkernel = '/guests/web.xen'\nmemory = 16\nextra = 'a=1 b'\n\
             vif = ['bridge=br1,mac=02:00:00:00:00:07', 'backend=net']\n\
             disk = ['/dev/loop0,raw,xvda,r', 'target=queue,vdev=xvdb,backend=disks']\n\
             on_crash = 'preserve'",
        );
        assert_eq!(
            domain_xml(&config, Hypervisor::Xen).unwrap(),
            "\
<domain type='xen'>
  <name>web</name>
  <memory unit='KiB'>16384</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='xenpv'>linux</type>
    <kernel>/guests/web.xen</kernel>
    <cmdline>a=1 b</cmdline>
  </os>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>preserve</on_crash>
  <devices>
    <disk type='block' device='disk'>
      <driver name='phy' type='raw'/>
      <source dev='/dev/loop0'/>
      <target dev='xvda' bus='xen'/>
      <readonly/>
    </disk>
    <disk type='block' device='disk'>
      <driver name='phy' type='raw'/>
      <backenddomain name='disks'/>
      <source dev='queue'/>
      <target dev='xvdb' bus='xen'/>
    </disk>
    <interface type='bridge'>
      <mac address='02:00:00:00:00:07'/>
      <source bridge='br1'/>
    </interface>
    <interface type='bridge'>
      <backenddomain name='net'/>
      <source bridge='xenbr0'/>
    </interface>
    <console type='pty'>
      <target type='xen' port='0'/>
    </console>
  </devices>
</domain>
"
        );
    }

    #[test]
    fn nothing_gets_out_of_its_element() {
        let mut config = config("name = 'web'\nkernel = '/w'\nmemory = 16");
        config.extra = "</cmdline></os><!-- & \"'".to_owned();
        config.name = "<a>&amp;".to_owned();
        let xml = domain_xml(&config, Hypervisor::Xen).unwrap();
        assert!(
            xml.contains(
                "<cmdline>&lt;/cmdline&gt;&lt;/os&gt;&lt;!-- &amp; &quot;&apos;</cmdline>"
            ),
            "{xml}"
        );
        assert!(xml.contains("<name>&lt;a&gt;&amp;amp;</name>"), "{xml}");
    }

    #[test]
    fn what_xml_cannot_say_is_refused() {
        for character in ['\0', '\n', '\u{1b}', '\u{85}', '\u{ffff}'] {
            let mut config = config("name = 'web'\nkernel = '/w'\nmemory = 16");
            config.extra.push(character);
            assert!(
                domain_xml(&config, Hypervisor::Xen).is_err(),
                "{character:?}"
            );
        }
    }
}
