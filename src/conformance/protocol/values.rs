//! How values stand in messages: octets, words of 64 bits, handles, statuses, buffers.
#![forbid(unsafe_code)]

use core::fmt;
use core::marker::PhantomData;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::buffer::{BufferType, SecHandle};
use crate::conformance::hex::{from_hex, to_hex};
use crate::spec::call::{Buffer, Descriptor, SessionKeyBytes};
use crate::status::SecurityStatus;

/// A string of which a value is made, or a refusal that does not repeat it: it may be a secret.
fn parsed<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    struct Text<T> {
        expected: &'static str,
        parse: fn(&str) -> Option<T>,
    }
    impl<T> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(self.expected)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            (self.parse)(text).ok_or_else(|| E::custom(format_args!("expected {}", self.expected)))
        }
    }
    deserializer.deserialize_str(Text { expected, parse })
}

/// An optional value that stands in a message as an `M`; null is NULL.
pub(super) struct Optional<M>(PhantomData<M>);

impl<M> Optional<M> {
    pub(super) fn serialize<T, S>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Clone,
        M: From<T> + Serialize,
        S: Serializer,
    {
        value.clone().map(M::from).serialize(serializer)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: From<M>,
        M: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Option::<M>::deserialize(deserializer)?.map(T::from))
    }
}

/// A value that stands in a message as an `M`.
pub(super) struct As<M>(PhantomData<M>);

impl<M> As<M> {
    pub(super) fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Clone,
        M: From<T> + Serialize,
        S: Serializer,
    {
        M::from(value.clone()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: From<M>,
        M: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        M::deserialize(deserializer).map(T::from)
    }
}

/// Octets in pairs of small hexadecimal digits.
#[derive(Clone)]
pub(super) struct Hex(Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "octets in pairs of small hexadecimal digits", from_hex).map(Self)
    }
}

impl From<Vec<u8>> for Hex {
    fn from(octets: Vec<u8>) -> Self {
        Self(octets)
    }
}

impl From<Hex> for Vec<u8> {
    fn from(hex: Hex) -> Self {
        hex.0
    }
}

impl From<SessionKeyBytes> for Hex {
    fn from(key: SessionKeyBytes) -> Self {
        Self(key.0)
    }
}

impl From<Hex> for SessionKeyBytes {
    fn from(hex: Hex) -> Self {
        Self(hex.0)
    }
}

/// 64 bits as `0x` and hexadecimal digits: numbers of JSON are exact to 53 bits only.
#[derive(Clone, Copy)]
pub(super) struct Word(u64);

impl Word {
    fn parse(text: &str) -> Option<u64> {
        let digits = text.strip_prefix("0x")?;
        // The parser of integers takes signs as well.
        let all_are = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if all_are { u64::from_str_radix(digits, 16).ok() } else { None }
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "0x and up to 16 hexadecimal digits", Self::parse).map(Self)
    }
}

impl From<u64> for Word {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

impl From<Word> for u64 {
    fn from(word: Word) -> Self {
        word.0
    }
}

/// A SecHandle: dwLower, dwUpper.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Handle(Word, Word);

impl From<SecHandle> for Handle {
    fn from(handle: SecHandle) -> Self {
        Self(Word(handle.lower), Word(handle.upper))
    }
}

impl From<Handle> for SecHandle {
    fn from(Handle(lower, upper): Handle) -> Self {
        Self { lower: lower.0, upper: upper.0 }
    }
}

/// A status by its name, or as `0x` and eight hexadecimal digits, which those who do not know names may always use.
#[derive(Clone, Copy)]
pub(super) struct Status(SecurityStatus);

impl Status {
    fn parse(text: &str) -> Option<SecurityStatus> {
        SecurityStatus::from_name(text).or_else(|| {
            let is_number = text.len() == 10;
            let number = if is_number { Word::parse(text) } else { None };
            number.and_then(|number| u32::try_from(number).ok()).map(SecurityStatus)
        })
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "the name of a status, or 0x and eight hexadecimal digits", Self::parse).map(Self)
    }
}

impl From<SecurityStatus> for Status {
    fn from(status: SecurityStatus) -> Self {
        Self(status)
    }
}

impl From<Status> for SecurityStatus {
    fn from(status: Status) -> Self {
        status.0
    }
}

/// A SecBuffer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BufferMessage {
    /// BufferType, attribute bits included.
    #[serde(rename = "type")]
    buffer_type: u32,
    /// cbBuffer.
    count: u32,
    /// pvBuffer: all the memory behind it, which may be more or less than `count`.
    #[serde(with = "Optional::<Hex>")]
    data: Option<Vec<u8>>,
}

/// A SecBufferDesc.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DescriptorMessage {
    /// ulVersion.
    version: u32,
    /// cBuffers.
    count: u32,
    /// pBuffers.
    buffers: Option<Vec<BufferMessage>>,
}

impl From<Descriptor> for DescriptorMessage {
    fn from(Descriptor { version, count, buffers }: Descriptor) -> Self {
        let message = |Buffer { buffer_type, count, data }| BufferMessage { buffer_type: buffer_type.0, count, data };
        Self { version, count, buffers: buffers.map(|buffers| buffers.into_iter().map(message).collect()) }
    }
}

impl From<DescriptorMessage> for Descriptor {
    fn from(DescriptorMessage { version, count, buffers }: DescriptorMessage) -> Self {
        let buffer = |BufferMessage { buffer_type, count, data }| {
            let buffer_type = BufferType(buffer_type);
            Buffer { buffer_type, count, data }
        };
        Self { version, count, buffers: buffers.map(|buffers| buffers.into_iter().map(buffer).collect()) }
    }
}
