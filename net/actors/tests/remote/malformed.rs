//! Frames that no node sends: the connection ends with what was wrong, and nothing else does.

use morgana_actors::{LinkError, Malformed};
use morgana_exec::{duplex, join};

use crate::support::{MS, Message, node, run, server, write_all};

fn frame(kind: u8, id: u32, rest: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(5 + rest.len())
        .unwrap()
        .to_le_bytes()
        .to_vec();
    frame.push(kind);
    frame.extend(id.to_le_bytes());
    frame.extend(rest);
    frame
}

/// The type of the clerk's messages, as frames have it.
const CLERK: &[u8] = b"\x01\x00\x05clerk";

fn hello(version: u16, node: u64) -> Vec<u8> {
    let rest = [&version.to_le_bytes()[..], &node.to_le_bytes(), &[0; 8]].concat();
    frame(0, u32::from_le_bytes(*b"MACT"), &rest)
}

#[test]
fn each_is_named_and_ends_its_own_connection_alone() {
    let open = frame(1, 0, &[CLERK, b"clerk"].concat());
    let after = |frames: &[&[u8]]| [&hello(2, 9)[..], &frames.concat()].concat();
    let cases = [
        (
            b"GET / HTTP/1.1\r\n".to_vec(),
            Malformed::FrameLength.into(),
        ),
        (frame(0, 0, &[0; 18]), LinkError::NotActors),
        (hello(1, 9), LinkError::Version(1)),
        (hello(2, 1), LinkError::Itself),
        (after(&[&hello(2, 9)]), Malformed::Kind(0).into()),
        (after(&[&frame(11, 0, &[])]), Malformed::Kind(11).into()),
        (after(&[&[4, 0, 0, 0, 1, 2, 3, 4]]), Malformed::Short.into()),
        (after(&[&[0, 0, 1, 0]]), Malformed::FrameLength.into()),
        (
            after(&[&frame(1, 0, &[CLERK, &[0xff]].concat())]),
            Malformed::Text.into(),
        ),
        (after(&[&frame(1, 0, &CLERK[..7])]), Malformed::Short.into()),
        (
            after(&[&frame(1, 0, b"\x01\x00\x01\nclerk")]),
            Malformed::Value.into(),
        ),
        (after(&[&frame(3, 0, &[])]), Malformed::Short.into()),
        (after(&[&frame(3, 0, &[3])]), Malformed::Value.into()),
        (after(&[&frame(3, 0, &[0, 0])]), Malformed::TooLong.into()),
        (after(&[&open, &open]), Malformed::Channel(0).into()),
        (after(&[&open, &frame(4, 0, &[9])]), Malformed::Value.into()),
        (
            after(&[&open, &frame(4, 0, &[2, 0])]),
            Malformed::TooLong.into(),
        ),
        (
            after(&[&open, &frame(4, 0, &[0, 1])]),
            Malformed::Short.into(),
        ),
        (
            after(&[&open, &frame(4, 0, &[5, 255, 255, 255, 255])]),
            Malformed::Short.into(),
        ),
        (after(&[&frame(6, 3, &[])]), Malformed::Request(3).into()),
        (
            after(&[
                &open,
                &frame(4, 0, &[1, 100, 0, 0, 0, 0, 0, 0, 0]),
                &frame(4, 0, &[0; 9]).repeat(30),
            ]),
            Malformed::Credit(0).into(),
        ),
    ];
    for (bytes, expected) in cases {
        run(move |tasks| async move {
            let (far, _clerk, _) = server(&tasks, 1);
            let (a, b) = duplex(10_000);
            tasks.spawn(far.attach(a).1).unwrap();
            let (link, running) = node(&tasks, 2, 1).attach(b);
            tasks.spawn(running).unwrap();
            let clerk = link.lookup::<Message>("clerk", 4).await.unwrap();
            let (bad, stream) = duplex(10_000);
            let (_, running) = far.attach(stream);
            let (error, ()) = join(running, write_all(&bad, &bytes)).await;
            assert_eq!(error, expected);
            let answer = clerk
                .request(&tasks.timers(), 500 * MS, Message::Seen)
                .await;
            assert!(answer.is_ok());
        });
    }
}
