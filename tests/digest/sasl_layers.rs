//! The SASL layers against each other, against a peer's recorded messages, and against whoever is between them.

use digest_ssp::digest::hash::unhex32;
use digest_ssp::digest::sasl::{Challenge, Cipher, Direction, Layer, LayerError, MaxBuf, Receiver, Response, Sender};
use digest_ssp::digest::{AuthenticationInfo, Limits, SessionKey, UserHash};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::FileFailurePersistence;

fn configuration() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("proptest-regressions/sasl_layers.txt"))),
        ..ProptestConfig::default()
    }
}

const DIRECTIONS: [Direction; 2] = [Direction::ClientToServer, Direction::ServerToClient];

fn layers() -> [Layer; 6] {
    let [a, b, c, d, e] = Cipher::ALL.map(Layer::Confidentiality);
    [Layer::Integrity, a, b, c, d, e]
}

fn key(password: &str) -> SessionKey {
    SessionKey::sasl(&UserHash::new("chris", "elwood.innosoft.com", password), b"nonce", b"cnonce", None)
}

/// Both ends of one direction.
#[derive(Clone, Debug)]
struct Channel {
    sender: Sender,
    receiver: Receiver,
}

impl Channel {
    fn new(layer: Layer, direction: Direction) -> Self {
        let key = key("secret");
        Self { sender: Sender::new(&key, direction, layer), receiver: Receiver::new(&key, direction, layer) }
    }

    fn wrap(&mut self, message: &[u8]) -> Vec<u8> {
        let layer = self.sender.layer();
        let mut wire = message.to_vec();
        wire.resize(message.len() + layer.trailer_len(message.len()), 0xA5);
        let (text, trailer) = wire.split_at_mut(message.len());
        self.sender.encrypt(text, trailer).expect("there are numbers left");
        wire
    }

    /// What the receiver delivers.
    fn unwrap(&mut self, wire: &[u8]) -> Result<Vec<u8>, LayerError> {
        let mut buffer = wire.to_vec();
        let length = self.receiver.decrypt(&mut buffer)?;
        buffer.truncate(length);
        Ok(buffer)
    }

    /// Why the receiver delivers nothing; and nothing it has delivered, the buffer is as it was.
    fn refuse(&mut self, wire: &[u8]) -> LayerError {
        let mut buffer = wire.to_vec();
        let error = self.receiver.decrypt(&mut buffer).expect_err("nothing to deliver");
        assert_eq!(buffer, wire, "{error}");
        error
    }

    fn has_cipher(&self) -> bool {
        self.sender.layer().cipher().is_some()
    }

    /// Whatever comes, nothing is delivered any more.
    fn assert_dead(&mut self, wire: &[u8]) {
        assert!(self.receiver.is_dead());
        assert_eq!(self.refuse(wire), LayerError::Dead);
        assert_eq!(self.refuse(b""), LayerError::Dead);
        let signature = self.sender.sign(b"message").expect("there are numbers left");
        assert_eq!(self.receiver.verify(b"message", &signature), Err(LayerError::Dead));
    }
}

/// A channel over which some messages went already, so that number and cipher are somewhere.
fn channel() -> impl Strategy<Value = Channel> {
    let past = vec(message(), 0..4);
    (select(layers().to_vec()), select(DIRECTIONS.to_vec()), past).prop_map(|(layer, direction, past)| {
        let mut channel = Channel::new(layer, direction);
        for message in past {
            let wire = channel.wrap(&message);
            assert_eq!(channel.unwrap(&wire), Ok(message));
        }
        channel
    })
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => vec(any::<u8>(), 0..100),
        // What looks like padding.
        1 => (0..9u8, 0..20usize).prop_map(|(octet, length)| vec![octet; length]),
    ]
}

/// A message to send, encrypted or only signed.
fn sending() -> impl Strategy<Value = (Vec<u8>, bool)> {
    (message(), any::<bool>())
}

