//! Domains from their making to their end, on a machine that is made up and with a real tree of xenstore.

#[path = "../../../../kernel/builder/tests/builder/support/elf.rs"]
mod elf;
mod store;
mod unfinished;
#[path = "../../../../kernel/builder/tests/builder/support/xen.rs"]
mod xen;

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use morgana_builder::{BuildError, Image};
use morgana_exec::{Executor, ManualClock};
use morgana_hal::{DomId, ToolstackError, WallTime};
use morgana_toolstack::{
    BlockDevice, Config, DiskAccess, DiskId, Host, HostError, Names, Opened, OutletError, Outlets,
    Plugged, Uuid, VifId,
};
use morgana_xenstore_client::Client;

use elf::Elf;
use store::{Tree, serve};
use xen::{Call, DOMAIN, Xen};

/// A domain with one of each device, whose back ends are in dom0.
const CONFIG: &str = "name = 'web'
kernel = '/web.xen'
memory = 8
extra = 'first'
vif = ['bridge=xenbr7']
disk = ['/dev/ram0,raw,xvda,w']
";

/// What devices are plugged into here.
#[derive(Clone)]
struct Sockets {
    bridge: &'static str,
    /// How often the interface was looked for.
    looks: Cell<u32>,
    /// After how many looks a disk is open.
    opened_after: Cell<u32>,
    /// A file that is a disk, and who holds it.
    file: Rc<()>,
}

impl Outlets for Sockets {
    fn plug(&self, vif: VifId, bridge: &str) -> Result<Plugged, OutletError> {
        assert_eq!((vif.domain.number(), vif.number), (7, 0));
        // Linux's netback says that it has a device, and makes the interface a moment later.
        if self.looks.replace(self.looks.get() + 1) < 3 {
            return Ok(Plugged::NotYet);
        }
        match bridge == self.bridge {
            true => Ok(Plugged::InBridge),
            false => Err(OutletError::NoBridge),
        }
    }

    fn block_device(&self, path: &str) -> Result<BlockDevice, OutletError> {
        if path != "/dev/ram0" {
            return Err(OutletError::NotABlockDevice);
        }
        let (major, minor) = (1, 0);
        Ok(BlockDevice { major, minor })
    }

    type Held = Rc<()>;

    fn attach(&self, path: &str, access: DiskAccess) -> Result<(BlockDevice, Rc<()>), OutletError> {
        if path != "/disk.img" {
            return Err(OutletError::NotABlockDevice);
        }
        assert_eq!(access, DiskAccess::ReadWrite);
        let (major, minor) = (7, 3);
        Ok((BlockDevice { major, minor }, Rc::clone(&self.file)))
    }

    fn is_open(&self, disk: DiskId) -> Opened {
        assert_eq!((disk.domain.number(), disk.number), (7, 51712));
        // Whoever looks still holds the file.
        assert_eq!(Rc::strong_count(&self.file), 2);
        match self.looks.replace(self.looks.get() + 1) < self.opened_after.get() {
            true => Opened::NotYet,
            false => Opened::Open,
        }
    }
}

type Here = Host<Xen, Sockets>;

/// Runs a test against a fresh machine; returns what was done to its domains.
fn with_host<R: 'static>(
    bridge: &'static str,
    left: Option<u32>,
    test: impl AsyncFnOnce(&Here, &Tree) -> R + 'static,
) -> R {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let handle = executor.handle();
    let (stream, tree) = serve(&handle);
    let client = Client::start(stream, &handle).unwrap();
    let toolstack = Xen::default();
    toolstack.left.set(left);
    toolstack.has_dom0.set(true);
    let host = Host {
        toolstack,
        outlets: Sockets {
            bridge,
            looks: Cell::new(0),
            opened_after: Cell::new(6),
            file: Rc::default(),
        },
        client,
        timers: handle.timers(),
        names: Names::watched(),
    };
    let tree = Rc::new(tree);
    let done = async move { test(&host, &tree).await };
    executor.block_on(done, &mut clock.idle(), &clock)
}

