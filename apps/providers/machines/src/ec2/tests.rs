//! Against moto, a server that makes instances up (`cargo xtask test ec2` starts it), and against servers that the tests play.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use morgana_providers::{Cause, Ec2At, Error, Family, Launch, MachineId, Provider, State, Unable};

use super::{Ec2, Wanted, credentials};

/// Of moto's own images.
const IMAGE: &str = "ami-12c6146b";

fn region(endpoint: &str) -> Ec2 {
    let at = Ec2At {
        region: "eu-west-1".to_owned(),
        endpoint: Some(endpoint.to_owned()),
    };
    // `cargo xtask test ec2` sets credentials, which moto does not look at.
    Ec2::open(&at).expect("credentials")
}

/// The region that moto makes up.
fn made_up() -> Ec2 {
    let endpoint = env::var("MORGANA_EC2_ENDPOINT");
    region(&endpoint.expect("no server: `cargo xtask test ec2` starts one and says where"))
}

fn launch(name: &str) -> Launch {
    Launch {
        kept_image: Some(IMAGE.to_owned()),
        name: Some(name.to_owned()),
        extra: "log=debug a=<&>".to_owned(),
        ..Launch::default()
    }
}

#[test]
fn an_instance_lives_and_ends() {
    let mut ec2 = made_up();
    let made = ec2.create(&launch("lives")).unwrap();
    assert_eq!(made.name, "lives");
    assert_eq!(made.state, State::Starting);
    let found = ec2.find("lives").unwrap();
    assert_eq!((&found.id, found.state), (&made.id, State::Running));
    let stats = ec2.stats(&made.id).unwrap();
    assert_eq!(stats.kind.as_deref(), Some("t3.nano"));
    assert!(stats.address.is_some());
    assert!(!ec2.console(&made.id).unwrap().is_empty());
    ec2.shutdown(&made.id).unwrap();
    assert_eq!(ec2.stats(&made.id).unwrap().machine.state, State::Off);
    ec2.destroy(&made.id).unwrap();
    assert_eq!(ec2.stats(&made.id).unwrap_err().cause, Cause::Unknown);
    let gone = ec2.destroy(&made.id).unwrap_err();
    assert_eq!(
        (gone.cause, gone.machine.as_str()),
        (Cause::Unknown, made.id.as_str())
    );
    assert_eq!(ec2.find("lives").unwrap_err().cause, Cause::Unknown);
}

#[test]
fn words_are_user_data() {
    let mut ec2 = made_up();
    let config = env::temp_dir().join(format!("morgana-machines-ec2-{}.cfg", std::process::id()));
    fs::write(
        &config,
        "name = 'a'\nkernel = '/a'\nmemory = 16\nextra = 'one=1'\n",
    )
    .unwrap();
    let made = ec2.create(&Launch {
        configuration: Some(config.clone()),
        kind: Some("t3.micro".to_owned()),
        ..launch("words")
    });
    fs::remove_file(config).unwrap();
    let made = made.unwrap();
    assert_eq!(
        ec2.stats(&made.id).unwrap().kind.as_deref(),
        Some("t3.micro")
    );
    let request = ec2
        .client
        .describe_instance_attribute()
        .instance_id(made.id.as_str())
        .attribute(aws_sdk_ec2::types::InstanceAttributeName::UserData);
    let told = ec2.runtime.block_on(request.send()).unwrap();
    let told = told.user_data().and_then(|data| data.value()).unwrap();
    let words = aws_smithy_types::base64::decode(told).unwrap();
    assert_eq!(words, b"one=1 log=debug a=<&>");
    ec2.destroy(&made.id).unwrap();
}

#[test]
fn a_name_in_use_is_refused() {
    let mut ec2 = made_up();
    let made = ec2.create(&launch("twice")).unwrap();
    let error = ec2.create(&launch("twice")).unwrap_err();
    assert_eq!(error.family(), Family::Refused);
    assert!(error.to_string().contains(made.id.as_str()), "{error}");
    ec2.destroy(&made.id).unwrap();
    // A name is free again when its instance is terminated.
    let again = ec2.create(&launch("twice")).unwrap();
    ec2.destroy(&again.id).unwrap();
}

