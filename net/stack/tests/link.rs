//! What a stack says to its link: ARP, neighbour discovery, ICMP, and what it drops.

mod common;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use common::raw::*;
use common::*;
use morgana_net_device::{Offload, blank_or_complete};
use morgana_net_stack::{
    ConnectOptions, Limits, ListenOptions, Stats, TcpListener, TcpStream, UdpOptions, UdpSocket,
};
use smoltcp::wire::*;

#[test]
fn arp_is_answered_and_announced() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        let announced = world.raw.received().await;
        let arp_of = |frame: &Vec<u8>| {
            let packet = ArpPacket::new_checked(&frame[14..]).ok()?;
            (frame[12..14] == [8, 6]).then(|| ArpRepr::parse(&packet).unwrap())
        };
        let ArpRepr::EthernetIpv4 {
            source_protocol_addr,
            target_protocol_addr,
            ..
        } = announced.iter().find_map(arp_of).unwrap()
        else {
            panic!("{announced:?}");
        };
        assert_eq!(
            (source_protocol_addr, target_protocol_addr),
            (THEIRS, THEIRS)
        );
        let answers = world
            .raw
            .exchange(&arp(ArpOperation::Request, OURS, THEIRS))
            .await;
        let ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr,
            ..
        } = answers.iter().find_map(arp_of).unwrap()
        else {
            panic!("{answers:?}");
        };
        assert_eq!(operation, ArpOperation::Reply);
        assert_eq!(source_hardware_addr.0, MACS[1].0);
        let other = Ipv4Addr::new(10, 0, 0, 9);
        let answers = world
            .raw
            .exchange(&arp(ArpOperation::Request, OURS, other))
            .await;
        assert!(answers.is_empty());
    });
}

#[test]
fn addresses_are_announced_twice() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        // One IPv4 address, the link-local one and another one.
        let first = world.raw.received().await;
        assert_eq!(first.len(), 3, "{first:?}");
        world.timers.sleep(Duration::from_millis(1990)).await;
        assert_eq!(world.raw.received().await, Vec::<Vec<u8>>::new());
        world.timers.sleep(Duration::from_millis(20)).await;
        assert_eq!(world.raw.received().await, first);
        world.timers.sleep(Duration::from_secs(60)).await;
        assert_eq!(world.raw.received().await, Vec::<Vec<u8>>::new());
    });
}

#[test]
fn pings_are_answered() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        world.raw.introduce().await;
        let data = bytes(1, 1400);
        let echo = Icmpv4Repr::EchoRequest {
            ident: 7,
            seq_no: 8,
            data: &data,
        };
        let answers = world.raw.exchange(&icmp4(OURS, THEIRS, echo)).await;
        let packet = answers.iter().find_map(|frame| ipv4_of(frame)).unwrap();
        assert_eq!(packet.payload()[0], 0);
        assert_eq!(packet.payload()[8..], data);
        let echo = Icmpv6Repr::EchoRequest {
            ident: 7,
            seq_no: 8,
            data: &data,
        };
        let answers = world.raw.exchange(&icmp6(OURS6, THEIRS6, echo, 64)).await;
        let answer = answers.iter().find_map(|frame| icmp6_of(frame)).unwrap();
        assert_eq!(answer.0, OURS6);
        assert!(matches!(answer.1, Icmpv6Repr::EchoReply { seq_no: 8, data: d, .. } if d == data));
    });
}

#[test]
fn pings_to_everybody_are_not_answered() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        world.raw.introduce().await;
        let echo = Icmpv4Repr::EchoRequest {
            ident: 7,
            seq_no: 8,
            data: b"amplify me",
        };
        for to in [
            Ipv4Addr::BROADCAST,
            Ipv4Addr::new(10, 0, 0, 255),
            Ipv4Addr::new(224, 0, 0, 1),
        ] {
            assert!(world.raw.exchange(&icmp4(OURS, to, echo)).await.is_empty());
        }
    });
}

