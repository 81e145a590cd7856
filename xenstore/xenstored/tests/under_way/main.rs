//! A daemon that is killed after each single write to what outlasts it: no request of a domain is lost or handled twice, and its ring stays in step.

mod guest;
mod world;

use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Waker};

use morgana_exec::duplex;
use morgana_hal::{ByteStream, DomId};
use morgana_xenstore_wire::{Request, RequestId, TransactionId};
use morgana_xenstored::{Descriptor, Rights};

use guest::Guest;
use world::{Daemon, Lasting};

/// Domain 0 and two guests.
const DOMAINS: u16 = 3;

/// After so many rounds in which nobody is ready somebody waits for ever.
const ROUNDS: usize = 20_000;

type Script = Pin<Box<dyn Future<Output = ()>>>;

/// What the domains do: each has its own end.
type Scripts = fn([Rc<Guest>; DOMAINS as usize]) -> Script;

/// The guests have homes, which everybody may read.
fn make_homes(daemon: &mut Daemon) {
    let (ours, theirs) = duplex(4096);
    let (descriptor, rights) = (Descriptor::NONE, Rights::Control);
    let server = &daemon.server;
    server
        .connect(DomId::DOM0, theirs, descriptor, rights)
        .unwrap();
    let mut bytes = Vec::new();
    for domain in 1..DOMAINS {
        let path = &*format!("/local/domain/{domain}");
        let permissions = &*format!("r{domain}\0").into_bytes();
        for request in [
            Request::Mkdir { path },
            Request::SetPerms { path, permissions },
        ] {
            let (id, transaction) = (RequestId(0), TransactionId::NONE);
            request.encode(id, transaction, &mut bytes).unwrap();
        }
    }
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(ours.poll_write(cx, &bytes).is_ready());
    for _ in 0..10 {
        daemon.turn();
    }
}

/// Has the domains do it while one daemon after another is killed after so many writes; how many the last one made.
fn run(scripts: Scripts, kills: &[u64]) -> u64 {
    let lasting = Rc::new(Lasting::new(DOMAINS));
    let mut daemon = Daemon::first(&lasting);
    make_homes(&mut daemon);
    let mut kills_left = kills.iter().copied();
    daemon.kill_after(kills_left.next());
    let guests = [0, 1, 2].map(|domain| Guest::new(lasting.guest_end(DomId::new(domain))));
    let mut script = pin!(scripts(guests));
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..ROUNDS {
        if script.as_mut().poll(cx).is_ready() {
            return daemon.writes();
        }
        daemon.turn();
        if daemon.is_killed() {
            drop(daemon);
            daemon = Daemon::again(&lasting, kills_left.next());
        }
    }
    panic!("somebody waits for ever after {kills:?}");
}

/// Serves until the domains have done it.
fn serve(daemon: &mut Daemon, mut script: Script) {
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..ROUNDS {
        if script.as_mut().poll(cx).is_ready() {
            return;
        }
        daemon.turn();
    }
    panic!("somebody waits for ever");
}

/// Kills at every point; and a second daemon, too, soon after and later.
fn kill_everywhere(scripts: Scripts) {
    let writes = run(scripts, &[]);
    assert!(writes > 20, "{writes}");
    for first in 0..writes {
        run(scripts, &[first]);
        // Before the second one serves, and some time later.
        run(scripts, &[first, first % 13]);
        run(scripts, &[first, first % 89]);
        run(scripts, &[first % 7, first % 11, first]);
    }
}

fn write<'a>(path: &'a str, value: &'a [u8]) -> Request<'a> {
    Request::Write { path, value }
}

fn watch<'a>(path: &'a str, token: &'a str) -> Request<'a> {
    let depth = None;
    Request::Watch { path, token, depth }
}

fn unwatch<'a>(path: &'a str, token: &'a str) -> Request<'a> {
    Request::Unwatch { path, token }
}

fn read(path: &str) -> Request<'_> {
    Request::Read { path }
}

