//! A front end and a back end, each in its own emulated domain, exchange frames.

mod support;

use morgana_netback::RxNotify;
use morgana_netfront::{
    Chains, Config, Features, GsoProtocol, Offload, RxChecksum, RxMeta, SegmentationOffload,
};
use support::{Scene, blank, frame, frames, large, receive, receive_all, send_all};

const ALL: Features = Features {
    checksum: Offload::Both,
    chains: Chains::Several,
    segmentation: Offload::Both,
};

#[test]
fn frames_arrive_whole_and_in_order_in_both_directions() {
    for seed in 0..10 {
        let (front, back) = Scene::default().run(
            seed,
            async |mut front| {
                send_all(&mut front, frames(0, 500, 1514)).await;
                receive_all(&mut front, frames(1000, 500, 1514)).await;
                front
            },
            async |mut back| {
                receive_all(&mut back, frames(0, 500, 1514)).await;
                send_all(&mut back, frames(1000, 500, 1514)).await;
                back
            },
        );
        assert_eq!([front.tx_frames, front.rx_frames], [500, 500]);
        assert_eq!([back.in_frames, back.out_frames], [500, 500]);
        assert_eq!(
            [front.tx_bytes, front.rx_bytes],
            [back.in_bytes, back.out_bytes]
        );
        assert_eq!(front.tx_dropped + front.tx_errors + front.rx_errors, 0);
        // Everybody asks to be notified before sleeping, and is not notified otherwise.
        assert!(front.notifications < 500 && back.notifications < 1000);
    }
}

#[test]
fn an_echo_goes_back_and_forth() {
    for seed in 0..10 {
        let (front, _) = Scene::default().run(
            seed,
            async |mut front| {
                for frame in frames(0, 100, 1514) {
                    send_all(&mut front, vec![frame.clone()]).await;
                    receive_all(&mut front, vec![frame]).await;
                }
                front
            },
            async |mut back| {
                for _ in 0..100 {
                    let (bytes, _) = receive(&mut back).await;
                    let meta = Default::default();
                    send_all(&mut back, vec![support::Frame { bytes, meta }]).await;
                }
                back
            },
        );
        assert_eq!([front.tx_frames, front.rx_frames], [100, 100]);
    }
}

#[test]
fn the_smallest_pools_only_make_it_slower() {
    for seed in 0..10 {
        let scene = Scene {
            front: Config {
                transmit_pages: 0,
                receive_pages: 0,
                queues: 0,
            },
            back: morgana_netback::Config {
                inbound_bytes: 0,
                outbound_bytes: 0,
                outbound_frames: 0,
                ..Default::default()
            },
            ..Scene::default()
        };
        let (front, back) = scene.run(
            seed,
            async |mut front| {
                send_all(&mut front, frames(0, 100, 1514)).await;
                receive_all(&mut front, frames(1000, 100, 1514)).await;
                front
            },
            async |mut back| {
                receive_all(&mut back, frames(0, 100, 1514)).await;
                send_all(&mut back, frames(1000, 100, 1514)).await;
                back
            },
        );
        assert_eq!((front.tx_buffers, back.out_queue_limit), (1, 1));
        assert!(front.tx_full > 0 && back.out_full > 0);
    }
}

#[test]
fn long_frames_take_several_slots() {
    for (seed, mtu, longest) in [(0, 9000, 9014), (1, 4082, 4096), (2, 65_500, 65_514)] {
        let scene = Scene {
            back: morgana_netback::Config {
                mtu,
                ..Default::default()
            },
            ..Scene::default()
        };
        scene.run(
            seed,
            async move |mut front| {
                assert_eq!(front.max_frame(), longest);
                let mut all = frames(0, 50, longest);
                all.push(frame(99, longest));
                send_all(&mut front, all.clone()).await;
                receive_all(&mut front, all).await;
                front
            },
            async move |mut back| {
                assert_eq!(back.max_frame(), longest);
                let mut all = frames(0, 50, longest);
                all.push(frame(99, longest));
                receive_all(&mut back, all.clone()).await;
                send_all(&mut back, all).await;
                back
            },
        );
    }
}

