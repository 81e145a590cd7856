//! What can be asked for.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::guests::Names;
use super::problem::Problem;

/// What does what is asked for.
pub(super) trait Asked {
    /// Does it. `names` is what the client calls configurations.
    async fn act(&self, request: Request, names: Names<'_>) -> Result<Value, Problem>;
}

/// A request: a JSON object, whose `do` says which.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Request {
    /// Make a domain, of one that was built ahead if there is one; answers its number.
    Create {
        /// An absolute path.
        config: PathBuf,
        /// In place of the configuration's.
        name: Option<String>,
        /// Words more on the domain's command line.
        #[serde(default)]
        extra: String,
    },
    /// Have a domain run from now on: it is made anew when it has ended.
    Run {
        /// An absolute path.
        config: PathBuf,
        /// In place of the configuration's.
        name: Option<String>,
        /// Words more on the domain's command line.
        #[serde(default)]
        extra: String,
    },
    /// End such a service: its domain shuts down; answers when nothing is left of it.
    Halt {
        name: String,
    },
    /// All services.
    Services,
    /// Have so many domains of a configuration built ahead from now on.
    Keep {
        /// An absolute path.
        config: PathBuf,
        count: usize,
    },
    /// Which domains are to be built ahead, and how many are.
    Kept,
    /// All domains' figures.
    List,
    /// One domain's.
    Stats {
        domain: String,
    },
    Pause {
        domain: String,
    },
    Unpause {
        domain: String,
    },
    /// Ask a domain to shut down.
    Shutdown {
        domain: String,
    },
    /// Ask a domain to start anew.
    Reboot {
        domain: String,
    },
    /// End a domain; answers when nothing is left of it.
    Destroy {
        domain: String,
    },
}

impl Request {
    /// Reads a line.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(line)
            .map_err(|error| Problem::bad_request(format!("no such request: {error}")))
    }

    /// The configuration that it names.
    pub(super) const fn config(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Create { config, .. } | Self::Run { config, .. } | Self::Keep { config, .. } => {
                Some(config)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_what_to_do() {
        let line = br#"{"do":"create","config":"/web.cfg","name":"web-1"}"#;
        let wanted = Request::Create {
            config: "/web.cfg".into(),
            name: Some("web-1".to_owned()),
            extra: String::new(),
        };
        assert_eq!(Request::parse(line), Ok(wanted));
        assert_eq!(Request::parse(b"{\"do\":\"list\"}\n"), Ok(Request::List));
    }

    #[test]
    fn what_is_none_is_told_why() {
        for (line, why) in [
            (&b"\n"[..], "EOF"),
            (b"create", "expected value"),
            (b"{\"do\":\"dance\"}", "unknown variant `dance`"),
            (b"{\"do\":\"stats\"}", "missing field `domain`"),
            (
                b"{\"do\":\"pause\",\"domain\":\"a\",\"for\":1}",
                "unknown field `for`",
            ),
            (
                b"{\"do\":\"keep\",\"config\":\"/a\",\"count\":-1}",
                "invalid value",
            ),
            (b"\xff\xfe", "expected value"),
        ] {
            let said = Request::parse(line).unwrap_err().why;
            assert!(said.contains(why), "{said}");
        }
    }
}
