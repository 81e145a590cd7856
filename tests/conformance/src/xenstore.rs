//! The byte stream to xenstored, by what its client can do over it.

use alloc::format;
use alloc::string::String;

use morgana_exec::join_all;
use morgana_hal::Platform;

use crate::failure::ensure;
use crate::{Outcome, Role, Scene};

pub(crate) async fn stream<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    ensure!(
        scene.platform().xenstore().is_none(),
        "the stream was given twice"
    );
    let client = scene.client();
    // Longer than the ring is, and more than it holds at a time; xenstored's quota allows 2,048 bytes a value.
    let path = |index: usize| format!("{}/long/{index}", scene.home());
    let value = |index: usize| alloc::vec![b'a' + (index % 26) as u8; 1_900 + index];
    let write = |index| async move { client.write(&path(index), value(index)).await };
    for written in join_all((0..40).map(write)).await {
        written?;
    }
    let read = |index| async move { client.read(&path(index)).await };
    for (index, read) in join_all((0..40).map(read)).await.into_iter().enumerate() {
        ensure!(read? == value(index), "value {index} comes back changed");
    }
    let mut names = client.children(&format!("{}/long", scene.home())).await?;
    names.sort_unstable();
    ensure!(names.len() == 40, "the children are {names:?}");
    client.remove(&format!("{}/long", scene.home())).await?;
    Ok(())
}

pub(crate) async fn tree<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let told = format!("{} in {}", scene.role(), scene.own());
    scene.tell("I am", &told).await?;
    let heard: String = scene.hear("I am").await?;
    let expected = format!("{} in {}", scene.role().other(), scene.peer());
    ensure!(heard == expected, "{heard:?} instead of {expected:?}");
    if scene.role() == Role::Subject {
        scene.meet("before").await?;
        let path = format!("{}/counter", scene.home());
        for number in 1..=5_u32 {
            let result = scene
                .client()
                .transaction(async |nodes| {
                    let last: u32 = nodes.read_number_or(&path, 0).await.unwrap_or(0);
                    nodes.write(&path, format!("{}", last + 1)).await?;
                    Ok::<_, morgana_xenstore_client::Error>(last + 1)
                })
                .await?;
            ensure!(result == number, "{result} after {number} steps");
        }
        return scene.meet("after").await;
    }
    scene.meet("before").await?;
    scene.meet("after").await?;
    let path = format!("{}/counter", scene.others_home());
    let counted: u32 = scene.client().read_number(&path).await?;
    ensure!(counted == 5, "the other's counter is {counted}");
    Ok(())
}
