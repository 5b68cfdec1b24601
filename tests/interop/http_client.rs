//! `digest-ssp fetch` to servers of other makers.
#![forbid(unsafe_code)]

use std::process::{Command, Output};

use digest_ssp::digest::hash::{hex, md5};

use crate::case::{Case, Role};
use crate::http::{digest_ssp, lines};
use crate::peers::{Peer, compiled, file, node, python};
use crate::process::{Running, Scratch, output, program};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |peer, name, shows, run: fn()| cases.push(Case::new(peer, Role::HttpServer, name, shows, run));
    case(Peer::Apache, "md5", "MD5, counting on", || counts_on(&apache(""), STATIC));
    case(Peer::Apache, "nc_check", "AuthDigestNcCheck", || counts_on(&apache("AuthDigestNcCheck On"), STATIC));
    case(Peer::Apache, "mutual", "server proves itself", || proves_itself(&apache(""), STATIC));
    case(Peer::Apache, "wrong_password", "wrong password refused", || refuses(&apache("")));

    case(Peer::Lighttpd, "md5", "MD5, counting on", || counts_on(&lighttpd("MD5"), STATIC));
    case(Peer::Lighttpd, "sha_256_too", "MD5 chosen beside SHA-256", || counts_on(&lighttpd("SHA-256|MD5"), STATIC));
    case(Peer::Lighttpd, "sha_256_only", "SHA-256 alone declined", || declines(&lighttpd("SHA-256")));
    case(Peer::Lighttpd, "no_proof", "missing proof noticed", || proof_is_missed(&lighttpd("MD5")));
    case(Peer::Lighttpd, "wrong_password", "wrong password refused", || refuses(&lighttpd("MD5")));

    case(Peer::FlaskHttpAuth, "md5", "MD5, counting on", || counts_on(&flask("MD5"), DYNAMIC));
    case(Peer::FlaskHttpAuth, "no_proof", "missing proof noticed", || proof_is_missed(&flask("MD5")));
    case(Peer::FlaskHttpAuth, "wrong_password", "wrong password refused", || refuses(&flask("MD5")));

    case(Peer::HttpAuth, "md5", "MD5, counting on", || counts_on(&http_auth("MD5"), DYNAMIC));
    case(Peer::HttpAuth, "md5_sess", "MD5-sess, counting on", || counts_on(&http_auth("MD5-sess"), DYNAMIC));
    case(Peer::HttpAuth, "no_proof", "missing proof noticed", || proof_is_missed(&http_auth("MD5")));
    case(Peer::HttpAuth, "wrong_password", "wrong password refused", || refuses(&http_auth("MD5")));

    case(Peer::Cyrus, "md5_sess", "HTTP mode: MD5-sess, counting on", || counts_on(&cyrus("auth"), CYRUS));
    case(Peer::Cyrus, "mutual", "server proves itself", || proves_itself(&cyrus("auth"), CYRUS));
    case(Peer::Cyrus, "auth_int", "auth-int, counting on", cyrus_verifies_auth_int);
    case(Peer::Cyrus, "altered_body", "altered body refused", cyrus_notices_another_body);
    case(Peer::Cyrus, "auth_int_mutual", "server proves itself with auth-int", cyrus_proves_the_body_of_the_request);
    case(Peer::Cyrus, "wrong_password", "wrong password refused", || refuses(&cyrus("auth")));
    cases
}

/// What a server answers to `GET /PATH`.
type Page = fn(&str) -> String;
const STATIC: Page = |path| format!("page {path}");
const DYNAMIC: Page = |path| format!("alice: GET /{path} with 0 bytes");
/// Cyrus tells the user's realm too.
const CYRUS: Page = |path| format!("alice@test: GET /{path} with 0 bytes");

fn fetch(arguments: &[&str], urls: &[String]) -> Output {
    output(digest_ssp().args(["fetch", "--user", "alice:secret", "--verbose"]).args(arguments).args(urls))
}

/// The SSPI calls with a nonce count, `CALL STATUS nc=COUNT`.
fn counted(output: &Output) -> Vec<String> {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let calls = error.lines().filter(|line| line.contains(" -> ") && !line.contains("nc=-"));
    let words = calls.map(|line| line.split(' ').collect::<Vec<_>>());
    words.map(|words| [words[0], words[4], words[5]].join(" ")).collect()
}

fn complaints(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).lines().filter(|line| line.starts_with("digest-ssp: ")).collect()
}

fn three(server: &Running) -> [String; 3] {
    ["/a", "/b", "/c"].map(|path| server.url(path))
}

/// Three requests under one nonce.
fn counts_on(server: &Running, page: Page) {
    let output = fetch(&[], &three(server));
    assert_eq!(lines(&output), ["a", "b", "c"].map(page));
    let counted = counted(&output);
    let [first, second, third] = counted.as_slice() else { panic!("{counted:?}") };
    assert!(first.starts_with("InitializeSecurityContext ") && first.ends_with(" nc=00000001"), "{first}");
    assert_eq!([second, third], ["MakeSignature SEC_E_OK nc=00000002", "MakeSignature SEC_E_OK nc=00000003"]);
}

fn proves_itself(server: &Running, page: Page) {
    let output = fetch(&["--mutual"], &three(server));
    assert_eq!(lines(&output), ["a", "b", "c"].map(page));
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("InitializeSecurityContext responded -> established SEC_E_OK"), "{log}");
}

