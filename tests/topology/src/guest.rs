//! What guests of any kind have in common, seen from outside.

use crate::{Driver, Inside, Kind, World};

/// A guest that uses its device for ever, checking what it gets.
pub trait Worker {
    /// What is inside.
    fn inside(&self) -> &Inside;

    /// How much was done: frames that have come back, accesses that were answered.
    fn steps(&self) -> u64;

    /// How many times it was connected.
    fn connections(&self) -> u64;

    /// Whether its back end is gone.
    fn is_parted(&self) -> bool;

    /// Lets it begin nothing more.
    fn hold(&self);

    /// Lets it go on.
    fn release(&self);
}

/// One that a driver domain serves by itself.
pub trait Guest: Worker + Sized {
    /// Of what kind its device is.
    const KIND: Kind;

    /// Starts one. Its device is to be [attached](attach); it waits for that as long as it takes.
    fn start(world: &mut World) -> Self;

    /// Lets the driver domain serve its device.
    fn serve(&self, driver: &Driver);

    /// Checks what can be checked from outside.
    ///
    /// # Panics
    ///
    /// If something is not as it was told.
    fn check(&self);
}

/// Gives a guest's device its first back end, or another one.
pub fn attach<G: Guest>(world: &mut World, guest: &G, driver: &Driver) {
    let (front, back) = (guest.inside().id(), driver.inside.id());
    world.order(async move |control| control.attach(G::KIND, front, back).await);
    guest.serve(driver);
}
