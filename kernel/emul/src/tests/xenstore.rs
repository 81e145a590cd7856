//! The ring that the toolstack prepares.

use core::future::poll_fn;

use morgana_exec::{Executor, join};
use morgana_hal::{ByteStream, DomId, Events, Memory, Platform};
use morgana_ring::{ByteLayout, RingStream, Side};

use super::domain;
use crate::{CreateError, DomainConfig, EmulPlatform, Hypervisor, XenstoreRing, XenstoreServer};

const D0: DomId = DomId::new(0);

/// The guest asks something longer than the ring, and the server hands it back in capitals.
async fn exchange(guest: EmulPlatform, server: EmulPlatform, ring: XenstoreRing) {
    let pages = server.memory().import(guest.id(), &[ring.grant()]).unwrap();
    let channel = server.events().connect(guest.id(), ring.port()).unwrap();
    let there = RingStream::attach(pages, channel, ByteLayout::XENSTORE, Side::Server).unwrap();
    let here = guest.xenstore().unwrap();
    assert!(guest.xenstore().is_none());
    let question = vec![b'q'; 3000];
    let ask = async {
        let mut rest = &question[..];
        while !rest.is_empty() {
            rest = &rest[poll_fn(|cx| here.poll_write(cx, rest)).await.unwrap()..];
        }
    };
    let answer = async {
        let mut heard = Vec::new();
        while heard.len() < question.len() {
            let mut buffer = [0; 100];
            let len = poll_fn(|cx| there.poll_read(cx, &mut buffer))
                .await
                .unwrap();
            heard.extend_from_slice(&buffer[..len]);
        }
        heard
    };
    let ((), heard) = join(ask, answer).await;
    assert_eq!(heard, question);
}

fn run_on(server: crate::Domain, guest: Option<crate::Domain>) {
    let ring = guest.as_ref().unwrap_or(&server).xenstore_ring().unwrap();
    let (server, mut idle) = server.enter();
    let guest = guest.map(crate::Domain::enter);
    // One thread plays both domains: the guest's events are found by a task.
    let clock = server.clock().clone();
    let mut executor = Executor::new();
    match guest {
        None => executor.block_on(exchange(server.clone(), server, ring), &mut idle, &clock),
        Some((guest, mut guest_idle)) => {
            let _pump = executor.handle().spawn(async move {
                loop {
                    morgana_hal::Idle::dispatch(&mut guest_idle);
                    morgana_exec::yield_now().await;
                }
            });
            executor.block_on(exchange(guest, server, ring), &mut idle, &clock);
        }
    }
}

#[test]
fn a_domain_and_its_server_exchange_bytes() {
    let hypervisor = Hypervisor::new();
    let server = domain(&hypervisor);
    let config = DomainConfig {
        xenstore: Some(XenstoreServer::Domain(D0)),
        ..DomainConfig::default()
    };
    let guest = hypervisor.create(config).unwrap();
    hypervisor.assert_clean();
    run_on(server, Some(guest));
    hypervisor.assert_clean();
}

#[test]
fn a_domain_can_serve_itself() {
    let hypervisor = Hypervisor::new();
    let config = DomainConfig {
        xenstore: Some(XenstoreServer::Itself),
        ..DomainConfig::default()
    };
    run_on(hypervisor.create(config).unwrap(), None);
    hypervisor.assert_clean();
    assert_eq!(hypervisor.domains(), []);
}

#[test]
fn a_server_must_exist() {
    let config = DomainConfig {
        xenstore: Some(XenstoreServer::Domain(D0)),
        ..DomainConfig::default()
    };
    let refused = Hypervisor::new().create(config);
    assert_eq!(refused.err(), Some(CreateError::NoXenstoreServer));
}
