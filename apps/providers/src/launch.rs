//! What is to be made.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use morgana_toolstack::Config;

use crate::{Cause, Error, ProviderName};

/// A machine that is to be made. What is not said is taken from the configuration, or is the provider's choice.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Launch {
    /// A configuration as the toolstack takes it: in the language of xl.cfg(5), or in TOML if the file's name ends so. Xen and libvirt need one.
    pub configuration: Option<PathBuf>,
    /// An image that the provider keeps: for EC2 the id of an AMI, which it needs.
    pub kept_image: Option<String>,
    /// The machine's name, in place of the configuration's.
    pub name: Option<String>,
    /// More words on its command line.
    pub extra: String,
    /// Its memory, in place of the configuration's.
    pub memory_mib: Option<u64>,
    /// The kind of machine, where there are kinds: for EC2 an instance type, such as `t3.nano`.
    pub kind: Option<String>,
}

/// The largest configuration, in bytes.
const LARGEST: u64 = 1 << 20;
/// Bytes of a name: what the providers take, the shortest limit of them.
const NAME_BYTES: usize = 128;
/// The most memory: 16 TiB.
const MOST_MEBIBYTES: u64 = 1 << 24;

impl Launch {
    /// Reads the configuration, and puts what the launch says into it.
    ///
    /// # Errors
    ///
    /// Bad input: there is none, it cannot be read, or something in it or in the launch makes no sense.
    pub fn configured(&self, provider: ProviderName) -> Result<Config, Error> {
        let wrong = |why: String| Error::about(provider, self.called(), Cause::Wrong(why));
        let Some(path) = &self.configuration else {
            return Err(wrong("a configuration is wanted".to_owned()));
        };
        self.check().map_err(wrong)?;
        let named = |why: String| wrong(format!("{}: {why}", path.display()));
        let text = read(path).map_err(named)?;
        let parsed = match path.extension().is_some_and(|ending| ending == "toml") {
            true => Config::parse_toml(&text),
            false => Config::parse(&text),
        };
        let mut config = parsed.map_err(|error| named(error.to_string()))?;
        if let Some(name) = &self.name {
            config.name.clone_from(name);
        }
        if let Some(mebibytes) = self.memory_mib {
            config.pages = mebibytes * 256;
        }
        config.extra = joined(&config.extra, &self.extra);
        Ok(config)
    }

    /// What to call it in an error, before it is there.
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// What a file cannot be blamed for.
    ///
    /// # Errors
    ///
    /// What is wrong: a name that nobody takes, a memory that is too large, words with control characters in them.
    pub fn check(&self) -> Result<(), String> {
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        match self.memory_mib {
            None | Some(1..=MOST_MEBIBYTES) => {}
            Some(_) => return Err("memory: the number is too small or too large".to_owned()),
        }
        match self.extra.contains(char::is_control) {
            true => Err("a command line has no control characters".to_owned()),
            false => Ok(()),
        }
    }
}

/// Two command lines as one.
pub(crate) fn joined(one: &str, other: &str) -> String {
    let parts: Vec<&str> = [one, other].into_iter().filter(|s| !s.is_empty()).collect();
    parts.join(" ")
}

/// Those that the toolstack takes, too.
fn check_name(name: &str) -> Result<(), String> {
    let fits = (1..=NAME_BYTES).contains(&name.len())
        && !name.contains(|c: char| c.is_control() || c == '/')
        && name.parse::<u64>().is_err();
    match fits {
        true => Ok(()),
        false => Err("a name has 1 to 128 bytes, no slash, and is no number".to_owned()),
    }
}

fn read(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(LARGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    match text.len() as u64 > LARGEST {
        true => Err("it has more than 1 MiB".to_owned()),
        false => Ok(text),
    }
}
