//! Grants: who may use which page, how, and until when.

use morgana_hal::{
    CopyFrom, CopyTo, DomId, GrantRef, Memory, MemoryError, PAGE_SIZE, Pages, Platform,
    ReadOnlyPages, SharedPages,
};

use super::{Pair, domain, pair};
use crate::{DomainConfig, EmulPlatform, Hypervisor, Leftover};

const D0: DomId = DomId::new(0);
const D1: DomId = DomId::new(1);

fn copy_in(
    user: &EmulPlatform,
    peer: DomId,
    grant: GrantRef,
    offset: u16,
    into: &mut [u8],
) -> Result<(), MemoryError> {
    let status = Ok(());
    let mut operations = [CopyFrom {
        grant,
        offset,
        into,
        status,
    }];
    user.memory().copy_from(peer, &mut operations);
    operations[0].status
}

fn copy_out(
    user: &EmulPlatform,
    peer: DomId,
    grant: GrantRef,
    offset: u16,
    from: &[u8],
) -> Result<(), MemoryError> {
    let status = Ok(());
    let mut operations = [CopyTo {
        grant,
        offset,
        from,
        status,
    }];
    user.memory().copy_to(peer, &mut operations);
    operations[0].status
}

#[test]
fn shared_pages_are_the_same_bytes_on_both_sides() {
    let Pair {
        hypervisor,
        first,
        second,
    } = pair();
    let shared = first.0.memory().share(D1, 3).unwrap();
    assert_eq!(shared.grants().len(), 3);
    // In another order than they lie in their owner's memory.
    let order: Vec<GrantRef> = shared.grants().iter().rev().copied().collect();
    let imported = second.0.memory().import(D0, &order).unwrap();
    assert_eq!(imported.region().len(), 3 * PAGE_SIZE);
    shared.region().write(0, b"from the owner");
    imported.region().write(0, b"from the peer");
    let mut bytes = [0; 14];
    imported.region().read(2 * PAGE_SIZE, &mut bytes);
    assert_eq!(&bytes, b"from the owner");
    shared.region().read(2 * PAGE_SIZE, &mut bytes[..13]);
    assert_eq!(&bytes[..13], b"from the peer");
    drop(imported);
    drop(shared);
    hypervisor.assert_clean();
}

#[test]
fn recycled_pages_are_zeroed() {
    let pair = pair();
    for _ in 0..3 {
        let shared = pair.first.0.memory().share(D1, 1).unwrap();
        let mut bytes = [1; PAGE_SIZE];
        shared.region().read(0, &mut bytes);
        assert!(bytes.iter().all(|&byte| byte == 0));
        shared.region().write(0, &[0xaa; PAGE_SIZE]);
    }
}

#[test]
fn only_the_named_domain_may_use_a_grant() {
    let pair = pair();
    let third = domain(&pair.hypervisor).enter();
    let shared = pair.first.0.memory().share(D1, 1).unwrap();
    let grants = shared.grants();
    let refused = third.0.memory().import(D0, grants);
    assert_eq!(refused.err(), Some(MemoryError::BadGrant));
    let refused = copy_in(&third.0, D0, grants[0], 0, &mut [0; 4]);
    assert_eq!(refused, Err(MemoryError::BadGrant));
    let refused = copy_out(&third.0, D0, grants[0], 0, &[0; 4]);
    assert_eq!(refused, Err(MemoryError::BadGrant));
    // The right domain, but references that are not in use, or not in the table at all.
    for wrong in [0, 1, grants[0].number() + 1, 1 << 20, u32::MAX] {
        let refused = pair.second.0.memory().import(D0, &[GrantRef::new(wrong)]);
        assert_eq!(refused.err(), Some(MemoryError::BadGrant), "gref {wrong}");
    }
    let nobody = pair.second.0.memory().import(DomId::new(9), grants);
    assert_eq!(nobody.err(), Some(MemoryError::NoSuchDomain));
    let nobody = pair.first.0.memory().share(DomId::new(9), 1);
    assert_eq!(nobody.err(), Some(MemoryError::NoSuchDomain));
}

