//! The runner: sequences against a subject, judged by the shadow and by nothing else.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use super::action::Action;
use super::generate::suite::Drawable;
use super::parallel::on_all_processors;
use super::plan::{Sequence, any, approach, needs, plan};
use super::report::{Finding, FindingKind, ProfileReport, Report, RowReport, RowVerdict};
use super::session::{Session, run_avoiding};
use super::subject::{Subject, SubjectError};
use super::walk::Step;
use crate::digest::hash::md5;
use crate::spec::call::Call;
use crate::spec::model::{CallSpec, Row};
use crate::spec::names::{CallName, Need, Profile};
use crate::spec::setup::Setup;
use crate::spec::vocabulary::{Digest, Fact, Facts, Handle, Names, Qop, Role, State, Word};
use crate::spec::{Specification, Verdict};

/// How many distinct concretisations each row runs at least, where its combinations allow.
pub const MINIMUM_PER_ROW: usize = 16;

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The profiles to run, in this order.
    pub profiles: Vec<Profile>,
    /// Patterns of the ids of the rows to run, see [`matches_glob`]; all rows when empty.
    pub only: Vec<String>,
    /// Any package: the name of the package under test, where it is not the Digest package.
    pub package: Option<String>,
    /// The seed everything left open is drawn from.
    pub seed: u64,
    /// Cases per row.
    pub cases: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { profiles: Profile::DIGEST.to_vec(), only: Vec::new(), package: None, seed: 1, cases: 48 }
    }
}

impl Options {
    /// Whether a row is to run.
    pub fn selects(&self, row: &Row) -> bool {
        is_chosen(&self.only, &row.id)
    }
}

/// A sequence as it went. It ends at the first fail, where the subject gave no answer, or before a call of a row that
/// was given up.
#[derive(Debug)]
pub struct Trace {
    /// The calls.
    pub steps: Vec<Step>,
    /// Why it ended early, if the subject gave no answer.
    pub error: Option<SubjectError>,
    /// Whether the subject could be started.
    pub has_started: bool,
    /// The row of the call that was not made, because its calls get no answer.
    pub avoided: Option<String>,
}

impl Trace {
    /// The step that failed.
    pub fn failure(&self) -> Option<&Step> {
        self.steps.last().filter(|step| matches!(step.judgement.verdict, Verdict::Fail(_)))
    }
}

/// Runs one sequence from the start.
pub fn run_sequence(specification: &Arc<Specification>, subject: &mut dyn Subject, sequence: &Sequence) -> Trace {
    run_avoiding(specification, subject, sequence, &BTreeSet::new())
}

/// The combinations of a call by row, those with the fewest departures first.
fn combinations(tables: &CallSpec) -> BTreeMap<usize, Vec<Facts>> {
    // Single departures, then pairs: what more would add is left to properties and fuzzing.
    let few = |all: Vec<(usize, Facts)>| {
        let fewest = all.first().map_or(0, |(departures, _)| *departures);
        all.into_iter().filter(|(departures, _)| *departures <= fewest + 1).map(|(_, facts)| facts).collect()
    };
    let by_row = tables.combinations_by(|facts| tables.row(facts).map(|(row, _)| row));
    by_row.into_iter().map(|(row, all)| (row, few(all))).collect()
}

/// Which of the combinations the cases of a row take: all with the fewest departures in turn, then pairs spread evenly.
fn choose(facts: &[Facts], cases: usize, index: usize) -> Option<&Facts> {
    if facts.len() <= cases {
        return facts.get(index.checked_rem(facts.len())?);
    }
    facts.get(index * facts.len() / cases)
}

#[derive(Default)]
struct Tally {
    distinct: HashSet<u64>,
    deviations: Vec<Finding>,
    failures: Vec<Finding>,
    errors: Vec<Finding>,
    /// What the subject's interface has no words for.
    unable: BTreeSet<String>,
    /// Rows whose deviation or failure kept this row's cases from their state.
    hindered_by: BTreeSet<String>,
    /// A case ran under another configuration than it was planned for, and did not reach this row.
    unconfigured: bool,
}

/// How many deviations, and how many failures, of a row are kept.
const KEPT: usize = 3;

impl Tally {
    fn deviate(&mut self, finding: impl FnOnce() -> Finding) {
        if self.deviations.len() < KEPT {
            self.deviations.push(finding());
        }
    }

