//! Our client and our server, in memory and in virtual time.

mod support;

use std::time::Duration;

use embedded_io_async::{Read, Write};
use morgana_exec::join;
use morgana_tls::{AcceptError, IdentityError, Limits, TlsError};
use proptest::prelude::*;
use support::*;

/// Reads until the peer says that it ends.
async fn all<S: Read>(stream: &mut S) -> Result<Vec<u8>, S::Error> {
    let (mut all, mut piece) = (Vec::new(), [0; 700]);
    loop {
        match stream.read(&mut piece).await? {
            0 => return Ok(all),
            count => all.extend(&piece[..count]),
        }
    }
}

/// The server sends back what it hears.
fn echo(name: &'static str, piece: usize, message: Vec<u8>) -> (Vec<u8>, Option<Vec<u8>>) {
    run(move |tasks| async move {
        let (client, server) = pair(piece);
        let acceptor = acceptor(&tasks, Limits::default());
        let serving = async move {
            let mut stream = acceptor.accept(server).await.unwrap();
            let heard = all(&mut stream).await.unwrap();
            stream.write_all(&heard).await.unwrap();
            stream.close().await.unwrap();
        };
        tasks.spawn(serving).unwrap();
        let mut stream = connector(&tasks).connect(name, client).await.unwrap();
        stream.write_all(&message).await.unwrap();
        stream.close().await.unwrap();
        let heard = all(&mut stream).await.unwrap();
        (heard, stream.protocol().map(<[u8]>::to_vec))
    })
}