proptest! {
    #![proptest_config(configuration())]

    /// Messages arrive, wrapped and signed ones under one count.
    #[test]
    fn messages_arrive(mut channel in channel(), sendings in vec(sending(), 1..8)) {
        for (message, signed) in sendings {
            let number = channel.sender.sequence();
            prop_assert_eq!(channel.receiver.sequence(), number);
            if signed {
                let signature = channel.sender.sign(&message).expect("there are numbers left");
                prop_assert_eq!(channel.receiver.verify(&message, &signature), Ok(()));
            } else {
                let wire = channel.wrap(&message);
                let footer = [&[0, 1], &u32::try_from(number).expect("few messages").to_be_bytes()[..]].concat();
                prop_assert!(wire.ends_with(&footer));
                prop_assert!(wire.len() <= message.len() + channel.sender.layer().overhead() as usize);
                prop_assert_eq!(wire.starts_with(&message) || message.len() < 8, !channel.has_cipher() || message.len() < 8);
                prop_assert_eq!(channel.unwrap(&wire), Ok(message));
            }
            prop_assert_eq!(channel.sender.sequence(), number + 1);
            prop_assert_eq!(channel.receiver.sequence(), number + 1);
        }
    }

    /// One bit is flipped anywhere.
    #[test]
    fn a_flipped_bit_is_told(mut channel in channel(), message in message(), bit in any::<Index>()) {
        let wire = channel.wrap(&message);
        let mut altered = wire.clone();
        let bit = bit.index(altered.len() * 8);
        altered[bit / 8] ^= 1 << (bit % 8);
        let from_end = wire.len() - bit / 8;
        let error = channel.refuse(&altered);
        let in_number = from_end <= 4;
        let in_footer = from_end <= 6;
        if channel.has_cipher() && in_number {
            prop_assert_eq!(error, LayerError::OutOfSequence);
        } else {
            prop_assert_eq!(error, LayerError::Altered);
        }
        if channel.has_cipher() && !in_footer {
            channel.assert_dead(&wire);
        } else {
            // Nothing was consumed: the message as it was sent is the next.
            prop_assert_eq!(channel.unwrap(&wire), Ok(message));
        }
    }

    /// Octets are taken away or put there.
    #[test]
    fn another_length_is_told(
        mut channel in channel(),
        message in message(),
        cut in any::<Index>(),
        extra in vec(any::<u8>(), 1..20),
        place in any::<Index>(),
    ) {
        let wire = channel.wrap(&message);
        let mut both = channel.clone();
        let shorter = &wire[..cut.index(wire.len())];
        let error = channel.refuse(shorter);
        prop_assert_eq!(error == LayerError::Incomplete, shorter.len() < channel.sender.layer().minimum_wrapped());
        let place = place.index(wire.len() + 1);
        let longer = [&wire[..place], &extra, &wire[place..]].concat();
        if longer != wire {
            prop_assert_ne!(both.refuse(&longer), LayerError::Incomplete);
        }
    }

    /// A message is dropped: the ones after it wait for it.
    #[test]
    fn a_dropped_message_is_missed(mut channel in channel(), messages in vec(message(), 2..5)) {
        let wires: Vec<_> = messages.iter().map(|message| channel.wrap(message)).collect();
        for later in &wires[1..] {
            prop_assert_eq!(channel.refuse(later), LayerError::OutOfSequence);
        }
        for (message, wire) in messages.iter().zip(&wires) {
            prop_assert_eq!(&channel.unwrap(wire), &Ok(message.clone()));
        }
    }

    /// A message comes again.
    #[test]
    fn a_repeated_message_is_told(mut channel in channel(), messages in vec(message(), 1..4)) {
        for message in &messages {
            let wire = channel.wrap(message);
            prop_assert_eq!(&channel.unwrap(&wire), &Ok(message.clone()));
            prop_assert_eq!(channel.refuse(&wire), LayerError::OutOfSequence);
        }
    }

    /// Two messages are swapped.
    #[test]
    fn swapped_messages_are_told(mut channel in channel(), first in message(), second in message()) {
        let wires = [channel.wrap(&first), channel.wrap(&second)];
        prop_assert_eq!(channel.refuse(&wires[1]), LayerError::OutOfSequence);
        prop_assert_eq!(channel.unwrap(&wires[0]), Ok(first));
        prop_assert_eq!(channel.refuse(&wires[0]), LayerError::OutOfSequence);
        prop_assert_eq!(channel.unwrap(&wires[1]), Ok(second));
    }

    /// The number of the next message is put on another one.
    #[test]
    fn a_number_that_was_changed_is_told(mut channel in channel(), first in message(), second in message()) {
        let wires = [channel.wrap(&first), channel.wrap(&second)];
        let mut forged = wires[1].clone();
        let length = forged.len();
        forged[length - 4..].copy_from_slice(&wires[0][wires[0].len() - 4..]);
        prop_assert_eq!(channel.refuse(&forged), LayerError::Altered);
        if channel.has_cipher() {
            channel.assert_dead(&wires[0]);
        } else {
            prop_assert_eq!(channel.unwrap(&wires[0]), Ok(first));
        }
    }

    /// A message of another key, of the other direction, or of another layer.
    #[test]
    fn a_strange_message_is_told(
        layer in select(layers().to_vec()),
        direction in select(DIRECTIONS.to_vec()),
        message in message(),
        other_layer in select(layers().to_vec()),
    ) {
        let mut strangers = vec![
            Sender::new(&key("Secret"), direction, layer),
            Sender::new(&key("secret"), direction.reverse(), layer),
        ];
        if other_layer != layer {
            strangers.push(Sender::new(&key("secret"), direction, other_layer));
        }
        for stranger in strangers {
            let mut channel = Channel { sender: stranger, ..Channel::new(layer, direction) };
            let wire = channel.wrap(&message);
            let error = channel.refuse(&wire);
            prop_assert!(matches!(error, LayerError::Altered | LayerError::Incomplete), "{}", error);
        }
    }

    /// Signatures: flipped, cut, of another message, repeated; none of it is consumed.
    #[test]
    fn a_wrong_signature_is_told(
        mut channel in channel(),
        message in message(),
        other in message(),
        bit in 0..128usize,
        length in 0..40usize,
    ) {
        let signature = channel.sender.sign(&message).expect("there are numbers left");
        let next = channel.sender.sign(&message).expect("there are numbers left");
        let mut flipped = signature;
        flipped[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(channel.receiver.verify(&message, &flipped), Err(LayerError::Altered));
        if length != signature.len() {
            let resized: Vec<u8> = signature.into_iter().cycle().take(length).collect();
            prop_assert_eq!(channel.receiver.verify(&message, &resized), Err(LayerError::Altered));
        }
        if other != message {
            prop_assert_eq!(channel.receiver.verify(&other, &signature), Err(LayerError::Altered));
        }
        prop_assert_eq!(channel.receiver.verify(&message, &next), Err(LayerError::OutOfSequence));
        prop_assert_eq!(channel.receiver.verify(&message, &signature), Ok(()));
        prop_assert_eq!(channel.receiver.verify(&message, &signature), Err(LayerError::OutOfSequence));
        prop_assert_eq!(channel.receiver.verify(&message, &next), Ok(()));
    }

    /// Any octets at all.
    #[test]
    fn nothing_else_is_delivered(mut channel in channel(), wire in vec(any::<u8>(), 0..200)) {
        channel.refuse(&wire);
    }

    /// A clone and its origin do not know of each other.
    #[test]
    fn clones_go_their_own_ways(channel in channel(), first in message(), second in message()) {
        let (mut a, mut b) = (channel.clone(), channel);
        let wire = a.wrap(&first);
        prop_assert_eq!(a.unwrap(&wire), Ok(first.clone()));
        prop_assert_eq!(b.wrap(&first), &wire[..]);
        prop_assert_eq!(b.unwrap(&wire), Ok(first));
        prop_assert_eq!(a.wrap(&second), b.wrap(&second));
    }
}

/// Every exchange and message that OpenJDK recorded is judged, made and opened the same here.
#[test]
fn openjdk_wraps_the_same() {
    let limits = Limits::default();
    let user = UserHash::new("chris", "elwood.innosoft.com", "secret");
    let mut layers_seen = Vec::new();
    for exchange in include_str!("openjdk-17.txt").split("\n\n").skip(1) {
        let mut lines = exchange.lines().map(|line| line.split_once(' ').expect("a word and the rest"));
        let mut next = |expected| match lines.next() {
            Some((word, rest)) if word == expected => rest,
            other => panic!("{expected} expected, not {other:?}"),
        };
        let challenge = Challenge::parse(next("challenge").as_bytes(), &limits).expect("a challenge");
        let response = Response::parse(next("response").as_bytes(), &limits).expect("a response");
        let proof = AuthenticationInfo::parse(next("proof").as_bytes(), &limits).expect("a proof");
        let key = SessionKey::sasl(&user, &challenge.nonce, &response.cnonce, None);
        assert_eq!(response.digest(&key), response.response);
        assert_eq!(Some(response.rspauth(&key)), proof.rspauth);

        let layer = response.layer().expect("all of them have one");
        assert!(challenge.qop.offers(layer.qop()));
        layers_seen.push(layer);
        let mut channels = DIRECTIONS.map(|direction| Channel {
            sender: Sender::new(&key, direction, layer),
            receiver: Receiver::new(&key, direction, layer),
        });
        let mut messages = 0;
        for (who, line) in lines {
            let (message, wire) = line.split_once(' ').expect("a message and what it became");
            let (message, wire) = (unhex(message), unhex(wire));
            let channel = &mut channels[usize::from(who == "server")];
            assert_eq!(channel.wrap(&message), wire, "{layer:?} {who}");
            assert_eq!(channel.unwrap(&wire), Ok(message), "{layer:?} {who}");
            messages += 1;
        }
        assert_eq!(messages, 8, "{layer:?}");
    }
    for layer in layers() {
        assert!(layers_seen.contains(&layer), "{layer:?}");
    }
}

fn unhex(digits: &str) -> Vec<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
    digits.as_bytes().chunks(2).map(|pair| byte(pair).expect("two digits")).collect()
}

