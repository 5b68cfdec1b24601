//! Descriptors made of bytes, to a subject in C and to the crate beside it.
#![forbid(unsafe_code)]

use super::edited::{any, good};
use super::tables;
use crate::buffer::BufferType;
use crate::conformance::action::Action;
use crate::conformance::encoding::Reader;
use crate::conformance::subject::builtin::Builtin;
use crate::conformance::subject::{Subject, SubjectError};
use crate::conformance::walk::{Step, Walk, due};
use crate::spec::call::{Buffer, Call, Descriptor, Outcome};
use crate::spec::shadow::reading;
use crate::status::SecurityStatus;

/// How many buffers a descriptor has at most.
const MOST_BUFFERS: u8 = 9;

/// One call of a good sequence with a descriptor that nobody plans, and the rest of the sequence after it: the C ABI of this
/// crate must do what the crate does.
///
/// The first byte picks the sequence, the second what is open in it, the third which of its calls, counted from the last. Bytes
/// that make a descriptor follow.
///
/// # Errors
/// What was answered otherwise, or written where nothing may be written, and by which call.
pub fn descriptors(in_c: &mut dyn Subject, bytes: &[u8]) -> Result<(), String> {
    let mut reader = Reader { bytes };
    let sequence = good(any(reader.byte()), reader.byte());
    let chosen = sequence.actions.len().checked_sub(1 + usize::from(reader.byte()) % sequence.actions.len().max(1));
    let mut here = Walk::start(tables(), Builtin::default(), &sequence.setup).map_err(|error| error.to_string())?;
    let mut there = Walk::start(tables(), in_c, &sequence.setup).map_err(|error| error.to_string())?;
    for (number, action) in sequence.actions.iter().enumerate() {
        let is_chosen = Some(number) == chosen;
        let expected = performed(&mut here, action, is_chosen, &reader);
        let actual = performed(&mut there, action, is_chosen, &reader);
        match (expected, actual) {
            // C has no words for it.
            (_, Err(SubjectError::Unable(_))) => return Ok(()),
            (Ok(expected), Ok(actual)) if seen(expected.as_ref()) == seen(actual.as_ref()) => {}
            (expected, actual) => return Err(told(action, expected, actual)),
        }
    }
    Ok(())
}

fn performed<S: Subject>(
    walk: &mut Walk<S>,
    action: &Action,
    is_chosen: bool,
    reader: &Reader<'_>,
) -> Result<Option<Step>, SubjectError> {
    match due(action, walk.shadow()).filter(|_| is_chosen) {
        Some(mut call) => {
            rebuild(&mut call, &mut Reader { bytes: reader.bytes });
            walk.call(call).map(Some)
        }
        None => walk.perform(action),
    }
}

/// What both must do alike: bytes and handles may be others.
#[derive(PartialEq, Eq)]
struct Seen {
    status: SecurityStatus,
    granted: Option<u32>,
    /// Type, count and memory of each buffer.
    buffers: Vec<(u32, u32, Option<usize>)>,
}

fn seen(step: Option<&Step>) -> Option<Seen> {
    let Step { call, outcome: Outcome { status, granted, output, .. }, .. } = step?;
    let buffers = output.as_ref().and_then(|output| output.buffers.as_deref()).unwrap_or_default();
    let pointer = pointer(call).filter(|_| *status == SecurityStatus::SEC_E_OK);
    let shape = |(position, buffer): (usize, &Buffer)| match Some(position) == pointer {
        true => (buffer.buffer_type.0, 0, None),
        false => (buffer.buffer_type.0, buffer.count, buffer.data.as_ref().map(Vec::len)),
    };
    Some(Seen { status: *status, granted: *granted, buffers: buffers.iter().enumerate().map(shape).collect() })
}

/// What C makes point into another buffer, for which the crate has no words: a DATA in which nothing is, beside the STREAM that
/// DecryptMessage decrypts in its place.
fn pointer(call: &Call) -> Option<usize> {
    let Call::DecryptMessage { message: Some(message), .. } = call else { return None };
    reading::plaintext_pointer(message.buffers.as_deref()?)
}

