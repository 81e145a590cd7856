//! Which of several errors a request gets: the order is that of Xen's C daemon.

use super::{Bench, list, read, watch, write};
use morgana_hal::DomId;
use morgana_xenstore_wire::{Operation, Request};

#[test]
fn what_only_the_control_domain_may_ask_for_is_refused_before_all_else() {
    let mut bench = Bench::new();
    for operation in [
        Operation::Control,
        Operation::Introduce,
        Operation::Release,
        Operation::IsDomainIntroduced,
        Operation::Resume,
        Operation::SetTarget,
        Operation::SetFeature,
        Operation::GetQuota,
        Operation::SetQuota,
    ] {
        let code = operation.code();
        assert_eq!(bench.ask_raw(1, 9, code, b"no sense"), "EACCES");
        assert_eq!(bench.ask_raw(0, 9, code, b"no sense"), "ENOENT");
        if operation != Operation::GetQuota {
            assert_eq!(bench.ask_raw(0, 0, code, b"no sense"), "EINVAL");
        }
    }
}

#[test]
fn a_transaction_that_there_is_not_comes_before_what_is_asked_in_it() {
    let mut bench = Bench::new();
    bench.check(&[
        (1, 9, read("//"), "ENOENT"),
        (1, 9, Request::TransactionStart, "ENOENT"),
        (1, 9, Request::ResetWatches, "ENOENT"),
        (
            1,
            9,
            Request::GetDomainPath {
                domain: DomId::DOM0,
            },
            "ENOENT",
        ),
        // docs/misc/xenstore.txt: "The tx_id in a WATCH request is ignored."
        (1, 9, watch("a", "t"), "OK|"),
        (
            1,
            9,
            Request::Unwatch {
                path: "a",
                token: "t",
            },
            "OK|",
        ),
    ]);
    let id = bench.start(1);
    bench.check(&[
        (1, id, Request::TransactionStart, "EBUSY"),
        (1, id, read("//"), "EINVAL"),
    ]);
}

#[test]
fn operations_that_there_are_not() {
    let mut bench = Bench::new();
    // RESTRICT was removed; WATCH_EVENT and ERROR are the daemon's to send.
    for code in [15, 16, 20, 27, 0xffff, u32::MAX] {
        assert_eq!(bench.ask_raw(1, 9, code, b"\0"), "ENOSYS");
    }
}

#[test]
fn permissions_come_before_what_is_asked_for() {
    let mut bench = Bench::new();
    let large = "v".repeat(3000);
    let (nobodys, all) = (list("n9"), list("n32757"));
    let set = |permissions| Request::SetPerms {
        path: "/b",
        permissions,
    };
    bench.check(&[
        (0, 0, write("/a", "1"), "OK|"),
        (1, 0, write("/a", &large), "EACCES"),
        (1, 0, write("/a/b", &large), "EACCES"),
        (1, 0, Request::Rm { path: "/" }, "EACCES"),
        (0, 0, Request::Rm { path: "/" }, "EINVAL"),
        // But an owner that there is not comes first of all.
        (1, 0, set(&nobodys), "ENOENT"),
        (1, 0, set(&all), "ENOENT"),
    ]);
}
