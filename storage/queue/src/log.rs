//! The log: two halves of a device, of which one is the queue.
//!
//! A half is written by one run, front to back, no sector twice but its header, which comes when what it promises is durable. A batch is written when
//! the one before it is durable. So what does not count can only be the last batch, torn, or rot.

use alloc::vec;
use alloc::vec::Vec;

use morgana_block::{BlockDevice, BlockError};

use crate::OpenError;
use crate::frame::{self, FRAME_BYTES, Frame};
use crate::header::{HEADER_BYTES, Header, Kind, begins};
use crate::jobs::Jobs;
use crate::record::{Batches, MAX_BATCH};

/// Bytes of a half; what a device has beyond two of them is not used.
pub(crate) const MAX_HALF: u64 = 256 << 20;

/// Bytes that are zero where a queue may begin: file systems have something in them.
const LOOKED_AT: u64 = 128 << 10;

/// Bytes that are read at a time where batches lie one behind the other.
const AHEAD: usize = 64 << 10;

/// Sectors of the half, from one on, that were read already.
#[derive(Default)]
struct Ahead {
    from: u64,
    bytes: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Log<D> {
    device: D,
    seed: u64,
    sector_size: usize,
    /// Sectors of a half.
    half: u64,
    /// Which half is the queue: 0 or 1.
    side: u64,
    generation: u64,
    nonce: u64,
    /// Of the next batch.
    sequence: u64,
    /// The sector of the half where it goes.
    next: u64,
}

impl<D: BlockDevice> Log<D> {
    /// Reads what a device has into `jobs`. Returns the last time, too. Nothing can be appended before a [`replace`](Self::replace).
    pub(crate) async fn open(
        device: D,
        seed: u64,
        jobs: &mut Jobs,
    ) -> Result<(Self, u64), OpenError> {
        let geometry = device.geometry();
        let sector_size = geometry.sector_size();
        let half = (geometry.sectors() / 2).min(MAX_HALF / sector_size as u64);
        let mut log = Self {
            device,
            seed,
            sector_size,
            half,
            // So that a new queue begins in the first half.
            side: 1,
            generation: 0,
            nonce: 0,
            sequence: 0,
            next: 1,
        };
        if half < 4 {
            return Err(OpenError::TooSmall);
        }
        let Some((header, side)) = log.newest().await? else {
            return Ok((log, 0));
        };
        if header.generation == u64::MAX {
            return Err(OpenError::Damaged);
        }
        log.side = side;
        log.generation = header.generation;
        log.nonce = header.nonce;
        let time = log.replay(&header, jobs).await?;
        Ok((log, time))
    }

    /// The header of the half that is the queue, and which one it is. `None` on a device where no queue has begun.
    async fn newest(&self) -> Result<Option<(Header, u64)>, OpenError> {
        let first = self.read(0, 0, 1).await?;
        let second = self.read(1, 0, 1).await?;
        let (mut live, mut retired) = (None::<(Header, u64)>, None::<u64>);
        for (side, sector) in [(0, &first), (1, &second)] {
            let Some(header) = Header::decode(sector) else {
                continue;
            };
            if (header.sector_size, header.half) != (self.sector_size as u64, self.half) {
                return Err(OpenError::Geometry);
            }
            match header.kind {
                Kind::Live
                    if live.is_some_and(|(other, _)| other.generation == header.generation) =>
                {
                    return Err(OpenError::Damaged);
                }
                Kind::Live
                    if live.is_some_and(|(other, _)| other.generation > header.generation) => {}
                Kind::Live => live = Some((header, side)),
                Kind::Retired => retired = retired.max(Some(header.generation)),
            }
        }
        if let Some((header, _)) = live {
            // A half is retired for a newer one.
            let newer = retired.is_none_or(|retired| retired < header.generation);
            return if newer {
                Ok(live)
            } else {
                Err(OpenError::Damaged)
            };
        }
        // The first header of all may be torn; nothing comes behind it before it is durable.
        let looked_at = (LOOKED_AT / self.sector_size as u64).min(self.half);
        let behind = self.read(0, 1, looked_at - 1).await?;
        let zero = |bytes: &[u8]| bytes.iter().all(|&byte| byte == 0);
        if zero(&first[HEADER_BYTES..]) && zero(&behind) && zero(&second) {
            return Ok(None);
        }
        let ours = begins(&first) || begins(&second);
        Err(if ours {
            OpenError::Damaged
        } else {
            OpenError::Foreign
        })
    }

    async fn replay(&mut self, header: &Header, jobs: &mut Jobs) -> Result<u64, OpenError> {
        let mut time = 0;
        let mut ahead = Ahead::default();
        while let Some((frame, records)) = self.batch(&mut ahead, self.next).await?
            && frame.sequence == self.sequence
        {
            jobs.restore(records).map_err(|_| OpenError::Damaged)?;
            time = time.max(frame.time);
            self.sequence += 1;
            self.next += (Frame::size(frame.len, self.sector_size) / self.sector_size) as u64;
        }
        if self.sequence < header.snapshot {
            return Err(OpenError::Damaged);
        }
        // A later batch was written when this one was durable: it is no tear that is here, but rot.
        let reach = (Frame::size(MAX_BATCH, self.sector_size) / self.sector_size) as u64;
        for sector in self.next + 1..=self.next + reach {
            if let Some((frame, _)) = self.batch(&mut ahead, sector).await?
                && frame.sequence > self.sequence
            {
                return Err(OpenError::Damaged);
            }
        }
        Ok(time)
    }

