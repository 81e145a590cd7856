//! A bridge between devices in memory.

use std::future::poll_fn;
use std::num::NonZeroU16;

use morgana_bridge::{AddError, Bridge, Config, FRAMES_IN_A_PASS, PortStats, Sources};
use morgana_exec::{Executor, ManualClock, yield_now};
use morgana_net_device::{
    Device, GsoProtocol, MacAddr, Offload, PairConfig, PairDevice, RxChecksum, RxFrame, RxMeta,
    Segmentation, TxChecksum, TxMeta, TxSlot, Verdict, blank_or_complete, pair, verify,
};

const MACS: [MacAddr; 3] = [
    MacAddr([2, 0, 0, 0, 0, 1]),
    MacAddr([2, 0, 0, 0, 0, 2]),
    MacAddr([2, 0, 0, 0, 0, 3]),
];
const ALL: MacAddr = MacAddr([0xff; 6]);

type Net = (Bridge<PairDevice>, Vec<PairDevice>);

fn run<F: Future<Output = ()> + 'static>(
    configs: Vec<PairConfig>,
    test: impl FnOnce(Bridge<PairDevice>, Vec<PairDevice>) -> F,
) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let (bridge, stations) = net(&executor, configs);
    let test = test(bridge, stations);
    executor.block_on(test, &mut clock.idle(), &clock);
}

fn net(executor: &Executor, configs: Vec<PairConfig>) -> Net {
    let bridge = Bridge::new(executor.handle(), Config::default());
    let add = |config| {
        let (station, port) = pair([MACS[0], MACS[1]], config);
        bridge.add(port, Sources::Any).unwrap();
        station
    };
    let stations = configs.into_iter().map(add).collect();
    (bridge, stations)
}

fn frame(to: MacAddr, from: MacAddr, byte: u8) -> Vec<u8> {
    let mut frame = vec![byte; 60];
    frame[..6].copy_from_slice(&to.0);
    frame[6..12].copy_from_slice(&from.0);
    frame
}

fn send(device: &mut PairDevice, frame: &[u8], meta: TxMeta) -> bool {
    let Some(slot) = device.transmit() else {
        return false;
    };
    slot.send(frame.len(), |into| {
        into.copy_from_slice(frame);
        meta
    });
    device.flush();
    true
}

async fn settle() {
    for _ in 0..8 {
        yield_now().await;
    }
}

fn received(device: &mut PairDevice) -> Vec<(Vec<u8>, RxMeta)> {
    let mut frames = Vec::new();
    while let Some(mut frame) = device.receive() {
        frames.push((frame.bytes().to_vec(), frame.meta()));
    }
    frames
}

#[test]
fn a_frame_reaches_all_others_or_the_one_that_is_known() {
    run(vec![PairConfig::default(); 3], async |bridge, mut net| {
        send(&mut net[0], &frame(ALL, MACS[0], 1), TxMeta::default());
        settle().await;
        assert!(received(&mut net[0]).is_empty());
        assert_eq!(received(&mut net[1]).len(), 1);
        assert_eq!(received(&mut net[2]).len(), 1);
        let answer = frame(MACS[0], MACS[1], 2);
        send(&mut net[1], &answer, TxMeta::default());
        settle().await;
        assert_eq!(received(&mut net[0])[0].0, answer);
        assert!(received(&mut net[2]).is_empty());
        let ports = bridge.ports();
        let stats = bridge.stats(ports[0]).unwrap();
        assert_eq!((stats.in_frames, stats.in_flooded), (1, 1));
        assert_eq!((stats.out_frames, stats.out_bytes), (1, 60));
        assert_eq!(bridge.addresses(), 2);
    });
}

#[test]
fn a_port_that_takes_nothing_stops_no_other() {
    run(vec![PairConfig::default(); 3], async |bridge, mut net| {
        let many = 3 * PairConfig::default().frames;
        let mut got = 0;
        for n in 0..many {
            let sent = frame(ALL, MACS[0], n as u8);
            while !send(&mut net[0], &sent, TxMeta::default()) {
                yield_now().await;
            }
            settle().await;
            for (frame, _) in received(&mut net[1]) {
                assert_eq!(frame[20], got as u8);
                got += 1;
            }
        }
        assert_eq!(got, many);
        let ports = bridge.ports();
        let stats = bridge.stats(ports[2]).unwrap();
        assert_eq!(stats.out_frames, PairConfig::default().frames as u64);
        assert_eq!(stats.out_full, 2 * PairConfig::default().frames as u64);
        assert_eq!(bridge.stats(ports[1]).unwrap().out_full, 0);
    });
}

#[test]
fn a_port_that_floods_leaves_the_others_their_turn() {
    run(vec![PairConfig::default(); 3], async |_, mut net| {
        while send(&mut net[0], &frame(MACS[2], MACS[0], 0), TxMeta::default()) {}
        send(&mut net[1], &frame(MACS[2], MACS[1], 1), TxMeta::default());
        let mut before = 0;
        loop {
            yield_now().await;
            let frames = received(&mut net[2]);
            match frames.iter().position(|(frame, _)| frame[20] == 1) {
                Some(at) => {
                    before += at;
                    break;
                }
                None => before += frames.len(),
            }
        }
        assert!(before <= 2 * FRAMES_IN_A_PASS, "{before} frames came first");
    });
}