#[test]
fn a_page_is_mapped_once_at_a_time() {
    let Pair {
        hypervisor,
        first,
        second,
    } = pair();
    let shared = first.0.memory().share(D1, 2).unwrap();
    let grants = shared.grants();
    let imported = second.0.memory().import(D0, &grants[..1]).unwrap();
    let again = second.0.memory().import(D0, &grants[..1]);
    assert_eq!(again.err(), Some(MemoryError::BadGrant));
    // All or nothing: the first of the two does not stay mapped.
    let twice = second.0.memory().import(D0, &[grants[1], grants[1]]);
    assert_eq!(twice.err(), Some(MemoryError::BadGrant));
    drop(imported);
    let both = second.0.memory().import(D0, grants).unwrap();
    drop(both);
    drop(shared);
    hypervisor.assert_clean();
}

#[test]
fn read_only_pages_can_be_read_and_nothing_else() {
    let pair = pair();
    let mut page = pair.first.0.memory().share_read_only(D1, 1).unwrap();
    page.bytes_mut()[100..105].copy_from_slice(b"hello");
    let grant = page.grants()[0];
    let mut bytes = [0; 5];
    copy_in(&pair.second.0, D0, grant, 100, &mut bytes).unwrap();
    assert_eq!(&bytes, b"hello");
    let refused = copy_out(&pair.second.0, D0, grant, 100, b"fraud");
    assert_eq!(refused, Err(MemoryError::BadGrant));
    let refused = pair.second.0.memory().import(D0, &[grant]);
    assert_eq!(refused.err(), Some(MemoryError::BadGrant));
    assert_eq!(&page.bytes()[100..105], b"hello");
}

#[test]
fn copies_stay_inside_the_page() {
    let pair = pair();
    let shared = pair.first.0.memory().share(D1, 2).unwrap();
    let grant = shared.grants()[0];
    let user = &pair.second.0;
    copy_out(user, D0, grant, 4092, b"last").unwrap();
    let mut bytes = [0; 4];
    copy_in(user, D0, grant, 4092, &mut bytes).unwrap();
    assert_eq!(&bytes, b"last");
    assert_eq!(copy_out(user, D0, grant, 4096, b""), Ok(()));
    for (offset, len) in [(4093, 4), (4096, 1), (0, 4097), (u16::MAX, 0)] {
        let refused = copy_out(user, D0, grant, offset, &vec![1; len]);
        assert_eq!(refused, Err(MemoryError::OutOfPage), "{offset} + {len}");
        let refused = copy_in(user, D0, grant, offset, &mut vec![1; len]);
        assert_eq!(refused, Err(MemoryError::OutOfPage), "{offset} + {len}");
    }
}

#[test]
fn pages_given_back_too_early_are_set_aside_until_the_peer_lets_go() {
    let Pair {
        hypervisor,
        first,
        second,
    } = pair();
    let shared = first.0.memory().share(D1, 2).unwrap();
    let grants = shared.grants().to_vec();
    let imported = second.0.memory().import(D0, &grants[..1]).unwrap();
    drop(shared);
    assert_eq!(first.0.usage().quarantined_pages, 1);
    assert_eq!(first.0.usage().grants_used, 1);
    let after_drop = copy_in(&second.0, D0, grants[0], 0, &mut [0; 4]);
    assert_eq!(after_drop, Err(MemoryError::BadGrant));
    // A new page is another one: the late write of the peer does not show in it.
    let fresh = first.0.memory().share(D1, 1).unwrap();
    assert_ne!(fresh.grants()[0], grants[0]);
    imported.region().write(0, b"late");
    let mut bytes = [0; 4];
    fresh.region().read(0, &mut bytes);
    assert_eq!(bytes, [0; 4]);
    drop(fresh);
    let left = hypervisor.leftovers();
    let quarantined = Leftover::QuarantinedPage {
        domain: D0,
        peer: D1,
        grant: grants[0],
    };
    assert!(left.iter().any(|&found| found == quarantined), "{left}");
    drop(imported);
    assert_eq!(first.0.usage().quarantined_pages, 0);
    assert_eq!(first.0.usage().grants_used, 0);
    hypervisor.assert_clean();
}

