//! What a library reports, read from the structure of the attribute, or of the packages.
#![allow(unsafe_code, reason = "reads memory of a library, and gives it back")]

use core::ffi::c_void;

use super::frame::{Frame, Place, copy_out};
use super::layouts::{self, FreeBuffer, KeyInfo, Name, SessionKey, Sizes, StreamSizes};
use super::text::Encoding;
use crate::conformance::subject::SubjectError;
use crate::spec::call::{Attribute, PackageInfo, SessionKeyBytes};

const SIZES: u32 = 0;
const NAMES: u32 = 1;
const STREAM_SIZES: u32 = 4;
const KEY_INFO: u32 = 5;
const SESSION_KEY: u32 = 9;
const PACKAGE_INFO: u32 = 10;
const CLIENT_SPECIFIED_TARGET: u32 = 27;

/// More than any structure of an attribute that is not judged.
const LARGE: usize = 4096;

/// The size of the structure of an attribute, in bytes; more than enough for one that is not judged.
pub(super) fn size(attribute: u32) -> usize {
    match attribute {
        SIZES => size_of::<Sizes>(),
        NAMES | CLIENT_SPECIFIED_TARGET => size_of::<Name>(),
        STREAM_SIZES => size_of::<StreamSizes>(),
        KEY_INFO => size_of::<KeyInfo>(),
        SESSION_KEY => size_of::<SessionKey>(),
        _unjudged => LARGE,
    }
}

/// The attribute that was reported. What it points to goes back to the library.
///
/// # Errors
/// What it points to is no text, or too long.
pub(super) fn read(
    frame: &Frame<'_>,
    room: Place,
    attribute: u32,
    encoding: Encoding,
    free: Option<FreeBuffer>,
) -> Result<Attribute, SubjectError> {
    Ok(match attribute {
        SIZES => {
            let sizes: Sizes = frame.value(room);
            Attribute::Sizes {
                maximum_signature: sizes.maximum_signature,
                block_size: sizes.block_size,
                security_trailer: sizes.security_trailer,
            }
        }
        NAMES => Attribute::Names(text(frame.value::<Name>(room).name, encoding, free)?),
        STREAM_SIZES => {
            let StreamSizes { header, trailer, maximum_message, buffers, block_size } = frame.value(room);
            Attribute::StreamSizes { header, trailer, maximum_message, buffers, block_size }
        }
        KEY_INFO => {
            let info: KeyInfo = frame.value(room);
            Attribute::KeyInfo {
                signature_algorithm: text(info.signature_algorithm_name, encoding, free)?,
                encryption_algorithm: text(info.encryption_algorithm_name, encoding, free)?,
                key_size: info.key_size,
            }
        }
        SESSION_KEY => {
            let key: SessionKey = frame.value(room);
            let bytes = copy_out(key.key, key.length as usize)?;
            give_back(key.key, free);
            Attribute::SessionKey(SessionKeyBytes(bytes))
        }
        // In UTF-16, whichever function was called.
        CLIENT_SPECIFIED_TARGET => {
            Attribute::ClientSpecifiedTarget(text(frame.value::<Name>(room).name, Encoding::Wide, free)?)
        }
        // What it says is not judged; the memory is the caller's all the same.
        PACKAGE_INFO => {
            give_back(frame.value::<layouts::Pointer>(room).to, free);
            Attribute::Other
        }
        _unjudged => Attribute::Other,
    })
}

/// What an array of the library says of packages. It stays the library's, as does everything that it points to.
///
/// # Errors
/// It is longer than anything that a library has to tell, or a name in it is.
pub(super) fn packages(at: *mut c_void, count: u32, encoding: Encoding) -> Result<Attribute, SubjectError> {
    let bytes = copy_out(at, size_of::<layouts::PackageInfo>().saturating_mul(count as usize))?;
    let packages = bytes.chunks_exact(size_of::<layouts::PackageInfo>()).map(|bytes| {
        // SAFETY: there are so many bytes, and any are a value of integers and pointers.
        let package = unsafe { bytes.as_ptr().cast::<layouts::PackageInfo>().read_unaligned() };
        Ok(PackageInfo {
            name: encoding.read(package.name)?,
            capabilities: package.capabilities,
            version: package.version,
            rpc_id: package.rpc_id,
            maximum_token: package.maximum_token,
        })
    });
    packages.collect::<Result<_, SubjectError>>().map(Attribute::Packages)
}

fn text(from: *mut c_void, encoding: Encoding, free: Option<FreeBuffer>) -> Result<String, SubjectError> {
    let text = encoding.read(from)?;
    give_back(from, free);
    Ok(text)
}

fn give_back(memory: *mut c_void, free: Option<FreeBuffer>) {
    if let Some(free) = free.filter(|_| !memory.is_null()) {
        // SAFETY: the library allocated it for this caller, who does not read it again.
        unsafe { free(memory) };
    }
}