/// What cannot be done twice is done once: a second time, it fails, or has another answer.
#[test]
fn each_request_is_handled_once() {
    kill_everywhere(|[_, guest, _]| {
        Box::pin(async move {
            for round in 0..3 {
                let value = &*format!("{round}");
                guest
                    .check(&[
                        (watch("a", "t"), "OK|"),
                        (write("a", value.as_bytes()), "OK|"),
                        (watch("a", "t"), "EEXIST|"),
                        (read("a"), value),
                        (unwatch("a", "t"), "OK|"),
                        (unwatch("a", "t"), "ENOENT|"),
                        (Request::TransactionStart, &format!("{}|", round + 1)),
                    ])
                    .await;
            }
        })
    });
}

/// What does not fit the ring is moved in parts, in both directions.
#[test]
fn long_requests_and_replies_stay_in_step() {
    kill_everywhere(|[_, guest, _]| {
        Box::pin(async move {
            let long = "x".repeat(2000);
            let longer = "y".repeat(2047);
            let names: String = (0..3).map(|n| format!("{n}{}|", "z".repeat(500))).collect();
            guest
                .check(&[
                    (watch("long", "t"), "OK|"),
                    (write("long", long.as_bytes()), "OK|"),
                    (read("long"), &long),
                    (write("long", longer.as_bytes()), "OK|"),
                    (read("long"), &longer),
                ])
                .await;
            for name in names.split_terminator('|') {
                let path = format!("names/{name}");
                guest.check(&[(write(&path, b""), "OK|")]).await;
            }
            let list = Request::Directory { path: "names" };
            guest.check(&[(list, &names), (list, &names)]).await;
            guest.event("long|t|").await;
        })
    });
}

/// A guest that does not read has the daemon wait, and gets all.
#[test]
fn replies_that_wait_are_sent() {
    kill_everywhere(|[_, guest, other]| {
        Box::pin(async move {
            let value = &*"v".repeat(700);
            guest
                .check(&[
                    (write("a", value.as_bytes()), "OK|"),
                    (watch("/local/domain/2/e", "t"), "OK|"),
                ])
                .await;
            let requests = [
                read("a"),
                watch("a", "u"),
                read("a"),
                read("a"),
                unwatch("a", "u"),
                read("a"),
                read("a"),
                read("a"),
                read("a"),
                write("a", b"last"),
            ];
            guest.send(0, &requests).await;
            guest.rest().await;
            // Its events wait, too.
            other.check(&[(write("e", b"1"), "OK|")]).await;
            guest.rest().await;
            guest.replies().await;
            guest
                .check(&[(unwatch("a", "u"), "ENOENT|"), (read("a"), "last")])
                .await;
            guest.event("/local/domain/2/e|t|").await;
            other.check(&[(write("e", b"2"), "OK|")]).await;
            guest.event("/local/domain/2/e|t|").await;
        })
    });
}

/// Of a transaction there is all or nothing, and who hears that it has to be tried again knows how.
#[test]
fn transactions_are_whole() {
    kill_everywhere(|[_, guest, _]| {
        Box::pin(async move {
            for value in ["1", "2", "3"] {
                guest.write_together(value).await;
                guest
                    .check(&[(read("one"), value), (read("two"), value)])
                    .await;
            }
        })
    });
}

/// Two domains, of which one writes what the other one has written: nothing is written a second time.
#[test]
fn what_others_have_written_since_is_not_written_over() {
    kill_everywhere(|[_, guest, other]| {
        Box::pin(async move {
            let permissions = b"b1\0";
            let (path, shared) = ("a", "/local/domain/1/a");
            guest
                .check(&[
                    (write(path, b"0"), "OK|"),
                    (Request::SetPerms { path, permissions }, "OK|"),
                    (watch(path, "t"), "OK|"),
                ])
                .await;
            for value in ["1", "2", "3", "4"] {
                guest.check(&[(write(path, value.as_bytes()), "OK|")]).await;
                other.check(&[(write(shared, b"other"), "OK|")]).await;
                guest.rest().await;
                guest.check(&[(read(path), "other")]).await;
                guest.event("a|t|").await;
            }
        })
    });
}