/// Neighbour solicitations come to the group when an address is looked up, to the address itself when it is probed, and from nobody when
/// someone wants the address for itself.
#[test]
fn all_kinds_of_neighbour_solicitations_are_answered() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        let solicit = Icmpv6Repr::Ndisc(NdiscRepr::NeighborSolicit {
            target_addr: THEIRS6,
            lladdr: Some(EthernetAddress(MACS[0].0).into()),
        });
        let nobody = Icmpv6Repr::Ndisc(NdiscRepr::NeighborSolicit {
            target_addr: THEIRS6,
            lladdr: None,
        });
        let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 2);
        let all = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
        for (from, to, message, answered) in [
            (OURS6, group, solicit, OURS6),
            (OURS6, THEIRS6, solicit, OURS6),
            (Ipv6Addr::UNSPECIFIED, group, nobody, all),
        ] {
            let answers = world.raw.exchange(&icmp6(from, to, message, 255)).await;
            let answer = answers.iter().find_map(|frame| icmp6_of(frame)).unwrap();
            assert_eq!(answer.0, answered);
            let Icmpv6Repr::Ndisc(NdiscRepr::NeighborAdvert {
                target_addr,
                lladdr,
                ..
            }) = answer.1
            else {
                panic!("{answer:?}");
            };
            assert_eq!(target_addr, THEIRS6);
            assert_eq!(lladdr, Some(EthernetAddress(MACS[1].0).into()));
            // The same from beyond a router is no neighbour's.
            assert!(
                world
                    .raw
                    .exchange(&icmp6(from, to, message, 254))
                    .await
                    .is_empty()
            );
        }
    });
}

#[test]
fn a_port_nobody_listens_on_is_unreachable_but_not_for_groups() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        world.raw.introduce().await;
        let from = addr("10.0.0.1", 53);
        let answers = world
            .raw
            .exchange(&udp(from, addr("10.0.0.2", 9), b"x"))
            .await;
        let packet = answers.iter().find_map(|frame| ipv4_of(frame)).unwrap();
        assert_eq!(packet.payload()[..2], [3, 3]);
        for (from, to) in [
            ("10.0.0.1", "10.0.0.255"),
            ("10.0.0.1", "224.0.0.251"),
            ("fd00::1", "ff02::fb"),
        ] {
            let frame = udp(addr(from, 53), addr(to, 9), b"x");
            assert!(world.raw.exchange(&frame).await.is_empty(), "{to}");
        }
        assert_eq!(world.stack.stats().udp_strays, 4);
    });
}

