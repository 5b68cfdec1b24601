//! Two sides of a SASL exchange, whoever they are.
#![forbid(unsafe_code)]

/// What a side says to a token.
#[derive(Debug)]
pub(crate) enum Step {
    /// This is for the other side; empty where a side has nothing to say but must go on.
    Token(Vec<u8>),
    Done(Done),
    Failed(String),
}

/// A side that is satisfied.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    pub(crate) qop: String,
    /// Who may act now, as a server sees it.
    pub(crate) user: String,
    /// The last token for the other side, if not empty.
    pub(crate) token: Vec<u8>,
}

/// A client or a server of the mechanism DIGEST-MD5. What is wrapped comes and goes with the length of four bytes before each
/// packet.
pub(crate) trait Side {
    /// Begins an exchange, also after another one. `initial` is what a client said first, for a server.
    fn start(&mut self, initial: &[u8]) -> Step;
    fn token(&mut self, token: &[u8]) -> Step;
    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, String>;
    fn unwrap(&mut self, wrapped: &[u8]) -> Result<Vec<u8>, String>;
}

/// What both sides of an exchange know at its end.
#[derive(Debug)]
pub(crate) struct Agreed {
    pub(crate) client: Done,
    pub(crate) server: Done,
    /// The tokens that are not empty, in order: challenge, response, proof; a client that reauthenticates speaks first.
    pub(crate) tokens: Vec<Vec<u8>>,
}

/// Which side gave up, and what it said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Client(String),
    Server(String),
}

/// Passes tokens to and fro until both sides are done.
pub(crate) fn authenticate(client: &mut dyn Side, server: &mut dyn Side) -> Result<Agreed, Refusal> {
    let mut tokens = Vec::new();
    let mut client_done: Option<Done> = None;
    let mut token = match client.start(&[]) {
        Step::Token(token) => token,
        Step::Done(done) => panic!("the client is content with nothing: {done:?}"),
        Step::Failed(why) => return Err(Refusal::Client(why)),
    };
    let mut first = true;
    // RFC 2831 needs two rounds; servers that end with an empty one, or refuse what a client remembers, a few more.
    for _ in 0..6 {
        keep(&mut tokens, &token);
        let answer = if core::mem::take(&mut first) { server.start(&token) } else { server.token(&token) };
        let (answer, server_done) = match answer {
            Step::Token(token) => (token, None),
            Step::Done(done) => (done.token.clone(), Some(done)),
            Step::Failed(why) => return Err(Refusal::Server(why)),
        };
        keep(&mut tokens, &answer);
        if client_done.is_none() {
            token = match client.token(&answer) {
                Step::Token(token) => token,
                Step::Done(done) => {
                    let token = done.token.clone();
                    client_done = Some(done);
                    token
                }
                Step::Failed(why) => return Err(Refusal::Client(why)),
            };
        }
        if let (Some(client), Some(server)) = (&client_done, server_done) {
            return Ok(Agreed { client: client.clone(), server, tokens });
        }
    }
    panic!("no end: {:#?}", tokens.iter().map(|token| String::from_utf8_lossy(token)).collect::<Vec<_>>());
}

fn keep(tokens: &mut Vec<Vec<u8>>, token: &[u8]) {
    if !token.is_empty() {
        tokens.push(token.to_vec());
    }
}

/// A message that arrived.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) by_client: bool,
    pub(crate) message: Vec<u8>,
    /// With the length of four bytes before each packet.
    pub(crate) wrapped: Vec<u8>,
}

/// Messages of these lengths in each direction, by turns.
pub(crate) fn talk(client: &mut dyn Side, server: &mut dyn Side, lengths: &[usize]) -> Vec<Delivered> {
    let mut delivered = Vec::new();
    for &length in lengths {
        // Every octet occurs, and no two messages of a direction begin alike.
        let message: Vec<u8> = (0..length).map(|index| (index * 7 + length) as u8).collect();
        for by_client in [true, false] {
            let wrapped = if by_client { deliver(client, server, &message) } else { deliver(server, client, &message) };
            delivered.push(Delivered { by_client, message: message.clone(), wrapped });
        }
    }
    delivered
}

fn deliver(from: &mut dyn Side, to: &mut dyn Side, message: &[u8]) -> Vec<u8> {
    let length = message.len();
    let wrapped = from.wrap(message).unwrap_or_else(|why| panic!("wrapping {length} bytes: {why}"));
    assert!(wrapped.len() >= length + 20, "{length} bytes became {}", wrapped.len());
    let unwrapped = to.unwrap(&wrapped).unwrap_or_else(|why| panic!("unwrapping {length} bytes: {why}"));
    assert!(unwrapped == message, "{length} bytes arrived otherwise");
    wrapped
}

/// The value of a directive of a response, which needs no unescaping.
pub(crate) fn directive<'a>(token: &'a [u8], name: &str) -> Option<&'a str> {
    let text = core::str::from_utf8(token).ok()?;
    let mut parts = text.split(',').filter_map(|part| part.trim().split_once('='));
    parts.find_map(|(key, value)| (key.trim() == name).then_some(value.trim().trim_matches('"')))
}
