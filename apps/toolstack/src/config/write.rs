//! Configurations as they are written in TOML.

use alloc::format;
use alloc::string::String;
use core::fmt::{self, Display, Write};

use super::{Action, Config, DiskAccess};

impl Config {
    /// The same in TOML, for [`parse_toml`](Self::parse_toml).
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        // A string takes whatever is written.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "name = {}", Text(&self.name))?;
        writeln!(out, "kernel = {}", Text(&self.kernel))?;
        writeln!(out, "memory = {}", self.pages / 256)?;
        if !self.extra.is_empty() {
            writeln!(out, "extra = {}", Text(&self.extra))?;
        }
        for (key, action) in [
            ("on_poweroff", self.on_poweroff),
            ("on_reboot", self.on_reboot),
            ("on_crash", self.on_crash),
        ] {
            writeln!(out, "{key} = {}", Text(action.name()))?;
        }
        for vif in &self.vifs {
            out.push_str("\n[[vif]]\n");
            if let Some(mac) = vif.mac {
                let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
                writeln!(out, "mac = {}", Text(&mac))?;
            }
            optional(out, "bridge", vif.bridge.as_deref())?;
            optional(out, "backend", vif.backend.as_deref())?;
        }
        for disk in &self.disks {
            let access = match disk.access {
                DiskAccess::ReadOnly => "r",
                DiskAccess::ReadWrite => "w",
            };
            out.push_str("\n[[disk]]\n");
            writeln!(out, "target = {}", Text(&disk.target))?;
            writeln!(out, "vdev = {}", Text(&disk.device))?;
            writeln!(out, "access = {}", Text(access))?;
            optional(out, "backend", disk.backend.as_deref())?;
        }
        Ok(())
    }
}

impl Action {
    /// As configurations name it.
    const fn name(self) -> &'static str {
        match self {
            Self::Destroy => "destroy",
            Self::Restart => "restart",
            Self::Preserve => "preserve",
        }
    }
}

fn optional(out: &mut String, key: &str, value: Option<&str>) -> fmt::Result {
    match value {
        Some(value) => writeln!(out, "{key} = {}", Text(value)),
        None => Ok(()),
    }
}

/// A basic string (TOML 1.0, "String").
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
