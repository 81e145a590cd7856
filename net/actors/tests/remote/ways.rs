//! TCP, and the choice between it and a vchan.

use std::time::Duration;

use morgana_actors::{DialError, Near, Place, Tcp, Way};
use morgana_exec::{Duplex, Handle, Timers, duplex, join};
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
        near: Some(Near {
            host,
            domain: DomId::new(3),
            path: "/local/domain/3/data/actors".into(),
        }),
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
                Some(2),
                &tasks.timers(),
                1_000 * MS,
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

/// What a way does in a test: it is there after a while, or it is not.
#[derive(Clone, Copy)]
struct Attempt(u32, bool);

impl Attempt {
    async fn make(self, timers: &Timers) -> Result<Duplex, ()> {
        timers.sleep(self.0 * MS).await;
        if self.1 { Ok(duplex(1).0) } else { Err(()) }
    }
}

const NEVER: Attempt = Attempt(u32::MAX, true);
const WITHIN: Duration = Duration::from_secs(4);

#[test]
fn the_same_host_means_a_vchan_and_tcp_if_there_is_none_in_time() {
    // The own host, what a vchan and TCP do, what becomes of it, and when (ms).
    type Case = (
        Option<u128>,
        Attempt,
        Attempt,
        Result<bool, DialError<()>>,
        u32,
    );
    let (there, is_not) = (Attempt(10, true), Attempt(10, false));
    let cases: [Case; 10] = [
        (Some(1), there, there, Ok(true), 10),
        (Some(1), is_not, there, Ok(false), 20),
        (Some(2), there, there, Ok(false), 10),
        (None, there, there, Ok(false), 10),
        (Some(1), is_not, is_not, Err(DialError::Tcp(())), 20),
        // Nothing takes longer than it may.
        (Some(1), NEVER, there, Ok(false), 2_010),
        (Some(1), NEVER, NEVER, Err(DialError::Late), 4_000),
        (Some(1), is_not, NEVER, Err(DialError::Late), 4_000),
        (Some(1), is_not, Attempt(3_980, true), Ok(false), 3_990),
        (Some(2), there, NEVER, Err(DialError::Late), 4_000),
    ];
    for (own, vchan, tcp, expected, after) in cases {
        run(move |tasks| async move {
            let timers = tasks.timers();
            let begin = timers.now();
            let way = place(1)
                .dial(
                    own,
                    &timers,
                    WITHIN,
                    async |domain, path: &str| {
                        assert_eq!(
                            (domain, path),
                            (DomId::new(3), "/local/domain/3/data/actors")
                        );
                        vchan.make(&timers).await
                    },
                    async |_| tcp.make(&timers).await,
                )
                .await;
            let kind = way.map(|way| matches!(way, Way::Vchan(_)));
            assert_eq!((kind, timers.now() - begin), (expected, after * MS));
        });
    }
}

#[test]
fn a_place_without_vchans_is_reached_by_tcp() {
    run(|tasks| async move {
        let place = Place {
            near: None,
            ..place(1)
        };
        let timers = tasks.timers();
        let way = place
            .dial(
                Some(1),
                &timers,
                WITHIN,
                async |_, _: &str| -> Result<Duplex, ()> { unreachable!("there is none") },
                async |_| Attempt(0, true).make(&timers).await,
            )
            .await;
        assert!(matches!(way, Ok(Way::Tcp(_))));
    });
}
