//! What must hold for any text that is said to be a domain's configuration.

use morgana_toolstack::Config;

/// Reads the text in both languages. What was read, written again, reads the same; a mistake is told in one line.
pub(crate) fn check(input: &[u8]) {
    let Ok(text) = core::str::from_utf8(input) else {
        return;
    };
    for read in [Config::parse(text), Config::parse_toml(text)] {
        match read {
            Ok(config) => {
                assert!(config.vifs.len() <= 16 && config.disks.len() <= 16);
                assert_eq!(Config::parse_toml(&config.to_toml()), Ok(config));
            }
            Err(error) => {
                let told = error.to_string();
                assert!(!told.chars().any(char::is_control), "{told:?}");
                assert!(told.len() < 1000, "{told}");
            }
        }
    }
}