fn image() -> Image {
    Image::parse(Elf::at(0x40_0000).bytes()).unwrap()
}

async fn create(host: &Here) -> Result<DomId, HostError> {
    let config = Config::parse(CONFIG).unwrap();
    let (uuid, now) = (
        Uuid::from_random([5; 16]),
        WallTime::from_unix_nanos(9_000_000_000),
    );
    host.create(&config, &image(), uuid, now).await
}

#[test]
fn its_nodes_are_those_that_xens_tools_know() {
    with_host("xenbr7", None, async |host, tree| {
        let before = tree.nodes();
        assert_eq!(create(host).await, Ok(DOMAIN));
        let uuid = "05050505-0505-4505-8505-050505050505";
        for (path, value) in [
            ("/local/domain/7/name", "web"),
            ("/local/domain/7/vm", &*format!("/vm/{uuid}")),
            ("/local/domain/7/memory/target", "8192"),
            ("/local/domain/7/store/port", "1"),
            ("/local/domain/7/console/port", "2"),
            ("/local/domain/7/console/type", "xenconsoled"),
            ("/local/domain/7/device/vif/0/mac", "00:16:3e:05:05:05"),
            ("/local/domain/7/device/vbd/51712/virtual-device", "51712"),
            (
                "/local/domain/0/backend/vif/7/0/hotplug-status",
                "connected",
            ),
            ("/local/domain/0/backend/vbd/7/51712/physical-device", "1:0"),
            ("/libxl/7/type", "pv"),
            (
                "/libxl/7/device/vif/0/backend",
                "/local/domain/0/backend/vif/7/0",
            ),
            (&format!("/vm/{uuid}/name"), "web"),
            (&format!("/vm/{uuid}/start_time"), "9.00"),
        ] {
            assert_eq!(tree.read(path).as_deref(), Some(value), "{path}");
        }
        // The guest may write where it answers, and nowhere else above.
        assert_eq!(tree.permissions("/local/domain/7"), "n0 r7");
        assert_eq!(tree.permissions("/local/domain/7/name"), "n0 r7");
        assert_eq!(tree.permissions("/local/domain/7/control/shutdown"), "n7");
        assert_eq!(
            tree.permissions("/local/domain/7/device/vif/0/state"),
            "n7 r0"
        );
        assert_eq!(
            tree.permissions("/local/domain/0/backend/vif/7/0/state"),
            "n0 r7"
        );
        assert_eq!(tree.permissions("/libxl/7/type"), "n0");
        assert_eq!(host.toolstack.frames().len(), 2048);
        assert!(host.client.is_introduced(DOMAIN).await.unwrap());
        assert_eq!(host.toolstack.calls.borrow().last(), Some(&Call::Unpause));

        assert_eq!(create(host).await, Err(HostError::NameInUse(DOMAIN)));
        assert_eq!(host.find("web").await, Ok(DOMAIN));
        assert_eq!(host.find("7").await, Ok(DOMAIN));
        assert_eq!(host.find("nobody").await, Err(HostError::NoSuchDomain));

        assert_eq!(host.destroy(DOMAIN).await, Ok(()));
        assert_eq!(tree.nodes(), before);
        assert_eq!(host.destroy(DOMAIN).await, Err(HostError::NoSuchDomain));
        assert_eq!(host.destroy(DomId::DOM0).await, Err(HostError::Dom0));
    });
}

#[test]
fn whatever_fails_nothing_is_left() {
    let calls = with_host("xenbr7", None, async |host, _| {
        create(host).await.unwrap();
        host.toolstack.calls.borrow().len()
    });
    for left in 0..calls {
        with_host("xenbr7", Some(left as u32), async |host, tree| {
            let before = tree.nodes();
            create(host).await.unwrap_err();
            assert_eq!(tree.nodes(), before);
            let calls = host.toolstack.calls.borrow();
            let is_made = calls.contains(&Call::Create);
            assert_eq!(is_made, calls.last() == Some(&Call::Destroy));
        });
    }
    with_host("another", None, async |host, tree| {
        let before = tree.nodes();
        let error = HostError::Outlet(OutletError::NoBridge);
        assert_eq!(create(host).await, Err(error));
        assert_eq!(tree.nodes(), before);
        assert_eq!(host.toolstack.calls.borrow().last(), Some(&Call::Destroy));
    });
}

