//! Security layers of SASL: what one side sends, and what the other one makes of what it receives.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::Operation;
use super::values::{Digest, Hex, Octets, Status, nullable};
use crate::digest::hash::md5;
use crate::digest::sasl::{Cipher, Direction, Layer, LayerError, Receiver, Sender};
use crate::digest::{Algorithm, SessionKey, UserHash};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    ClientToServer,
    ServerToClient,
}

impl From<Way> for Direction {
    fn from(way: Way) -> Self {
        match way {
            Way::ClientToServer => Self::ClientToServer,
            Way::ServerToClient => Self::ServerToClient,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Protection {
    #[serde(rename = "auth-int")]
    Integrity,
    #[serde(rename = "rc4")]
    Rc4,
    #[serde(rename = "3des")]
    TripleDes,
    #[serde(rename = "rc4-56")]
    Rc4Of56Bits,
    #[serde(rename = "rc4-40")]
    Rc4Of40Bits,
    #[serde(rename = "des")]
    Des,
}

impl From<Protection> for Layer {
    fn from(protection: Protection) -> Self {
        match protection {
            Protection::Integrity => Self::Integrity,
            Protection::Rc4 => Self::Confidentiality(Cipher::Rc4),
            Protection::TripleDes => Self::Confidentiality(Cipher::TripleDes),
            Protection::Rc4Of56Bits => Self::Confidentiality(Cipher::Rc4_56),
            Protection::Rc4Of40Bits => Self::Confidentiality(Cipher::Rc4_40),
            Protection::Des => Self::Confidentiality(Cipher::Des),
        }
    }
}

/// H(A1) of these octets.
fn session_key(octets: Digest) -> SessionKey {
    // Under plain MD5 the user hash itself is H(A1).
    SessionKey::new(Algorithm::Md5, &UserHash::from_bytes(octets.0), b"", b"")
}

/// `sasl-wrap`.
pub(super) enum Wrapping {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrapInput {
    session_key: Digest,
    direction: Way,
    layer: Protection,
    steps: Vec<Sending>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sending {
    Sign(Octets),
    Wrap(Octets),
}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrapExpected {
    status: Status,
    keys: Keys,
    steps: Vec<Sent>,
}

/// Ki and Kc.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    signing: Digest,
    #[serde(deserialize_with = "nullable")]
    sealing: Option<Digest>,
}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Sent {
    Signature(Hex),
    Wrapped(Hex),
}

impl Operation for Wrapping {
    const NAME: &'static str = "sasl-wrap";
    type Input = WrapInput;
    type Expected = WrapExpected;

    fn status(expected: &WrapExpected) -> Status {
        expected.status
    }

    fn run(input: &WrapInput) -> Result<WrapExpected, String> {
        let layer = Layer::from(input.layer);
        let mut sender = Sender::new(&session_key(input.session_key), input.direction.into(), layer);
        let steps: Result<_, _> = input.steps.iter().map(|step| send(&mut sender, step)).collect();
        Ok(WrapExpected { status: Status::OK, keys: keys(input), steps: steps? })
    }
}

fn send(sender: &mut Sender, step: &Sending) -> Result<Sent, String> {
    match step {
        Sending::Sign(message) => sender
            .sign(&message.0)
            .map(|signature| Sent::Signature(Hex(signature.to_vec())))
            .map_err(|error| error.to_string()),
        Sending::Wrap(message) => {
            let mut message = message.0.clone();
            let mut trailer = vec![0; sender.layer().trailer_len(message.len())];
            sender.encrypt(&mut message, &mut trailer).map_err(|error| error.to_string())?;
            message.append(&mut trailer);
            Ok(Sent::Wrapped(Hex(message)))
        }
    }
}

/// RFC 2831 sections 2.3 and 2.4; the layer keeps its own to itself.
fn keys(input: &WrapInput) -> Keys {
    let key = &input.session_key.0;
    let direction = match input.direction {
        Way::ClientToServer => "client-to-server",
        Way::ServerToClient => "server-to-client",
    };
    let length = match input.layer {
        Protection::Integrity => None,
        Protection::Rc4Of40Bits => Some(5),
        Protection::Rc4Of56Bits => Some(7),
        Protection::Rc4 | Protection::TripleDes | Protection::Des => Some(16),
    };
    let signing = md5(&[key, b"Digest session key to ", direction.as_bytes(), b" signing key magic constant"]);
    let sealing = length.map(|length| {
        let key = key.split_at(length).0;
        Digest(md5(&[key, b"Digest H(A1) to ", direction.as_bytes(), b" sealing key magic constant"]))
    });
    Keys { signing: Digest(signing), sealing }
}

/// `sasl-unwrap`.
pub(super) enum Unwrapping {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnwrapInput {
    session_key: Digest,
    direction: Way,
    layer: Protection,
    steps: Vec<Receiving>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Receiving {
    Verify { verify: Octets, signature: Hex },
    Unwrap { unwrap: Hex },
}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnwrapExpected {
    status: Status,
    steps: Vec<Received>,
}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Received {
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<Octets>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accept: Vec<Status>,
}

impl Operation for Unwrapping {
    const NAME: &'static str = "sasl-unwrap";
    type Input = UnwrapInput;
    type Expected = UnwrapExpected;

    fn status(expected: &UnwrapExpected) -> Status {
        expected.status
    }

    fn run(input: &UnwrapInput) -> Result<UnwrapExpected, String> {
        let key = session_key(input.session_key);
        let mut receiver = Receiver::new(&key, input.direction.into(), input.layer.into());
        let steps: Vec<_> = input.steps.iter().map(|step| receive(&mut receiver, step)).collect::<Result<_, _>>()?;
        let status = steps.iter().map(|step| step.status).find(|status| *status != Status::OK).unwrap_or(Status::OK);
        Ok(UnwrapExpected { status, steps })
    }
}

fn receive(receiver: &mut Receiver, step: &Receiving) -> Result<Received, String> {
    match step {
        Receiving::Verify { verify, signature } => Ok(match receiver.verify(&verify.0, &signature.0) {
            Ok(()) => Received { status: Status::OK, message: None, accept: Vec::new() },
            Err(error) => refused(error),
        }),
        Receiving::Unwrap { unwrap } => {
            let mut buffer = unwrap.0.clone();
            match receiver.decrypt(&mut buffer) {
                Ok(length) => {
                    buffer.truncate(length);
                    Ok(Received { status: Status::OK, message: Some(Octets(buffer)), accept: Vec::new() })
                }
                Err(error) if buffer == unwrap.0 => Ok(refused(error)),
                Err(error) => Err(format!("{error}, and the buffer was changed")),
            }
        }
    }
}

fn refused(error: LayerError) -> Received {
    let (status, accept) = match error {
        LayerError::Incomplete => (Status::INCOMPLETE_MESSAGE, Vec::new()),
        LayerError::Altered => (Status::MESSAGE_ALTERED, Vec::new()),
        LayerError::OutOfSequence => (Status::OUT_OF_SEQUENCE, Vec::new()),
        LayerError::Dead => (Status::OUT_OF_SEQUENCE, vec![Status::MESSAGE_ALTERED]),
    };
    Received { status, message: None, accept }
}
