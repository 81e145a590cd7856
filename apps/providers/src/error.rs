//! What can go wrong, in three families.

use std::fmt;
use std::time::Duration;

use crate::harmless::harmless;

/// A provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProviderName {
    /// This host's Xen.
    Xen,
    /// A host of libvirt.
    Libvirt,
    /// Amazon's EC2, or what speaks its protocol.
    Ec2,
}

/// Why something was not done, by which provider, and with which machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// Who was asked.
    pub provider: ProviderName,
    /// The machine's name or id; empty if it is about none.
    pub machine: String,
    /// Why.
    pub cause: Cause,
}

/// Why something was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    /// Bad input: what was asked for makes no sense.
    Wrong(String),
    /// Bad input: this provider never can.
    Unable(Unable),
    /// Refused: it knows no such machine.
    Unknown,
    /// Refused, and this is what it says.
    Refused(String),
    /// Lost: it cannot be reached, has gone away, or says what is not understood. Whether it was done is not known.
    Lost(String),
    /// Late: it has not answered in this time. Whether it was done is not known.
    Late(Duration),
}

/// What a provider may be unable to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unable {
    /// Stop a machine for a while, with all that it has in memory.
    Pause,
    /// Tell what a machine has written to its console.
    Console,
    /// Take a machine's size as memory.
    Memory,
    /// Take a machine's size as the name of a kind.
    Kind,
    /// Start an image that it keeps itself.
    KeptImage,
}

/// Three families that never mix: whose turn it is to do something about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// The caller's: asking again is of no use.
    BadInput,
    /// The provider has said no, and nothing was done.
    Refused,
    /// Nobody knows what was done: look before asking again.
    Lost,
}

/// The longest text of another's that is passed on, in bytes.
const LONGEST: usize = 2_000;

impl Error {
    /// An error about no machine in particular.
    pub fn of(provider: ProviderName, cause: Cause) -> Self {
        Self::about(provider, "", cause)
    }

    /// An error about a machine, called by name or id.
    pub fn about(provider: ProviderName, machine: &str, cause: Cause) -> Self {
        Self {
            provider,
            machine: harmless(machine, LONGEST),
            cause,
        }
    }

    /// Its family.
    pub fn family(&self) -> Family {
        self.cause.family()
    }
}

impl Cause {
    /// What the provider has said, made harmless: no control characters, no more than 2,000 bytes.
    pub fn refused(text: &str) -> Self {
        Self::Refused(harmless(text, LONGEST))
    }

    /// As [`Cause::refused`], for [`Cause::Wrong`].
    pub fn wrong(text: &str) -> Self {
        Self::Wrong(harmless(text, LONGEST))
    }

    /// As [`Cause::refused`], for [`Cause::Lost`].
    pub fn lost(text: &str) -> Self {
        Self::Lost(harmless(text, LONGEST))
    }

    /// Its family.
    pub fn family(&self) -> Family {
        match self {
            Self::Wrong(_) | Self::Unable(_) => Family::BadInput,
            Self::Unknown | Self::Refused(_) => Family::Refused,
            Self::Lost(_) | Self::Late(_) => Family::Lost,
        }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xen => "xen",
            Self::Libvirt => "libvirt",
            Self::Ec2 => "ec2",
        })
    }
}

impl fmt::Display for Unable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pause => "pause machines",
            Self::Console => "tell what is on a console",
            Self::Memory => {
                "take memory in MiB: its machines have a kind, or memory from their configuration"
            }
            Self::Kind => "take a kind of machine: its machines have memory in MiB",
            Self::KeptImage => "start an image of its own: it takes a configuration",
        })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(why) => f.write_str(why),
            Self::Unable(what) => write!(f, "this provider cannot {what}"),
            Self::Unknown => f.write_str("there is no such machine"),
            Self::Refused(text) => write!(f, "refused: {text}"),
            Self::Lost(why) => write!(f, "lost: {why}"),
            Self::Late(after) => write!(f, "no answer within {} s", after.as_secs()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.provider)?;
        if !self.machine.is_empty() {
            write!(f, "{}: ", self.machine)?;
        }
        self.cause.fmt(f)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_provider_and_the_machine() {
        let error = Error::about(ProviderName::Libvirt, "web-1", Cause::Unable(Unable::Pause));
        assert_eq!(
            error.to_string(),
            "libvirt: web-1: this provider cannot pause machines"
        );
        assert_eq!(error.family(), Family::BadInput);
        let error = Error::of(ProviderName::Ec2, Cause::Late(Duration::from_secs(30)));
        assert_eq!(error.to_string(), "ec2: no answer within 30 s");
        assert_eq!(error.family(), Family::Lost);
    }

    #[test]
    fn what_others_say_is_made_harmless() {
        let long = "\u{1b}[31m".to_owned() + &"é".repeat(5_000);
        let Cause::Refused(text) = Cause::refused(&long) else {
            panic!("refused")
        };
        assert!(text.len() <= LONGEST + "…".len(), "{}", text.len());
        assert!(!text.contains('\u{1b}'));
        assert!(text.ends_with('…'));
    }
}
