//! `digest-ssp campaign`: fuzzers on all processors, and what they found, judged.
//!
//! The engines run, merge and share by their own modes; here they are started one target after the other, watched, and what
//! they leave is taken in: judged by the shadow, told once, minimised, and written down before it is moved.
#![forbid(unsafe_code)]

mod engine;
mod findings;
mod minimise;
mod store;
mod table;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand, ValueHint};
use digest_ssp::conformance::subject::process::{Isolation, Launch, Process};

use self::engine::{Counts, Engine, Run};
use self::findings::{Judge, line};
use self::store::{Store, below, name};
use super::{Exit, SetupError, complain, output};

const EXAMPLES: &str = "\
Examples:
  cargo +nightly fuzz build
  digest-ssp campaign run --seconds 3600
  digest-ssp campaign run --target operations --target capi --seconds 600
  digest-ssp campaign run --target differential --library ./libmine.so --until-finding --dir mine
  digest-ssp campaign run --engine afl --target response --seconds 600 --dir campaign-afl
  digest-ssp campaign report

A campaign lives in a directory, of one library and one engine, and goes on there when it is started again. What was found lies in
its findings/: the input; where it is a sequence the shortest one known, for `digest-ssp reproduce`; and what the target says of any
other (.txt), which `cargo +nightly fuzz run TARGET FILE` shows again. While it runs `campaign report` tells how it is. Every
input that was judged stays in TARGET/judged/. libFuzzer gives its paths to a shell: they have no blanks or quotes.

Exit codes:
  0  nothing was found, now or before
  1  findings, or inputs of an interrupted run that nobody judged yet
  2  usage or set-up; or a target could not be run, and nothing was found by the others";

/// Start a fuzz campaign, go on with it, or tell what it found.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fuzz, for a time.
    Run(Box<RunArguments>),
    /// Tell what the campaign did and found.
    Report(ReportArguments),
}

#[derive(Args)]
struct Place {
    /// Where the campaign lives.
    #[arg(long, value_name = "DIR", default_value = "campaign", value_hint = ValueHint::DirPath)]
    dir: PathBuf,
    /// Form of what is told.
    #[arg(long, value_enum, default_value_t = output::Format::Human)]
    format: output::Format,
}

#[derive(Args)]
struct RunArguments {
    /// Targets to run, one after the other; may be repeated [default: all that are built].
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// For how long altogether.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// How many processes at a time [default: one for each processor].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// What fuzzes.
    #[arg(long, value_enum, default_value_t = Engine::Libfuzzer)]
    engine: Engine,
    /// Where the programs of the targets are [default: where cargo fuzz, or cargo afl, puts them below fuzz/].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    programs: Option<PathBuf>,
    /// Where seeds are, in a directory for each target.
    #[arg(long, value_name = "DIR", default_value = "fuzz/corpus", value_hint = ValueHint::DirPath)]
    seeds: PathBuf,
    /// Where dictionaries are.
    #[arg(long, value_name = "DIR", default_value = "fuzz/dictionaries", value_hint = ValueHint::DirPath)]
    dictionaries: PathBuf,
    /// What the engine draws from.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    seed: u32,
    /// Stop at the first finding; with AFL++ the instance that found it stops, and the others when the time is over.
    #[arg(long)]
    until_finding: bool,
    /// The shared library that `differential` goes to, with the functions of SSPI [default: the C ABI of this crate].
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    library: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct ReportArguments {
    #[command(flatten)]
    place: Place,
}

/// The target that puts a library under test.
const OF_OTHERS: &str = "differential";

/// How long an answer of the worker that judges may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often what the engine has left is taken in while it runs, in seconds.
const TAKE_IN: f64 = 30.0;

/// How often it is told how a run is where no terminal shows it, in seconds.
const TELL: f64 = 60.0;

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    match &arguments.command {
        Command::Run(arguments) => campaign(arguments),
        Command::Report(arguments) => tell(&Store::existing(&arguments.place.dir)?, arguments.place.format),
    }
}

fn tell(store: &Store, format: output::Format) -> Result<Exit, SetupError> {
    let open = store.not_taken_in();
    let text = match format {
        output::Format::Human => table::human(store.campaign(), open),
        output::Format::Json => output::json(&table::json(store.campaign(), open))?,
    };
    output::print(&text)?;
    let campaign = store.campaign();
    Ok(match (campaign.findings.len(), campaign.problems().next()) {
        (0, None) if open == 0 => Exit::Success,
        (0, Some(_)) if open == 0 => Exit::NothingShown,
        _some => Exit::Findings,
    })
}

