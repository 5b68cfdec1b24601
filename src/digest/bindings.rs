//! Channel bindings and extended protection (draft-santesson-digestbind-01, MS-DPSP section 3.1.5).
#![forbid(unsafe_code)]

use super::hash::{hex, md5, unhex32};
use super::response::Response;
use core::ops::Range;
use thiserror::Error;

/// How a nonce begins whose server understands channel bindings, and a cnonce whose client answers that.
pub const UPGRADED: &[u8; 12] = b"+Upgraded+v1";

/// The `channel-binding` of a client without an outer channel: 32 zeros.
pub const NO_CHANNEL: [u8; 32] = [b'0'; 32];

/// The length of a SEC_CHANNEL_BINDINGS structure without its data: eight integers of 32 bits.
const HEADER: usize = 32;

/// What a channel is known by: the data of a SEC_CHANNEL_BINDINGS structure (the page
/// `sec_channel_bindings`; RFC 2744 section 3.11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChannelBindings<'a> {
    /// The type of the initiator's address.
    pub initiator_address_type: u32,
    /// The initiator's address.
    pub initiator_address: &'a [u8],
    /// The type of the acceptor's address.
    pub acceptor_address_type: u32,
    /// The acceptor's address.
    pub acceptor_address: &'a [u8],
    /// What the application knows of the channel; of a TLS channel the prefix and the value of RFC 5929.
    pub application_data: &'a [u8],
}

/// Why a buffer is no SEC_CHANNEL_BINDINGS structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum BindingsError {
    /// It ends within the eight integers.
    #[error("channel bindings have 32 bytes at least, and these have {bytes}")]
    Short {
        /// How long it is.
        bytes: usize,
    },
    /// An offset and a length reach beyond the end.
    #[error("the {part} of the channel bindings lies outside of their buffer")]
    Outside {
        /// Which data.
        part: &'static str,
    },
}

impl<'a> ChannelBindings<'a> {
    /// Reads a SEC_CHANNEL_BINDINGS structure as it lies in memory: integers little-endian, offsets from its start.
    ///
    /// Of data without length the offset means nothing.
    ///
    /// # Errors
    /// The buffer is shorter than the structure, or data lies outside of it.
    pub fn parse(buffer: &'a [u8]) -> Result<Self, BindingsError> {
        let (header, _) = buffer.split_first_chunk::<HEADER>().ok_or(BindingsError::Short { bytes: buffer.len() })?;
        let mut integers = [0; HEADER / 4];
        for (integer, bytes) in integers.iter_mut().zip(header.as_chunks::<4>().0) {
            *integer = u32::from_le_bytes(*bytes);
        }
        let [
            initiator_address_type,
            initiator_length,
            initiator_offset,
            acceptor_address_type,
            acceptor_length,
            acceptor_offset,
            application_length,
            application_offset,
        ] = integers;
        let data = |part, offset, length| data(buffer, offset, length).ok_or(BindingsError::Outside { part });
        Ok(Self {
            initiator_address_type,
            initiator_address: data("initiator address", initiator_offset, initiator_length)?,
            acceptor_address_type,
            acceptor_address: data("acceptor address", acceptor_offset, acceptor_length)?,
            application_data: data("application data", application_offset, application_length)?,
        })
    }

    /// The SEC_CHANNEL_BINDINGS structure: the integers, then the data in their order. Data without length has
    /// the offset 0. What lengths of 32 bits cannot say is cut off.
    pub fn to_buffer(&self) -> Vec<u8> {
        let mut data = Vec::new();
        let mut place = |bytes: &[u8]| {
            let offset = if bytes.is_empty() { 0 } else { u32::try_from(HEADER + data.len()).unwrap_or(u32::MAX) };
            data.extend_from_slice(bytes);
            [length(bytes), offset]
        };
        let [initiator_length, initiator_offset] = place(sayable(self.initiator_address));
        let [acceptor_length, acceptor_offset] = place(sayable(self.acceptor_address));
        let [application_length, application_offset] = place(sayable(self.application_data));
        let integers = [
            self.initiator_address_type,
            initiator_length,
            initiator_offset,
            self.acceptor_address_type,
            acceptor_length,
            acceptor_offset,
            application_length,
            application_offset,
        ];
        let mut buffer: Vec<u8> = integers.into_iter().flat_map(u32::to_le_bytes).collect();
        buffer.append(&mut data);
        buffer
    }

