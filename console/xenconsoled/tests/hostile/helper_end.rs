//! The helper's end of the link, against a stub-domain that sends anything, and reads when it likes.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use morgana_exec::{Duplex, Executor, Handle, ManualClock, duplex};
use morgana_hal::{ByteStream, DomId};
use morgana_xenconsoled::Helper;
use morgana_xenstore_client::Client;

use crate::frames::{
    CLOSE, CREDIT, LOGGED, OPEN, SHOWN, Seen, TYPED, TYPED_WINDOW, WINDOW, scripted,
};
use crate::script::Script;
use crate::support::{Outlet, store, turns};

/// Steps in one script: more only make a fuzzer slow.
const MAX_STEPS: usize = 128;
/// The stub-domain.
const SERVER: DomId = DomId::new(9);
/// Domains whose consoles are the stub-domain's; those after them are not.
const GIVEN: u16 = 3;
/// What the stream itself holds each way.
const STREAM: usize = 1024;
const KINDS: [u8; 9] = [
    OPEN, OPEN, SHOWN, SHOWN, SHOWN, LOGGED, CREDIT, CLOSE, TYPED,
];

/// A link that is served.
struct Served {
    stream: Duplex,
    seen: Seen,
    ended: Rc<Cell<bool>>,
}

impl Served {
    fn begin(helper: &Rc<Helper<Outlet>>, tasks: &Handle) -> Self {
        let (ours, theirs) = duplex(STREAM);
        let ended = Rc::<Cell<bool>>::default();
        let (helper, told) = (helper.clone(), ended.clone());
        let task = tasks.spawn(async move {
            let _ = helper.serve(&ours).await;
            told.set(true);
        });
        task.unwrap();
        Self {
            stream: theirs,
            seen: Seen::default(),
            ended,
        }
    }

    /// Sends bytes while the helper takes them.
    async fn send(&mut self, mut bytes: &[u8]) {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..20 {
            if let Poll::Ready(Ok(len)) = self.stream.poll_write(&mut cx, bytes) {
                bytes = &bytes[len..];
            }
            turns(4).await;
            if bytes.is_empty() {
                break;
            }
        }
    }
}

/// Plays a script. Fails if the helper panics, sends what is no frame, or more than it has credit for, keeps more than it may, or opens a
/// log or terminal for a guest that is not the stub-domain's.
pub(crate) fn check(input: &[u8]) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let tasks = executor.handle();
    let input = input.to_vec();
    let played = async move { play(&input, &tasks).await };
    executor.block_on(played, &mut clock.idle(), &clock);
}

async fn play(input: &[u8], tasks: &Handle) {
    let mut script = Script(input);
    let (_server, client) = store(tasks);
    given(&client).await;
    let outlet = Outlet::default();
    let helper = Rc::new(Helper::new(outlet.clone(), client.clone(), tasks, SERVER));
    let mut served = Served::begin(&helper, tasks);
    for _ in 0..MAX_STEPS {
        let Some(kind) = script.next() else {
            break;
        };
        match kind % 8 {
            0..=2 => {
                let bytes = scripted(&mut script, &KINDS);
                let domain = u16::from(bytes[1]);
                match bytes[0] {
                    // A later guest of the same number begins with as much as any.
                    OPEN => served.seen.gave(domain, TYPED_WINDOW),
                    CREDIT => {
                        let credit = u32::from_le_bytes(bytes[5..9].try_into().unwrap());
                        served.seen.gave(domain, credit as usize);
                    }
                    _ => {}
                }
                served.send(&bytes).await;
            }
            3 => served.send(&script.array::<7>()).await,
            4 => drop(served.seen.read(&served.stream, usize::from(script.u16()))),
            5 => operate(&outlet, &mut script),
            6 => outlet.0.full.set(script.byte() & 1 == 0),
            _ => turns(usize::from(script.byte() % 32)).await,
        }
        if served.ended.get() {
            served = Served::begin(&helper, tasks);
        }
    }
    turns(50).await;
    let before = served.seen.total;
    while served.seen.read(&served.stream, STREAM) > 0 {
        turns(5).await;
    }
    let waited = served.seen.total - before;
    assert!(
        waited <= STREAM + (32 << 10) + 5 * 9,
        "{waited} bytes waited"
    );
    for number in GIVEN + 1..=5 {
        let domain = DomId::new(number);
        assert!(!outlet.0.terminals.borrow().contains_key(&domain));
        assert!(!outlet.0.logs.borrow().contains_key(&name(number)));
        let tty = format!("/local/domain/{number}/console/tty");
        assert!(client.read(&tty).await.is_err());
    }
    drop(served);
    turns(50).await;
    let mut cx = Context::from_waker(Waker::noop());
    for terminal in outlet.0.terminals.borrow().values() {
        let mut rest = vec![0; WINDOW];
        while let Poll::Ready(Ok(_)) = terminal.poll_read(&mut cx, &mut rest) {}
        let end = terminal.poll_read(&mut cx, &mut rest);
        assert!(end.is_ready(), "a terminal is left over");
    }
}

fn name(number: u16) -> String {
    format!("guest {number}")
}

/// What the toolstack has written.
async fn given(client: &Client) {
    for number in 1..=5 {
        let home = format!("/local/domain/{number}");
        let server = match number {
            1..=GIVEN => SERVER.number(),
            4 => 0,
            _ => 7,
        };
        client
            .write(&format!("{home}/name"), name(number))
            .await
            .unwrap();
        client
            .write(&format!("{home}/console/backend-id"), server.to_string())
            .await
            .unwrap();
    }
}

/// The operator reads or types.
fn operate(outlet: &Outlet, script: &mut Script<'_>) {
    let (domain, len) = (script.byte() % 5, usize::from(script.u16()) % 3000);
    let mut cx = Context::from_waker(Waker::noop());
    let terminals = outlet.0.terminals.borrow();
    let Some(terminal) = terminals.get(&DomId::new(u16::from(domain) + 1)) else {
        return;
    };
    let mut bytes = vec![0x63; len];
    let _ = match script.byte() & 1 {
        0 => terminal.poll_read(&mut cx, &mut bytes),
        _ => terminal.poll_write(&mut cx, &bytes),
    };
}
