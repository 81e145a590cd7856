//! A guest of the testbed: its files in dom0, its console, its end.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::agent::Deadline;
use super::handle::Testbed;
use crate::build::{self, Changes, Image};
use crate::workspace::Workspace;

/// How a guest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It powered off.
    PowerOff,
    /// It asked to be restarted.
    Reboot,
    /// It crashed.
    Crash,
    /// It was destroyed by someone else.
    Destroyed,
}

/// How a guest is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Birth {
    /// It runs at once.
    Running,
    /// It waits for `xl unpause`.
    Paused,
}

/// A guest whose files are in dom0.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    name: String,
    config: String,
}

impl Guest {
    /// Copies an image to dom0, with a configuration that has `extra` words on the command line.
    pub(crate) fn install(
        testbed: &Testbed,
        workspace: &Workspace,
        image: &Image,
        extra: &str,
    ) -> Result<Guest> {
        let changes = Changes {
            extra: extra.to_owned(),
            ..Changes::default()
        };
        Guest::install_as(testbed, workspace, image, &changes)
    }

    /// As [`Guest::install`], with any changes to the app's own configuration.
    pub(crate) fn install_as(
        testbed: &Testbed,
        workspace: &Workspace,
        image: &Image,
        changes: &Changes,
    ) -> Result<Guest> {
        let name = changes
            .name
            .clone()
            .unwrap_or_else(|| image.app.name.clone());
        let text = build::config(&build::template(workspace)?, &image.app, changes);
        // Our own caller looks at how it ended.
        let text = text.replace("on_reboot = \"restart\"", "on_reboot = \"destroy\"");
        testbed.put_once(&image.kernel, &format!("/guests/{}.xen", image.app.name))?;
        let config = format!("/guests/{name}.cfg");
        testbed.put_bytes(text.as_bytes(), &config, 0o644)?;
        Ok(Guest { name, config })
    }

    /// A guest that is not one of ours, by the text of its configuration.
    pub(crate) fn configured(testbed: &Testbed, name: &str, text: &str) -> Result<Guest> {
        let config = format!("/guests/{name}.cfg");
        testbed.put_bytes(text.as_bytes(), &config, 0o644)?;
        let name = name.to_owned();
        Ok(Guest { name, config })
    }

    /// The domain's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The path of its configuration in dom0. The image is beside it.
    pub(crate) fn config(&self) -> &str {
        &self.config
    }

    /// Creates the domain, passes its console on, and waits for its end.
    pub(crate) fn run(
        &self,
        testbed: &Testbed,
        deadline: Deadline,
        console: &mut (dyn Write + Send),
    ) -> Result<End> {
        self.run_from(Birth::Running, testbed, deadline, console)
    }

    /// As [`Guest::run`]; the domain may be born paused, and somebody else lets it run.
    pub(crate) fn run_from(
        &self,
        birth: Birth,
        testbed: &Testbed,
        deadline: Deadline,
        console: &mut (dyn Write + Send),
    ) -> Result<End> {
        let Guest { name, config } = self;
        let paused = match birth {
            Birth::Running => "",
            Birth::Paused => "-p",
        };
        let log = format!("/var/log/xen/console/guest-{name}.log");
        let create = format!("/run/testbed/create.{name}");
        // The daemon's log has all that the console's ring had, also what was written just before the end. `cat` goes on where the
        // one before it has stopped, since they share the open file; the last one looks when nothing more can come.
        let script = format!(
            "cd /guests && rm -f {create}.over && : >{log} || exit 1; \
             {{ exec 3<{log}; until [ -e {create}.over ]; do cat <&3; sleep 0.1; done; cat <&3; }} & follower=$!; \
             xl create {paused} -F {config} >{create} 2>&1; status=$?; sleep 0.3; : >{create}.over; wait $follower; exit $status"
        );
        let status = testbed.run(&script, deadline, console, &mut std::io::sink())?;
        let told = testbed.sh(&format!("cat {create}"))?;
        reason(&told, status)
            .with_context(|| format!("xl cannot create {name}:\n{}", told.trim_end()))
    }

    /// Creates the domain and returns when it runs.
    pub(crate) fn create(&self, testbed: &Testbed) -> Result<()> {
        testbed
            .sh(&format!("cd /guests && xl create {}", self.config))
            .map(drop)
    }

    /// What the guest has written to its console so far.
    pub(crate) fn console(&self, testbed: &Testbed) -> Result<String> {
        testbed.sh(&format!("cat /var/log/xen/console/guest-{}.log", self.name))
    }

    /// Asks the guest to shut down and waits until it has.
    pub(crate) fn shut_down(&self, testbed: &Testbed, patience: Duration) -> Result<()> {
        let script = format!(
            "timeout {} xl shutdown -w {}",
            patience.as_secs().max(1),
            self.name
        );
        testbed
            .sh_within(&script, patience + Duration::from_secs(10))
            .map(drop)
    }

    /// The file in dom0 that is there once [`Guest::run`] has seen the domain's end.
    pub(super) fn over(&self) -> String {
        format!("/run/testbed/create.{}.over", self.name)
    }

    /// Whether there is such a domain now.
    pub(crate) fn exists(&self, testbed: &Testbed) -> bool {
        testbed
            .sh(&format!("xl domid {} 2>/dev/null", self.name))
            .is_ok()
    }

    /// Ends the domain without asking it.
    pub(crate) fn destroy(&self, testbed: &Testbed) -> Result<()> {
        testbed.sh(&format!("xl destroy {}", self.name)).map(drop)
    }
}

/// Reads the end of a domain from what `xl create -F` says. The codes are Xen's: sched.h, SHUTDOWN_*.
fn reason(told: &str, status: i32) -> Result<End> {
    let code = told.lines().find_map(|line| {
        line.split_once("has shut down, reason code ")?
            .1
            .split(' ')
            .next()?
            .parse()
            .ok()
    });
    match code {
        Some(0_u32) => Ok(End::PowerOff),
        Some(1) => Ok(End::Reboot),
        Some(3) => Ok(End::Crash),
        Some(code) => bail!("the domain ended with reason {code}"),
        None if told.contains("has been destroyed") => Ok(End::Destroyed),
        None => bail!("status {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{End, reason};

    #[test]
    fn reads_what_xl_says() {
        let told = "Parsing config from x\nDomain 3 has shut down, reason code 3 0x3\nAction for shutdown reason code 3 is destroy\n";
        assert_eq!(reason(told, 0).unwrap(), End::Crash);
        assert_eq!(
            reason("Domain 3 has shut down, reason code 0 0x0\n", 0).unwrap(),
            End::PowerOff
        );
        assert_eq!(
            reason("Domain 1 has been destroyed.\n", 0).unwrap(),
            End::Destroyed
        );
        assert!(reason("xl: no such file", 1).is_err());
    }
}