#[test]
fn who_takes_single_slots_only_gets_no_longer_frames() {
    let single = Features {
        chains: Chains::SingleSlot,
        ..ALL
    };
    let scene = Scene {
        back: morgana_netback::Config {
            mtu: 9000,
            ..Default::default()
        },
        front_features: single,
        back_features: single,
        ..Scene::default()
    };
    let (_, back) = scene.run(
        0,
        async |mut front| {
            assert_eq!(front.max_frame(), 4096);
            send_all(&mut front, vec![frame(0, 4096)]).await;
            receive_all(&mut front, vec![frame(1, 4096), frame(2, 60)]).await;
            front
        },
        async |mut back| {
            receive_all(&mut back, vec![frame(0, 4096)]).await;
            let sent = vec![frame(1, 4096), frame(9, 4097), frame(2, 60)];
            send_all(&mut back, sent).await;
            back
        },
    );
    assert_eq!(back.out_too_long, 1);
}

#[test]
fn blank_checksums_pass_where_they_are_welcome_and_are_completed_elsewhere() {
    for (offload, passed) in [
        (Offload::None, [false, false]),
        (Offload::Ipv4, [true, false]),
        (Offload::Ipv6, [false, true]),
        (Offload::Both, [true, true]),
    ] {
        let features = Features {
            checksum: offload,
            ..ALL
        };
        let scene = Scene {
            front_features: features,
            back_features: features,
            ..Scene::default()
        };
        let check = move |version, received: (Vec<u8>, RxMeta)| {
            let (blank, completed) = blank(version, b"hello");
            let expected = if passed[usize::from(version == 6)] {
                (blank.bytes, RxChecksum::Blank.into())
            } else {
                (completed, RxChecksum::Unverified.into())
            };
            assert_eq!(received, expected);
        };
        let (front, back) = scene.run(
            0,
            async move |mut front| {
                for version in [4, 6] {
                    send_all(&mut front, vec![blank(version, b"hello").0]).await;
                    check(version, receive(&mut front).await);
                }
                front
            },
            async move |mut back| {
                for version in [4, 6] {
                    check(version, receive(&mut back).await);
                    send_all(&mut back, vec![blank(version, b"hello").0]).await;
                }
                back
            },
        );
        let completed = passed.iter().filter(|&&passed| !passed).count() as u64;
        assert_eq!(
            (front.tx_completed, back.out_completed),
            (completed, completed)
        );
    }
}

#[test]
fn a_front_end_that_does_not_tell_of_new_pages_loses_frames_and_nothing_else() {
    let scene = Scene {
        front: Config {
            receive_pages: 32,
            ..Config::default()
        },
        rx_notify: RxNotify::Never,
        ..Scene::default()
    };
    let (front, back) = scene.run(
        0,
        async |mut front| {
            // The back end has sent all by the time that this arrives.
            receive_all(&mut front, frames(0, 32, 1514)).await;
            front
        },
        async |mut back| {
            for frame in frames(0, 64, 1514) {
                assert!(support::End::try_send(&mut back, &frame));
            }
            back.flush();
            assert_eq!(back.stats().out_queued, 0);
            back
        },
    );
    assert_eq!(front.rx_frames, 32);
    assert_eq!((back.out_frames, back.out_no_page), (32, 32));
}

#[test]
fn a_frame_longer_than_the_mtu_is_dropped_by_whoever_gets_it() {
    let scene = Scene {
        back: morgana_netback::Config {
            mtu: 3000,
            ..Default::default()
        },
        front_mtu: Some(1500),
        ..Scene::default()
    };
    let (front, _) = scene.run(
        0,
        async |mut front| {
            receive_all(&mut front, vec![frame(0, 1518), frame(1, 60)]).await;
            front
        },
        async |mut back| {
            let sent = vec![frame(0, 1518), frame(9, 1519), frame(1, 60)];
            send_all(&mut back, sent).await;
            back
        },
    );
    assert_eq!(front.rx_too_long, 1);

    let scene = Scene {
        front_mtu: Some(3000),
        ..Scene::default()
    };
    let (front, back) = scene.run(
        0,
        async |mut front| {
            let sent = vec![frame(0, 1518), frame(9, 1519), frame(1, 60)];
            send_all(&mut front, sent).await;
            receive(&mut front).await;
            front.flush();
            front
        },
        async |mut back| {
            receive_all(&mut back, vec![frame(0, 1518), frame(1, 60)]).await;
            send_all(&mut back, vec![frame(2, 60)]).await;
            back
        },
    );
    assert_eq!((front.tx_errors, back.in_too_long), (1, 1));
}

