//! Event channels.

use alloc::format;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};

use morgana_exec::join;
use morgana_hal::{Channel, DomId, EventError, Events, Platform, Port, Virq};

use crate::failure::ensure;
use crate::{Failure, Outcome, Role, Scene};

type ChannelOf<P> = <<P as Platform>::Events as Events>::Channel;

/// Ids of ordinary domains end at 0x7fef (xen.h, `DOMID_FIRST_RESERVED`); nobody makes that many.
pub(crate) const NOBODY: DomId = DomId::new(0x7fe0);

/// A channel between the two: the subject listens. Neither has an event outstanding when it returns, in spite of the one that Xen
/// raises on connecting.
async fn connected<P: Platform>(scene: &Scene<'_, P>) -> Result<ChannelOf<P>, Failure> {
    let channel = match scene.role() {
        Role::Subject => {
            let channel = scene.events().listen(scene.peer())?;
            scene.tell("port", channel.port().number()).await?;
            channel
        }
        Role::Peer => {
            let port = scene.hear_port("port").await?;
            scene.events().connect(scene.peer(), port)?
        }
    };
    scene.meet("connected").await?;
    Ok(channel)
}

pub(crate) async fn counted<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    const ROUNDS: u64 = 50;
    const BURST: u64 = 10;
    let channel = connected(scene).await?;
    let start = channel.count();
    let mut seen = start;
    scene.meet("counting").await?;
    for round in 0..ROUNDS {
        if scene.role() == Role::Peer {
            channel.notify();
        }
        let what = format!("the event of round {round}");
        let now = scene.expect(&what, channel.after(seen)).await?;
        ensure!(
            now == seen + 1,
            "round {round}: the count went from {seen} to {now}"
        );
        seen = now;
        if scene.role() == Role::Subject {
            channel.notify();
        }
    }
    scene.meet("counted").await?;
    ensure!(
        channel.count() == start + ROUNDS,
        "{ROUNDS} events took the count from {start} to {}",
        channel.count()
    );
    if scene.role() == Role::Peer {
        scene.meet("before the burst").await?;
        for _ in 0..BURST {
            channel.notify();
        }
        return scene.meet("burst").await;
    }
    scene.meet("before the burst").await?;
    scene.meet("burst").await?;
    let now = scene.expect("a burst", channel.after(seen)).await?;
    ensure!(
        (seen + 1..=seen + BURST).contains(&now),
        "{BURST} events took the count from {seen} to {now}"
    );
    Ok(())
}

pub(crate) async fn wake_all<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let channel = connected(scene).await?;
    let seen = channel.count();
    scene.meet("waiting").await?;
    if scene.role() == Role::Peer {
        channel.notify();
        return scene.meet("done").await;
    }
    let both = join(channel.after(seen), channel.after(seen));
    let counts = scene.expect("an event for two", both).await?;
    ensure!(counts == (seen + 1, seen + 1), "{seen}, then {counts:?}");
    let mut cx = Context::from_waker(Waker::noop());
    ensure!(
        channel.poll_after(seen, &mut cx) == Poll::Ready(seen + 1),
        "an old count is not an answer at once"
    );
    ensure!(
        channel.poll_after(seen + 1, &mut cx).is_pending(),
        "the newest count is an answer too"
    );
    scene.meet("done").await
}

/// More channels than a word has bits, so that the walk through the pending bits meets two words.
pub(crate) async fn apart<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    const CHANNELS: usize = 70;
    let channels: Vec<ChannelOf<P>> = match scene.role() {
        Role::Subject => {
            let listen = |_| scene.events().listen(scene.peer());
            let channels: Vec<_> = (0..CHANNELS).map(listen).collect::<Result<_, _>>()?;
            let port = |channel: &ChannelOf<P>| channel.port().number();
            scene.tell_all("ports", channels.iter().map(port)).await?;
            channels
        }
        Role::Peer => {
            let ports = scene.hear_all("ports").await?;
            let connect = |port| scene.events().connect(scene.peer(), Port::new(port));
            ports.into_iter().map(connect).collect::<Result<_, _>>()?
        }
    };
    scene.meet("connected").await?;
    let before: Vec<u64> = channels.iter().map(Channel::count).collect();
    scene.meet("counting").await?;
    let chosen = [0, 1, 62, 63, 64, 69];
    if scene.role() == Role::Peer {
        for index in chosen {
            channels[index].notify();
        }
        return scene.meet("notified").await;
    }
    for index in chosen {
        let event = channels[index].after(before[index]);
        scene.expect(&format!("event {index}"), event).await?;
    }
    scene.meet("notified").await?;
    for (index, channel) in channels.iter().enumerate() {
        let expected = before[index] + u64::from(chosen.contains(&index));
        ensure!(
            channel.count() == expected,
            "channel {index} counts {} instead of {expected}",
            channel.count()
        );
    }
    Ok(())
}

