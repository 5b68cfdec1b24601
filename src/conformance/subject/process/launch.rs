//! How the program of a subject is started, and how its end is told.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::conformance::protocol::End;

/// A program with its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Launch {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Launch {
    /// A program without arguments.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), environment: Vec::new() }
    }

    /// The same with one more argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The same with a variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The words of a command line, as a shell splits them; no shell runs it.
    ///
    /// # Errors
    /// In one line: there is no word, or a quotation has no end.
    pub fn parse(line: &str) -> Result<Self, &'static str> {
        let mut words = shlex::split(line).ok_or("a quotation has no end")?.into_iter().map(OsString::from);
        let program = words.next().ok_or("no program is named")?;
        Ok(Self { program, arguments: words.collect(), environment: Vec::new() })
    }

    /// The same as the last words of another command line: `valgrind --quiet`, `ssh host`.
    #[must_use]
    pub fn wrapped(self, wrapper: Self) -> Self {
        let Self { program, mut arguments, mut environment } = wrapper;
        arguments.push(self.program);
        arguments.extend(self.arguments);
        environment.extend(self.environment);
        Self { program, arguments, environment }
    }

    /// The name of the program.
    pub fn program(&self) -> &OsStr {
        &self.program
    }

    /// Starts it, with pipes, in a process group of its own, so that whatever it starts can be ended with it.
    pub(super) fn spawn(&self) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn()
    }
}

/// Ends a process and its group, whatever it is doing.
#[cfg(unix)]
pub(super) fn kill(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself, and all of its group with it.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

/// Ends a process, whatever it is doing.
#[cfg(not(unix))]
pub(super) fn kill(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// How a process ended.
#[cfg(unix)]
pub(super) fn end(status: ExitStatus) -> End {
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    signal.map_or_else(|| End::ExitCode(status.code().unwrap_or_default()), End::Signal)
}

/// How a process ended.
#[cfg(not(unix))]
pub(super) fn end(status: ExitStatus) -> End {
    End::ExitCode(status.code().unwrap_or_default())
}

/// The end of a process in words: `signal 11 (SIGSEGV)`, `exit code 3`.
pub(super) fn describe(end: End) -> String {
    match end {
        End::Signal(signal) => match signal_name(signal) {
            Some(name) => format!("signal {signal} ({name})"),
            None => format!("signal {signal}"),
        },
        End::ExitCode(code) => format!("exit code {code}"),
    }
}

#[cfg(unix)]
fn signal_name(number: i32) -> Option<&'static str> {
    use rustix::process::Signal;
    let names = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::SYS, "SIGSYS"),
    ];
    names.into_iter().find(|(signal, _)| signal.as_raw() == number).map(|(_, name)| name)
}

#[cfg(not(unix))]
fn signal_name(_number: i32) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::{Launch, describe};
    use crate::conformance::protocol::End;

    #[test]
    fn command_lines_are_split_as_shells_do() {
        let expected = Launch::new("my adapter").argument("-x").argument("").argument("a b");
        assert_eq!(Launch::parse("'my adapter' -x \"\" a\\ b"), Ok(expected.clone()));
        assert_eq!(
            Launch::parse("a b").map(|launch| launch.wrapped(expected)),
            Ok(Launch::new("my adapter").argument("-x").argument("").argument("a b").argument("a").argument("b"))
        );
        for refused in ["", "  ", "'open", "open\\"] {
            assert!(Launch::parse(refused).is_err(), "{refused}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn ends_have_names() {
        assert_eq!(describe(End::Signal(11)), "signal 11 (SIGSEGV)");
        assert_eq!(describe(End::Signal(63)), "signal 63");
        assert_eq!(describe(End::ExitCode(3)), "exit code 3");
    }
}
