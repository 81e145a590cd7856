//! A request's head, checked in one pass.

use super::ascii::{is_field_value, is_target, is_token, trim};
use super::framing::{FramingFields, persistence};
use super::headers::split_line;
use super::{Expectation, Framing, HeadError, Headers, Method, Persistence, normalise};

/// The version of a request. Any minor version over 1 counts as 1.1 (RFC 9110 §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

/// The limits of a request's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the whole head, empty lines before and after it included. Over it: 431, or 414 within the first line.
    pub head: usize,
    /// Bytes of the request target. Over it: 414.
    pub target: usize,
    /// Header fields. Over it: 431.
    pub headers: usize,
}

/// A request without its body. It borrows the head's bytes and holds no copy of them.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    method: Method,
    path: &'a str,
    query: Option<&'a str>,
    version: Version,
    host: &'a str,
    headers: Headers<'a>,
    framing: Framing,
    persistence: Persistence,
    expectation: Expectation,
    conditional: bool,
}

impl<'a> Request<'a> {
    /// Parses a head from its request line to the empty line at its end. The path is decoded and normalised in place
    /// (see [`normalise`]); the rest of `head` stays as it was.
    pub fn parse(head: &'a mut [u8], limits: &HeadLimits) -> Result<Self, HeadError> {
        let line_end = head
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or(HeadError::RequestLine)?;
        let (line, fields) = head.split_at_mut(line_end + 1);
        let [line @ .., b'\r', b'\n'] = line else {
            return Err(HeadError::BareLineFeed);
        };
        let (method, target, version) = split_request_line(line)?;
        if target.len() > limits.target {
            return Err(HeadError::TargetTooLong);
        }
        let method = Method::parse(method).ok_or(HeadError::Method)?;

        let checked = check_fields(fields, limits)?;
        let framing = checked.framing.decide(version)?;
        let headers = checked.headers;
        match (checked.hosts, version) {
            (0, Version::Http11) => return Err(HeadError::HostMissing),
            (0 | 1, _) => {}
            _ => return Err(HeadError::HostRepeated),
        }
        // RFC 9110 §10.1.1: an expectation in an HTTP/1.0 request is ignored.
        let expectation = match checked.expect {
            Some(value) if version == Version::Http11 => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(HeadError::Expectation);
                }
                if framing == Framing::Empty {
                    Expectation::None
                } else {
                    Expectation::Continue
                }
            }
            _ => Expectation::None,
        };
        let target = Target::parse(target, method)?;
        Ok(Self {
            method,
            path: target.path,
            query: target.query,
            version,
            // RFC 9112 §3.2.2: an authority in the target goes before the field.
            host: match target.authority {
                Some(authority) => authority,
                None => host_name(checked.host.unwrap_or_default()).ok_or(HeadError::Host)?,
            },
            headers,
            framing,
            persistence: persistence(version, &headers),
            expectation,
            conditional: checked.conditional,
        })
    }

    /// The method.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The path, decoded and normalised; `*` if the request is `OPTIONS *`.
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// What follows the question mark, still percent-encoded.
    pub const fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// The version.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The host that was asked, with its port if that was given; empty in an HTTP/1.0 request that names none.
    pub const fn host(&self) -> &'a str {
        self.host
    }

    /// The header fields.
    pub const fn headers(&self) -> Headers<'a> {
        self.headers
    }

    /// How the body is delimited.
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the client lets the connection go on.
    pub const fn persistence(&self) -> Persistence {
        self.persistence
    }

    /// Whether the client waits for a `100 Continue`.
    pub const fn expectation(&self) -> Expectation {
        self.expectation
    }

    /// Whether there is any `If-…` or `Range` field. If not, nobody need look for one.
    pub(crate) const fn is_conditional(&self) -> bool {
        self.conditional
    }
}

/// Method, target and version, of which the first two are checked for their bytes alone.
fn split_request_line(line: &mut [u8]) -> Result<(&[u8], &mut [u8], Version), HeadError> {
    let first = line
        .iter()
        .position(|&byte| byte == b' ')
        .ok_or(HeadError::RequestLine)?;
    let (method, rest) = line.split_at_mut(first);
    let rest = &mut rest[1..];
    let second = rest
        .iter()
        .position(|&byte| byte == b' ')
        .ok_or(HeadError::RequestLine)?;
    let (target, version) = rest.split_at_mut(second);
    if !is_token(method) || !is_target(target) {
        return Err(HeadError::RequestLine);
    }
    let version = match &version[1..] {
        b"HTTP/1.0" => Version::Http10,
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9'] => Version::Http11,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            return Err(HeadError::Version);
        }
        _ => return Err(HeadError::RequestLine),
    };
    Ok((method, target, version))
}

