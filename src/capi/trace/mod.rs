//! What the caller did, call by call: one line of JSON for each, in the file that `DIGEST_SSP_TRACE` names.
//!
//! `digest-ssp trace check` judges the caller by it; `spec/schemas/trace.schema.json` describes the lines. They hold
//! handles, flags, how descriptors are laid out, statuses, and the blocks that were allocated and freed. Of buffers they
//! hold the lengths, of tokens also the directives that are no secret: never a password, a digest, a key or a message.
//!
//! Without the variable a call pays for one look at a [`OnceLock`](std::sync::OnceLock). A line that cannot be written
//! changes nothing about its call. InitSecurityInterface makes no line.
#![forbid(unsafe_code)]

mod file;
mod tokens;

use std::collections::BTreeMap;

use serde::Serialize;

use super::types::SECURITY_STATUS;
use super::{blocks, buffers};
use crate::buffer::SecHandle;
use crate::status::SecurityStatus;

pub use file::TRACE_VARIABLE;
pub(super) use file::is_recording;
pub(super) use tokens::text;

/// One call on its way to becoming a line; nothing where nobody asked for a trace.
#[derive(Debug)]
pub(super) struct Recording(Option<Box<Call>>);

/// What is told of a call.
#[derive(Debug, Default, Serialize)]
struct Call {
    function: &'static str,
    /// By parameter; `None` for NULL.
    handles: BTreeMap<&'static str, Option<String>>,
    /// What the caller has in its handles after the call, by parameter, where the call wrote it; `None` for NULL.
    given: BTreeMap<&'static str, Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_use: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribute: Option<u32>,
    /// By parameter; `None` for NULL.
    messages: BTreeMap<&'static str, Option<Descriptor>>,
    /// The numbers of the blocks that the caller has to free.
    allocated: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    freed: Option<Freed>,
    status: String,
}

/// How a SecBufferDesc was laid out.
#[derive(Debug, Serialize)]
pub(super) struct Descriptor {
    pub(super) version: u32,
    pub(super) count: u32,
    /// `None` where nothing there was looked at.
    pub(super) buffers: Option<Vec<Buffer>>,
}

/// One SecBuffer.
#[derive(Debug, Serialize)]
pub(super) struct Buffer {
    /// Of the buffer, with its attributes.
    #[serde(rename = "type")]
    pub(super) buffer_type: u32,
    pub(super) length: u32,
    /// Whether pvBuffer was NULL.
    pub(super) null: bool,
    /// What a token said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// What the call made of it, where it wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<Written>,
}

/// A SecBuffer after a call that wrote it.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    pub(super) length: u32,
    /// The block that was allocated for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) block: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

/// What FreeContextBuffer was given.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Freed {
    /// A block that the package had given.
    Block(u64),
    /// A block that had been freed before.
    Again(u64),
    /// Memory that the package never gave.
    Foreign,
    /// NULL.
    Null,
}

impl Recording {
    pub(super) fn begin(function: &'static str) -> Self {
        Self(is_recording().then(|| Box::new(Call { function, ..Call::default() })))
    }

    /// A handle that the caller passed.
    pub(super) fn handle(&mut self, parameter: &'static str, handle: Option<SecHandle>) {
        if let Some(call) = &mut self.0 {
            call.handles.insert(parameter, handle.map(words));
        }
    }

    /// What a parameter for a new handle holds now; `None` for NULL.
    pub(super) fn given(&mut self, parameter: &'static str, handle: Option<SecHandle>) {
        if let Some(call) = &mut self.0 {
            call.given.insert(parameter, handle.map(words));
        }
    }

    pub(super) fn flags(&mut self, flags: u32) {
        if let Some(call) = &mut self.0 {
            call.flags = Some(flags);
        }
    }

    pub(super) fn credential_use(&mut self, credential_use: u32) {
        if let Some(call) = &mut self.0 {
            call.credential_use = Some(credential_use);
        }
    }

    pub(super) fn attribute(&mut self, attribute: u32) {
        if let Some(call) = &mut self.0 {
            call.attribute = Some(attribute);
        }
    }

    /// A message, after whatever the call wrote into it.
    pub(super) fn message(&mut self, parameter: &'static str, message: Option<&buffers::Message>) {
        if let Some(call) = &mut self.0 {
            let descriptor = message.map(buffers::Message::recorded);
            let written = descriptor.iter().flat_map(|it| it.buffers.iter().flatten());
            call.allocated.extend(written.filter_map(|buffer| buffer.after.as_ref()?.block));
            call.messages.insert(parameter, descriptor);
        }
    }

    /// A block that the caller now has to free, and its address again.
    pub(super) fn allocated<T>(&mut self, block: *mut T) -> *mut T {
        if let Some(call) = &mut self.0 {
            call.allocated.extend(blocks::number(block.cast()));
        }
        block
    }

    /// What FreeContextBuffer found at the address that it was given.
    pub(super) fn freed(&mut self, is_null: bool, taken_back: &blocks::TakenBack) {
        if let Some(call) = &mut self.0 {
            call.freed = Some(match taken_back {
                blocks::TakenBack::Block(number) => Freed::Block(*number),
                blocks::TakenBack::Before(number) => Freed::Again(*number),
                blocks::TakenBack::Nothing if is_null => Freed::Null,
                blocks::TakenBack::Nothing => Freed::Foreign,
            });
        }
    }

    /// The line of the call is written.
    pub(super) fn end(self, status: SECURITY_STATUS) {
        if let Self(Some(mut call)) = self {
            call.status = SecurityStatus(status.cast_unsigned()).to_string();
            file::write(&call);
        }
    }
}

fn words(handle: SecHandle) -> String {
    format!("{:016x}:{:016x}", handle.lower, handle.upper)
}
