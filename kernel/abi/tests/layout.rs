//! Every type, field and constant of this crate against Xen's own headers (Debian: libxen-dev).
//!
//! The test writes a C program that prints the headers' view as `name value` lines, compiles it with the system's C compiler and
//! compares. Where compiler or headers are missing it fails and says so: a proof that was not made is not a proof.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::mem::offset_of;
use std::path::PathBuf;
use std::process::Command;

use morgana_abi as abi;

/// What Rust says, by the C expression that must have the same value.
#[derive(Default)]
struct Claims(BTreeMap<String, i128>);

impl Claims {
    fn add(&mut self, expression: impl Into<String>, value: impl TryInto<i128>) {
        let value = value.try_into().ok().expect("the value fits");
        let expression = expression.into();
        assert!(
            self.0.insert(expression.clone(), value).is_none(),
            "{expression} is claimed twice"
        );
    }
}

/// `constants!(claims: C_NAME = rust::path, …)`.
macro_rules! constants {
    ($claims:ident: $($name:ident = $value:expr),* $(,)?) => {
        $($claims.add(stringify!($name), $value as i128);)*
    };
}

/// `layout!(claims: RustType = "C type" { rust_field = "c.field", … })`: size, alignment, and every field's offset and size.
macro_rules! layout {
    ($claims:ident: $type:ty = $c:literal { $($field:ident = $c_field:literal),* $(,)? }) => {
        $claims.add(format!("sizeof({})", $c), size_of::<$type>() as i128);
        $claims.add(format!("_Alignof({})", $c), align_of::<$type>() as i128);
        $(
            $claims.add(
                format!("offsetof({}, {})", $c, $c_field),
                offset_of!($type, $field) as i128,
            );
            $claims.add(
                format!("sizeof((({} *)0)->{})", $c, $c_field),
                field_size(|value: *const $type| {
                    // SAFETY: the pointer is to a value that lives across the call; no reference is made.
                    unsafe { &raw const (*value).$field }
                }) as i128,
            );
        )*
    };
}

fn field_size<T, F>(_: impl Fn(*const T) -> *const F) -> usize {
    size_of::<F>()
}

