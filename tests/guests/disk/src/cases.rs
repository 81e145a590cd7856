//! What is measured, by our guest and by the program in the Linux domain that it is compared with: both are made of this file.

/// One kind of load.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// Its name, in what is written and in the figures.
    pub(crate) name: &'static str,
    /// Whether it writes.
    pub(crate) writes: bool,
    /// Whether places are random; else they follow each other.
    pub(crate) random: bool,
    /// Bytes of one access.
    pub(crate) bytes: usize,
    /// Accesses under way at once.
    pub(crate) depth: usize,
    /// Accesses in all.
    pub(crate) count: u64,
}

const fn case(name: &'static str, writes: bool, bytes: usize, depth: usize, count: u64) -> Case {
    Case {
        name,
        writes,
        random: bytes == 4096,
        bytes,
        depth,
        count,
    }
}

/// All cases, in the order in which they run.
pub(crate) const CASES: [Case; 6] = [
    case("read-qd1", false, 4096, 1, 600),
    case("write-qd1", true, 4096, 1, 600),
    case("read-qd32", false, 4096, 32, 6000),
    case("write-qd32", true, 4096, 32, 6000),
    case("seq-read", false, 131_072, 8, 300),
    case("seq-write", true, 131_072, 8, 300),
];

/// Accesses before the clock starts, so that what happens once (page tables, caches, pages that a back end maps) has happened.
pub(crate) const WARM_UP: u64 = 100;

/// How long the program does nothing before each case, so that others can look at the domain's account, in milliseconds.
pub(crate) const PAUSE_MS: u64 = 2500;

/// Where accesses go.
pub(crate) struct Places {
    state: u64,
    next: u64,
    count: u64,
    random: bool,
}

impl Places {
    /// Places on a disk of so many bytes.
    pub(crate) fn new(case: &Case, disk_bytes: u64) -> Self {
        Self {
            state: 1,
            next: 0,
            count: (disk_bytes / case.bytes as u64).max(1),
            random: case.random,
        }
    }

    /// The next place, in units of an access.
    pub(crate) fn next(&mut self) -> u64 {
        if !self.random {
            self.next += 1;
            return (self.next - 1) % self.count;
        }
        // Marsaglia, "Xorshift RNGs", 2003.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % self.count
    }
}