#[test]
fn all_keys_and_names() {
    for name in ["example.test", "ed.test", "rsa.test", "a.wild.test"] {
        let (heard, protocol) = echo(name, usize::MAX, b"hello".to_vec());
        assert_eq!(heard, b"hello");
        assert_eq!(protocol.as_deref(), Some(&b"http/1.1"[..]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever the pieces in which the bytes come.
    #[test]
    fn any_pieces(piece in 1usize..3000, length in 0usize..50_000) {
        let message: Vec<u8> = (0..length).map(|byte| (byte * 31 % 253) as u8).collect();
        let (heard, _) = echo("example.test", piece, message.clone());
        prop_assert!(heard == message);
    }

    /// A stream that is cut anywhere, or changed anywhere, never looks like one that has ended.
    #[test]
    fn no_cut_and_no_change_goes_unnoticed(at in 0usize..2400, changed in any::<bool>()) {
        let heard = run(move |tasks| async move {
            let ((client, near), (far, server)) = (pair(usize::MAX), pair(usize::MAX));
            let acceptor = acceptor(&tasks, Limits::default());
            tasks.spawn(async move {
                if let Ok(mut stream) = acceptor.accept(server).await {
                    drop(stream.write_all(&[7; 1000]).await);
                    drop(stream.close().await);
                }
            }).unwrap();
            tasks.spawn(relay(near, far, at, changed)).unwrap();
            let mut stream = match connector(&tasks).connect("example.test", client).await {
                Ok(stream) => stream,
                Err(_) => return None,
            };
            all(&mut stream).await.ok()
        });
        // Of what the server says, all that comes before its last alert matters.
        prop_assert!(heard.is_none() || heard == Some(vec![7; 1000]));
    }
}

/// Passes on bytes in both directions; of the server's, the one at `at` is changed, or the last.
async fn relay(near: Memory, far: Memory, at: usize, changed: bool) {
    use core::pin::pin;
    use std::future::poll_fn;
    use std::task::Poll;
    let (mut near, mut far) = (near, far);
    let mut passed = 0;
    let (mut up, mut down) = ([0; 512], [0; 512]);
    loop {
        // Which of both has something; a dropped read takes nothing.
        let (from_client, from_server) = {
            let mut client = pin!(near.read(&mut up));
            let mut server = pin!(far.read(&mut down));
            poll_fn(|cx| {
                if let Poll::Ready(count) = client.as_mut().poll(cx) {
                    return Poll::Ready((count.ok(), None));
                }
                if let Poll::Ready(count) = server.as_mut().poll(cx) {
                    return Poll::Ready((None, count.ok()));
                }
                Poll::Pending
            })
            .await
        };
        match (from_client, from_server) {
            (Some(count @ 1..), _) => {
                let Ok(()) = far.write_all(&up[..count]).await;
            }
            (_, Some(count @ 1..)) => {
                let mut count = count;
                if (passed..passed + count).contains(&at) {
                    match changed {
                        true => down[at - passed] ^= 0x10,
                        false => count = at - passed,
                    }
                }
                let Ok(()) = near.write_all(&down[..count]).await;
                passed += count;
                if !changed && passed == at {
                    return;
                }
            }
            _ => return,
        }
    }
}

#[test]
fn a_certificate_for_another_name_is_refused_by_the_client() {
    let (ours, theirs) = run(|tasks| async move {
        let (client, server) = pair(usize::MAX);
        let acceptor = acceptor(&tasks, Limits::default());
        let connector = connector(&tasks);
        let (ours, theirs) = join(
            acceptor.accept(server),
            connector.connect("other.test", client),
        )
        .await;
        (ours.unwrap_err(), theirs.unwrap_err())
    });
    assert!(
        matches!(theirs, AcceptError::Tls(TlsError::Protocol(_))),
        "{theirs:?}"
    );
    // By an alert.
    assert!(ours.to_string().contains("alert"), "{ours}");
}

#[test]
fn a_stream_that_is_cut_off_is_no_end() {
    let heard = run(|tasks| async move {
        let (client, server) = pair(usize::MAX);
        let acceptor = acceptor(&tasks, Limits::default());
        let serving = async move {
            let mut stream = acceptor.accept(server).await.unwrap();
            stream.write_all(b"half a sent").await.unwrap();
        };
        tasks.spawn(serving).unwrap();
        let mut stream = connector(&tasks)
            .connect("example.test", client)
            .await
            .unwrap();
        all(&mut stream).await
    });
    assert_eq!(heard, Err(TlsError::Truncated));
}

#[test]
fn who_says_nothing_or_half_is_dropped_in_time() {
    for said in [&b""[..], b"\x16\x03\x01\x00\xc8\x01"] {
        let error = run(move |tasks| async move {
            let (mut client, server) = pair(usize::MAX);
            let acceptor = acceptor(&tasks, Limits::default());
            client.write_all(said).await.unwrap();
            let error = acceptor.accept(server).await.map(drop).unwrap_err();
            assert_eq!(tasks.timers().now().as_millis(), 10_000);
            assert_eq!(acceptor.stats().timed_out, 1);
            drop(client);
            error
        });
        assert_eq!(error, AcceptError::TimedOut);
    }
}

#[test]
fn clients_who_never_finish_do_not_keep_others_out() {
    run(|tasks| async move {
        let limits = Limits {
            handshakes: 4,
            ..Limits::default()
        };
        let acceptor = std::rc::Rc::new(acceptor(&tasks, limits));
        let mut idle = Vec::new();
        for _ in 0..9 {
            let (client, server) = pair(usize::MAX);
            idle.push(client);
            let acceptor = acceptor.clone();
            let accepting = async move { drop(acceptor.accept(server).await) };
            tasks.spawn(accepting).unwrap();
            tasks.timers().sleep(Duration::from_millis(1)).await;
        }
        let (client, server) = pair(usize::MAX);
        let connector = connector(&tasks);
        let (ours, theirs) = join(
            acceptor.accept(server),
            connector.connect("ed.test", client),
        )
        .await;
        assert!(ours.is_ok() && theirs.is_ok());
        assert_eq!(acceptor.stats().displaced, 6);
    });
}

#[test]
fn what_is_no_tls_gets_an_alert() {
    let no_tls: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n",
        b"\x16\x03\x01\xff\xff",
        b"\x17\x03\x03\x00\x05hello",
        b"\x80\x2e\x01\x00\x02",
    ];
    for said in no_tls {
        let written = run(move |tasks| async move {
            let (mut client, server) = pair(usize::MAX);
            let written = server.written.clone();
            client.write_all(said).await.unwrap();
            let error = acceptor(&tasks, Limits::default()).accept(server).await;
            assert!(
                matches!(error, Err(AcceptError::Tls(TlsError::Protocol(_)))),
                "{error:?}"
            );
            written.take()
        });
        // A fatal alert in a record of its own.
        assert_eq!(
            (written[0], written.len(), written[5]),
            (21, 7, 2),
            "{said:?}: {written:?}"
        );
    }
}

/// A connection that is closed with bytes unread is reset, and then the alert is lost.
#[test]
fn who_is_sent_an_alert_has_time_to_take_it() {
    run(|tasks| async move {
        let (mut client, server) = pair(usize::MAX);
        let acceptor = acceptor(&tasks, Limits::default());
        client.write_all(&[b'x'; 3000]).await.unwrap();
        let refuse = async {
            drop(acceptor.accept(server).await);
            tasks.timers().now().as_millis()
        };
        let take = async {
            // All is taken from it, though none of it is looked at.
            client.write_all(&[b'x'; 9000]).await.unwrap();
            let mut alert = [0; 7];
            client.read_exact(&mut alert).await.unwrap();
            alert[0]
        };
        assert_eq!(join(refuse, take).await, (1000, 21));
        assert_eq!(acceptor.stats().failed, 1);
    });
}

#[test]
fn broken_identities_are_refused_with_the_reason() {
    use morgana_tls::Identity;
    let refused = |chain: &[u8], key: &[u8]| Identity::from_pem(chain, key).unwrap_err();
    let [chain, key] = P256;
    assert_eq!(refused(b"", key), IdentityError::NoCertificate);
    assert_eq!(
        refused(
            b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
            key
        ),
        IdentityError::Pem
    );
    assert_eq!(refused(&chain.repeat(9), key), IdentityError::ChainTooLong);
    assert_eq!(
        refused(
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            key
        ),
        IdentityError::Certificate
    );
    assert_eq!(refused(chain, chain), IdentityError::NoKey);
    assert_eq!(
        refused(
            chain,
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
        ),
        IdentityError::Key
    );
    assert_eq!(refused(chain, WILD[1]), IdentityError::OtherKey);
    let mut certificates = morgana_tls::Certificates::new();
    assert!(certificates.add("ed.test", identity(P256)).is_err());
    assert!(certificates.add("*.example.test", identity(WILD)).is_err());
    assert!(certificates.add("Example.Test", identity(P256)).is_ok());
}
