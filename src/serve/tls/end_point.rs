//! `tls-server-end-point` (RFC 5929 section 4): the channel is known by the certificate of its server.
#![forbid(unsafe_code)]

use core::fmt;

use pkcs1::RsaPssParamsOwned;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::rfc5912;
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::digest::bindings::ChannelBindings;

/// The prefix that names this type of binding (RFC 5929 section 4, RFC 5056 section 2.1).
const PREFIX: &[u8] = b"tls-server-end-point:";

/// The `tls-server-end-point` of a channel: both ends of one channel have the same, and whoever stands between two
/// channels with a certificate of their own has another one on each.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerEndPoint {
    /// 28 to 64 bytes; no secret.
    hash: Vec<u8>,
}

/// Why a certificate makes no end point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndPointError {
    /// It is no X.509 certificate.
    #[error("it is no X.509 certificate in DER: {0}")]
    Malformed(String),
    /// RFC 5929 section 4.1 defines nothing for a signature algorithm that has no hash function, or several.
    #[error("RFC 5929 defines no tls-server-end-point for the signature algorithm {0} of the certificate")]
    Undefined(ObjectIdentifier),
}

/// The hash functions of an end point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// ecdsa-with-SHA1 (RFC 3279 section 2.2.3).
const ECDSA_WITH_SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");

/// Signature algorithms that name their hash function; RFC 5929 section 4.1 replaces MD5 and SHA-1 by SHA-256.
const SIGNATURES: [(ObjectIdentifier, Hash); 14] = [
    (rfc5912::MD_5_WITH_RSA_ENCRYPTION, Hash::Sha256),
    (rfc5912::SHA_1_WITH_RSA_ENCRYPTION, Hash::Sha256),
    (rfc5912::SHA_224_WITH_RSA_ENCRYPTION, Hash::Sha224),
    (rfc5912::SHA_256_WITH_RSA_ENCRYPTION, Hash::Sha256),
    (rfc5912::SHA_384_WITH_RSA_ENCRYPTION, Hash::Sha384),
    (rfc5912::SHA_512_WITH_RSA_ENCRYPTION, Hash::Sha512),
    (rfc5912::DSA_WITH_SHA_1, Hash::Sha256),
    (rfc5912::DSA_WITH_SHA_224, Hash::Sha224),
    (rfc5912::DSA_WITH_SHA_256, Hash::Sha256),
    (ECDSA_WITH_SHA_1, Hash::Sha256),
    (rfc5912::ECDSA_WITH_SHA_224, Hash::Sha224),
    (rfc5912::ECDSA_WITH_SHA_256, Hash::Sha256),
    (rfc5912::ECDSA_WITH_SHA_384, Hash::Sha384),
    (rfc5912::ECDSA_WITH_SHA_512, Hash::Sha512),
];

/// Hash functions by themselves, as the parameters of RSASSA-PSS name them.
const HASHES: [(ObjectIdentifier, Hash); 6] = [
    (rfc5912::ID_MD_5, Hash::Sha256),
    (rfc5912::ID_SHA_1, Hash::Sha256),
    (rfc5912::ID_SHA_224, Hash::Sha224),
    (rfc5912::ID_SHA_256, Hash::Sha256),
    (rfc5912::ID_SHA_384, Hash::Sha384),
    (rfc5912::ID_SHA_512, Hash::Sha512),
];

fn find(table: &[(ObjectIdentifier, Hash)], oid: ObjectIdentifier) -> Option<Hash> {
    table.iter().find(|(known, _)| *known == oid).map(|(_, hash)| *hash)
}

impl Hash {
    fn of_signature(algorithm: &AlgorithmIdentifierOwned) -> Option<Self> {
        if algorithm.oid == rfc5912::ID_RSASSA_PSS {
            let parameters = algorithm.parameters.as_ref()?.to_der().ok()?;
            let parameters = RsaPssParamsOwned::from_der(&parameters).ok()?;
            // Another one in the mask generation would be a second hash function.
            let single = parameters.mask_gen.parameters.is_some_and(|mask| mask.oid == parameters.hash.oid);
            return if single { find(&HASHES, parameters.hash.oid) } else { None };
        }
        find(&SIGNATURES, algorithm.oid)
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha224 => Sha224::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

impl ServerEndPoint {
    /// The end point of a server with that certificate, in DER, exactly as in its Certificate message.
    ///
    /// # Errors
    /// It is no certificate, or RFC 5929 defines no end point for it.
    pub fn of_certificate(der: &[u8]) -> Result<Self, EndPointError> {
        let certificate =
            CertificateInner::<Raw>::from_der(der).map_err(|error| EndPointError::Malformed(error.to_string()))?;
        let algorithm = certificate.signature_algorithm();
        let hash = Hash::of_signature(algorithm).ok_or(EndPointError::Undefined(algorithm.oid))?;
        Ok(Self { hash: hash.digest(der) })
    }

    /// The hash of the certificate.
    pub fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// A SEC_CHANNEL_BINDINGS structure with `tls-server-end-point:` and the hash as its application data, and no
    /// addresses: what Schannel gives for SECPKG_ATTR_ENDPOINT_BINDINGS.
    pub fn channel_bindings(&self) -> Vec<u8> {
        let application_data = [PREFIX, &self.hash].concat();
        let bindings = ChannelBindings {
            initiator_address_type: 0,
            initiator_address: &[],
            acceptor_address_type: 0,
            acceptor_address: &[],
            application_data: &application_data,
        };
        bindings.to_buffer()
    }
}

impl fmt::Debug for ServerEndPoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServerEndPoint(")?;
        self.hash.iter().try_for_each(|octet| write!(formatter, "{octet:02x}"))?;
        formatter.write_str(")")
    }
}
