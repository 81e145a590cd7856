//! The check of the target `log_record`: any bytes are borne, and what is read is what would be written.

use morgana_record::{Entry, Frames, Line, Query, Record};

/// Reads the bytes as all that they could be.
pub(crate) fn check(input: &[u8]) {
    if let Ok(record) = Record::decode(input) {
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        assert_eq!(bytes, input);
    }
    if let Ok(entry) = Entry::decode(input) {
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        assert_eq!(bytes, input);
        assert!(!Line(&entry).to_string().chars().any(char::is_control));
        Query::default().wants(&entry);
    }
    if let Ok(query) = Query::decode(input) {
        let mut bytes = Vec::new();
        query.encode(&mut bytes);
        assert_eq!(bytes, input);
    }
    let (mut logger, mut domain) = (Frames::default(), Frames::default());
    logger.add(input);
    domain.add(input);
    let mut bytes = Vec::new();
    while let Ok(Some(message)) = logger.to_logger() {
        message.encode(&mut bytes);
    }
    assert!(input.starts_with(&bytes));
    bytes.clear();
    while let Ok(Some(message)) = domain.to_domain() {
        message.encode(&mut bytes);
    }
    assert!(input.starts_with(&bytes));
}