fn campaign(arguments: &RunArguments) -> Result<Exit, SetupError> {
    let programs = arguments.programs.clone().unwrap_or_else(|| arguments.engine.programs());
    let targets = targets(&arguments.targets, &arguments.seeds, &programs)?;
    if arguments.library.is_some() && targets.iter().any(|target| target != OF_OTHERS) {
        return Err(format!("--library: only the target {OF_OTHERS} goes to it; say --target {OF_OTHERS}").into());
    }
    let tables = output::tables()?;
    let (place, temporary) = (&arguments.place.dir, std::env::temp_dir());
    let given = [&programs, place, &arguments.dictionaries, &temporary].map(PathBuf::as_path);
    arguments.engine.check_paths(given.into_iter().chain(targets.iter().map(Path::new)))?;
    let (environment, _accounts) = environment(arguments.library.as_deref())?;
    let mut subject = worker(arguments.library.as_deref(), &environment)?;
    let library = arguments.library.as_ref().map(|library| library.display().to_string());
    let mut store = Store::open(place, arguments.engine.name(), library, &tables.version)?;
    let time = Duration::from_secs((u64::from(arguments.seconds) / targets.len().max(1) as u64).max(1));
    let known = store.campaign().findings.len();
    let is_enough = |store: &Store| arguments.until_finding && store.campaign().findings.len() > known;
    let begun = Instant::now();
    for target in &targets {
        let (program, seeds) = (programs.join(target), seeds(&arguments.seeds, target));
        let (environment, subject) = (&environment, &mut subject);
        let mut judge = Judge { tables: &tables, target, program: &program, environment, subject, begun };
        let tried = judge
            .take_in(&mut store, false)
            .and_then(|()| try_target(arguments, &mut judge, &mut store, &seeds, Instant::now() + time, &is_enough));
        if let Err(problem) = tried {
            // The others are tried all the same, and what was found is told. What cannot be taken in waits.
            let problem = line(&problem.to_string());
            complain(&problem);
            store.could_not_run(target, problem)?;
            let _waits = judge.take_in(&mut store, false);
        }
        if is_enough(&store) {
            break;
        }
    }
    tell(&store, arguments.place.format)
}

/// Tries the seeds of a target, and has the engine go on from them until then, or until it is enough.
fn try_target(
    arguments: &RunArguments,
    judge: &mut Judge<'_>,
    store: &mut Store,
    seeds: &Path,
    end: Instant,
    is_enough: &dyn Fn(&Store) -> bool,
) -> Result<(), SetupError> {
    let target = judge.target;
    let given = replay(judge, store, seeds, &|store| is_enough(store) || Instant::now() > end)?;
    if is_enough(store) {
        return Ok(());
    }
    let run = Run {
        program: judge.program,
        environment: judge.environment,
        corpus: &store.corpus(target)?,
        artifacts: &store.artifacts(target)?,
        log: &store.log(target)?,
        seeds: &given,
        dictionary: Some(arguments.dictionaries.join(format!("{target}.dict"))).filter(|file| file.is_file()),
        jobs: arguments.jobs.unwrap_or_else(processors),
        seed: arguments.seed,
        time: end.saturating_duration_since(Instant::now()).max(Duration::from_secs(1)),
        until_finding: arguments.until_finding,
    };
    fuzz(arguments.engine, &run, judge, store)
}

/// Runs the engine; what it did and left is written down now and then, so that nobody who interrupts it loses more than that.
fn fuzz(engine: Engine, run: &Run<'_>, judge: &mut Judge<'_>, store: &mut Store) -> Result<(), SetupError> {
    let bar = output::spinner();
    store.begin(judge.target)?;
    let mut written = Counts::default();
    let mut told = 0.0;
    let counts = engine.run(run, &mut |counts| {
        if !bar.is_hidden() {
            let mut now = store.campaign().clone();
            now.add(judge.target, counts, &written);
            // Below the spinner: no column is moved by it.
            bar.set_message(format!("\n{}", table::targets(&now).trim_end()));
            bar.tick();
        } else if counts.seconds >= told + TELL {
            told = counts.seconds;
            complain(&table::line(judge.target, counts, store.campaign().findings.len()));
        }
        if counts.seconds < written.seconds + TAKE_IN {
            return Ok(());
        }
        store.add(judge.target, counts, &written)?;
        written = *counts;
        judge.take_in(store, true)
    })?;
    bar.finish_and_clear();
    store.add(judge.target, &counts, &written)?;
    judge.take_in(store, false)
}

