//! Any bytes as a stream: they are read to an end or an error, and what was read is the same after being written anew.

use morgana_xenstore_migration::{Reader, Record, Scope, Writer};

/// Whether the writer can say the record at all: what it leaves out of a stream of an older version, or of a type that it does not know,
/// it cannot write.
fn is_ours(record: &Record<'_>) -> bool {
    match record {
        Record::Domain(domain) => domain.features.is_some(),
        Record::Unknown(_) => false,
        _ => true,
    }
}

/// Checks one input.
pub(crate) fn check(input: &[u8]) {
    let Ok(mut reader) = Reader::new(input) else {
        return;
    };
    let mut writer = Writer::new();
    let mut records = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(record)) => {
                look_at(&record);
                if is_ours(&record) {
                    writer.push(&record).expect("what was read fits");
                    records.push(record);
                }
            }
            Ok(None) => {
                assert_eq!(reader.next(), Ok(None));
                break;
            }
            Err(error) => {
                assert_eq!(reader.next(), Err(error));
                assert!(error.offset <= input.len() + 7);
                assert!(!error.to_string().is_empty());
                break;
            }
        }
    }
    let bytes = writer.finish();
    let mut reader = Reader::new(&bytes).expect("a header that was written is one");
    for record in records {
        assert_eq!(reader.next(), Ok(Some(record)));
    }
    assert_eq!(reader.next(), Ok(None));
}

fn look_at(record: &Record<'_>) {
    match record {
        Record::Node(node) | Record::Note(node) | Record::Step(node) => {
            assert_eq!(node.permissions.iter().count(), node.permissions.len());
            if let Scope::Transaction(transaction) = node.scope {
                assert_ne!(transaction.connection, 0);
            }
        }
        Record::Quotas(quotas) => quotas
            .iter()
            .for_each(|(name, _)| assert!(!name.contains('\0'))),
        Record::Domain(domain) => {
            let quotas = domain.quotas.iter();
            quotas.for_each(|(name, _)| assert!(!name.contains('\0')));
        }
        Record::Connection(connection) => {
            assert_ne!(connection.id, 0);
            assert!(usize::from(connection.partial) <= connection.output.len());
        }
        _ => {}
    }
}
