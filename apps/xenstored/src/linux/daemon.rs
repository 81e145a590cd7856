//! The daemon: one server, its local clients, and the domains of the machine.

use core::cell::RefCell;
use core::convert::Infallible;
use core::fmt;
use core::future::{pending, poll_fn};
use core::time::Duration;
use std::error::Error;
use std::fs::File;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use morgana_daemon::{Ready, pidfile};
use morgana_exec::{Executor, Handle, select};
use morgana_hal::{DomId, Events, Idle, Platform, Virq};
use morgana_linux::{Linux, LinuxClock, LinuxDomains, ReactorIdle, inherited};
use morgana_reactor::{Direction, HasReactor, Reactor, Source, allow_descriptors};
use morgana_ring::{ByteLayout, Side};
use morgana_xenstored::{
    Descriptor, HandOver, Loaded, Reach, Recovered, Resumed, Rights, Ring, Rings, Server,
};

use super::host::NoXen;
use super::journal::{self, JournalFile};
use super::machine::{Files, Machine};
use super::socket::{self, Stream};
use super::sockets::{Sockets, number};
use super::takeover;
use super::update::Update;
use super::xen::{Ends, XenMachine, XenRings};
use crate::arguments::{Domains, Options, Output, Start};
use crate::{arguments, serving};

/// Local clients at once. A further one finds its connection closed.
const MAX_LOCAL_CLIENTS: usize = 1024;

/// After an `accept` that failed, such as for want of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// There is a journal that cannot be gone on from. To start again does not help: somebody has to decide what becomes of it.
#[derive(Debug)]
pub(crate) struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Unusable {}

/// Serves until the process is ended.
pub(crate) fn run(options: &Options, ready: Ready) -> Result<(), Box<dyn Error>> {
    // One for each local client.
    allow_descriptors();
    let journal = JournalFile::of(options)?;
    let journal_path = journal.as_ref().map(JournalFile::path);
    let mut left = HandOver::default();
    let mut origin = Origin::Nothing;
    if options.start == Start::TakeOver {
        let loaded = takeover::state(options.quota)?;
        left = loaded.left;
        origin = Origin::TakenOver(loaded);
    }
    let pid_file = pid_file(options, left)?;
    if let (Some(journal), Start::Empty) = (&journal, options.start)
        && let Some(recovered) = journal.recover(options).map_err(Unusable)?
    {
        origin = Origin::Recovered(recovered);
    }
    let beginning = Beginning {
        options,
        ready,
        origin,
        left,
        pid_file,
        journal: journal_path,
    };
    match options.domains {
        Domains::None => {
            let idle = ReactorIdle::new()?;
            let reactor = idle.reactor().clone();
            let begin = |server: &Server<NoXen>, rings: Vec<Resumed>, how, files, _: &Handle| {
                for ring in rings {
                    resume(server, ring, how);
                }
                Ok((Rc::new(files) as Rc<dyn Machine>, pending()))
            };
            beginning.serve(NoXen { journal }, &reactor, idle, Descriptor::NONE, begin)
        }
        Domains::Served => {
            let (platform, idle) = match inherited(left.events.0) {
                Some(events) => Linux::open_with(events)?,
                None => Linux::open()?,
            };
            let domains = LinuxDomains::open()?;
            let reactor = platform.reactor().clone();
            // Bound before anything else, so that no end is missed.
            let ends = platform.events().virq(Virq::DomainException)?;
            let events = number(&platform.events().device());
            let rings = XenRings::new(platform.clone(), domains, journal);
            let begin = |server: &Server<XenRings>, rings, how, files, tasks: &Handle| {
                serve_domains(&platform, server, rings, how)?;
                let ends = Ends::new(ends);
                let following = serving::follow_ends(server.clone(), ends.clone(), DomId::DOM0);
                let ends = RefCell::new(ends);
                let (server, tasks) = (server.clone(), tasks.clone());
                let machine = XenMachine {
                    files,
                    platform: platform.clone(),
                    ends,
                    server,
                    tasks,
                };
                Ok((Rc::new(machine) as Rc<dyn Machine>, following))
            };
            beginning.serve(rings, &reactor, idle, events, begin)
        }
    }
}

/// Serves the domains that were served before, and domain 0 in any case.
fn serve_domains(
    platform: &Linux,
    server: &Server<XenRings>,
    rings: Vec<Resumed>,
    how: Again,
) -> Result<(), Box<dyn Error>> {
    let mut domain_0 = None;
    for resumed in rings {
        match resumed.reach() {
            Reach::Ring(DomId::DOM0, port) => domain_0 = Some((resumed, port)),
            _ => resume(server, resumed, how),
        }
    }
    let own = |page, channel| Ring::attach(page, channel, ByteLayout::XENSTORE, Side::Server);
    match (domain_0, how) {
        (Some((resumed, port)), Again::ByOwnPort) => {
            let (page, channel) = platform.own_xenstore_ring_by(port)?;
            server.resume_ring(resumed, own(page, channel)?)?;
        }
        (Some((resumed, _)), Again::ByItsPort) => {
            let (page, channel) = platform.own_xenstore_ring()?;
            server.recover_ring(resumed, own(page, channel)?)?;
        }
        (None, _) => {
            let (page, channel) = platform.own_xenstore_ring()?;
            serving::serve_domain_0(server, own(page, channel)?)?;
        }
    }
    Ok(())
}

/// How a ring is taken up again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Again {
    /// By the port that the program before has left in this process.
    ByOwnPort,
    /// By the domain's: the process that had the other one is gone.
    ByItsPort,
}

