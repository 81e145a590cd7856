//! Who serves a guest's interface.

use anyhow::Result;

use super::super::Lab;

/// A kind of back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// Linux's xen-netback in dom0.
    Linux,
    /// Our driver domain.
    DriverDomain,
    /// Our process in dom0.
    Process,
}

impl Back {
    /// Makes it ready to serve.
    pub(super) fn start(self, lab: &Lab<'_>) -> Result<()> {
        match self {
            Back::Linux => Ok(()),
            Back::DriverDomain => {
                let guest = lab.guest("netback", "report=5")?;
                guest.create(lab)?;
                lab.expect_line(&guest, "uplink").map(drop)
            }
            Back::Process => {
                let program = lab.program("netback")?;
                // Linux's own would take the devices.
                lab.sh("rmmod xen_netback")?;
                lab.start_program(&program, "--xen report=5", "serving")
            }
        }
    }

    /// What an interface's configuration says to be served by it.
    pub(super) fn vif(self) -> &'static str {
        match self {
            Back::Linux | Back::Process => "bridge=xenbr0",
            Back::DriverDomain => "backend=netback",
        }
    }

    /// A command that shows what it has logged.
    pub(super) fn log(self) -> &'static str {
        match self {
            Back::Linux => "dmesg | tail -20",
            Back::DriverDomain => "cat /var/log/xen/console/guest-netback.log",
            Back::Process => "cat /programs/netback.log",
        }
    }
}
