//! The macro that makes an application a program.

/// Makes an async function the program: an image for Xen where the target is Xen, a Linux program elsewhere, which runs on the
/// emulation of Xen or, with `--xen`, as a process of a real Xen's domain.
///
/// The function takes a [`Domain`](crate::Domain) of any [`Platform`](crate::Platform) and returns an [`Outcome`](crate::Outcome).
///
/// What `--help` says of its command line, if the program runs on Linux, may stand behind it: `main!(serve, help = "...")`.
#[macro_export]
macro_rules! main {
    ($app:path) => {
        $crate::main!($app, help = "");
    };
    ($app:path, help = $help:expr) => {
        #[cfg(target_os = "none")]
        const _: () = {
            // A domain of its own has nobody to say it to.
            const _: &str = $help;
            fn start(pv: $crate::private::Pv) -> $crate::Exit {
                $crate::private::start(pv, $app)
            }
            $crate::private::boot!(start);
        };

        #[cfg(not(target_os = "none"))]
        fn main() -> ::std::process::ExitCode {
            // Once for each platform that a Linux program can run on.
            $crate::private::start($help, $app, $app)
        }
    };
}
