//! The peers' programs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use morgana_peer_programs::{Folder, Packages};

use crate::certificates::{CA, ED25519, P256, RSA};

/// The variable of the environment that names the folder with Debian's packages of OpenSSL, curl, nginx and Python. `cargo xtask test unit` sets it.
pub const VARIABLE: &str = "MORGANA_TLS_PACKAGES";

/// The programs, and a folder with the certificates for them: `ca.pem`, and `NAME.cert.pem` and `NAME.key.pem` for `p256`, `ed25519` and `rsa`.
#[derive(Debug)]
pub struct Programs {
    packages: Packages,
    folder: Folder,
}

/// What a program has printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Printed {
    /// Its exit status; `None` if a signal has ended it.
    pub status: Option<i32>,
    /// What it has printed to both of its outputs, the usual one first.
    pub text: String,
}

impl From<Output> for Printed {
    fn from(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        Self {
            status: output.status.code(),
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }
}

impl Programs {
    /// Those of the folder that the environment names.
    ///
    /// # Panics
    ///
    /// If it names none, or certificates cannot be written.
    pub fn find() -> Self {
        let packages = Packages::from_environment(VARIABLE)
            .expect("no peers: `cargo xtask test unit` fetches them and sets MORGANA_TLS_PACKAGES");
        let folder = Folder::new().expect("a folder can be made");
        let programs = Self { packages, folder };
        let written = programs.write_certificates();
        written.expect("certificates can be written");
        programs
    }

    fn write_certificates(&self) -> io::Result<()> {
        fs::write(self.path("ca.pem"), CA)?;
        for (name, [chain, key]) in [("p256", P256), ("ed25519", ED25519), ("rsa", RSA)] {
            fs::write(self.path(&format!("{name}.cert.pem")), chain)?;
            fs::write(self.path(&format!("{name}.key.pem")), key)?;
        }
        Ok(())
    }

    /// A file of the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `openssl`, with no configuration but its own defaults.
    pub fn openssl(&self) -> Command {
        let mut command = self.packages.command("usr/bin/openssl");
        command.env("OPENSSL_CONF", "/dev/null");
        command
    }

    /// `openssl s_client` as a client of our server at a port, which asks for a name and trusts the authority alone; `words` come behind.
    pub fn s_client(&self, port: u16, name: &str, words: &str) -> Command {
        let mut command = self.openssl();
        command
            .args(["s_client", "-connect", &format!("127.0.0.1:{port}")])
            .args(["-servername", name, "-verify_hostname", name])
            .args(["-verify_return_error", "-no-CApath", "-no-CAstore"])
            .arg("-CAfile")
            .arg(self.path("ca.pem"))
            .args(words.split_whitespace());
        command
    }

    /// `curl` to `https://NAME:PORT/PATH` at 127.0.0.1, which trusts the authority alone; `words` come before.
    pub fn curl(&self, port: u16, name: &str, path: &str, words: &str) -> Command {
        let mut command = self.packages.command("usr/bin/curl");
        command
            .env("OPENSSL_CONF", "/dev/null")
            .args(["-q", "-sS", "--noproxy", "*", "--max-time", "20"])
            .arg("--cacert")
            .arg(self.path("ca.pem"))
            .args(["--resolve", &format!("{name}:{port}:127.0.0.1")])
            .args(words.split_whitespace())
            .arg(format!("https://{name}:{port}{path}"));
        command
    }

    /// `nginx` with this configuration.
    pub fn nginx(&self, configuration: &Path) -> Command {
        let mut command = self.packages.command("usr/sbin/nginx");
        command
            .env("OPENSSL_CONF", "/dev/null")
            .arg("-c")
            .arg(configuration)
            .arg("-p")
            .arg(self.folder())
            .args(["-e", "stderr"]);
        command
    }

    /// `python3`.
    pub fn python(&self) -> Command {
        let mut command = self.packages.command("usr/bin/python3.11");
        command
            .env("PYTHONHOME", self.packages.folder().join("usr"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}
