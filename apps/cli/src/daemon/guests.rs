//! The folder of configurations that clients on the network may name.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::problem::Problem;

/// A folder, without links in its path.
#[derive(Debug)]
pub(super) struct Guests(PathBuf);

impl Guests {
    /// The folder at `path`.
    ///
    /// # Errors
    ///
    /// Linux's, if there is none.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        match fs::metadata(&path)?.is_dir() {
            true => Ok(Self(path)),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// The file in it that a client calls so. Who may write in the folder is trusted: what is a file now is taken for one later.
    pub(super) fn resolve(&self, named: &Path) -> Result<PathBuf, Problem> {
        let plain = |part| matches!(part, Component::Normal(_));
        if named.as_os_str().is_empty() || !named.components().all(plain) {
            return Err(Problem::bad_request(format!(
                "{}: over the network a configuration is a path within the folder of guests, without ..",
                named.display()
            )));
        }
        let wrong = |why: &str| Problem::config(why).about(&named.display().to_string());
        // What else is wrong with a path would tell of what is beyond the folder.
        let path = self.0.join(named).canonicalize();
        let path = path.map_err(|_| wrong("there is no such file in the folder of guests"))?;
        match path.starts_with(&self.0) {
            true => Ok(path),
            false => Err(wrong("there is no such file in the folder of guests")),
        }
    }

    /// What a client calls a file, if it may.
    pub(super) fn name<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        path.strip_prefix(&self.0).ok()
    }
}

/// What a client calls configurations.
#[derive(Clone, Copy, Debug)]
pub(super) enum Names<'a> {
    /// By absolute paths.
    Paths,
    /// By paths within a folder.
    Within(&'a Guests),
}

impl Names<'_> {
    /// What a configuration is called to the client; nothing if it is none of those that it may name.
    pub(super) fn tell(self, path: &Path) -> Option<String> {
        let told = match self {
            Self::Paths => path,
            Self::Within(guests) => guests.name(path)?,
        };
        Some(told.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::daemon::problem::Kind;
    use crate::daemon::scratch::Scratch;

    #[test]
    fn only_what_lies_in_the_folder_is_found() {
        let scratch = Scratch::new();
        let guests = scratch.path().join("guests");
        fs::create_dir_all(guests.join("web")).unwrap();
        for file in ["guests/a.cfg", "guests/web/b.cfg", "secret.cfg"] {
            fs::write(scratch.path().join(file), "").unwrap();
        }
        symlink("../secret.cfg", guests.join("out.cfg")).unwrap();
        symlink("..", guests.join("up")).unwrap();
        symlink("web/b.cfg", guests.join("in.cfg")).unwrap();
        symlink("loop.cfg", guests.join("loop.cfg")).unwrap();
        let linked = scratch.path().join("linked");
        symlink("guests", &linked).unwrap();
        for folder in [&guests, &linked] {
            let folder = Guests::open(folder).unwrap();
            let found = |name: &str| folder.resolve(Path::new(name));
            assert_eq!(found("a.cfg"), Ok(guests.join("a.cfg")));
            assert_eq!(found("web/b.cfg"), Ok(guests.join("web/b.cfg")));
            assert_eq!(found("in.cfg"), Ok(guests.join("web/b.cfg")));
            for odd in [
                "",
                "/etc/passwd",
                "../secret.cfg",
                "web/../a.cfg",
                ".",
                "./a.cfg",
            ] {
                assert_eq!(found(odd).unwrap_err().kind, Kind::BadRequest, "{odd}");
            }
            for none in [
                "out.cfg",
                "up/secret.cfg",
                "loop.cfg",
                "none.cfg",
                "a.cfg/b",
            ] {
                assert_eq!(found(none).unwrap_err().kind, Kind::Config, "{none}");
            }
        }
        assert!(Guests::open(&guests.join("a.cfg")).is_err());
    }
}
