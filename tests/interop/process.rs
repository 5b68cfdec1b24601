//! Programs that listen, and the files they need.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::http::PATIENCE;
use crate::ports::port_nobody_takes;

/// A program that serves until this is dropped, on a panic too. It is stopped by its own process id; none of the programs here
/// starts another one.
pub(crate) struct Running {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// What it serves lies here.
    _files: Option<Scratch>,
}

impl Running {
    /// A program that takes a port of its own and prints it as its first line.
    pub(crate) fn printing_its_port(mut command: Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut running = Self { child, address: String::new(), _files: None };
        let mut output = BufReader::new(running.child.stdout.take().expect("stdout is piped"));
        let mut port = String::new();
        output.read_line(&mut port).expect("the server writes UTF-8");
        let port: u16 = port.trim_end().parse().unwrap_or_else(|_| panic!("{command:?} printed {port:?}"));
        running.address = format!("127.0.0.1:{port}");
        running
    }

    /// A program that is told its port in a file of `files`, which `configure` writes. Somebody else may have taken the port in
    /// between: then there is another try.
    pub(crate) fn told_its_port(
        files: Scratch,
        configure: impl Fn(&Scratch, u16),
        command: impl Fn(&Scratch) -> Command,
    ) -> Self {
        for _ in 0..5 {
            let port = port_nobody_takes();
            configure(&files, port);
            let mut command = command(&files);
            let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
            let address = format!("127.0.0.1:{port}");
            if listens(&mut child, &address) {
                return Self { child, address, _files: Some(files) };
            }
            stop(&mut child);
        }
        panic!("the server does not listen; its files are those of {}", files.path().display());
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Whether `child` takes connections before it ends or patience does.
fn listens(child: &mut Child, address: &str) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return false;
        }
        if TcpStream::connect(address).is_ok() {
            return true;
        }
        sleep(Duration::from_millis(20));
    }
    false
}

/// A directory that others may read (servers give up being root) and that goes when this is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("digest-ssp-interop-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("the directory is ours");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A program without anybody's proxy, and with a locale in which arguments are UTF-8.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.env("no_proxy", "*").env("NO_PROXY", "*").env("LC_ALL", "C.UTF-8");
    command
}

/// What a program that ends by itself says; it must be there.
pub(crate) fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}