pub(crate) async fn refused<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let (events, peer) = (scene.events(), scene.peer());
    if scene.role() == Role::Peer {
        let (open, closed) = (events.listen(peer)?, events.listen(peer)?);
        let not_yours = events.listen(scene.stranger())?;
        scene.tell("not yours", not_yours.port().number()).await?;
        scene.tell("closed", closed.port().number()).await?;
        drop(closed);
        scene.tell("open", open.port().number()).await?;
        return scene.meet("tried").await;
    }
    let connect = |port| events.connect(peer, port).err();
    let closed = scene.hear_port("closed").await?;
    let open = scene.hear_port("open").await?;
    for (what, port) in [
        ("closed", closed),
        (
            "open for another domain",
            scene.hear_port("not yours").await?,
        ),
        ("never opened", Port::new(4_000)),
        ("no port at all", Port::new(u32::MAX)),
    ] {
        let answer = connect(port);
        ensure!(
            answer == Some(EventError::Refused),
            "a port that is {what} answers {answer:?}"
        );
    }
    let first = events.connect(peer, open)?;
    let second = connect(open);
    ensure!(
        second == Some(EventError::Refused),
        "a port that is taken answers {second:?}"
    );
    let nobody = events.connect(NOBODY, open).err();
    ensure!(
        nobody == Some(EventError::NoSuchDomain),
        "a domain that does not exist answers {nobody:?}"
    );
    drop(first);
    scene.meet("tried").await
}

pub(crate) async fn closed<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let channel = connected(scene).await?;
    if scene.role() == Role::Peer {
        drop(channel);
        scene.meet("closed").await?;
        scene.meet("called in vain").await?;
        let port = scene.hear_port("port").await?;
        let again = scene.events().connect(scene.peer(), port)?;
        scene.meet("again").await?;
        let seen = again.count();
        scene.meet("counting").await?;
        again.notify();
        scene.expect("an answer", again.after(seen)).await?;
        return Ok(());
    }
    let before = channel.count();
    scene.meet("closed").await?;
    ensure!(
        channel.count() == before,
        "the other's end came as an event"
    );
    channel.notify();
    scene.meet("called in vain").await?;
    scene.meet("again").await?;
    let seen = channel.count();
    ensure!(
        seen <= before + 1,
        "{before} events when it was closed, {seen} when it was open again"
    );
    scene.meet("counting").await?;
    scene.expect("an event", channel.after(seen)).await?;
    channel.notify();
    Ok(())
}

pub(crate) async fn full<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    /// More than two-level channels have. A kernel below us may use the FIFO kind, which has 131,072; then
    /// there is no end here, and no figure of one.
    const ENOUGH: usize = 5_000;
    if scene.role() == Role::Peer {
        return Ok(());
    }
    let listen = || scene.events().listen(scene.peer());
    let (before, mut open, mut end) = (scene.usage(), Vec::new(), None);
    while open.len() < ENOUGH && end.is_none() {
        match listen() {
            Ok(channel) => open.push(channel),
            Err(error) => end = Some(error),
        }
    }
    ensure!(
        end == Some(EventError::NoFreePort) || (end.is_none() && before.ports_total == 0),
        "after {} ports: {end:?}",
        open.len()
    );
    let usage = scene.usage();
    ensure!(
        usage.ports_total == 0 || usage.ports_used == before.ports_used + open.len(),
        "{} ports more than in {before:?}: {usage:?}",
        open.len()
    );
    open.pop();
    open.push(listen()?);
    drop(open);
    drop(listen()?);
    Ok(())
}

pub(crate) async fn virq<P: Platform>(scene: &Scene<'_, P>) -> Outcome {
    let first = scene.events().virq(Virq::Debug);
    // It may be the kernel's below us.
    let denied = first.as_ref().err() == Some(&EventError::Denied);
    ensure!(first.is_ok() || denied, "at first: {:?}", first.err());
    let second = scene.events().virq(Virq::Debug).err();
    ensure!(second == Some(EventError::Denied), "again: {second:?}");
    if first.is_ok() {
        drop(first);
        let again = scene.events().virq(Virq::Debug);
        // Two parties of one domain look at its one interrupt at the same time.
        let shared = scene.own() == scene.peer();
        let taken = again.as_ref().err() == Some(&EventError::Denied);
        ensure!(
            again.is_ok() || (shared && taken),
            "given back and bound again: {:?}",
            again.err()
        );
    }
    Ok(())
}