    /// The batch that begins at a sector of the half, if one does.
    async fn batch<'a>(
        &self,
        ahead: &'a mut Ahead,
        sector: u64,
    ) -> Result<Option<(Frame, &'a [u8])>, OpenError> {
        if sector >= self.half {
            return Ok(None);
        }
        let first = self.read_ahead(ahead, sector, 1).await?;
        let Some(frame) = Frame::decode(first, self.nonce) else {
            return Ok(None);
        };
        let sectors = (Frame::size(frame.len, self.sector_size) / self.sector_size) as u64;
        if sectors > self.half - sector {
            return Ok(None);
        }
        let bytes = self.read_ahead(ahead, sector, sectors).await?;
        let records = &bytes[FRAME_BYTES..FRAME_BYTES + frame.len];
        Ok(frame.fits(records).then_some((frame, records)))
    }

    /// Sectors of the half, from what was read already or with what follows, so that a long log takes few round trips.
    async fn read_ahead<'a>(
        &self,
        ahead: &'a mut Ahead,
        sector: u64,
        count: u64,
    ) -> Result<&'a [u8], BlockError> {
        let is_there = |ahead: &Ahead| {
            let sectors = (ahead.bytes.len() / self.sector_size) as u64;
            sector >= ahead.from && sector + count <= ahead.from + sectors
        };
        if !is_there(ahead) {
            let wanted = count.max((AHEAD / self.sector_size) as u64);
            let wanted = wanted.min(self.half - sector);
            ahead.bytes = match self.read(self.side, sector, wanted).await {
                // What lies behind need not be readable.
                Err(_) if wanted > count => self.read(self.side, sector, count).await?,
                read => read?,
            };
            ahead.from = sector;
        }
        let start = (sector - ahead.from) as usize * self.sector_size;
        Ok(&ahead.bytes[start..start + count as usize * self.sector_size])
    }

    async fn read(&self, side: u64, sector: u64, count: u64) -> Result<Vec<u8>, BlockError> {
        let mut bytes = vec![0; count as usize * self.sector_size];
        let start = side * self.half + sector;
        self.device.read(start, &mut bytes).await?;
        Ok(bytes)
    }

    /// Another number for each run.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether these can be appended to the half.
    pub(crate) fn fits(&self, batches: &Batches) -> bool {
        self.next + self.sectors(batches) <= self.half
    }

    fn sectors(&self, batches: &Batches) -> u64 {
        let sizes = batches
            .0
            .iter()
            .map(|batch| Frame::size(batch.len(), self.sector_size));
        (sizes.sum::<usize>() / self.sector_size) as u64
    }

    /// Writes batches behind the last one, and makes each durable.
    pub(crate) async fn append(&mut self, time: u64, batches: Batches) -> Result<(), BlockError> {
        for batch in batches.0 {
            self.write(time, &batch).await?;
            self.device.flush().await?;
        }
        Ok(())
    }

    /// Makes the other half the queue: all that there is, and durable, before its header says so.
    pub(crate) async fn replace(&mut self, time: u64, snapshot: Batches) -> Result<(), BlockError> {
        if 1 + self.sectors(&snapshot) > self.half {
            return Err(BlockError::Full);
        }
        let old = self.header(Kind::Retired, 0);
        self.side = 1 - self.side;
        self.generation += 1;
        self.nonce = nonce(self.seed, self.generation);
        (self.sequence, self.next) = (0, 1);
        for batch in &snapshot.0 {
            self.write(time, batch).await?;
        }
        self.device.flush().await?;
        let new = self.header(Kind::Live, snapshot.0.len() as u64);
        self.write_header(self.side, &new).await?;
        if old.generation > 0 {
            // So that damage to the new header never makes the old half the queue again.
            self.write_header(1 - self.side, &old).await?;
        }
        Ok(())
    }

    fn header(&self, kind: Kind, snapshot: u64) -> Header {
        Header {
            kind,
            sector_size: self.sector_size as u64,
            half: self.half,
            generation: self.generation,
            nonce: self.nonce,
            snapshot,
        }
    }

    async fn write_header(&self, side: u64, header: &Header) -> Result<(), BlockError> {
        let mut sector = vec![0; self.sector_size];
        sector[..HEADER_BYTES].copy_from_slice(&header.encode());
        self.device.write(side * self.half, &sector).await?;
        self.device.flush().await
    }

    async fn write(&mut self, time: u64, batch: &[u8]) -> Result<(), BlockError> {
        let bytes = frame::encode(self.nonce, self.sequence, time, batch, self.sector_size);
        let start = self.side * self.half + self.next;
        self.device.write(start, &bytes).await?;
        self.sequence += 1;
        self.next += (bytes.len() / self.sector_size) as u64;
        Ok(())
    }
}

/// A number for a half that nobody guesses who does not know the seed.
fn nonce(seed: u64, generation: u64) -> u64 {
    crate::backoff::next_random(&mut (seed ^ generation.rotate_left(32)))
}
