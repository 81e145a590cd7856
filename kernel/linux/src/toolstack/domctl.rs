//! Control of domains (`domctl.h`), in the layouts of one version.

use core::mem::offset_of;

use morgana_abi::domctl::building::{self as abi, CreateDomain, Header};
use morgana_abi::domctl::{XEN_DOMCTL_GETDOMAININFO, XEN_DOMINF_DYING, XEN_DOMINF_SHUTDOWN};
use morgana_abi::errno::EAGAIN;
use morgana_abi::hypercall_number::DOMCTL;
use morgana_abi::trap::{FLAT_KERNEL_CS64, FLAT_KERNEL_DS64, FLAT_KERNEL_SS64};
use morgana_abi::vcpu_context::{
    DR6_DEFAULT, DR7_DEFAULT, RFLAGS_IF, VGCF_IN_KERNEL, VGCF_ONLINE, VcpuGuestContext,
};
use morgana_hal::{Activity, DomId, DomainInfo, Mfn, NewDomain, Start, ToolstackError};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::xen::{CONTEXT, STRUCT, Xen};

/// Where the argument is.
const ARGUMENT: usize = STRUCT + size_of::<Header>();

/// The highest version of the grant table that a domain may have. There is nothing in version 2 that a domain of less than 16 TiB needs.
const GRANT_VERSION: u32 = 1;

/// How often Xen may say that it has not ended a domain yet.
const MOST_DESTROYS: usize = 100_000;

/// Has Xen carry out a command. Xen's answer is where the argument was.
fn control(
    xen: &Xen,
    domain: DomId,
    command: u32,
    argument: &(impl IntoBytes + Immutable),
) -> Result<(), ToolstackError> {
    let header = Header {
        cmd: command,
        interface_version: abi::INTERFACE_VERSION,
        domain: domain.number(),
        pad: [0; 3],
    };
    let region = xen.region();
    region.write(STRUCT, &[0; abi::DOMCTL_SIZE]);
    region.write(STRUCT, header.as_bytes());
    region.write(ARGUMENT, argument.as_bytes());
    // SAFETY: of the commands of this module none changes this domain, and none writes but into the struct, which is as long as Xen takes it to be.
    unsafe { xen.call(DOMCTL, [xen.address(STRUCT), 0, 0, 0, 0]) }.map(drop)
}

/// What Xen has put where the argument was.
fn answer<T: FromBytes + IntoBytes>(xen: &Xen) -> T {
    let mut answer = T::new_zeroed();
    xen.region().read(ARGUMENT, answer.as_mut_bytes());
    answer
}

pub(super) fn create(xen: &Xen, wanted: &NewDomain) -> Result<DomId, ToolstackError> {
    let domain = CreateDomain {
        handle: wanted.handle,
        max_vcpus: wanted.vcpus,
        max_evtchn_port: wanted.max_port.number(),
        max_grant_frames: -1,
        max_maptrack_frames: -1,
        grant_opts: GRANT_VERSION,
        ..CreateDomain::default()
    };
    let any = DomId::new(abi::ANY_DOMAIN);
    control(xen, any, abi::XEN_DOMCTL_CREATEDOMAIN, &domain)?;
    let mut id = [0; 2];
    xen.region()
        .read(STRUCT + offset_of!(Header, domain), &mut id);
    let id = DomId::new(u16::from_ne_bytes(id));
    limit(xen, id, wanted).inspect_err(|_| {
        // What went wrong first is what is told.
        let _ = destroy(xen, id);
    })?;
    Ok(id)
}

fn limit(xen: &Xen, domain: DomId, wanted: &NewDomain) -> Result<(), ToolstackError> {
    let vcpus = abi::MaxVcpus { max: wanted.vcpus };
    control(xen, domain, abi::XEN_DOMCTL_MAX_VCPUS, &vcpus)?;
    let memory = abi::MaxMem {
        max_memkb: wanted.max_pages.saturating_mul(4),
    };
    control(xen, domain, abi::XEN_DOMCTL_MAX_MEM, &memory)
}

pub(super) fn write_hypercall_page(
    xen: &Xen,
    domain: DomId,
    frame: Mfn,
) -> Result<(), ToolstackError> {
    let page = abi::HypercallInit {
        gmfn: frame.number(),
    };
    control(xen, domain, abi::XEN_DOMCTL_HYPERCALL_INIT, &page)
}

pub(super) fn start_at(
    xen: &Xen,
    domain: DomId,
    vcpu: u32,
    start: &Start,
) -> Result<(), ToolstackError> {
    xen.region().write(CONTEXT, context(start).as_bytes());
    let argument = abi::VcpuContext {
        vcpu,
        pad: 0,
        ctxt: xen.address(CONTEXT),
    };
    control(xen, domain, abi::XEN_DOMCTL_SETVCPUCONTEXT, &argument)
}

