//! The daemon, against a guest that writes anything into the page of its ring, while another one goes on as ever.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use morgana_exec::{Executor, Handle, ManualClock, select};
use morgana_hal::{
    ByteStream, Channel, Clock, DomId, EventError, LocalPages, Pages, Port, WallTime,
};
use morgana_ring::{ByteLayout, RingStream, Side};
use morgana_xenconsoled::{AttachError, Daemon, Guests, Host, Options};
use morgana_xenstore_client::Client;
use morgana_xenstored::Rights;

use crate::script::Script;
use crate::support::{Bell, Outlet, Store, store, turns};

/// Steps in one script: more only make a fuzzer slow.
const MAX_STEPS: usize = 128;
/// The guest that does as it likes, and the one that does not.
const BAD: DomId = DomId::new(1);
const GOOD: DomId = DomId::new(2);

/// io/console.h, `struct xencons_interface`: `in_cons`, `in_prod`, `out_cons`, `out_prod`.
const INDICES: [usize; 4] = [3072, 3076, 3080, 3084];

type GuestRing = RingStream<LocalPages, Bell>;

/// Domains' pages, logs and terminals.
#[derive(Clone)]
struct Machine {
    outlet: Outlet,
    clock: ManualClock,
    pages: Rc<RefCell<BTreeMap<DomId, (LocalPages, Bell)>>>,
}

impl Host for Machine {
    type Ring = GuestRing;
    type Outlets = Outlet;

    fn attach(&self, domain: DomId, port: Port) -> Result<GuestRing, AttachError> {
        if port.number() > 100 {
            return Err(AttachError::Channel(EventError::Refused));
        }
        let pages = self.pages.borrow();
        let (pages, bell) = &pages[&domain];
        Ok(RingStream::attach(
            pages.clone(),
            bell.other(),
            ByteLayout::CONSOLE,
            Side::Server,
        )?)
    }

    fn outlets(&self) -> &Outlet {
        &self.outlet
    }

    fn wall(&self) -> WallTime {
        self.clock.wall()
    }
}

/// Plays a script. Fails if the daemon panics or ends, or if the other guest's output is not logged whole.
pub(crate) fn check(input: &[u8]) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let machine = Machine {
        outlet: Outlet::default(),
        clock: clock.clone(),
        pages: Rc::default(),
    };
    let input = input.to_vec();
    let played = async move { play(&input, machine, &tasks).await };
    executor.block_on(played, &mut clock.idle(), &clock);
}

async fn play(input: &[u8], machine: Machine, tasks: &Handle) {
    let (server, client) = store(tasks);
    for domain in [BAD, GOOD] {
        let guest = (LocalPages::new(1), Bell::default());
        machine.pages.borrow_mut().insert(domain, guest);
        appear(&server, &client, domain).await;
    }
    let options = Options::default();
    let daemon = Daemon::new(machine.clone(), client.clone(), tasks, options, Guests::All);
    let script = async {
        let mut script = Script(input);
        for _ in 0..MAX_STEPS {
            let Some(kind) = script.next() else {
                break;
            };
            step(kind, &mut script, &machine, &server, &client).await;
        }
        good(&machine, tasks).await;
    };
    let ended = async {
        let Err(error) = daemon.serve().await;
        panic!("the daemon ends: {error}");
    };
    select(script, ended).await;
}

/// The toolstack makes a domain.
async fn appear(server: &Store, client: &Client, domain: DomId) {
    let home = format!("/local/domain/{}", domain.number());
    for (key, value) in [
        ("name", domain.number().to_string()),
        ("console/ring-ref", "1".to_owned()),
        ("console/port", "7".to_owned()),
    ] {
        client.write(&format!("{home}/{key}"), value).await.unwrap();
    }
    // It may be there already.
    let _ = server.introduce(domain, Port::new(1), Rights::Guest);
}

async fn step(
    kind: u8,
    script: &mut Script<'_>,
    machine: &Machine,
    server: &Store,
    client: &Client,
) {
    let (pages, bell) = machine.pages.borrow()[&BAD].clone();
    let region = pages.region();
    match kind % 9 {
        // An index moves: a little, or anywhere.
        0..=2 => {
            let at = INDICES[usize::from(kind >> 4) % 4];
            let value = region.load_u32(at).wrapping_add(script.u16().into());
            region.store_u32(at, value);
        }
        3 => {
            let at = INDICES[usize::from(kind >> 4) % 4];
            region.store_u32(at, u32::from_le_bytes(script.array()));
        }
        4 => region.write(usize::from(script.u16()) % 4096, &[script.byte()]),
        5 => bell.notify(),
        // Somebody types, or reads what is shown.
        6 => {
            let terminals = machine.outlet.0.terminals.borrow();
            if let Some(terminal) = terminals.get(&BAD) {
                let mut bytes = vec![0x64; usize::from(script.u16()) % 5000];
                let mut cx = Context::from_waker(Waker::noop());
                let _ = match kind & 16 {
                    0 => terminal.poll_read(&mut cx, &mut bytes),
                    _ => terminal.poll_write(&mut cx, &bytes),
                };
            }
        }
        // The toolstack moves the ring, or limits what is kept, or takes the domain away and makes another.
        7 => {
            let (key, value) = match script.byte() % 4 {
                0 => ("console/port", script.byte().to_string()),
                1 => ("console/limit", script.u16().to_string()),
                2 => ("console/ring-ref", "none".to_owned()),
                _ => ("console/ring-ref", script.byte().to_string()),
            };
            let path = format!("/local/domain/{}/{key}", BAD.number());
            client.write(&path, value).await.unwrap();
        }
        _ if script.byte().is_multiple_of(4) => {
            let home = format!("/local/domain/{}", BAD.number());
            let _ = client.remove(&home).await;
            server.release(BAD);
            turns(usize::from(script.byte() % 32)).await;
            appear(server, client, BAD).await;
        }
        _ => turns(usize::from(script.byte() % 32)).await,
    }
}

/// The other guest writes, and all of it is logged.
async fn good(machine: &Machine, tasks: &Handle) {
    let (pages, bell) = machine.pages.borrow()[&GOOD].clone();
    let ring = RingStream::attach(pages, bell, ByteLayout::CONSOLE, Side::Guest).unwrap();
    let words: Vec<u8> = (0..6000u32).map(|n| b'a' + (n % 26) as u8).collect();
    let mut rest = &words[..];
    let mut cx = Context::from_waker(Waker::noop());
    let log = || machine.outlet.0.logs.borrow().get("2").map_or(0, Vec::len);
    machine.outlet.0.full.set(false);
    for _ in 0..10_000 {
        if !rest.is_empty()
            && let Poll::Ready(written) = ring.poll_write(&mut cx, rest)
        {
            rest = &rest[written.unwrap()..];
        }
        if log() == words.len() {
            break;
        }
        // The daemon may have it wait for a while, since others use their consoles.
        tasks
            .timers()
            .sleep(std::time::Duration::from_millis(1))
            .await;
    }
    let logs = machine.outlet.0.logs.borrow();
    assert!(logs["2"] == words, "the other guest has lost output");
}