fn resume<R: Rings>(server: &Server<R>, ring: Resumed, how: Again) {
    match how {
        Again::ByOwnPort => server.resume_domain(ring),
        Again::ByItsPort => server.recover_domain(ring),
    }
}

/// The file with the process's id: the one that was left, or a new one.
fn pid_file(options: &Options, left: HandOver) -> Result<Option<File>, String> {
    if let Some(file) = inherited(left.pid_file.0) {
        return Ok(Some(file.into()));
    }
    let path = options.pid_file.as_deref().map(Path::new);
    let file = path.map(pidfile::write).transpose();
    file.map_err(|error| format!("the pid file: {error}"))
}

/// Where the daemon has its tree from.
enum Origin {
    Nothing,
    /// From the program that this process was before.
    TakenOver(Loaded),
    /// From a process that has ended.
    Recovered(Recovered),
}

/// What the daemon begins with.
struct Beginning<'a> {
    options: &'a Options,
    ready: Ready,
    origin: Origin,
    left: HandOver,
    pid_file: Option<File>,
    journal: Option<PathBuf>,
}

impl Beginning<'_> {
    /// Serves local clients at the socket; beside that runs what `begin` makes, which takes up the rings.
    fn serve<R: Rings, F: Future<Output = Infallible> + 'static>(
        self,
        rings: R,
        reactor: &Reactor,
        mut idle: impl Idle,
        events: Descriptor,
        begin: impl FnOnce(
            &Server<R>,
            Vec<Resumed>,
            Again,
            Files,
            &Handle,
        ) -> Result<(Rc<dyn Machine>, F), Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let Self { options, ready, .. } = self;
        let mut executor = Executor::new();
        let tasks = executor.handle();
        let mut how = Again::ByOwnPort;
        let (server, resumed) = match self.origin {
            Origin::Nothing => (serving::server(rings, &tasks, options), Vec::new()),
            Origin::TakenOver(loaded) => serving::resumed(rings, &tasks, options, loaded),
            Origin::Recovered(recovered) => {
                how = Again::ByItsPort;
                serving::recovered(rings, &tasks, options, recovered)
            }
        };
        let path = socket::path();
        let named = |error| format!("{}: {error}", path.display());
        let listener = takeover::listener(self.left.socket, &path, reactor).map_err(named)?;
        let files = Files {
            listener: Rc::new(listener),
            pid_file: self.pid_file,
        };
        let (listener, left) = (files.listener.clone(), files.left(events));
        let sockets = Rc::<Sockets>::default();
        let resumed = resume_locals(&server, resumed, &sockets, reactor);
        let (machine, beside) = begin(&server, resumed, how, files, &tasks)?;
        server.keep_journal();
        if options.start == Start::TakeOver {
            journal::forget_other(self.journal.as_deref());
        }
        announce(&path, options.domains);
        ready.tell()?;
        if options.output == Output::ProcessId && ready == Ready::Nobody {
            println!("{}", std::process::id());
        }
        let update = Update {
            server: server.clone(),
            machine,
            sockets: sockets.clone(),
            left,
            timers: tasks.timers(),
            journal: self.journal,
        };
        let accepting = accept(server, listener, sockets, reactor.clone(), tasks);
        let all = async move {
            select(select(accepting, beside), update.follow()).await;
        };
        executor.block_on(all, &mut idle, &LinuxClock);
        Ok(())
    }
}

/// Serves the local clients again that were served before. Returns the other connections.
fn resume_locals<R: Rings>(
    server: &Server<R>,
    resumed: Vec<Resumed>,
    sockets: &Sockets,
    reactor: &Reactor,
) -> Vec<Resumed> {
    let mut rings = Vec::new();
    for resumed in resumed {
        let Reach::Socket(descriptor) = resumed.reach() else {
            rings.push(resumed);
            continue;
        };
        match takeover::stream(descriptor, reactor) {
            Ok(stream) => {
                sockets.add(stream.socket());
                if let Err(error) = server.resume_local(resumed, stream) {
                    log::warn!("a local client cannot be served: {error}");
                }
            }
            Err(error) => {
                log::warn!("a local client at {descriptor} cannot be served: {error}");
                server.abandon(resumed);
            }
        }
    }
    rings
}

fn announce(path: &Path, domains: arguments::Domains) {
    let what = match domains {
        Domains::Served => "and the rings of domains",
        Domains::None => "only",
    };
    log::info!("serves {} {what}", path.display());
}

/// Takes local clients, one after the other. They are the control domain's programs.
async fn accept<R: Rings>(
    server: Server<R>,
    listener: Rc<Source<UnixListener>>,
    sockets: Rc<Sockets>,
    reactor: Reactor,
    tasks: Handle,
) -> Infallible {
    loop {
        let accepted =
            poll_fn(|cx| listener.poll_io(Direction::Read, cx, |listener| listener.accept())).await;
        let stream = accepted.and_then(|(stream, _)| Stream::new(stream, &reactor));
        match stream {
            Err(error) => {
                log::warn!("a local client cannot be taken: {error}");
                tasks.timers().sleep(PAUSE).await;
            }
            Ok(_) if server.local_clients() >= MAX_LOCAL_CLIENTS => {
                log::warn!("a local client is refused: {MAX_LOCAL_CLIENTS} are there already");
            }
            Ok(stream) => {
                sockets.add(stream.socket());
                let descriptor = number(stream.socket().io());
                let rights = Rights::Control;
                if let Err(error) = server.connect(DomId::DOM0, stream, descriptor, rights) {
                    log::warn!("a local client cannot be served: {error}");
                }
            }
        }
    }
}