fn proof_is_missed(server: &Running) {
    let output = fetch(&["--mutual"], &[server.url("/a")]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(complaints(&output).contains("SEC_E_WRONG_PRINCIPAL"), "{output:?}");
}

fn refuses(server: &Running) {
    let output = output(digest_ssp().args(["fetch", "--user", "alice:guess", &server.url("/a")]));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(complaints(&output).contains("refused"), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

/// The server offers nothing that this package has.
fn declines(server: &Running) {
    let output = fetch(&[], &[server.url("/a")]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(complaints(&output).contains("SEC_E_QOP_NOT_SUPPORTED"), "{output:?}");
}

/// Pages and an account for servers that read them from files.
fn site() -> Scratch {
    let files = Scratch::new();
    std::fs::create_dir(files.path().join("www")).expect("the directory is ours");
    for page in ["a", "b", "c"] {
        files.write(&format!("www/{page}"), &format!("page {page}\n"));
    }
    let hash = String::from_utf8_lossy(&hex(&md5(&[b"alice:test:secret"]))).into_owned();
    files.write("accounts", &format!("alice:test:{hash}\n"));
    files
}

/// Apache in one process that stays in the foreground, with `directives` of mod_auth_digest.
fn apache(directives: &'static str) -> Running {
    let modules = ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_digest"];
    let modules = modules.map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"));
    let modules = modules.join("\n");
    let configure = move |files: &Scratch, port: u16| {
        let root = files.path().display();
        let text = format!(
            "ServerRoot {root}\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\nPidFile {root}/pid\n\
             DefaultRuntimeDir {root}\nMutex file:{root}\nErrorLog {root}/error.log\nUser www-data\nGroup www-data\n\
             {modules}\nDocumentRoot {root}/www\n<Directory {root}/www>\nAuthType Digest\nAuthName test\n\
             AuthDigestProvider file\nAuthUserFile {root}/accounts\nRequire valid-user\n{directives}\n</Directory>\n"
        );
        files.write("apache.conf", &text);
    };
    Running::told_its_port(site(), configure, |files| {
        let mut command = program("apache2");
        command.arg("-X").arg("-f").arg(files.path().join("apache.conf"));
        command
    })
}

fn lighttpd(algorithm: &'static str) -> Running {
    let configure = move |files: &Scratch, port: u16| {
        let root = files.path().display();
        let text = format!(
            "server.document-root = \"{root}/www\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
             server.modules = (\"mod_auth\", \"mod_authn_file\")\nserver.errorlog = \"{root}/error.log\"\n\
             auth.backend = \"htdigest\"\nauth.backend.htdigest.userfile = \"{root}/accounts\"\n\
             auth.require = (\"/\" => (\"method\" => \"digest\", \"algorithm\" => \"{algorithm}\", \"realm\" => \"test\", \
             \"require\" => \"valid-user\"))\n"
        );
        files.write("lighttpd.conf", &text);
    };
    Running::told_its_port(site(), configure, |files| {
        let mut command = program("lighttpd");
        command.arg("-D").arg("-f").arg(files.path().join("lighttpd.conf"));
        command
    })
}

fn flask(algorithm: &str) -> Running {
    let mut command = program(python());
    command.arg(file("http/flask_server.py")).args(["test", algorithm, "alice", "secret"]);
    Running::printing_its_port(command)
}

fn http_auth(algorithm: &str) -> Running {
    let mut command = node("http/http_auth_server.js");
    command.args(["test", algorithm, "alice", "secret"]);
    Running::printing_its_port(command)
}

fn cyrus(qop: &str) -> Running {
    let built = compiled("http/cyrus_http.c", &["-lsasl2"]).expect("its version was asked");
    let mut command = Command::new(built);
    command.args(["test", qop, "alice", "secret"]);
    Running::printing_its_port(command)
}

fn cyrus_verifies_auth_int() {
    let server = cyrus("auth-int");
    let output = fetch(&["--qop", "auth-int", "--data", "amount=100"], &three(&server));
    assert_eq!(lines(&output), ["a", "b", "c"].map(|path| format!("alice@test: POST /{path} with 10 bytes")));
    let counts = ["CompleteAuthToken SEC_E_OK nc=00000001", "MakeSignature SEC_E_OK nc=00000002"];
    let counted = counted(&output);
    assert!(counts.iter().all(|count| counted.iter().any(|line| line == count)), "{counted:?}");
}

fn cyrus_notices_another_body() {
    let server = cyrus("auth-int");
    let proxy = crate::http::tampering_proxy(&server.address, "amount=100", "amount=900");
    let output = fetch(&["--qop", "auth-int", "--data", "amount=100"], &[format!("http://{proxy}/a")]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

/// Its proof covers the body it knows when it makes it, which is the request's: it is RFC 2617's where both are the same.
fn cyrus_proves_the_body_of_the_request() {
    let server = cyrus("auth-int");
    let arguments = ["--qop", "auth-int", "--mutual", "--data", "amount=100"];
    let output = fetch(&arguments, &[server.url("/echo")]);
    assert_eq!(lines(&output), ["amount=100"]);
    let output = fetch(&arguments, &[server.url("/a")]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(complaints(&output).contains("SEC_E_MESSAGE_ALTERED"), "{output:?}");
}
