//! `xs domains`: the domains that have a home in xenstore.

use crate::escape::plain;
use crate::failure::Failure;
use crate::natural;
use crate::path::child;
use crate::session::Session;

/// Where domains' homes are (docs/misc/xenstore-paths.pandoc).
const HOMES: &str = "/local/domain";

/// Prints the domains' numbers and names.
pub(crate) async fn run(session: &mut Session) -> Result<(), Failure> {
    let mut ids = session
        .client
        .children(HOMES)
        .await
        .map_err(Failure::at(HOMES))?;
    ids.sort_by(|a, b| natural::compare(a, b));
    for ids in ids.chunks(64) {
        let names: Vec<String> = ids
            .iter()
            .map(|id| child(&child(HOMES, id), "name"))
            .collect();
        let values = session.client.read_each(&names).await;
        for ((id, path), value) in ids.iter().zip(&names).zip(values) {
            match value {
                Ok(name) => session
                    .out
                    .line(format_args!("{id:>5}  {}", plain(&name)))?,
                Err(error) if error.is_not_found() => session.out.line(format_args!("{id:>5}"))?,
                Err(error) => return Err(Failure::at(path)(error)),
            }
        }
    }
    Ok(())
}