#[test]
fn a_device_that_no_back_end_takes_is_not_waited_for_for_ever() {
    with_host("xenbr7", None, async |host, tree| {
        let before = tree.nodes();
        tree.let_back_ends_answer(None);
        assert_eq!(create(host).await, Err(HostError::NoBackEnd));
        assert_eq!(tree.nodes(), before);
        tree.let_back_ends_answer(Some(b"5"));
        assert_eq!(create(host).await, Err(HostError::BackEndRefuses));
        assert_eq!(tree.nodes(), before);
    });
}

async fn take(
    host: &Here,
    kind: &str,
    name: &str,
    extra: &str,
) -> Result<Option<DomId>, HostError> {
    let mut config = Config::parse(CONFIG).unwrap();
    (config.name, config.extra) = (name.to_owned(), extra.to_owned());
    host.take(kind, &config).await
}

#[test]
fn one_that_was_built_ahead_is_taken_once() {
    with_host("xenbr7", None, async |host, tree| {
        let before = tree.nodes();
        let config = Config::parse(CONFIG).unwrap();
        let (uuid, now) = (Uuid::from_random([6; 16]), WallTime::from_unix_nanos(0));
        let made = host.prepare("kind", &config, &image(), uuid, now).await;
        assert_eq!(made, Ok(DOMAIN));
        assert!(!host.toolstack.calls.borrow().contains(&Call::Unpause));
        assert_eq!(host.find("web").await, Err(HostError::NoSuchDomain));

        // Another domain may have what it could write.
        let disk = "/local/domain/0/backend/vbd/7/51712/physical-device";
        assert_eq!(tree.read(disk), None);
        assert_eq!(host.disks_are_free(&config).await, Ok(()));
        let vif = "/local/domain/0/backend/vif/7/0/hotplug-status";
        assert_eq!(tree.read(vif).as_deref(), Some("connected"));

        assert_eq!(take(host, "another", "web", "").await, Ok(None));
        assert_eq!(
            take(host, "kind", "web", "second line").await,
            Ok(Some(DOMAIN))
        );
        assert_eq!(tree.read("/local/domain/7/name").as_deref(), Some("web"));
        assert_eq!(tree.read(disk).as_deref(), Some("1:0"));
        let front = "/local/domain/7/device/vbd/51712/virtual-device";
        assert_eq!(tree.read(front).as_deref(), Some("51712"));
        assert_eq!(host.toolstack.calls.borrow().last(), Some(&Call::Unpause));
        let memory = host.toolstack.memory();
        let told = |page: &Vec<u8>| page.windows(12).any(|part| part == b"second line\0");
        assert!(memory.values().any(told));

        assert_eq!(take(host, "kind", "more", "").await, Ok(None));
        assert_eq!(create(host).await, Err(HostError::NameInUse(DOMAIN)));
        host.destroy(DOMAIN).await.unwrap();
        assert_eq!(tree.nodes(), before);
    });
}

#[test]
fn one_that_was_built_ahead_and_has_ended_is_not_taken() {
    with_host("xenbr7", None, async |host, tree| {
        let config = Config::parse(CONFIG).unwrap();
        let (uuid, now) = (Uuid::from_random([6; 16]), WallTime::from_unix_nanos(0));
        let before = tree.nodes();
        host.prepare("kind", &config, &image(), uuid, now)
            .await
            .unwrap();
        let ended: Result<(), ToolstackError> =
            morgana_hal::Toolstack::destroy(&host.toolstack, DOMAIN);
        assert_eq!(ended, Ok(()));
        assert_eq!(take(host, "kind", "web", "").await, Ok(None));
        assert!(
            !tree
                .nodes()
                .iter()
                .any(|path| path.starts_with("/tool/morgana/ahead/"))
        );

        // A command line that is none spoils none; one whose command line cannot be set is ended.
        host.prepare("kind", &config, &image(), uuid, now)
            .await
            .unwrap();
        let too_long = Err(HostError::Build(BuildError::CommandLine));
        for line in [&*"a".repeat(1024), "a\0b"] {
            assert_eq!(take(host, "kind", "web", line).await, too_long);
            assert_eq!(host.waiting("kind").await, Ok(1));
        }
        host.toolstack.left.set(Some(0));
        assert!(matches!(
            take(host, "kind", "web", "").await,
            Err(HostError::Build(BuildError::Step(..)))
        ));
        assert_eq!(host.toolstack.calls.borrow().last(), Some(&Call::Destroy));
        assert_eq!(tree.nodes(), before);
    });
}