/// A frame, and the counter that it ends in.
type Case = (&'static str, Vec<u8>, fn(&Stats) -> u64);

#[test]
fn what_is_dropped_is_counted() {
    let syn = |from: &str, to: &str| {
        let segment = Tcp {
            control: TcpControl::Syn,
            sequence: 1,
            acknowledgement: None,
            data: b"",
        };
        tcp(addr(from, 5), addr(to, 7), segment)
    };
    let good = syn("10.0.0.1", "10.0.0.2");
    let good6 = syn("fd00::1", "fd00::2");
    let change = |frame: &[u8], at: usize, value: u8| {
        let mut frame = frame.to_vec();
        frame[at] = value;
        // An IPv4 header's checksum, when the header was changed.
        if frame[12] == 8 && (14..34).contains(&at) {
            let mut packet = Ipv4Packet::new_unchecked(&mut frame[14..]);
            packet.fill_checksum();
        }
        frame
    };
    let cases: Vec<Case> = vec![
        ("nothing", vec![], |s| s.malformed),
        ("a runt", good[..13].to_vec(), |s| s.malformed),
        ("half an IP header", good[..30].to_vec(), |s| s.malformed),
        ("half a TCP header", good[..50].to_vec(), |s| s.malformed),
        ("IP version 5", change(&good, 14, 0x55), |s| s.malformed),
        ("a short IP header", change(&good, 14, 0x44), |s| {
            s.malformed
        }),
        ("a long packet", change(&good, 16, 0xff), |s| s.malformed),
        ("half an IPv6 header", good6[..50].to_vec(), |s| s.malformed),
        (
            "TCP with SYN and FIN",
            {
                let mut frame = change(&good, 14 + 20 + 13, 0x03);
                blank_or_complete(&mut frame, Offload::None);
                frame
            },
            |s| s.malformed,
        ),
        (
            "a wrong IP checksum",
            {
                let mut frame = good.clone();
                frame[14 + 10] ^= 1;
                frame
            },
            |s| s.bad_checksums,
        ),
        ("a wrong TCP checksum", change(&good, 14 + 20 + 4, 9), |s| {
            s.bad_checksums
        }),
        (
            "a wrong TCP checksum, IPv6",
            change(&good6, 14 + 40 + 4, 9),
            |s| s.bad_checksums,
        ),
        ("a first fragment", change(&good, 14 + 6, 0x20), |s| {
            s.fragments
        }),
        ("a later fragment", change(&good, 14 + 7, 0x01), |s| {
            s.fragments
        }),
        ("another station", change(&good, 5, 0x77), |s| {
            s.other_stations
        }),
        ("another address", syn("10.0.0.1", "10.0.0.3"), |s| {
            s.other_addresses
        }),
        ("another address, IPv6", syn("fd00::1", "fd00::3"), |s| {
            s.other_addresses
        }),
        ("TCP to everybody", syn("10.0.0.1", "10.0.0.255"), |s| {
            s.other_addresses
        }),
        ("TCP to a group", syn("fd00::1", "ff02::1"), |s| {
            s.other_addresses
        }),
        ("from ourselves", syn("10.0.0.2", "10.0.0.2"), |s| {
            s.bad_sources
        }),
        ("from ourselves, IPv6", syn("fd00::2", "fd00::2"), |s| {
            s.bad_sources
        }),
        ("from everybody", syn("10.0.0.255", "10.0.0.2"), |s| {
            s.bad_sources
        }),
        ("from a group", syn("224.0.0.1", "10.0.0.2"), |s| {
            s.bad_sources
        }),
        ("from nobody", syn("0.0.0.0", "10.0.0.2"), |s| s.bad_sources),
        ("from nobody, IPv6", syn("::", "fd00::2"), |s| s.bad_sources),
        ("from a group's station", change(&good, 6, 0x01), |s| {
            s.bad_sources
        }),
        ("another protocol", change(&good, 13, 0x99), |s| {
            s.unknown_protocols
        }),
        (
            "DHCP that was not asked for",
            udp(addr("10.0.0.1", 67), addr("10.0.0.2", 68), b"?"),
            |s| s.frames_sent,
        ),
    ];
    run_raw(STATIC, Limits::default(), |mut world| async move {
        world.raw.introduce().await;
        for (what, frame, counter) in cases {
            let before = world.stack.stats();
            let answers = world.raw.exchange(&frame).await;
            assert!(answers.is_empty(), "{what} is answered");
            let after = world.stack.stats();
            let expected = if what.starts_with("DHCP") { 0 } else { 1 };
            assert_eq!(counter(&after) - counter(&before), expected, "{what}");
            assert_eq!(after.frames_received - before.frames_received, 1, "{what}");
        }
        assert_eq!(world.stack.stats().tcp_connections, 0);
    });
}

fn advert(lifetime_s: u64, prefix: Option<(Ipv6Addr, u64)>) -> Icmpv6Repr<'static> {
    Icmpv6Repr::Ndisc(NdiscRepr::RouterAdvert {
        hop_limit: 64,
        flags: NdiscRouterFlags::empty(),
        router_lifetime: smoltcp::time::Duration::from_secs(lifetime_s),
        reachable_time: smoltcp::time::Duration::ZERO,
        retrans_time: smoltcp::time::Duration::ZERO,
        lladdr: None,
        mtu: None,
        prefix_info: prefix.map(|(prefix, valid_s)| NdiscPrefixInformation {
            prefix_len: 64,
            flags: NdiscPrefixInfoFlags::ADDRCONF,
            valid_lifetime: smoltcp::time::Duration::from_secs(valid_s),
            preferred_lifetime: smoltcp::time::Duration::from_secs(valid_s),
            prefix,
        }),
    })
}