    /// Whether a failure tells what those kept do not.
    fn is_news(&self, difference: &str) -> bool {
        self.failures.len() < KEPT && self.failures.iter().all(|finding| finding.difference != difference)
    }

    /// Adds what was tallied after it.
    fn add(&mut self, later: Self) {
        self.distinct.extend(later.distinct);
        later.deviations.into_iter().for_each(|finding| self.deviate(|| finding));
        for finding in later.failures {
            if self.is_news(&finding.difference) {
                self.failures.push(finding);
            }
        }
        for finding in later.errors {
            if self.errors.iter().all(|known| known.difference != finding.difference) {
                self.errors.push(finding);
            }
        }
        self.unable.extend(later.unable);
        self.hindered_by.extend(later.hindered_by);
        self.unconfigured |= later.unconfigured;
    }
}

/// What was found of each row, under the profile whose run it is listed in.
type Tallies = BTreeMap<(Profile, String), Tally>;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The profile of the row.
    pub profile: Profile,
    /// The row whose cases come next.
    pub row: &'a str,
    /// How many rows are done.
    pub done: usize,
    /// How many rows there are.
    pub of: usize,
}

/// Runs the suite.
pub fn run(specification: &Arc<Specification>, subject: &mut dyn Subject, options: &Options) -> Report {
    run_observed(specification, subject, options, &mut |_progress| {})
}

/// Runs the suite, and tells before each row how far it has come.
pub fn run_observed(
    specification: &Arc<Specification>,
    subject: &mut dyn Subject,
    options: &Options,
    observer: &mut dyn FnMut(Progress<'_>),
) -> Report {
    let jobs = jobs(specification, options);
    let combinations = Combinations::of(specification);
    let mut run = Run::new(specification, subject, options);
    let mut smokes = Vec::new();
    for (done, job) in jobs.iter().enumerate() {
        if smokes.last().is_none_or(|(profile, _)| *profile != job.profile) {
            // Where the smoke exchange fails, the rows still say what is wrong with it.
            let smoke = run.smoke(job.profile);
            run.has_smoke = smoke.is_none();
            smokes.push((job.profile, smoke));
        }
        observer(Progress { profile: job.profile, row: &job.row.id, done, of: jobs.len() });
        run.job(job, &combinations);
    }
    let Run { session, found, .. } = run;
    report(specification, options, session.subject().name(), &jobs, smokes, found)
}

/// As [`run_observed`], with one subject for each processor: for subjects that only answer calls, and share nothing. The
/// report is the same.
pub fn run_on_all_processors(
    specification: &Arc<Specification>,
    make: &(dyn Fn() -> Box<dyn Subject> + Sync),
    options: &Options,
    observer: &(dyn Fn(Progress<'_>) + Sync),
) -> Report {
    let jobs = jobs(specification, options);
    let combinations = Combinations::of(specification);
    let mut subject = make();
    let mut smoking = Run::new(specification, subject.as_mut(), options);
    let mut profiles: Vec<Profile> = jobs.iter().map(|job| job.profile).collect();
    profiles.dedup();
    let smokes: Vec<_> = profiles.into_iter().map(|profile| (profile, smoking.smoke(profile))).collect();
    let mut found = smoking.found;
    let of_jobs = on_all_processors(jobs.len(), |numbers| {
        let mut subject = make();
        let mut run = Run::new(specification, subject.as_mut(), options);
        let of_job = |number: usize| {
            let job = &jobs[number];
            observer(Progress { profile: job.profile, row: &job.row.id, done: number, of: jobs.len() });
            run.has_smoke = smokes.iter().all(|(profile, smoke)| *profile != job.profile || smoke.is_none());
            run.job(job, &combinations);
            (number, std::mem::take(&mut run.found))
        };
        numbers.map(of_job).collect()
    });
    // In the order in which one subject would have come to them, so that the same is kept of many findings.
    of_jobs.into_iter().for_each(|of_job| found.add(of_job));
    report(specification, options, subject.name(), &jobs, smokes, found)
}

/// A row to run.
struct Job<'s> {
    profile: Profile,
    /// Its call's position among those of the specification.
    call: usize,
    tables: &'s CallSpec,
    /// Its position among those of the call.
    position: usize,
    row: &'s Row,
}

/// The rows to run, profile by profile.
fn jobs<'s>(specification: &'s Specification, options: &Options) -> Vec<Job<'s>> {
    let of_call = |profile: Profile, call: usize, tables: &'s CallSpec| {
        let rows = tables.rows.iter().enumerate().filter(|(_, row)| options.selects(row));
        rows.map(move |(position, row)| Job { profile, call, tables, position, row }).collect::<Vec<_>>()
    };
    let of_profile = |profile: &Profile| {
        let calls = specification.calls.iter().enumerate();
        let calls = calls.filter(|(_, tables)| tables.profiles.contains(profile));
        calls.flat_map(|(call, tables)| of_call(*profile, call, tables)).collect::<Vec<_>>()
    };
    options.profiles.iter().flat_map(of_profile).collect()
}

