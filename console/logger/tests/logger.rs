//! Domains send records, and look for some: whole machines in lockstep.

mod support;

use std::future::poll_fn;
use std::time::Duration;

use log::Level;
use morgana_hal::{ByteStream, DomId, StreamError};
use morgana_logger::{Options, Peers, Rate};
use morgana_logs::ReadError;
use morgana_logs::record::{Entry, Follow, Name, Query, Refusal, ToDomain, Whose};
use morgana_xenstore_client::MAX_WATCHES;
use support::*;

/// Domain 1 is the logger; 2 and 3 send; domain 0 looks.
#[test]
fn records_of_guests_are_found_from_domain_0() {
    for seed in 0..10 {
        let zero = main(|place| async move {
            make_logger(&place, D1).await;
            until_ended(&place.client, [2, 3]).await;
            let all = ask(&place, D1, Query::default()).await.unwrap();
            assert_eq!(all.len(), 40);
            for (index, (number, entry)) in all.iter().enumerate() {
                assert_eq!(*number, index as u64);
                assert_eq!(
                    entry.name,
                    Name::Claimed(format!("guest{}", entry.domain.number()))
                );
            }
            let warnings = Query {
                level: Level::Warn,
                ..of(D2)
            };
            let found = ask(&place, D1, warnings).await.unwrap();
            let expected: Vec<String> = (0..20)
                .step_by(2)
                .map(|n| format!("guest 2 says {n}"))
                .collect();
            assert_eq!(messages(&found), expected);
            let named = Query {
                whose: Whose::Name("guest3".into()),
                text: "says 7".into(),
                ..Query::default()
            };
            let found = ask(&place, D1, named).await.unwrap();
            assert_eq!(messages(&found), ["guest 3 says 7"]);
            tell(&place, "/end").await;
        });
        let logger = main(|place| serve(place, disk(4), Options::default(), "/end"));
        let guest = |number: u16| {
            main(move |place| async move {
                let forwarder = forward(&place, 16 << 10);
                for n in 0..20 {
                    let level = if n % 2 == 0 { Level::Warn } else { Level::Info };
                    let message = format!("guest {number} says {n}");
                    forwarder.put(record(&place, level, "test", &message));
                    turn().await;
                }
                all_kept(&place, &forwarder).await;
            })
        };
        machine(seed, zero, vec![logger, guest(2), guest(3)]);
    }
}

/// A guest may look for its own records, and for others' only if it is told so.
#[test]
fn a_guest_reads_its_own_records_only() {
    let zero = main(|place| async move {
        make_logger(&place, D1).await;
        until_ended(&place.client, [2, 3]).await;
        tell(&place, "/end").await;
    });
    let options = Options {
        readers: Peers::These(vec![D3]),
        ..Options::default()
    };
    let logger = main(|place| serve(place, disk(4), options, "/end"));
    let guest = |number: u16| {
        main(move |place| async move {
            let forwarder = forward(&place, 16 << 10);
            forwarder.put(record(&place, Level::Info, "test", &format!("{number}")));
            all_kept(&place, &forwarder).await;
            until_there(&place.client, "/tool/morgana/logger/domid").await;
            let other = if number == 2 { D3 } else { D2 };
            let of = |domain| Query {
                whose: Whose::Id(domain),
                ..Query::default()
            };
            let own = ask(&place, D1, of(morgana_hal::DomId::new(number)))
                .await
                .unwrap();
            assert_eq!(messages(&own), [format!("{number}")]);
            let others = ask(&place, D1, of(other)).await;
            let all = ask(&place, D1, Query::default()).await.unwrap();
            if number == 2 {
                assert_eq!(others, Err(ReadError::Refused(Refusal::NotAllowed)));
                assert_eq!(messages(&all), ["2"]);
            } else {
                assert!(others.is_ok());
            }
        })
    };
    machine(1, zero, vec![logger, guest(2), guest(3)]);
}

