//! `morgana logger`: which domain it is.

use std::io::Write;

use morgana_logs::publish;

use crate::cli::Logger;
use crate::failure::Failure;
use crate::find::domain;
use crate::session::Session;

pub(crate) async fn run(session: &Session, arguments: Logger) -> Result<(), Failure> {
    let client = &session.client;
    let Some(called) = arguments.domain else {
        let domain = session.logger(None).await?;
        return Ok(writeln!(std::io::stdout(), "{}", domain.number())?);
    };
    let domain = domain(client, &called).await?;
    let number = domain.number();
    let home = format!("/local/domain/{number}/domid");
    if let Err(error) = client.read(&home).await {
        return Err(Failure::Failed(format!(
            "domain {number} is not there ({error})"
        )));
    }
    publish(client, domain).await.map_err(|error| {
        Failure::Failed(format!(
            "only dom0 can say which domain is the logger: {error}"
        ))
    })
}