/// The combinations of each call, made when they are first asked for.
struct Combinations(Vec<OnceLock<BTreeMap<usize, Vec<Facts>>>>);

impl Combinations {
    fn of(specification: &Specification) -> Self {
        Self(specification.calls.iter().map(|_| OnceLock::new()).collect())
    }

    /// Those of a row.
    fn of_row(&self, job: &Job<'_>) -> &[Facts] {
        let of_call = self.0[job.call].get_or_init(|| combinations(job.tables));
        of_call.get(&job.position).map_or(&[], Vec::as_slice)
    }
}

fn report(
    specification: &Specification,
    options: &Options,
    subject: String,
    jobs: &[Job<'_>],
    smokes: Vec<(Profile, Option<String>)>,
    mut found: Found,
) -> Report {
    let of_profile = |(profile, smoke): (Profile, Option<String>)| {
        let report = |job: &Job<'_>| {
            let key = (profile, job.row.id.clone());
            row_report(job.row, found.tallies.remove(&key).unwrap_or_default(), found.skipped.remove(&key))
        };
        let rows = jobs.iter().filter(|job| job.profile == profile).map(report).collect();
        ProfileReport { profile, smoke, rows }
    };
    let profiles = smokes.into_iter().map(of_profile).collect();
    Report { spec_version: specification.version.clone(), subject, seed: options.seed, profiles, stale: Vec::new() }
}

/// Runs a generated suite, and tells before each sequence how many are done. The report lists the rows that it reached.
///
/// Under a subject that lacks what the alphabet needs nothing can be said: see
/// [`Alphabet::needs`](super::generate::alphabet::Alphabet::needs).
pub fn run_suite(
    specification: &Arc<Specification>,
    subject: &mut dyn Subject,
    suite: &Drawable<'_>,
    options: &Options,
    observer: &mut dyn FnMut(usize),
) -> Report {
    let profile = suite.alphabet.setup.profile;
    let mut run = Run::new(specification, subject, options);
    let smoke = run.smoke(profile);
    for (done, mut sequence) in suite.sequences(options.seed).enumerate() {
        observer(done);
        if run.session.is_lost().is_some() {
            break;
        }
        sequence.setup.package.clone_from(&options.package);
        let trace = run.session.run(&sequence);
        run.record(&sequence, &trace);
        if let Some(error) = &trace.error {
            run.record_unanswered(&sequence, &trace, error);
        }
    }
    let lost = run.session.is_lost().map(|error| format!("the subject cannot be started any more: {error}"));
    let Run { session, mut found, .. } = run;
    let report = |row: &Row| {
        let tally = found.tallies.remove(&(profile, row.id.clone()))?;
        Some(row_report(row, tally, lost.clone()))
    };
    let rows = specification.of(profile).flat_map(|tables| &tables.rows).filter_map(report).collect();
    let profiles = vec![ProfileReport { profile, smoke, rows }];
    let subject = session.subject().name();
    Report { spec_version: specification.version.clone(), subject, seed: options.seed, profiles, stale: Vec::new() }
}

/// A run under way.
struct Run<'r> {
    specification: &'r Arc<Specification>,
    session: Session<'r>,
    options: &'r Options,
    /// Whether the smoke exchange of the profile succeeded.
    has_smoke: bool,
    found: Found,
}

/// What a run has found so far.
#[derive(Default)]
struct Found {
    tallies: Tallies,
    /// Why rows did not run.
    skipped: BTreeMap<(Profile, String), String>,
}

impl Found {
    /// Adds what was found after it.
    fn add(&mut self, later: Self) {
        for (key, tally) in later.tallies {
            self.tallies.entry(key).or_default().add(tally);
        }
        self.skipped.extend(later.skipped);
    }
}

impl<'r> Run<'r> {
    fn new(specification: &'r Arc<Specification>, subject: &'r mut dyn Subject, options: &'r Options) -> Self {
        let (session, found) = (Session::new(specification, subject), Found::default());
        Self { specification, session, options, has_smoke: true, found }
    }

