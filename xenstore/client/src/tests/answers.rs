//! Requests and their answers, in any order.

use super::*;
use std::vec;

use morgana_hal::{DomId, Mfn, Port};
use morgana_xenstore_wire::{Access, PAYLOAD_MAX, Permission};

use crate::{Errno, Error, KeyError, PathError, Problem};

#[test]
fn each_operation_asks_and_reads_its_answer() {
    script(
        |client, _| async move {
            assert_eq!(client.read("a").await.unwrap(), b"va\0lue");
            client.write("a/b", "x").await.unwrap();
            client.make("/m").await.unwrap();
            client.remove("/m").await.unwrap();
            assert_eq!(client.children("/").await.unwrap(), ["local", "vm"]);
            let owner = Permission {
                domain: DomId::new(3),
                access: Access::None,
            };
            assert_eq!(client.permissions("a").await.unwrap(), [owner]);
            client.set_permissions("a", &[owner, owner]).await.unwrap();
            let path = client.domain_path(DomId::new(7)).await.unwrap();
            assert_eq!(path, "/local/domain/7");
            assert!(client.is_introduced(DomId::new(7)).await.unwrap());
            let (frame, port) = (Mfn::new(0x1234), Port::new(5));
            client.introduce(DomId::new(7), frame, port).await.unwrap();
            client.release(DomId::new(7)).await.unwrap();
        },
        async |server: &mut Server| {
            let dom = DomId::new(7);
            let exchanges: &[(Request<'_>, &[u8])] = &[
                (Request::Read { path: "a" }, b"va\0lue"),
                (
                    Request::Write {
                        path: "a/b",
                        value: b"x",
                    },
                    b"OK\0",
                ),
                (Request::Mkdir { path: "/m" }, b"OK\0"),
                (Request::Rm { path: "/m" }, b"OK\0"),
                (Request::Directory { path: "/" }, b"local\0vm\0"),
                (Request::GetPerms { path: "a" }, b"n3\0"),
                (
                    Request::SetPerms {
                        path: "a",
                        permissions: b"n3\0n3\0",
                    },
                    b"OK\0",
                ),
                (Request::GetDomainPath { domain: dom }, b"/local/domain/7\0"),
                (Request::IsDomainIntroduced { domain: dom }, b"T\0"),
                (
                    Request::Introduce {
                        domain: dom,
                        frame: 0x1234,
                        port: 5,
                    },
                    b"OK\0",
                ),
                (Request::Release { domain: dom }, b"OK\0"),
            ];
            for (request, answer) in exchanges {
                let received = server.expect(*request).await;
                server.answer(&received, answer).await;
            }
        },
    );
}

#[test]
fn answers_may_come_in_any_order() {
    script(
        |client, _| async move {
            let ((a, b), c) =
                join(join(client.read("a"), client.read("b")), client.read("c")).await;
            assert_eq!([a.unwrap(), b.unwrap(), c.unwrap()], [b"1", b"2", b"3"]);
        },
        async |server: &mut Server| {
            let requests = [
                server.receive().await,
                server.receive().await,
                server.receive().await,
            ];
            let ids: Vec<u32> = requests.iter().map(|r| r.header.request.0).collect();
            assert_eq!(ids, [1, 2, 3]);
            for (received, answer) in requests.iter().zip([b"1", b"2", b"3"]).rev() {
                server.answer(received, answer).await;
            }
        },
    );
}

#[test]
fn refusals_come_by_name_known_or_not() {
    script(
        |client, _| async move {
            assert_eq!(client.read("a").await, Err(Error::Refused(Errno::NotFound)));
            assert_eq!(client.read("a").await, Err(Error::RefusedUnknown));
            assert_eq!(
                client.read("a").await.unwrap(),
                b"",
                "the connection goes on"
            );
        },
        async |server: &mut Server| {
            for error in [&b"ENOENT\0"[..], b"EHWPOISON\0"] {
                let received = server.receive().await;
                server.refuse(&received, error).await;
            }
            let received = server.receive().await;
            server.answer(&received, b"").await;
        },
    );
}

#[test]
fn bad_paths_and_long_values_are_never_sent() {
    script(
        |client, _| async move {
            assert_eq!(client.read("").await, Err(Error::Path(PathError::Empty)));
            assert_eq!(
                client.write("/a/", "").await,
                Err(Error::Path(PathError::EmptyPart))
            );
            assert_eq!(
                client.children("@x").await,
                Err(Error::Path(PathError::Special))
            );
            assert_eq!(
                client.watch("a b").await.err(),
                Some(Error::Path(PathError::BadCharacter))
            );
            assert_eq!(
                client.write("a", vec![0; PAYLOAD_MAX]).await,
                Err(Error::TooLong)
            );
            client.write("a", vec![0; PAYLOAD_MAX - 2]).await.unwrap();
        },
        async |server: &mut Server| {
            let received = server.receive().await;
            assert_eq!(received.payload.len(), PAYLOAD_MAX);
            server.answer(&received, b"OK\0").await;
        },
    );
}

#[test]
fn typed_reads_name_the_key_that_is_wrong() {
    script(
        |client, _| async move {
            assert_eq!(client.read_number::<u32>("port").await, Ok(17));
            let error = client.read_number::<u8>("port").await.unwrap_err();
            assert_eq!(error, KeyError::new("port", Problem::NotANumber));
            assert_eq!(
                std::format!("{error}"),
                "port: the value is not a number in range"
            );
            let error = client.read_text("name").await.unwrap_err();
            assert_eq!(error, KeyError::new("name", Problem::NotText));
            let error = client.read_text("name").await.unwrap_err();
            assert!(error.is_not_found());
            assert_eq!(
                std::format!("{error}"),
                "name: xenstored refused it: ENOENT"
            );
            assert_eq!(client.read_number_or("size", 5u32).await, Ok(5));
        },
        async |server: &mut Server| {
            for answer in [&b"17"[..], b"256", b"\xff"] {
                let received = server.receive().await;
                server.answer(&received, answer).await;
            }
            for _ in 0..2 {
                let received = server.receive().await;
                server.refuse(&received, b"ENOENT\0").await;
            }
        },
    );
}

#[test]
fn domains_are_found_by_number_or_by_name() {
    script(
        |client, _| async move {
            let found = async |called: &str| client.domain_called(called).await.unwrap();
            assert_eq!(found("7").await, Some(DomId::new(7)));
            assert_eq!(found("web").await, Some(DomId::new(4)));
            assert_eq!(found("none").await, None);
        },
        async |server: &mut Server| {
            let path = "/local/domain";
            for _ in 0..2 {
                let received = server.expect(Request::Directory { path }).await;
                server.answer(&received, b"0\x003\x004\0").await;
                let path = "/local/domain/0/name";
                let received = server.expect(Request::Read { path }).await;
                server.answer(&received, b"Domain-0").await;
                // It is just coming.
                let path = "/local/domain/3/name";
                let received = server.expect(Request::Read { path }).await;
                server.refuse(&received, b"ENOENT\0").await;
                let path = "/local/domain/4/name";
                let received = server.expect(Request::Read { path }).await;
                server.answer(&received, b"web").await;
            }
        },
    );
}

#[test]
fn long_directories_come_in_parts_and_start_again_when_they_change() {
    script(
        |client, _| async move {
            assert_eq!(client.children("/d").await.unwrap(), ["aa", "b", "c"]);
        },
        async |server: &mut Server| {
            let received = server.expect(Request::Directory { path: "/d" }).await;
            server.refuse(&received, b"E2BIG\0").await;
            for (offset, answer) in [
                (0, &b"1\0aa\0old\0"[..]),
                (7, b"2\0b\0"),
                (0, b"2\0aa\0b\0"),
                (5, b"2\0c\0\0"),
            ] {
                let request = Request::DirectoryPart { path: "/d", offset };
                let received = server.expect(request).await;
                server.answer(&received, answer).await;
            }
        },
    );
}