#[test]
fn those_that_were_built_ahead_can_be_ended() {
    with_host("xenbr7", None, async |host, tree| {
        let before = tree.nodes();
        let config = Config::parse(CONFIG).unwrap();
        let (uuid, now) = (Uuid::from_random([6; 16]), WallTime::from_unix_nanos(0));
        let made = host.prepare("kind", &config, &image(), uuid, now).await;
        assert_eq!(made, Ok(DOMAIN));
        assert_eq!(host.discard("another").await, Ok(()));
        assert_eq!(host.waiting("kind").await, Ok(1));
        assert_eq!(host.discard("kind").await, Ok(()));
        assert_eq!(host.toolstack.calls.borrow().last(), Some(&Call::Destroy));
        assert_eq!(tree.nodes(), before);
    });
}

#[test]
fn a_disk_is_free_when_nobody_has_it_or_its_back_end_is_done() {
    with_host("xenbr7", None, async |host, _| {
        let config = Config::parse(CONFIG).unwrap();
        let reader = Config::parse(&CONFIG.replace(",w'", ",r'")).unwrap();
        let back = "/local/domain/0/backend/vbd/9/51712";
        let in_use = Err(HostError::DiskInUse(DomId::new(9)));
        assert_eq!(host.disks_are_free(&config).await, Ok(()));
        for (key, value, is_free) in [
            ("params", "/dev/other", true),
            ("physical-device", "1:0", false),
            ("state", "4", false),
            ("state", "5", false),
            // Of domain 9 Xen knows nothing any more.
            ("state", "6", true),
            ("state", "nonsense", false),
            ("physical-device", "1:1", true),
            ("params", "/dev/ram0", false),
            ("state", "6", true),
        ] {
            let path = format!("{back}/{key}");
            host.client.write(&path, value).await.unwrap();
            if key == "params" && is_free {
                host.client
                    .write(&format!("{back}/state"), "2")
                    .await
                    .unwrap();
            }
            let told = host.disks_are_free(&config).await;
            assert_eq!(told, if is_free { Ok(()) } else { in_use }, "{key} {value}");
            assert_eq!(host.disks_are_free(&reader).await, Ok(()));
        }
        // The domain is there, whatever its back end says.
        host.client
            .remove("/local/domain/0/backend/vbd/9")
            .await
            .unwrap();
        create(host).await.unwrap();
        let state = "/local/domain/0/backend/vbd/7/51712/state";
        host.client.write(state, "6").await.unwrap();
        let told = host.disks_are_free(&config).await;
        assert_eq!(told, Err(HostError::DiskInUse(DOMAIN)));
        host.destroy(DOMAIN).await.unwrap();
        assert_eq!(host.disks_are_free(&config).await, Ok(()));
    });
}

