//! Debian packages without root: apt's own resolver and downloader, pointed at a private state in the cache.
//!
//! The host's sources, keys and proxies are used as they are; nothing is installed, and nothing of the host's apt state
//! is read or written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::cache::{Cache, key};
use crate::hold;
use crate::process;
use crate::progress::Step;

/// A package file in the archive folder of the cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Package {
    /// The file's name, which has the package's name, version and architecture in it.
    pub(crate) file: String,
    /// Its size in bytes.
    pub(crate) size: u64,
}

impl Package {
    /// The package's name.
    pub(crate) fn name(&self) -> &str {
        self.file.split('_').next().unwrap_or(&self.file)
    }
}

/// Packages together with all that they depend on.
#[derive(Clone, Debug)]
pub(crate) struct Closure {
    /// The packages, sorted.
    pub(crate) packages: Vec<Package>,
    archives: PathBuf,
    key: String,
}

impl Closure {
    /// A name for exactly these versions of these packages.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Unpacks the packages that `wanted` accepts into `root`. Their scripts do not run.
    pub(crate) fn unpack(
        &self,
        root: &Path,
        what: &str,
        wanted: impl Fn(&Package) -> bool,
    ) -> Result<()> {
        let step = Step::count(&format!("unpacking {what}"), self.packages.len() as u64);
        for (done, package) in self.packages.iter().enumerate() {
            if wanted(package) {
                let archive = self.archives.join(&package.file);
                process::quietly(Command::new("dpkg-deb").arg("-x").arg(archive).arg(root))?;
            }
            step.set(done as u64 + 1);
        }
        Ok(())
    }
}

/// A private apt.
#[derive(Debug)]
pub(crate) struct Apt<'a> {
    cache: &'a Cache,
    folder: PathBuf,
}

/// A package that the resolver takes for installed: a stanza of dpkg's status file.
pub(crate) type Assumed = &'static str;

impl<'a> Apt<'a> {
    /// Prepares the private state.
    pub(crate) fn new(cache: &'a Cache) -> Result<Apt<'a>> {
        for program in ["apt-get", "dpkg-deb"] {
            if process::on_path(program).is_none() {
                bail!(
                    "{program} is not on the PATH: the testbed is made of Debian 12 packages; use a Debian 12 host or container"
                );
            }
        }
        let folder = cache.folder("apt")?;
        for part in [
            "state/lists/partial",
            "archives/partial",
            "nothing/partial",
            "resolved",
        ] {
            let path = folder.join(part);
            fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        }
        Ok(Apt { cache, folder })
    }

    /// The closure of `names`, downloaded. `assumed` packages and what only they need are left out.
    ///
    /// What was resolved once stays so, and a run after it needs no network.
    pub(crate) fn closure(
        &self,
        names: &[&str],
        assumed: &[Assumed],
        what: &str,
    ) -> Result<Closure> {
        let _lock = self.cache.lock("apt")?;
        let status: String = assumed
            .iter()
            .map(|stanza| format!("{stanza}\n\n"))
            .collect();
        let request = key(&[names.join(" ").as_bytes(), status.as_bytes()]);
        let record = self.folder.join("resolved").join(&request);
        if let Some(packages) = read_record(&record)
            && packages.iter().all(|package| self.present(package))
        {
            return Ok(self.closed(packages));
        }
        let config = self.configure(&status)?;
        let lists = fs::read_dir(self.folder.join("state/lists"))?.count();
        // The folder always holds `lock` and `partial`.
        let fresh = lists <= 2;
        if fresh {
            self.update(&config)?;
        }
        let packages = match self.obtain(&config, names, what) {
            Err(_) if !fresh => {
                // The lists may be older than what the mirror has now.
                self.update(&config)?;
                self.obtain(&config, names, what)?
            }
            obtained => obtained?,
        };
        let text = serde_json::to_string_pretty(&packages)
            .context("cannot write down the resolved packages")?;
        fs::write(&record, text).with_context(|| format!("cannot write {}", record.display()))?;
        Ok(self.closed(packages))
    }

    fn closed(&self, packages: Vec<Package>) -> Closure {
        let files: Vec<&[u8]> = packages
            .iter()
            .map(|package| package.file.as_bytes())
            .collect();
        Closure {
            key: key(&files),
            packages,
            archives: self.folder.join("archives"),
        }
    }

    fn present(&self, package: &Package) -> bool {
        let path = self.folder.join("archives").join(&package.file);
        path.metadata()
            .is_ok_and(|metadata| metadata.len() == package.size)
    }

    fn configure(&self, status: &str) -> Result<PathBuf> {
        let folder = self.folder.display();
        fs::write(self.folder.join("status"), status).context("cannot write the package state")?;
        let config = self.folder.join("apt.conf");
        // Hooks are for the host's own packages; `Sandbox::User` keeps apt, when run as root, from changing to a user
        // that may not write in the cache.
        let text = format!(
            r#"#clear APT::Update;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear APT::Architectures;
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}";
Dir::Cache::archives "{folder}/archives";
"#
        );
        fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;
        Ok(config)
    }

