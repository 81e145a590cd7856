//! What the program runs on: any platform, and on Linux one that can wait for the kernel's completions.

#[cfg(not(target_os = "none"))]
pub(crate) use linux::{Files, Host};
#[cfg(target_os = "none")]
pub(crate) use xen::{Files, Host};

/// How many accesses to files are under way at once.
#[cfg(not(target_os = "none"))]
const ENTRIES: u32 = 1024;

#[cfg(not(target_os = "none"))]
mod linux {
    use alloc::boxed::Box;
    use alloc::rc::Rc;
    use core::error::Error;

    use morgana::{Domain, Platform};
    use morgana_file::{Access, FileDisk};
    use morgana_reactor::HasReactor;
    use morgana_uring::Uring;

    /// A platform inside a Linux process.
    pub(crate) trait Host: Platform + HasReactor {}

    impl<P: Platform + HasReactor> Host for P {}

    /// The files of the machine.
    pub(crate) struct Files(Uring);

    impl Files {
        pub(crate) fn new(domain: &Domain<impl Host>) -> Result<Self, Box<dyn Error>> {
            let reactor = domain.platform().reactor();
            let uring = Uring::new(super::ENTRIES, reactor)
                .map_err(|error| alloc::format!("io_uring cannot be used: {error}"))?;
            Ok(Self(uring))
        }

        /// The file of this path; one that cannot be written is opened to be read.
        pub(crate) fn open(&self, path: &str) -> Result<Rc<FileDisk>, Box<dyn Error>> {
            let disk = FileDisk::open(&self.0, path, Access::ReadWrite)
                .or_else(|_| FileDisk::open(&self.0, path, Access::ReadOnly))
                .map_err(|error| alloc::format!("{path}: {error}"))?;
            Ok(Rc::new(disk))
        }
    }
}

#[cfg(target_os = "none")]
mod xen {
    use alloc::boxed::Box;
    use alloc::rc::Rc;
    use core::error::Error;

    use morgana::block::RamDisk;
    use morgana::{Domain, Platform};

    /// Any platform.
    pub(crate) trait Host: Platform {}

    impl<P: Platform> Host for P {}

    /// A domain of its own has no files.
    pub(crate) struct Files;

    impl Files {
        pub(crate) fn new(_: &Domain<impl Host>) -> Result<Self, Box<dyn Error>> {
            Ok(Self)
        }

        pub(crate) fn open(&self, path: &str) -> Result<Rc<RamDisk>, Box<dyn Error>> {
            Err(alloc::format!("{path}: a driver domain has no files").into())
        }
    }
}