/// A processor at its start, as a guest may rely on ("start of day", xen.h).
fn context(start: &Start) -> VcpuGuestContext {
    let mut context = VcpuGuestContext::zeroed();
    context.flags = VGCF_IN_KERNEL | VGCF_ONLINE;
    let registers = &mut context.user_regs;
    registers.rip = start.entry;
    registers.rsp = start.stack;
    registers.rsi = start.argument;
    registers.rflags = RFLAGS_IF;
    registers.cs = FLAT_KERNEL_CS64;
    registers.ss = FLAT_KERNEL_SS64;
    for segment in [
        &mut registers.ds,
        &mut registers.es,
        &mut registers.fs,
        &mut registers.gs,
    ] {
        *segment = FLAT_KERNEL_DS64;
    }
    context.kernel_ss = FLAT_KERNEL_SS64.into();
    context.kernel_sp = start.stack;
    context.debugreg[6] = DR6_DEFAULT;
    context.debugreg[7] = DR7_DEFAULT;
    // `xen_pfn_to_cr3` (arch-x86/xen-x86_64.h).
    context.ctrlreg[3] = start.root.number() << morgana_abi::PAGE_SHIFT;
    context
}

pub(super) fn pause(xen: &Xen, domain: DomId) -> Result<(), ToolstackError> {
    control(xen, domain, abi::XEN_DOMCTL_PAUSEDOMAIN, &())
}

pub(super) fn unpause(xen: &Xen, domain: DomId) -> Result<(), ToolstackError> {
    control(xen, domain, abi::XEN_DOMCTL_UNPAUSEDOMAIN, &())
}

pub(super) fn destroy(xen: &Xen, domain: DomId) -> Result<(), ToolstackError> {
    const AGAIN: ToolstackError = ToolstackError::Refused(EAGAIN as i32);
    for _ in 0..MOST_DESTROYS {
        match control(xen, domain, abi::XEN_DOMCTL_DESTROYDOMAIN, &()) {
            Err(AGAIN) => {}
            done => return done,
        }
    }
    Err(AGAIN)
}

pub(super) fn next(xen: &Xen, from: DomId) -> Result<Option<DomainInfo>, ToolstackError> {
    match control(xen, from, XEN_DOMCTL_GETDOMAININFO, &()) {
        Ok(()) => {}
        Err(ToolstackError::NoSuchDomain) => return Ok(None),
        Err(error) => return Err(error),
    }
    Ok(Some(info(&answer(xen))))
}

/// What Xen tells of a domain.
pub(super) fn info(told: &abi::DomainInfo) -> DomainInfo {
    DomainInfo {
        domain: DomId::new(told.domain),
        handle: told.handle,
        activity: activity(told.flags),
        pages: told.tot_pages,
        max_pages: told.max_pages,
        shared_info: Mfn::new(told.shared_info_frame),
        cpu_time_ns: told.cpu_time,
        vcpus: told.nr_online_vcpus,
    }
}

fn activity(flags: u32) -> Activity {
    let is = |flag| flags & flag != 0;
    let reason = flags >> abi::XEN_DOMINF_SHUTDOWNSHIFT & abi::XEN_DOMINF_SHUTDOWNMASK;
    match () {
        () if is(XEN_DOMINF_DYING) => Activity::Dying,
        // The mask lets eight bits through.
        () if is(XEN_DOMINF_SHUTDOWN) => Activity::ShutDown(reason as u8),
        () if is(abi::XEN_DOMINF_PAUSED) => Activity::Paused,
        () if is(abi::XEN_DOMINF_RUNNING) => Activity::Running,
        () if is(abi::XEN_DOMINF_BLOCKED) => Activity::Blocked,
        () => Activity::Runnable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_domain_does_is_in_its_flags() {
        assert_eq!(activity(0), Activity::Runnable);
        assert_eq!(activity(1 << 5), Activity::Running);
        assert_eq!(activity(1 << 4 | 1 << 3), Activity::Paused);
        assert_eq!(activity(1 << 2 | 3 << 16 | 1 << 3), Activity::ShutDown(3));
        assert_eq!(activity(1 << 2 | 1), Activity::Dying);
    }

    #[test]
    fn a_processor_starts_where_it_is_told() {
        let start = Start {
            entry: 0x40_1000,
            stack: 0x48_0000,
            argument: 0x47_0000,
            root: Mfn::new(0x12345),
        };
        let context = context(&start);
        assert_eq!(context.user_regs.rip, start.entry);
        assert_eq!(context.user_regs.rsi, start.argument);
        assert_eq!(context.kernel_sp, start.stack);
        assert_eq!(context.ctrlreg[3], 0x1234_5000);
    }
}