/// What a pass over the header lines finds.
struct CheckedFields<'a> {
    headers: Headers<'a>,
    framing: FramingFields<'a>,
    host: Option<&'a [u8]>,
    hosts: usize,
    expect: Option<&'a [u8]>,
    conditional: bool,
}

/// Checks every line and remembers the fields that decide how to read on.
fn check_fields<'a>(fields: &'a [u8], limits: &HeadLimits) -> Result<CheckedFields<'a>, HeadError> {
    let mut checked = CheckedFields {
        headers: Headers::over(b""),
        framing: FramingFields::default(),
        host: None,
        hosts: 0,
        expect: None,
        conditional: false,
    };
    let (mut rest, mut count) = (fields, 0);
    loop {
        let (line, after) = split_line(rest).ok_or(HeadError::BareLineFeed)?;
        if line.is_empty() {
            checked.headers = Headers::over(&fields[..fields.len() - rest.len()]);
            return Ok(checked);
        }
        rest = after;
        count += 1;
        if count > limits.headers {
            return Err(HeadError::TooManyHeaders);
        }
        if matches!(line[0], b' ' | b'\t') {
            return Err(HeadError::Folded);
        }
        let colon = line
            .iter()
            .position(|&byte| byte == b':')
            .ok_or(HeadError::HeaderName)?;
        let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
        if !is_token(name) {
            return Err(HeadError::HeaderName);
        }
        if !is_field_value(value) {
            return Err(HeadError::HeaderValue);
        }
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("host") {
            checked.host = Some(value);
            checked.hosts += 1;
        } else if is("content-length") {
            checked.framing.content_length(value);
        } else if is("transfer-encoding") {
            checked.framing.transfer_encoding(value);
        } else if is("expect") {
            // Of two, the one that is no `100-continue` decides.
            if checked
                .expect
                .is_none_or(|first| first.eq_ignore_ascii_case(b"100-continue"))
            {
                checked.expect = Some(value);
            }
        } else if is("range") || (name.len() > 3 && name[..3].eq_ignore_ascii_case(b"if-")) {
            checked.conditional = true;
        }
    }
}

/// The parts of a request target.
struct Target<'a> {
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// RFC 9112 §3.2: origin-form, absolute-form, and the asterisk-form of OPTIONS. The authority-form is for CONNECT
    /// alone, which never comes here.
    fn parse(target: &'a mut [u8], method: Method) -> Result<Self, HeadError> {
        if target == b"*" && method == Method::Options {
            return Ok(Self {
                authority: None,
                path: "*",
                query: None,
            });
        }
        let (authority, target) = match absolute_prefix(target) {
            None => (None, target),
            Some(prefix) => {
                let rest = &mut target[prefix..];
                let end = rest
                    .iter()
                    .position(|&byte| matches!(byte, b'/' | b'?'))
                    .unwrap_or(rest.len());
                let (authority, rest) = rest.split_at_mut(end);
                let authority = host_name(authority)
                    .filter(|name| !name.is_empty())
                    .ok_or(HeadError::Target)?;
                (Some(authority), rest)
            }
        };
        let question = target.iter().position(|&byte| byte == b'?');
        let (path, query) = target.split_at_mut(question.unwrap_or(target.len()));
        let query = match question {
            None => None,
            Some(_) => Some(core::str::from_utf8(&query[1..]).map_err(|_| HeadError::Target)?),
        };
        let path = match authority {
            // RFC 9110 §4.2.3: the empty path of an absolute URI is the root.
            Some(_) if path.is_empty() => "/",
            _ => normalise(path).map_err(|_| HeadError::Target)?,
        };
        Ok(Self {
            authority,
            path,
            query,
        })
    }
}

/// The length of `http://` or `https://` if the target begins so.
fn absolute_prefix(target: &[u8]) -> Option<usize> {
    ["http://", "https://"].into_iter().find_map(|scheme| {
        target
            .get(..scheme.len())?
            .eq_ignore_ascii_case(scheme.as_bytes())
            .then_some(scheme.len())
    })
}

/// A host with an optional port (RFC 9110 §7.2), which may be empty. User information, a slash, a space or a comma,
/// with which a second host could be smuggled in, are none of its bytes.
fn host_name(value: &[u8]) -> Option<&str> {
    let allowed = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%' | b':' | b'[' | b']')
    };
    let text = core::str::from_utf8(value)
        .ok()
        .filter(|_| value.iter().all(allowed))?;
    // A bracketed IPv6 address, or a name without colons and brackets; then perhaps a port.
    let port = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            if address.is_empty() || address.contains('[') {
                return None;
            }
            port
        }
        None => {
            let end = text.find([':', '[', ']']).unwrap_or(text.len());
            if end == 0 && !text.is_empty() {
                return None;
            }
            &text[end..]
        }
    };
    let digits = if port.is_empty() {
        port
    } else {
        port.strip_prefix(':')?
    };
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(text)
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