#[test]
fn a_port_is_removed_with_its_device_and_its_place_is_used_again() {
    run(vec![PairConfig::default(); 2], async |bridge, mut net| {
        send(&mut net[0], &frame(ALL, MACS[0], 1), TxMeta::default());
        settle().await;
        let ports = bridge.ports();
        let (mut device, stats) = bridge.remove(ports[0]).unwrap();
        assert_eq!(stats.in_frames, 1);
        assert!(bridge.remove(ports[0]).is_none());
        assert_eq!(bridge.addresses(), 0);
        // Nobody takes it from the device any more.
        send(&mut net[0], &frame(ALL, MACS[0], 2), TxMeta::default());
        settle().await;
        assert!(device.receive().is_some());
        assert_eq!(received(&mut net[1]).len(), 1);
        let again = bridge.add(device, Sources::Only(MACS[0])).unwrap();
        assert_eq!(again, ports[0]);
        send(&mut net[0], &frame(ALL, MACS[0], 3), TxMeta::default());
        send(&mut net[0], &frame(ALL, MACS[2], 4), TxMeta::default());
        settle().await;
        assert_eq!(received(&mut net[1]).len(), 1);
        assert_eq!(bridge.stats(again).unwrap().in_spoofed, 1);
        let (_, other) = pair([MACS[0], MACS[1]], PairConfig::default());
        let refused = bridge.add(other, Sources::Only(MACS[0]));
        assert!(matches!(refused, Err(AddError::AddressTaken(_))));
    });
}

#[test]
fn a_bridge_that_is_dropped_ends_its_tasks_and_its_devices() {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let handle = executor.handle();
    let (bridge, stations) = net(&executor, vec![PairConfig::default(); 2]);
    let tasks = handle.clone();
    executor.block_on(
        async move {
            settle().await;
            let with_ports = tasks.tasks();
            drop(bridge);
            settle().await;
            assert_eq!(tasks.tasks(), with_ports - 2);
        },
        &mut clock.idle(),
        &clock,
    );
    drop(stations);
}

/// An IPv4 TCP packet with this much payload, its checksum blank.
fn tcp(payload: usize) -> Vec<u8> {
    let mut frame = frame(ALL, MACS[0], 0);
    frame.truncate(12);
    frame.extend([0x08, 0x00]);
    let total = (40 + payload) as u16;
    frame.extend([0x45, 0]);
    frame.extend(total.to_be_bytes());
    frame.extend([0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    frame.extend([
        0, 80, 0, 81, 0, 0, 0, 9, 0, 0, 0, 0, 0x50, 0x10, 1, 0, 0, 0, 0, 0,
    ]);
    frame.extend((0..payload).map(|n| n as u8));
    assert_eq!(
        blank_or_complete(&mut frame, Offload::Both),
        TxChecksum::Blank
    );
    frame
}

#[test]
fn a_blank_checksum_stays_blank_for_whom_takes_it_and_is_right_for_whom_does_not() {
    let blank = PairConfig {
        offload: Offload::Both,
        ..PairConfig::default()
    };
    let configs = vec![blank, blank, PairConfig::default()];
    run(configs, async |bridge, mut net| {
        send(&mut net[0], &tcp(100), TxChecksum::Blank.into());
        let mut nonsense = frame(ALL, MACS[0], 0);
        nonsense[12] = 0;
        send(&mut net[0], &nonsense, TxChecksum::Blank.into());
        settle().await;
        let first = received(&mut net[1]);
        assert_eq!(first.len(), 2);
        assert_eq!(first[0], (tcp(100), RxChecksum::Blank.into()));
        let second = received(&mut net[2]);
        assert_eq!(second.len(), 1);
        assert_eq!(second[0].1, RxMeta::default());
        assert_eq!(verify(&second[0].0), Verdict::Right);
        let PortStats {
            out_completed,
            out_untrue,
            ..
        } = bridge.stats(bridge.ports()[2]).unwrap();
        assert_eq!((out_completed, out_untrue), (1, 1));
    });
}

#[test]
fn a_large_frame_stays_whole_for_whom_takes_it_and_is_cut_for_whom_does_not() {
    let large = PairConfig {
        offload: Offload::Both,
        segmentation: morgana_net_device::SegmentationOffload {
            kinds: Offload::Both,
            max_frame: 65_535,
        },
        ..PairConfig::default()
    };
    let configs = vec![large, large, PairConfig::default()];
    run(configs, async |bridge, mut net| {
        let meta = TxMeta {
            checksum: TxChecksum::Blank,
            segmentation: Some(Segmentation {
                kind: GsoProtocol::TcpV4,
                size: NonZeroU16::new(1000).unwrap(),
            }),
        };
        send(&mut net[0], &tcp(3500), meta);
        // One that is no TCP packet, whatever is said of it.
        let mut nonsense = tcp(3500);
        nonsense[14 + 9] = 17;
        send(&mut net[0], &nonsense, meta);
        settle().await;
        let whole = received(&mut net[1]);
        assert_eq!(whole[0], (tcp(3500), meta.into()));
        let pieces = received(&mut net[2]);
        let lengths: Vec<usize> = pieces.iter().map(|(frame, _)| frame.len()).collect();
        assert_eq!(lengths, [1054, 1054, 1054, 554]);
        let mut payload: Vec<u8> = Vec::new();
        for (frame, meta) in &pieces {
            assert_eq!(*meta, RxMeta::default());
            assert_eq!(verify(frame), Verdict::Right);
            payload.extend(&frame[54..]);
        }
        assert_eq!(payload, tcp(3500)[54..]);
        let stats = bridge.stats(bridge.ports()[2]).unwrap();
        assert_eq!((stats.out_cut, stats.out_untrue), (1, 1));
        assert_eq!(stats.out_frames, 4);
    });
}

#[test]
fn an_idle_bridge_sleeps() {
    run(vec![PairConfig::default(); 2], async |_, mut net| {
        settle().await;
        let ready = poll_fn(|cx| std::task::Poll::Ready(net[0].poll_ready(cx))).await;
        assert!(ready.is_pending());
    });
}