/// Large TCP frames of both kinds, the longest first.
fn large_frames() -> Vec<support::Frame> {
    [65_000, 1_461, 30_000, 4_043, 65_481, 9_000]
        .into_iter()
        .flat_map(|payload| {
            [GsoProtocol::TcpV4, GsoProtocol::TcpV6].map(|kind| large(kind, payload.min(65_461)))
        })
        .collect()
}

#[test]
fn large_frames_arrive_as_they_are() {
    for seed in 0..10 {
        let (front, back) = Scene::default().run(
            seed,
            async |mut front| {
                send_all(&mut front, large_frames()).await;
                receive_all(&mut front, large_frames()).await;
                front
            },
            async |mut back| {
                receive_all(&mut back, large_frames()).await;
                send_all(&mut back, large_frames()).await;
                back
            },
        );
        assert_eq!((front.tx_large, back.in_large), (12, 12));
        assert_eq!((back.out_large, front.rx_large), (12, 12));
        assert_eq!(front.tx_cut + back.out_cut, 0);
    }
}

#[test]
fn large_frames_are_cut_for_who_does_not_take_them() {
    for taken in [Offload::None, Offload::Ipv4, Offload::Ipv6] {
        let features = Features {
            segmentation: taken,
            ..ALL
        };
        let scene = Scene {
            front_features: features,
            ..Scene::default()
        };
        let (front, back) = scene.run(
            7,
            async |mut front| {
                for frame in large_frames() {
                    support::receive_stream(&mut front, &frame).await;
                }
                front
            },
            async |mut back| {
                send_all(&mut back, large_frames()).await;
                back
            },
        );
        assert_eq!((back.out_cut, back.out_large), (12, 0));
        assert_eq!(front.rx_large, 0);
    }
}

#[test]
fn a_new_back_end_that_takes_less_than_the_first_makes_no_difference() {
    let features = Features {
        segmentation: Offload::None,
        ..ALL
    };
    let scene = Scene {
        back_features: features,
        ..Scene::default()
    };
    let (front, back) = scene.run(
        7,
        async |mut front| {
            front.promise(netfront_promise());
            send_all(&mut front, large_frames()).await;
            front
        },
        async |mut back| {
            for frame in large_frames() {
                support::receive_stream(&mut back, &frame).await;
            }
            back
        },
    );
    assert_eq!((front.tx_cut, front.tx_large), (12, 0));
    assert_eq!(back.in_large, 0);
}

fn netfront_promise() -> SegmentationOffload {
    SegmentationOffload {
        kinds: Offload::Both,
        max_frame: 65_535,
    }
}

/// UDP frames of so many flows, in turn, numbered within each flow.
fn flows(flows: u8, each: u8) -> Vec<support::Frame> {
    (0..each)
        .flat_map(|number| (0..flows).map(move |flow| support::datagram(flow, number)))
        .collect()
}

/// Takes the frames of [`flows`], of which those of one flow must come in order.
async fn receive_flows(link: &mut impl support::End, count: u8, each: u8) {
    let mut next = vec![0; count.into()];
    for _ in 0..usize::from(count) * usize::from(each) {
        let (bytes, _) = receive(link).await;
        let flow = usize::from(bytes[35]);
        assert_eq!(bytes, support::datagram(flow as u8, next[flow]).bytes);
        next[flow] += 1;
    }
    assert!(next.iter().all(|number| *number == each));
}

#[test]
fn several_queues_carry_flows_in_order() {
    for seed in 0..10 {
        let scene = Scene {
            front: Config {
                queues: 3,
                ..Config::default()
            },
            ..Scene::default()
        };
        let (front, back) = scene.run(
            seed,
            async |mut front| {
                assert_eq!(front.keys().len(), 3);
                send_all(&mut front, flows(20, 30)).await;
                receive_flows(&mut front, 20, 30).await;
                send_all(&mut front, large_frames()).await;
                front
            },
            async |mut back| {
                receive_flows(&mut back, 20, 30).await;
                send_all(&mut back, flows(20, 30)).await;
                for _ in large_frames() {
                    receive(&mut back).await;
                }
                back
            },
        );
        assert_eq!([front.tx_frames, front.rx_frames], [612, 600]);
        assert_eq!(back.in_large, 12);
        assert_eq!(front.tx_in_flight, 0);
    }
}
