//! The layouts and numbers here are those of Xen's own header, as the C compiler sees it. Needs `cc` and libxen-dev.

#[path = "../../netif/tests/c/mod.rs"]
mod c;

use c::{agree, layout};
use morgana_blkif::*;

#[test]
fn layouts_and_constants_are_those_of_the_header() {
    let mut pairs = Vec::from([
        ("sizeof(union blkif_sring_entry)", ENTRY_SIZE as i64),
        ("__CONST_RING_SIZE(blkif, 4096)", RING_ENTRIES as i64),
        (
            "sizeof(struct blkif_request)",
            size_of::<RawRequest>() as i64,
        ),
        ("BLKIF_MAX_SEGMENTS_PER_REQUEST", MAX_SEGMENTS as i64),
        (
            "BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST",
            MAX_INDIRECT_PAGES as i64,
        ),
        (
            "4096 / sizeof(struct blkif_request_segment)",
            SEGMENTS_PER_INDIRECT_PAGE as i64,
        ),
        ("BLKIF_OP_READ", Operation::READ.0.into()),
        ("BLKIF_OP_WRITE", Operation::WRITE.0.into()),
        ("BLKIF_OP_WRITE_BARRIER", Operation::WRITE_BARRIER.0.into()),
        (
            "BLKIF_OP_FLUSH_DISKCACHE",
            Operation::FLUSH_DISKCACHE.0.into(),
        ),
        ("BLKIF_OP_DISCARD", Operation::DISCARD.0.into()),
        ("BLKIF_OP_INDIRECT", Operation::INDIRECT.0.into()),
        ("BLKIF_DISCARD_SECURE", DiscardFlags::SECURE.bits().into()),
        ("BLKIF_RSP_OKAY", Status::OKAY.0.into()),
        ("BLKIF_RSP_ERROR", Status::ERROR.0.into()),
        ("BLKIF_RSP_EOPNOTSUPP", Status::NOT_SUPPORTED.0.into()),
        ("VDISK_CDROM", Info::CDROM.bits().into()),
        ("VDISK_REMOVABLE", Info::REMOVABLE.bits().into()),
        ("VDISK_READONLY", Info::READONLY.bits().into()),
        ("strcmp(XEN_IO_PROTO_ABI_X86_64, \"x86_64-abi\")", 0),
    ]);
    assert_eq!(keys::PROTOCOL_X86_64, "x86_64-abi");
    layout!(
        pairs,
        "blkif_request_segment",
        Segment {
            gref,
            first_sect,
            last_sect
        }
    );
    layout!(
        pairs,
        "blkif_request",
        Request {
            operation,
            nr_segments,
            handle,
            id,
            sector_number,
            seg
        }
    );
    layout!(
        pairs,
        "blkif_request_discard",
        DiscardRequest {
            operation,
            flag,
            handle,
            id,
            sector_number,
            nr_sectors
        }
    );
    layout!(
        pairs,
        "blkif_request_indirect",
        IndirectRequest {
            operation,
            indirect_op,
            nr_segments,
            id,
            sector_number,
            handle,
            indirect_grefs
        }
    );
    layout!(
        pairs,
        "blkif_response",
        Response {
            id,
            operation,
            status
        }
    );
    agree("blkif.h", &pairs);
}
