//! `conform --init-ci`: a CI job for whoever adopts the suite, and today's failures as its expectations.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use digest_ssp::conformance::expect;
use digest_ssp::conformance::report::{Conclusion, Report, Strictness};

use super::output;
use super::{Exit, SetupError};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Below the directory given, which is where the job starts.
const EXPECTATIONS: &str = "digest-ssp.expect.toml";

/// Whose CI runs the job.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Provider {
    /// .github/workflows/digest-ssp-conformance.yml
    Github,
    /// .gitlab/digest-ssp-conformance.yml, to be included in .gitlab-ci.yml
    Gitlab,
}

/// The options of `--init-ci`.
#[derive(Args)]
pub(super) struct InitArguments {
    /// Write a CI job that runs this command, and today's failures as the expectations that it holds the subject to.
    #[arg(long, conflicts_with_all = ["list", "expect", "format", "output", "list_subjects"])]
    init_ci: bool,
    /// Whose CI the job is for.
    #[arg(long, value_enum, default_value_t = Provider::Github, requires = "init_ci")]
    provider: Provider,
    /// Write below this directory, the root of the adopter's repository.
    #[arg(long, value_name = "DIR", default_value = ".", requires = "init_ci", value_hint = ValueHint::DirPath)]
    into: PathBuf,
    /// Overwrite files that are there.
    #[arg(long, requires = "init_ci")]
    force: bool,
}

impl InitArguments {
    /// Whether it is what was asked for.
    pub(super) fn is_wanted(&self) -> bool {
        self.init_ci
    }

    /// The files that will be written: the expectations, and the job.
    ///
    /// # Errors
    /// Where one of them is there and may not be overwritten.
    pub(super) fn files(&self) -> Result<[PathBuf; 2], SetupError> {
        let files = [self.into.join(EXPECTATIONS), self.into.join(self.provider.file())];
        match files.iter().find(|file| file.exists()) {
            Some(file) if !self.force => {
                let file = file.display();
                Err(format!("--init-ci: {file} is there already; --force overwrites it").into())
            }
            Some(_) | None => Ok(files),
        }
    }

    /// Writes both, and tells of it.
    pub(super) fn write(
        &self,
        [expectations, job]: &[PathBuf; 2],
        report: &Report,
        strictness: Strictness,
    ) -> Result<Exit, SetupError> {
        if report.conclusion(strictness) == Conclusion::NothingShown {
            return Err("--init-ci: nothing is shown of the subject, so nothing can be expected of it; \
                        run without to see why"
                .to_owned()
                .into());
        }
        let command = command(std::env::args_os().skip(1))?;
        let today = chrono::Utc::now().format("%Y-%m-%d");
        let reason = format!("recorded by --init-ci on {today} with digest-ssp {VERSION}");
        write(expectations, &expect::record(report, strictness, &reason))?;
        write(job, &self.provider.job(&command))?;
        let wrong = expect::failures(report, strictness).count();
        let hint = self.provider.hint();
        output::print(&format!(
            "wrote {}: {wrong} expectations\nwrote {}: {hint}\n",
            expectations.display(),
            job.display()
        ))?;
        Ok(Exit::Success)
    }
}

fn write(file: &Path, text: &str) -> Result<(), SetupError> {
    let parent = file.parent().map_or(Ok(()), fs::create_dir_all);
    let written = parent.and_then(|()| output::write_whole(file, text));
    written.map_err(|error| format!("--init-ci: {}: {error}", file.display()).into())
}

/// What the user typed, without what belongs to `--init-ci`, as a shell reads it.
fn command(arguments: impl Iterator<Item = OsString>) -> Result<String, SetupError> {
    let unfit = || {
        SetupError::from(
            "--init-ci: an argument cannot stand in a script: it has line breaks or no form in UTF-8".to_owned(),
        )
    };
    let mut words = Vec::new();
    let mut arguments = arguments.map(|argument| argument.into_string().map_err(|_| unfit()));
    // The subcommand itself.
    arguments.next().transpose()?;
    while let Some(word) = arguments.next().transpose()? {
        match word.as_str() {
            "--init-ci" | "--force" => {}
            "--provider" | "--into" => {
                arguments.next().transpose()?;
            }
            "--" => {
                words.push(word);
                words.extend(arguments.by_ref().collect::<Result<Vec<_>, _>>()?);
            }
            own if own.starts_with("--provider=") || own.starts_with("--into=") => {}
            _other => words.push(word),
        }
    }
    if words.iter().any(|word| word.contains(['\n', '\r'])) {
        return Err(unfit());
    }
    shlex::try_join(words.iter().map(String::as_str)).map_err(|_| unfit())
}

impl Provider {
    const fn file(self) -> &'static str {
        match self {
            Self::Github => ".github/workflows/digest-ssp-conformance.yml",
            Self::Gitlab => ".gitlab/digest-ssp-conformance.yml",
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::Github => "build what is under test where its comment says",
            Self::Gitlab => "build what is under test where its comment says, and include it in .gitlab-ci.yml",
        }
    }

    /// The job; its command stands in block scalars, in which nothing but a line break means anything to YAML.
    fn job(self, command: &str) -> String {
        let run = |options: &str| {
            format!("digest-ssp conform --expect {EXPECTATIONS}{options} {command}").trim_end().to_owned()
        };
        let told = run("");
        match self {
            Self::Github => format!(
                "\
# Written by `digest-ssp conform --init-ci`, digest-ssp {VERSION}. {EXPECTATIONS} holds what is known to be wrong.
name: digest-ssp conformance
on: [push, pull_request]
permissions:
  contents: read
jobs:
  conformance:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      # Build what is under test here.
      - name: Install digest-ssp
        run: cargo install --locked digest-ssp@{VERSION}
      - name: Conformance
        run: |
          {told}
      - name: Report
        if: always()
        run: |
          {} || true
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: digest-ssp-report
          path: digest-ssp.html
",
                run(" --format html --output digest-ssp.html")
            ),
            Self::Gitlab => format!(
                "\
# Written by `digest-ssp conform --init-ci`, digest-ssp {VERSION}. {EXPECTATIONS} holds what is known to be wrong.
# In .gitlab-ci.yml:
#   include:
#     - local: .gitlab/digest-ssp-conformance.yml
digest-ssp-conformance:
  image: rust:latest
  script:
    # Build what is under test here.
    - cargo install --locked digest-ssp@{VERSION}
    - |
      {told}
  after_script:
    - |
      {} || true
  artifacts:
    when: always
    reports:
      junit: digest-ssp.xml
",
                run(" --format junit --output digest-ssp.xml")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::command;

    #[track_caller]
    fn is(arguments: &[&str], expected: &str) {
        let given = ["conform"].iter().chain(arguments).map(|word| (*word).into());
        assert_eq!(command(given).map_err(|error| error.to_string()).as_deref(), Ok(expected));
    }

    #[test]
    fn the_job_runs_what_was_typed_without_what_was_for_the_set_up() {
        is(&["--init-ci", "--subject", "a", "--provider", "gitlab", "--into=x", "--force"], "--subject a");
        is(&["--only", "cat-*", "--into", "x y", "--init-ci"], "--only 'cat-*'");
        is(&["--init-ci", "--", "program", "--force"], "-- program --force");
        let broken = ["conform", "a\nb"].iter().map(|word| (*word).into());
        assert!(command(broken).is_err());
    }
}
