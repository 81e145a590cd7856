//! The layouts and numbers here are those of Xen's own header, as the C compiler sees it. Needs `cc` and libxen-dev.

use std::collections::BTreeMap;
use std::mem::offset_of;
use std::path::PathBuf;
use std::process::Command;

use morgana_blkif::*;

/// Compiles and runs a program that prints `name=value` for each C expression.
fn evaluate(name: &str, expressions: &[&str]) -> BTreeMap<String, i64> {
    let lines: String = expressions
        .iter()
        .map(|e| {
            let name = e.replace('"', "\\\"");
            format!("    printf(\"%s=%lld\\n\", \"{name}\", (long long)({e}));\n")
        })
        .collect();
    let source = format!(
        "#include <stdint.h>\n#include <stddef.h>\n#include <string.h>\n#include <stdio.h>\n\
         #include <xen/xen.h>\n#include <xen/grant_table.h>\n#include <xen/io/blkif.h>\n#include <xen/io/protocols.h>\n\
         int main(void) {{\n{lines}    return 0;\n}}\n"
    );
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let program = directory.join(name);
    let c = program.with_extension("c");
    std::fs::write(&c, source).unwrap();
    let compiler = Command::new("cc").arg(&c).arg("-o").arg(&program).output();
    let compiler = compiler.expect("a C compiler called cc is needed");
    assert!(
        compiler.status.success(),
        "libxen-dev is needed: {}",
        String::from_utf8_lossy(&compiler.stderr)
    );
    let output = Command::new(&program).output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let (name, value) = line.rsplit_once('=').unwrap();
            (name.to_string(), value.parse().unwrap())
        })
        .collect()
}

/// Compares each C expression with our value of it.
fn agree(pairs: &[(&str, i64)]) {
    let expressions: Vec<_> = pairs.iter().map(|(expression, _)| *expression).collect();
    let theirs = evaluate("layouts", &expressions);
    for (expression, ours) in pairs {
        assert_eq!(theirs[*expression], *ours, "{expression}");
    }
}

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
    macro_rules! layout {
        ($c:literal, $rust:ty { $($field:ident),* }) => {
            pairs.push((concat!("sizeof(struct ", $c, ")"), size_of::<$rust>() as i64));
            $(pairs.push((
                concat!("offsetof(struct ", $c, ", ", stringify!($field), ")"),
                offset_of!($rust, $field) as i64,
            ));)*
        };
    }
    layout!(
        "blkif_request_segment",
        Segment {
            gref,
            first_sect,
            last_sect
        }
    );
    layout!(
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
        "blkif_response",
        Response {
            id,
            operation,
            status
        }
    );
    agree(&pairs);
}
