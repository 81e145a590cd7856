//! The domain's configuration, from the template in targets/.

use crate::workspace::App;

/// What a configuration has that differs from the app's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// The domain's name.
    pub(crate) name: Option<String>,
    /// Its memory in MiB.
    pub(crate) memory: Option<u32>,
    /// Its network interfaces, in place of the app's own.
    pub(crate) vifs: Option<Vec<String>>,
    /// Its disks, in place of the app's own.
    pub(crate) disks: Option<Vec<String>>,
    /// More words on its command line.
    pub(crate) extra: String,
    /// How its image is kept.
    pub(crate) packing: Packing,
}

/// How an image is kept. Domain builders take both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Packing {
    /// As it is loaded.
    #[default]
    None,
    /// By gzip (RFC 1952).
    Gzip,
}

impl Packing {
    /// What the names of image files end with.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Packing::None => "xen",
            Packing::Gzip => "xen.gz",
        }
    }
}

/// Fills the template in.
pub(crate) fn config(template: &str, app: &App, changes: &Changes) -> String {
    let own = app.domain.vif.then(|| "bridge=xenbr0".to_owned());
    let vifs = changes.vifs.clone().unwrap_or(own.into_iter().collect());
    let vifs: Vec<String> = vifs.iter().map(|vif| format!("'{vif}'")).collect();
    let mut vif = format!("vif = [{}]", vifs.join(", "));
    if app.domain.driver_domain {
        vif.push_str("\ndriver_domain = 1");
    }
    let disks = changes.disks.as_ref().unwrap_or(&app.domain.disks);
    let disks: Vec<String> = disks.iter().map(|disk| format!("'{disk}'")).collect();
    let extra = [app.domain.extra.as_str(), changes.extra.as_str()];
    let extra: Vec<&str> = extra
        .into_iter()
        .filter(|words| !words.is_empty())
        .collect();
    let kernel = format!("kernel = \"{}.{}\"", app.name, changes.packing.ending());
    let mut text = template
        .replace("kernel = \"@NAME@.xen\"", &kernel)
        .replace("@NAME@", changes.name.as_deref().unwrap_or(&app.name))
        .replace(
            "@MEMORY@",
            &changes.memory.unwrap_or(app.domain.memory).to_string(),
        )
        .replace("@VCPUS@", &app.domain.vcpus.to_string())
        .replace("@VIF@", &vif)
        .replace("@DISK@", &format!("disk = [{}]", disks.join(", ")))
        .replace("@EXTRA@", &extra.join(" "));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Changes, Packing, config};
    use crate::workspace::{App, Domain, Purpose};

    const TEMPLATE: &str = include_str!("../../../targets/xl.cfg.in");

    fn app() -> App {
        let domain = Domain {
            memory: 8,
            vif: true,
            driver_domain: true,
            disks: vec!["vdev=xvda,target=/a".into(), "vdev=xvdb,target=/b".into()],
            extra: "log=debug".into(),
            ..Domain::default()
        };
        App {
            name: "web".into(),
            domain,
            purpose: Purpose::App,
        }
    }

    #[test]
    fn fills_every_gap() {
        let text = config(TEMPLATE, &app(), &Changes::default());
        assert!(!text.contains('@'), "{text}");
        for line in [
            "name = \"web\"",
            "kernel = \"web.xen\"",
            "memory = 8",
            "vif = ['bridge=xenbr0']",
            "driver_domain = 1",
            "disk = ['vdev=xvda,target=/a', 'vdev=xvdb,target=/b']",
            "extra = \"log=debug\"",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "no {line} in:\n{text}"
            );
        }
    }

    #[test]
    fn changes_what_is_asked() {
        let changes = Changes {
            name: Some("other".into()),
            memory: Some(5),
            vifs: Some(vec![
                "backend=driver".into(),
                "mac=00:16:3e:01:02:03".into(),
            ]),
            disks: Some(vec![]),
            extra: "ip=dhcp".into(),
            packing: Packing::Gzip,
        };
        let text = config(TEMPLATE, &app(), &changes);
        for line in [
            "name = \"other\"",
            "kernel = \"web.xen.gz\"",
            "memory = 5",
            "vif = ['backend=driver', 'mac=00:16:3e:01:02:03']",
            "disk = []",
            "extra = \"log=debug ip=dhcp\"",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "no {line} in:\n{text}"
            );
        }
    }
}
