//! Which of a domain's pages are in use.

/// Hands out runs of neighbouring pages, the lowest that fits.
#[derive(Debug)]
pub(crate) struct PageAllocator {
    used: Vec<bool>,
    /// Every page below is in use.
    first_free: usize,
}

impl PageAllocator {
    pub(crate) fn new(pages: usize) -> Self {
        Self {
            used: vec![false; pages],
            first_free: 0,
        }
    }

    /// The first of `count` neighbouring pages, now in use; `None` if there is no such run.
    pub(crate) fn take(&mut self, count: usize) -> Option<usize> {
        let mut start = self.first_free;
        let mut page = start;
        while page - start < count {
            match self.used.get(page) {
                Some(false) => {}
                Some(true) => start = page + 1,
                None => return None,
            }
            page += 1;
        }
        self.used[start..page].fill(true);
        if start == self.first_free {
            self.first_free = page;
        }
        Some(start)
    }

    /// The pages in use, in order.
    pub(crate) fn used(&self) -> impl Iterator<Item = usize> {
        let pages = self.used.iter().enumerate();
        pages.filter_map(|(page, &used)| used.then_some(page))
    }

    /// Gives one page back.
    pub(crate) fn give_back(&mut self, page: usize) {
        assert!(self.used[page], "a page is given back twice");
        self.used[page] = false;
        self.first_free = self.first_free.min(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_neighbours_and_holes_are_used_again() {
        let mut pages = PageAllocator::new(8);
        assert_eq!(pages.take(3), Some(0));
        assert_eq!(pages.take(2), Some(3));
        assert_eq!(pages.take(4), None);
        assert_eq!(pages.take(3), Some(5));
        assert_eq!(pages.take(1), None);
        for page in [1, 2, 6] {
            pages.give_back(page);
        }
        assert_eq!(pages.take(3), None);
        assert_eq!(pages.take(2), Some(1));
        assert_eq!(pages.take(1), Some(6));
    }

    #[test]
    #[should_panic(expected = "given back twice")]
    fn giving_back_twice_is_caught() {
        let mut pages = PageAllocator::new(2);
        pages.take(1);
        pages.give_back(0);
        pages.give_back(0);
    }
}
