//! What is asked, and by whom: a seed makes an episode.

use morgana_hal::DomId;
use morgana_net_device::SplitMix;
use morgana_xenstore_wire::{Operation, PAYLOAD_MAX};

use crate::rules::Peer;
use crate::words::Words;
use crate::world::Life;

/// Clients of an episode.
pub const CLIENTS: usize = 4;

/// The first domain that is none, as long as an episode goes.
pub(crate) const NOBODY: u16 = 5;

/// Who the clients are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cast {
    /// Two programs of domain 0 at the socket, and domains 1 and 2 at their rings. The daemon is new, and nobody else is there.
    Domains,
    /// Four programs of domain 0 at the socket of a daemon that serves others, too: requests keep to paths of their own.
    Programs,
}

impl Cast {
    /// The domain of a client that has a ring.
    pub(crate) fn domain(self, client: usize) -> Option<DomId> {
        match (self, client) {
            (Self::Domains, 2) => Some(DomId::new(1)),
            (Self::Domains, 3) => Some(DomId::new(2)),
            _ => None,
        }
    }
}

/// A step of an episode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// A client asks something.
    Ask(Ask),
    /// A client at the socket ends its connection, and makes a new one.
    Anew { client: usize },
    /// It sends a packet that is too long before that.
    TooLong { client: usize },
    /// A domain is something else from now on, and the daemon is told so.
    Domain { domain: DomId, life: Life },
}

/// A request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ask {
    pub(crate) client: usize,
    pub(crate) code: u32,
    pub(crate) transaction: Transaction,
    pub(crate) payload: Vec<u8>,
}

/// Which transaction a request belongs to. Each daemon has ids of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Transaction {
    None,
    /// The one that the step of this number began.
    Begun(usize),
    /// An id that nobody was given.
    Unknown(u32),
}

/// Where an episode is played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// On an empty tree.
    Empty,
    /// In a dom0: domain 0 has its home already.
    Dom0,
}

/// What a seed makes.
#[derive(Debug)]
pub struct Episode {
    pub(crate) cast: Cast,
    pub(crate) place: Place,
    pub(crate) steps: Vec<Step>,
}

/// The transactions of a client that may be open.
type Open = Vec<usize>;

struct Writer<'a> {
    peers: &'a [Peer],
    random: SplitMix,
    words: Words,
    cast: Cast,
    steps: Vec<Step>,
    open: [Open; CLIENTS],
}

impl Episode {
    /// The episode of a seed.
    ///
    /// It has nothing that one of the peers cannot bear.
    pub fn new(seed: u64, cast: Cast, peers: &[Peer], steps: usize) -> Self {
        let mut writer = Writer {
            peers,
            random: SplitMix::new(seed),
            words: Words::new(cast),
            cast,
            steps: Vec::new(),
            open: Default::default(),
        };
        writer.begin();
        while writer.steps.len() < steps {
            writer.step();
        }
        let steps = writer.steps;
        let place = Place::Empty;
        Self { cast, place, steps }
    }

    /// The same for the daemon of a dom0, whose tree has a home of domain 0.
    pub fn in_dom0(self) -> Self {
        let place = Place::Dom0;
        Self { place, ..self }
    }

    /// How many steps.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl Writer<'_> {
    fn push(&mut self, client: usize, operation: Operation, payload: &[u8]) {
        self.ask(Ask {
            client,
            code: operation.code(),
            transaction: Transaction::None,
            payload: payload.to_vec(),
        });
    }

    /// What a toolstack does before guests begin; or what is left of the episode before goes.
    fn begin(&mut self) {
        if self.cast == Cast::Programs {
            for path in [&b"/t\0"[..], b"/local/domain/0/t\0"] {
                self.push(0, Operation::Rm, path);
            }
            for client in 0..CLIENTS {
                self.steps.push(Step::Anew { client });
            }
            return;
        }
        // Domains 1 to 4 are there; 1 and 2 are served.
        for domain in 1..NOBODY {
            self.steps.push(Step::Domain {
                domain: DomId::new(domain),
                life: Life::Running,
            });
        }
        for client in [2, 3] {
            self.introduce(client);
        }
        self.push(0, Operation::Write, b"/t\0");
        self.push(0, Operation::SetPerms, b"/t\0b0\0");
    }