/// Who answers what is judged: a process of its own, whatever what was found does to it.
fn worker(library: Option<&Path>, environment: &Variables) -> Result<Process, SetupError> {
    let launch = match library {
        Some(library) => {
            let variables = environment.iter().cloned();
            variables.fold(of_library(library)?, |launch, (name, value)| launch.variable(name, value))
        }
        None => {
            let program =
                std::env::current_exe().map_err(|error| format!("this program does not find itself: {error}"))?;
            Launch::new(program).argument("adapter")
        }
    };
    let isolation = if library.is_some() { Isolation::Fork } else { Isolation::Persistent };
    Process::open(launch, isolation, PATIENCE).map_err(|problem| match library {
        Some(library) => format!("--library {}: {problem}", library.display()).into(),
        None => format!("the worker that judges cannot be started: {problem}").into(),
    })
}

type Variables = Vec<(&'static str, PathBuf)>;

/// What the environment of a fuzzer says of a library, and the accounts' file, which lives as long as is needed.
#[cfg(all(unix, target_pointer_width = "64"))]
fn environment(library: Option<&Path>) -> Result<(Variables, Option<tempfile::NamedTempFile>), SetupError> {
    use super::library::{ACCOUNTS_VARIABLE, accounts};
    use digest_ssp::conformance::fuzzing::LIBRARY_VARIABLE;
    let Some(library) = library else { return Ok((Variables::new(), None)) };
    let accounts = accounts()?;
    Ok((vec![(LIBRARY_VARIABLE, library.to_owned()), (ACCOUNTS_VARIABLE, accounts.path().to_owned())], Some(accounts)))
}

#[cfg(all(unix, target_pointer_width = "64"))]
fn of_library(library: &Path) -> Result<Launch, SetupError> {
    super::library::launch(library, None, Isolation::Fork)
}

/// Elsewhere no library can be put under test.
#[cfg(not(all(unix, target_pointer_width = "64")))]
fn environment(library: Option<&Path>) -> Result<(Variables, Option<tempfile::NamedTempFile>), SetupError> {
    match library {
        Some(library) => of_library(library).map(|_| (Variables::new(), None)),
        None => Ok((Variables::new(), None)),
    }
}

#[cfg(not(all(unix, target_pointer_width = "64")))]
fn of_library(library: &Path) -> Result<Launch, SetupError> {
    Err(format!("--library {}: no library can be put under test on this system", library.display()).into())
}

/// What the committed seeds show by themselves: where they are sequences, one after the other and apart from the fuzzer. That is
/// given those that show nothing: another it could not keep, and starts again for each. Those that time was too short for it is given
/// as long as no other has shown anything, as each may hang.
fn replay(
    judge: &mut Judge<'_>,
    store: &mut Store,
    seeds: &Path,
    is_over: &dyn Fn(&Store) -> bool,
) -> Result<PathBuf, SetupError> {
    let given = store.seeds(judge.target)?;
    let files = below(seeds).map_err(|error| format!("--seeds {}: {error}", seeds.display()))?;
    let mut is_any_wrong = false;
    for file in files {
        let bytes = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let is_untried = is_over(store);
        let is_wrong = if is_untried { is_any_wrong } else { judge.judge_sequence(&bytes, store)? };
        is_any_wrong |= is_wrong;
        if !is_wrong {
            let to = given.join(name(&file));
            std::fs::write(&to, bytes).map_err(|error| format!("{}: {error}", to.display()))?;
        }
    }
    Ok(given)
}

/// `differential` takes what `operations` takes.
fn seeds(seeds: &Path, target: &str) -> PathBuf {
    seeds.join(if target == OF_OTHERS { "operations" } else { target })
}

/// The targets to run, each of which is built.
fn targets(named: &[String], seeds: &Path, programs: &Path) -> Result<Vec<String>, SetupError> {
    let known = |target: &str| programs.join(target).is_file();
    if let Some(missing) = named.iter().find(|target| !known(target)) {
        let place = programs.display();
        return Err(
            format!("--target {missing}: there is no such program in {place}; cargo fuzz build makes it").into()
        );
    }
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let entries = std::fs::read_dir(seeds).map_err(|error| format!("--seeds {}: {error}", seeds.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut built: Vec<String> = names.chain([OF_OTHERS.to_owned()]).filter(|target| known(target)).collect();
    built.sort();
    if built.is_empty() {
        return Err(
            format!("--programs {}: no target is there; cargo fuzz build makes them", programs.display()).into()
        );
    }
    Ok(built)
}

fn processors() -> u16 {
    std::thread::available_parallelism().map_or(1, |count| u16::try_from(count.get()).unwrap_or(u16::MAX))
}