    fn job(&mut self, job: &Job<'_>, combinations: &Combinations) {
        let capabilities = self.session.subject().capabilities();
        let key = || (job.profile, job.row.id.clone());
        if let Some(error) = self.session.is_lost() {
            let why = format!("the subject cannot be started any more: {error}");
            self.found.skipped.insert(key(), why);
            return;
        }
        let missing: Vec<_> =
            job.row.needs.iter().filter(|need| !capabilities.contains(need)).map(|need| need.name()).collect();
        if !missing.is_empty() {
            let why = format!("the subject does not offer {}", missing.join(", "));
            self.found.skipped.insert(key(), why);
            return;
        }
        let offered = |facts: &&Facts| needs(facts).iter().all(|need| capabilities.contains(need));
        let facts: Vec<Facts> = combinations.of_row(job).iter().filter(offered).copied().collect();
        self.row(job.profile, (job.tables.name, job.row), &facts);
    }

    fn row(&mut self, profile: Profile, (call, row): (CallName, &Row), facts: &[Facts]) {
        let row_seed = derive(self.options.seed, row.id.as_bytes());
        let capabilities = self.session.subject().capabilities();
        let cases = self.options.cases;
        let (mut ran, mut failed) = (0, false);
        let mut unanswered: Vec<(String, SubjectError)> = Vec::new();
        // Some combinations cannot be had (a token's qop against what its challenge offered, say), so keep trying.
        for index in 0..cases * 2 {
            // Where the smoke exchange failed most rows lie behind what is wrong, and trying on takes time alone.
            let is_enough = ran >= MINIMUM_PER_ROW || (!self.has_smoke && ran == 0);
            if index >= cases && is_enough {
                break;
            }
            let Some(facts) = choose(facts, cases, index % cases) else { return };
            let mut sequence = plan(profile, call, facts, derive(row_seed, &(index as u64).to_be_bytes()));
            let planned = sequence.setup.clone();
            // Where time, faults or spent counts are only one way to the state of the row, there are cases without.
            adapt(&mut sequence, &capabilities);
            let is_as_planned = sequence.setup == planned;
            sequence.setup.package.clone_from(&self.options.package);
            let trace = self.session.run(&sequence);
            let reached = trace.steps.iter().any(|step| step.judgement.row.as_deref() == Some(row.id.as_str()));
            ran += usize::from(reached);
            failed |= trace.failure().is_some() || trace.error.is_some();
            self.record(&sequence, &trace);
            let charged = trace.error.as_ref().map(|error| self.record_unanswered(&sequence, &trace, error));
            if !reached {
                let tally = self.found.tallies.entry((profile, row.id.clone())).or_default();
                tally.unconfigured |= !is_as_planned;
                let hindrance = trace.steps.iter().find(|step| step.judgement.verdict != Verdict::Pass);
                let hindrance = hindrance.and_then(|step| step.judgement.row.clone());
                let hindrance = hindrance.or(charged.clone()).or(trace.avoided.clone());
                tally.hindered_by.extend(hindrance.filter(|hindrance| *hindrance != row.id));
                if let Some(SubjectError::Unable(why)) = &trace.error {
                    tally.unable.insert(why.clone());
                }
            }
            // Once more of the same would only take time.
            if trace.avoided.as_ref() == Some(&row.id) || self.session.is_lost().is_some() {
                return;
            }
            let is_refused_setup = !trace.has_started && matches!(trace.error, Some(SubjectError::Errored(_)));
            let is_unable = matches!(trace.error, Some(SubjectError::Unable(_)));
            if let (Some(charged), Some(error)) = (charged, trace.error)
                && !is_refused_setup
                && !is_unable
            {
                let same = (charged, error);
                if unanswered.contains(&same) {
                    return;
                }
                unanswered.push(same);
            }
        }
        // Where a package need not come, it is no failure that it did not.
        if profile == Profile::AnyPackage && ran == 0 && !failed {
            self.found.skipped.insert((profile, row.id.clone()), any::unreached(row));
        }
    }

    /// Where a row is listed: what profiles have in common counts for the one whose sequence reached it.
    fn key(&self, row: String, sequence: &Sequence) -> (Profile, String) {
        let tables = self.specification.find(&row).map(|(tables, _)| tables.profiles.as_slice());
        let profile = match tables {
            Some([profile]) => *profile,
            Some([] | [_, ..]) | None => sequence.setup.profile,
        };
        (profile, row)
    }