#[test]
fn a_router_gives_an_address_and_takes_it_away() {
    run_raw("ip=off", Limits::default(), |mut world| async move {
        let asks = world.raw.received().await;
        let asked = asks.iter().filter_map(|frame| icmp6_of(frame));
        let solicits =
            asked.filter(|(_, m)| matches!(m, Icmpv6Repr::Ndisc(NdiscRepr::RouterSolicit { .. })));
        assert_eq!(solicits.count(), 1);
        assert!(!world.stack.addresses().is_configured());

        let router: Ipv6Addr = "fe80::1".parse().unwrap();
        let all: Ipv6Addr = "ff02::1".parse().unwrap();
        let prefix: Ipv6Addr = "2001:db8:1:2::".parse().unwrap();
        let send = |message| icmp6(router, all, message, 255);
        world
            .raw
            .exchange(&send(advert(1800, Some((prefix, 7200)))))
            .await;
        let addresses = world.stack.configured().await;
        let expected: Ipv6Addr = "2001:db8:1:2:0:ff:fe00:2".parse().unwrap();
        assert_eq!(addresses.ipv6[2].unwrap().address, expected);
        assert_eq!(addresses.ipv6_gateway, Some(router));

        // Not from beyond a router, not from a global address, not for prefixes that are none.
        let evil: Ipv6Addr = "2001:db8:6:6::".parse().unwrap();
        world
            .raw
            .exchange(&icmp6(router, all, advert(0, None), 254))
            .await;
        world
            .raw
            .exchange(&icmp6(OURS6, all, advert(0, None), 255))
            .await;
        for bad in ["ff00::", "fe80::", "::"] {
            let bad: Ipv6Addr = bad.parse().unwrap();
            world
                .raw
                .exchange(&send(advert(1800, Some((bad, 7200)))))
                .await;
        }
        world
            .raw
            .exchange(&send(advert(1800, Some((evil, 7200)))))
            .await;
        assert_eq!(world.stack.addresses(), addresses);

        // The router goes, and what it gave expires; but not sooner than in two hours.
        world
            .raw
            .exchange(&send(advert(0, Some((prefix, 1)))))
            .await;
        assert_eq!(world.stack.addresses().ipv6_gateway, None);
        world.timers.sleep(Duration::from_secs(7190)).await;
        assert!(world.stack.addresses().is_configured());
        world.timers.sleep(Duration::from_secs(20)).await;
        assert!(!world.stack.addresses().is_configured());
    });
}

#[test]
fn routers_are_asked_for_three_times() {
    run_raw("ip=off", Limits::default(), |mut world| async move {
        let mut solicits = 0;
        for _ in 0..60 {
            world.timers.sleep(Duration::from_secs(1)).await;
            for frame in world.raw.received().await {
                let message = icmp6_of(&frame).map(|(_, message)| message);
                let is = matches!(
                    message,
                    Some(Icmpv6Repr::Ndisc(NdiscRepr::RouterSolicit { .. }))
                );
                solicits += usize::from(is);
            }
        }
        assert_eq!(solicits, 3);
    });
}

