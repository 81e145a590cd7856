//! A domain's configuration, in the language of xl (xl.cfg(5)) or in TOML.

mod devices;
mod error;
mod setting;
mod syntax;
mod toml;
mod write;

use alloc::string::String;
use alloc::vec::Vec;

pub use devices::{Disk, DiskAccess, Vif};
pub use error::{ConfigError, Mistake};
use setting::{Setting, Value};

/// What becomes of a domain that has shut down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// It is ended.
    Destroy,
    /// It is ended, and made anew.
    Restart,
    /// It stays as it is.
    Preserve,
}

/// A domain to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Its name.
    pub name: String,
    /// The path of its kernel.
    pub kernel: String,
    /// Its memory, in pages of 4 KiB.
    pub pages: u64,
    /// Its command line.
    pub extra: String,
    /// Its network interfaces.
    pub vifs: Vec<Vif>,
    /// Its disks.
    pub disks: Vec<Disk>,
    /// What becomes of it when it has powered off.
    pub on_poweroff: Action,
    /// When it asks to be restarted.
    pub on_reboot: Action,
    /// When it has crashed.
    pub on_crash: Action,
}

/// Bytes of a name: xenstored's paths and the tools' tables have room for that.
const NAME_BYTES: usize = 128;
/// The most memory, in MiB: 16 TiB.
const MOST_MEBIBYTES: u64 = 1 << 24;

impl Config {
    /// Reads a configuration in the language of xl.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: the line, and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::of(syntax::settings(text)?)
    }

    /// Reads a configuration in TOML: the same keys, and `[[vif]]` and `[[disk]]` for devices.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: the line, and what is wrong with it.
    pub fn parse_toml(text: &str) -> Result<Self, ConfigError> {
        Self::of(toml::settings(text)?)
    }

    fn of(settings: Vec<Setting>) -> Result<Self, ConfigError> {
        for (index, setting) in settings.iter().enumerate() {
            let known = KEYS.contains(&setting.key.as_str());
            let twice = settings[..index].iter().any(|s| s.key == setting.key);
            match () {
                () if !known => return Err(setting.wrong(Mistake::UnknownKey)),
                () if twice => return Err(setting.wrong(Mistake::Twice)),
                () => {}
            }
        }
        let settings = Settings(settings);
        settings.only("type", "pv")?;
        settings.one_processor()?;
        Ok(Self {
            name: settings.name()?,
            kernel: settings.must("kernel")?,
            pages: settings.pages()?,
            extra: settings.text("extra")?.unwrap_or_default(),
            vifs: devices::vifs(settings.find("vif"))?,
            disks: devices::disks(settings.find("disk"))?,
            on_poweroff: settings.action("on_poweroff", Action::Destroy)?,
            on_reboot: settings.action("on_reboot", Action::Restart)?,
            on_crash: settings.action("on_crash", Action::Destroy)?,
        })
    }
}

impl Config {
    /// Gives it another name.
    ///
    /// # Errors
    ///
    /// [`Mistake::BadName`]; it has the old one then.
    pub fn rename(&mut self, name: String) -> Result<(), Mistake> {
        if !is_name(&name) {
            return Err(Mistake::BadName);
        }
        self.name = name;
        Ok(())
    }

    /// Puts more words behind the command line.
    ///
    /// # Errors
    ///
    /// [`Mistake::BadWords`]; the command line is as before then.
    pub fn append(&mut self, words: &str) -> Result<(), Mistake> {
        if words.chars().any(char::is_control) {
            return Err(Mistake::BadWords);
        }
        if !words.is_empty() {
            self.extra.push(' ');
            self.extra.push_str(words);
        }
        Ok(())
    }
}

/// Whether a domain can be called so.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES
        && !name.chars().any(|c| c.is_control() || c == '/')
        // It would be taken for the number of a domain.
        && name.parse::<u64>().is_err()
}

const KEYS: [&str; 11] = [
    "name",
    "type",
    "kernel",
    "memory",
    "vcpus",
    "extra",
    "vif",
    "disk",
    "on_poweroff",
    "on_reboot",
    "on_crash",
];

struct Settings(Vec<Setting>);

impl Settings {
    fn find(&self, key: &str) -> Option<&Setting> {
        self.0.iter().find(|setting| setting.key == key)
    }

    fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        let Some(setting) = self.find(key) else {
            return Ok(None);
        };
        match &setting.value {
            Value::Text(text) => Ok(Some(text.clone())),
            _ => Err(setting.wrong(Mistake::NotText)),
        }
    }

    fn must(&self, key: &'static str) -> Result<String, ConfigError> {
        self.text(key)?.ok_or(ConfigError {
            line: 0,
            key: None,
            mistake: Mistake::Missing(key),
        })
    }

    fn number(&self, key: &str) -> Result<Option<(&Setting, u64)>, ConfigError> {
        let Some(setting) = self.find(key) else {
            return Ok(None);
        };
        match &setting.value {
            Value::Number(number) => Ok(Some((setting, *number))),
            // xl takes a number in quotes, too.
            Value::Text(text) => match text.parse() {
                Ok(number) => Ok(Some((setting, number))),
                Err(_) => Err(setting.wrong(Mistake::NotANumber)),
            },
            _ => Err(setting.wrong(Mistake::NotANumber)),
        }
    }

    fn name(&self) -> Result<String, ConfigError> {
        let name = self.must("name")?;
        match (is_name(&name), self.find("name")) {
            (false, Some(setting)) => Err(setting.wrong(Mistake::BadName)),
            _ => Ok(name),
        }
    }

    fn pages(&self) -> Result<u64, ConfigError> {
        let memory = self.number("memory")?.ok_or(ConfigError {
            line: 0,
            key: None,
            mistake: Mistake::Missing("memory"),
        })?;
        match memory {
            (_, mebibytes @ 1..=MOST_MEBIBYTES) => Ok(mebibytes * 256),
            (setting, _) => Err(setting.wrong(Mistake::OutOfRange)),
        }
    }

    fn only(&self, key: &str, value: &str) -> Result<(), ConfigError> {
        match (self.text(key)?, self.find(key)) {
            (Some(text), Some(setting)) if text != value => {
                Err(setting.wrong(Mistake::Unsupported))
            }
            _ => Ok(()),
        }
    }

    fn one_processor(&self) -> Result<(), ConfigError> {
        match self.number("vcpus")? {
            None | Some((_, 1)) => Ok(()),
            Some((setting, _)) => Err(setting.wrong(Mistake::Unsupported)),
        }
    }

    fn action(&self, key: &str, default: Action) -> Result<Action, ConfigError> {
        match (self.text(key)?.as_deref(), self.find(key)) {
            (None, _) => Ok(default),
            (Some("destroy"), _) => Ok(Action::Destroy),
            (Some("restart"), _) => Ok(Action::Restart),
            (Some("preserve"), _) => Ok(Action::Preserve),
            (Some(_), Some(setting)) => Err(setting.wrong(Mistake::Unsupported)),
            (Some(_), None) => Ok(default),
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod toml_tests;
