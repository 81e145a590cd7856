//! What the store keeps of its changes makes the same store again; and any bytes as such a journal make a store or an error.

use morgana_xenstore_migration::{BootId, Frame, HEAD, Journal, Reader, Record, head};
use morgana_xenstore_store::{Quota, RecoverError, Recovered, Store};

const BOOT: BootId = BootId([7; 16]);

/// A journal in memory.
pub(crate) struct Kept(Vec<u8>);

impl Kept {
    /// Begins with what the store is now.
    pub(crate) fn new(store: &mut Store) -> Self {
        let state = store.lasting().expect("it fits a stream");
        store.keep_changes();
        Self([&head(BOOT, 1, &state)[..], &state].concat())
    }

    /// Keeps what has changed.
    pub(crate) fn keep(&mut self, store: &mut Store) {
        store.take_changes(|frame| self.0.extend_from_slice(frame));
    }

    /// What of it can be recovered when a part of it is missing, or is not what it was. How often it has begun anew does not matter.
    pub(crate) fn check_damage(&self) {
        let whole = recover(&self.0)
            .expect("a journal of ours is one")
            .reached
            .frames;
        let state = Journal::new(&self.0).expect("it is one").state().len();
        let mut most = 0;
        for len in 0..self.0.len() {
            let cut = &self.0[..len];
            match Journal::new(cut) {
                Ok(journal) => {
                    let recovered =
                        Store::recover(journal, Quota::default()).expect("what was whole is whole");
                    assert!(recovered.reached.frames >= most && recovered.reached.frames < whole);
                    most = recovered.reached.frames;
                }
                Err(_) => assert!(len < HEAD + state),
            }
        }
        for at in 0..self.0.len() {
            let mut flipped = self.0.clone();
            flipped[at] ^= 1 << (at % 8);
            match Journal::new(&flipped) {
                Ok(journal) => {
                    let recovered =
                        Store::recover(journal, Quota::default()).expect("what was whole is whole");
                    assert!(at >= HEAD + state && recovered.reached.frames < whole);
                    assert!(recovered.left_off > 0);
                }
                Err(_) => assert!(at < HEAD + state),
            }
        }
    }

    /// The store that comes of it has all that is to last.
    pub(crate) fn check(&self, store: &Store) {
        let recovered = recover(&self.0).expect("a journal of ours is one");
        assert_eq!(recovered.left_off, 0);
        let [kept, back] = [store, &recovered.store].map(|store| store.lasting().expect("fits"));
        let (mut kept, mut back) = (lasting(&kept), lasting(&back));
        loop {
            let [one, other] = [kept.next(), back.next()];
            assert_eq!(one, other);
            if one.is_none() {
                break;
            }
        }
    }
}

fn recover(journal: &[u8]) -> Result<Recovered, RecoverError> {
    let journal = Journal::new(journal).expect("a journal that was read before");
    Store::recover(journal, Quota::default())
}

/// The records of a state but those of open transactions, of which the names alone last, and of the count of changes.
fn lasting(state: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut reader = Reader::new(state).expect("a stream");
    let records = core::iter::from_fn(move || reader.next().expect("whole"));
    records.filter_map(|record| match record {
        Record::OwnGlobal(_) | Record::OwnTransaction(_) | Record::Note(_) | Record::Step(_) => {
            None
        }
        record => Some(record),
    })
}

/// Checks any bytes: as what somebody has left in the place of a journal; and as the parts of one, which their checksums would protect from changes: the
/// state, and frames of records, a length of two bytes before each.
pub(crate) fn check(input: &[u8]) {
    check_journal(input);
    let mut rest = input;
    let mut part = || {
        let (len, behind) = rest.split_first_chunk()?;
        let len = usize::from(u16::from_le_bytes(*len));
        let (part, behind) = behind.split_at(len.min(behind.len()));
        rest = behind;
        Some(part)
    };
    let Some(state) = part() else {
        return;
    };
    let mut journal = [&head(BOOT, 1, state)[..], state].concat();
    while let Some(records) = part() {
        journal.extend_from_slice(Frame::of_records(records).sealed());
    }
    check_journal(&journal);
}

fn check_journal(bytes: &[u8]) {
    let journal = match Journal::new(bytes) {
        Ok(journal) => journal,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let recovered = match Store::recover(journal, Quota::default()) {
        Ok(recovered) => recovered,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(recovered.left_off <= bytes.len());
    let mut store = recovered.store;
    let mut again = Kept::new(&mut store);
    for domain in store.known() {
        store.shut_down(domain, &mut Vec::new());
        store.release(domain, &mut Vec::new());
        again.keep(&mut store);
    }
    again.check(&store);
}
