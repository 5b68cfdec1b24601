//! How values stand in a file of vectors.
#![forbid(unsafe_code)]

use core::fmt;
use core::marker::PhantomData;
use std::collections::BTreeMap;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::conformance::hex::{from_hex, to_hex};
use crate::digest::hash::{hex, unhex32};
use crate::status::SecurityStatus;

/// A status by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status(pub(super) SecurityStatus);

impl Status {
    pub(super) const OK: Self = Self(SecurityStatus::SEC_E_OK);
    pub(super) const INVALID_TOKEN: Self = Self(SecurityStatus::SEC_E_INVALID_TOKEN);
    pub(super) const LOGON_DENIED: Self = Self(SecurityStatus::SEC_E_LOGON_DENIED);
    pub(super) const MESSAGE_ALTERED: Self = Self(SecurityStatus::SEC_E_MESSAGE_ALTERED);
    pub(super) const OUT_OF_SEQUENCE: Self = Self(SecurityStatus::SEC_E_OUT_OF_SEQUENCE);
    pub(super) const INCOMPLETE_MESSAGE: Self = Self(SecurityStatus::SEC_E_INCOMPLETE_MESSAGE);
    pub(super) const BAD_BINDINGS: Self = Self(SecurityStatus::SEC_E_BAD_BINDINGS);

    /// SEC_E_OK, or the other one.
    pub(super) fn of(right: bool, wrong: Self) -> Self {
        if right { Self::OK } else { wrong }
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = SecurityStatus::ALL.iter().find(|(name, _)| *name == text);
        known.map(|(_, status)| Self(*status)).ok_or_else(|| D::Error::custom(format!("no status is called {text}")))
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match SecurityStatus::ALL.iter().find(|(_, status)| *status == self.0) {
            Some((name, _)) => serializer.serialize_str(name),
            None => serializer.collect_str(&format_args!("0x{:08X}", self.0.0)),
        }
    }
}

/// Octets: a string where they are text, else `{"hex": "…"}`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Octets(pub(super) Vec<u8>);

impl fmt::Debug for Octets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.escape_ascii())
    }
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Written {
    Text(String),
    Hex { hex: String },
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Hex { hex } => {
                let octets =
                    from_hex(&hex).ok_or_else(|| D::Error::custom("octets in pairs of small hexadecimal digits"))?;
                // One spelling of each, or duplicates could hide.
                if octets.iter().all(|octet| (0x20..0x7f).contains(octet)) {
                    return Err(D::Error::custom("octets in hexadecimal that are text"));
                }
                Ok(Self(octets))
            }
        }
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Hex {
            hex: String,
        }
        match str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Hex { hex: to_hex(&self.0) }.serialize(serializer),
        }
    }
}

/// Octets that are always in hexadecimal: keys, protected messages, structures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hex(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        from_hex(&text).map(Self).ok_or_else(|| D::Error::custom("octets in pairs of small hexadecimal digits"))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_hex(&self.0))
    }
}

/// 16 octets as 32 hexadecimal digits; what a peer sends may have them in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest(pub(super) [u8; 16]);

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        unhex32(text.as_bytes()).map(Self).ok_or_else(|| D::Error::custom("32 hexadecimal digits"))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&hex(&self.0)))
    }
}

/// A map whose names are each there once; serde itself would keep the last of them.
pub(super) fn unique<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    struct Unique<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Unique<T> {
        type Value = BTreeMap<String, T>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((name, value)) = members.next_entry::<String, T>()? {
                if map.contains_key(&name) {
                    return Err(A::Error::custom(format!("duplicate member `{name}`")));
                }
                map.insert(name, value);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(Unique(PhantomData))
}

/// A member that may be null and must be there.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

#[cfg(test)]
mod tests {
    use super::{Digest, Hex, Octets, Status};

    #[test]
    fn octets_have_one_spelling_each() {
        let read = |text: &str| serde_json::from_str::<Octets>(text).map(|octets| octets.0);
        assert_eq!(read(r#""a\"b""#).ok(), Some(b"a\"b".to_vec()));
        assert_eq!(read(r#"{"hex": "00ff"}"#).ok(), Some(vec![0, 255]));
        for refused in [r#"{"hex": "6162"}"#, r#"{"hex": "00FF"}"#, r#"{"hex": "0"}"#, r#"{"hex": "00", "x": 1}"#, "1"]
        {
            assert!(read(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for octets in [Octets(b"text".to_vec()), Octets(vec![0xff, 0])] {
            let text = serde_json::to_string(&octets).expect("it has a form");
            assert_eq!(serde_json::from_str::<Octets>(&text).ok(), Some(octets), "{text}");
        }
        assert_eq!(serde_json::to_string(&Hex(vec![0, 0xab])).ok().as_deref(), Some("\"00ab\""));
        assert_eq!(serde_json::to_string(&Status::OK).ok().as_deref(), Some("\"SEC_E_OK\""));
        assert!(serde_json::from_str::<Status>("\"SEC_E_FINE\"").is_err());
        assert!(serde_json::from_str::<Digest>("\"00\"").is_err());
    }
}
