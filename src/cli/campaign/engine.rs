//! The fuzzers, and how they say how far they are.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use clap::ValueEnum;

use super::super::SetupError;
use super::store::{below, name};

/// How long an input may take, in seconds.
pub(super) const TIMEOUT: u32 = 10;
/// How much memory a process may have, in MiB.
pub(super) const MEMORY: u32 = 2048;
/// How long an engine may take to end after its time, merging what it has.
/// A job of libFuzzer's fork mode lasts up to 300 seconds, and is not broken off.
const GRACE: Duration = Duration::from_secs(420);
/// How many bytes are kept of what libFuzzer says beside.
const SAID: u64 = 1 << 20;
/// How often an engine that does not speak by itself is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What fuzzes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Engine {
    /// libFuzzer, in its fork mode.
    Libfuzzer,
    /// AFL++: a main and secondary instances over a shared folder.
    Afl,
}

/// How far a run is.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Counts {
    pub(super) executions: u64,
    pub(super) per_second: u64,
    /// What the engine counts of the code that was reached: edges.
    pub(super) coverage: u64,
    pub(super) corpus: u64,
    pub(super) seconds: f64,
}

/// A run of one target.
pub(super) struct Run<'r> {
    pub(super) program: &'r Path,
    /// Variables of its environment beside those of this process.
    pub(super) environment: &'r [(&'static str, PathBuf)],
    pub(super) corpus: &'r Path,
    pub(super) artifacts: &'r Path,
    /// Where what libFuzzer says beside is added: the errors of processes that ended.
    pub(super) log: &'r Path,
    pub(super) seeds: &'r Path,
    pub(super) dictionary: Option<PathBuf>,
    pub(super) jobs: u16,
    pub(super) seed: u32,
    pub(super) time: Duration,
    pub(super) until_finding: bool,
}

/// Who is told how far a run is; what goes wrong there ends it.
pub(super) type Observer<'o> = &'o mut dyn FnMut(&Counts) -> Result<(), SetupError>;

impl Engine {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Libfuzzer => "libfuzzer",
            Self::Afl => "afl",
        }
    }

    /// Where its programs are built to.
    pub(super) fn programs(self) -> PathBuf {
        PathBuf::from(match self {
            Self::Libfuzzer => "fuzz/target/x86_64-unknown-linux-gnu/release",
            Self::Afl => "fuzz/target/release",
        })
    }

    /// Whether it can be given files below all of these.
    pub(super) fn check_paths<'p>(self, given: impl IntoIterator<Item = &'p Path>) -> Result<(), SetupError> {
        // libFuzzer starts its jobs by a line for a shell, in which it quotes nothing.
        match (self, given.into_iter().find(|path| !is_plain(path))) {
            (Self::Libfuzzer, Some(path)) => Err(format!(
                "{}: libFuzzer gives this path to a shell; name one of letters, digits and /._-+@=,:% only",
                path.display()
            )
            .into()),
            (Self::Libfuzzer | Self::Afl, _) => Ok(()),
        }
    }

    /// Fuzzes until the time is over, or something is found where that is enough.
    pub(super) fn run(self, run: &Run<'_>, observer: Observer<'_>) -> Result<Counts, SetupError> {
        match self {
            Self::Libfuzzer => libfuzzer(run, observer),
            Self::Afl => afl(run, observer),
        }
    }
}

/// The time of an engine: what whoever observes it does meanwhile is none of it.
struct Time {
    begun: Instant,
    observed: Duration,
}

impl Time {
    fn begin() -> Self {
        Self { begun: Instant::now(), observed: Duration::ZERO }
    }

    fn elapsed(&self) -> Duration {
        self.begun.elapsed() - self.observed
    }

    fn observe(&mut self, counts: &Counts, observer: Observer<'_>) -> Result<(), SetupError> {
        let since = Instant::now();
        let told = observer(counts);
        self.observed += since.elapsed();
        told
    }
}

fn cannot(program: &Path, error: &std::io::Error) -> SetupError {
    SetupError(format!("{}: {error}", program.display()))
}

/// Ends a process that was started here when it is dropped.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What libFuzzer says beside how far it is, as far as there is room.
struct Log {
    file: File,
    room: u64,
}

