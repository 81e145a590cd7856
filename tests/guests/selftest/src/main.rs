//! A guest that tests the platform on bare Xen from inside.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

#[cfg(target_os = "none")]
morgana_pv::boot!(main);

#[cfg(target_os = "none")]
fn main(pv: morgana_pv::Pv) -> morgana_pv::Exit {
    use morgana_pv::println;
    println!("hello from the selftest: {}", pv.command_line());
    println!("{:?}", morgana_pv::protection(main as *const () as usize));
    println!("{}", morgana_pv::can_execute_data());
    println!("{}", morgana_pv::can_write(main as *const () as usize));
    morgana_pv::Exit::Reboot
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("guest-selftest runs on Xen only");
}
