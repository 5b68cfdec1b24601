//! Tables that are broken on purpose, and how they are broken.

use digest_ssp::spec::check::Rule;
use digest_ssp::spec::load::EMBEDDED;

/// A change of one file.
#[derive(Debug)]
pub(crate) enum Edit {
    /// Every occurrence of a text becomes another; there must be one.
    Replace(&'static str, &'static str, &'static str),
    /// A text comes at the end.
    Append(&'static str, &'static str),
    /// The file is left out.
    Remove(&'static str),
}
use Edit::{Append, Remove, Replace};

impl Edit {
    pub(crate) fn file(&self) -> &'static str {
        let (Replace(name, ..) | Append(name, _) | Remove(name)) = self;
        name
    }
}

pub(crate) fn edited(edits: &[Edit]) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> =
        EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    for edit in edits {
        let name = edit.file();
        let position = files.iter().position(|(file, _)| file == name).unwrap_or_else(|| panic!("no file {name}"));
        let text = &mut files[position].1;
        match edit {
            Replace(_, from, to) => {
                assert!(text.contains(from), "nothing to change in {name}: {from}");
                *text = text.replace(from, to);
            }
            Append(_, addition) => text.push_str(addition),
            Remove(_) => {
                files.remove(position);
            }
        }
    }
    files
}

const WINPR: &str = "observed/winpr.toml";
const ACQUIRE: &str = "calls/acquire_credentials_handle.toml";
pub(crate) const FREE: &str = "calls/free_credentials_handle.toml";
pub(crate) const DELETE: &str = "calls/delete_security_context.toml";
pub(crate) const ACCEPT: &str = "calls/accept_security_context.toml";
pub(crate) const INITIALIZE: &str = "calls/initialize_security_context.toml";
const COMPLETE: &str = "calls/complete_auth_token.toml";
const QUERY: &str = "calls/query_context_attributes.toml";
const DECRYPT: &str = "calls/decrypt_message.toml";
const ANY_ACCEPT: &str = "calls/any/accept_security_context.toml";
const SASL_SIGN: &str = "calls/sasl/make_signature.toml";
const SASL_DECRYPT: &str = "calls/sasl/decrypt_message.toml";

const NEVER: &str = "\n[[situation]]\nid = \"never\"\nwhen = [{}]\ntext = \"Never.\"\n";
const HANDLE_AGAIN: &str = "\n[[fact]]\nfact = \"handle\"\n";
const OBSERVATION: &str = "\n[[observation]]\nid = \"imagined\"\nimplementation = \"None\"\ncall = \"Frobnicate\"\nseen = \"Nothing.\"\nsources = [\"nowhere\"]\nrows = [\"no-such-row\"]\n";
const ERRATUM: &str = "\n[[erratum]]\nid = \"Imagined\"\nsays = \"A.\"\nagainst = \"\"\ndecision = \"C.\"\nsources = []\nrows = [\"no-such-row\"]\n";
const STATE: &str = "\n[[state]]\nrole = \"acceptor\"\nname = \"daydreaming\"\ntext = \"Away.\"\nprovenance = \"decided\"\nsources = [\"completeauthtoken#remarks\"]\n";
const ROLE: &str = "\n[[state]]\nrole = \"bystander\"\nname = \"none\"\ntext = \"Away.\"\nprovenance = \"decided\"\nsources = [\"completeauthtoken#remarks\"]\n";
const STATE_AGAIN: &str = "\n[[state]]\nrole = \"acceptor\"\nname = \"none\"\ntext = \"Away.\"\nprovenance = \"decided\"\nsources = [\"completeauthtoken#remarks\"]\n";
const STATUS: &str = "\n[[status]]\nname = \"SEC_E_BOREDOM\"\nvalue = \"0x80099999\"\nmeaning = \"Nothing happens.\"\nsources = [\"sspi-status-codes#codes\"]\n";
const STATUS_AGAIN: &str = "\n[[status]]\nname = \"SEC_E_OK\"\nvalue = \"0x00000000\"\nmeaning = \"Again.\"\nsources = [\"sspi-status-codes#codes\"]\n";
const FACT: &str = "\n[[fact]]\nname = \"weather\"\ntext = \"Outside.\"\nvalues = []\n";

