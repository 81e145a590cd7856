//! This host's Xen, by the daemon of the toolstack (`morgana daemon`): it has the privilege, and we need none.

mod answer;
mod socket;

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::provider::CONSOLE_BYTES;
use crate::{
    Cause, Error, Launch, Machine, MachineId, Provider, ProviderName, State, Stats, Unable,
};
use socket::Socket;

/// Where the daemon listens if nothing else is said.
pub const SOCKET: &str = "/run/morgana/socket";

/// How long the daemon may take for an answer. It waits itself at most 10 s for back ends, and destroys a domain within seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// This host's Xen.
#[derive(Debug)]
pub struct Xen {
    socket: Socket,
    consoles: Option<PathBuf>,
}

impl Xen {
    /// The daemon at this socket. It is connected to when it is first asked, and again after it was lost.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: Socket::new(socket.into(), PATIENCE),
            consoles: None,
        }
    }

    /// With another limit of time for an answer.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.socket.patience = patience;
        self
    }

    /// With the folder where xenconsoled keeps what guests write (`--log=guest --log-dir`): a file `guest-NAME.log` for each.
    pub fn with_consoles(mut self, folder: impl Into<PathBuf>) -> Self {
        self.consoles = Some(folder.into());
        self
    }

    fn ask(&mut self, machine: &str, request: &Value) -> Result<Value, Error> {
        let answer = self.socket.ask(request);
        answer.map_err(|cause| Error::about(ProviderName::Xen, machine, cause))
    }

    /// Something that is done to a domain.
    fn act(&mut self, what: &str, machine: &MachineId) -> Result<(), Error> {
        let request = json!({ "do": what, "domain": machine.as_str() });
        self.ask(machine.as_str(), &request).map(drop)
    }

    fn figures(&mut self, machine: &str, request: &Value) -> Result<Vec<Stats>, Error> {
        let answer = self.ask(machine, request)?;
        answer::figures(&answer).map_err(|cause| Error::about(ProviderName::Xen, machine, cause))
    }
}

impl Provider for Xen {
    fn provider(&self) -> ProviderName {
        ProviderName::Xen
    }

    fn create(&mut self, launch: &Launch) -> Result<Machine, Error> {
        let called = launch.called().to_owned();
        let wrong = |cause| Error::about(ProviderName::Xen, &called, cause);
        let request = request(launch).map_err(wrong)?;
        let answer = self.ask(&called, &request)?;
        let id = answer::domain(&answer).map_err(wrong)?;
        match self.stats(&id) {
            Ok(stats) => Ok(stats.machine),
            // It was made. That it has ended already is no failure to make it.
            Err(_) => Ok(Machine {
                id,
                name: called,
                state: State::Running,
            }),
        }
    }

    fn list(&mut self) -> Result<Vec<Machine>, Error> {
        let all = self.figures("", &json!({ "do": "list" }))?;
        // Domain 0 is the host itself.
        let all = all.into_iter().map(|stats| stats.machine);
        Ok(all.filter(|machine| machine.id.as_str() != "0").collect())
    }

    fn stats(&mut self, machine: &MachineId) -> Result<Stats, Error> {
        let request = json!({ "do": "stats", "domain": machine.as_str() });
        let mut all = self.figures(machine.as_str(), &request)?;
        // It may have gone between the daemon's two looks.
        all.pop()
            .ok_or_else(|| Error::about(ProviderName::Xen, machine.as_str(), Cause::Unknown))
    }

    fn pause(&mut self, machine: &MachineId) -> Result<(), Error> {
        self.act("pause", machine)
    }

    fn unpause(&mut self, machine: &MachineId) -> Result<(), Error> {
        self.act("unpause", machine)
    }

    fn shutdown(&mut self, machine: &MachineId) -> Result<(), Error> {
        self.act("shutdown", machine)
    }

    fn destroy(&mut self, machine: &MachineId) -> Result<(), Error> {
        self.act("destroy", machine)
    }

    fn console(&mut self, machine: &MachineId) -> Result<Vec<u8>, Error> {
        let wrong = |cause| Error::about(ProviderName::Xen, machine.as_str(), cause);
        let Some(folder) = self.consoles.clone() else {
            return Err(wrong(Cause::Unable(Unable::Console)));
        };
        let name = self.stats(machine)?.machine.name;
        if name.contains('/') {
            return Err(wrong(Cause::lost(
                "the daemon tells a name with a slash in it",
            )));
        }
        let path = folder.join(format!("guest-{name}.log"));
        let text = File::open(&path).and_then(|mut file| {
            let len = file.metadata()?.len();
            file.seek(SeekFrom::Start(len.saturating_sub(CONSOLE_BYTES as u64)))?;
            let mut text = Vec::new();
            file.take(CONSOLE_BYTES as u64).read_to_end(&mut text)?;
            Ok(text)
        });
        match text {
            Ok(text) => Ok(text),
            // A guest that has written nothing yet has no file.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(wrong(Cause::refused(&format!(
                "{}: {error}",
                path.display()
            )))),
        }
    }
}

fn request(launch: &Launch) -> Result<Value, Cause> {
    launch.check().map_err(Cause::Wrong)?;
    let unable = [
        (launch.kept_image.is_some(), Unable::KeptImage),
        (launch.kind.is_some(), Unable::Kind),
        (launch.memory_mib.is_some(), Unable::Memory),
    ];
    if let Some((_, what)) = unable.iter().find(|(asked, _)| *asked) {
        return Err(Cause::Unable(*what));
    }
    let Some(path) = &launch.configuration else {
        return Err(Cause::Wrong("a configuration is wanted".to_owned()));
    };
    // The daemon has another folder.
    let path = std::path::absolute(path)
        .map_err(|error| Cause::Wrong(format!("{}: {error}", path.display())))?;
    let path = path
        .to_str()
        .ok_or_else(|| Cause::Wrong(format!("{}: it is no UTF-8", path.display())))?;
    Ok(json!({ "do": "create", "config": path, "name": launch.name, "extra": launch.extra }))
}
