//! What the program runs on: any platform, and on Linux one that can wait for the kernel's completions.

#[cfg(not(target_os = "none"))]
pub(crate) use linux::{FILE_MIB, Host, file};
#[cfg(target_os = "none")]
pub(crate) use xen::Host;

#[cfg(not(target_os = "none"))]
mod linux {
    use alloc::boxed::Box;
    use core::error::Error;
    use std::fs::OpenOptions;

    use morgana::{Domain, Platform};
    use morgana_file::{Access, FileDisk};
    use morgana_reactor::HasReactor;
    use morgana_uring::Uring;

    /// MiB of a file that is made.
    pub(crate) const FILE_MIB: u32 = 64;
    /// How many accesses to the file are under way at once.
    const ENTRIES: u32 = 64;

    /// A platform inside a Linux process.
    pub(crate) trait Host: Platform + HasReactor {}

    impl<P: Platform + HasReactor> Host for P {}

    /// The file of this path, which is made if it is not there.
    pub(crate) fn file(
        domain: &Domain<impl Host>,
        path: &str,
        mib: u32,
    ) -> Result<FileDisk, Box<dyn Error>> {
        let named = |error| alloc::format!("{path}: {error}");
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => file.set_len(u64::from(mib) << 20).map_err(named)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(named(error).into()),
        }
        let uring = Uring::new(ENTRIES, domain.platform().reactor())
            .map_err(|error| alloc::format!("io_uring cannot be used: {error}"))?;
        Ok(FileDisk::open(&uring, path, Access::ReadWrite).map_err(named)?)
    }
}

#[cfg(target_os = "none")]
mod xen {
    use morgana::Platform;

    /// Any platform.
    pub(crate) trait Host: Platform {}

    impl<P: Platform> Host for P {}
}