/// Of a domain that is none of those named nothing is kept. It is told so, and the log says so.
#[test]
fn only_records_of_those_who_may_send_are_kept() {
    let zero = main(|place| async move {
        make_logger(&place, D1).await;
        until_ended(&place.client, [2, 3]).await;
        assert_eq!(ask(&place, D1, of(D2)).await, Ok(vec![]));
        let kept = ask(&place, D1, of(D3)).await.unwrap();
        assert_eq!(messages(&kept), ["3"]);
        let notes = ask(&place, D1, of(D1)).await.unwrap();
        let note = "d2 is not served any longer: it may not send records (time 1)";
        assert!(messages(&notes).contains(&note), "{notes:?}");
        tell(&place, "/end").await;
    });
    let options = Options {
        senders: Peers::These(vec![D3]),
        ..Options::default()
    };
    let logger = main(|place| serve(place, disk(4), options, "/end"));
    let guest = |number: u16| {
        main(move |place| async move {
            let forwarder = forward(&place, 16 << 10);
            forwarder.put(record(&place, Level::Info, "test", &format!("{number}")));
            until_there(&place.client, morgana_logs::LOGGER).await;
            match number {
                3 => all_kept(&place, &forwarder).await,
                // It has been told by then.
                _ => place.tasks.timers().sleep(Duration::from_secs(1)).await,
            }
            assert_eq!(forwarder.is_empty(), number == 3);
        })
    };
    machine(1, zero, vec![logger, guest(2), guest(3)]);
}

/// A connection takes one watch on xenstore, also while many are made at once.
#[test]
fn many_connect_at_once() {
    const GUESTS: u16 = 6;
    let zero = main(|place| async move {
        make_logger(&place, D1).await;
        until_ended(&place.client, 2..2 + GUESTS).await;
        let all = ask(&place, D1, Query::default()).await.unwrap();
        let mut all = messages(&all);
        all.sort_unstable();
        assert_eq!(all, ["2", "3", "4", "5", "6", "7"]);
        tell(&place, "/end").await;
    });
    let logger = main(|place| async move {
        // For the domains' homes, for the end, and for one connection of each, domain 0 included, there are watches left.
        let left = 2 + usize::from(GUESTS) + 1;
        let mut watches = Vec::new();
        for number in left..MAX_WATCHES {
            let watch = place.client.watch(&format!("data/{number}")).await;
            watches.push(watch.unwrap());
        }
        serve(place, disk(4), Options::default(), "/end").await;
    });
    let guest = |number: u16| {
        main(move |place| async move {
            let forwarder = forward(&place, 16 << 10);
            forwarder.put(record(&place, Level::Info, "test", &format!("{number}")));
            all_kept(&place, &forwarder).await;
        })
    };
    let guests = (2..2 + GUESTS).map(guest);
    machine(1, zero, [logger].into_iter().chain(guests).collect());
}

/// Ready when a guest has got so far.
async fn until(place: &Place, guest: u16, mark: &str) {
    until_there(&place.client, &format!("/local/domain/{guest}/data/{mark}")).await;
}

async fn mark(place: &Place, mark: &str) {
    place
        .client
        .write(&format!("data/{mark}"), "1")
        .await
        .unwrap();
}

fn of(domain: DomId) -> Query {
    Query {
        whose: Whose::Id(domain),
        ..Query::default()
    }
}

/// The logger ends, and begins again with the same disk.
#[test]
fn nothing_is_lost_or_there_twice_when_the_logger_begins_again() {
    for seed in 0..10 {
        let zero = main(|place| async move {
            make_logger(&place, D1).await;
            until(&place, 2, "half").await;
            tell(&place, "/stop").await;
            until(&place, 1, "stopped").await;
            tell(&place, "/stopped").await;
            until(&place, 1, "again").await;
            make_logger(&place, D1).await;
            until(&place, 2, "ended").await;
            let all = ask(&place, D1, of(D2)).await.unwrap();
            let expected: Vec<String> = (0..40).map(|n| n.to_string()).collect();
            assert_eq!(messages(&all), expected);
            tell(&place, "/end").await;
        });
        let logger = main(|place| async move {
            let disk = disk(4);
            serve(place.clone(), disk.clone(), Options::default(), "/stop").await;
            mark(&place, "stopped").await;
            until_there(&place.client, "/stopped").await;
            mark(&place, "again").await;
            serve(place, disk, Options::default(), "/end").await;
        });
        let guest = main(|place| async move {
            let forwarder = forward(&place, 16 << 10);
            for n in 0..20 {
                forwarder.put(record(&place, Level::Info, "test", &n.to_string()));
            }
            all_kept(&place, &forwarder).await;
            mark(&place, "half").await;
            until_there(&place.client, "/stopped").await;
            for n in 20..40 {
                forwarder.put(record(&place, Level::Info, "test", &n.to_string()));
                place.tasks.timers().sleep(Duration::from_millis(100)).await;
            }
            all_kept(&place, &forwarder).await;
        });
        machine(seed, zero, vec![logger, guest]);
    }
}

