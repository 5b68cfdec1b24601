//! pAuthData: SEC_WINNT_AUTH_IDENTITY and SEC_WINNT_AUTH_IDENTITY_EX.
#![allow(unsafe_code, reason = "reads structures that a caller in C points to")]

use core::ffi::c_void;

use zeroize::Zeroizing;

use super::constants::{
    SEC_E_UNKNOWN_CREDENTIALS, SEC_WINNT_AUTH_IDENTITY_ANSI, SEC_WINNT_AUTH_IDENTITY_MARSHALLED,
    SEC_WINNT_AUTH_IDENTITY_ONLY, SEC_WINNT_AUTH_IDENTITY_UNICODE, SEC_WINNT_AUTH_IDENTITY_VERSION,
    SEC_WINNT_AUTH_IDENTITY_VERSION_2,
};
use super::memory;
use super::status::Failed;
use super::strings::{Ansi, Encoding, Wide};
use super::types::{SEC_WINNT_AUTH_IDENTITY_EXW, SEC_WINNT_AUTH_IDENTITY_W};
use crate::package::AuthIdentity;

const UNKNOWN: Failed = Failed(SEC_E_UNKNOWN_CREDENTIALS);

/// The identity behind pAuthData; `None` for NULL.
///
/// A structure that begins with SEC_WINNT_AUTH_IDENTITY_VERSION is an EX, and its Length must be right. The encoding is
/// what Flags say, whichever function was called.
///
/// # Safety
/// `data` is NULL or points to one of the structures, whose strings can be read.
///
/// # Errors
/// SEC_E_UNKNOWN_CREDENTIALS: another version (EX2 is one), a wrong Length, no encoding or both, protected strings, a
/// NULL with a length, malformed text. SEC_E_INSUFFICIENT_MEMORY.
pub(super) unsafe fn read(data: *const c_void) -> Result<Option<AuthIdentity>, Failed> {
    // SAFETY: the caller of this function says that there is a structure, and each is longer than this.
    let Some(version) = (unsafe { memory::read(data.cast::<u32>()) }) else { return Ok(None) };
    if version == SEC_WINNT_AUTH_IDENTITY_VERSION_2 {
        return Err(UNKNOWN);
    }
    let parts = if version == SEC_WINNT_AUTH_IDENTITY_VERSION {
        // SAFETY: the version says so; as above.
        let length = unsafe { memory::read(data.cast::<u32>().wrapping_add(1)) };
        if length.map(|length| length as usize) != Some(size_of::<SEC_WINNT_AUTH_IDENTITY_EXW>()) {
            return Err(UNKNOWN);
        }
        // SAFETY: version and length say so; as above. The A structure has the same layout.
        let identity = unsafe { memory::read(data.cast::<SEC_WINNT_AUTH_IDENTITY_EXW>()) }.ok_or(UNKNOWN)?;
        Parts {
            user: (identity.User.cast(), identity.UserLength),
            domain: (identity.Domain.cast(), identity.DomainLength),
            password: (identity.Password.cast(), identity.PasswordLength),
            flags: identity.Flags,
        }
    } else {
        // SAFETY: no version, so it is the structure without one; as above. The A structure has the same layout.
        let identity = unsafe { memory::read(data.cast::<SEC_WINNT_AUTH_IDENTITY_W>()) }.ok_or(UNKNOWN)?;
        Parts {
            user: (identity.User.cast(), identity.UserLength),
            domain: (identity.Domain.cast(), identity.DomainLength),
            password: (identity.Password.cast(), identity.PasswordLength),
            flags: identity.Flags,
        }
    };
    let indifferent = SEC_WINNT_AUTH_IDENTITY_MARSHALLED | SEC_WINNT_AUTH_IDENTITY_ONLY;
    match parts.flags & !indifferent {
        // SAFETY: the caller of this function says that the strings can be read; Flags say how long a character is.
        SEC_WINNT_AUTH_IDENTITY_ANSI => unsafe { parts.decode::<Ansi>() }.map(Some),
        // SAFETY: as above.
        SEC_WINNT_AUTH_IDENTITY_UNICODE => unsafe { parts.decode::<Wide>() }.map(Some),
        _ => Err(UNKNOWN),
    }
}

/// A string: where it is and how many characters it has.
type Text = (*const c_void, u32);

/// What all four structures have.
struct Parts {
    user: Text,
    domain: Text,
    password: Text,
    flags: u32,
}

impl Parts {
    /// # Safety
    /// The strings can be read and have characters of that encoding.
    unsafe fn decode<E: Encoding>(&self) -> Result<AuthIdentity, Failed> {
        // SAFETY: that is what the caller of this function says.
        let text = |text| unsafe { text_of::<E>(text) };
        let [mut user, mut domain, mut password] = [text(self.user)?, text(self.domain)?, text(self.password)?];
        let taken = core::mem::take::<String>;
        Ok(AuthIdentity::new(taken(&mut user), taken(&mut domain), taken(&mut password)))
    }
}

/// # Safety
/// The string can be read and has characters of that encoding.
unsafe fn text_of<E: Encoding>((at, length): Text) -> Result<Zeroizing<String>, Failed> {
    if at.is_null() && length > 0 {
        return Err(UNKNOWN);
    }
    // SAFETY: that is what the caller of this function says.
    let units = unsafe { memory::copy(at.cast::<E::Unit>(), length as usize) }?;
    E::decode(&units).ok_or(UNKNOWN)
}