/// What differs, in one line that has nothing of the input; then the call and both outcomes.
fn told(
    action: &Action,
    expected: Result<Option<Step>, SubjectError>,
    actual: Result<Option<Step>, SubjectError>,
) -> String {
    let call =
        [&actual, &expected].into_iter().find_map(|result| result.as_ref().ok()?.as_ref()).map(|step| &step.call);
    let name = call.map_or_else(|| "an action".to_owned(), |call| call.name().to_string());
    let call = call.map_or_else(|| format!("{action:?}"), |call| format!("{call:?}"));
    let short = |result: &Result<Option<Step>, SubjectError>| match result {
        Ok(Some(step)) => step.outcome.status.to_string(),
        Ok(None) => "nothing".to_owned(),
        Err(error) => error.to_string(),
    };
    let what = format!("{name}: {} from the crate, {} from the C ABI", short(&expected), short(&actual));
    let whole = |result: Result<Option<Step>, SubjectError>| match result {
        Ok(step) => format!("{:?}", step.map(|step| step.outcome)),
        Err(error) => error.to_string(),
    };
    format!("{what}\n{call}\nthe crate: {}\nthe C ABI: {}", whole(expected), whole(actual))
}

/// Puts a descriptor made of bytes in the place of one that the call has, if it has one.
fn rebuild(call: &mut Call, reader: &mut Reader<'_>) {
    let which = reader.byte();
    let Some(place) = (if which & 1 == 0 { call.input_mut() } else { call.output_mut() }) else { return };
    let good = place.take().and_then(|descriptor| descriptor.buffers).unwrap_or_default();
    *place = descriptor(reader, &good);
}

fn descriptor(reader: &mut Reader<'_>, good: &[Buffer]) -> Option<Descriptor> {
    let version = match reader.byte() {
        0..0xF0 => 0,
        other => other.into(),
    };
    match reader.byte() {
        0xFF => None,
        0xFE => Some(Descriptor { version, count: reader.byte().into(), buffers: None }),
        shape => {
            let buffers: Vec<Buffer> = (0..shape % MOST_BUFFERS).map(|_| buffer(reader, good)).collect();
            // The highest bit hides the last buffer.
            let count = u32::try_from(buffers.len()).unwrap_or(0).saturating_sub((shape >> 7).into());
            Some(Descriptor { version, count, buffers: Some(buffers) })
        }
    }
}

/// A buffer: one that was good, one of another type, a NULL with a length, or memory of which not all need count.
fn buffer(reader: &mut Reader<'_>, good: &[Buffer]) -> Buffer {
    let (how, which) = (reader.byte(), reader.byte());
    let known = || good.get(usize::from(which).checked_rem(good.len())?).cloned();
    match how % 4 {
        0 => known().unwrap_or_else(|| Buffer::null(buffer_type(which))),
        1 => {
            let buffer_type = buffer_type(reader.byte());
            Buffer { buffer_type, ..known().unwrap_or_else(|| Buffer::null(buffer_type)) }
        }
        2 => Buffer { buffer_type: buffer_type(which), count: reader.byte().into(), data: None },
        _other => {
            let length = reader.byte();
            let data: Vec<u8> = (0..length).map(|_| reader.byte()).collect();
            let count = u32::from(length.saturating_sub(reader.byte()));
            Buffer { buffer_type: buffer_type(which), count, data: Some(data) }
        }
    }
}

