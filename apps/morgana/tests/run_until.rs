//! How an app ends that does not have the domain for itself, in virtual time.

use core::cell::Cell;
use core::future::pending;
use core::time::Duration;
use std::rc::Rc;

use morgana::exec::Handle;
use morgana::{Domain, Exit, Outcome, run_until};
use morgana_emul::{DomainConfig, EmulPlatform, Lockstep};
use morgana_hal::DomId;

/// When the app is asked to end.
const ASKED: Duration = Duration::from_secs(3);

/// Runs an app in virtual time, and asks it to end; returns how it ended and when.
fn run<A, F>(app: A) -> (Option<Exit>, Duration)
where
    A: FnOnce(Domain<EmulPlatform>) -> F + 'static,
    F: Future<Output: Outcome> + 'static,
{
    let mut world = Lockstep::new(7);
    let domain = world.hypervisor().create(DomainConfig::default()).unwrap();
    let began = world.now();
    world.start(domain, |platform, tasks: Handle| async move {
        let timers = tasks.timers();
        let wish = async move {
            timers.sleep(ASKED).await;
            Exit::Poweroff
        };
        run_until(platform, tasks, "", app, wish).await
    });
    world.run().unwrap();
    (world.exit(DomId::DOM0), world.now() - began)
}

/// A device, as drivers make them: when it is dropped, a task of its own parts with the other end.
struct Device {
    tasks: Handle,
    parted: Rc<Cell<bool>>,
    takes: Duration,
}

impl Drop for Device {
    fn drop(&mut self) {
        let (parted, takes, timers) = (self.parted.clone(), self.takes, self.tasks.timers());
        let parting = async move {
            timers.sleep(takes).await;
            parted.set(true);
        };
        self.tasks.spawn(parting).unwrap();
    }
}

fn with_device(takes: Duration) -> (bool, Option<Exit>, Duration) {
    let parted = Rc::new(Cell::new(false));
    let seen = parted.clone();
    let (exit, after) = run(move |domain: Domain<EmulPlatform>| async move {
        let _device = Device {
            tasks: domain.tasks().clone(),
            parted,
            takes,
        };
        pending::<()>().await;
    });
    (seen.get(), exit, after)
}

#[test]
fn a_device_has_time_to_part() {
    let takes = Duration::from_secs(9);
    let (parted, exit, after) = with_device(takes);
    assert!(parted);
    assert_eq!(exit, Some(Exit::Poweroff));
    assert!(after >= ASKED + takes && after < ASKED + takes + Duration::from_secs(1));
}

#[test]
fn who_never_ends_does_not_keep_the_process() {
    let (parted, exit, after) = with_device(Duration::from_secs(3600));
    assert!(!parted);
    assert_eq!(exit, Some(Exit::Poweroff));
    assert!(after < ASKED + Duration::from_secs(13), "{after:?}");
}

#[test]
fn an_app_that_returns_is_not_asked() {
    let (exit, after) = run(|_| async { Exit::Reboot });
    assert_eq!(exit, Some(Exit::Reboot));
    assert!(after < ASKED);
}
