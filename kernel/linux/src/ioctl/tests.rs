//! Requests and layouts against Linux's own headers (Debian: linux-libc-dev), by the system's C compiler. Where either is missing the test
//! fails: a proof that was not made is not a proof.

use core::mem::offset_of;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{evtchn, gntalloc, gntdev, loops, unmap_notify};

/// What Rust says, by the C expression that must have the same value.
fn claims() -> Vec<(&'static str, usize)> {
    use gntalloc::{AllocGref, DeallocGref};
    use gntdev::{GrantCopy, MapGrantRef, Ref, Segment, UnmapGrantRef};
    use unmap_notify::{CLEAR_BYTE, SEND_EVENT, SET_UNMAP_NOTIFY, UnmapNotify};
    vec![
        ("LOOP_CONFIGURE", loops::CONFIGURE as usize),
        ("LOOP_CTL_GET_FREE", loops::GET_FREE as usize),
        ("sizeof(struct loop_config)", 304),
        (
            "offsetof(struct loop_config, info.lo_flags)",
            loops::FLAGS_AT,
        ),
        (
            "offsetof(struct loop_config, info.lo_file_name)",
            loops::NAME_AT,
        ),
        ("IOCTL_EVTCHN_BIND_VIRQ", evtchn::BIND_VIRQ as usize),
        (
            "IOCTL_EVTCHN_BIND_INTERDOMAIN",
            evtchn::BIND_INTERDOMAIN as usize,
        ),
        (
            "IOCTL_EVTCHN_BIND_UNBOUND_PORT",
            evtchn::BIND_UNBOUND_PORT as usize,
        ),
        ("IOCTL_EVTCHN_UNBIND", evtchn::UNBIND as usize),
        ("IOCTL_EVTCHN_NOTIFY", evtchn::NOTIFY as usize),
        ("IOCTL_EVTCHN_RESET", evtchn::RESET as usize),
        ("IOCTL_GNTALLOC_ALLOC_GREF", gntalloc::ALLOC_GREF as usize),
        (
            "IOCTL_GNTALLOC_DEALLOC_GREF",
            gntalloc::DEALLOC_GREF as usize,
        ),
        (
            "GNTALLOC_FLAG_WRITABLE",
            gntalloc::Access::ReadWrite.flags().into(),
        ),
        ("IOCTL_GNTDEV_MAP_GRANT_REF", gntdev::MAP_GRANT_REF as usize),
        (
            "IOCTL_GNTDEV_UNMAP_GRANT_REF",
            gntdev::UNMAP_GRANT_REF as usize,
        ),
        ("IOCTL_GNTDEV_GRANT_COPY", gntdev::GRANT_COPY as usize),
        ("IOCTL_GNTALLOC_SET_UNMAP_NOTIFY", SET_UNMAP_NOTIFY as usize),
        ("IOCTL_GNTDEV_SET_UNMAP_NOTIFY", SET_UNMAP_NOTIFY as usize),
        ("UNMAP_NOTIFY_CLEAR_BYTE", CLEAR_BYTE as usize),
        ("UNMAP_NOTIFY_SEND_EVENT", SEND_EVENT as usize),
        (
            "offsetof(struct ioctl_gntalloc_unmap_notify, action)",
            offset_of!(UnmapNotify, action),
        ),
        (
            "offsetof(struct ioctl_gntdev_unmap_notify, action)",
            offset_of!(UnmapNotify, action),
        ),
        (
            "offsetof(struct ioctl_gntalloc_unmap_notify, event_channel_port)",
            offset_of!(UnmapNotify, event_channel_port),
        ),
        (
            "offsetof(struct ioctl_gntdev_unmap_notify, event_channel_port)",
            offset_of!(UnmapNotify, event_channel_port),
        ),
        (
            "offsetof(struct ioctl_evtchn_bind_interdomain, remote_port)",
            offset_of!(evtchn::BindInterdomain, remote_port),
        ),
        (
            "offsetof(struct ioctl_gntalloc_alloc_gref, domid)",
            offset_of!(AllocGref, domid),
        ),
        (
            "offsetof(struct ioctl_gntalloc_alloc_gref, flags)",
            offset_of!(AllocGref, flags),
        ),
        (
            "offsetof(struct ioctl_gntalloc_alloc_gref, count)",
            offset_of!(AllocGref, count),
        ),
        (
            "offsetof(struct ioctl_gntalloc_alloc_gref, index)",
            offset_of!(AllocGref, index),
        ),
        (
            "offsetof(struct ioctl_gntalloc_alloc_gref, gref_ids)",
            offset_of!(AllocGref, gref_ids),
        ),
        (
            "offsetof(struct ioctl_gntalloc_dealloc_gref, count)",
            offset_of!(DeallocGref, count),
        ),
        (
            "offsetof(struct ioctl_gntdev_map_grant_ref, count)",
            offset_of!(MapGrantRef, count),
        ),
        (
            "offsetof(struct ioctl_gntdev_map_grant_ref, index)",
            offset_of!(MapGrantRef, index),
        ),
        (
            "offsetof(struct ioctl_gntdev_map_grant_ref, refs)",
            offset_of!(MapGrantRef, refs),
        ),
        ("sizeof(struct ioctl_gntdev_grant_ref)", size_of::<Ref>()),
        (
            "offsetof(struct ioctl_gntdev_grant_ref, ref)",
            offset_of!(Ref, reference),
        ),
        (
            "offsetof(struct ioctl_gntdev_unmap_grant_ref, count)",
            offset_of!(UnmapGrantRef, count),
        ),
        (
            "sizeof(struct gntdev_grant_copy_segment)",
            size_of::<Segment>(),
        ),
        (
            "offsetof(struct gntdev_grant_copy_segment, source)",
            offset_of!(Segment, source),
        ),
        (
            "offsetof(struct gntdev_grant_copy_segment, dest)",
            offset_of!(Segment, dest),
        ),
        (
            "offsetof(struct gntdev_grant_copy_segment, len)",
            offset_of!(Segment, len),
        ),
        (
            "offsetof(struct gntdev_grant_copy_segment, flags)",
            offset_of!(Segment, flags),
        ),
        (
            "offsetof(struct gntdev_grant_copy_segment, status)",
            offset_of!(Segment, status),
        ),
        // Where `Foreign::packed` has them.
        (
            "offsetof(struct gntdev_grant_copy_segment, source.foreign.ref)",
            0,
        ),
        (
            "offsetof(struct gntdev_grant_copy_segment, source.foreign.offset)",
            4,
        ),
        (
            "offsetof(struct gntdev_grant_copy_segment, source.foreign.domid)",
            6,
        ),
        (
            "offsetof(struct ioctl_gntdev_grant_copy, segments)",
            offset_of!(GrantCopy, segments),
        ),
    ]
}

#[test]
fn all_is_as_the_headers_have_it() {
    // The headers leave two types to whoever includes them.
    let mut program = String::from(
        "#include <stddef.h>\n#include <stdint.h>\n#include <sys/ioctl.h>\n\
         typedef uint16_t domid_t;\ntypedef uint32_t grant_ref_t;\n\
         #include <linux/loop.h>\n#include <xen/evtchn.h>\n#include <xen/gntalloc.h>\n#include <xen/gntdev.h>\n",
    );
    for (index, (expression, value)) in claims().into_iter().enumerate() {
        writeln!(
            program,
            "char claim_{index}[({expression}) == {value}u ? 1 : -1]; /* {expression} */"
        )
        .expect("a String takes all");
    }
    let mut compiler = Command::new("cc")
        .args(["-x", "c", "-fsyntax-only", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a C compiler is there");
    let mut input = compiler.stdin.take().expect("its input is a pipe");
    input
        .write_all(program.as_bytes())
        .expect("the compiler reads");
    drop(input);
    let output = compiler.wait_with_output().expect("the compiler ends");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
