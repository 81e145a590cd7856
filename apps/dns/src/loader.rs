//! From files to zones, without keeping others waiting.

use alloc::string::String;
use alloc::vec::Vec;

use morgana::log;
use morgana_dns::{Name, Zone, ZoneError, ZoneParser, Zones};
use morgana_exec::yield_now;

/// How many records are looked at before others have their turn.
const RECORDS_A_TURN: usize = 512;
/// How a file's name ends that has a zone.
const ENDING: &str = ".zone";

/// A zone file.
#[derive(Clone, Debug)]
pub struct ZoneFile {
    /// Its path, of which the name says the zone: `example.org.zone`.
    pub path: String,
    /// All of it.
    pub text: Vec<u8>,
}

/// What has come of files.
#[derive(Debug, Default)]
pub struct Loaded {
    zones: Zones,
    errors: Vec<ZoneError>,
    twice: Vec<String>,
}

/// The zone that a file of that path has. `None` if it is no zone file.
pub(crate) fn origin(path: &str) -> Option<Name> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let origin = name
        .strip_suffix(ENDING)
        .filter(|origin| !origin.is_empty())?;
    Name::parse(origin.as_bytes(), Some(&Name::ROOT)).ok()
}

impl Loaded {
    /// Reads one file more, which is forgotten then.
    pub async fn add(&mut self, file: ZoneFile) {
        let origin = origin(&file.path);
        let mut parser = ZoneParser::new(origin.as_ref(), &file.path, &file.text);
        let zone = loop {
            match parser.step(RECORDS_A_TURN) {
                Ok(Some(zone)) => break Ok(zone),
                Ok(None) => yield_now().await,
                Err(error) => break Err(error),
            }
        };
        match zone {
            Ok(zone) => {
                report(&file.path, &zone);
                if self.zones.insert(zone).is_some() {
                    self.twice.push(file.path);
                }
            }
            Err(error) => self.errors.push(error),
        }
    }

    /// Whether every file is a zone, and no zone is in two.
    pub fn is_whole(&self) -> bool {
        self.errors.is_empty() && self.twice.is_empty()
    }

    /// Logs what is wrong.
    pub fn report(&self) {
        for error in &self.errors {
            log::error!("refused: {error}");
        }
        for path in &self.twice {
            log::error!("refused: {path}: another file has this zone, too");
        }
    }

    /// The zones.
    pub fn zones(self) -> Zones {
        self.zones
    }
}

fn report(path: &str, zone: &Zone) {
    log::debug!(
        "{path}: {} with serial {}, {} names, {} records, {} bytes",
        zone.origin(),
        zone.serial(),
        zone.name_count(),
        zone.record_count(),
        zone.memory()
    );
}