#[test]
fn unhex_agrees_with_the_crate() {
    let digits = "00112233445566778899aabbccddeeff";
    assert_eq!(unhex32(digits.as_bytes()).map(Vec::from), Some(unhex(digits)));
}

/// Numbers that look random; the same every time.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    /// From 0 to the maximum, as many from 10 to 100 as from 1000 to 10,000.
    fn log_uniform(&mut self, maximum: u32) -> usize {
        let fraction = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        (fraction * f64::from(maximum + 1).ln()).exp() as usize - 1
    }

    fn fill(&mut self, octets: &mut [u8]) {
        for chunk in octets.chunks_mut(8) {
            let random = self.next().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
    }
}

/// The figure of issue 3: so many messages of each layer in each direction.
const MESSAGES: usize = 10_000;

/// Sends that many messages both ways, and says how many octets they had.
fn exercise(layer: Layer, messages: usize) -> usize {
    let maximum = layer.maximum_message(MaxBuf::DEFAULT);
    let ends = [0, 1, maximum as usize - 1, maximum as usize];
    let mut random = SplitMix(u64::from(layer.overhead()) + messages as u64);
    let mut channels = DIRECTIONS.map(|direction| Channel::new(layer, direction));
    let mut octets = 0;
    for index in 0..messages {
        for channel in &mut channels {
            let size = ends.get(index).copied().unwrap_or_else(|| random.log_uniform(maximum));
            assert!(size <= maximum as usize);
            let mut message = vec![0; size];
            random.fill(&mut message);
            let wire = channel.wrap(&message);
            assert!(wire.len() <= MaxBuf::DEFAULT.get() as usize);
            let delivered = channel.unwrap(&wire);
            assert!(delivered.as_ref() == Ok(&message), "{layer:?}: message {index} of {size} octets");
            octets += size;
        }
    }
    octets
}

