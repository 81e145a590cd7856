//! Several watches at once.

use std::future::poll_fn;
use std::task::{Context, Poll};

use morgana_xenstore_client::{Changed, Client, Error, Watch};

use crate::failure::Failure;

/// Watches that are set.
#[derive(Debug)]
pub(crate) struct Watching {
    watches: Vec<(String, Watch)>,
}

impl Watching {
    /// Sets a watch on each path. What xenstored says of each at once, that it may be there, is taken already.
    pub(crate) async fn set(client: &Client, paths: &[String]) -> Result<Self, Failure> {
        let mut watches = Vec::new();
        for path in paths {
            let watch = client.watch(path).await.map_err(Failure::at(path))?;
            watch.next().await?;
            watches.push((path.clone(), watch));
        }
        Ok(Self { watches })
    }

    /// The next change, and the path that was watched.
    pub(crate) async fn next(&self) -> Result<(&str, Changed), Failure> {
        let next = poll_fn(|cx| self.poll_next(cx)).await;
        Ok(next?)
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<(&str, Changed), Error>> {
        for (path, watch) in &self.watches {
            if let Poll::Ready(next) = watch.poll_next(cx) {
                return Poll::Ready(next.map(|changed| (path.as_str(), changed)));
            }
        }
        Poll::Pending
    }
}

/// How many levels `path` is below `root`; `None` if it is not at or below it.
pub(crate) fn depth(root: &str, path: &str) -> Option<usize> {
    let rest = path.strip_prefix(root)?;
    if rest.is_empty() {
        return Some(0);
    }
    if root != "/" && !rest.starts_with('/') {
        return None;
    }
    Some(rest.split('/').filter(|part| !part.is_empty()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_counted_from_the_watched_node() {
        for (root, path, levels) in [
            ("/", "/", Some(0)),
            ("/", "/a/b", Some(2)),
            ("/a", "/a", Some(0)),
            ("/a", "/a/b/c", Some(2)),
            ("/a", "/ab", None),
            ("device", "device/vif/0", Some(2)),
            ("@releaseDomain", "@releaseDomain", Some(0)),
        ] {
            assert_eq!(depth(root, path), levels, "{root} {path}");
        }
    }
}