impl Log {
    fn open(place: &Path) -> Result<Self, SetupError> {
        let file = File::options().create(true).append(true).open(place).map_err(|error| cannot(place, &error))?;
        let there = file.metadata().map_err(|error| cannot(place, &error))?.len();
        Ok(Self { file, room: SAID.saturating_sub(there) })
    }

    /// What cannot be written is no finding, and ends nothing.
    fn add(&mut self, line: &str) {
        let needed = line.len() as u64 + 1;
        if needed <= self.room && writeln!(self.file, "{line}").is_ok() {
            self.room -= needed;
        } else {
            self.room = 0;
        }
    }
}

/// Whether a shell takes a path for what it is.
fn is_plain(path: &Path) -> bool {
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+@=,:%".contains(character);
    path.to_str().is_some_and(|text| text.chars().all(is_plain))
}

fn libfuzzer(run: &Run<'_>, observer: Observer<'_>) -> Result<Counts, SetupError> {
    let mut time = Time::begin();
    let go_on = u8::from(!run.until_finding);
    let mut command = Command::new(run.program);
    command
        .arg(run.corpus)
        .arg(run.seeds)
        .arg(format!("-fork={}", run.jobs))
        .arg(format!("-ignore_crashes={go_on}"))
        .arg(format!("-ignore_timeouts={go_on}"))
        .arg(format!("-ignore_ooms={go_on}"))
        .arg(format!("-max_total_time={}", run.time.as_secs()))
        .arg(format!("-timeout={TIMEOUT}"))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-seed={}", run.seed))
        .arg(format!("-artifact_prefix={}/", run.artifacts.display()))
        .args(run.dictionary.as_ref().map(|file| format!("-dict={}", file.display())))
        .envs(run.environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = Ending(command.spawn().map_err(|error| cannot(run.program, &error))?);
    let mut counts = Counts::default();
    let Some(errors) = child.0.stderr.take() else { return Ok(counts) };
    let (tell, lines) = channel();
    // It ends with the stream, which ends with the process; what is no text is a message of the target.
    std::thread::spawn(move || {
        for line in BufReader::new(errors).split(b'\n').map_while(Result::ok) {
            if tell.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    let mut log = Log::open(run.log)?;
    let mut said = None;
    while time.elapsed() < run.time + GRACE {
        let mut is_over = false;
        let mut take = |line: String| match progress(&line) {
            Some(now) => counts = now,
            None if line.starts_with("INFO: ") || line.trim().is_empty() => {}
            None => {
                log.add(&line);
                said = Some(line);
            }
        };
        match lines.recv_timeout(LOOK) {
            Ok(line) => take(line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => is_over = true,
        }
        lines.try_iter().for_each(take);
        counts.seconds = time.elapsed().as_secs_f64();
        if is_over {
            break;
        }
        time.observe(&counts, observer)?;
    }
    // It tells how far it is of jobs that died before their first input, too.
    if counts.executions == 0 {
        let said = said.unwrap_or_else(|| "it said nothing".to_owned());
        return Err(format!("{}: it ran nothing: {said}", run.program.display()).into());
    }
    Ok(counts)
}

/// A line of the fork mode: `#12: cov: 3 ft: 4 corp: 5 exec/s: 6 oom/timeout/crash: 0/0/0 time: 7s job: 8 dft_time: 0`.
fn progress(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix('#')?;
    let (executions, rest) = rest.split_once(':')?;
    let after = |name: &str| -> Option<u64> {
        let (_, rest) = rest.split_once(name)?;
        rest.trim_start_matches(':').split_whitespace().next()?.trim_end_matches('s').parse().ok()
    };
    Some(Counts {
        executions: executions.trim().parse().ok()?,
        per_second: after("exec/s")?,
        coverage: after("cov")?,
        corpus: after("corp")?,
        seconds: 0.0,
    })
}

fn afl(run: &Run<'_>, observer: Observer<'_>) -> Result<Counts, SetupError> {
    if there(run.seeds).is_empty() {
        return Err(format!(
            "{}: AFL++ has nothing to begin with: no seed is left that may show nothing",
            run.seeds.display()
        )
        .into());
    }
    let (mut time, since) = (Time::begin(), SystemTime::now());
    let folder = run.corpus.join("afl");
    let names: Vec<String> = (0..run.jobs).map(instance).collect();
    let before: u64 = names.iter().filter_map(|name| executions(&folder.join(name))).sum();
    let mut instances = Vec::new();
    for name in &names {
        let role = if *name == instance(0) { "-M" } else { "-S" };
        let mut command = Command::new("cargo");
        command
            .args(["afl", "fuzz", "-i"])
            .arg(run.seeds)
            .arg("-o")
            .arg(&folder)
            .args([role, name])
            .args(["-V", &run.time.as_secs().to_string()])
            .args(["-t", &format!("{}", TIMEOUT * 1000), "-m", "none", "-s", &run.seed.to_string()])
            .args(run.dictionary.iter().flat_map(|file| ["-x".as_ref(), file.as_os_str()]))
            .arg("--")
            .arg(run.program)
            .env("AFL_NO_UI", "1")
            .env("AFL_AUTORESUME", "1")
            .env("AFL_SKIP_CPUFREQ", "1")
            .env("AFL_NO_AFFINITY", "1")
            .env("AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES", "1")
            .envs(run.until_finding.then_some(("AFL_BENCH_UNTIL_CRASH", "1")))
            .envs(run.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child =
            command.spawn().map_err(|error| SetupError(format!("cargo afl: {error}; cargo install cargo-afl")))?;
        instances.push(Ending(child));
    }
    let counts = loop {
        let is_running = |instance: &mut Ending| matches!(instance.0.try_wait(), Ok(None));
        let running = instances.iter_mut().map(is_running).filter(|is| *is).count();
        let now = of_instances(&folder, since);
        // Whoever goes on where he was counts on, too.
        let executions = now.executions.saturating_sub(before);
        let counts = Counts { executions, seconds: time.elapsed().as_secs_f64(), ..now };
        take_crashes(&folder, run.artifacts)?;
        if running == 0 || time.elapsed() > run.time + GRACE {
            break counts;
        }
        time.observe(&counts, observer)?;
        std::thread::sleep(LOOK);
    };
    if counts.executions == 0 {
        return Err(format!("{}: AFL++ ran nothing; is it built by cargo afl?", run.program.display()).into());
    }
    Ok(counts)
}

/// The name of an instance.
fn instance(number: u16) -> String {
    if number == 0 { "main".to_owned() } else { format!("secondary{number}") }
}

/// What an instance has done in all its runs.
fn executions(instance: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(instance.join("fuzzer_stats")).ok()?;
    value(&text, "execs_done").map(|count| count as u64)
}

/// A number out of an instance's statistics.
fn value(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(": "));
    line?.trim().parse().ok()
}

/// The instances' own statistics together, as far as they were written since.
fn of_instances(folder: &Path, since: SystemTime) -> Counts {
    let mut all = Counts::default();
    for file in there(folder).into_iter().map(|instance| instance.join("fuzzer_stats")) {
        let is_of_now = std::fs::metadata(&file).and_then(|data| data.modified()).is_ok_and(|time| time >= since);
        let Some(text) = std::fs::read_to_string(&file).ok().filter(|_| is_of_now) else { continue };
        let count = |name: &str| value(&text, name).unwrap_or(0.0) as u64;
        all.executions += count("execs_done");
        all.per_second += count("execs_per_sec");
        all.coverage = all.coverage.max(count("edges_found"));
        all.corpus = all.corpus.max(count("corpus_count"));
    }
    all
}

/// Moves what the instances found to where findings are taken in: from where it lies now, and from where it was put aside
/// when an instance went on.
fn take_crashes(folder: &Path, artifacts: &Path) -> Result<(), SetupError> {
    for instance in there(folder) {
        let is_of_findings = |path: &PathBuf| name(path).starts_with("crashes") || name(path).starts_with("hangs");
        for kind in there(&instance).iter().filter(|path| is_of_findings(path)) {
            for file in there(kind).into_iter().filter(|file| name(file).starts_with("id")) {
                let to = [name(&instance), name(kind), name(&file)].join("-").replace([':', ','], "-");
                std::fs::rename(&file, artifacts.join(to)).map_err(|error| cannot(&file, &error))?;
            }
        }
    }
    Ok(())
}

/// What lies in a directory that an instance may not have made yet.
fn there(directory: &Path) -> Vec<PathBuf> {
    below(directory).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use super::{Counts, Log, SAID, executions, is_plain, of_instances, progress, take_crashes};

    #[test]
    fn what_a_shell_takes_otherwise_is_not_plain() {
        for plain in ["fuzz/target/x86_64-unknown-linux-gnu/release/capi", "/tmp/a.b-c_d", "Stra\u{df}e/1"] {
            assert!(is_plain(Path::new(plain)), "{plain}");
        }
        for other in ["a b", "a;b", "$a", "`a`", "a'b", "a\"b", "a&b", "(a)", "a\nb", "~a", "a*", "a\\b", "a>b", "#a"] {
            assert!(!is_plain(Path::new(other)), "{other}");
        }
    }

    #[test]
    fn a_log_is_added_to_and_has_an_end() {
        let folder = tempfile::tempdir().expect("there is room");
        let place = folder.path().join("engine.log");
        for line in ["first", "second"] {
            Log::open(&place).expect("there is room").add(line);
        }
        assert_eq!(std::fs::read_to_string(&place).expect("it was written"), "first\nsecond\n");
        let mut log = Log::open(&place).expect("there is room");
        log.add(&"x".repeat(usize::try_from(SAID).expect("it is not long")));
        log.add("behind what is left out");
        assert_eq!(std::fs::metadata(&place).expect("it was written").len(), 13);
    }

    #[test]
    fn instances_of_afl_are_read_and_emptied() {
        let folder = tempfile::tempdir().expect("there is room");
        let main = folder.path().join("out/main");
        let artifacts = folder.path().join("artifacts");
        for directory in [main.join("crashes"), main.join("crashes.2026"), main.join("queue"), artifacts.clone()] {
            std::fs::create_dir_all(directory).expect("there is room");
        }
        let stats =
            "execs_done        : 1200\nexecs_per_sec     : 60.5\nedges_found       : 30\ncorpus_count      : 7\n";
        std::fs::write(main.join("fuzzer_stats"), stats).expect("there is room");
        for file in ["crashes/id:000,sig:06", "crashes.2026/id:000,sig:06", "crashes/README.txt", "queue/id:000"] {
            std::fs::write(main.join(file), "input").expect("there is room");
        }
        let out = folder.path().join("out");
        let expected = Counts { executions: 1200, per_second: 60, coverage: 30, corpus: 7, seconds: 0.0 };
        assert_eq!(of_instances(&out, SystemTime::UNIX_EPOCH), expected);
        assert_eq!(of_instances(&out, SystemTime::now() + Duration::from_secs(60)), Counts::default());
        assert_eq!((executions(&main), executions(&out)), (Some(1200), None));
        take_crashes(&out, &artifacts).expect("they can be moved");
        let names = |directory: &std::path::Path| super::there(directory).len();
        assert_eq!((names(&artifacts), names(&main.join("crashes")), names(&main.join("queue"))), (2, 1, 1));
    }

    #[test]
    fn lines_of_the_fork_mode_are_read_and_no_others() {
        let line =
            "#1234: cov: 3065 ft: 12000 corp: 500 exec/s: 411 oom/timeout/crash: 0/0/0 time: 12s job: 3 dft_time: 0";
        let expected = Counts { executions: 1234, per_second: 411, coverage: 3065, corpus: 500, seconds: 0.0 };
        assert_eq!(progress(line), Some(expected));
        // As older ones spell it.
        assert_eq!(progress(&line.replace("exec/s: ", "exec/s ")), Some(expected));
        for other in
            ["INFO: seed corpus: files: 1", "#2\tINITED cov: 3 ft: 3 corp: 1/1b exec/s: 0 rss: 30Mb", "", "#x: cov"]
        {
            assert_eq!(progress(other), None, "{other}");
        }
    }
}
