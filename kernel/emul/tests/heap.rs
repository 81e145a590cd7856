//! The heap's accounts, which need a program of their own: it has the allocator.

use std::time::Duration;

use morgana_emul::{Domain, DomainConfig, EmulPlatform, HeapAccounts, Hypervisor, Lockstep};
use morgana_hal::{DomId, Exit, Platform};

#[global_allocator]
static HEAP: HeapAccounts = HeapAccounts;

fn domain(hypervisor: &Hypervisor) -> Domain {
    hypervisor.create(DomainConfig::default()).unwrap()
}

fn used(platform: &EmulPlatform) -> usize {
    platform.usage().heap_used_bytes
}

#[test]
fn a_domain_is_charged_for_what_it_takes() {
    let hypervisor = Hypervisor::new();
    domain(&hypervisor).run(|platform, _, _| async move {
        let before = used(&platform);
        assert!(before <= platform.usage().heap_total_bytes);
        let mut block = vec![1u8; 100_000];
        assert_eq!(used(&platform), before + 100_000);
        block.reserve_exact(100_000);
        assert_eq!(used(&platform), before + 200_000);
        block.truncate(10);
        block.shrink_to_fit();
        assert_eq!(used(&platform), before + 10);
        drop(block);
        assert_eq!(used(&platform), before);
    });
}

#[test]
fn who_frees_is_not_who_is_charged() {
    let hypervisor = Hypervisor::new();
    let (give, take) = std::sync::mpsc::channel::<Vec<u8>>();
    let (answer, heard) = std::sync::mpsc::channel();
    let first = domain(&hypervisor).spawn(move |platform, _, _| async move {
        let before = used(&platform);
        let block = vec![0; 5_000];
        let during = used(&platform);
        give.send(block).unwrap();
        heard.recv().unwrap();
        (during - before, used(&platform) - before)
    });
    let second = domain(&hypervisor).spawn(move |platform, _, _| async move {
        let block = take.recv().unwrap();
        let before = used(&platform);
        drop(block);
        let unchanged = used(&platform) == before;
        answer.send(()).unwrap();
        unchanged
    });
    assert_eq!(second.unwrap().join(), morgana_emul::Outcome::Exited(true));
    // What the sending itself takes, the standard library keeps for the next one.
    let morgana_emul::Outcome::Exited((during, after)) = first.unwrap().join() else {
        panic!("nobody kills here");
    };
    assert_eq!(during, 5_000);
    assert!(after < 5_000, "{after} bytes are left");
}

#[test]
fn in_lockstep_each_turn_is_on_its_own_account() {
    let mut world = Lockstep::new(3);
    for size in [10_000, 20_000] {
        let domain = domain(world.hypervisor());
        world.start(domain, move |platform, tasks| async move {
            let before = used(&platform);
            let mut blocks = Vec::with_capacity(10);
            for round in 0..10 {
                blocks.push(vec![0u8; size]);
                tasks.timers().sleep(Duration::from_micros(7)).await;
                let more = used(&platform) - before;
                // A timer's node and the list of blocks besides.
                let expected = (round + 1) * size;
                assert!((expected..expected + 2_000).contains(&more), "{more} bytes");
            }
            Exit::Poweroff
        });
    }
    world.run().unwrap();
    assert_eq!(world.exit(DomId::new(1)), Some(Exit::Poweroff));
    world.hypervisor().assert_clean();
}

#[test]
fn alignments_are_kept() {
    #[repr(align(64))]
    struct Line([u8; 64]);
    for count in 1..50 {
        let lines: Vec<Line> = (0..count).map(|number| Line([number; 64])).collect();
        for (number, line) in lines.iter().enumerate() {
            assert_eq!(core::ptr::from_ref(line) as usize % 64, 0);
            assert_eq!(line.0, [number as u8; 64]);
        }
    }
}
