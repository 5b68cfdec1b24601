//! Actions and sequences for fuzz targets, read from bytes as [`encoding`](super::encoding) lays them out.
#![forbid(unsafe_code)]

use arbitrary::{Arbitrary, Result, Unstructured};

use super::action::{Action, CallAction, Edit, Wishes};
use super::encoding::Reader;
use super::plan::Sequence;
use crate::spec::names::CallName;

/// Takes what `read` takes off the front of the bytes.
fn take<T>(bytes: &mut Unstructured<'_>, read: impl FnOnce(&mut Reader<'_>) -> T) -> Result<T> {
    let all = bytes.peek_bytes(bytes.len()).unwrap_or_default();
    let mut reader = Reader { bytes: all };
    let value = read(&mut reader);
    let taken = all.len() - reader.bytes.len();
    bytes.bytes(taken)?;
    Ok(value)
}

impl<'a> Arbitrary<'a> for Edit {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        take(bytes, |reader| reader.edit())
    }
}

impl<'a> Arbitrary<'a> for Wishes {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        take(bytes, |reader| reader.wishes())
    }
}

impl<'a> Arbitrary<'a> for CallAction {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let call = *bytes.choose(CallName::ALL)?;
        take(bytes, |reader| reader.call(call))
    }
}

impl<'a> Arbitrary<'a> for Action {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        take(bytes, |reader| reader.action())
    }
}

impl<'a> Arbitrary<'a> for Sequence {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        take(bytes, |reader| reader.sequence())
    }
}

#[cfg(test)]
mod tests {
    use arbitrary::{Arbitrary, Unstructured};

    use crate::conformance::action::{Action, CallAction};
    use crate::conformance::encoding::decode;
    use crate::conformance::plan::Sequence;

    #[test]
    fn a_sequence_is_what_its_bytes_decode_to() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().step_by(7).take(500).collect();
        let sequence = Sequence::arbitrary(&mut Unstructured::new(&bytes)).expect("every byte string is a sequence");
        assert_eq!(sequence, decode(&bytes));
    }

    #[test]
    fn actions_take_no_more_than_they_need() {
        let mut bytes = Unstructured::new(&[19, 19, 4]);
        let actions: [Action; 2] = Arbitrary::arbitrary(&mut bytes).expect("every byte string is an action");
        assert_eq!(actions, [Action::Expire, Action::Expire]);
        assert_eq!(bytes.len(), 1);
        CallAction::arbitrary(&mut bytes).expect("every byte string is a call");
        assert!(bytes.is_empty());
    }
}