/// What a DHCP server answers to a frame, if it is a client's.
fn dhcp_answer(
    frame: &[u8],
    router: Ipv4Addr,
    address: Ipv4Addr,
    from: Ipv4Addr,
) -> Option<Vec<u8>> {
    let packet = ipv4_of(frame)?;
    let datagram = UdpPacket::new_checked(packet.payload()).ok()?;
    if packet.next_header() != IpProtocol::Udp || datagram.dst_port() != 67 {
        return None;
    }
    let message = DhcpPacket::new_checked(datagram.payload()).ok()?;
    let ask = DhcpRepr::parse(&message).ok()?;
    let answer = DhcpRepr {
        message_type: match ask.message_type {
            DhcpMessageType::Discover => DhcpMessageType::Offer,
            DhcpMessageType::Request => DhcpMessageType::Ack,
            _ => return None,
        },
        your_ip: address,
        server_ip: from,
        router: Some(router),
        subnet_mask: Some(Ipv4Addr::new(255, 255, 255, 0)),
        lease_duration: Some(1000),
        server_identifier: Some(from),
        dns_servers: Some([Ipv4Addr::new(10, 0, 0, 53)].into_iter().collect()),
        requested_ip: None,
        client_identifier: None,
        parameter_request_list: None,
        max_size: None,
        renew_duration: None,
        rebind_duration: None,
        additional_options: &[],
        ..ask
    };
    let mut bytes = vec![0; answer.buffer_len()];
    answer
        .emit(&mut DhcpPacket::new_unchecked(&mut bytes[..]))
        .unwrap();
    let from = std::net::SocketAddr::new(IpAddr::V4(from), 67);
    Some(udp(from, addr("255.255.255.255", 68), &bytes))
}

/// Answers like a DHCP server for so many seconds.
async fn serve_dhcp(
    world: &mut RawWorld,
    seconds: u32,
    router: Ipv4Addr,
    address: Ipv4Addr,
    from: Ipv4Addr,
) {
    for _ in 0..seconds * 10 {
        world.timers.sleep(Duration::from_millis(99)).await;
        for frame in world.raw.received().await {
            if let Some(answer) = dhcp_answer(&frame, router, address, from) {
                world.raw.send(&answer);
            }
        }
    }
}

#[test]
fn dhcp_gives_an_address_renews_it_and_takes_it_away() {
    run_raw(
        "ip=dhcp ip6=off",
        Limits::default(),
        |mut world| async move {
            let leased = Ipv4Addr::new(10, 0, 0, 77);
            serve_dhcp(&mut world, 2, OURS, leased, OURS).await;
            let addresses = world.stack.configured().await;
            assert_eq!(addresses.ipv4.unwrap().to_string(), "10.0.0.77/24");
            assert_eq!(addresses.ipv4_gateway, Some(OURS));
            assert_eq!(addresses.dns[0], Some("10.0.0.53".parse().unwrap()));
            // Renewals keep it beyond its first 1,000 seconds. The client asks the server itself, so it must learn where that is.
            for _ in 0..40 {
                world.raw.send(&arp(ArpOperation::Request, OURS, leased));
                serve_dhcp(&mut world, 50, OURS, leased, OURS).await;
            }
            assert_eq!(world.stack.addresses(), addresses);
            // No server, no address.
            world.timers.sleep(Duration::from_secs(1100)).await;
            assert_eq!(world.stack.addresses().ipv4, None);
        },
    );
}