/// A reader follows what comes.
#[test]
fn a_reader_follows() {
    for seed in 0..10 {
        let zero = main(|place| async move {
            make_logger(&place, D1).await;
            until(&place, 2, "first").await;
            let query = Query {
                follow: Follow::Yes,
                ..of(D2)
            };
            let mut reader = read(&place, D1, query).await;
            let mut seen = Vec::new();
            while seen.len() < 10 {
                match reader.next().await.unwrap() {
                    ToDomain::Entry(_, entry) => seen.push(entry.record.message),
                    ToDomain::UpToDate(_) => {
                        assert_eq!(seen, ["0"]);
                        tell(&place, "/go").await;
                    }
                    other => panic!("{other:?}"),
                }
            }
            let expected: Vec<String> = (0..10).map(|n| n.to_string()).collect();
            assert_eq!(seen, expected);
            reader.close().await.unwrap();
            tell(&place, "/end").await;
        });
        let logger = main(|place| serve(place, disk(4), Options::default(), "/end"));
        let guest = main(|place| async move {
            let forwarder = forward(&place, 16 << 10);
            forwarder.put(record(&place, Level::Info, "test", "0"));
            all_kept(&place, &forwarder).await;
            mark(&place, "first").await;
            until_there(&place.client, "/go").await;
            for n in 1..10 {
                forwarder.put(record(&place, Level::Info, "test", &n.to_string()));
                turn().await;
            }
            all_kept(&place, &forwarder).await;
        });
        machine(seed, zero, vec![logger, guest]);
    }
}

/// One guest sends too much: it is slowed down, and its own records are what is lost. The other one's are all there.
#[test]
fn a_flood_costs_only_its_own_domain() {
    let zero = main(|place| async move {
        make_logger(&place, D1).await;
        until(&place, 2, "ended").await;
        until(&place, 3, "ended").await;
        let quiet = ask(&place, D1, of(D3)).await.unwrap();
        assert_eq!(messages(&quiet).len(), 20);
        let flood = ask(&place, D1, of(D2)).await.unwrap();
        let lost = |entry: &Entry| {
            let lost = entry.record.fields.iter().find(|(key, _)| key == "lost");
            lost.map_or(0, |(_, count)| count.parse::<usize>().unwrap())
        };
        let told: usize = flood.iter().map(|(_, entry)| lost(entry)).sum();
        let came = flood.iter().filter(|(_, entry)| lost(entry) == 0).count();
        assert!(told > 0);
        assert_eq!(came + told, 501);
        let notes = Query {
            target: "logger".into(),
            text: "d2 is slowed down".into(),
            ..of(D1)
        };
        assert!(!ask(&place, D1, notes).await.unwrap().is_empty());
        tell(&place, "/end").await;
    });
    let options = Options {
        rate: Rate {
            bytes_a_second: 2000,
            burst: 4000,
        },
        ..Options::default()
    };
    let logger = main(|place| serve(place, disk(4), options, "/end"));
    let flood = main(|place| async move {
        let forwarder = forward(&place, 4 << 10);
        for n in 0..500 {
            forwarder.put(record(&place, Level::Info, "flood", &n.to_string()));
            turn().await;
        }
        all_kept(&place, &forwarder).await;
        forwarder.put(record(&place, Level::Info, "flood", "the last one"));
        all_kept(&place, &forwarder).await;
    });
    let quiet = main(|place| async move {
        let forwarder = forward(&place, 4 << 10);
        for n in 0..20 {
            forwarder.put(record(&place, Level::Info, "quiet", &n.to_string()));
            // It waits for nobody's rate.
            let timers = place.tasks.timers();
            let kept = timers.timeout(Duration::from_secs(1), forwarder.flush());
            kept.await.unwrap();
            timers.sleep(Duration::from_secs(2)).await;
        }
    });
    machine(1, zero, vec![logger, flood, quiet]);
}

/// A reader that does not read holds nobody up, and is told what it has missed.
#[test]
fn a_slow_reader_holds_nobody_up() {
    let zero = main(|place| async move {
        make_logger(&place, D1).await;
        until(&place, 2, "first").await;
        let mut reader = read(&place, D1, of(D2)).await;
        tell(&place, "/go").await;
        until(&place, 2, "ended").await;
        let (mut seen, mut lost) = (0, 0);
        loop {
            match reader.next().await.unwrap() {
                ToDomain::Entry(number, _) => {
                    assert_eq!(number, seen + lost);
                    seen += 1;
                }
                ToDomain::Lost(count) => lost += count,
                ToDomain::UpToDate(next) => break assert_eq!(next, seen + lost),
                other => panic!("{other:?}"),
            }
        }
        assert!(lost > 0);
        assert_eq!(seen + lost, 3000);
        reader.close().await.unwrap();
        tell(&place, "/end").await;
    });
    let options = Options {
        rate: Rate {
            bytes_a_second: 0,
            burst: 0,
        },
        ..Options::default()
    };
    let logger = main(|place| serve(place, disk(2), options, "/end"));
    let guest = main(|place| async move {
        let forwarder = forward(&place, 16 << 10);
        let text = "x".repeat(200);
        for n in 0..3000 {
            if n == 400 {
                mark(&place, "first").await;
                until_there(&place.client, "/go").await;
            }
            forwarder.put(record(&place, Level::Info, "test", &text));
            all_kept(&place, &forwarder).await;
        }
    });
    machine(1, zero, vec![logger, guest]);
}