/// Broken tables: the rule that refuses them, the changes, and what the finding says.
pub(crate) const BROKEN: &[(Rule, &[Edit], &str)] = &[
    (
        Rule::Callers,
        &[Replace("callers.toml", "id = \"buffer-not-given\"", "id = \"buffer-forgotten\"")],
        "callers.toml: `buffer-not-given` is not explained",
    ),
    (
        Rule::Callers,
        &[Replace("callers.toml", "id = \"buffer-not-given\"", "id = \"buffer-forgotten\"")],
        "callers.toml: nobody is judged by `buffer-forgotten`",
    ),
    (
        Rule::Callers,
        &[
            Replace("callers.toml", "id = \"buffer-not-given\"", "id = \"swapped\""),
            Replace("callers.toml", "id = \"buffer-leaked\"", "id = \"buffer-not-given\""),
            Replace("callers.toml", "id = \"swapped\"", "id = \"buffer-leaked\""),
        ],
        "callers.toml: the order is not that of the rules",
    ),
    (
        Rule::SourceUnknown,
        &[Replace("callers.toml", "[\"completeauthtoken#remarks\"]", "[\"completeauthtoken\"]")],
        "caller rule `complete-not-asked`: `completeauthtoken` names no section",
    ),
    (
        Rule::TextMissing,
        &[Replace("callers.toml", "why = \"Nobody else frees it.\"", "why = \"\"")],
        "caller rule `buffer-leaked`: why: nothing is said",
    ),
    (Rule::CallMissing, &[Remove(FREE)], "FreeCredentialsHandle (HTTP): no table describes it"),
    (Rule::CallMissing, &[Remove(FREE)], "FreeCredentialsHandle (SASL): no table describes it"),
    (Rule::CallMissing, &[Remove(SASL_SIGN)], "MakeSignature (SASL): no table describes it"),
    (
        Rule::TableTwice,
        &[Replace(DECRYPT, "profile = \"digest-http\"", "profile = [\"digest-http\", \"digest-sasl\"]")],
        "DecryptMessage (SASL): 2 tables describe it",
    ),
    (
        Rule::AppliesElsewhere,
        &[Replace(SASL_SIGN, "applies = [\"digest-sasl\"]", "applies = [\"digest-http\"]")],
        "row `ms-sasl-signed`: the table describes digest-sasl, of which the row says otherwise",
    ),
    (
        Rule::AppliesElsewhere,
        &[Replace(SASL_SIGN, "applies = [\"digest-sasl\"]", "applies = [\"digest-http\", \"digest-sasl\"]")],
        "row `ms-sasl-signed`: the table does not describe digest-http, of which the row says otherwise",
    ),
    (
        Rule::FactAmbiguous,
        &[Append(DELETE, HANDLE_AGAIN)],
        "DeleteSecurityContext: fact `handle`: two of its rules hold on handle=live",
    ),
    (
        Rule::NoSituation,
        &[Replace(FREE, "when = [{ credential = \"good\" }]", "when = [{ credential = \"null\" }]")],
        "FreeCredentialsHandle: no live context (1 combinations, the first: credential=good)",
    ),
    (
        Rule::NoRow,
        &[Replace(FREE, "situation = \"good\"", "situation = \"credential-names-nothing\"")],
        "FreeCredentialsHandle: no live context, situation `good` (1 combinations, the first: credential=good)",
    ),
    (
        Rule::SeveralRows,
        &[Replace(FREE, "situation = \"good\"", "situation = [\"good\", \"credential-names-nothing\"]")],
        "row `fch-credential-names-nothing`: row `fch-freed` too, no live context (6 combinations, the first: credential=null)",
    ),
    (
        Rule::SituationUnused,
        &[Append(FREE, NEVER)],
        "FreeCredentialsHandle: situation `never`: it is the first match of no combination",
    ),
    (
        Rule::RowUnused,
        &[Replace(DELETE, "situation = \"never-existed\"", "situation = [\"never-existed\", \"good\"]")],
        "row `dsc-never-existed`: no combination has state `none` and situation `good`",
    ),
    (
        Rule::RowUnused,
        &[Replace(FREE, "situation = \"good\"", "situation = []")],
        "row `fch-freed`: it names no state or no situation",
    ),
    (
        Rule::Pins,
        &[Replace("pins.toml", "combinations = 7\n", "combinations = 8\n")],
        "FreeCredentialsHandle: pinned are 8 combinations, 2 situations, 2 rows, 2 reachable, counted were 7 combinations, 2 situations, 2 rows, 2 reachable",
    ),
    (
        Rule::Pins,
        &[Replace("pins.toml", "[call.FreeCredentialsHandle]", "[call.Frobnicate]")],
        "FreeCredentialsHandle: nothing is pinned",
    ),
    (
        Rule::Pins,
        &[Replace("pins.toml", "[call.FreeCredentialsHandle]", "[call.Frobnicate]")],
        "Frobnicate: numbers are pinned for a table that is not there",
    ),
    (
        Rule::StateUnreachable,
        &[Replace(ACCEPT, "next = \"complete-and-continue-initial\"", "next = \"rejected\"")],
        "acceptor `complete-and-continue-initial`: no row leads there from `none`",
    ),
    (
        Rule::StateUnreachable,
        &[Replace(ANY_ACCEPT, "next = \"complete-needed\"", "next = \"in-progress\"")],
        "acceptor `complete-needed`: no row leads there from `none`",
    ),
    (
        Rule::OutcomesIndistinguishable,
        &[Replace(ANY_ACCEPT, "status = \"SEC_I_COMPLETE_NEEDED\"", "status = \"SEC_E_OK\"")],
        "row `asc-any-begins`: SEC_E_OK with handle `new` and buffers `token` is allowed twice",
    ),
    (Rule::CallMissing, &[Remove(ANY_ACCEPT)], "AcceptSecurityContext (any package): no table describes it"),
    (
        Rule::HandleAndState,
        &[Replace(DELETE, "handle = \"none\"", "handle = \"same\"")],
        "row `dsc-deleted`: SEC_E_OK: the handle stays though its context is gone",
    ),
    (
        Rule::HandleAndState,
        &[Replace(DELETE, "handle = \"none\"", "handle = \"new\"")],
        "row `dsc-deleted`: SEC_E_OK: a new handle comes back though one was given",
    ),
    (
        Rule::HandleAndState,
        &[Replace(DELETE, "next = \"none\"", "next = \"same\"")],
        "row `dsc-deleted`: SEC_E_OK: the context stays though its handle is gone",
    ),
    (
        Rule::HandleAndState,
        &[Replace(ACCEPT, "handle = \"new\"", "handle = \"none\"")],
        "a context is made without a new handle",
    ),
    (
        Rule::HandleAndState,
        &[Replace(ACCEPT, "next = \"challenged\"", "next = \"none\"")],
        "a new handle comes back, but no context is made",
    ),
    (
        Rule::ErrorLeavesTraces,
        &[Replace(
            QUERY,
            "provenance = \"derived\"\n",
            "provenance = \"derived\"\neffects = [\"count-failure\", \"next-count\"]\n",
        )],
        "row `qca-unsupported`: SEC_E_UNSUPPORTED_FUNCTION: an error that changes no state has the effect `next-count`",
    ),
    (
        Rule::ErrorLeavesTraces,
        &[Replace(SASL_DECRYPT, "effects = [\"kill-receiving\"]", "effects = [\"kill-receiving\", \"receive-next\"]")],
        "row `dec-sasl-lost`: SEC_E_MESSAGE_ALTERED: an error that changes no state has the effect `receive-next`",
    ),
    (
        Rule::ErrorLeavesTraces,
        &[Replace(SASL_DECRYPT, "buffers = \"untouched\"", "buffers = \"plaintext\"")],
        "row `dec-sasl-lost`: SEC_E_MESSAGE_ALTERED: an error leaves `plaintext` in the buffers",
    ),
    (
        Rule::ErrorLeavesTraces,
        &[Replace(FREE, "buffers = \"untouched\"", "buffers = \"empty\"")],
        "row `fch-credential-names-nothing`: SEC_E_INVALID_HANDLE: an error leaves `empty` in the buffers",
    ),
    (
        Rule::RejectedHolds,
        &[Replace(COMPLETE, "effects = [\"count-failure\", \"release\"]", "effects = [\"count-failure\"]")],
        "row `cat-digest-differs-initial`: SEC_E_MESSAGE_ALTERED: the context is rejected and keeps its reference",
    ),
    (
        Rule::SourceTwice,
        &[Replace(
            FREE,
            "\"freecredentialshandle#returns\"",
            "\"freecredentialshandle#returns\", \"freecredentialshandle#returns\"",
        )],
        "row `fch-freed`: `freecredentialshandle#returns` is named twice",
    ),
    (
        Rule::StatusNotProduced,
        &[Replace(FREE, "documented = [\"SEC_E_OK\",", "documented = [\"SEC_E_OK\", \"SEC_E_BAD_BINDINGS\",")],
        "FreeCredentialsHandle: SEC_E_BAD_BINDINGS is documented, but no row produces it and no exception says why",
    ),
    (
        Rule::ExceptionIdle,
        &[Replace(ACQUIRE, "{ status = \"SEC_E_INTERNAL_ERROR\"", "{ status = \"SEC_E_NOT_OWNER\"")],
        "AcquireCredentialsHandle: exception SEC_E_NOT_OWNER: a row produces it",
    ),
    (
        Rule::ExceptionIdle,
        &[Replace(ACQUIRE, "{ status = \"SEC_E_INTERNAL_ERROR\"", "{ status = \"SEC_E_BAD_BINDINGS\"")],
        "AcquireCredentialsHandle: exception SEC_E_BAD_BINDINGS: the page does not document it",
    ),
    (
        Rule::StatusNotDocumented,
        &[Replace(FREE, "documented = [\"SEC_E_OK\", \"SEC_E_INVALID_HANDLE\"]", "documented = [\"SEC_E_OK\"]")],
        "row `fch-credential-names-nothing`: SEC_E_INVALID_HANDLE is not among the return codes of its page",
    ),
    (
        Rule::OutcomesIndistinguishable,
        &[Replace(
            ACQUIRE,
            "accept = [{ status = \"SEC_E_UNKNOWN_CREDENTIALS\",",
            "accept = [{ status = \"SEC_E_NO_CREDENTIALS\", effects = [\"register-credentials\"],",
        )],
        "row `ach-no-identity`: SEC_E_NO_CREDENTIALS with handle `none` and buffers `untouched` is allowed twice with different consequences",
    ),
    (
        Rule::OutcomesIndistinguishable,
        &[Replace(
            ACQUIRE,
            "accept = [{ status = \"SEC_E_UNKNOWN_CREDENTIALS\",",
            "accept = [{ status = \"SEC_E_NO_CREDENTIALS\",",
        )],
        "row `ach-no-identity`: SEC_E_NO_CREDENTIALS with handle `none` and buffers `untouched` stands twice",
    ),
    (
        Rule::SourceMissing,
        &[Replace(FREE, "sources = [\"freecredentialshandle#returns\"]", "sources = []")],
        "row `fch-freed`: it names no source",
    ),
    (Rule::SourceMissing, &[Append("errata.toml", ERRATUM)], "erratum `Imagined`: it names no source"),
    (
        Rule::SourceUnknown,
        &[Replace(FREE, "\"freecredentialshandle#returns\"", "\"freecredentialshandle\"")],
        "row `fch-freed`: `freecredentialshandle` names no section",
    ),
    (
        Rule::SourceUnknown,
        &[Replace(FREE, "\"freecredentialshandle#returns\"", "\"freecredentialshandle#nowhere\"")],
        "call FreeCredentialsHandle: `freecredentialshandle#nowhere` is no document or section in sources.toml",
    ),
    (
        Rule::SourceUnknown,
        &[Append("observations.toml", OBSERVATION)],
        "observation `imagined`: `nowhere` is no document or section in sources.toml",
    ),
    (
        Rule::RowUnknown,
        &[Append("observations.toml", OBSERVATION)],
        "observation `imagined`: there is no row `no-such-row`",
    ),
    (Rule::RowUnknown, &[Append("errata.toml", ERRATUM)], "erratum `Imagined`: there is no row `no-such-row`"),
    (Rule::CallUnknown, &[Append("observations.toml", OBSERVATION)], "observation `imagined`: `Frobnicate` is no call"),
    (
        Rule::IdTwice,
        &[Replace(FREE, "id = \"fch-freed\"", "id = \"fch-credential-names-nothing\"")],
        "row `fch-credential-names-nothing`: the identifier is taken",
    ),
    (
        Rule::IdTwice,
        &[Append(FREE, NEVER), Append(FREE, NEVER)],
        "FreeCredentialsHandle: situation `never`: the identifier is taken",
    ),
    (
        Rule::IdTwice,
        &[Replace("sources.toml", "id = \"ms-erref\"", "id = \"ms-dpsp\"")],
        "source `ms-dpsp`: the identifier is taken",
    ),
    (
        Rule::IdTwice,
        &[Append("errata.toml", ERRATUM), Append("errata.toml", ERRATUM)],
        "erratum `Imagined`: the identifier is taken",
    ),
    (
        Rule::IdTwice,
        &[Append("observations.toml", OBSERVATION), Append("observations.toml", OBSERVATION)],
        "observation `imagined`: the identifier is taken",
    ),
    (
        Rule::IdTwice,
        &[Append("machine.toml", STATE_AGAIN)],
        "machine.toml: acceptor `none`: the state is declared already",
    ),
    (
        Rule::IdTwice,
        &[Append("statuses.toml", STATUS_AGAIN)],
        "statuses.toml: SEC_E_OK: the status stands there already",
    ),
    (
        Rule::IdTwice,
        &[Append("facts.toml", FACT), Append("facts.toml", FACT)],
        "facts.toml: `weather` is explained twice",
    ),
    (
        Rule::IdForm,
        &[Replace(FREE, "id = \"fch-freed\"", "id = \"Fch_freed\"")],
        "row `Fch_freed`: only a-z, 0-9 and hyphens make an identifier",
    ),
    (
        Rule::IdForm,
        &[Replace(FREE, "id = \"fch-freed\"", "id = \"\"")],
        "row ``: only a-z, 0-9 and hyphens make an identifier",
    ),
    (
        Rule::TextMissing,
        &[Replace(FREE, "why = \"The credentials are freed; contexts made under them live on.\"", "why = \" \"")],
        "row `fch-freed`: why: nothing is said",
    ),
    (Rule::TextMissing, &[Append("errata.toml", ERRATUM)], "erratum `Imagined`: against: nothing is said"),
    (
        Rule::TextMissing,
        &[Replace("spec.toml", "spec_version = \"0.1.0\"", "spec_version = \"\"")],
        "spec.toml: spec_version: nothing is said",
    ),
    (
        Rule::Observed,
        &[Replace(WINPR, "spec_version = \"0.1.0\"", "spec_version = \"0.0.9\"")],
        "observed WinPR of FreeRDP: the tables were of version 0.0.9: run .ci/observe",
    ),
    (
        Rule::Observed,
        &[Replace(WINPR, "package = \"NTLM\"", "package = \"\"")],
        "observed WinPR of FreeRDP: `package` is empty",
    ),
    (
        Rule::Observed,
        &[Replace(WINPR, "fch-freed = ", "fch-frozen = ")],
        "observed WinPR of FreeRDP: any-package has no row `fch-frozen`",
    ),
    (
        Rule::Observed,
        &[Replace(WINPR, "fch-freed = ", "fch-frozen = ")],
        "observed WinPR of FreeRDP: it has no verdict on `fch-freed`: run .ci/observe",
    ),
    (Rule::Vocabulary, &[Append("facts.toml", FACT)], "facts.toml: `weather` is not in the vocabulary"),
    (
        Rule::Vocabulary,
        &[Replace("facts.toml", "name = \"logon\"", "name = \"weather\"")],
        "facts.toml: `logon` is not explained",
    ),
    (
        Rule::Vocabulary,
        &[Replace("facts.toml", "name = \"small\"", "name = \"tiny\"")],
        "facts.toml: fact `output`: `small` is not explained",
    ),
    (
        Rule::Vocabulary,
        &[
            Replace("facts.toml", "name = \"fresh\"", "name = \"swap\""),
            Replace("facts.toml", "name = \"expired\"", "name = \"fresh\""),
            Replace("facts.toml", "name = \"swap\"", "name = \"expired\""),
        ],
        "facts.toml: fact `age`: the order is not that of the vocabulary",
    ),
    (
        Rule::WordUnused,
        &[Replace(ACQUIRE, "fact = \"logon\"\n", "fact = \"logon\"\nvalues = [\"null\"]\n")],
        "fact `logon`: no call has the value `other`",
    ),
    (
        Rule::Statuses,
        &[Append("statuses.toml", STATUS)],
        "statuses.toml: SEC_E_BOREDOM: the crate knows no such status",
    ),
    (
        Rule::Statuses,
        &[Replace("statuses.toml", "value = \"0x80090301\"", "value = \"0x80100003\"")],
        "statuses.toml: SEC_E_INVALID_HANDLE: its value is 0x80090301, not 0x80100003",
    ),
    (
        Rule::Statuses,
        &[Replace("statuses.toml", "name = \"SEC_E_NOT_OWNER\"", "name = \"SEC_E_OK\"")],
        "status SEC_E_NOT_OWNER: statuses.toml does not explain it",
    ),
    (
        Rule::States,
        &[Append("machine.toml", STATE)],
        "machine.toml: acceptor `daydreaming`: no such state is in the vocabulary",
    ),
    (
        Rule::States,
        &[Append("machine.toml", ROLE)],
        "machine.toml: bystander `none`: no such role is in the vocabulary",
    ),
];

