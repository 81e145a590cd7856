//! The page with live figures.

use anyhow::{Result, bail};

use super::server::Server;
use super::tab::Tab;

/// It fills, draws, and says so when the server has gone. `server` goes.
pub(super) fn status(tab: &mut Tab<'_>, server: Server) -> Result<()> {
    tab.load(&format!("{}/status/", server.address()))?;
    tab.until("document.getElementById('state').textContent === 'The server answers.'")?;
    let empty = tab.value(
        "[...document.querySelectorAll('.tile .figure')].filter((figure) => !/\\d/.test(figure.textContent)).length",
    )?;
    if empty != 0 {
        bail!("{empty} tiles have no figure");
    }
    // Two readings make a line.
    tab.until("document.querySelector('[data-tile=memory] .line').getAttribute('d')")?;
    tab.until("Number(document.querySelector('[data-tile=requests] .figure').textContent.replaceAll(',', '')) > 1")?;
    tab.until("document.querySelectorAll('#drops-rows tr').length > 3")?;
    if let [complaint, ..] = &tab.complaints()[..] {
        bail!("{complaint}");
    }
    drop(server);
    tab.until("document.getElementById('state').textContent.startsWith('The server has not answered since')")?;
    Ok(())
}