#[test]
fn tables_have_ends() {
    let hypervisor = Hypervisor::new();
    let config = || DomainConfig {
        shared_pages: 4,
        grants: 8 + 6,
        mappings: 2,
        ..DomainConfig::default()
    };
    let first = hypervisor.create(config()).unwrap().enter();
    let second = hypervisor.create(config()).unwrap().enter();
    let memory = first.0.memory();
    assert_eq!(memory.share(D1, 7).err(), Some(MemoryError::NoFreeGrant));
    assert_eq!(memory.share(D1, 5).err(), Some(MemoryError::OutOfMemory));
    let shared = memory.share(D1, 3).unwrap();
    assert_eq!(memory.share(D1, 2).err(), Some(MemoryError::OutOfMemory));
    let refused = second.0.memory().import(D0, shared.grants());
    assert_eq!(refused.err(), Some(MemoryError::NoAddressSpace));
    // What failed has left nothing behind.
    assert_eq!(
        second.0.memory().import(D0, &shared.grants()[1..]).err(),
        None
    );
    drop(shared);
    assert!(memory.share(D1, 4).is_ok());
    hypervisor.assert_clean();
}

#[test]
fn a_forgotten_page_is_found() {
    let pair = pair();
    let shared = pair.first.0.memory().share(D1, 1).unwrap();
    let grant = shared.grants()[0];
    let imported = pair.second.0.memory().import(D0, &[grant]).unwrap();
    core::mem::forget((shared, imported));
    let left: Vec<Leftover> = pair.hypervisor.leftovers().iter().copied().collect();
    let forgotten = [
        Leftover::Grant {
            domain: D0,
            peer: D1,
            grant,
        },
        Leftover::Mapping {
            domain: D1,
            peer: D0,
            grant,
        },
    ];
    assert_eq!(left, forgotten);
}

#[test]
fn pages_of_a_killed_domain_stay_readable_until_they_are_unmapped() {
    let Pair {
        hypervisor,
        first,
        second,
    } = pair();
    let shared = first.0.memory().share(D1, 2).unwrap();
    shared.region().write(0, b"testament");
    let grants = shared.grants().to_vec();
    let imported = second.0.memory().import(D0, &grants[..1]).unwrap();
    assert!(hypervisor.kill(D0));
    assert!(!hypervisor.kill(D0));
    let mut bytes = [0; 9];
    imported.region().read(0, &mut bytes);
    assert_eq!(&bytes, b"testament");
    let gone = second.0.memory().import(D0, &grants[1..]);
    assert_eq!(gone.err(), Some(MemoryError::NoSuchDomain));
    let dead = Leftover::DeadDomain {
        domain: D0,
        mapped_pages: 1,
    };
    assert!(hypervisor.leftovers().iter().any(|&left| left == dead));
    drop(imported);
    drop((first, shared));
    hypervisor.assert_clean();
}

#[test]
fn a_killed_domain_cannot_write_where_it_mapped() {
    let Pair {
        hypervisor,
        first,
        second,
    } = pair();
    let shared = first.0.memory().share(D1, 1).unwrap();
    let imported = second.0.memory().import(D0, shared.grants()).unwrap();
    imported.region().write(0, b"alive");
    assert!(hypervisor.kill(D1));
    imported.region().write(0, b"ghost");
    let mut bytes = [0; 5];
    shared.region().read(0, &mut bytes);
    assert_eq!(&bytes, b"alive");
    // Nor anything else.
    let refused = second.0.memory().share(D0, 1);
    assert_eq!(refused.err(), Some(MemoryError::NoSuchDomain));
    let refused = copy_out(&second.0, D0, shared.grants()[0], 0, b"ghost");
    assert_eq!(refused, Err(MemoryError::NoSuchDomain));
    drop(imported);
    drop(second);
    drop(shared);
    assert_eq!(first.0.usage().quarantined_pages, 0);
    hypervisor.assert_clean();
}

#[test]
fn a_domain_may_map_its_own_grants() {
    let Pair {
        hypervisor,
        first: (platform, _idle),
        ..
    } = pair();
    let shared = platform.memory().share(D0, 1).unwrap();
    let imported = platform.memory().import(D0, shared.grants()).unwrap();
    shared.region().write(7, b"self");
    let mut bytes = [0; 4];
    imported.region().read(7, &mut bytes);
    assert_eq!(&bytes, b"self");
    drop((imported, shared));
    hypervisor.assert_clean();
}
