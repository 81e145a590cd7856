//! What is left by who is killed while it makes a domain, or ends it.

use morgana_hal::{DomId, WallTime};
use morgana_toolstack::{Config, HostError, Uuid};

use super::store::Tree;
use super::xen::{Call, DOMAIN};
use super::{CONFIG, Here, create, image, with_host};

const OWNER: &str = "/var/lib/one.json";
const OTHER: &str = "/var/lib/other.json";

fn uuid() -> Uuid {
    Uuid::from_random([5; 16])
}

async fn prepare(host: &Here) {
    let config = Config::parse(CONFIG).unwrap();
    let now = WallTime::from_unix_nanos(0);
    let made = host.prepare("kind", &config, &image(), uuid(), now).await;
    assert_eq!(made, Ok(DOMAIN));
}

fn is_noted(tree: &Tree) -> bool {
    let path = format!("/tool/morgana/unfinished/{}", uuid());
    tree.read(&path).is_some()
}

#[test]
fn it_is_ended_by_its_owner_and_by_nobody_else() {
    with_host("xenbr7", None, async |host, tree| {
        assert_eq!(host.end_unfinished(OWNER).await, Ok(0));
        host.note(OWNER, uuid()).await.unwrap();
        assert!(is_noted(tree));
        host.finished(uuid()).await.unwrap();
        host.finished(uuid()).await.unwrap();
        assert!(!is_noted(tree));
        let before = tree.nodes();

        // Killed before the domain was there.
        host.note(OWNER, uuid()).await.unwrap();
        assert_eq!(host.end_unfinished(OWNER).await, Ok(0));
        assert_eq!(tree.nodes(), before);

        // Killed before it was told that the domain waits to be taken.
        host.note(OWNER, uuid()).await.unwrap();
        prepare(host).await;
        host.client.remove("/tool/morgana/ahead").await.unwrap();
        assert_eq!(host.end_unfinished(OTHER).await, Ok(0));
        assert!(is_noted(tree));
        assert!(!host.toolstack.calls.borrow().contains(&Call::Destroy));
        assert_eq!(host.end_unfinished(OWNER).await, Ok(1));
        assert_eq!(host.toolstack.calls.borrow().last(), Some(&Call::Destroy));
        assert_eq!(tree.nodes(), before);
    });
}

#[test]
fn what_is_finished_stays_whatever_is_noted() {
    with_host("xenbr7", None, async |host, tree| {
        host.note(OWNER, uuid()).await.unwrap();
        prepare(host).await;
        assert_eq!(host.end_unfinished(OWNER).await, Ok(0));
        assert!(!is_noted(tree));
        assert_eq!(host.waiting("kind").await, Ok(1));
        host.destroy(DOMAIN).await.unwrap();

        host.note(OWNER, uuid()).await.unwrap();
        create(host).await.unwrap();
        assert_eq!(host.end_unfinished(OWNER).await, Ok(0));
        assert!(!is_noted(tree));
        assert_eq!(host.find("web").await, Ok(DOMAIN));
        host.destroy(DOMAIN).await.unwrap();

        // Another one of its number.
        host.note(OWNER, Uuid::from_random([6; 16])).await.unwrap();
        prepare(host).await;
        assert_eq!(host.end_unfinished(OWNER).await, Ok(0));
        assert_eq!(host.waiting("kind").await, Ok(1));
    });
}

#[test]
fn the_name_of_one_that_runs_no_more_is_free() {
    with_host("xenbr7", None, async |host, tree| {
        create(host).await.unwrap();
        let before = tree.nodes();
        let info = host.info(DOMAIN).unwrap().unwrap();
        // Its number is another's by now.
        let mut other = info;
        other.handle = [9; 16];
        host.unname(OWNER, &other).await.unwrap();
        assert_eq!(tree.nodes(), before);
        assert_eq!(host.find("web").await, Ok(DOMAIN));

        host.toolstack.has_shut_down.set(true);
        host.unname(OWNER, &info).await.unwrap();
        assert_eq!(host.find("web").await, Err(HostError::NoSuchDomain));
        let gone = |path: &str| !tree.nodes().iter().any(|node| node == path);
        assert!(gone("/local/domain/7/name") && gone(&format!("/vm/{}/name", uuid())));
        assert!(!gone("/local/domain/7/vm"));
        // Killed then.
        assert_eq!(host.end_unfinished(OTHER).await, Ok(0));
        assert_eq!(host.end_unfinished(OWNER).await, Ok(1));
        assert_eq!(host.info(DOMAIN), Ok(None));
        host.unname(OWNER, &info).await.unwrap();
        assert!(!is_noted(tree) && gone("/local/domain/7"));
        assert_eq!(host.find("0").await, Ok(DomId::DOM0));
    });
}
