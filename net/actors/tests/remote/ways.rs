//! TCP, and the choice between it and a vchan.

use std::cell::Cell;

use morgana_actors::{Place, Tcp, Way};
use morgana_exec::{Handle, duplex, join};
use morgana_hal::DomId;
use morgana_net_device::{MacAddr, PairConfig, pair};
use morgana_net_stack::{
    AddressConfig, ConnectOptions, ListenOptions, Stack, StackConfig, TcpListener, TcpStream,
};

use crate::support::{MS, Message, node, run, server};

fn stacks(tasks: &Handle) -> [Stack; 2] {
    let macs = [MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2])];
    let (left, right) = pair(macs, PairConfig::default());
    [(left, "ip=10.0.0.1/24"), (right, "ip=10.0.0.2/24")].map(|(device, addresses)| {
        let addresses = AddressConfig::parse(addresses).unwrap();
        let config = StackConfig {
            addresses,
            seed: [7, 8],
            ..StackConfig::default()
        };
        let (stack, runner) = Stack::new(device, config, &tasks.timers());
        tasks
            .spawn(async move {
                runner.run().await;
            })
            .unwrap();
        stack
    })
}

fn place(host: u128) -> Place {
    Place {
        host,
        domain: DomId::new(3),
        path: "/local/domain/3/data/actors".into(),
        tcp: "10.0.0.2:7000".parse().unwrap(),
    }
}

#[test]
fn nodes_talk_over_tcp() {
    run(|tasks| async move {
        let [client, server_stack] = stacks(&tasks);
        let (far, _clerk, _) = server(&tasks, 1);
        let listener = TcpListener::bind(&server_stack, 7000, ListenOptions::default()).unwrap();
        let (accepted, way) = join(
            listener.accept(),
            place(1).dial(
                2,
                async |_, _: &str| Err::<Tcp, ()>(()),
                async |to| {
                    TcpStream::connect(&client, to, ConnectOptions::default())
                        .await
                        .map(Tcp)
                },
            ),
        )
        .await;
        tasks.spawn(far.attach(Tcp(accepted)).1).unwrap();
        let (link, running) = node(&tasks, 2, 1).attach(way.unwrap());
        tasks.spawn(running).unwrap();
        let clerk = link.lookup::<Message>("clerk", 4).await.unwrap();
        for number in 0..1_000 {
            clerk.send(Message::Note(number)).await.unwrap();
        }
        let seen = clerk
            .request(&tasks.timers(), 10_000 * MS, Message::Seen)
            .await;
        assert_eq!(seen, Ok((0..1_000).collect()));
    });
}

#[test]
fn the_same_host_means_a_vchan_and_tcp_if_there_is_none() {
    run(|_| async {
        for (own, works, asked, is_vchan) in [
            (1, true, 1, true),
            (1, false, 1, false),
            (2, true, 0, false),
        ] {
            let tried = Cell::new(0);
            let way = place(1)
                .dial(
                    own,
                    async |domain, path: &str| {
                        assert_eq!(
                            (domain, path),
                            (DomId::new(3), "/local/domain/3/data/actors")
                        );
                        tried.set(tried.get() + 1);
                        if works { Ok(duplex(1).0) } else { Err(()) }
                    },
                    async |_| Ok::<_, ()>(duplex(1).0),
                )
                .await
                .unwrap();
            assert_eq!(
                (tried.get(), matches!(way, Way::Vchan(_))),
                (asked, is_vchan)
            );
        }
    });
}
