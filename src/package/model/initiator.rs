//! An initiator: one context of the core, which answers one challenge and signs one further request.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::message::Request;
use super::surroundings::{Authority, Surroundings, credentials};
use crate::context::initiator::{CompletedDigest, Initiator as Role};
use crate::context::input::{InitializeInput, RequestMessage};
use crate::context::requirements::InitializeRequirements;
use crate::context::{Context, Room};
use crate::package::core::http::HttpContext;
use crate::package::core::{CompletionMessage, Output};
use crate::status::SecurityStatus;

/// What an initiator asks for, each time in other words than the other.
const REQUESTS: [[(&[u8], &[u8]); 2]; 2] = [[(b"GET", b"/a"), (b"POST", b"/b")], [(b"GET", b"/c"), (b"POST", b"/d")]];
/// H(Entity) of the bodies; under qop=auth nobody needs them.
const ENTITIES: [[&[u8]; 2]; 2] = [
    [b"0cc175b9c0f1b6a831c399e269772661", b"92eb5ffee6ae2fec3ad71c777531578f"],
    [b"4a8a08f09d37b73795649038408b5f33", b"8277e0910d750195b448797616e091ad"],
];
/// More than any token here.
const CAPACITY: Option<usize> = Some(4096);

/// One of the two.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Initiator {
    number: usize,
    /// How many requests it makes.
    makes: usize,
    /// Whether entities are protected.
    with_entity: bool,
    context: Arc<HttpContext>,
}

impl Initiator {
    pub(super) fn new(number: usize, makes: usize, with_entity: bool) -> Self {
        let role = Role::new(Arc::clone(credentials(number)));
        let context = Arc::new(HttpContext::InitiatorNew(Context::new(role, Room::Granted)));
        Self { number, makes, with_entity, context }
    }

    /// Whether it waits for a challenge.
    pub(super) fn is_new(&self) -> bool {
        matches!(*self.context, HttpContext::InitiatorNew(_))
    }

    /// Its requests, all of them: nobody can tell a request that was not made yet from one that was not delivered yet.
    pub(super) fn hear(&mut self, challenge: &[u8], surroundings: &mut Surroundings) -> Vec<Request> {
        let Some(first) = self.initialize(challenge, surroundings) else { return Vec::new() };
        let further = (1..self.makes).map_while(|number| self.sign(number));
        [first].into_iter().chain(further).collect()
    }

    /// Method, target and H(Entity) of one of its requests.
    fn asked(&self, number: usize) -> (&'static [u8], &'static [u8], &'static [u8]) {
        let (method, target) = REQUESTS[self.number][number];
        (method, target, if self.with_entity { ENTITIES[self.number][number] } else { b"" })
    }

    /// One of its requests, with the token made for it.
    fn request(&self, number: usize, token: Vec<u8>) -> Request {
        let (method, target, entity) = self.asked(number);
        Request { method: method.to_vec(), target: target.to_vec(), entity: entity.to_vec(), token }
    }

    /// InitializeSecurityContext with a challenge; the second initiator knows H(Entity) only afterwards and completes its
    /// token. `None` where it refuses.
    fn initialize(&mut self, challenge: &[u8], surroundings: &mut Surroundings) -> Option<Request> {
        let (method, target, entity) = self.asked(0);
        let completes = self.with_entity && self.number == 1;
        let requirements = match self.with_entity {
            true => InitializeRequirements::HTTP | InitializeRequirements::INTEGRITY,
            false => InitializeRequirements::HTTP,
        };
        let input = InitializeInput {
            token: Some(challenge),
            method,
            target,
            entity: if completes { b"" } else { entity },
            capacity: CAPACITY,
            ..InitializeInput::default()
        };
        let context = HttpContext::clone(&self.context);
        let (context, granted, output) = surroundings.with(Some(self.number), Authority::Up, |world| {
            context.initialize(Some(&**credentials(self.number)), Ok(input), requirements, world)
        });
        self.context = Arc::new(context);
        let (Ok(granted), Output::Written(mut token)) = (granted, output) else { return None };
        if granted.status == SecurityStatus::SEC_I_COMPLETE_NEEDED {
            self.complete(&mut token, entity, surroundings)?;
        }
        Some(self.request(0, token))
    }

    /// CompleteAuthToken on its own token.
    fn complete(&mut self, token: &mut [u8], entity: &[u8], surroundings: &mut Surroundings) -> Option<()> {
        let message = CompletionMessage { token, token_is_writable: true, entity, ..CompletionMessage::NOTHING };
        let context = HttpContext::clone(&self.context);
        let (context, completed, output) = surroundings
            .with(Some(self.number), Authority::Up, |world| context.complete_auth_token(Ok(message), world));
        self.context = Arc::new(context);
        let (Ok(()), Output::Completed(CompletedDigest { at, digits })) = (completed, output) else { return None };
        token.get_mut(at..at + digits.len())?.copy_from_slice(&digits);
        Some(())
    }

    /// MakeSignature for a further request.
    fn sign(&mut self, number: usize) -> Option<Request> {
        let (method, target, entity) = self.asked(number);
        let message = RequestMessage { method, target, entity, capacity: CAPACITY };
        let (context, made, output) = HttpContext::clone(&self.context).make_signature(Ok(message));
        self.context = Arc::new(context);
        let (Ok(()), Output::Written(token)) = (made, output) else { return None };
        Some(self.request(number, token))
    }
}
