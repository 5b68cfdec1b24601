//! Whether a response was made with the password of its user.
#![forbid(unsafe_code)]

use super::environment::{AccountSourceUnavailable, World};
use crate::digest::hash::equal;
use crate::digest::{Response, SessionKey, UserHash, sasl};

/// What is hashed with where there is no account, so that an unknown user costs what a known one costs.
const NOBODY: UserHash = UserHash::from_bytes([0; 16]);

/// Asks the account source about the user of `response` and verifies its digest; the key it was made with, or
/// `None` for a wrong password and for an unknown user, after the same work for both.
pub(super) fn authenticate(
    response: &Response<'_>,
    method: &[u8],
    entity: Option<&[u8; 16]>,
    world: World<'_>,
) -> Result<Option<SessionKey>, AccountSourceUnavailable> {
    let account = world.accounts.lookup(&response.username, &response.realm)?;
    let nobody = NOBODY;
    let (primary, utf8) = match &account {
        Some(account) => (account.primary(), account.utf8()),
        None => (&nobody, None),
    };
    let with = |user: &UserHash| {
        let key = SessionKey::new(response.algorithm(), user, &response.nonce, &response.cnonce);
        let right = is_made_with(&key, response, method, entity);
        (key, right)
    };
    let (primary_key, primary_right) = with(primary);
    let (utf8_key, utf8_right) = with(utf8.unwrap_or(&nobody));
    Ok(match (account.is_some(), primary_right, utf8_right && utf8.is_some()) {
        (true, true, _) => Some(primary_key),
        (true, false, true) => Some(utf8_key),
        (true, false, false) | (false, _, _) => None,
    })
}

/// As [`authenticate`], for SASL: RFC 2831 has one encoding of hash inputs (section 2.1.2.1).
pub(super) fn authenticate_sasl(
    response: &sasl::Response<'_>,
    world: World<'_>,
) -> Result<Option<SessionKey>, AccountSourceUnavailable> {
    let account = world.accounts.lookup(&response.username, &response.realm)?;
    let nobody = NOBODY;
    let user = account.as_ref().map_or(&nobody, |account| account.primary());
    let key = SessionKey::sasl(user, &response.nonce, &response.cnonce, response.authzid.as_deref());
    let right = is_made_with_sasl(&key, response);
    Ok(if right && account.is_some() { Some(key) } else { None })
}

/// Whether the digest of `response` is the one under `key`; compared in constant time.
pub(super) fn is_made_with_sasl(key: &SessionKey, response: &sasl::Response<'_>) -> bool {
    equal(&response.digest(key), &response.response)
}

/// Whether the digest of `response` is the one under `key`; compared in constant time.
pub(super) fn is_made_with(
    key: &SessionKey,
    response: &Response<'_>,
    method: &[u8],
    entity: Option<&[u8; 16]>,
) -> bool {
    response.digest(key, method, entity).is_some_and(|digest| equal(&digest, &response.response))
}