#[test]
fn instances_of_others_are_not_ours() {
    let mut ec2 = made_up();
    let request = ec2
        .client
        .run_instances()
        .image_id(IMAGE)
        .min_count(1)
        .max_count(1);
    let made = ec2.runtime.block_on(request.send()).unwrap();
    let id = MachineId::new(made.instances()[0].instance_id().unwrap());
    assert!(ec2.list().unwrap().iter().all(|machine| machine.id != id));
    assert_eq!(ec2.stats(&id).unwrap_err().cause, Cause::Unknown);
    assert_eq!(ec2.shutdown(&id).unwrap_err().cause, Cause::Unknown);
    assert_eq!(ec2.destroy(&id).unwrap_err().cause, Cause::Unknown);
    assert_eq!(ec2.console(&id).unwrap_err().cause, Cause::Unknown);
    for id in ["", "7", "i-1", "i-0123456789abcdef0"] {
        assert_eq!(
            ec2.stats(&MachineId::new(id)).unwrap_err().cause,
            Cause::Unknown
        );
    }
}

#[test]
fn what_ec2_refuses_is_told_in_its_words() {
    let ec2 = made_up();
    let wanted = Wanted {
        image: "no-image".to_owned(),
        ..Wanted::of(&launch("refused")).unwrap()
    };
    let Err(Cause::Refused(text)) = ec2.run(&wanted) else {
        panic!("an image that is none was taken")
    };
    assert!(text.contains("InvalidAMIID"), "{text}");
}

#[test]
fn what_it_cannot_is_bad_input() {
    let mut ec2 = made_up();
    let id = MachineId::new("i-1");
    assert_eq!(
        ec2.pause(&id).unwrap_err().cause,
        Cause::Unable(Unable::Pause)
    );
    assert_eq!(
        ec2.unpause(&id).unwrap_err().cause,
        Cause::Unable(Unable::Pause)
    );
    let wrong = |change: &dyn Fn(&mut Launch)| {
        let mut launch = launch("wrong");
        change(&mut launch);
        launch
    };
    for launch in [
        wrong(&|l| l.kept_image = None),
        wrong(&|l| l.name = None),
        wrong(&|l| l.name = Some("7".into())),
        wrong(&|l| l.memory_mib = Some(16)),
        wrong(&|l| l.configuration = Some("/nowhere.cfg".into())),
        wrong(&|l| l.extra = "a".repeat(16_385)),
    ] {
        let error = ec2.create(&launch).unwrap_err();
        assert_eq!(error.family(), Family::BadInput, "{error}");
    }
}

#[test]
fn credentials_that_are_missing_are_named() {
    for (set, missing) in [
        (&[][..], "AWS_ACCESS_KEY_ID is not set"),
        (&["AWS_SECRET_ACCESS_KEY"], "AWS_ACCESS_KEY_ID is not set"),
        (&["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY is not set"),
    ] {
        let variable = |name: &str| set.contains(&name).then(|| "a".to_owned());
        let Some(Cause::Wrong(why)) = credentials(variable).err() else {
            panic!("bad input: {missing}")
        };
        assert!(why.starts_with(missing), "{why}");
    }
    let variable = |name: &str| Some(name.to_owned());
    let all = credentials(variable).unwrap();
    assert_eq!(all.session_token(), Some("AWS_SESSION_TOKEN"));
}

#[test]
fn a_region_that_is_not_there_is_lost() {
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = region(&endpoint).list().unwrap_err();
    assert_eq!(error.family(), Family::Lost, "{error}");
}

#[test]
fn nonsense_is_no_answer() {
    let state = "<instanceState><code>99</code><name>dancing</name></instanceState>";
    let instance = format!("<item><instanceId>i-1</instanceId>{state}</item>");
    let list = |instances: &str| {
        format!(
            "<DescribeInstancesResponse><reservationSet><item><instancesSet>{instances}</instancesSet></item>\
             </reservationSet></DescribeInstancesResponse>"
        )
    };
    for (body, missing) in [
        ("nonsense".to_owned(), 0),
        (list(&instance), 0),
        (list("<item></item>"), 0),
        // The end comes before all is there.
        (list(""), 7),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let said = body.clone();
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // All of the request: it ends with the parameter of its version, or comes in one piece.
            let _ = stream.read(&mut [0; 65_536]).unwrap();
            let head =
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/xml\r\ncontent-length:";
            write!(stream, "{head} {}\r\n\r\n{said}", said.len() + missing).unwrap();
        });
        let told = region(&endpoint).list();
        let family = told.as_ref().map_err(Error::family);
        assert_eq!(family, Err(Family::Lost), "{body}: {told:?}");
        served.join().unwrap();
    }
}