    fn record(&mut self, sequence: &Sequence, trace: &Trace) {
        // Only counts what is distinct within this run; nothing is derived from it.
        let mut history = DefaultHasher::new();
        for step in &trace.steps {
            step.call.hash(&mut history);
            let Some(row) = step.judgement.row.clone() else { continue };
            let key = self.key(row, sequence);
            let tally = self.found.tallies.entry(key).or_default();
            tally.distinct.insert(history.finish());
            let finding = |kind, why: &str, sequence| Finding::new(self.specification, kind, step, why, sequence);
            match &step.judgement.verdict {
                Verdict::Pass => {}
                Verdict::Deviation(why) => {
                    tally.deviate(|| finding(FindingKind::Deviation, why, sequence.clone()));
                }
                Verdict::Fail(why) => {
                    if tally.is_news(why) {
                        let minimal = self.session.minimise(sequence, trace);
                        tally.failures.push(finding(FindingKind::Fail, why, minimal));
                    }
                }
            }
        }
    }

    /// Charges that there was no answer to the row that the call would be judged by, which is returned.
    fn record_unanswered(&mut self, sequence: &Sequence, trace: &Trace, error: &SubjectError) -> String {
        let tallies = &self.found.tallies;
        let answered = |row: &str| tallies.iter().any(|((_, known), tally)| known == row && !tally.distinct.is_empty());
        let row = self.session.charge(sequence, trace, answered);
        let key = self.key(row.clone(), sequence);
        if let SubjectError::Unable(why) = error {
            self.found.tallies.entry(key).or_default().unable.insert(why.clone());
            return row;
        }
        let told = error.to_string();
        let errors = self.found.tallies.get(&key).map_or(&[][..], |tally| tally.errors.as_slice());
        // What did not happen again is told in other words.
        let unstable = SubjectError::Unstable(told.trim_start_matches("crashed: ").to_owned()).to_string();
        let is_known = errors.iter().any(|finding| [&told, &unstable].contains(&&finding.difference));
        if !is_known && errors.iter().filter(|finding| finding.kind == FindingKind::from(error)).count() < 3 {
            let (error, reproducer) = self.session.reproduce(&row, error, sequence, trace);
            let finding = Finding::without_answer(&error, reproducer);
            self.found.tallies.entry(key).or_default().errors.push(finding);
        }
        row
    }

    /// The smoke exchange: challenge, answer, later request, completion. What went wrong, if anything did.
    fn smoke(&mut self, profile: Profile) -> Option<String> {
        match profile {
            Profile::DigestHttp | Profile::DigestSasl => self.digest_smoke(profile),
            Profile::AnyPackage => self.any_smoke(),
        }
    }

    /// The smoke exchange of any package: both sides feed each other until they are established.
    fn any_smoke(&mut self) -> Option<String> {
        for role in [Role::Initiator, Role::Acceptor] {
            let facts = any::established(role);
            let mut sequence =
                approach(Profile::AnyPackage, CallName::QueryContextAttributes, &facts, self.options.seed);
            sequence.setup = configurable(&self.session.subject().capabilities(), &sequence.setup);
            sequence.setup.package.clone_from(&self.options.package);
            let trace = self.session.run(&sequence);
            if let Some(error) = &trace.error {
                self.record_unanswered(&sequence, &trace, error);
                return Some(error.to_string());
            }
            if let Some(step) = trace.failure() {
                return Some(format!("{} answered {} in the smoke exchange", step.call.name(), step.outcome.status));
            }
            let ended = trace.steps.last().is_some_and(|step| step.judgement.facts.is(State::Established));
            if !ended {
                let role = Fact::Role.values()[usize::from(role.index())];
                return Some(format!("after {} calls the {role} was not established", trace.steps.len()));
            }
        }
        None
    }

    fn digest_smoke(&mut self, profile: Profile) -> Option<String> {
        let facts = Facts::default().with(Handle::Live).with(Role::Acceptor).with(State::CompleteNeededSubsequent);
        let facts = facts.with(Names::This).with(Qop::Auth).with(Digest::Matches);
        let mut sequence = plan(profile, CallName::CompleteAuthToken, &facts, self.options.seed);
        sequence.setup = configurable(&self.session.subject().capabilities(), &Setup::default().of(profile));
        let trace = self.session.run(&sequence);
        let completes = |step: &Step| matches!(step.call, Call::CompleteAuthToken { .. });
        if let Some(error) = &trace.error {
            self.record_unanswered(&sequence, &trace, error);
            // What follows the completion only shows what it left behind.
            if !trace.steps.iter().any(completes) {
                return Some(error.to_string());
            }
        }
        let before_completion: Vec<_> = trace.steps.iter().take_while(|step| !completes(step)).collect();
        let refused = before_completion.iter().find(|step| matches!(step.judgement.verdict, Verdict::Fail(_)));
        refused.map(|step| format!("{} answered {} in the smoke exchange", step.call.name(), step.outcome.status))
    }
}

