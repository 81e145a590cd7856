//! What the daemon was asked for and has to remember: a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The largest such file, in bytes.
const LARGEST: u64 = 4 << 20;

/// What is remembered.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// Domains that are built ahead.
    #[serde(default)]
    pub(super) keep: Vec<Keep>,
    /// Services.
    #[serde(default)]
    pub(super) run: Vec<Run>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keep {
    pub(super) config: PathBuf,
    pub(super) count: usize,
}

/// A service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    pub(super) order: Order,
    /// The domain that it was last: its disks are free when nothing is left of that.
    #[serde(default)]
    pub(super) last: Option<Last>,
}

/// Which domain is to run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) name: String,
    pub(super) config: PathBuf,
    /// Words more on its command line.
    #[serde(default)]
    pub(super) extra: String,
}

/// A domain that was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Last {
    pub(super) domain: u16,
    /// Another domain may have its number by now.
    pub(super) uuid: [u8; 16],
}

/// The file.
#[derive(Debug)]
pub(super) struct StateFile(PathBuf);

impl StateFile {
    pub(super) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// What tells the daemon that has this file from others of the machine.
    pub(super) fn owner(&self) -> String {
        let path = std::path::absolute(&self.0);
        let path = path.as_deref().unwrap_or(&self.0);
        path.display().to_string()
    }

    /// What it says. One that makes no sense is moved aside, and its new place told.
    ///
    /// # Errors
    ///
    /// Linux's, if it cannot be read.
    pub(super) fn read(&self) -> io::Result<Result<State, (PathBuf, String)>> {
        let mut text = Vec::new();
        match File::open(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ok(State::default())),
            file => file?.take(LARGEST + 1).read_to_end(&mut text)?,
        };
        let understood = match text.len() as u64 > LARGEST {
            true => Err(format!("it has more than {} MiB", LARGEST >> 20)),
            false => serde_json::from_slice(&text).map_err(|error| error.to_string()),
        };
        match understood {
            Ok(state) => Ok(Ok(state)),
            Err(why) => {
                let aside = self.beside(".broken");
                fs::rename(&self.0, &aside)?;
                Ok(Err((aside, why)))
            }
        }
    }

    /// Writes it whole: whoever reads it, after whatever end of the machine, finds this or what was before.
    ///
    /// # Errors
    ///
    /// Linux's.
    pub(super) fn write(&self, state: &State) -> io::Result<()> {
        let folder = match self.0.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder)?;
        let next = self.beside(".next");
        let mut text = serde_json::to_vec_pretty(state)?;
        text.push(b'\n');
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&next)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&next, &self.0)?;
        File::open(folder)?.sync_all()
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut path = self.0.clone().into_os_string();
        path.push(ending);
        path.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::scratch::Scratch;

    fn state() -> State {
        let keep = Keep {
            config: "/web.cfg".into(),
            count: 5,
        };
        let order = Order {
            name: "web".to_owned(),
            config: "/web.cfg".into(),
            extra: "log=debug".to_owned(),
        };
        let last = Last {
            domain: 7,
            uuid: [9; 16],
        };
        State {
            keep: vec![keep],
            run: vec![Run {
                order,
                last: Some(last),
            }],
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let scratch = Scratch::new();
        let file = StateFile::at(scratch.path().join("a/b/daemon.json"));
        assert_eq!(file.read().unwrap(), Ok(State::default()));
        for state in [state(), State::default(), state()] {
            file.write(&state).unwrap();
            assert_eq!(file.read().unwrap(), Ok(state));
        }
        // What an end in the midst of writing has left is none.
        fs::write(file.beside(".next"), "{").unwrap();
        assert_eq!(file.read().unwrap(), Ok(state()));
        file.write(&state()).unwrap();
        assert!(!file.beside(".next").exists());
    }

    #[test]
    fn what_makes_no_sense_is_moved_aside() {
        let scratch = Scratch::new();
        let file = StateFile::at(scratch.path().join("daemon.json"));
        let text = serde_json::to_string(&state()).unwrap();
        let more = text.replacen('{', r#"{"colour":"red","#, 1);
        let huge = " ".repeat(LARGEST as usize + 1);
        let torn = (0..text.len()).map(|len| &text[..len]);
        for broken in torn.chain([&*more, &*huge]) {
            fs::write(&file.0, broken).unwrap();
            let (aside, _) = file.read().unwrap().unwrap_err();
            assert_eq!(fs::read_to_string(aside).unwrap(), broken);
            assert_eq!(file.read().unwrap(), Ok(State::default()));
        }
    }
}
