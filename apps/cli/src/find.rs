//! Domains by what people call them.

use morgana_hal::DomId;
use morgana_xenstore_client::Client;

use crate::failure::Failure;

/// The domain of this number, or of this name.
pub(crate) async fn domain(client: &Client, called: &str) -> Result<DomId, Failure> {
    if let Ok(number) = called.parse() {
        return Ok(DomId::new(number));
    }
    let homes = client.children("/local/domain").await;
    let homes = homes.map_err(|error| {
        Failure::Failed(format!(
            "{called}: this domain may not look for domains by their names ({error}); give a number"
        ))
    })?;
    for number in homes {
        let name = client
            .read_text(&format!("/local/domain/{number}/name"))
            .await;
        if let (Ok(name), Ok(number)) = (name, number.parse())
            && name == called
        {
            return Ok(DomId::new(number));
        }
    }
    let called = morgana_logs::record::Harmless(called).to_string();
    Err(Failure::Failed(format!(
        "there is no domain called {called}; xl list has them all"
    )))
}
