//! How fast a disk is: each case of `cases`, with a line before and a line after.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use core::cell::{Cell, RefCell};
use core::time::Duration;

use morgana::block::BlockDevice;
use morgana::exec::join_all;
use morgana::hal::Clock;
use morgana::{Domain, Platform, log};

use crate::Failure;
use crate::cases::{CASES, Case, PAUSE_MS, Places, WARM_UP};

pub(crate) async fn run<P: Platform>(
    domain: &Domain<P>,
    disk: &impl BlockDevice,
) -> Result<String, Failure> {
    for case in &CASES {
        let warm_up = Case {
            count: WARM_UP,
            ..*case
        };
        once(disk, &warm_up).await?;
        log::info!("READY {}", case.name);
        let pause = Duration::from_millis(PAUSE_MS);
        domain.timers().sleep(pause).await;
        let start = domain.platform().clock().now();
        once(disk, case).await?;
        let nanos = (domain.platform().clock().now() - start).as_nanos();
        log::info!("DONE {} {} {nanos}", case.name, case.count);
    }
    log::info!("READY end");
    domain.timers().sleep(Duration::from_secs(60)).await;
    Ok(format!("{} cases", CASES.len()))
}

async fn once(disk: &impl BlockDevice, case: &Case) -> Result<(), Failure> {
    let left = Cell::new(case.count);
    let places = RefCell::new(Places::new(case, disk.geometry().bytes()));
    let sectors = (case.bytes / disk.geometry().sector_size()) as u64;
    let worker = || async {
        let mut bytes = vec![0x5a; case.bytes];
        while left.get() > 0 {
            left.set(left.get() - 1);
            let place = places.borrow_mut().next();
            if case.writes {
                disk.write(place * sectors, &bytes).await?;
            } else {
                disk.read(place * sectors, &mut bytes).await?;
            }
        }
        Ok(())
    };
    let workers = (0..case.depth).map(|_| worker());
    join_all(workers).await.into_iter().collect()
}
