//! Where the two lanes lie in the page.

/// One lane: a buffer and the two indices that run through it. The indices count bytes and wrap at 2^32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaneLayout {
    /// Where the buffer begins.
    pub buffer: usize,
    /// The buffer's size in bytes: a power of two.
    pub size: u32,
    /// Where the reader keeps how much it has taken.
    pub consumer: usize,
    /// Where the writer keeps how much it has put in.
    pub producer: usize,
}

/// A page with one lane for each direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByteLayout {
    /// What the guest writes.
    pub from_guest: LaneLayout,
    /// What the guest reads.
    pub to_guest: LaneLayout,
}

/// Which end of the page this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The domain that the page belongs to.
    Guest,
    /// The one that serves it: xenstored, xenconsoled.
    Server,
}

impl ByteLayout {
    /// io/xs_wire.h, `struct xenstore_domain_interface`.
    pub const XENSTORE: Self = Self {
        from_guest: LaneLayout {
            buffer: 0,
            size: 1024,
            consumer: 2048,
            producer: 2052,
        },
        to_guest: LaneLayout {
            buffer: 1024,
            size: 1024,
            consumer: 2056,
            producer: 2060,
        },
    };

    /// `server_features` of `struct xenstore_domain_interface`: a `u32` of bits, [`FEATURE_RECONNECTION`](Self::FEATURE_RECONNECTION) and
    /// [`FEATURE_ERROR`](Self::FEATURE_ERROR) among them, which the server writes.
    pub const XENSTORE_SERVER_FEATURES: usize = 2064;
    /// `connection` of `struct xenstore_domain_interface`: a `u32`, 0 while connected, 1 while the guest asks to connect anew.
    pub const XENSTORE_CONNECTION: usize = 2068;
    /// `error` of `struct xenstore_domain_interface`: a `u32`, why the server gave up (`XENSTORE_ERROR_*`).
    pub const XENSTORE_ERROR: usize = 2072;
    /// `XENSTORE_SERVER_FEATURE_RECONNECTION`: the guest may ask to connect anew.
    pub const FEATURE_RECONNECTION: u32 = 1;
    /// `XENSTORE_SERVER_FEATURE_ERROR`: the server writes the `error` field.
    pub const FEATURE_ERROR: u32 = 2;

    /// io/console.h, `struct xencons_interface`.
    pub const CONSOLE: Self = Self {
        to_guest: LaneLayout {
            buffer: 0,
            size: 1024,
            consumer: 3072,
            producer: 3076,
        },
        from_guest: LaneLayout {
            buffer: 1024,
            size: 2048,
            consumer: 3080,
            producer: 3084,
        },
    };

    /// The lane that `side` reads.
    pub const fn read_by(&self, side: Side) -> LaneLayout {
        match side {
            Side::Guest => self.to_guest,
            Side::Server => self.from_guest,
        }
    }

    /// The lane that `side` writes.
    pub const fn written_by(&self, side: Side) -> LaneLayout {
        match side {
            Side::Guest => self.from_guest,
            Side::Server => self.to_guest,
        }
    }
}

impl LaneLayout {
    /// Whether buffer and indices lie inside `len` bytes, the indices are aligned, and the size is a power of two.
    pub(crate) fn fits(&self, len: usize) -> bool {
        let ends_at = self.buffer.checked_add(self.size as usize);
        let index_fits =
            |at: usize| at.is_multiple_of(4) && at.checked_add(4).is_some_and(|end| end <= len);
        self.size.is_power_of_two()
            && ends_at.is_some_and(|end| end <= len)
            && index_fits(self.consumer)
            && index_fits(self.producer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_layouts_fit_a_page_and_broken_ones_do_not() {
        for layout in [ByteLayout::XENSTORE, ByteLayout::CONSOLE] {
            for side in [Side::Guest, Side::Server] {
                assert!(layout.read_by(side).fits(4096));
                assert!(!layout.read_by(side).fits(2050));
                assert!(layout.written_by(side).fits(4096));
            }
        }
        let good = ByteLayout::CONSOLE.to_guest;
        assert!(!LaneLayout { size: 1000, ..good }.fits(4096));
        assert!(!LaneLayout { size: 0, ..good }.fits(4096));
        assert!(
            !LaneLayout {
                buffer: 3073,
                ..good
            }
            .fits(4096)
        );
        assert!(
            !LaneLayout {
                buffer: usize::MAX,
                ..good
            }
            .fits(4096)
        );
        assert!(
            !LaneLayout {
                producer: 4094,
                ..good
            }
            .fits(4096)
        );
        assert!(
            !LaneLayout {
                consumer: 4096,
                ..good
            }
            .fits(4096)
        );
    }
}
