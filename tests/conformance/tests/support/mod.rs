//! An emulated machine with the two domains, and domain 0 that serves them xenstore.

use morgana_conformance::{Check, Meeting, Outcome, Party, Role};
use morgana_emul::{Domain, DomainConfig, EmulPlatform, Hypervisor, XenstoreServer};
use morgana_exec::Handle;
use morgana_hal::{Channel, DomId, Events, Exit, Platform, Port, Virq};
use morgana_xenstore_client::{Access, Client, Permission};
use morgana_xenstored::{Orphans, Quota, Rights, Server};

const ROOT: &str = "/conformance";

/// A machine, nothing of which runs yet.
pub(crate) struct Machine {
    pub(crate) domain_0: Domain,
    pub(crate) subject: Domain,
    pub(crate) peer: Domain,
    pub(crate) rings: Rings,
}

/// What domain 0 needs to know of the three domains: their ids and the ports of their rings.
pub(crate) type Rings = Vec<(DomId, Port)>;

impl Machine {
    pub(crate) fn new(hypervisor: &Hypervisor) -> Self {
        let create = |server| {
            let config = DomainConfig {
                xenstore: Some(server),
                ..DomainConfig::default()
            };
            hypervisor.create(config).unwrap()
        };
        let domain_0 = create(XenstoreServer::Itself);
        let subject = create(XenstoreServer::Domain(DomId::DOM0));
        let peer = create(XenstoreServer::Domain(DomId::DOM0));
        let rings = [&domain_0, &subject, &peer]
            .map(|domain| (domain.id(), domain.xenstore_ring().unwrap().port()))
            .to_vec();
        Self {
            domain_0,
            subject,
            peer,
            rings,
        }
    }
}

/// Serves xenstore until the other two have ended.
pub(crate) async fn serve(
    platform: EmulPlatform,
    tasks: Handle,
    hypervisor: Hypervisor,
    rings: Rings,
) -> Exit {
    let deaths = platform.events().virq(Virq::DomainException).unwrap();
    let server = Server::new(platform.clone(), &tasks, Quota::default());
    // The one that ends first may have written what the other still has to read.
    server.set_orphans(Orphans::Keep);
    let (own, guests) = rings.split_first().unwrap();
    server.introduce(own.0, own.1, Rights::Control).unwrap();
    let client = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
    client.make(ROOT).await.unwrap();
    let anybody = Permission {
        domain: DomId::DOM0,
        access: Access::Both,
    };
    client.set_permissions(ROOT, &[anybody]).await.unwrap();
    for &(guest, port) in guests {
        write_home(&client, guest).await;
        server.introduce(guest, port, Rights::Guest).unwrap();
    }
    loop {
        let seen = deaths.count();
        let running = hypervisor.domains();
        for &(guest, _) in guests {
            if !running.contains(&guest) {
                server.release(guest);
            }
        }
        if running == [DomId::DOM0] {
            return Exit::Poweroff;
        }
        deaths.after(seen).await;
    }
}

async fn write_home(client: &Client, guest: DomId) {
    let home = format!("/local/domain/{}", guest.number());
    client.make(&home).await.unwrap();
    let permissions = [(DomId::DOM0, Access::None), (guest, Access::Read)];
    let permissions = permissions.map(|(domain, access)| Permission { domain, access });
    client.set_permissions(&home, &permissions).await.unwrap();
    let domid = format!("{home}/domid");
    client
        .write(&domid, guest.number().to_string())
        .await
        .unwrap();
}

/// Plays one part in the checks.
pub(crate) async fn play(
    platform: EmulPlatform,
    tasks: Handle,
    role: Role,
    checks: &'static [Check],
) -> Outcome {
    let client = Client::start(platform.xenstore().unwrap(), &tasks)?;
    let meeting = Meeting {
        root: ROOT.into(),
        role,
        stranger: DomId::DOM0,
    };
    let party = Party::join(platform, &tasks, client, meeting).await?;
    for &check in checks {
        morgana_conformance::check(&party, check).await?;
    }
    Ok(())
}