#[test]
fn matches_the_headers() {
    let mut claims = Claims::default();
    start(&mut claims);
    events(&mut claims);
    grants(&mut claims);
    memory(&mut claims);
    processor(&mut claims);
    rings(&mut claims);
    numbers(&mut claims);
    domains(&mut claims);
    system(&mut claims);
    building(&mut claims);
    contexts(&mut claims);

    let told = headers_say(&claims);
    let wrong: Vec<String> = claims
        .0
        .iter()
        .filter(|(expression, value)| told.get(*expression) != Some(value))
        .map(|(expression, value)| {
            format!("{expression}: {value}, headers: {:?}", told.get(expression))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(told.len(), claims.0.len());
}

fn start(claims: &mut Claims) {
    use abi::start_info::*;
    layout!(claims: StartInfo = "struct start_info" {
        magic = "magic", nr_pages = "nr_pages", shared_info = "shared_info", flags = "flags", store_mfn = "store_mfn",
        store_evtchn = "store_evtchn", console = "console", pt_base = "pt_base", nr_pt_frames = "nr_pt_frames",
        mfn_list = "mfn_list", mod_start = "mod_start", mod_len = "mod_len", cmd_line = "cmd_line",
        first_p2m_pfn = "first_p2m_pfn", nr_p2m_frames = "nr_p2m_frames",
    });
    claims.add(
        "offsetof(struct start_info, console.domU.evtchn) - offsetof(struct start_info, console)",
        offset_of!(ConsoleDomU, evtchn) as i128,
    );
    claims.add(
        "sizeof(((struct start_info *)0)->console.domU)",
        size_of::<ConsoleDomU>() as i128,
    );
    constants!(claims: SIF_PRIVILEGED = SIF_PRIVILEGED, SIF_INITDOMAIN = SIF_INITDOMAIN,
        SIF_MULTIBOOT_MOD = SIF_MULTIBOOT_MOD, SIF_MOD_START_PFN = SIF_MOD_START_PFN,
        MAX_GUEST_CMDLINE = MAX_GUEST_CMDLINE);

    use abi::elfnote;
    constants!(claims: XEN_ELFNOTE_ENTRY = elfnote::ENTRY, XEN_ELFNOTE_HYPERCALL_PAGE = elfnote::HYPERCALL_PAGE,
        XEN_ELFNOTE_VIRT_BASE = elfnote::VIRT_BASE, XEN_ELFNOTE_PADDR_OFFSET = elfnote::PADDR_OFFSET,
        XEN_ELFNOTE_XEN_VERSION = elfnote::XEN_VERSION, XEN_ELFNOTE_GUEST_OS = elfnote::GUEST_OS,
        XEN_ELFNOTE_GUEST_VERSION = elfnote::GUEST_VERSION, XEN_ELFNOTE_LOADER = elfnote::LOADER,
        XEN_ELFNOTE_PAE_MODE = elfnote::PAE_MODE, XEN_ELFNOTE_FEATURES = elfnote::FEATURES,
        XEN_ELFNOTE_HV_START_LOW = elfnote::HV_START_LOW, XEN_ELFNOTE_L1_MFN_VALID = elfnote::L1_MFN_VALID,
        XEN_ELFNOTE_INIT_P2M = elfnote::INIT_P2M, XEN_ELFNOTE_MOD_START_PFN = elfnote::MOD_START_PFN,
        XEN_ELFNOTE_SUPPORTED_FEATURES = elfnote::SUPPORTED_FEATURES);
}

fn events(claims: &mut Claims) {
    use abi::event_channel::*;
    layout!(claims: AllocUnbound = "struct evtchn_alloc_unbound" { dom = "dom", remote_dom = "remote_dom", port = "port" });
    layout!(claims: BindInterdomain = "struct evtchn_bind_interdomain" {
        remote_dom = "remote_dom", remote_port = "remote_port", local_port = "local_port" });
    layout!(claims: BindVirq = "struct evtchn_bind_virq" { virq = "virq", vcpu = "vcpu", port = "port" });
    layout!(claims: BindIpi = "struct evtchn_bind_ipi" { vcpu = "vcpu", port = "port" });
    layout!(claims: Close = "struct evtchn_close" { port = "port" });
    layout!(claims: abi::event_channel::Send = "struct evtchn_send" { port = "port" });
    layout!(claims: Unmask = "struct evtchn_unmask" { port = "port" });
    layout!(claims: Status = "struct evtchn_status" { dom = "dom", port = "port", status = "status", vcpu = "vcpu", u = "u" });
    layout!(claims: StatusDetail = "__typeof__(((struct evtchn_status *)0)->u)" { virq = "virq", pirq = "pirq" });
    claims.add(
        "sizeof(((struct evtchn_status *)0)->u.unbound)",
        // SAFETY: plain numbers; any bytes are valid.
        size_of_val(&unsafe { std::mem::zeroed::<StatusDetail>().unbound }) as i128,
    );
    constants!(claims: EVTCHNOP_bind_interdomain = EVTCHNOP_BIND_INTERDOMAIN, EVTCHNOP_bind_virq = EVTCHNOP_BIND_VIRQ,
        EVTCHNOP_close = EVTCHNOP_CLOSE, EVTCHNOP_send = EVTCHNOP_SEND, EVTCHNOP_status = EVTCHNOP_STATUS,
        EVTCHNOP_alloc_unbound = EVTCHNOP_ALLOC_UNBOUND, EVTCHNOP_bind_ipi = EVTCHNOP_BIND_IPI,
        EVTCHNOP_unmask = EVTCHNOP_UNMASK, EVTCHNSTAT_closed = EVTCHNSTAT_CLOSED,
        EVTCHNSTAT_unbound = EVTCHNSTAT_UNBOUND, EVTCHNSTAT_interdomain = EVTCHNSTAT_INTERDOMAIN,
        EVTCHN_2L_NR_CHANNELS = NR_CHANNELS_2L, VIRQ_TIMER = VIRQ_TIMER, VIRQ_CONSOLE = VIRQ_CONSOLE,
        VIRQ_DOM_EXC = VIRQ_DOM_EXC);
}

fn grants(claims: &mut Claims) {
    use abi::grant_table::*;
    layout!(claims: EntryV1 = "struct grant_entry_v1" { flags = "flags", domid = "domid", frame = "frame" });
    layout!(claims: MapGrantRef = "struct gnttab_map_grant_ref" {
        host_addr = "host_addr", flags = "flags", reference = "ref", dom = "dom", status = "status", handle = "handle",
        dev_bus_addr = "dev_bus_addr" });
    layout!(claims: UnmapGrantRef = "struct gnttab_unmap_grant_ref" {
        host_addr = "host_addr", dev_bus_addr = "dev_bus_addr", handle = "handle", status = "status" });
    layout!(claims: SetupTable = "struct gnttab_setup_table" {
        dom = "dom", nr_frames = "nr_frames", status = "status", frame_list = "frame_list" });
    layout!(claims: QuerySize = "struct gnttab_query_size" {
        dom = "dom", nr_frames = "nr_frames", max_nr_frames = "max_nr_frames", status = "status" });
    layout!(claims: SetVersion = "struct gnttab_set_version" { version = "version" });
    layout!(claims: CopyPtr = "struct gnttab_copy_ptr" { frame = "u", domid = "domid", offset = "offset" });
    layout!(claims: abi::grant_table::Copy = "struct gnttab_copy" {
        source = "source", dest = "dest", len = "len", flags = "flags", status = "status" });
    constants!(claims: GNTTAB_NR_RESERVED_ENTRIES = NR_RESERVED_ENTRIES, GNTTAB_RESERVED_CONSOLE = RESERVED_CONSOLE,
        GNTTAB_RESERVED_XENSTORE = RESERVED_XENSTORE, GTF_permit_access = GTF_PERMIT_ACCESS, GTF_type_mask = GTF_TYPE_MASK,
        GTF_readonly = GTF_READONLY, GTF_reading = GTF_READING, GTF_writing = GTF_WRITING,
        GNTTABOP_map_grant_ref = GNTTABOP_MAP_GRANT_REF, GNTTABOP_unmap_grant_ref = GNTTABOP_UNMAP_GRANT_REF,
        GNTTABOP_setup_table = GNTTABOP_SETUP_TABLE, GNTTABOP_copy = GNTTABOP_COPY,
        GNTTABOP_query_size = GNTTABOP_QUERY_SIZE, GNTTABOP_set_version = GNTTABOP_SET_VERSION,
        GNTMAP_host_map = GNTMAP_HOST_MAP, GNTMAP_readonly = GNTMAP_READONLY, GNTMAP_contains_pte = GNTMAP_CONTAINS_PTE,
        GNTCOPY_source_gref = GNTCOPY_SOURCE_GREF, GNTCOPY_dest_gref = GNTCOPY_DEST_GREF, GNTST_okay = GNTST_OKAY,
        GNTST_general_error = GNTST_GENERAL_ERROR, GNTST_bad_domain = GNTST_BAD_DOMAIN, GNTST_bad_gntref = GNTST_BAD_GNTREF,
        GNTST_bad_handle = GNTST_BAD_HANDLE, GNTST_bad_virt_addr = GNTST_BAD_VIRT_ADDR,
        GNTST_permission_denied = GNTST_PERMISSION_DENIED, GNTST_bad_page = GNTST_BAD_PAGE,
        GNTST_bad_copy_arg = GNTST_BAD_COPY_ARG, GNTST_address_too_big = GNTST_ADDRESS_TOO_BIG,
        GNTST_eagain = GNTST_EAGAIN, GNTST_no_space = GNTST_NO_SPACE);
    claims.add(
        "4096 / sizeof(struct grant_entry_v1)",
        ENTRIES_V1_PER_FRAME as i128,
    );
}

fn memory(claims: &mut Claims) {
    use abi::memory::*;
    use abi::mmu::*;
    layout!(claims: Reservation = "struct xen_memory_reservation" {
        extent_start = "extent_start", nr_extents = "nr_extents", extent_order = "extent_order", mem_flags = "mem_flags",
        domid = "domid" });
    layout!(claims: Domain = "struct xen_memory_domain" { domid = "domid" });
    layout!(claims: MachphysMapping = "struct xen_machphys_mapping" {
        v_start = "v_start", v_end = "v_end", max_mfn = "max_mfn" });
    layout!(claims: MmuUpdate = "struct mmu_update" { ptr = "ptr", val = "val" });
    layout!(claims: MmuextOp = "struct mmuext_op" { cmd = "cmd", arg1 = "arg1", arg2 = "arg2" });
    layout!(claims: MulticallEntry = "struct multicall_entry" { op = "op", result = "result", args = "args" });
    constants!(claims: XENMEM_increase_reservation = XENMEM_INCREASE_RESERVATION,
        XENMEM_decrease_reservation = XENMEM_DECREASE_RESERVATION, XENMEM_maximum_ram_page = XENMEM_MAXIMUM_RAM_PAGE,
        XENMEM_current_reservation = XENMEM_CURRENT_RESERVATION, XENMEM_maximum_reservation = XENMEM_MAXIMUM_RESERVATION,
        XENMEM_populate_physmap = XENMEM_POPULATE_PHYSMAP, XENMEM_machphys_mapping = XENMEM_MACHPHYS_MAPPING,
        MACH2PHYS_VIRT_START = MACH2PHYS_VIRT_START, MMU_NORMAL_PT_UPDATE = MMU_NORMAL_PT_UPDATE,
        MMUEXT_PIN_L1_TABLE = MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L4_TABLE = MMUEXT_PIN_L4_TABLE, MMUEXT_UNPIN_TABLE = MMUEXT_UNPIN_TABLE,
        MMUEXT_NEW_BASEPTR = MMUEXT_NEW_BASEPTR, MMUEXT_TLB_FLUSH_LOCAL = MMUEXT_TLB_FLUSH_LOCAL,
        MMUEXT_INVLPG_LOCAL = MMUEXT_INVLPG_LOCAL, UVMF_NONE = UVMF_NONE, UVMF_INVLPG = UVMF_INVLPG);
}

fn processor(claims: &mut Claims) {
    use abi::callback::*;
    use abi::sched::*;
    use abi::shared_info::*;
    use abi::trap::*;
    use abi::vcpu::*;
    use abi::version::*;
    layout!(claims: SharedInfo = "struct shared_info" {
        vcpu_info = "vcpu_info", evtchn_pending = "evtchn_pending", evtchn_mask = "evtchn_mask", wc_version = "wc_version",
        wc_sec = "wc_sec", wc_nsec = "wc_nsec", wc_sec_hi = "wc_sec_hi", arch = "arch" });
    layout!(claims: VcpuInfo = "struct vcpu_info" {
        evtchn_upcall_pending = "evtchn_upcall_pending", evtchn_upcall_mask = "evtchn_upcall_mask",
        evtchn_pending_sel = "evtchn_pending_sel", arch = "arch", time = "time" });
    layout!(claims: VcpuTimeInfo = "struct vcpu_time_info" {
        version = "version", tsc_timestamp = "tsc_timestamp", system_time = "system_time",
        tsc_to_system_mul = "tsc_to_system_mul", tsc_shift = "tsc_shift" });
    layout!(claims: ArchVcpuInfo = "struct arch_vcpu_info" { cr2 = "cr2" });
    layout!(claims: ArchSharedInfo = "struct arch_shared_info" {
        max_pfn = "max_pfn", pfn_to_mfn_frame_list_list = "pfn_to_mfn_frame_list_list", nmi_reason = "nmi_reason",
        p2m_cr3 = "p2m_cr3", p2m_vaddr = "p2m_vaddr", p2m_generation = "p2m_generation" });
    layout!(claims: TrapInfo = "struct trap_info" { vector = "vector", flags = "flags", cs = "cs", address = "address" });
    layout!(claims: Register = "struct callback_register" { kind = "type", flags = "flags", address = "address" });
    layout!(claims: Shutdown = "struct sched_shutdown" { reason = "reason" });
    layout!(claims: RemoteShutdown = "struct sched_remote_shutdown" { domain_id = "domain_id", reason = "reason" });
    layout!(claims: Poll = "struct sched_poll" { ports = "ports", nr_ports = "nr_ports", timeout = "timeout" });
    layout!(claims: RunstateInfo = "struct vcpu_runstate_info" {
        state = "state", state_entry_time = "state_entry_time", time = "time" });
    layout!(claims: SetSingleshotTimer = "struct vcpu_set_singleshot_timer" {
        timeout_abs_ns = "timeout_abs_ns", flags = "flags" });
    layout!(claims: FeatureInfo = "struct xen_feature_info" { submap_idx = "submap_idx", submap = "submap" });
    claims.add("(1 << 2)", TRAP_MASK_EVENTS as i128);
    constants!(claims: CALLBACKOP_register = CALLBACKOP_REGISTER, CALLBACKTYPE_event = CALLBACKTYPE_EVENT,
        CALLBACKTYPE_failsafe = CALLBACKTYPE_FAILSAFE, CALLBACKF_mask_events = CALLBACKF_MASK_EVENTS,
        SCHEDOP_yield = SCHEDOP_YIELD, SCHEDOP_block = SCHEDOP_BLOCK, SCHEDOP_shutdown = SCHEDOP_SHUTDOWN,
        SCHEDOP_poll = SCHEDOP_POLL, SHUTDOWN_poweroff = SHUTDOWN_POWEROFF, SHUTDOWN_reboot = SHUTDOWN_REBOOT,
        SHUTDOWN_suspend = SHUTDOWN_SUSPEND, SHUTDOWN_crash = SHUTDOWN_CRASH, FLAT_KERNEL_CS64 = FLAT_KERNEL_CS64,
        FLAT_KERNEL_SS64 = FLAT_KERNEL_SS64, FLAT_KERNEL_DS64 = FLAT_KERNEL_DS64, VCPUOP_get_runstate_info = VCPUOP_GET_RUNSTATE_INFO,
        VCPUOP_stop_periodic_timer = VCPUOP_STOP_PERIODIC_TIMER, VCPUOP_set_singleshot_timer = VCPUOP_SET_SINGLESHOT_TIMER,
        VCPUOP_stop_singleshot_timer = VCPUOP_STOP_SINGLESHOT_TIMER, XENVER_version = XENVER_VERSION,
        XENVER_get_features = XENVER_GET_FEATURES, XENFEAT_writable_page_tables = XENFEAT_WRITABLE_PAGE_TABLES,
        XENFEAT_auto_translated_physmap = XENFEAT_AUTO_TRANSLATED_PHYSMAP,
        XENFEAT_mmu_pt_update_preserve_ad = XENFEAT_MMU_PT_UPDATE_PRESERVE_AD, XENFEAT_dom0 = XENFEAT_DOM0);
}

fn rings(claims: &mut Claims) {
    use abi::{console, xenstore};
    layout!(claims: console::Interface = "struct xencons_interface" {
        input = "in", output = "out", in_cons = "in_cons", in_prod = "in_prod", out_cons = "out_cons", out_prod = "out_prod" });
    layout!(claims: xenstore::Interface = "struct xenstore_domain_interface" {
        req = "req", rsp = "rsp", req_cons = "req_cons", req_prod = "req_prod", rsp_cons = "rsp_cons", rsp_prod = "rsp_prod",
        server_features = "server_features", connection = "connection", error = "error" });
    constants!(claims: CONSOLEIO_write = console::CONSOLEIO_WRITE, CONSOLEIO_read = console::CONSOLEIO_READ,
        XENSTORE_RING_SIZE = xenstore::RING_SIZE, XENSTORE_SERVER_FEATURE_RECONNECTION = xenstore::SERVER_FEATURE_RECONNECTION,
        XENSTORE_CONNECTED = xenstore::CONNECTED, XENSTORE_RECONNECT = xenstore::RECONNECT);
}

fn numbers(claims: &mut Claims) {
    use abi::errno::*;
    use abi::hypercall_number as number;
    constants!(claims: XEN_EPERM = EPERM, XEN_ENOENT = ENOENT, XEN_ESRCH = ESRCH, XEN_EAGAIN = EAGAIN, XEN_ENOMEM = ENOMEM,
        XEN_EACCES = EACCES, XEN_EFAULT = EFAULT, XEN_EBUSY = EBUSY, XEN_EEXIST = EEXIST, XEN_EINVAL = EINVAL,
        XEN_ENOSPC = ENOSPC, XEN_ENOSYS = ENOSYS);
    constants!(claims: __HYPERVISOR_set_trap_table = number::SET_TRAP_TABLE, __HYPERVISOR_mmu_update = number::MMU_UPDATE,
        __HYPERVISOR_stack_switch = number::STACK_SWITCH, __HYPERVISOR_memory_op = number::MEMORY_OP,
        __HYPERVISOR_multicall = number::MULTICALL, __HYPERVISOR_update_va_mapping = number::UPDATE_VA_MAPPING,
        __HYPERVISOR_set_timer_op = number::SET_TIMER_OP, __HYPERVISOR_xen_version = number::XEN_VERSION,
        __HYPERVISOR_console_io = number::CONSOLE_IO, __HYPERVISOR_grant_table_op = number::GRANT_TABLE_OP,
        __HYPERVISOR_vm_assist = number::VM_ASSIST, __HYPERVISOR_vcpu_op = number::VCPU_OP,
        __HYPERVISOR_mmuext_op = number::MMUEXT_OP, __HYPERVISOR_sched_op = number::SCHED_OP,
        __HYPERVISOR_callback_op = number::CALLBACK_OP, __HYPERVISOR_event_channel_op = number::EVENT_CHANNEL_OP,
        __HYPERVISOR_sysctl = number::SYSCTL, __HYPERVISOR_domctl = number::DOMCTL);
    constants!(claims: DOMID_SELF = abi::DOMID_SELF, DOMID_IO = abi::DOMID_IO, DOMID_XEN = abi::DOMID_XEN,
        DOMID_FIRST_RESERVED = abi::DOMID_FIRST_RESERVED, DOMID_INVALID = abi::DOMID_INVALID);
    claims.add("sizeof(domid_t)", size_of::<abi::DomIdT>() as i128);
    claims.add("sizeof(evtchn_port_t)", size_of::<abi::PortT>() as i128);
    claims.add("sizeof(xen_pfn_t)", size_of::<abi::FrameT>() as i128);
}

fn domains(claims: &mut Claims) {
    use abi::domctl::*;
    constants!(claims: XEN_DOMCTL_getdomaininfo = XEN_DOMCTL_GETDOMAININFO,
        XEN_DOMINF_dying = XEN_DOMINF_DYING, XEN_DOMINF_shutdown = XEN_DOMINF_SHUTDOWN);
    let info = offset_of!(Domctl, info);
    for (field, offset) in [
        ("cmd", offset_of!(Domctl, cmd)),
        ("interface_version", offset_of!(Domctl, interface_version)),
        ("domain", offset_of!(Domctl, domain)),
        (
            "u.getdomaininfo.domain",
            info + offset_of!(DomainInfo, domain),
        ),
        (
            "u.getdomaininfo.flags",
            info + offset_of!(DomainInfo, flags),
        ),
    ] {
        claims.add(
            format!("offsetof(struct xen_domctl, {field})"),
            offset as i128,
        );
    }
    claims.add(
        format!("sizeof(struct xen_domctl) <= {}", size_of::<Domctl>()),
        1,
    );
    let (first, last) = (INTERFACE_VERSIONS.start(), INTERFACE_VERSIONS.end());
    claims.add(
        format!(
            "{first} <= XEN_DOMCTL_INTERFACE_VERSION && XEN_DOMCTL_INTERFACE_VERSION <= {last}"
        ),
        1,
    );
}

/// The struct whose argument each is begins where its header ends; the layouts are those of one version only.
fn building(claims: &mut Claims) {
    use abi::domctl::building::*;
    layout!(claims: CreateDomain = "struct xen_domctl_createdomain" {
        ssidref = "ssidref", handle = "handle", flags = "flags", iommu_opts = "iommu_opts", max_vcpus = "max_vcpus",
        max_evtchn_port = "max_evtchn_port", max_grant_frames = "max_grant_frames", max_maptrack_frames = "max_maptrack_frames",
        grant_opts = "grant_opts", vmtrace_size = "vmtrace_size", cpupool_id = "cpupool_id",
        emulation_flags = "arch.emulation_flags", misc_flags = "arch.misc_flags" });
    layout!(claims: DomainInfo = "struct xen_domctl_getdomaininfo" {
        domain = "domain", pad1 = "pad1", flags = "flags", tot_pages = "tot_pages", max_pages = "max_pages",
        outstanding_pages = "outstanding_pages", shr_pages = "shr_pages", paged_pages = "paged_pages",
        shared_info_frame = "shared_info_frame", cpu_time = "cpu_time", nr_online_vcpus = "nr_online_vcpus",
        max_vcpu_id = "max_vcpu_id", ssidref = "ssidref", handle = "handle", cpupool = "cpupool",
        gpaddr_bits = "gpaddr_bits", emulation_flags = "arch_config.emulation_flags", misc_flags = "arch_config.misc_flags" });
    layout!(claims: MaxMem = "struct xen_domctl_max_mem" { max_memkb = "max_memkb" });
    layout!(claims: MaxVcpus = "struct xen_domctl_max_vcpus" { max = "max" });
    layout!(claims: VcpuContext = "struct xen_domctl_vcpucontext" { vcpu = "vcpu", ctxt = "ctxt" });
    layout!(claims: HypercallInit = "struct xen_domctl_hypercall_init" { gmfn = "gmfn" });
    claims.add(
        "(long)offsetof(struct xen_domctl, cmd)",
        offset_of!(Header, cmd),
    );
    claims.add(
        "(long)offsetof(struct xen_domctl, interface_version)",
        offset_of!(Header, interface_version),
    );
    claims.add(
        "(long)offsetof(struct xen_domctl, domain)",
        offset_of!(Header, domain),
    );
    claims.add("offsetof(struct xen_domctl, u)", size_of::<Header>());
    claims.add("sizeof(struct xen_domctl)", DOMCTL_SIZE);
    constants!(claims: XEN_DOMCTL_INTERFACE_VERSION = INTERFACE_VERSION, XEN_DOMCTL_createdomain = XEN_DOMCTL_CREATEDOMAIN,
        XEN_DOMCTL_destroydomain = XEN_DOMCTL_DESTROYDOMAIN, XEN_DOMCTL_pausedomain = XEN_DOMCTL_PAUSEDOMAIN,
        XEN_DOMCTL_unpausedomain = XEN_DOMCTL_UNPAUSEDOMAIN, XEN_DOMCTL_max_mem = XEN_DOMCTL_MAX_MEM,
        XEN_DOMCTL_setvcpucontext = XEN_DOMCTL_SETVCPUCONTEXT, XEN_DOMCTL_getvcpucontext = XEN_DOMCTL_GETVCPUCONTEXT,
        XEN_DOMCTL_max_vcpus = XEN_DOMCTL_MAX_VCPUS, XEN_DOMCTL_hypercall_init = XEN_DOMCTL_HYPERCALL_INIT,
        XEN_DOMINF_hvm_guest = XEN_DOMINF_HVM_GUEST, XEN_DOMINF_paused = XEN_DOMINF_PAUSED,
        XEN_DOMINF_blocked = XEN_DOMINF_BLOCKED, XEN_DOMINF_running = XEN_DOMINF_RUNNING,
        XEN_DOMINF_shutdownshift = XEN_DOMINF_SHUTDOWNSHIFT, XEN_DOMINF_shutdownmask = XEN_DOMINF_SHUTDOWNMASK);
}

fn contexts(claims: &mut Claims) {
    use abi::vcpu_context::*;
    layout!(claims: CpuUserRegs = "struct cpu_user_regs" {
        r15 = "r15", r14 = "r14", r13 = "r13", r12 = "r12", rbp = "rbp", rbx = "rbx", r11 = "r11", r10 = "r10", r9 = "r9",
        r8 = "r8", rax = "rax", rcx = "rcx", rdx = "rdx", rsi = "rsi", rdi = "rdi", error_code = "error_code",
        entry_vector = "entry_vector", rip = "rip", cs = "cs", saved_upcall_mask = "saved_upcall_mask", rflags = "rflags",
        rsp = "rsp", ss = "ss", es = "es", ds = "ds", fs = "fs", gs = "gs" });
    layout!(claims: VcpuGuestContext = "struct vcpu_guest_context" {
        fpu_ctxt = "fpu_ctxt", flags = "flags", user_regs = "user_regs", trap_ctxt = "trap_ctxt", ldt_base = "ldt_base",
        ldt_ents = "ldt_ents", gdt_frames = "gdt_frames", gdt_ents = "gdt_ents", kernel_ss = "kernel_ss",
        kernel_sp = "kernel_sp", ctrlreg = "ctrlreg", debugreg = "debugreg", event_callback_eip = "event_callback_eip",
        failsafe_callback_eip = "failsafe_callback_eip", syscall_callback_eip = "syscall_callback_eip",
        vm_assist = "vm_assist", fs_base = "fs_base", gs_base_kernel = "gs_base_kernel", gs_base_user = "gs_base_user" });
    constants!(claims: VGCF_in_kernel = VGCF_IN_KERNEL, VGCF_online = VGCF_ONLINE);
}

fn system(claims: &mut Claims) {
    use abi::sysctl::*;
    constants!(claims: XEN_SYSCTL_readconsole = XEN_SYSCTL_READCONSOLE,
        XEN_SYSCTL_getdomaininfolist = XEN_SYSCTL_GETDOMAININFOLIST, XEN_SYSCTL_INTERFACE_VERSION = BUILDING_VERSION);
    layout!(claims: DomainInfoList = "struct xen_sysctl_getdomaininfolist" {
        first_domain = "first_domain", max_domains = "max_domains", buffer = "buffer", num_domains = "num_domains" });
    claims.add(
        "(long)offsetof(struct xen_sysctl, u.getdomaininfolist)",
        offset_of!(Sysctl, read_console) as i128,
    );
    let read = offset_of!(Sysctl, read_console);
    for (field, offset) in [
        ("cmd", offset_of!(Sysctl, cmd)),
        ("interface_version", offset_of!(Sysctl, interface_version)),
        ("u.readconsole.clear", read + offset_of!(ReadConsole, clear)),
        (
            "u.readconsole.incremental",
            read + offset_of!(ReadConsole, incremental),
        ),
        ("u.readconsole.index", read + offset_of!(ReadConsole, index)),
        (
            "u.readconsole.buffer",
            read + offset_of!(ReadConsole, buffer),
        ),
        ("u.readconsole.count", read + offset_of!(ReadConsole, count)),
    ] {
        claims.add(
            format!("offsetof(struct xen_sysctl, {field})"),
            offset as i128,
        );
    }
    claims.add(
        format!("sizeof(struct xen_sysctl) <= {}", size_of::<Sysctl>()),
        1,
    );
    let (first, last) = (INTERFACE_VERSIONS.start(), INTERFACE_VERSIONS.end());
    claims.add(
        format!(
            "{first} <= XEN_SYSCTL_INTERFACE_VERSION && XEN_SYSCTL_INTERFACE_VERSION <= {last}"
        ),
        1,
    );
}

/// Asks the C compiler.
fn headers_say(claims: &Claims) -> BTreeMap<String, i128> {
    let mut source = String::from(
        // Without this the headers show the interface of Xen 3.
        "#include <xen/xen-compat.h>\n#undef __XEN_INTERFACE_VERSION__\n\
         #define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__\n\
         #define __XEN_TOOLS__ 1\n\
         #include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n",
    );
    for header in [
        "xen",
        "callback",
        "domctl",
        "elfnote",
        "errno",
        "event_channel",
        "features",
        "grant_table",
        "io/console",
        "io/xs_wire",
        "memory",
        "sched",
        "sysctl",
        "vcpu",
        "version",
    ] {
        writeln!(source, "#include <xen/{header}.h>").expect("a String takes all");
    }
    source.push_str("int main(void) {\n");
    for (index, expression) in claims.0.keys().enumerate() {
        // Signed and unsigned 64-bit constants both fit a pair of "is it negative" and the bits.
        writeln!(
            source,
            "    printf(\"{index} %d %llu\\n\", ({expression}) < 0, (unsigned long long)({expression}));"
        )
        .expect("a String takes all");
    }
    source.push_str("    return 0;\n}\n");

    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (c_file, program) = (folder.join("layout.c"), folder.join("layout"));
    std::fs::write(&c_file, source).expect("the test's folder can be written");
    let compiled = Command::new("cc")
        .args(["-std=gnu11", "-o"])
        .args([&program, &c_file])
        .output()
        .expect("a C compiler is needed to prove the layouts: install gcc");
    assert!(
        compiled.status.success(),
        "the headers could not be compiled: install libxen-dev\n{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let output = Command::new(&program)
        .output()
        .expect("what was just compiled runs");
    let names: Vec<&String> = claims.0.keys().collect();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| {
            let mut words = line
                .split(' ')
                .map(|word| word.parse::<i128>().expect("a number"));
            let mut next = || words.next().expect("three numbers");
            let (index, negative, bits) = (next(), next(), next());
            let value = if negative == 1 {
                bits - (1 << 64)
            } else {
                bits
            };
            (names[index as usize].clone(), value)
        })
        .collect()
}
