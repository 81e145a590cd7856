//! What the other end says of itself in keys that are 1 or 0.

use alloc::string::String;
use alloc::vec::Vec;

use morgana_xenstore_client::{KeyError, number_or};

use crate::Device;

/// Keys of the other end that were read together. One that is not there is 0: so are features announced.
#[derive(Clone, Debug)]
pub struct Flags {
    set: Vec<&'static str>,
}

impl Flags {
    /// Whether a key is there and not 0. A key that was not asked for is not there.
    pub fn is_set(&self, key: &str) -> bool {
        self.set.contains(&key)
    }
}

impl Device {
    /// Reads flags of the other end, all at once.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for the first one that is no number from 0 to 255.
    pub async fn peer_flags(&self, keys: &[&'static str]) -> Result<Flags, KeyError> {
        let paths: Vec<String> = keys.iter().map(|key| self.peer_path(key)).collect();
        let values = self.client.read_each(&paths).await;
        let mut set = Vec::new();
        for ((key, path), value) in keys.iter().zip(&paths).zip(values) {
            if number_or(path, value, 0u8)? != 0 {
                set.push(*key);
            }
        }
        Ok(Flags { set })
    }
}