/// One of the types that have a number below 32, with the attributes that the two bits above say.
fn buffer_type(byte: u8) -> BufferType {
    let attribute = |bit: u8, attribute: u32| if byte >> bit & 1 == 1 { attribute } else { 0 };
    let attributes = attribute(5, BufferType::READONLY) | attribute(6, BufferType::READONLY_WITH_CHECKSUM);
    BufferType(u32::from(byte & 0x1F) | attributes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::descriptors;
    use crate::buffer::{BufferType, SecHandle};
    use crate::conformance::fuzzing::edited::ALL;
    use crate::conformance::subject::builtin::Builtin;
    use crate::conformance::subject::{Subject, SubjectError};
    use crate::spec::call::{Buffer, Call, Outcome};
    use crate::spec::names::Need;
    use crate::spec::setup::Setup;
    use crate::status::SecurityStatus;

    /// A good token, a NULL with a length, memory that is not all counted, no descriptor, no buffers.
    const DESCRIPTORS: [&[u8]; 5] = [
        &[0, 0, 1, 0, 0],
        &[0, 0, 2, 0, 0, 2, 2, 9],
        &[0, 0, 2, 0, 0, 3, 2, 4, 1, 2, 3, 4, 1],
        &[0, 0, 0xFF],
        &[1, 0, 0xFE, 3],
    ];

    /// The inputs of every way that these descriptors make, on each of the last calls.
    fn inputs() -> impl Iterator<Item = Vec<u8>> {
        let ways = 0..u8::try_from(ALL).expect("few");
        ways.flat_map(|way| {
            let calls = (0..3).flat_map(|back| DESCRIPTORS.map(|descriptor| (back, descriptor)));
            calls.map(move |(back, descriptor)| [&[way, way, back], descriptor].concat())
        })
    }

    /// The crate, but for something.
    struct Altered<F> {
        inner: Builtin,
        alter: F,
    }

    impl<F: FnMut(&Call, &mut Outcome)> Subject for Altered<F> {
        fn name(&self) -> String {
            "altered".into()
        }

        fn capabilities(&self) -> BTreeSet<Need> {
            self.inner.capabilities()
        }

        fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
            self.inner.start(setup)
        }

        fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
            let mut outcome = self.inner.call(call)?;
            (self.alter)(call, &mut outcome);
            Ok(outcome)
        }

        fn advance(&mut self, milliseconds: u64) -> Result<(), SubjectError> {
            self.inner.advance(milliseconds)
        }

        fn foreign_handle(&mut self) -> Result<SecHandle, SubjectError> {
            self.inner.foreign_handle()
        }
    }

    #[test]
    fn who_is_alike_is_not_told_and_who_is_not_is() {
        for input in inputs() {
            assert_eq!(descriptors(&mut Builtin::default(), &input), Ok(()), "{input:?}");
        }
        for from in
            [SecurityStatus::SEC_E_INVALID_TOKEN, SecurityStatus::SEC_E_OK, SecurityStatus::SEC_I_COMPLETE_NEEDED]
        {
            let alter = |_: &Call, outcome: &mut Outcome| {
                if outcome.status == from {
                    outcome.status = SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION;
                }
            };
            let told = inputs()
                .filter_map(|input| descriptors(&mut Altered { inner: Builtin::default(), alter }, &input).err());
            let told: Vec<String> = told.collect();
            assert!(!told.is_empty(), "{from}");
            let is_told = |told: &String| told.contains("the crate: ") && told.contains("the C ABI: ");
            assert_eq!(told.iter().find(|told| !is_told(told)), None);
        }
    }

    /// The message as a buffer of some type, and a DATA in which nothing is: who makes that point to the plaintext of a STREAM does
    /// what C may, of a DATA not.
    #[test]
    fn only_beside_a_stream_may_data_point_to_the_plaintext() {
        let told = |message: BufferType| {
            let type_of = u8::try_from(message.0).expect("it has no attributes");
            let ways = 0..u8::try_from(ALL).expect("few");
            let inputs = ways.map(move |way| vec![way, way, 0, 0, 0, 2, 1, 0, type_of, 2, 1, 0]);
            let mut pointed = 0;
            let alter = |call: &Call, outcome: &mut Outcome| {
                let buffers = outcome.output.as_mut().and_then(|output| output.buffers.as_mut());
                if let (Call::DecryptMessage { .. }, SecurityStatus::SEC_E_OK, Some([message, pointer])) =
                    (call, outcome.status, buffers.map(Vec::as_mut_slice))
                    && (pointer.buffer_type, pointer.count) == (BufferType::DATA, 0)
                {
                    *pointer = Buffer::new(BufferType::DATA, message.bytes().to_vec());
                    pointed += pointer.count;
                }
            };
            let mut subject = Altered { inner: Builtin::default(), alter };
            let told = inputs.filter(|input| descriptors(&mut subject, input).is_err()).count();
            (told, pointed > 0)
        };
        assert_eq!(told(BufferType::STREAM), (0, true));
        assert!(matches!(told(BufferType::DATA), (1.., true)));
    }
}