/// A guest that breaks the protocol is named in the log, and served no longer; others notice nothing.
#[test]
fn who_breaks_the_protocol_is_left() {
    for seed in 0..5 {
        let zero = main(|place| async move {
            make_logger(&place, D1).await;
            until(&place, 2, "ended").await;
            until(&place, 3, "ended").await;
            let notes = Query {
                target: "logger".into(),
                text: "d2 is not served any longer".into(),
                ..of(D1)
            };
            let notes = ask(&place, D1, notes).await.unwrap();
            let why: Vec<&str> = messages(&notes);
            assert_eq!(
                why,
                [
                    "d2 is not served any longer: a message of kind 255 has no place here (time 1)",
                    "d2 is not served any longer: it does not say what it wants (time 2)",
                ]
            );
            let honest = ask(&place, D1, of(D3)).await.unwrap();
            assert_eq!(messages(&honest), ["here"]);
            tell(&place, "/end").await;
        });
        let logger = main(|place| serve(place, disk(4), Options::default(), "/end"));
        let liar = main(|place| async move {
            until_there(&place.client, morgana_logs::LOGGER).await;
            // Keys that lead nowhere.
            for (key, value) in [("ring-ref", "12345"), ("event-channel", "100")] {
                let path = format!("data/log/nothing/{key}");
                place.client.write(&path, value).await.unwrap();
                let everybody = morgana_xenstore_wire::Permission {
                    domain: D2,
                    access: morgana_xenstore_wire::Access::Read,
                };
                place
                    .client
                    .set_permissions(&path, &[everybody])
                    .await
                    .unwrap();
            }
            for bytes in [&[255, 1, 0, 7][..], &[]] {
                let (platform, client) = (&place.platform, &place.client);
                let vchan =
                    morgana_vchan::listen(platform, client, D1, "data/log/app", Default::default());
                let vchan = vchan.await.unwrap();
                if !bytes.is_empty() {
                    vchan.send(bytes).await.unwrap();
                }
                let left = poll_fn(|cx| vchan.poll_read(cx, &mut [0])).await;
                assert_eq!(left, Err(StreamError::Closed));
            }
            // The note is written when the connection has been let go of.
            place.tasks.timers().sleep(Duration::from_secs(1)).await;
        });
        let honest = main(|place| async move {
            let forwarder = forward(&place, 16 << 10);
            forwarder.put(record(&place, Level::Info, "test", "here"));
            all_kept(&place, &forwarder).await;
        });
        machine(seed, zero, vec![logger, liar, honest]);
    }
}

/// What an app logs from its first moment on, and at its end, is in the log, with its fields.
#[test]
fn an_app_logs_from_its_first_word_to_its_last() {
    for seed in 0..5 {
        let zero = main(|place| async move {
            // The app has logged by then.
            place.tasks.timers().sleep(Duration::from_secs(1)).await;
            make_logger(&place, D1).await;
            let query = || Query {
                target: "logger::".into(),
                ..of(D2)
            };
            let found = loop {
                let found = ask(&place, D1, query()).await.unwrap();
                if found.len() >= 3 {
                    break found;
                }
                place.tasks.timers().sleep(Duration::from_millis(100)).await;
            };
            assert_eq!(
                messages(&found),
                ["the first word", "connected", "the last word"]
            );
            let fields = &found[1].1.record.fields;
            assert_eq!(
                fields,
                &[("peer".into(), "5".into()), ("name".into(), "a b".into())]
            );
            tell(&place, "/end").await;
        });
        let logger = main(|place| serve(place, disk(4), Options::default(), "/end"));
        let app = app("log=off logger=auto", |domain| async move {
            // With a target as of a program of its own.
            log::info!(target: "logger::app", "the first word");
            log::info!(target: "logger::app", peer = 5, name = "a b"; "connected");
            domain.timers().sleep(Duration::from_secs(3)).await;
            domain
                .xenstore()
                .unwrap()
                .write("data/ended", "1")
                .await
                .unwrap();
            log::warn!(target: "logger::app", "the last word");
        });
        machine(seed, zero, vec![logger, app]);
    }
}
