//! Extended protection on HTTP: channels as testers know them, what a client presents, what the caller gives.
#![forbid(unsafe_code)]

use fastrand::Rng;

use crate::buffer::BufferType;
use crate::digest::bindings::{ChannelBindings, NO_CHANNEL, UPGRADED, upgraded_cnonce};
use crate::digest::hash;
use crate::spec::call::Buffer;
use crate::spec::shadow::registers::{Exchange, Session, Terms};
use crate::spec::vocabulary as fact;

use super::super::action::CallAction;
use super::draft::octets;

/// The channels of a run.
const CHANNELS: [ChannelBindings<'static>; 3] = [
    ChannelBindings {
        initiator_address_type: 0,
        initiator_address: b"",
        acceptor_address_type: 0,
        acceptor_address: b"",
        application_data: b"tls-server-end-point:\x00\x01\x02\x03\xFC\xFD\xFE\xFF",
    },
    ChannelBindings {
        initiator_address_type: 2,
        initiator_address: b"\xC0\x00\x02\x01",
        acceptor_address_type: 2,
        acceptor_address: b"\xC0\x00\x02\x02",
        application_data: b"tls-unique:finished",
    },
    ChannelBindings {
        initiator_address_type: 0,
        initiator_address: b"",
        acceptor_address_type: 0,
        acceptor_address: b"",
        application_data: b"tls-unique:another",
    },
];

const SERVICES: [&[u8]; 3] = [b"HTTP/www.example.org", b"http/localhost:8080", b""];

/// What a response says of its channel.
#[derive(Clone, Debug)]
pub(super) enum Presented {
    Nothing,
    Bound { service_name: Vec<u8>, channel: [u8; 32] },
    Inconsistent(Flaw),
}

/// Ways in which a response says of its channel what no client says.
#[derive(Clone, Debug)]
pub(super) enum Flaw {
    /// The cnonce is made as ever, whatever the directives are.
    Uncovered { service_name: Vec<u8>, channel: [u8; 32] },
    /// The cnonce is made as for directives that are not there.
    Unlisted,
}

/// A response's channel, the caller's, and whether channel bindings are required.
#[derive(Clone, Debug)]
pub(super) struct Bindings {
    pub(super) presented: Presented,
    pub(super) buffer: Option<Vec<u8>>,
    pub(super) required: bool,
}

/// The buffer of a channel.
fn structure(channel: &ChannelBindings<'_>) -> Vec<u8> {
    channel.to_buffer()
}

fn known(digits: &[u8; 32]) -> Option<&'static ChannelBindings<'static>> {
    CHANNELS.iter().find(|channel| hash::hex(&channel.hash()) == digits.to_ascii_lowercase()[..])
}

/// What a session's client presented first.
fn of_session(session: &Session) -> Option<(Vec<u8>, [u8; 32])> {
    match &session.terms {
        Terms::Http { extended: [_, Some(service_name), Some(channel)], service_name: Some(_) } => {
            Some((service_name.clone(), channel.as_slice().try_into().ok()?))
        }
        Terms::Http { .. } | Terms::Sasl { .. } => None,
    }
}

impl Bindings {
    /// As the wishes say; without any as the session has it, or nothing.
    pub(super) fn choose(exchange: Option<&Exchange>, action: &CallAction, rng: &mut Rng) -> Self {
        let session = exchange.and_then(|exchange| exchange.session.as_ref());
        let before = session.and_then(of_session);
        let channel = &CHANNELS[rng.usize(..CHANNELS.len())];
        let service_name = SERVICES[rng.usize(..SERVICES.len())].to_vec();
        let fresh = || (service_name.clone(), hash::hex(&channel.hash()));
        let (service_name, channel) = before.clone().unwrap_or_else(fresh);
        let bound = || Presented::Bound { service_name: service_name.clone(), channel };
        let upgraded = action.wishes.is(fact::Upgraded::Yes);
        let plain = action.wishes.is(fact::Upgraded::No);
        let own = || known(&channel).map(structure);
        let other = || CHANNELS.iter().find(|other| hash::hex(&other.hash()) != channel).map(structure);
        match () {
            () if action.wishes.is(fact::Bindings::Matches) => {
                Self { presented: bound(), buffer: own(), required: rng.bool() }
            }
            () if action.wishes.is(fact::Bindings::Proxied) => {
                // Whoever has no channel of its own says so with zeros.
                let zeros = session.is_none() && action.variety % 8 == 3;
                let service_name = service_name.clone();
                let presented = Presented::Bound { service_name, channel: if zeros { NO_CHANNEL } else { channel } };
                let required = upgraded || (!plain && rng.bool());
                Self { presented, buffer: None, required }
            }
            () if action.wishes.is(fact::Bindings::Differs) => {
                let presented = if session.is_none() && rng.u8(..3) == 0 {
                    Presented::Bound { service_name: service_name.clone(), channel: NO_CHANNEL }
                } else {
                    bound()
                };
                Self { presented, buffer: other(), required: rng.bool() }
            }
            () if action.wishes.is(fact::Bindings::Missing) => Self {
                presented: Presented::Nothing,
                buffer: rng.choice(&CHANNELS).filter(|_| rng.bool()).map(structure),
                required: true,
            },
            () if action.wishes.is(fact::Bindings::Inconsistent) => {
                let uncovered = before.is_some() || (session.is_none() && rng.bool());
                let flaw = match uncovered {
                    true => Flaw::Uncovered { service_name: service_name.clone(), channel },
                    false => Flaw::Unlisted,
                };
                let buffer = other().filter(|_| rng.bool());
                Self { presented: Presented::Inconsistent(flaw), buffer, required: rng.bool() }
            }
            () if action.wishes.is(fact::Bindings::None) => {
                let buffer = rng.choice(&CHANNELS).filter(|_| upgraded || rng.u8(..4) == 0).map(structure);
                Self { presented: Presented::Nothing, buffer: buffer.filter(|_| !plain), required: false }
            }
            () => {
                let presented = before.as_ref().map_or(Presented::Nothing, |_| bound());
                // Where nothing is said, a channel changes nothing but the next challenge.
                let gives = upgraded || (!plain && before.is_none() && rng.u8(..8) == 0);
                let buffer = if before.is_some() { own() } else { Some(structure(&CHANNELS[0])) };
                let required = upgraded && (action.wishes.is(fact::Descriptor::Absent) || rng.bool());
                Self { presented, buffer: buffer.filter(|_| gives && (!required || rng.bool())), required }
            }
        }
    }

