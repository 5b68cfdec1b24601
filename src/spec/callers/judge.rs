//! A trace from its first line to its last.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io::BufRead;

use super::CallerReport;
use super::process::Process;
use super::trace::{Call, Head, Line, TraceError, lines};

/// What a trace shows of its caller.
///
/// # Errors
/// Where it cannot be read, is no trace, or lacks a line.
pub fn judge(trace: impl BufRead) -> Result<CallerReport, TraceError> {
    let mut lines = lines(trace);
    let mut judge = Judge::default();
    while let Some((number, line)) = lines.next_line()? {
        let error = |what| TraceError { line: number, what };
        match line {
            Line::Process(head) => judge.process(&head).map_err(error)?,
            Line::Call(call) => judge.call(number, &call).map_err(error)?,
            Line::Torn => judge.report.torn = Some(number),
        }
    }
    if judge.report.processes == 0 {
        return Err(TraceError { line: 1, what: "no process begins here: it is no trace, or an empty one".to_owned() });
    }
    Ok(judge.end())
}

#[derive(Default)]
struct Judge {
    report: CallerReport,
    processes: BTreeMap<u32, Process>,
}

impl Judge {
    fn process(&mut self, head: &Head) -> Result<(), String> {
        let process = match head.forked_from {
            None => Process::new(head.process),
            Some(parent) => {
                let parent = self.processes.get(&parent);
                parent.ok_or("it is forked from a process that has no line")?.forked(head.process)
            }
        };
        let package = format!("{} {}", head.package, head.package_version);
        if !self.report.packages.contains(&package) {
            self.report.packages.push(package);
        }
        self.report.processes += 1;
        // A number is used again where an earlier process has ended.
        if let Some(ended) = self.processes.insert(head.process, process) {
            self.report.findings.extend(ended.end());
        }
        Ok(())
    }

    fn call(&mut self, line: usize, call: &Call) -> Result<(), String> {
        let process = self.processes.get_mut(&call.process);
        let process = process.ok_or("a call of a process that has not begun")?;
        self.report.calls += 1;
        process.call(line, call)
    }

    fn end(mut self) -> CallerReport {
        for process in core::mem::take(&mut self.processes).into_values() {
            // Whoever was stopped in the middle of a line had no time to give anything back.
            self.report.findings.extend(if self.report.torn.is_some() { process.broken_off() } else { process.end() });
        }
        self.report.findings.sort_by_key(|finding| (finding.line, finding.rule));
        self.report
    }
}
