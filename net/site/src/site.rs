//! A site that was read.

use crate::{Page, Plain, Settings, Standing};

/// A site whose documents were read and whose links hold.
#[derive(Clone, Debug)]
pub struct Site {
    pub(crate) settings: Settings,
    pub(crate) pages: Vec<Page>,
    pub(crate) standing: Vec<Standing>,
    pub(crate) plain: Vec<Plain>,
    pub(crate) live: Vec<String>,
}

impl Site {
    /// What the site is as a whole.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// All pages: first those that are no posts, in the order in which they were added; then the posts, newest first.
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// The posts, newest first.
    pub fn posts(&self) -> impl Iterator<Item = &Page> {
        self.pages.iter().filter(|page| page.post.is_some())
    }

    /// The posts' tags in alphabetical order, with the posts that have each.
    pub fn tags(&self) -> Vec<(&str, Vec<&Page>)> {
        let mut tags = std::collections::BTreeMap::<&str, Vec<&Page>>::new();
        for page in self.posts() {
            for tag in page.post.iter().flat_map(|post| &post.tags) {
                tags.entry(tag).or_default().push(page);
            }
        }
        tags.into_iter().collect()
    }
}
