//! A device that answers DHCP on its way.

use core::task::{Context, Poll};
use std::collections::VecDeque;

use morgana_net_device::{Capabilities, Device, RxFrame, TxMeta, TxSlot};

use crate::{Config, dhcp};

/// How many answers wait for room to be sent; of more, the oldest is lost, and its client asks again.
const MAX_ANSWERS: usize = 8;

/// Answers the DHCP questions that pass through it. They are passed on too; whoever is behind has no use for them.
#[derive(Debug)]
pub(crate) struct Leasing<D> {
    device: D,
    config: Config,
    answers: VecDeque<Vec<u8>>,
}

impl<D: Device> Leasing<D> {
    pub(crate) fn new(device: D, config: Config) -> Self {
        Self {
            device,
            config,
            answers: VecDeque::new(),
        }
    }
}

impl<D: Device> Device for Leasing<D> {
    type TxSlot<'a>
        = D::TxSlot<'a>
    where
        Self: 'a;
    type RxFrame<'a>
        = D::RxFrame<'a>
    where
        Self: 'a;

    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    fn transmit(&mut self) -> Option<D::TxSlot<'_>> {
        self.device.transmit()
    }

    fn receive(&mut self) -> Option<D::RxFrame<'_>> {
        let own = self.device.capabilities().mac;
        let mut frame = self.device.receive()?;
        if let Some(answer) = dhcp::answer(&self.config, own, frame.bytes()) {
            if self.answers.len() == MAX_ANSWERS {
                self.answers.pop_front();
            }
            self.answers.push_back(answer);
        }
        Some(frame)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.device.poll_ready(cx)
    }

    fn flush(&mut self) {
        while let Some(answer) = self.answers.front() {
            let Some(slot) = self.device.transmit() else {
                break;
            };
            slot.send(answer.len(), |memory| {
                memory.copy_from_slice(answer);
                TxMeta::default()
            });
            self.answers.pop_front();
        }
        self.device.flush();
    }
}
