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

/// Spellings of hashed-dirs that list both directives.
const HASHED_DIRS: [&[u8]; 3] =
    [b"service-name,channel-binding", b"Channel-Binding , service-name", b"x,service-name,,CHANNEL-BINDING"];

const SERVICES: [&[u8]; 3] = [b"HTTP/www.example.org", b"http/localhost:8080", b""];

/// What a response says of its channel.
#[derive(Clone, Debug)]
pub(super) enum Presented {
    Nothing,
    Bound(Claim),
    Inconsistent(Flaw),
}

/// The directives of a client that says everything.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    hashed_dirs: Vec<u8>,
    service_name: Vec<u8>,
    channel: [u8; 32],
}

/// Ways in which a response says of its channel what no client says.
#[derive(Clone, Debug)]
pub(super) enum Flaw {
    /// The cnonce does not cover the directives.
    Uncovered(Claim),
    /// The cnonce covers what would stand there, but a directive is missing or no such thing.
    Incomplete(Claim),
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
fn of_session(session: &Session) -> Option<Claim> {
    match &session.terms {
        Terms::Http { extended: [Some(hashed_dirs), Some(service_name), Some(channel)], service_name: Some(_) } => {
            let (hashed_dirs, service_name) = (hashed_dirs.clone(), service_name.clone());
            Some(Claim { hashed_dirs, service_name, channel: channel.as_slice().try_into().ok()? })
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
        let fresh = || Claim {
            hashed_dirs: HASHED_DIRS[usize::from(action.variety.to_le_bytes()[7]) % HASHED_DIRS.len()].to_vec(),
            service_name: service_name.clone(),
            channel: hash::hex(&channel.hash()),
        };
        let claim = before.clone().unwrap_or_else(fresh);
        let channel = claim.channel;
        let without_channel = || Presented::Bound(Claim { channel: NO_CHANNEL, ..claim.clone() });
        let bound = || Presented::Bound(claim.clone());
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
                let presented = if zeros { without_channel() } else { bound() };
                let required = upgraded || (!plain && rng.bool());
                Self { presented, buffer: None, required }
            }
            () if action.wishes.is(fact::Bindings::Differs) => {
                let presented = if session.is_none() && rng.u8(..3) == 0 { without_channel() } else { bound() };
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
                    // A session's directives would be others if one were missing, which is a departure of its own.
                    true if session.is_none() && action.variety.is_multiple_of(3) => Flaw::Incomplete(claim.clone()),
                    true => Flaw::Uncovered(claim.clone()),
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
        let listed = |Claim { hashed_dirs, service_name, channel }: &Claim| {
            [Some(hashed_dirs.clone()), Some(service_name.clone()), Some(channel.to_vec())]
        };
        let covering = |Claim { service_name, channel, .. }: &Claim| upgraded_cnonce(service_name, channel, &entropy);
        match self {
            Self::Nothing => ([None, None, None], None),
            Self::Bound(claim) => (listed(claim), Some(covering(claim).to_vec())),
            Self::Inconsistent(Flaw::Uncovered(claim)) => {
                let cnonce = match rng.u8(..4) {
                    0 => octets(32, rng),
                    1 => upgraded_cnonce(b"HTTP/elsewhere.example.org", &claim.channel, &entropy).to_vec(),
                    // Without entropy nothing is left after the hash.
                    2 => covering(claim)[..UPGRADED.len() + 32].to_vec(),
                    _other => upgraded_cnonce(&claim.service_name, &[b'f'; 32], &entropy).to_vec(),
                };
                (listed(claim), Some(cnonce))
            }
            Self::Inconsistent(Flaw::Incomplete(claim)) => {
                let mut directives = listed(claim);
                match rng.u8(..6) {
                    missing @ 0..3 => directives[usize::from(missing)] = None,
                    3 => directives[0] = Some(b"service-name".to_vec()),
                    4 => directives[2] = Some(claim.channel[1..].to_vec()),
                    _other => directives[2] = Some([&claim.channel[1..], b"g"].concat()),
                }
                (directives, Some(covering(claim).to_vec()))
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
