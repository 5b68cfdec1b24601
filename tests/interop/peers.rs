//! The programs: what they are called, how they are started, which version is there.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::process::program;

/// A program (or library, with a few lines of ours around it) that others wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    Curl,
    Libcurl,
    Wget,
    Requests,
    Httpx,
    Urllib,
    Aiohttp,
    Java,
    Diqwest,
    WwwAuthenticate,
    Apache,
    Lighttpd,
    FlaskHttpAuth,
    HttpAuth,
    Cyrus,
    GnuSasl,
    Jdk,
    Perl,
}

impl Peer {
    /// As the table of peers calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Libcurl => "libcurl, one handle",
            Self::Wget => "GNU Wget",
            Self::Requests => "Python requests",
            Self::Httpx => "Python httpx",
            Self::Urllib => "Python urllib",
            Self::Aiohttp => "Python aiohttp",
            Self::Java => "Java HttpURLConnection",
            Self::Diqwest => "diqwest (Rust, over reqwest and digest_auth)",
            Self::WwwAuthenticate => "www-authenticate (Node)",
            Self::Apache => "Apache mod_auth_digest",
            Self::Lighttpd => "lighttpd mod_auth",
            Self::FlaskHttpAuth => "Flask-HTTPAuth",
            Self::HttpAuth => "http-auth (Node)",
            Self::Cyrus => "Cyrus SASL",
            Self::GnuSasl => "GNU SASL",
            Self::Jdk => "OpenJDK javax.security.sasl",
            Self::Perl => "Perl Authen::SASL",
        }
    }

    /// As names of tests call it.
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Libcurl => "libcurl",
            Self::Wget => "wget",
            Self::Requests => "requests",
            Self::Httpx => "httpx",
            Self::Urllib => "urllib",
            Self::Aiohttp => "aiohttp",
            Self::Java => "java",
            Self::Diqwest => "diqwest",
            Self::WwwAuthenticate => "www_authenticate",
            Self::Apache => "apache",
            Self::Lighttpd => "lighttpd",
            Self::FlaskHttpAuth => "flask_httpauth",
            Self::HttpAuth => "http_auth",
            Self::Cyrus => "cyrus",
            Self::GnuSasl => "gnu",
            Self::Jdk => "jdk",
            Self::Perl => "perl",
        }
    }

    /// The version as the program itself says it, or why there is none; asked once in a run.
    pub(crate) fn version(self) -> Result<String, String> {
        static KNOWN: Mutex<BTreeMap<Peer, Result<String, String>>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(self).or_insert_with(|| self.ask_version()).clone()
    }

    fn ask_version(self) -> Result<String, String> {
        let distribution = |module: &str| said(program(python()).args(["-c", &python_version(module)]));
        match self {
            Self::Curl => said(program("curl").arg("--version")).map(|text| word(&text, 1)),
            Self::Libcurl => said(program(python()).args(["-c", LIBCURL_VERSION])),
            Self::Wget => said(program("wget").arg("--version")).map(|text| word(&text, 2)),
            Self::Requests => distribution("requests"),
            Self::Httpx => distribution("httpx"),
            Self::Urllib => said(program(python()).args(["-c", "import platform; print(platform.python_version())"])),
            Self::Aiohttp => distribution("aiohttp"),
            Self::Java => said(program("java").arg("--version")).map(|text| word(&text, 1)),
            // A library of this very program: Cargo knows its version, and it is always there.
            Self::Diqwest => Ok(locked_version("diqwest")),
            Self::WwwAuthenticate => node_version("www-authenticate"),
            Self::Apache => {
                module("apache2", &["/usr/lib/apache2/modules/mod_auth_digest.so"])?;
                let text = said(program("apache2").arg("-v"))?;
                Ok(word(&text, 2).trim_start_matches("Apache/").to_owned())
            }
            Self::Lighttpd => {
                let text = said(program("lighttpd").arg("-v"))?;
                Ok(word(&text, 0).trim_start_matches("lighttpd/").to_owned())
            }
            Self::FlaskHttpAuth => distribution("flask-httpauth"),
            Self::HttpAuth => node_version("http-auth"),
            Self::Cyrus => {
                module("libsasl2", &["/usr/include/sasl/sasl.h"])?;
                said(&mut sasl_program(self)?)
            }
            Self::GnuSasl => {
                module("libgsasl", &["/usr/include/gsasl.h"])?;
                said(&mut sasl_program(self)?)
            }
            Self::Jdk => {
                sasl_program(self)?;
                said(program("java").arg("--version")).map(|text| word(&text, 1))
            }
            Self::Perl => said(&mut sasl_program(self)?),
        }
    }
}

const LIBCURL_VERSION: &str = "import ctypes, ctypes.util; \
     curl = ctypes.CDLL(ctypes.util.find_library('curl') or 'libcurl.so.4'); \
     curl.curl_version.restype = ctypes.c_char_p; print(curl.curl_version().split()[0].decode().split('/')[1])";

