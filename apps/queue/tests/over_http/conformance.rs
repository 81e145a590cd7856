//! What every `JobQueue` does, through the client.

use std::rc::Rc;

use queue::Settings;

use crate::rules::conforms;
use crate::world::{Time, client, disk, serve, test};

#[test]
fn the_client_and_the_service_conform() {
    test(|host| async move {
        let time = Time::default();
        let passing = time.clone();
        conforms(
            async |limits| {
                let settings = Settings {
                    queue: limits,
                    ..Settings::default()
                };
                let address = serve(&host, &time, settings, Rc::new(disk(&limits))).await;
                client(&host, address)
            },
            |milliseconds| passing.pass(milliseconds),
        )
        .await;
    });
}
