//! The layouts and numbers here are those of Xen's own header, as the C compiler sees it. Needs `cc` and libxen-dev.

mod c;

use c::{agree, evaluate, layout};
use morgana_netif::*;
use zerocopy::IntoBytes;

#[test]
fn layouts_and_constants_are_those_of_the_header() {
    let mut pairs = Vec::from([
        ("sizeof(union netif_tx_sring_entry)", TX_ENTRY_SIZE as i64),
        ("sizeof(union netif_rx_sring_entry)", RX_ENTRY_SIZE as i64),
        ("__CONST_RING_SIZE(netif_tx, 4096)", RING_ENTRIES as i64),
        ("__CONST_RING_SIZE(netif_rx, 4096)", RING_ENTRIES as i64),
        ("XEN_NETIF_EXTRA_TYPE_MAX - 1", MAX_EXTRAS as i64),
        ("XEN_NETIF_NR_SLOTS_MIN", MAX_SLOTS as i64),
        ("XEN_NETIF_MAX_TX_SIZE", MAX_PACKET as i64),
        ("NETIF_RSP_DROPPED", TxStatus::DROPPED.0.into()),
        ("NETIF_RSP_ERROR", TxStatus::ERROR.0.into()),
        ("NETIF_RSP_OKAY", TxStatus::OKAY.0.into()),
        ("NETIF_RSP_NULL", TxStatus::NULL.0.into()),
        ("NETTXF_csum_blank", TxFlags::CHECKSUM_BLANK.bits().into()),
        (
            "NETTXF_data_validated",
            TxFlags::DATA_VALIDATED.bits().into(),
        ),
        ("NETTXF_more_data", TxFlags::MORE_DATA.bits().into()),
        ("NETTXF_extra_info", TxFlags::EXTRA_INFO.bits().into()),
        (
            "NETRXF_data_validated",
            RxFlags::DATA_VALIDATED.bits().into(),
        ),
        ("NETRXF_csum_blank", RxFlags::CHECKSUM_BLANK.bits().into()),
        ("NETRXF_more_data", RxFlags::MORE_DATA.bits().into()),
        ("NETRXF_extra_info", RxFlags::EXTRA_INFO.bits().into()),
        ("NETRXF_gso_prefix", RxFlags::GSO_PREFIX.bits().into()),
        ("XEN_NETIF_EXTRA_FLAG_MORE", ExtraFlags::MORE.bits().into()),
    ]);
    layout!(
        pairs,
        "netif_tx_request",
        TxRequest {
            gref,
            offset,
            flags,
            id,
            size
        }
    );
    layout!(pairs, "netif_tx_response", TxResponse { id, status });
    layout!(pairs, "netif_rx_request", RxRequest { id, pad, gref });
    layout!(
        pairs,
        "netif_rx_response",
        RxResponse {
            id,
            offset,
            flags,
            status
        }
    );
    pairs.push((
        "sizeof(struct netif_extra_info)",
        size_of::<ExtraInfo>() as i64,
    ));
    agree("netif.h", &pairs);
}

/// The union in extra info is compared by content: C fills the fields, and its bytes must be ours.
#[test]
fn extra_info_has_the_same_bytes() {
    let group = MacAddr([1, 2, 3, 4, 5, 6]);
    let cases = [
        (
            "{ .type = XEN_NETIF_EXTRA_TYPE_GSO, .flags = XEN_NETIF_EXTRA_FLAG_MORE, \
             .u.gso = { .size = 0x1234, .type = XEN_NETIF_GSO_TYPE_TCPV4 } }",
            ExtraInfo::gso(0x1234, GsoProtocol::TcpV4).followed(),
        ),
        (
            "{ .type = XEN_NETIF_EXTRA_TYPE_GSO, .u.gso = { .size = 1, .type = XEN_NETIF_GSO_TYPE_TCPV6 } }",
            ExtraInfo::gso(1, GsoProtocol::TcpV6),
        ),
        (
            "{ .type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD, .u.mcast.addr = { 1, 2, 3, 4, 5, 6 } }",
            ExtraInfo::multicast_add(group),
        ),
        (
            "{ .type = XEN_NETIF_EXTRA_TYPE_MCAST_DEL, .u.mcast.addr = { 1, 2, 3, 4, 5, 6 } }",
            ExtraInfo::multicast_remove(group),
        ),
        (
            "{ .type = XEN_NETIF_EXTRA_TYPE_HASH, .u.hash = { .type = 2, .algorithm = 1, .value = { 4, 3, 2, 1 } } }",
            ExtraInfo::hash(2, 1, 0x0102_0304),
        ),
    ];
    let expressions: Vec<_> = cases
        .iter()
        .map(|(c, _)| format!("*(uint64_t *)&(struct netif_extra_info){c}"))
        .collect();
    let expressions: Vec<_> = expressions.iter().map(String::as_str).collect();
    let theirs = evaluate("netif.h", "extra-info", &expressions);
    for (expression, (_, ours)) in expressions.iter().zip(cases) {
        let ours = i64::from_ne_bytes(ours.as_bytes().try_into().unwrap());
        assert_eq!(theirs[*expression], ours, "{expression}");
    }
}
