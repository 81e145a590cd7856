//! What a domain holds.

use morgana_emul::EmulPlatform;
use morgana_exec::Handle;
use morgana_hal::Platform;

/// What a domain holds at some moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Holdings {
    /// Grant references in use.
    pub grants: usize,
    /// Pages given back while the peer still mapped them.
    pub quarantined_pages: usize,
    /// Event channel ports.
    pub ports: usize,
    /// Tasks.
    pub tasks: usize,
    /// Timers that are waited for.
    pub timers: usize,
    /// Bytes of heap, if the program's allocator is [`HeapAccounts`](morgana_emul::HeapAccounts).
    pub heap_bytes: usize,
}

impl Holdings {
    pub(crate) fn of(platform: &EmulPlatform, handle: &Handle) -> Self {
        let usage = platform.usage();
        Self {
            grants: usage.grants_used,
            quarantined_pages: usage.quarantined_pages,
            ports: usage.ports_used,
            tasks: handle.tasks(),
            timers: handle.timers().waiting(),
            heap_bytes: usage.heap_used_bytes,
        }
    }

    /// Whether this is as much as `before`, but for so many bytes of heap.
    pub(crate) fn is_back_at(self, before: Self, slack_bytes: usize) -> bool {
        let heap_bytes = before.heap_bytes;
        self.heap_bytes <= heap_bytes + slack_bytes && Self { heap_bytes, ..self } == before
    }
}