    fn introduce(&mut self, client: usize) {
        let Some(domain) = self.cast.domain(client) else {
            return;
        };
        let number = domain.number();
        let home = format!("/local/domain/{number}\0");
        self.push(0, Operation::Mkdir, home.as_bytes());
        let permissions = format!("{home}n{number}\0");
        self.push(0, Operation::SetPerms, permissions.as_bytes());
        let port = crate::world::World::port(domain);
        let payload = format!("{number}\0{}\0{port}\0", 1000 + u32::from(number));
        self.push(0, Operation::Introduce, payload.as_bytes());
        self.open[client].clear();
    }

    fn step(&mut self) {
        if self.random.chance(10) {
            return self.come_and_go();
        }
        let client = self.random.below(CLIENTS);
        if self.random.chance(30) {
            return self.noise(client);
        }
        if self.random.chance(110) {
            return self.transaction(client);
        }
        let (code, payload) = self
            .words
            .request(&mut self.random, self.cast.domain(client));
        let transaction = self.which(client);
        self.ask(Ask {
            client,
            code,
            transaction,
            payload,
        });
    }

    /// The transaction of a request: mostly none, or one of the client's own.
    fn which(&mut self, client: usize) -> Transaction {
        match self.random.below(100) {
            0 => return Transaction::Unknown(0xffff_fff0),
            1..40 => {}
            _ => return Transaction::None,
        }
        // Never another client's: each daemon counts them for each client, so what it would be is chance.
        let open = &self.open[client];
        match open.get(self.random.below(open.len())) {
            Some(&step) => Transaction::Begun(step),
            None => Transaction::None,
        }
    }

    /// Begins or ends one.
    fn transaction(&mut self, client: usize) {
        let begun = self.open[client].len();
        if begun == 0 || (begun < 12 && self.random.chance(400)) {
            self.open[client].push(self.steps.len());
            let payload: &[u8] = match self.random.below(200) {
                0..10 => b"",
                10 => b"x\0",
                _ => b"\0",
            };
            return self.push(client, Operation::TransactionStart, payload);
        }
        let at = self.random.below(begun);
        let step = match self.random.below(30) {
            // It stays open.
            0 => self.open[client][at],
            _ => self.open[client].swap_remove(at),
        };
        let payload: &[u8] = match self.random.below(40) {
            0 => b"",
            1 => b"T",
            2 => b"X\0",
            3 => b"T\0T\0",
            4..12 => b"F\0",
            _ => b"T\0",
        };
        self.ask(Ask {
            client,
            code: Operation::TransactionEnd.code(),
            transaction: Transaction::Begun(step),
            payload: payload.to_vec(),
        });
    }

    /// Operations that there are none of, or with bytes of no meaning.
    fn noise(&mut self, client: usize) {
        let code = match self.random.below(6) {
            0 => 20,
            1 => Operation::WatchEvent.code(),
            2 => Operation::Error.code(),
            3 => 27 + self.random.below(5) as u32,
            4 => 0xffff_ffff,
            _ => self.words.operation(&mut self.random).code(),
        };
        let payload = self.words.noise(&mut self.random);
        let transaction = self.which(client);
        self.ask(Ask {
            client,
            code,
            transaction,
            payload,
        });
    }

    fn ask(&mut self, mut ask: Ask) {
        ask.payload.truncate(PAYLOAD_MAX);
        let bear = |peer: &Peer| !peer.cannot_bear(self.cast, &ask);
        if self.peers.iter().all(bear) {
            self.steps.push(Step::Ask(ask));
        }
    }

    /// Somebody goes, and comes again.
    fn come_and_go(&mut self) {
        let client = self.random.below(CLIENTS);
        let Some(domain) = self.cast.domain(client) else {
            self.open[client].clear();
            self.steps.push(match self.random.below(3) {
                0 => Step::TooLong { client },
                _ => Step::Anew { client },
            });
            return;
        };
        let go = |life| Step::Domain { domain, life };
        match self.random.below(4) {
            0 => {
                self.steps.push(go(Life::ShutDown));
                self.steps.push(go(Life::Running));
                let payload = format!("{}\0", domain.number());
                self.push(1, Operation::Resume, payload.as_bytes());
            }
            1 => {
                let payload = format!("{}\0", domain.number());
                self.push(1, Operation::Release, payload.as_bytes());
                self.introduce(client);
            }
            // A toolstack that has begun anew.
            2 => self.introduce(client),
            _ => {
                self.steps.push(go(Life::Dying));
                self.steps.push(go(Life::Absent));
                self.steps.push(go(Life::Running));
                self.introduce(client);
            }
        }
    }
}