    /// The caller's buffer.
    pub(super) fn buffer(&self, rng: &mut Rng) -> Option<Buffer> {
        let kind = BufferType::CHANNEL_BINDINGS;
        match &self.buffer {
            Some(structure) => Some(of(kind, structure.clone(), rng)),
            None => Some(Buffer::null(kind)).filter(|_| rng.u8(..8) == 0),
        }
    }
}

impl Presented {
    /// hashed-dirs, service-name and channel-binding, and the cnonce that covers them.
    pub(super) fn directives(&self, rng: &mut Rng) -> ([Option<Vec<u8>>; 3], Option<Vec<u8>>) {
        let entropy: [u8; 16] = std::array::from_fn(|_| rng.u8(..));
        let listed = |service_name: &[u8], channel: &[u8; 32]| {
            [Some(b"service-name,channel-binding".to_vec()), Some(service_name.to_vec()), Some(channel.to_vec())]
        };
        match self {
            Self::Nothing => ([None, None, None], None),
            Self::Bound { service_name, channel } => {
                let cnonce = upgraded_cnonce(service_name, channel, &entropy).to_vec();
                (listed(service_name, channel), Some(cnonce))
            }
            Self::Inconsistent(Flaw::Uncovered { service_name, channel }) => {
                let cnonce = match rng.u8(..4) {
                    0 => octets(32, rng),
                    1 => upgraded_cnonce(b"HTTP/elsewhere.example.org", channel, &entropy).to_vec(),
                    // Without entropy nothing is left after the hash.
                    2 => upgraded_cnonce(service_name, channel, &entropy)[..UPGRADED.len() + 32].to_vec(),
                    _other => upgraded_cnonce(service_name, &NO_CHANNEL.map(|_| b'f'), &entropy).to_vec(),
                };
                (listed(service_name, channel), Some(cnonce))
            }
            Self::Inconsistent(Flaw::Unlisted) => {
                ([None, None, None], Some(upgraded_cnonce(b"", &NO_CHANNEL, &entropy).to_vec()))
            }
        }
    }
}

fn of(kind: BufferType, octets: Vec<u8>, rng: &mut Rng) -> Buffer {
    Buffer::new(if rng.bool() { kind.read_only() } else { kind }, octets)
}

/// A buffer that is no SEC_CHANNEL_BINDINGS structure.
pub(super) fn malformed(rng: &mut Rng) -> Buffer {
    let mut octets = structure(&CHANNELS[rng.usize(..CHANNELS.len())]);
    match rng.u8(..3) {
        0 => octets.truncate(rng.usize(1..32)),
        // The last byte of the data is missing, or everything after the integers.
        1 => octets.truncate(octets.len() - 1),
        _other => octets[24..28].copy_from_slice(&u32::MAX.to_le_bytes()),
    }
    of(BufferType::CHANNEL_BINDINGS, octets, rng)
}

/// Some channel, for an initiator.
pub(super) fn some_channel(rng: &mut Rng) -> Buffer {
    let octets = structure(&CHANNELS[rng.usize(..CHANNELS.len())]);
    of(BufferType::CHANNEL_BINDINGS, octets, rng)
}

/// A target host in one of its forms, or in one it may not have.
pub(super) fn target_host(is_good: bool, rng: &mut Rng) -> Buffer {
    let text = if is_good { "HTTP/www.example.org" } else { "HTTP/b\u{FC}cher.example" };
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let octets = match rng.u8(..4) {
        0 => utf16(text),
        1 => utf16(&format!("{text}\0")),
        2 => format!("{text}\0").into_bytes(),
        _other => text.into(),
    };
    of(BufferType::TARGET_HOST, octets, rng)
}
