//! What a fleet sees and does, over the network.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;

use morgana_exec::Timers;
use morgana_http::Connect;

use super::{Step, View};
use crate::names::Names;
use crate::peers::{Balancer, Guest, PeerError, Toolstack, drain};

/// What a fleet's machines do.
#[derive(Debug)]
pub enum Kind<C: Connect> {
    /// They serve requests that a load balancer gives them.
    Served(Rc<Balancer<C>>),
    /// They fetch their work themselves, and end by themselves when they are asked to.
    Working(C),
}

/// What a fleet sees and does.
#[derive(Debug)]
pub struct Operations<C: Connect> {
    /// Its machines' names and addresses.
    pub names: Names,
    /// What they are made of.
    pub guest: Guest,
    /// What they do.
    pub kind: Kind<C>,
    /// Who makes them.
    pub toolstack: Rc<Toolstack<C>>,
    /// Timers.
    pub timers: Timers,
}

impl<C: Connect + Clone> Operations<C> {
    /// What is there.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn view(&self) -> Result<View, PeerError> {
        let machines = self.toolstack.machines(&self.names).await?;
        let members = match &self.kind {
            Kind::Served(balancer) => Some(balancer.members(&self.names).await?),
            Kind::Working(_) => None,
        };
        Ok(View { machines, members })
    }

    /// Takes a step.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn take(&self, step: Step) -> Result<(), PeerError> {
        match step {
            Step::Create(number) => {
                let (name, words) = (self.names.name(number), self.names.words(number));
                self.toolstack.create(&self.guest, &name, &words).await?;
                // At once, so that it is checked as soon as it answers.
                self.join(number).await
            }
            Step::Join(number) => self.join(number).await,
            Step::Drain(number) => match &self.kind {
                Kind::Served(balancer) => balancer.drain(&self.names.name(number)).await,
                Kind::Working(connect) => {
                    let address = self.names.address(number);
                    drain(connect.clone(), address, self.timers.clone()).await
                }
            },
            Step::Forget(number) => match &self.kind {
                Kind::Served(balancer) => balancer.remove(&self.names.name(number)).await,
                Kind::Working(_) => Ok(()),
            },
            Step::End(number) => self.toolstack.destroy(&self.names.name(number)).await,
        }
    }

    async fn join(&self, number: u32) -> Result<(), PeerError> {
        let Kind::Served(balancer) = &self.kind else {
            return Ok(());
        };
        let address = self.names.address(number);
        balancer.add(&self.names.name(number), address).await
    }

    /// A step, for the log.
    pub(super) fn describe(&self, step: Step) -> String {
        let verb = match step {
            Step::Create(_) => "create",
            Step::Join(_) => "join",
            Step::Drain(_) => "drain",
            Step::Forget(_) => "forget",
            Step::End(_) => "end",
        };
        format!("{verb} {}", self.names.name(step.number()))
    }
}