fn python_version(distribution: &str) -> String {
    format!("import importlib.metadata; print(importlib.metadata.version('{distribution}'))")
}

/// Whichever Python has the modules: PYTHON, else the one `.ci/run` makes, else `python3`.
pub(crate) fn python() -> OsString {
    let made = root().join("target/ci-venv/bin/python3");
    let found = std::env::var_os("PYTHON");
    found.unwrap_or_else(|| if made.exists() { made.into() } else { "python3".into() })
}

/// `node`, which finds the packages that `.ci/run` installed.
pub(crate) fn node(script: &str) -> Command {
    let mut command = program("node");
    command.env("NODE_PATH", node_modules()).arg(file(script));
    command
}

fn node_modules() -> PathBuf {
    root().join("target/ci-node/node_modules")
}

fn node_version(package: &str) -> Result<String, String> {
    said(program("node").arg("--version"))?;
    let manifest = node_modules().join(package).join("package.json");
    let text = std::fs::read_to_string(&manifest)
        .map_err(|_| format!("there is no {package} in target/ci-node: `.ci/peers` installs it"))?;
    let manifest: serde_json::Value = serde_json::from_str(&text).map_err(|error| format!("{package}: {error}"))?;
    Ok(manifest["version"].as_str().unwrap_or("unknown").to_owned())
}

/// The version in `Cargo.lock`.
fn locked_version(package: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let start = format!("name = \"{package}\"\nversion = \"");
    let (_, rest) = lock.split_once(&start).expect("Cargo locked what it compiled");
    rest.split('"').next().expect("split has a first part").to_owned()
}

/// A peer that speaks the line protocol of `tests/interop/README.md`.
pub(crate) fn sasl_program(peer: Peer) -> Result<Command, String> {
    match peer {
        Peer::Cyrus => compiled("sasl/cyrus_sasl.c", &["-lsasl2"]).map(program),
        Peer::GnuSasl => compiled("sasl/gnu_sasl.c", &["-lgsasl"]).map(program),
        Peer::Jdk => {
            let classes = compiled_java("sasl/JdkSasl.java")?;
            let mut command = program("java");
            // It starts often and runs for a moment.
            command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"]).arg(classes).arg("JdkSasl");
            Ok(command)
        }
        Peer::Perl => {
            let mut command = program("perl");
            command.arg(file("sasl/perl_sasl.pl"));
            Ok(command)
        }
        Peer::Curl
        | Peer::Libcurl
        | Peer::Wget
        | Peer::Requests
        | Peer::Httpx
        | Peer::Urllib
        | Peer::Aiohttp
        | Peer::Java
        | Peer::Diqwest
        | Peer::WwwAuthenticate
        | Peer::Apache
        | Peer::Lighttpd
        | Peer::FlaskHttpAuth
        | Peer::HttpAuth => Err(format!("{} speaks HTTP only", peer.name())),
    }
}

/// A Java program of this directory, compiled once in a run: where its classes are.
fn compiled_java(source: &str) -> Result<PathBuf, String> {
    static DONE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let compile = || {
        let classes = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("classes");
        said(program("javac").arg("-d").arg(&classes).arg(file(source)))?;
        Ok(classes)
    };
    DONE.get_or_init(compile).clone()
}

/// A C program of this directory, compiled once in a run.
pub(crate) fn compiled(source: &str, libraries: &[&str]) -> Result<PathBuf, String> {
    static DONE: Mutex<BTreeMap<String, Result<PathBuf, String>>> = Mutex::new(BTreeMap::new());
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let compile = || {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let name = Path::new(source).file_stem().expect("a file name");
        let program = directory.join(name);
        let mut command = Command::new("gcc");
        command.args(["-Wall", "-Wextra", "-Werror", "-O1", "-o"]).arg(&program).arg(file(source)).args(libraries);
        let output = command.output().map_err(|error| format!("there is no gcc: {error}"))?;
        if output.status.success() {
            return Ok(program);
        }
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        // Its headers are missing, or it is wrong, and that is no reason to skip anything.
        let missing = complaint.lines().find(|line| line.contains("No such file or directory"));
        Err(missing.map_or_else(|| panic!("{command:?}: {complaint}"), str::to_owned))
    };
    done.entry(source.to_owned()).or_insert_with(compile).clone()
}

/// A file beside this one.
pub(crate) fn file(name: &str) -> PathBuf {
    root().join("tests/interop").join(name)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn module(of: &str, files: &[&str]) -> Result<(), String> {
    files.iter().find(|file| !Path::new(file).exists()).map_or(Ok(()), |file| Err(format!("{of} has no {file}")))
}

/// The standard output of a command that must succeed.
fn said(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("there is no {name}: {error}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let last = complaint.lines().last().unwrap_or("it fails");
        return Err(format!("{name} cannot be used: {last}"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn word(text: &str, index: usize) -> String {
    text.split_whitespace().nth(index).unwrap_or_default().to_owned()
}