/// smoltcp panics when it is to send to an address or through a router that cannot be a host's.
#[test]
fn a_dhcp_server_may_say_anything() {
    for (router, address, from) in [
        ("0.0.0.0", "10.0.0.77", "10.0.0.1"),
        ("224.0.0.1", "10.0.0.77", "10.0.0.1"),
        ("255.255.255.255", "10.0.0.77", "10.0.0.1"),
        ("10.0.0.255", "10.0.0.77", "10.0.0.1"),
        ("10.0.0.77", "10.0.0.77", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.255", "10.0.0.1"),
        ("10.0.0.1", "127.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.77", "0.0.0.0"),
        ("10.0.0.1", "10.0.0.77", "224.0.0.1"),
    ] {
        run_raw(
            "ip=dhcp ip6=off",
            Limits::default(),
            move |mut world| async move {
                let [router, address, from] =
                    [router, address, from].map(|text| text.parse().unwrap());
                serve_dhcp(&mut world, 15, router, address, from).await;
                let addresses = world.stack.addresses();
                let fine = addresses.ipv4.is_none_or(|cidr| cidr.address == address);
                assert!(fine && addresses.ipv4_gateway.is_none());
                // It is to renew, and to send something to somewhere.
                let remote = addr("192.0.2.1", 7);
                let options = morgana_net_stack::ConnectOptions::default();
                let result =
                    morgana_net_stack::TcpStream::connect(&world.stack, remote, options).await;
                assert!(result.is_err());
                world.timers.sleep(Duration::from_secs(1500)).await;
            },
        );
    }
}

/// Who is asked for in frames: over ARP, and by solicitations that went to the right group.
fn asked_for(frames: &[Vec<u8>]) -> Vec<IpAddr> {
    let over_arp = |frame: &Vec<u8>| {
        let packet = ArpPacket::new_checked(frame.get(14..)?).ok()?;
        match ArpRepr::parse(&packet).ok()? {
            ArpRepr::EthernetIpv4 {
                operation: ArpOperation::Request,
                source_protocol_addr,
                target_protocol_addr,
                ..
            } if frame[12..14] == [8, 6] => {
                assert_eq!(source_protocol_addr, THEIRS);
                Some(IpAddr::V4(target_protocol_addr))
            }
            _ => None,
        }
    };
    let by_solicitation = |frame: &Vec<u8>| {
        let (group, message) = icmp6_of(frame)?;
        let Icmpv6Repr::Ndisc(NdiscRepr::NeighborSolicit {
            target_addr,
            lladdr,
        }) = message
        else {
            return None;
        };
        assert_eq!(frame[22..38], THEIRS6.octets());
        assert_eq!(lladdr, Some(EthernetAddress(MACS[1].0).into()));
        let [.., a, b, c] = target_addr.octets();
        assert_eq!(frame[..6], [0x33, 0x33, 0xff, a, b, c]);
        let [high, low] = [u16::from_be_bytes([0xff, a]), u16::from_be_bytes([b, c])];
        assert_eq!(group, Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, high, low));
        Some(IpAddr::V6(target_addr))
    };
    let asked = |frame| over_arp(frame).or_else(|| by_solicitation(frame));
    frames.iter().filter_map(asked).collect()
}

/// smoltcp asks for one neighbour a second, whoever else is wanted.
#[test]
fn neighbours_are_asked_for_at_once() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        world.raw.received().await;
        let wanted: Vec<IpAddr> = (21..26)
            .flat_map(|last| {
                let v4 = Ipv4Addr::new(10, 0, 0, last);
                let v6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0x1234, last.into());
                [v4.into(), v6.into()]
            })
            .collect();
        // Two connections to each; one question is enough for both.
        for to in wanted.iter().chain(&wanted) {
            let (stack, remote) = (world.stack.clone(), SocketAddr::new(*to, 80));
            let connect = async move {
                let _ = TcpStream::connect(&stack, remote, ConnectOptions::default()).await;
            };
            world.handle.spawn(connect).unwrap();
        }
        let asked = |frames: Vec<Vec<u8>>| {
            let mut asked = asked_for(&frames);
            asked.sort();
            asked
        };
        let mut sorted = wanted.clone();
        sorted.sort();
        assert_eq!(asked(world.raw.received().await), sorted);
        // Not again before a second has passed.
        world.timers.sleep(Duration::from_millis(900)).await;
        assert!(asked(world.raw.received().await).is_empty());
        world.timers.sleep(Duration::from_millis(200)).await;
        assert_eq!(asked(world.raw.received().await), sorted);
        // Whoever answers is spoken to.
        let Some(IpAddr::V4(first)) = wanted.first() else {
            panic!("{wanted:?}");
        };
        let answers = world
            .raw
            .exchange(&arp(ArpOperation::Reply, *first, THEIRS))
            .await;
        let opened =
            |frame: &Vec<u8>| ipv4_of(frame).is_some_and(|packet| packet.dst_addr() == *first);
        assert_eq!(answers.iter().filter(|frame| opened(frame)).count(), 2);
    });
}

