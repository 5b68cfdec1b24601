//! What the cases rely on, itself tested.
#![forbid(unsafe_code)]

use std::net::TcpStream;
use std::panic::catch_unwind;

use libtest_mimic::Trial;

use crate::case::{Case, Role};
use crate::peers::{Peer, python};
use crate::ports::port_nobody_takes;
use crate::process::{Running, program};
use crate::report::{Fate, Report};

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, run: fn()| {
        Trial::test(format!("harness::{name}"), move || {
            run();
            Ok(())
        })
    };
    vec![
        trial("a_panic_stops_what_was_started", a_panic_stops_what_was_started),
        trial("only_a_whole_run_is_complete", only_a_whole_run_is_complete),
    ]
}

const LISTENER: &str = "import socket, sys; listener = socket.create_server(('127.0.0.1', int(sys.argv[1]))); \
     print(listener.getsockname()[1], flush=True); listener.accept(); listener.accept()";

fn a_panic_stops_what_was_started() {
    let outcome = catch_unwind(|| {
        let mut command = program(python());
        command.args(["-c", LISTENER, &port_nobody_takes().to_string()]);
        let server = Running::printing_its_port(command);
        assert!(TcpStream::connect(&server.address).is_ok());
        std::panic::resume_unwind(Box::new(server.address.clone()));
    });
    let address = outcome.expect_err("it panics").downcast::<String>().expect("with the address");
    assert!(TcpStream::connect(*address).is_err(), "it still listens");
}

fn only_a_whole_run_is_complete() {
    let cases = ["one", "two"].map(|name| Case::new(Peer::Curl, Role::HttpClient, name, name, || ()));
    for (second, complete, of) in [
        (Some(Fate::Passed), true, "passed"),
        (Some(Fate::Failed), false, "failed"),
        (Some(Fate::Skipped), false, "skipped"),
        (None, false, "not_run"),
    ] {
        let report = Report::of(&cases);
        report.record(Peer::Curl, Role::HttpClient, "one", Fate::Passed);
        if let Some(fate) = second {
            report.record(Peer::Curl, Role::HttpClient, "two", fate);
        }
        let document = report.document();
        assert_eq!(document["complete"], complete, "{of}");
        let told = document["peers"][0][of].as_array().expect("a list");
        assert_eq!(told.last().and_then(|case| case.as_str()), Some("two"), "{of}");
    }
}
