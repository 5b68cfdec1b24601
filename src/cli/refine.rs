//! `digest-ssp refine`.
#![forbid(unsafe_code)]

use core::fmt::Write;

use clap::Args;
use digest_ssp::conformance::refinement::{Walked, refine};
use digest_ssp::spec::names::Profile;

use super::conform::profile_name;
use super::subject::SubjectArguments;
use super::{Exit, SetupError, output};

const EXAMPLES: &str = "\
Examples:
  digest-ssp refine
  digest-ssp refine --profile digest-sasl --subject sasl-replay-accepted
  digest-ssp spec check --unreachable

Exit codes:
  0  every state and situation was visited, and all of it was as the tables say
  1  something was otherwise, or no way led to a state and situation
  2  usage or set-up: nothing could be visited";

/// Visit every state, and every situation in it, that the tables know.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Profile to walk over, by name. May be repeated [default: digest-http and digest-sasl].
    #[arg(long, value_name = "NAME", value_parser = profile_name)]
    profile: Vec<Profile>,
    /// What all that sequences leave open is drawn from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    subject: SubjectArguments,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, SetupError> {
    let specification = output::tables()?;
    let mut subject = arguments.subject.subject(&specification)?;
    let profiles = if arguments.profile.is_empty() { Profile::DIGEST } else { &arguments.profile };
    let mut text = String::new();
    let mut is_refined = true;
    for profile in profiles.iter().copied() {
        let spinner = output::spinner();
        spinner.set_message(format!("{}: every state and situation", profile.title()));
        let walked = refine(&specification, subject.as_mut(), profile, arguments.seed);
        spinner.finish_and_clear();
        is_refined &= walked.iter().all(Walked::is_refined);
        text.push_str(&human(profile, &walked));
    }
    output::print(&text)?;
    Ok(if is_refined { Exit::Success } else { Exit::Findings })
}

fn human(profile: Profile, walked: &[Walked]) -> String {
    let sum = |of: fn(&Walked) -> usize| walked.iter().map(of).sum::<usize>();
    let visited = sum(|walked| walked.visited);
    let mut text = format!(
        "{}: {visited} of {} states and situations visited, by {} sequences\n",
        profile.title(),
        visited + sum(|walked| walked.unvisited.len()),
        sum(|walked| walked.sequences),
    );
    for walked in walked {
        let Walked { call, visited, unvisited, wrong, .. } = walked;
        let _ = writeln!(text, "  {call:<31} {visited:>4} of {:>4}", visited + unvisited.len());
        for point in unvisited {
            let why = match point.lacks.as_slice() {
                [] => "no way that was tried led there".to_owned(),
                lacks => {
                    let lacks: Vec<&str> = lacks.iter().map(|need| need.name()).collect();
                    format!("the subject lacks {}", lacks.join(", "))
                }
            };
            let _ = writeln!(text, "    not visited: {}: {why}", point.point);
        }
        for wrong in wrong {
            let _ = writeln!(text, "    otherwise: {}: {}", wrong.point, wrong.why);
        }
    }
    text
}
