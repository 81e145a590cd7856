//! A guest that tests the platform on bare Xen from inside.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

#[cfg(target_os = "none")]
morgana_pv::boot!(main);

#[cfg(target_os = "none")]
fn main(_pv: morgana_pv::Pv) -> morgana_pv::Exit {
    morgana_pv::println!("hello from the selftest");
    morgana_pv::Exit::PowerOff
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("guest-selftest runs on Xen only");
}
