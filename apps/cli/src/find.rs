//! Domains by what people call them.

use morgana_hal::DomId;
use morgana_xenstore_client::Client;

use crate::failure::Failure;

/// The domain of this number, or of this name.
pub(crate) async fn domain(client: &Client, called: &str) -> Result<DomId, Failure> {
    let found = client.domain_called(called).await;
    let found = found.map_err(|error| {
        Failure::Failed(format!(
            "{called}: this domain may not look for domains by their names ({error}); give a number"
        ))
    })?;
    found.ok_or_else(|| {
        let called = morgana_logs::record::Harmless(called);
        Failure::Failed(format!(
            "there is no domain called {called}; xl list has them all"
        ))
    })
}
