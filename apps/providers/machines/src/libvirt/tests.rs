//! Against libvirt's own driver for tests: a host that libvirt makes up, in this process.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use morgana_providers::{Cause, Family, Launch, MachineId, Provider, State, Unable};

use super::Libvirt;

/// A host with one domain, called `test`.
const HOST: &str = "test:///default";

/// A configuration in a file that goes with its test.
struct Scene {
    folder: PathBuf,
}

impl Scene {
    fn new(config: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("morgana-machines-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a folder can be made");
        fs::write(folder.join("a.cfg"), config).expect("a file can be written");
        Self { folder }
    }

    fn launch(&self, name: &str) -> Launch {
        Launch {
            configuration: Some(self.folder.join("a.cfg")),
            name: Some(name.to_owned()),
            ..Launch::default()
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn hello() -> Scene {
    Scene::new("name = 'hello'\nkernel = 'hello.xen'\nmemory = 16\nextra = 'a=1'\n")
}

#[test]
fn a_domain_lives_and_ends() {
    let scene = hello();
    let mut host = Libvirt::open(HOST).unwrap();
    assert_eq!(host.find("test").unwrap().state, State::Running);
    let made = host.create(&scene.launch("lives")).unwrap();
    assert_eq!((made.name.as_str(), made.state), ("lives", State::Running));
    assert_eq!(host.find("lives").unwrap(), made);
    let stats = host.stats(&made.id).unwrap();
    assert_eq!(stats.memory_kib, Some(16 << 10));
    assert_eq!(stats.processors, Some(1));
    host.pause(&made.id).unwrap();
    assert_eq!(host.stats(&made.id).unwrap().machine.state, State::Paused);
    host.unpause(&made.id).unwrap();
    assert_eq!(host.stats(&made.id).unwrap().machine.state, State::Running);
    host.destroy(&made.id).unwrap();
    let gone = host.destroy(&made.id).unwrap_err();
    assert_eq!(gone.cause, Cause::Unknown);
    assert_eq!(gone.machine, made.id.as_str());
    assert_eq!(host.find("lives").unwrap_err().cause, Cause::Unknown);
}

#[test]
fn a_domain_that_is_asked_to_shut_down_is_gone() {
    let scene = hello();
    let mut host = Libvirt::open(HOST).unwrap();
    let made = host.create(&scene.launch("asked")).unwrap();
    host.shutdown(&made.id).unwrap();
    assert_eq!(host.stats(&made.id).unwrap_err().cause, Cause::Unknown);
}

#[test]
fn two_connections_see_the_same_host() {
    let scene = hello();
    let mut one = Libvirt::open(HOST).unwrap();
    let mut other = Libvirt::open(HOST).unwrap();
    let made = one.create(&scene.launch("seen")).unwrap();
    assert_eq!(other.find("seen").unwrap(), made);
    other.destroy(&made.id).unwrap();
    assert_eq!(one.find("seen").unwrap_err().cause, Cause::Unknown);
}

#[test]
fn a_name_in_use_is_refused() {
    let scene = hello();
    let mut host = Libvirt::open(HOST).unwrap();
    let made = host.create(&scene.launch("twice")).unwrap();
    let error = host.create(&scene.launch("twice")).unwrap_err();
    assert_eq!(error.family(), Family::Refused);
    assert_eq!(error.machine, "twice");
    assert!(error.to_string().contains("exists"), "{error}");
    host.destroy(&made.id).unwrap();
}

#[test]
fn what_libvirt_reads_is_what_was_meant() {
    let scene = hello();
    let mut host = Libvirt::open(HOST).unwrap();
    let name = "<a> & 'b' \"c\" ]]> é";
    let launch = Launch {
        extra: "</cmdline><name>other</name> &amp;".to_owned(),
        memory_mib: Some(24),
        ..scene.launch(name)
    };
    let made = host.create(&launch).unwrap();
    assert_eq!(made.name, name);
    let connection = host.connected().unwrap();
    let xml = super::domain(connection, &made.id).unwrap();
    let xml = xml.xml_desc(0).unwrap();
    assert!(
        xml.contains(
            "<cmdline>a=1 &lt;/cmdline&gt;&lt;name&gt;other&lt;/name&gt; &amp;amp;</cmdline>"
        ),
        "{xml}"
    );
    assert!(xml.contains("<memory unit='KiB'>24576</memory>"), "{xml}");
    // Of the folder that we are in.
    let kernel = std::path::absolute("hello.xen").unwrap();
    assert!(
        xml.contains(&format!("<kernel>{}</kernel>", kernel.display())),
        "{xml}"
    );
    host.destroy(&made.id).unwrap();
}

#[test]
fn devices_are_taken() {
    let scene = Scene::new(
        "name = 'a'\nkernel = '/a.xen'\nmemory = 16\nvif = ['bridge=br0,mac=02:00:00:00:00:07', '']\n\
         disk = ['/dev/loop0,raw,xvda,r']\n",
    );
    let mut host = Libvirt::open(HOST).unwrap();
    let made = host.create(&scene.launch("devices")).unwrap();
    let connection = host.connected().unwrap();
    let domain = super::domain(connection, &made.id).unwrap();
    let xml = domain.xml_desc(0).unwrap();
    for part in [
        "02:00:00:00:00:07",
        "bridge='br0'",
        "bridge='xenbr0'",
        "/dev/loop0",
        "xvda",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    host.destroy(&made.id).unwrap();
}

#[test]
fn what_makes_no_sense_is_bad_input() {
    let mut host = Libvirt::open(HOST).unwrap();
    let scene = hello();
    let wrong = |change: &dyn Fn(&mut Launch)| {
        let mut launch = scene.launch("wrong");
        change(&mut launch);
        launch
    };
    for launch in [
        wrong(&|l| l.configuration = None),
        wrong(&|l| l.configuration = Some("/nowhere.cfg".into())),
        wrong(&|l| l.kept_image = Some("ami-1".into())),
        wrong(&|l| l.kind = Some("t3.nano".into())),
        wrong(&|l| l.memory_mib = Some(0)),
        wrong(&|l| l.memory_mib = Some(u64::MAX)),
        wrong(&|l| l.name = Some("7".into())),
        wrong(&|l| l.extra = "\u{1}".into()),
    ] {
        let error = host.create(&launch).unwrap_err();
        assert_eq!(error.family(), Family::BadInput, "{error}");
    }
    let unknown_key = Scene::new("name = 'a'\nkernel = '/a'\nmemory = 16\ncolour = 'red'\n");
    let error = host.create(&unknown_key.launch("wrong")).unwrap_err();
    assert_eq!(error.family(), Family::BadInput);
    assert!(error.to_string().contains("line 4: colour"), "{error}");
    assert_eq!(host.find("wrong").unwrap_err().cause, Cause::Unknown);
}

#[test]
fn a_machine_of_elsewhere_is_unknown() {
    let mut host = Libvirt::open(HOST).unwrap();
    for id in [
        "",
        "7",
        "i-0123456789abcdef0",
        "12345678-1234-1234-1234-123456789abc",
    ] {
        let error = host.stats(&MachineId::new(id)).unwrap_err();
        assert_eq!(error.cause, Cause::Unknown, "{id}");
    }
}

#[test]
fn a_host_that_is_made_up_has_no_consoles() {
    let mut host = Libvirt::open(HOST).unwrap();
    let test = host.find("test").unwrap();
    let error = host.console(&test.id).unwrap_err();
    assert_eq!(error.cause, Cause::Unable(Unable::Console), "{error}");
}

#[test]
fn a_host_that_is_not_there_is_lost() {
    let error = Libvirt::open("test+unix:///default?socket=/nowhere")
        .err()
        .unwrap();
    assert_eq!(error.family(), Family::Lost, "{error}");
    let error = Libvirt::open("nonsense:///").err().unwrap();
    assert_eq!(error.family(), Family::Lost, "{error}");
}

#[test]
fn a_host_that_goes_away_is_lost() {
    let scene = hello();
    let socket = scene.folder.join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let served = thread::spawn(move || drop(listener.accept().unwrap()));
    let uri = format!("test+unix:///default?socket={}", socket.display());
    let error = Libvirt::open(&uri).err().unwrap();
    assert_eq!(error.family(), Family::Lost, "{error}");
    served.join().unwrap();
}
