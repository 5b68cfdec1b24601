//! CompleteAuthToken of an acceptor: a fast reauthentication (RFC 2831 section 2.2).
//!
//! Order of checks: token, its form, what it names, directives outside the hash, digest, count, output. The age of
//! the nonce was judged by AcceptSecurityContext. An unauthenticated count never decides anything.
#![forbid(unsafe_code)]

use super::TokenMessage;
use super::acceptor::{Acceptor, Established, FastReauthentication, proof};
use super::sessions::{Sasl, Session};
use crate::context::environment::World;
use crate::context::failure::{Misuse, PeerMisbehaviour};
use crate::context::input::required_room;
use crate::context::issuing::fresh_if_room;
use crate::context::refusal::Refused;
use crate::context::sessions::{Answered, Reference};
use crate::context::verification::is_made_with_sasl;
use crate::context::{Completable, CompleteNeeded, Completion, Context, sealed};
use crate::digest::sasl::Response;
use crate::sync::lock;

impl sealed::Sealed for Context<Acceptor, CompleteNeeded<FastReauthentication>> {}
impl Completable for Context<Acceptor, CompleteNeeded<FastReauthentication>> {
    type Role = Acceptor;
    type Completed = Context<Acceptor, Established>;
    type Message<'a> = TokenMessage<'a>;
    /// This side's proof.
    type Output = Vec<u8>;

    fn complete_auth_token(self, message: &TokenMessage<'_>, world: World<'_>) -> Completion<Self> {
        let FastReauthentication { session, reference } = &self.state.pending;
        match reference.through(&world, || judge(session, reference, message, world)) {
            Ok((response, proof)) => {
                let FastReauthentication { session, reference } = self.state.pending;
                let state = Established::new(session, reference, &response);
                Completion::Completed(Context { role: self.role, state }, proof)
            }
            Err(refused) => refused.leave(self, |context| (context.role, context.state.pending.reference), world),
        }
    }
}

/// The response with this side's proof for it, its count taken.
fn judge<'m>(
    session: &Session,
    reference: &Reference<Sasl>,
    message: &TokenMessage<'m>,
    world: World<'_>,
) -> Result<(Response<'m>, Vec<u8>), Refused> {
    if message.token.is_empty() {
        return Err(Misuse::NoToken.into());
    }
    let limits = &world.configuration.limits.token;
    let response = Response::parse(message.token, limits).map_err(PeerMisbehaviour::from)?;
    if !session.is_named_by(&response) {
        return Err(PeerMisbehaviour::NamesAnother.into());
    }
    if let Some(directive) = session.departure(&response) {
        let altered = PeerMisbehaviour::DirectiveAltered(directive);
        return Err(refused(altered, Stale::No, session, message, world));
    }
    if !is_made_with_sasl(session.key(), &response) {
        return Err(refused(PeerMisbehaviour::DigestAltered, Stale::No, session, message, world));
    }
    let proof = proof(&response, session.key());
    let policy = world.configuration.sequence;
    let out_of_sequence = || refused(PeerMisbehaviour::Count(response.nc), Stale::Yes, session, message, world);
    // An output that is missing consumes nothing, but comes after the count: who is out of sequence hears that.
    if let Err(no_room) = required_room(message.capacity, proof.len()) {
        let accepted = lock(world.sasl_sessions).accepts_count(reference, response.nc, policy);
        return Err(if accepted { no_room.into() } else { out_of_sequence() });
    }
    let taken = lock(world.sasl_sessions).take_count(reference, response.nc, policy);
    if taken { Ok((response, proof)) } else { Err(out_of_sequence()) }
}

/// Whether the digest of a refused response was right, which is what `stale=true` tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stale {
    Yes,
    No,
}

/// The peer is refused, and a fresh challenge lets an honest one go on, if there is room for it.
fn refused(
    misbehaviour: PeerMisbehaviour,
    stale: Stale,
    session: &Session,
    message: &TokenMessage<'_>,
    world: World<'_>,
) -> Refused {
    let terms = session.challenge().terms().clone();
    match fresh_if_room::<Sasl>(terms, stale == Stale::Yes, message.capacity, world) {
        Ok(challenge) => Refused { failure: misbehaviour.into(), challenge },
        Err(failure) => failure.into(),
    }
}
