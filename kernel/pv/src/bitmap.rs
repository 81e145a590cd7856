//! Which of a row of equal things (page frames, virtual pages) are taken: one bit each.

/// A row of `len` things; a set bit means "taken".
///
/// Invariants: `words.len() * 64 >= len`; bits at and above `len` are set; `free` counts the clear bits; every thing at or
/// above `ceiling` is taken.
pub(crate) struct Bitmap<'m> {
    words: &'m mut [u64],
    len: usize,
    free: usize,
    ceiling: usize,
}

impl<'m> Bitmap<'m> {
    /// Words needed for `len` things.
    pub(crate) const fn words_for(len: usize) -> usize {
        len.div_ceil(64)
    }

    /// All taken. Things beyond what `words` has room for do not exist.
    pub(crate) fn full(words: &'m mut [u64], len: usize) -> Self {
        words.fill(!0);
        let len = len.min(words.len() * 64);
        Self {
            words,
            len,
            free: 0,
            ceiling: 0,
        }
    }

    /// How many are free.
    pub(crate) fn free(&self) -> usize {
        self.free
    }

    /// Whether `index` is taken; what does not exist is.
    pub(crate) fn is_taken(&self, index: usize) -> bool {
        index >= self.len || self.words[index / 64] & (1 << (index % 64)) != 0
    }

    /// Takes `count` things from `first` on if all are free.
    pub(crate) fn take_at(&mut self, first: usize, count: usize) -> bool {
        let Some(end) = first.checked_add(count) else {
            return false;
        };
        if end > self.len || (first..end).any(|index| self.is_taken(index)) {
            return false;
        }
        for index in first..end {
            self.words[index / 64] |= 1 << (index % 64);
        }
        self.free -= count;
        true
    }

    /// Takes the highest free run of `count` things; returns its first.
    pub(crate) fn take_highest(&mut self, count: usize) -> Option<usize> {
        if count == 0 || count > self.free {
            return None;
        }
        while self.ceiling > 0 && self.is_taken(self.ceiling - 1) {
            let word_is_full =
                self.ceiling.is_multiple_of(64) && self.words[self.ceiling / 64 - 1] == !0;
            self.ceiling -= if word_is_full { 64 } else { 1 };
        }
        let mut run = 0;
        let mut index = self.ceiling;
        while index > 0 {
            if index.is_multiple_of(64) && self.words[index / 64 - 1] == !0 {
                run = 0;
                index -= 64;
                continue;
            }
            index -= 1;
            run = if self.is_taken(index) { 0 } else { run + 1 };
            if run == count {
                self.take_at(index, count);
                return Some(index);
            }
        }
        None
    }

    /// Takes the lowest free run of `count` things; returns its first.
    pub(crate) fn take_lowest(&mut self, count: usize) -> Option<usize> {
        if count == 0 || count > self.free {
            return None;
        }
        let mut run = 0;
        let mut index = 0;
        while index < self.ceiling {
            if index.is_multiple_of(64) && self.words[index / 64] == !0 {
                run = 0;
                index += 64;
                continue;
            }
            run = if self.is_taken(index) { 0 } else { run + 1 };
            index += 1;
            if run == count {
                self.take_at(index - count, count);
                return Some(index - count);
            }
        }
        None
    }

    /// Frees `count` things from `first` on. What is free already, or does not exist, stays as it is.
    pub(crate) fn give(&mut self, first: usize, count: usize) {
        let end = first.saturating_add(count).min(self.len);
        let mut index = first;
        while index < end {
            // The bits of this word from `index` on, as far as they belong to the run.
            let bits = (64 - index % 64).min(end - index);
            let mask = (!0 >> (64 - bits)) << (index % 64);
            let word = &mut self.words[index / 64];
            self.free += (*word & mask).count_ones() as usize;
            *word &= !mask;
            index += bits;
        }
        self.ceiling = self.ceiling.max(end);
    }
}

#[cfg(test)]
mod tests;
