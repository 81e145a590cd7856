//! What Xen tells about itself (`version.h`, `features.h`).

/// `XENVER_version`: no argument; returns major << 16 | minor.
pub const XENVER_VERSION: u32 = 0;
/// `XENVER_get_features`: argument [`FeatureInfo`].
pub const XENVER_GET_FEATURES: u32 = 6;

/// `struct xen_feature_info`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct FeatureInfo {
    /// In: which word.
    pub submap_idx: u32,
    /// Out: 32 bits, one for each `XENFEAT_*`.
    pub submap: u32,
}

/// `XENFEAT_writable_page_tables`.
pub const XENFEAT_WRITABLE_PAGE_TABLES: u32 = 0;
/// `XENFEAT_auto_translated_physmap`.
pub const XENFEAT_AUTO_TRANSLATED_PHYSMAP: u32 = 2;
/// `XENFEAT_mmu_pt_update_preserve_ad`.
pub const XENFEAT_MMU_PT_UPDATE_PRESERVE_AD: u32 = 5;
/// `XENFEAT_dom0`.
pub const XENFEAT_DOM0: u32 = 11;
