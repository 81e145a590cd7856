//! What the control domain sets for others, and commands to the daemon.

use super::{Bench, mkdir, watch, write};
use morgana_hal::DomId;
use morgana_xenstore_wire::{Operation, Request};

const D0: DomId = DomId::DOM0;
const D1: DomId = DomId::new(1);
const D3: DomId = DomId::new(3);
/// There is no such domain.
const D4: DomId = DomId::new(4);

fn set_quota(domain: Option<DomId>, quota: &str, value: u32) -> Request<'_> {
    Request::SetQuota {
        domain,
        quota,
        value,
    }
}

fn get_quota(domain: Option<DomId>, quota: &str) -> Request<'_> {
    Request::GetQuota { domain, quota }
}

#[test]
fn quotas_are_the_control_domains_to_set() {
    let mut bench = Bench::new();
    let names = "nodes watches transactions transaction-nodes permissions node-size path-max outstanding memory soft-memory|";
    bench.check(&[
        (0, 0, Request::GetQuotaNames, names),
        (1, 0, Request::GetQuotaNames, "EACCES"),
        (0, 0, get_quota(None, "nodes"), "1000|"),
        (0, 0, get_quota(Some(D1), "nodes"), "1000|"),
        (1, 0, get_quota(None, "nodes"), "EACCES"),
        (0, 0, get_quota(None, "frob"), "EINVAL"),
        (0, 0, set_quota(None, "frob", 1), "EINVAL"),
        (1, 0, set_quota(Some(D1), "nodes", 0), "EACCES"),
        // For one domain, which has its home already.
        (0, 0, set_quota(Some(D1), "nodes", 2), "OK|"),
        (0, 0, get_quota(Some(D1), "nodes"), "2|"),
        (0, 0, get_quota(None, "nodes"), "1000|"),
        (1, 0, mkdir("a"), "OK|"),
        (1, 0, mkdir("b"), "ENOSPC"),
        (2, 0, mkdir("a"), "OK|"),
        (2, 0, mkdir("b"), "OK|"),
        // No limit at all.
        (0, 0, set_quota(Some(D1), "nodes", 0), "OK|"),
        (1, 0, mkdir("b"), "OK|"),
        (0, 0, set_quota(Some(D1), "node-size", 1), "OK|"),
        (1, 0, write("b", "12"), "ENOSPC"),
        (0, 0, set_quota(Some(D1), "watches", 1), "OK|"),
        (1, 0, watch("a", "t"), "OK|"),
        (1, 0, watch("b", "t"), "ENOSPC"),
        (0, 0, set_quota(Some(D1), "transactions", 1), "OK|"),
        (1, 0, Request::TransactionStart, "1|"),
        (1, 0, Request::TransactionStart, "ENOSPC"),
    ]);
}

#[test]
fn a_new_default_is_for_domains_that_come() {
    let mut bench = Bench::new();
    bench.check(&[
        (0, 0, set_quota(None, "watches", 7), "OK|"),
        (0, 0, set_quota(Some(D3), "nodes", 9), "OK|"),
        (0, 0, get_quota(Some(D1), "watches"), "128|"),
    ]);
    let rights = crate::Rights::Guest;
    bench
        .store
        .introduce(D3, rights, &mut alloc::vec::Vec::new());
    bench.check(&[
        (0, 0, get_quota(Some(D3), "nodes"), "9|"),
        (0, 0, get_quota(Some(D4), "watches"), "ENOENT"),
        (0, 0, set_quota(Some(D4), "watches", 7), "ENOENT"),
        (0, 0, get_quota(Some(DomId::new(0x7ff0)), "nodes"), "ENOENT"),
    ]);
    bench.store.release(D3, &mut alloc::vec::Vec::new());
    // What was set for a domain ends with it.
    bench.check(&[(0, 0, get_quota(Some(D3), "nodes"), "1000|")]);
}

#[test]
fn features_are_set_before_a_domain_comes() {
    let mut bench = Bench::new();
    let get = |domain| Request::GetFeature { domain };
    let set = |domain, features| Request::SetFeature { domain, features };
    bench.check(&[
        (0, 0, get(None), "15|"),
        (1, 0, get(None), "15|"),
        (1, 0, get(Some(D1)), "EACCES"),
        (0, 0, get(Some(D1)), "15|"),
        (0, 0, get(Some(D4)), "ENOENT"),
        (0, 0, set(D4, 0), "ENOENT"),
        (1, 0, set(D3, 0), "EACCES"),
        (0, 0, set(D1, 0), "EBUSY"),
        (0, 0, set(D0, 0), "EBUSY"),
        (0, 0, set(D3, 1 << 31), "EINVAL"),
        (0, 0, set(D3, 2), "OK|"),
        (0, 0, get(Some(D3)), "2|"),
    ]);
    let mut out = alloc::vec::Vec::new();
    let id = bench.store.introduce(D3, crate::Rights::Guest, &mut out);
    bench.connections.push(id);
    let depth = Some(1);
    let (path, token) = ("a", "t");
    let deep = Request::Watch { path, token, depth };
    bench.check(&[
        (3, 0, deep, "EINVAL"),
        (3, 0, watch("a", "t"), "OK|"),
        (1, 0, deep, "OK|"),
    ]);
    assert_eq!(bench.store.features_of(D3), crate::Features::ERROR);
}

#[test]
fn commands_to_the_daemon() {
    let mut bench = Bench::new();
    let control = Operation::Control.code();
    let mut ask = |who, words: &[u8]| bench.ask_raw(who, 0, control, words);
    assert_eq!(ask(0, b"check\0"), "OK|");
    assert!(ask(0, b"help\0").contains("quota           [set"));
    assert_eq!(ask(0, b"log\0"), "Log switch settings:\nio      : off\n|");
    assert_eq!(ask(0, b"log\0+io\0"), "OK|");
    assert!(ask(0, b"log\0").ends_with("io      : on\n|"));
    assert_eq!(ask(0, b"log\0+frob\0"), "EINVAL");
    assert!(ask(0, b"quota-soft\0").contains("soft-memory      :  2097152\n"));
    assert_eq!(ask(0, b"quota-soft\0set\0memory\x007\0"), "OK|");
    assert!(ask(0, b"quota\0max\0").contains("nodes            :        0\n"));
    assert!(ask(0, b"memreport\0").contains("nodes            :        5"));
    assert!(ask(0, b"quota\0").contains("watches          :      128\n"));
    assert!(ask(0, b"quota\x001\0").contains("nodes            :        1"));
    assert_eq!(ask(0, b"quota\09\0"), "ENOENT");
    assert_eq!(ask(0, b"quota\0set\0nodes\x005\0"), "OK|");
    assert_eq!(ask(0, b"quota\0set\0frob\x005\0"), "EINVAL");
    for wrong in [&b""[..], b"check", b"check\0more\0", b"frob\0", b"\xff\0"] {
        assert_eq!(ask(0, wrong), "EINVAL");
    }
    assert_eq!(ask(1, b"check\0"), "EACCES");
    assert_eq!(bench.ask(0, 0, get_quota(None, "nodes")), "5|");
}
