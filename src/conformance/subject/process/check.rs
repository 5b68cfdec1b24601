//! Whether the adapter is wrong, and not what is behind it.
//!
//! No implementation, however wrong, can do to its caller what is refused here: make a descriptor appear or vanish, or
//! hand back what the function has no parameter for.
#![forbid(unsafe_code)]

use crate::buffer::BufferType;
use crate::spec::call::{Buffer, Call, Descriptor, Outcome};

/// The memory of the buffer that the check hands over.
const MEMORY: [u8; 16] = [0xA5; 16];

/// The call of the check before a run: a completion without a context, which touches no buffer of any implementation.
pub(super) fn probe() -> Call {
    let token = Descriptor::new(vec![Buffer::new(BufferType::TOKEN, MEMORY.to_vec())]);
    Call::CompleteAuthToken { context: None, token: Some(token) }
}

/// What is wrong with what an adapter says came of the probe. What is in the memory is the implementation's.
pub(super) fn probe_problem(call: &Call, outcome: &Outcome) -> Option<String> {
    let memory = |descriptor: Option<&Descriptor>| {
        let buffers = descriptor.and_then(|descriptor| descriptor.buffers.as_deref()).unwrap_or_default();
        buffers.iter().map(|buffer| buffer.data.as_ref().map(Vec::len)).collect::<Vec<_>>()
    };
    problem(call, outcome).or_else(|| {
        let (before, after) = (memory(call.output()), memory(outcome.output.as_ref()));
        (before != after).then(|| {
            format!("{} was given a buffer of {} bytes, and its memory came back otherwise", call.name(), MEMORY.len())
        })
    })
}

/// What of an outcome is not the implementation's doing, whatever it is.
pub(super) fn problem(call: &Call, outcome: &Outcome) -> Option<String> {
    let name = call.name();
    let (acquires, makes_context, queries, decrypts) = match call {
        Call::AcquireCredentialsHandle { .. } => (true, false, false, false),
        Call::InitializeSecurityContext { .. } | Call::AcceptSecurityContext { .. } => (false, true, false, false),
        Call::QueryContextAttributes { .. }
        | Call::EnumerateSecurityPackages {}
        | Call::QuerySecurityPackageInfo { .. } => (false, false, true, false),
        Call::DecryptMessage { .. } => (false, false, false, true),
        Call::FreeContextBuffer { .. }
        | Call::FreeCredentialsHandle { .. }
        | Call::CompleteAuthToken { .. }
        | Call::MakeSignature { .. }
        | Call::VerifySignature { .. }
        | Call::EncryptMessage { .. }
        | Call::DeleteSecurityContext { .. } => (false, false, false, false),
    };
    // Who tells the handle that the caller has already tells nothing wrong.
    let given = [call.context(), call.credential()];
    let is_told = outcome.handle.is_some() && !given.contains(&outcome.handle);
    let members = [
        ("handle", is_told, acquires || makes_context || call.gives_memory()),
        ("attribute", outcome.attribute.is_some(), queries),
        ("granted", outcome.granted.is_some(), makes_context),
        ("expiry", outcome.expiry.is_some(), acquires || makes_context),
        ("quality", outcome.quality.is_some(), decrypts),
    ];
    if let Some((member, ..)) = members.iter().find(|(_, given, can_be)| *given && !*can_be) {
        return Some(format!("the outcome of {name} has {member}, which the function does not have"));
    }
    let input = if makes_context { call.input() } else { None };
    shape("input", input, outcome.input.as_ref())
        .or_else(|| shape("output", call.output(), outcome.output.as_ref()))
        .map(|problem| format!("{name}: {problem}"))
}

fn shape(which: &str, before: Option<&Descriptor>, after: Option<&Descriptor>) -> Option<String> {
    let (before, after) = match (before, after) {
        (None, None) => return None,
        (Some(before), Some(after)) => (before.buffers.as_ref(), after.buffers.as_ref()),
        (Some(_), None) => return Some(format!("there was an {which} descriptor, and the outcome has none")),
        (None, Some(_)) => return Some(format!("there was no {which} descriptor, and the outcome has one")),
    };
    let count = |buffers: Option<&Vec<Buffer>>| buffers.map(Vec::len);
    let told = |count: Option<usize>| count.map_or_else(|| "no buffers".to_owned(), |count| format!("{count} buffers"));
    let (before, after) = (count(before), count(after));
    (before != after).then(|| format!("the {which} descriptor had {}, in the outcome {}", told(before), told(after)))
}

#[cfg(test)]
mod tests {
    use super::{probe, probe_problem, problem};
    use crate::buffer::SecHandle;
    use crate::spec::call::{Attribute, Call, Descriptor, Outcome};
    use crate::status::SecurityStatus;

    const OK: SecurityStatus = SecurityStatus::SEC_E_OK;

    #[test]
    fn what_an_implementation_can_do_is_not_the_adapters_fault() {
        let call = probe();
        let mut outcome = Outcome::untouched(OK, &call);
        assert_eq!(probe_problem(&call, &outcome), None);
        let buffers = outcome.output.as_mut().and_then(|output| output.buffers.as_mut()).expect("there is one");
        buffers[0].data = Some(vec![0; 16]);
        buffers[0].count = 77;
        buffers[0].buffer_type.0 = 1;
        assert_eq!(probe_problem(&call, &outcome), None);
    }

    #[test]
    fn what_no_implementation_can_do_is() {
        let call = probe();
        let told = |change: fn(&mut Outcome)| {
            let mut outcome = Outcome::untouched(OK, &call);
            change(&mut outcome);
            problem(&call, &outcome).expect("it is wrong")
        };
        let handle = Some(SecHandle::default());
        assert!(told(|outcome| outcome.output = None).contains("has none"));
        assert!(told(|outcome| outcome.input = outcome.output.clone()).contains("no input descriptor"));
        assert!(told(|outcome| outcome.output = Some(Descriptor::new(Vec::new()))).contains("0 buffers"));
        let no_buffers = |outcome: &mut Outcome| outcome.output.as_mut().expect("there is one").buffers = None;
        assert!(told(no_buffers).contains("no buffers"));
        assert!(told(|outcome| outcome.handle = Some(SecHandle::default())).contains("handle"));
        assert!(told(|outcome| outcome.attribute = Some(Attribute::Other)).contains("attribute"));
        assert!(told(|outcome| outcome.granted = Some(0)).contains("granted"));
        assert!(told(|outcome| outcome.expiry = Some(0)).contains("expiry"));
        assert!(told(|outcome| outcome.quality = Some(0)).contains("quality"));
        let mut shorter = Outcome::untouched(OK, &call);
        let buffers = shorter.output.as_mut().and_then(|output| output.buffers.as_mut()).expect("there is one");
        buffers[0].data = Some(vec![0; 15]);
        assert!(probe_problem(&call, &shorter).is_some());
        let deletion = Call::DeleteSecurityContext { context: handle };
        let outcome = Outcome { handle, ..Outcome::untouched(OK, &deletion) };
        assert_eq!(problem(&deletion, &outcome), None, "the caller has it already");
        let another = Outcome { handle: Some(SecHandle { lower: 1, upper: 1 }), ..outcome };
        assert!(problem(&deletion, &another).is_some());
    }
}