#[test]
#[cfg_attr(debug_assertions, ignore = "minutes without optimisation: run it with --release, as .ci/long does")]
fn ten_thousand_messages_of_each_layer_each_way() {
    std::thread::scope(|scope| {
        for layer in layers() {
            scope.spawn(move || {
                let octets = exercise(layer, MESSAGES);
                println!("{layer:?}: {} messages, {octets} octets", 2 * MESSAGES);
            });
        }
    });
}

/// The same with few messages, so that it is built and run everywhere; the ends of the sizes are among them.
#[test]
fn some_messages_of_each_layer_each_way() {
    for layer in layers() {
        assert!(exercise(layer, 8) >= 4 * 65_000, "{layer:?}");
    }
}

/// Sizes are spread over the decades and reach neither too far nor short.
#[test]
fn sizes_are_log_uniform() {
    let mut random = SplitMix(1);
    let sizes: Vec<_> = (0..10_000).map(|_| random.log_uniform(65_520)).collect();
    let between = |low, high| sizes.iter().filter(|size| (low..high).contains(*size)).count();
    assert_eq!(between(0, 65_521), sizes.len());
    for (low, high) in [(9, 99), (99, 999), (999, 9999)] {
        assert!((1800..2400).contains(&between(low, high)), "{}", between(low, high));
    }
}