/// A domain that begins anew is served from then on, and what it had is gone.
#[test]
fn domains_begin_anew() {
    kill_everywhere(|[_, guest, _]| {
        Box::pin(async move {
            for _ in 0..2 {
                guest
                    .check(&[
                        (watch("a", "t"), "OK|"),
                        (write("a", &[b'x'; 1500]), "OK|"),
                        (Request::ResetWatches, "OK|"),
                        (watch("a", "t"), "OK|"),
                    ])
                    .await;
                guest.reconnect().await;
            }
            guest.check(&[(watch("a", "t"), "OK|")]).await;
            guest.event("a|t|").await;
        })
    });
}

/// If it is not known what was under way with a domain, that one has to begin anew. Others are served.
#[test]
fn what_is_damaged_costs_one_domain_its_connection() {
    let lasting = Rc::new(Lasting::new(DOMAINS));
    let mut daemon = Daemon::first(&lasting);
    make_homes(&mut daemon);
    let guests = [1, 2].map(|domain| Guest::new(lasting.guest_end(DomId::new(domain))));
    for guest in &guests {
        let guest = guest.clone();
        let script = async move { guest.check(&[(write("a", b"1"), "OK|")]).await };
        serve(&mut daemon, Box::pin(script));
    }
    drop(daemon);
    lasting.damage(DomId::new(1));
    // It is the same after a second one, as it was not served since.
    for _ in 0..2 {
        let mut daemon = Daemon::again(&lasting, None);
        assert_eq!(daemon.server.domains(), [DomId::DOM0, DomId::new(2)]);
        assert_eq!([guests[0].error(), guests[1].error()], [1, 0]);
        let other = guests[1].clone();
        let script = async move { other.check(&[(read("a"), "1")]).await };
        serve(&mut daemon, Box::pin(script));
    }
    let mut daemon = Daemon::again(&lasting, None);
    let guest = guests[0].clone();
    let script = async move {
        guest.reconnect().await;
        assert_eq!(guest.error(), 0);
        guest.check(&[(read("a"), "1")]).await;
    };
    serve(&mut daemon, Box::pin(script));
}

/// Linux tells of a request only if it sees that all before it was taken (drivers/xen/xenbus/xenbus_comms.c, `xb_write`).
#[test]
fn a_request_is_found_that_comes_untold_while_another_one_is_kept() {
    let lasting = Rc::new(Lasting::new(DOMAINS));
    let mut daemon = Daemon::first(&lasting);
    make_homes(&mut daemon);
    let domain = DomId::new(1);
    let guest = Guest::new(lasting.quiet_end(domain));
    let send = |request: Request<'static>| {
        let guest = guest.clone();
        move || {
            let sent = pin!(async { guest.send(0, &[request]).await });
            let cx = &mut Context::from_waker(Waker::noop());
            assert!(sent.poll(cx).is_ready());
        }
    };
    for _ in 0..3 {
        send(write("a", b"1"))();
        lasting.meanwhile(send(read("a")));
        lasting.notify(domain);
        let asking = guest.clone();
        serve(&mut daemon, Box::pin(async move { asking.replies().await }));
    }
}

/// What is answered later is answered, too.
#[test]
fn introductions_are_answered() {
    kill_everywhere(|[dom0, _, _]| {
        Box::pin(async move {
            let domain = DomId::new(2);
            for port in [1, 2] {
                let introduce = Request::Introduce {
                    domain,
                    frame: 1,
                    port,
                };
                dom0.check(&[
                    (write("/a", b"1"), "OK|"),
                    (introduce, "OK|"),
                    (Request::IsDomainIntroduced { domain }, "T|"),
                    (read("/a"), "1"),
                ])
                .await;
            }
        })
    });
}