/// Tables that cannot be loaded, and the one line that says why.
pub(crate) const UNLOADABLE: &[(&[Edit], &str)] = &[
    (&[Remove("facts.toml")], "spec/facts.toml: the file is missing"),
    (
        &[Replace("spec.toml", "spec_version", "version")],
        "spec/spec.toml: line 1: unknown field `version`, expected `spec_version`",
    ),
    (&[Replace(FREE, "[call]", "[call")], "spec/calls/free_credentials_handle.toml: line 3: "),
    (&[Replace(FREE, "name = \"FreeCredentialsHandle\"", "name = \"Frobnicate\"")], "unknown variant `Frobnicate`"),
    (
        &[Replace(FREE, "name = \"FreeCredentialsHandle\"", "name = \"MakeSignature\"")],
        "spec/calls/free_credentials_handle.toml: call: MakeSignature belongs into calls/make_signature.toml",
    ),
    (
        &[Replace(SASL_SIGN, "profile = \"digest-sasl\"", "profile = \"digest-http\"")],
        "spec/calls/sasl/make_signature.toml: call: MakeSignature (HTTP) belongs into calls/make_signature.toml",
    ),
    (&[Replace(SASL_SIGN, "profile = \"digest-sasl\"", "profile = []")], "call.profile: no mechanism is named"),
    (
        &[Replace(SASL_SIGN, "profile = \"digest-sasl\"", "profile = \"gopher\"")],
        "spec/calls/sasl/make_signature.toml: line ",
    ),
    (
        &[Replace(FREE, "fact = \"credential\"", "fact = \"weather\"")],
        "spec/calls/free_credentials_handle.toml: fact `weather`: no such fact is in the vocabulary",
    ),
    (
        &[Replace(FREE, "values = [\"good\",", "values = [\"sunny\",")],
        "fact `credential`: `sunny` is no value of `credential`",
    ),
    (
        &[Replace(FREE, "values = [\"good\",", "values = [\"good\", \"good\",")],
        "fact `credential`: `good` stands twice",
    ),
    (
        &[Replace(FREE, "{ credential = \"good\" }", "{ credential = \"sunny\" }")],
        "situation `good`: `sunny` is no value of `credential`",
    ),
    (
        &[Replace(FREE, "{ credential = \"good\" }", "{ credential = [\"good\", \"!null\"] }")],
        "situation `good`: `credential` is both restricted and excluded from",
    ),
    (
        &[Replace(FREE, "{ credential = \"good\" }", "{ credential = [] }")],
        "situation `good`: no value of `credential` is named",
    ),
    (
        &[Replace(FREE, "when = [{ credential = \"good\" }]", "when = []")],
        "situation `good`: `when` is empty, so it never holds",
    ),
    (
        &[Replace(FREE, "{ credential = \"good\" }", "{ weather = \"good\" }")],
        "situation `good`: no fact `weather` is in the vocabulary",
    ),
    (
        &[Replace(FREE, "{ credential = \"good\" }", "{ handle = \"live\" }")],
        "situation `good`: `handle` is no fact of this call, or none that stands before this",
    ),
    (
        &[Replace(DELETE, "when = [{ handle = \"live\" }]\nfine", "when = [{ state = \"established\" }]\nfine")],
        "fact `role`: `state` is no fact of this call, or none that stands before this",
    ),
    (
        &[Replace(DELETE, "fine = [\"established\"]", "fine = [\"complete-needed\"]")],
        "fact `state`: `complete-needed` is fine but not among its values",
    ),
    (
        &[Replace(FREE, "status = \"SEC_E_OK\"", "status = \"SEC_E_BOREDOM\"")],
        "row `fch-freed`: `SEC_E_BOREDOM` is no status",
    ),
    (
        &[Replace(FREE, "documented = [\"SEC_E_OK\"", "documented = [\"SEC_E_BOREDOM\"")],
        "call.documented: `SEC_E_BOREDOM` is no status",
    ),
    (
        &[Replace(FREE, "situation = \"good\"", "situation = \"sunny\"")],
        "row `fch-freed`: no situation `sunny` is declared",
    ),
    (
        &[Replace(FREE, "situation = \"good\"", "situation = [\"good\", \"good\"]")],
        "row `fch-freed`: situation `good` stands twice",
    ),
    (
        &[Replace(FREE, "next = \"none\"", "next = \"established\"")],
        "row `fch-freed`: FreeCredentialsHandle makes no context, so `established` cannot be next",
    ),
    (
        &[Replace(DELETE, "role = \"acceptor\"\nstate", "role = \"bystander\"\nstate")],
        "row `dsc-deleted`: `bystander` is no role",
    ),
    (
        &[Replace(DELETE, "role = \"acceptor\"\nstate = \"*\"", "role = \"acceptor\"\nstate = \"responded\"")],
        "row `dsc-deleted`: `responded` is no state of the acceptor",
    ),
    (
        &[Replace(DELETE, "role = \"acceptor\"\nstate = \"*\"", "role = \"acceptor\"\nstate = \"none\"")],
        "row `dsc-deleted`: a row with a role has a live context, not state `none`",
    ),
    (
        &[Replace(DELETE, "role = \"acceptor\"\nstate = \"*\"", "role = \"acceptor\"\nstate = [\"*\", \"rejected\"]")],
        "row `dsc-deleted`: a state stands twice",
    ),
    (
        &[Replace(DELETE, "role = \"acceptor\"\nstate = \"*\"", "state = \"rejected\"")],
        "row `dsc-deleted`: state `rejected` needs a role",
    ),
    (&[Replace(FREE, "handle = \"none\"", "handle = \"lost\"")], "unknown variant `lost`"),
    (&[Replace(FREE, "buffers = \"untouched\"", "buffers = \"lost\"")], "unknown variant `lost`"),
    (&[Replace(FREE, "provenance = \"documented\"", "provenance = \"rumoured\"")], "unknown variant `rumoured`"),
    (&[Replace(FREE, "level = \"must\"\n", "level = \"must\"\nmood = \"calm\"\n")], "unknown field `mood`"),
    (&[Replace(QUERY, "provenance = \"derived\"\n", "")], "missing field `provenance`"),
    (&[Replace(QUERY, "applies = ", "for = ")], "unknown field `for`"),
];