    fn apt_get(&self, config: &Path) -> Command {
        let mut command = Command::new("apt-get");
        command
            .arg("-c")
            .arg(config)
            .env("LC_ALL", "C")
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    fn update(&self, config: &Path) -> Result<()> {
        let _step = Step::spinner("fetching Debian's package lists");
        // A source of the host that has nothing to do with us may fail; what matters shows when we resolve.
        let output = hold::held(self.apt_get(config).arg("update"))
            .stdin(Stdio::null())
            .output()
            .context("cannot start apt-get")?;
        let lists = fs::read_dir(self.folder.join("state/lists"))?.count();
        if lists <= 2 {
            let error = String::from_utf8_lossy(&output.stderr);
            bail!(
                "cannot fetch Debian's package lists (is the network up, does /etc/apt name a mirror?):\n{}",
                error.trim_end()
            );
        }
        Ok(())
    }

    fn obtain(&self, config: &Path, names: &[&str], what: &str) -> Result<Vec<Package>> {
        let packages = self.resolve(config, names)?;
        self.download(config, names, &packages, what)?;
        Ok(packages)
    }

    fn resolve(&self, config: &Path, names: &[&str]) -> Result<Vec<Package>> {
        // apt names only what it has not got: here it has nothing.
        let nothing = format!("Dir::Cache::archives={}/nothing", self.folder.display());
        let mut command = self.apt_get(config);
        command
            .args(["-o", &nothing, "install", "-y", "--print-uris", "-qq"])
            .args(names);
        let text = process::stdout(&mut command).with_context(|| {
            format!("Debian's packages {} cannot be had here", names.join(", "))
        })?;
        let mut packages: Vec<Package> = text.lines().filter_map(parse_uri).collect();
        packages.sort_by(|a, b| a.file.cmp(&b.file));
        if packages.is_empty() {
            bail!("apt-get names no file for {}", names.join(", "));
        }
        Ok(packages)
    }

    fn download(
        &self,
        config: &Path,
        names: &[&str],
        packages: &[Package],
        what: &str,
    ) -> Result<()> {
        let missing: Vec<&Package> = packages
            .iter()
            .filter(|package| !self.present(package))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let size: u64 = missing.iter().map(|package| package.size).sum();
        let message = format!(
            "fetching {what} ({} packages, {} MB)",
            missing.len(),
            size.div_ceil(1_000_000)
        );
        let step = Step::bytes(&message, size);
        let archives = self.folder.join("archives");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (done, missing, archives, step) = (&done, &missing, &archives, &step);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    step.set(
                        missing
                            .iter()
                            .map(|package| fetched(archives, package))
                            .sum(),
                    );
                    std::thread::sleep(Duration::from_millis(100));
                }
            });
            let result = process::quietly(
                self.apt_get(config)
                    .args(["install", "-y", "--download-only", "-qq"])
                    .args(names),
            );
            done.store(true, Ordering::Relaxed);
            result
        })?;
        match packages.iter().find(|package| !self.present(package)) {
            Some(package) => bail!("apt-get left {} out", package.file),
            None => Ok(()),
        }
    }
}

fn fetched(archives: &Path, package: &Package) -> u64 {
    [
        archives.join(&package.file),
        archives.join("partial").join(&package.file),
    ]
    .iter()
    .find_map(|path| path.metadata().ok())
    .map_or(0, |metadata| metadata.len())
}

fn read_record(path: &Path) -> Option<Vec<Package>> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// Reads a line of `--print-uris`: the address in quotes, the file's name, its size and its hash.
fn parse_uri(line: &str) -> Option<Package> {
    let mut words = line.strip_prefix('\'')?.split_once("' ")?.1.split(' ');
    let file = words.next()?.to_owned();
    let size = words.next()?.parse().ok()?;
    file.ends_with(".deb").then_some(Package { file, size })
}

#[cfg(test)]
mod tests {
    use super::parse_uri;

    #[test]
    fn reads_what_apt_prints() {
        let line = "'http://mirror/pool/main/libc/libcap2_2.66-4%2bb1_amd64.deb' libcap2_1%3a2.66-4+b1_amd64.deb 27708 SHA256:00";
        let package = parse_uri(line).expect("a line of apt-get");
        assert_eq!(package.file, "libcap2_1%3a2.66-4+b1_amd64.deb");
        assert_eq!(package.name(), "libcap2");
        assert_eq!(package.size, 27708);
    }

    #[test]
    fn skips_what_is_no_package() {
        assert_eq!(parse_uri("Reading package lists..."), None);
        assert_eq!(parse_uri("'http://mirror/x' x"), None);
        assert_eq!(parse_uri("'http://mirror/x' x.txt 12 SHA256:00"), None);
    }
}
