//! What packages say of themselves, and the memory that they say it in.

use super::support::*;
use digest_ssp::buffer::SecHandle;
use digest_ssp::spec::call::{Attribute, PackageInfo};
use digest_ssp::spec::{Call, Outcome};
use digest_ssp::status::SecurityStatus as Status;

fn info(name: &str) -> PackageInfo {
    PackageInfo { name: name.into(), capabilities: 0, version: 1, rpc_id: 0xFFFF, maximum_token: 12_000 }
}

fn address(lower: u64) -> SecHandle {
    SecHandle { lower, upper: 0 }
}

fn query(package: &str) -> Call {
    Call::QuerySecurityPackageInfo { package: package.into() }
}

fn free(block: SecHandle) -> Call {
    Call::FreeContextBuffer { block: Some(block) }
}

fn told(call: &Call, at: u64, packages: &[PackageInfo]) -> Outcome {
    let attribute = Some(Attribute::Packages(packages.to_vec()));
    Outcome { attribute, ..Outcome::untouched(Status::SEC_E_OK, call) }.with_handle(address(at))
}

#[test]
fn memory_is_freed_once_and_its_address_can_come_again() {
    let mut bench = Bench::new();
    let call = query("WDigest");
    bench.pass("qspi-described", &call, &told(&call, 0x1000, &[info("WDigest")]));
    bench.fail("qspi-described", &call, &told(&call, 0x1000, &[info("WDigest")]));
    let all = Call::EnumerateSecurityPackages {};
    bench.pass("esp-enumerated", &all, &told(&all, 0x2000, &[info("NTLM"), info("WDigest")]));
    bench.pass_status("fcb-freed", &free(address(0x1000)), Status::SEC_E_OK);
    let again = free(address(0x1000));
    bench.fail("fcb-not-allocated", &again, &Outcome::untouched(Status::SEC_E_OK, &again));
    bench.pass_status("fcb-not-allocated", &again, Status::SEC_E_INVALID_HANDLE);
    bench.pass("qspi-described", &call, &told(&call, 0x1000, &[info("WDigest")]));
    bench.pass_status("fcb-freed", &free(address(0x1000)), Status::SEC_E_OK);
    bench.pass_status("fcb-freed", &free(address(0x2000)), Status::SEC_E_OK);
}

#[test]
fn what_is_no_memory_of_the_package_is_not_freed() {
    let mut bench = Bench::new();
    bench.pass_status("fcb-not-allocated", &free(address(0x3000)), Status::SEC_E_INVALID_HANDLE);
    for null in [None, Some(SecHandle::default())] {
        let call = Call::FreeContextBuffer { block: null };
        bench.pass_status("fcb-null", &call, Status::SEC_E_INVALID_HANDLE);
        bench.deviation("fcb-null", &call, &Outcome::untouched(Status::SEC_E_OK, &call));
        bench.fail("fcb-null", &call, &Outcome::untouched(Status::SEC_E_UNSUPPORTED_FUNCTION, &call));
    }
}

#[test]
fn who_is_asked_for_a_package_tells_of_it_alone() {
    let mut bench = Bench::new();
    let call = query("WDigest");
    let others: [&[PackageInfo]; 4] =
        [&[], &[info("NTLM")], &[info("WDigest"), info("NTLM")], &[PackageInfo { version: 2, ..info("WDigest") }]];
    for packages in others {
        bench.fail("qspi-described", &call, &told(&call, 0x1000, packages));
    }
    bench.fail("qspi-described", &call, &Outcome::untouched(Status::SEC_E_OK, &call).with_handle(address(0x1000)));
    let nowhere = Outcome { handle: None, ..told(&call, 0x1000, &[info("WDigest")]) };
    bench.fail("qspi-described", &call, &nowhere);
    let unknown = query("NTLM");
    bench.fail("qspi-other-package", &unknown, &told(&unknown, 0x1000, &[info("NTLM")]));
    let beside = Outcome::untouched(Status::SEC_E_SECPKG_NOT_FOUND, &unknown).with_handle(address(0x1000));
    bench.fail("qspi-other-package", &unknown, &beside);
    bench.pass_status("qspi-other-package", &unknown, Status::SEC_E_SECPKG_NOT_FOUND);
    let all = Call::EnumerateSecurityPackages {};
    bench.fail("esp-enumerated", &all, &told(&all, 0x1000, &[info("NTLM")]));
}
