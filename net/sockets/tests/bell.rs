//! Another thread wakes a task.

use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use morgana_sockets::run;

#[test]
fn a_task_that_another_thread_wakes_runs_at_once() {
    let ended = run(|host| async move {
        for _ in 0..100 {
            let state = Arc::new(Mutex::new((false, None::<Waker>)));
            let (other, bell) = (state.clone(), host.bell().expect("its own loop"));
            let thread = std::thread::spawn(move || {
                let waker = {
                    let mut state = other.lock().expect("no panic");
                    state.0 = true;
                    state.1.take()
                };
                if let Some(waker) = waker {
                    waker.wake();
                    bell.ring();
                }
            });
            // Without a timer and a descriptor, it sleeps for ever if nothing is heard.
            std::future::poll_fn(|cx| {
                let mut state = state.lock().expect("no panic");
                state.1 = Some(cx.waker().clone());
                if state.0 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            thread.join().expect("no panic");
        }
        // One that nobody waits for does not keep the loop awake.
        host.bell().expect("its own loop").ring();
        host.timers()
            .sleep(std::time::Duration::from_millis(1))
            .await;
    });
    ended.expect("descriptors");
}