#[test]
fn a_disk_that_is_a_file_is_held_until_its_back_end_has_it() {
    with_host("xenbr7", None, async |host, tree| {
        let before = tree.nodes();
        let make = async |text: &str| {
            let config = Config::parse(text).unwrap();
            let (uuid, now) = (Uuid::from_random([5; 16]), WallTime::from_unix_nanos(0));
            host.create(&config, &image(), uuid, now).await
        };
        let file = CONFIG.replace("/dev/ram0,raw", "file:/disk.img");
        assert_eq!(make(&file).await, Ok(DOMAIN));
        assert!(host.outlets.looks.get() > 6);
        assert_eq!(Rc::strong_count(&host.outlets.file), 1);
        let back = "/local/domain/0/backend/vbd/7/51712";
        let told = |key| tree.read(&format!("{back}/{key}"));
        assert_eq!(told("params").as_deref(), Some("/disk.img"));
        assert_eq!(told("physical-device").as_deref(), Some("7:3"));
        host.destroy(DOMAIN).await.unwrap();

        // One that is never opened, and one that fails later.
        host.outlets.opened_after.set(u32::MAX);
        assert_eq!(make(&file).await, Err(HostError::NoBackEnd));
        assert_eq!(Rc::strong_count(&host.outlets.file), 1);
        assert_eq!(tree.nodes(), before);
        let two = file.replace("']\n", "', '/nothing,raw,xvdb,w']\n");
        let two = two.replace("vif = ['bridge=xenbr7', '/nothing,raw,xvdb,w']", "vif = []");
        let refused = HostError::Outlet(OutletError::NotABlockDevice);
        assert_eq!(make(&two).await, Err(refused));
        assert_eq!(Rc::strong_count(&host.outlets.file), 1);
        assert_eq!(tree.nodes(), before);
    });
}

#[test]
fn a_name_that_was_read_before_another_was_given_is_not_believed() {
    with_host("xenbr7", None, async |host, _| {
        let config = Config::parse(CONFIG).unwrap();
        let (uuid, now) = (Uuid::from_random([6; 16]), WallTime::from_unix_nanos(0));
        let made = host.prepare("kind", &config, &image(), uuid, now).await;
        assert_eq!(made, Ok(DOMAIN));
        // One asks for the names, and hears the answer only when another has given one away.
        let mut listing = pin!(host.list());
        let asked = poll_fn(|cx| Poll::Ready(listing.as_mut().poll(cx).is_pending()));
        assert!(asked.await);
        assert_eq!(take(host, "kind", "web", "").await, Ok(Some(DOMAIN)));
        let listed = listing.await.unwrap();
        let told = listed.iter().find(|listed| listed.info.domain == DOMAIN);
        // The old one or the new one.
        assert!(told.unwrap().name.starts_with("web"));
        assert_eq!(host.find("web").await, Ok(DOMAIN));
    });
}

#[test]
fn a_name_that_another_tool_gives_is_seen_at_once_and_others_are_read_once() {
    with_host("xenbr7", None, async |host, tree| {
        assert_eq!(create(host).await, Ok(DOMAIN));
        assert_eq!(host.find("web").await, Ok(DOMAIN));
        let heard = tree.heard();
        assert_eq!(host.find("web").await, Ok(DOMAIN));
        assert_eq!(tree.heard(), heard);

        host.client
            .write("/local/domain/7/name", "shop")
            .await
            .unwrap();
        assert_eq!(host.find("web").await, Err(HostError::NoSuchDomain));
        assert_eq!(host.find("shop").await, Ok(DOMAIN));
        assert_eq!(tree.heard(), heard + 2);
        host.destroy(DOMAIN).await.unwrap();
        assert_eq!(host.find("shop").await, Err(HostError::NoSuchDomain));
    });
}

#[test]
fn one_that_was_built_ahead_and_gets_no_disk_is_ended() {
    with_host("xenbr7", None, async |host, tree| {
        let before = tree.nodes();
        let config = Config::parse(CONFIG).unwrap();
        let (uuid, now) = (Uuid::from_random([6; 16]), WallTime::from_unix_nanos(0));
        let made = host.prepare("kind", &config, &image(), uuid, now).await;
        assert_eq!(made, Ok(DOMAIN));
        tree.let_back_ends_answer(Some(b"5"));
        let refused = Err(HostError::BackEndRefuses);
        assert_eq!(take(host, "kind", "web", "").await, refused);
        assert_eq!(host.toolstack.calls.borrow().last(), Some(&Call::Destroy));
        assert_eq!(tree.nodes(), before);
    });
}