/// A router is asked for in place of those behind it.
#[test]
fn a_router_is_asked_for() {
    let addresses = "ip=10.0.0.2/24 gw=10.0.0.1 ip6=fd00::2/64 gw6=fd00::1";
    run_raw(addresses, Limits::default(), |mut world| async move {
        world.raw.received().await;
        let socket = UdpSocket::bind(&world.stack, 53, UdpOptions::default()).unwrap();
        for to in ["192.0.2.1", "192.0.2.2", "2001:db8::1", "10.0.0.7"] {
            socket.send_to(b"hello", addr(to, 53)).await.unwrap();
        }
        let mut asked = asked_for(&world.raw.received().await);
        asked.sort();
        let expected: [IpAddr; 3] = [OURS.into(), Ipv4Addr::new(10, 0, 0, 7).into(), OURS6.into()];
        assert_eq!(asked, expected);
    });
}

/// Whoever speaks to a server that has begun anew hears so at once, though that does not know yet who it is.
#[test]
fn strangers_are_reset_at_once() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        for (from, to) in [(OURS.into(), THEIRS.into()), (OURS6.into(), THEIRS6.into())] {
            let (from, to) = (SocketAddr::new(from, 50_000), SocketAddr::new(to, 80));
            let segment = |control, acknowledgement, data| Tcp {
                control,
                sequence: 1_000,
                acknowledgement,
                data,
            };
            // RFC 9293 section 3.10.7.1: what it acknowledges is the reset's number, or all of it is acknowledged.
            for (sent, sequence, acknowledged) in [
                (segment(TcpControl::Psh, Some(77), b"hello"), 77, None),
                (segment(TcpControl::Syn, None, b""), 0, Some(1_001)),
                (segment(TcpControl::Psh, None, b"hello"), 0, Some(1_005)),
                (segment(TcpControl::Fin, None, b"bye"), 0, Some(1_004)),
            ] {
                let answers = world.raw.exchange(&tcp(from, to, sent)).await;
                let [answer] = &answers[..] else {
                    panic!("{answers:?}");
                };
                assert_eq!(answer[..6], MACS[0].0);
                let expected = (TcpControl::Rst, sequence, acknowledged, vec![]);
                assert_eq!(tcp_of(answer), Some(expected));
            }
            let reset = tcp(from, to, segment(TcpControl::Rst, Some(77), b""));
            assert!(world.raw.exchange(&reset).await.is_empty());
        }
    });
}

/// Strangers that connect are answered as soon as they have told their Ethernet addresses, however many come at once.
#[test]
fn strangers_that_connect_are_answered_at_once() {
    run_raw(STATIC, Limits::default(), |mut world| async move {
        let _listener = TcpListener::bind(&world.stack, 80, ListenOptions::default()).unwrap();
        world.raw.received().await;
        let strangers: Vec<Ipv4Addr> = (21..26).map(|last| Ipv4Addr::new(10, 0, 0, last)).collect();
        for stranger in &strangers {
            let from = SocketAddr::new((*stranger).into(), 50_000);
            let syn = Tcp {
                control: TcpControl::Syn,
                sequence: 1_000,
                acknowledgement: None,
                data: b"",
            };
            world
                .raw
                .send(&tcp(from, SocketAddr::new(THEIRS.into(), 80), syn));
            world.timers.sleep(Duration::from_millis(3)).await;
        }
        let mut asked = asked_for(&world.raw.received().await);
        asked.sort();
        assert_eq!(
            asked,
            strangers
                .iter()
                .map(|to| IpAddr::V4(*to))
                .collect::<Vec<_>>()
        );
        for stranger in &strangers {
            let told = world
                .raw
                .exchange(&arp(ArpOperation::Reply, *stranger, THEIRS))
                .await;
            let answers: Vec<_> = told.iter().filter_map(|frame| tcp_of(frame)).collect();
            assert!(
                matches!(answers[..], [(TcpControl::Syn, _, Some(1_001), _)]),
                "{stranger}: {told:?}"
            );
        }
    });
}