    /// The hash that `channel-binding` carries: MD5 over types, lengths and data, integers little-endian
    /// (draft-santesson-digestbind-01; RFC 4121 section 4.1.1.2 hashes the same way).
    pub fn hash(&self) -> [u8; 16] {
        let [initiator, acceptor, application] =
            [self.initiator_address, self.acceptor_address, self.application_data].map(sayable);
        md5(&[
            &self.initiator_address_type.to_le_bytes(),
            &length(initiator).to_le_bytes(),
            initiator,
            &self.acceptor_address_type.to_le_bytes(),
            &length(acceptor).to_le_bytes(),
            acceptor,
            &length(application).to_le_bytes(),
            application,
        ])
    }
}

/// Data of a buffer; `None` if it reaches beyond the end.
fn data(buffer: &[u8], offset: u32, length: u32) -> Option<&[u8]> {
    if length == 0 {
        return Some(&[]);
    }
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    buffer.get(Range { start, end })
}

/// As many bytes as a length of 32 bits can count.
fn sayable(bytes: &[u8]) -> &[u8] {
    usize::try_from(u32::MAX).ok().and_then(|most| bytes.get(..most)).unwrap_or(bytes)
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// Whether a client should answer this nonce with its channel: it begins with `+Upgraded+`, in this case.
pub fn is_upgraded_challenge(nonce: &[u8]) -> bool {
    nonce.starts_with(b"+Upgraded+")
}

/// The cnonce that brings the service and the channel under the digest: [`UPGRADED`], then MD5 over
/// `service_name ":" channel_binding` in hexadecimal digits, then the entropy in hexadecimal digits.
pub fn upgraded_cnonce(service_name: &[u8], channel_binding: &[u8; 32], entropy: &[u8; 16]) -> [u8; 76] {
    let mut cnonce = [0; 76];
    let octets = UPGRADED.iter().copied().chain(directives_hash(service_name, channel_binding)).chain(hex(entropy));
    for (octet, value) in cnonce.iter_mut().zip(octets) {
        *octet = value;
    }
    cnonce
}

/// What a cnonce says of the two directives.
fn directives_hash(service_name: &[u8], channel_binding: &[u8]) -> [u8; 32] {
    hex(&md5(&[service_name, b":", channel_binding]))
}

/// What a response says about its service and channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presented<'a> {
    /// Nothing: none of the directives, and a cnonce that does not begin with [`UPGRADED`].
    Missing,
    /// Some, but not what a client does: a directive is missing or malformed, or the cnonce does not cover them.
    Inconsistent,
    /// Service and channel, both covered by the cnonce and so by the digest.
    Bound {
        /// The service that the client means; may be empty.
        service_name: &'a [u8],
        /// The hash of the channel's bindings; zeros without a channel.
        channel_binding: [u8; 16],
    },
}

/// Reads what a response says about its service and channel.
pub fn presented<'a>(response: &'a Response<'_>) -> Presented<'a> {
    let rest = response.cnonce.strip_prefix(UPGRADED);
    let directives = [&response.hashed_dirs, &response.service_name, &response.channel_binding];
    if rest.is_none() && directives.into_iter().all(Option::is_none) {
        return Presented::Missing;
    }
    bound(response, rest).unwrap_or(Presented::Inconsistent)
}

fn bound<'a>(response: &'a Response<'_>, rest_of_cnonce: Option<&[u8]>) -> Option<Presented<'a>> {
    let hashed = response.hashed_dirs.as_deref()?;
    if !lists(hashed, "service-name") || !lists(hashed, "channel-binding") {
        return None;
    }
    let service_name = response.service_name.as_deref()?;
    let digits = response.channel_binding.as_deref()?;
    let channel_binding = unhex32(digits)?;
    let (hash, entropy) = rest_of_cnonce?.split_first_chunk::<32>()?;
    let covered = hash.eq_ignore_ascii_case(&directives_hash(service_name, digits));
    (covered && !entropy.is_empty()).then_some(Presented::Bound { service_name, channel_binding })
}

