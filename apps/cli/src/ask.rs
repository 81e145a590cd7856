//! `morgana ask`: a request to the daemon.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde_json::Value;

use crate::cli::Ask;
use crate::failure::Failure;

/// Sends the requests one after the other, and prints what is answered.
pub(crate) fn run(arguments: &Ask) -> Result<(), Failure> {
    let path = &arguments.socket;
    let wrong = |error: io::Error| {
        let path = path.display();
        Failure::Failed(format!("{path}: {error}: is `morgana daemon` running?"))
    };
    let mut stream = UnixStream::connect(path).map_err(wrong)?;
    let mut answers = BufReader::new(stream.try_clone().map_err(wrong)?);
    for request in &arguments.requests {
        // A line feed is none of JSON's own but white space.
        let line = request.replace('\n', " ") + "\n";
        stream.write_all(line.as_bytes()).map_err(wrong)?;
        let mut answer = String::new();
        if answers.read_line(&mut answer).map_err(wrong)? == 0 {
            return Err(Failure::Failed("the daemon has ended".to_owned()));
        }
        tell(&answer)?;
    }
    Ok(())
}

fn tell(answer: &str) -> Result<(), Failure> {
    let answer: Value = serde_json::from_str(answer).map_err(Failure::of)?;
    if let Some(error) = answer["error"].as_str() {
        return Err(Failure::Failed(error.to_owned()));
    }
    writeln!(io::stdout(), "{}", answer["ok"])?;
    Ok(())
}
