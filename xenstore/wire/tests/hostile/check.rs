//! Everything that parses, over any bytes: as a stream of packets, as a payload of every operation, as paths and permissions.

use morgana_xenstore_wire::{
    Decoder, DirectoryPart, Errno, Fields, Operation, PAYLOAD_MAX, Path, Permission, Request,
    RequestId, TransactionId, WatchEvent, parse_flag, parse_names, parse_number,
};

/// The first byte says how the rest is cut into pieces for the decoder.
pub(crate) fn check(input: &[u8]) {
    let Some((&cut, bytes)) = input.split_first() else {
        return;
    };
    stream(usize::from(cut) + 1, bytes);
    for &operation in Operation::ALL {
        payload(operation, bytes);
    }
    texts(bytes);
}

/// A server's and a client's view of what comes in.
fn stream(piece: usize, mut bytes: &[u8]) {
    let total = bytes.len();
    let mut decoder = Decoder::new();
    let mut seen = 0;
    loop {
        loop {
            match decoder.next() {
                Ok(Some(packet)) => {
                    assert_eq!(packet.payload.len(), packet.header.len as usize);
                    assert!(packet.payload.len() <= PAYLOAD_MAX);
                    seen += 16 + packet.payload.len();
                    if let Some(operation) = packet.header.operation() {
                        payload(operation, packet.payload);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    assert!(error.len as usize > PAYLOAD_MAX);
                    return;
                }
            }
        }
        if bytes.is_empty() {
            assert!(seen <= total);
            assert_eq!(decoder.is_between_packets(), seen == total);
            return;
        }
        let space = decoder.space();
        let len = space.len().min(bytes.len()).min(piece);
        assert!(len > 0, "a decoder that wants more has room for it");
        space[..len].copy_from_slice(&bytes[..len]);
        decoder.filled(len);
        bytes = &bytes[len..];
    }
}

/// What parses as a request means the same after encoding it anew.
fn payload(operation: Operation, bytes: &[u8]) {
    let Ok(request) = Request::parse(operation, bytes) else {
        return;
    };
    assert_eq!(request.operation(), operation);
    let mut out = Vec::new();
    let encoded = request.encode(RequestId(1), TransactionId::NONE, &mut out);
    assert_eq!(encoded.is_ok(), !out.is_empty());
    if encoded.is_ok() {
        assert_eq!(Request::parse(operation, &out[16..]), Ok(request));
    }
}

fn texts(bytes: &[u8]) {
    if let Ok(event) = WatchEvent::parse(bytes) {
        let mut out = Vec::new();
        event.emit(&mut out);
        assert!(bytes.starts_with(&out));
    }
    if let Ok(part) = DirectoryPart::parse(bytes) {
        assert!(part.len as usize <= bytes.len());
        assert!(part.names.iter().all(|name| !name.is_empty()));
    }
    if let Ok(names) = parse_names(bytes) {
        let length: usize = names.iter().map(|name| name.len() + 1).sum();
        assert_eq!(length, bytes.len());
    }
    if let Ok(number) = parse_number::<u32>(bytes) {
        assert_eq!(
            number.to_string().trim_start_matches('0').len(),
            significant(bytes)
        );
    }
    let _ = (parse_flag(bytes), Errno::from_name(bytes));
    let mut fields = Fields::new(bytes);
    while let Ok(permission) = Permission::parse(&mut fields) {
        let text = format!("{permission}\0");
        assert_eq!(
            Permission::parse(&mut Fields::new(text.as_bytes())),
            Ok(permission)
        );
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(path) = Path::parse_watch(text) {
        assert_eq!(Path::parse(text).is_ok(), !path.is_special());
        assert!(path.is_at_or_below(path));
        if let Some(parent) = path.parent() {
            assert!(path.is_at_or_below(parent) && !parent.is_at_or_below(path));
            assert_eq!(Path::parse_watch(parent.as_str()), Ok(parent));
        }
    }
}

/// Digits from the first that is not zero.
fn significant(bytes: &[u8]) -> usize {
    let digits = bytes.iter().skip_while(|&&byte| byte == b'0');
    digits.filter(|byte| byte.is_ascii_digit()).count()
}