/// Whether a list separated by commas and white space has this member, ignoring ASCII case.
fn lists(list: &[u8], member: &str) -> bool {
    list.split(|octet| matches!(octet, b',' | b' ' | b'\t' | b'\r' | b'\n'))
        .any(|found| found.eq_ignore_ascii_case(member.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{
        BindingsError, ChannelBindings, NO_CHANNEL, Presented, UPGRADED, is_upgraded_challenge, presented,
        upgraded_cnonce,
    };
    use crate::digest::hash::{hex, unhex32};
    use crate::digest::{Limits, Response};

    const SERVICE: &[u8] = b"HTTP/www.example.com";

    /// The bindings of RFC 5929 section 4 for a certificate whose hash is 00 01 … 1f.
    fn end_point() -> Vec<u8> {
        [&b"tls-server-end-point:"[..], &(0..32).collect::<Vec<u8>>()].concat()
    }

    fn addressed() -> ChannelBindings<'static> {
        ChannelBindings {
            initiator_address_type: 2,
            initiator_address: &[192, 0, 2, 1],
            acceptor_address_type: 2,
            acceptor_address: &[192, 0, 2, 7],
            application_data: b"application",
        }
    }

    /// No document prints such hashes, so these come from Python's hashlib and struct:
    ///
    /// ```text
    /// def H(it, i, at, a, d):
    ///     return md5(pack('<II', it, len(i)) + i + pack('<II', at, len(a)) + a + pack('<I', len(d)) + d).hexdigest()
    /// H(0, b'', 0, b'', b'tls-server-end-point:' + bytes(range(32)))
    /// H(2, bytes([192, 0, 2, 1]), 2, bytes([192, 0, 2, 7]), b'application')
    /// H(0, b'', 0, b'', b'')
    /// pack('<8I', 2, 4, 32, 2, 4, 36, 11, 40)
    /// ```
    #[test]
    fn hash_and_structure() {
        let end_point = end_point();
        let tls = ChannelBindings { application_data: &end_point, ..ChannelBindings::default() };
        assert_eq!(Some(tls.hash()), unhex32(b"8f1214c9c9cab8dc3bf866da9aba57a7"));
        assert_eq!(Some(addressed().hash()), unhex32(b"33f65e884277b7d5796cdef945dbdf12"));
        assert_eq!(Some(ChannelBindings::default().hash()), unhex32(b"441018525208457705bf09a8ee3c1093"));

        let mut expected = vec![2, 0, 0, 0, 4, 0, 0, 0, 32, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 36, 0, 0, 0];
        expected.extend([11, 0, 0, 0, 40, 0, 0, 0]);
        expected.extend([192, 0, 2, 1, 192, 0, 2, 7]);
        expected.extend(b"application");
        assert_eq!(addressed().to_buffer(), expected);
        assert_eq!(ChannelBindings::parse(&expected), Ok(addressed()));
        assert_eq!(ChannelBindings::parse(&tls.to_buffer()), Ok(tls));
        assert_eq!(ChannelBindings::default().to_buffer(), [0; 32]);
    }

    #[test]
    fn what_lies_outside_of_the_buffer() {
        let whole = addressed().to_buffer();
        for bytes in 0..32 {
            assert_eq!(ChannelBindings::parse(&whole[..bytes]), Err(BindingsError::Short { bytes }));
        }
        for (bytes, part) in [(32, "initiator address"), (36, "acceptor address"), (40, "application data")] {
            assert_eq!(ChannelBindings::parse(&whole[..bytes]), Err(BindingsError::Outside { part }));
            assert_eq!(ChannelBindings::parse(&whole[..bytes + 3]), Err(BindingsError::Outside { part }));
        }
        assert_eq!(ChannelBindings::parse(&whole[..50]), Err(BindingsError::Outside { part: "application data" }));
        // Offset and length whose sum does not fit 32 bits.
        let mut far = whole.clone();
        far[4..12].fill(0xFF);
        assert_eq!(ChannelBindings::parse(&far), Err(BindingsError::Outside { part: "initiator address" }));
        // Without length the offset means nothing.
        let mut nothing = whole;
        nothing[4..8].fill(0);
        nothing[8..12].fill(0xFF);
        assert_eq!(ChannelBindings::parse(&nothing), Ok(ChannelBindings { initiator_address: b"", ..addressed() }));
    }

    #[test]
    fn the_prefix_has_a_case() {
        assert!(is_upgraded_challenge(b"+Upgraded+v1abc"));
        assert!(is_upgraded_challenge(b"+Upgraded+v2"));
        for other in [&b""[..], b"+upgraded+v1abc", b"Upgraded+v1", b" +Upgraded+v1", b"+Upgraded"] {
            assert!(!is_upgraded_challenge(other), "{}", other.escape_ascii());
        }
    }

    /// From Python's hashlib: `md5(b'HTTP/www.example.com:' + hash).hexdigest()` with the first hash of
    /// [`hash_and_structure`], and `md5(b':' + b'0' * 32)`.
    #[test]
    fn the_cnonce_covers_service_and_channel() {
        let cnonce = upgraded_cnonce(SERVICE, b"8f1214c9c9cab8dc3bf866da9aba57a7", &[0xab; 16]);
        let expected = b"+Upgraded+v1766cae9ef37138bd1679ab111f06e5bdabababababababababababababababab";
        assert_eq!(&cnonce, expected);
        let cnonce = upgraded_cnonce(b"", &NO_CHANNEL, &[0; 16]);
        assert_eq!(&cnonce[12..44], b"5c1d89757bd55776df6e2788dcdca922");
    }

    /// What a response with these directives, and this cnonce, presents.
    fn judged(rest: &str, cnonce: &str) -> String {
        let token = format!(
            "username=u,realm=r,nonce=n,uri=\"/\",qop=auth,nc=00000001,cnonce=\"{cnonce}\",\
            response=00112233445566778899aabbccddeeff,opaque=o{rest}"
        );
        let response = Response::parse(token.as_bytes(), &Limits::default()).expect("a good response");
        match presented(&response) {
            Presented::Missing => "missing".into(),
            Presented::Inconsistent => "inconsistent".into(),
            Presented::Bound { service_name, channel_binding } => {
                format!("{} {}", service_name.escape_ascii(), hex(&channel_binding).escape_ascii())
            }
        }
    }

    /// The second hash is the first one's digits in upper case, hashed as sent: Python's
    /// `md5(b'HTTP/www.example.com:' + hash.upper()).hexdigest()`.
    #[test]
    fn what_a_response_presents() {
        const DIRECTIVES: &str = ",hashed-dirs=\"service-name,channel-binding\",service-name=\"HTTP/www.example.com\",\
            channel-binding=\"8f1214c9c9cab8dc3bf866da9aba57a7\"";
        const CNONCE: &str = "+Upgraded+v1766cae9ef37138bd1679ab111f06e5bd0";
        const BOUND: &str = "HTTP/www.example.com 8f1214c9c9cab8dc3bf866da9aba57a7";
        assert_eq!(judged(DIRECTIVES, CNONCE), BOUND);
        assert_eq!(judged("", "anything"), "missing");

        for bound in [
            DIRECTIVES.replace("service-name,channel-binding", "Channel-Binding ,\tx, SERVICE-NAME,"),
            DIRECTIVES.replace("HTTP/", "HTT\\P/"),
        ] {
            assert_eq!(judged(&bound, CNONCE), BOUND, "{bound}");
        }
        assert_eq!(judged(DIRECTIVES, &CNONCE.replace("cae", "CAE")), BOUND);
        let upper = DIRECTIVES.replace("8f1214c9c9cab8dc3bf866da9aba57a7", "8F1214C9C9CAB8DC3BF866DA9ABA57A7");
        assert_eq!(judged(&upper, "+Upgraded+v1cd177f43d93ec71424c2b8cb09d225950"), BOUND);
        assert_eq!(judged(&upper, CNONCE), "inconsistent");
        // Zeros and an empty service are presented like any other.
        let nothing = ",hashed-dirs=\"service-name,channel-binding\",service-name=\"\",\
            channel-binding=\"00000000000000000000000000000000\"";
        assert_eq!(
            judged(nothing, "+Upgraded+v15c1d89757bd55776df6e2788dcdca9220"),
            " 00000000000000000000000000000000"
        );

        for (rest, cnonce) in [
            (DIRECTIVES, "anything"),
            (DIRECTIVES, CNONCE.strip_suffix('0').unwrap_or_default()),
            (DIRECTIVES, &CNONCE.replace("+U", "+u")),
            (DIRECTIVES, &CNONCE.replace("766c", "766d")),
            ("", CNONCE),
            ("", "+Upgraded+v1"),
            (",service-name=\"HTTP/www.example.com\"", "anything"),
            (",hashed-dirs=\"\"", "anything"),
            (&DIRECTIVES.replace("service-name,channel-binding", "service-name"), CNONCE),
            (&DIRECTIVES.replace("service-name,channel-binding", "service-name;channel-binding"), CNONCE),
            (&DIRECTIVES.replace("www", "ww"), CNONCE),
            (&DIRECTIVES.replace("8f12", "8f13"), CNONCE),
            (&DIRECTIVES.replace("8f12", "8f1"), CNONCE),
            (&DIRECTIVES.replace("8f12", "8f1g"), CNONCE),
            (&DIRECTIVES.replace(",service-name=", ",x="), CNONCE),
            (&DIRECTIVES.replace(",channel-binding=", ",x="), CNONCE),
            (&DIRECTIVES.replace(",hashed-dirs=", ",x="), CNONCE),
        ] {
            assert_eq!(judged(rest, cnonce), "inconsistent", "{rest} {cnonce}");
        }
        assert!(UPGRADED.starts_with(b"+Upgraded+"));
    }
}