fn row_report(row: &Row, tally: Tally, skipped: Option<String>) -> RowReport {
    let ran = tally.distinct.len();
    let (verdict, note) = match () {
        () if !tally.failures.is_empty() => (RowVerdict::Fail, None),
        () if let Some(gravest) = tally.errors.iter().map(|finding| finding.kind).min() => (gravest.verdict(), None),
        () if !tally.deviations.is_empty() => (RowVerdict::Deviation, None),
        () if ran > 0 => (RowVerdict::Pass, None),
        () if skipped.is_some() => (RowVerdict::Skipped, skipped),
        () if !tally.unable.is_empty() => {
            let reasons: Vec<_> = tally.unable.into_iter().collect();
            (RowVerdict::Skipped, Some(reasons.join("; ")))
        }
        () if !tally.hindered_by.is_empty() => {
            let rows: Vec<_> = tally.hindered_by.into_iter().collect();
            (RowVerdict::Skipped, Some(format!("its state was not reached because of {}", rows.join(", "))))
        }
        () if tally.unconfigured => {
            let why = "its cases need a configuration that this subject cannot be given";
            (RowVerdict::Skipped, Some(why.to_owned()))
        }
        () => (RowVerdict::Errored, Some("no case of this row ran".to_owned())),
    };
    let findings = tally.failures.into_iter().chain(tally.errors).chain(tally.deviations).collect();
    RowReport { row: row.id.clone(), call: row.call, verdict, ran, note, expected: None, findings }
}

/// Leaves out of a sequence what a subject that offers these cannot do.
pub(super) fn adapt(sequence: &mut Sequence, capabilities: &BTreeSet<Need>) {
    sequence.setup = configurable(capabilities, &sequence.setup);
    sequence.actions.retain(|action| offers(capabilities, action));
}

/// The configuration as far as a subject that offers these can be given it; the rest is what it is without.
fn configurable(capabilities: &BTreeSet<Need>, wanted: &Setup) -> Setup {
    let usual = Setup::unconfigured().of(wanted.profile);
    let from = |need| if capabilities.contains(&need) { wanted } else { &usual };
    Setup { policy: from(Need::Policy).policy, limits: from(Need::Limits).limits, ..from(Need::Configuration).clone() }
}

/// Whether a subject that offers these can do what the action says.
fn offers(capabilities: &BTreeSet<Need>, action: &Action) -> bool {
    match action {
        Action::Expire => capabilities.contains(&Need::Clock),
        Action::Inject(_) | Action::AccountsDown(_) => capabilities.contains(&Need::Faults),
        Action::SpendCounts => capabilities.contains(&Need::Counts),
        Action::SpendSequences => capabilities.contains(&Need::Sequences),
        Action::Call(_) | Action::Exchange(_) | Action::StartOver(_) => true,
    }
}

/// A seed made from a seed: the first eight bytes of an MD5, so that no release of Rust changes what a seed means.
fn derive(seed: u64, label: &[u8]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = md5(&[&seed.to_be_bytes(), label]);
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Whether a name is among those that patterns choose, see [`matches_glob`]; without patterns every name is.
pub fn is_chosen(patterns: &[String], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches_glob(pattern, name))
}

/// Whether a name matches a pattern in which `*` stands for any text and `?` for one character.
pub fn matches_glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let mut reachable = vec![false; name.len() + 1];
    reachable[0] = true;
    for symbol in pattern {
        let mut next = vec![false; name.len() + 1];
        match symbol {
            '*' => {
                let first = reachable.iter().position(|reached| *reached).unwrap_or(name.len() + 1);
                for slot in next.iter_mut().skip(first) {
                    *slot = true;
                }
            }
            symbol => {
                for (index, character) in name.iter().enumerate() {
                    next[index + 1] = reachable[index] && (symbol == '?' || symbol == *character);
                }
            }
        }
        reachable = next;
    }
    reachable[name.len()]
}
