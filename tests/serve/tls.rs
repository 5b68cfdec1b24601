//! `digest-ssp serve` and `fetch` over TLS, with clients of other makers, and what binds credentials to a channel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use crate::support::{Serving, available, curl, digest_ssp, lines, script};
use digest_ssp::serve::tls::{EndPointError, ServerEndPoint};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SignatureAlgorithm};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// An authority of its own, and a server it certifies for 127.0.0.1, as PEM files that are gone at the end.
struct Certified {
    directory: PathBuf,
    certificate: String,
    key: String,
    authority: String,
    /// The server's certificate.
    der: Vec<u8>,
}

impl Certified {
    fn new(name: &str) -> Self {
        Self::signed(name, &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    fn signed(name: &str, algorithm: &'static SignatureAlgorithm) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("the directory can be made");
        let key = KeyPair::generate_for(algorithm).expect("ring has it");
        let mut parameters = CertificateParams::new([]).expect("no names are good names");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(parameters, key).expect("the parameters are good");
        let key = KeyPair::generate().expect("ring has it");
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut server = CertificateParams::new(names).expect("the names are good");
        // An issuer of the same name would look like itself.
        server.distinguished_name.push(DnType::CommonName, "localhost");
        let server = server.signed_by(&key, &authority).expect("the parameters are good");
        let write = |file: &str, pem: String| {
            let path = directory.join(file);
            fs::write(&path, pem).expect("the directory is there");
            path.to_str().expect("the path is text").to_owned()
        };
        Self {
            certificate: write("server.pem", server.pem()),
            key: write("server.key", key.serialize_pem()),
            authority: write("ca.pem", authority.pem()),
            der: server.der().to_vec(),
            directory,
        }
    }

    fn serve(&self, arguments: &[&str]) -> Serving {
        let tls = ["--tls-certificate", &self.certificate, "--tls-key", &self.key];
        Serving::start(&[&tls, arguments].concat())
    }

    fn fetch(&self, arguments: &[&str]) -> Output {
        let common = ["fetch", "--user", "alice:secret", "--verbose", "--ca-certificate", &self.authority];
        digest_ssp().args(common).args(arguments).output().expect("built by cargo")
    }
}

impl Drop for Certified {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

const CHALLENGE: &str = "ASC SEC_I_CONTINUE_NEEDED -";
const INITIAL: &str = "ASC SEC_E_OK 1";
const SECOND: [&str; 2] = ["ASC SEC_I_COMPLETE_NEEDED 2", "CAT SEC_E_OK 2"];

#[test]
fn clients_of_other_makers_are_served_over_tls() {
    let certified = Certified::new("others");
    if let Some(mut curl) = curl() {
        let server = certified.serve(&[]);
        let arguments = ["-sS", "--digest", "-u", "alice:secret", "--cacert", &certified.authority];
        let output = curl.args(arguments).arg(server.url("/a")).output().expect("curl is there");
        assert_eq!(lines(&output), ["alice: GET /a with 0 bytes"]);
        server.expect_calls(0, &[CHALLENGE, INITIAL]);
    }
    if let Some(mut python) = script("bound_get.py", "ssl") {
        let server = certified.serve(&[]);
        let url = server.url("/a");
        let arguments = [url.as_str(), &certified.authority, "alice", "secret", "sha256", "missing", ""];
        let output = python.args(arguments).output().expect("Python is there");
        assert_eq!(lines(&output), ["upgraded", "200 alice: GET /a with 0 bytes", "200 alice: GET /a with 0 bytes"]);
        server.expect_calls(0, &[&[CHALLENGE, INITIAL][..], &SECOND].concat());
    }
}

/// What a client of the standard library of Python gets for two requests with that binding.
fn bound_get(server: &Serving, certified: &Certified, hash: &str, binding: &str, service: &str) -> Option<Vec<String>> {
    let authority = if server.url("/").starts_with("https") { &certified.authority } else { "" };
    let arguments = [&server.url("/a"), authority, "alice", "secret", hash, binding, service];
    let output = script("bound_get.py", "ssl")?.args(arguments).output().expect("Python is there");
    let mut lines = lines(&output);
    let first = lines.remove(0);
    assert_eq!(first, "upgraded", "{binding}");
    Some(lines)
}

const SERVED: &str = "200 alice: GET /a with 0 bytes";
const CHALLENGED: &str = "401 authentication is required";
const SERVICE: &str = "HTTP/127.0.0.1";

#[test]
fn each_policy_asks_for_what_it_needs() {
    let certified = Certified::new("policies");
    for (policy, binding, expected) in [
        ("allow-missing", "right", SERVED),
        ("allow-missing", "missing", SERVED),
        ("allow-missing", "wrong", CHALLENGED),
        ("allow-missing", "zeros", CHALLENGED),
        ("allow-missing", "inconsistent", CHALLENGED),
        ("required", "right", SERVED),
        ("required", "missing", CHALLENGED),
        ("required", "wrong", CHALLENGED),
        ("required", "zeros", CHALLENGED),
        ("required", "inconsistent", CHALLENGED),
        ("proxied", "right", SERVED),
        ("proxied", "missing", CHALLENGED),
        ("proxied", "wrong", SERVED),
        ("proxied", "zeros", SERVED),
        ("proxied", "inconsistent", CHALLENGED),
    ] {
        let server = certified.serve(&["--channel-bindings", policy]);
        let Some(lines) = bound_get(&server, &certified, "sha256", binding, SERVICE) else { return };
        assert_eq!(lines, [expected, expected], "{policy} {binding}");
        let bad = [CHALLENGE, "ASC SEC_E_BAD_BINDINGS 1", CHALLENGE, "ASC SEC_E_BAD_BINDINGS 2", CHALLENGE];
        let good = [&[CHALLENGE, INITIAL][..], &SECOND].concat();
        server.expect_calls(0, if expected == SERVED { &good } else { &bad });
    }
}

#[test]
fn each_request_is_judged_by_itself() {
    let certified = Certified::new("changed");
    for policy in ["allow-missing", "required"] {
        let server = certified.serve(&["--channel-bindings", policy]);
        let Some(lines) = bound_get(&server, &certified, "sha256", "changed", SERVICE) else { return };
        assert_eq!(lines, [SERVED, CHALLENGED], "{policy}");
        server.expect_calls(0, &[CHALLENGE, INITIAL, "ASC SEC_E_BAD_BINDINGS 2", CHALLENGE]);
    }
}

#[test]
fn a_server_behind_a_proxy_speaks_no_tls() {
    let certified = Certified::new("behind");
    for (binding, expected) in [("zeros", SERVED), ("wrong", SERVED), ("missing", CHALLENGED)] {
        let server = Serving::start(&["--channel-bindings", "proxied"]);
        let Some(lines) = bound_get(&server, &certified, "sha256", binding, SERVICE) else { return };
        assert_eq!(lines, [expected, expected], "{binding}");
    }
}

#[test]
fn the_hash_is_that_of_the_certificate() {
    let certified = Certified::signed("sha384", &rcgen::PKCS_ECDSA_P384_SHA384);
    for (hash, expected) in [("sha384", SERVED), ("sha256", CHALLENGED)] {
        let server = certified.serve(&["--channel-bindings", "required"]);
        let Some(lines) = bound_get(&server, &certified, hash, "right", SERVICE) else { return };
        assert_eq!(lines, [expected, expected], "{hash}");
    }
}

#[test]
fn a_service_of_another_name_is_refused() {
    let certified = Certified::new("services");
    let other = "401 the credentials are for another service";
    for (policy, binding, service, expected) in [
        ("required", "right", "HTTP/127.0.0.1", SERVED),
        ("required", "right", "http/WWW.example.com", SERVED),
        ("required", "right", "HTTP/elsewhere", other),
        ("required", "right", "", other),
        ("proxied", "zeros", "HTTP/127.0.0.1", SERVED),
        ("proxied", "zeros", "HTTP/elsewhere", other),
        ("allow-missing", "right", "HTTP/elsewhere", other),
        // Who names nothing is let through by the policy.
        ("allow-missing", "missing", "", SERVED),
    ] {
        let names = ["--service-name", "HTTP/www.example.com", "--service-name", "HTTP/127.0.0.1"];
        let server = certified.serve(&[&names[..], &["--channel-bindings", policy]].concat());
        let Some(lines) = bound_get(&server, &certified, "sha256", binding, service) else { return };
        // A refused session is gone: its next request is challenged as one that names nothing.
        let second = if expected == other { CHALLENGED } else { expected };
        assert_eq!(lines, [expected, second], "{policy} {binding} {service:?}");
    }
}

#[test]
fn fetch_tells_its_channel_and_its_service() {
    let certified = Certified::new("bound");
    for algorithm in ["MD5", "MD5-sess"] {
        for qop in ["auth", "auth-int"] {
            for policy in ["allow-missing", "required", "proxied"] {
                let required = ["--channel-bindings", policy, "--service-name", SERVICE];
                let server = certified.serve(&[&required[..], &["--qop", qop, "--algorithm", algorithm]].concat());
                let urls = ["/a", "/b", "/c"].map(|path| server.url(path));
                let output = certified.fetch(&["--qop", qop, "--mutual", &urls[0], &urls[1], &urls[2]]);
                let answers = ["/a", "/b", "/c"].map(|path| format!("alice: GET {path} with 0 bytes"));
                assert_eq!(lines(&output), answers, "{algorithm} {qop} {policy}");
                let first = match qop {
                    "auth" => &[INITIAL][..],
                    _ => &["ASC SEC_I_COMPLETE_NEEDED 1", "CAT SEC_E_OK 1"],
                };
                let third = ["ASC SEC_I_COMPLETE_NEEDED 3", "CAT SEC_E_OK 3"];
                server.expect_calls(0, &[&[CHALLENGE][..], first, &SECOND, &third].concat());
                // By another name it is another service.
                let output = certified.fetch(&["--qop", qop, &urls[0].replace("127.0.0.1", "localhost")]);
                assert_eq!(output.status.code(), Some(1));
                assert!(String::from_utf8_lossy(&output.stderr).contains("refused"), "{output:?}");
            }
        }
    }
    // Without TLS there is a service and no channel.
    let server = Serving::start(&["--channel-bindings", "proxied", "--service-name", SERVICE]);
    assert_eq!(lines(&certified.fetch(&[&server.url("/a")])), ["alice: GET /a with 0 bytes"]);
}

/// Ends the TLS of clients with a certificate of its own and goes on over TLS to a server: what extended protection is against.
fn relay(own: &Certified, to: &str, trusting: &str) -> String {
    let pem = |file: &str| fs::read(file).expect("it was written");
    let certificate = CertificateDer::from_pem_slice(&pem(&own.certificate)).expect("it is one");
    let key = PrivateKeyDer::from_pem_slice(&pem(&own.key)).expect("it is one");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem(trusting)).expect("it is one")).expect("it is an authority's");
    let provider = || Arc::new(ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let server = server.expect("ring has them").with_no_client_auth().with_single_cert(vec![certificate], key);
    let acceptor = TlsAcceptor::from(Arc::new(server.expect("they belong together")));
    let client = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let client = client.expect("ring has them").with_root_certificates(roots).with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(client));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("it can be");
    let address = listener.local_addr().expect("it is bound").to_string();
    let to = to.to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an event loop");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("it does not block");
            while let Ok((client, _)) = listener.accept().await {
                let Ok(mut client) = acceptor.accept(client).await else { continue };
                let server = tokio::net::TcpStream::connect(&to).await.expect("the server listens");
                let name = ServerName::try_from("127.0.0.1").expect("an address");
                let mut server = connector.connect(name, server).await.expect("the server is trusted");
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        });
    });
    address
}

#[test]
fn credentials_cannot_be_relayed() {
    let [certified, attacker] = ["relayed", "attacker"].map(Certified::new);
    // The victim trusts the authority that certified the attacker as well.
    let both = certified.directory.join("both.pem");
    let pem = |file: &str| fs::read_to_string(file).expect("it was written");
    fs::write(&both, pem(&certified.authority) + &pem(&attacker.authority)).expect("the directory is there");
    for (policy, relayed) in [("required", false), ("allow-missing", false), ("proxied", true)] {
        let server = certified.serve(&["--channel-bindings", policy]);
        let between = relay(&attacker, &server.address, &certified.authority);
        let output = digest_ssp()
            .args(["fetch", "--user", "alice:secret", "--ca-certificate"])
            .arg(&both)
            .arg(format!("https://{between}/a"))
            .output()
            .expect("built by cargo");
        assert_eq!(output.status.success(), relayed, "{policy}: {output:?}");
        if relayed {
            server.expect_calls(0, &[CHALLENGE, INITIAL]);
        } else {
            server.expect_calls(0, &[CHALLENGE, "ASC SEC_E_BAD_BINDINGS 1", CHALLENGE]);
        }
    }
}

#[test]
fn fetch_and_serve_speak_tls() {
    let certified = Certified::new("fetch");
    for qop in ["auth", "auth-int"] {
        let server = certified.serve(&["--qop", qop]);
        let output = certified.fetch(&["--qop", qop, "--mutual", "--data", "x", &server.url("/a"), &server.url("/b")]);
        assert_eq!(lines(&output), ["alice: POST /a with 1 bytes", "alice: POST /b with 1 bytes"]);
        let (code, _) = server.interrupt();
        assert_eq!(code, Some(0));
    }
}

#[test]
fn a_certificate_of_somebody_else_is_refused() {
    let [certified, other] = ["refused", "other"].map(Certified::new);
    let server = certified.serve(&[]);
    let url = server.url("/a");
    let output = other.fetch(&[&url]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains(&format!("digest-ssp: {url}: TLS: ")), "{error}");
    // The name counts as well.
    let output = certified.fetch(&[&url.replace("127.0.0.1", "127.0.0.2")]);
    assert_eq!(output.status.code(), Some(1));
    // Nor is anything said without TLS.
    let output = certified.fetch(&[&url.replace("https", "http")]);
    assert_eq!(output.status.code(), Some(1));
    // Nobody got as far as a call.
    assert_eq!(server.lines_since(1), [""; 0]);
}

fn serve_fails(arguments: &[&str]) -> String {
    let output = digest_ssp().args(["serve", "--listen", "127.0.0.1:0", "--user", "a:b"]).args(arguments).output();
    let output = output.expect("built by cargo");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

#[test]
fn what_cannot_be_served_is_said_in_one_line() {
    let [certified, other] = ["setup", "mismatch"].map(Certified::new);
    let Certified { certificate, key, authority, .. } = &certified;
    for (arguments, named) in [
        (&["--tls-certificate", certificate, "--tls-key", &other.key][..], "--tls-key"),
        (&["--tls-certificate", key, "--tls-key", key], "the certificate"),
        (&["--tls-certificate", certificate, "--tls-key", authority], "the key"),
        (&["--tls-certificate", "no-such-file", "--tls-key", key], "no-such-file"),
        (&["--tls-certificate", certificate], "--tls-key"),
        (&["--channel-bindings", "required"], "--tls-certificate"),
        (&["--channel-bindings", "never"], "--channel-bindings"),
        (&["--service-name", "HTTP/localhost"], "--service-name"),
    ] {
        let error = serve_fails(arguments);
        assert!(error.contains(named), "{arguments:?}: {error}");
    }
    // Ed25519 signs without a hash function of its own: RFC 5929 defines nothing for it.
    let undefined = Certified::signed("ed25519", &rcgen::PKCS_ED25519);
    for policy in ["required", "allow-missing"] {
        let tls = ["--tls-certificate", &undefined.certificate, "--tls-key", &undefined.key];
        let error = serve_fails(&[&tls[..], &["--channel-bindings", policy]].concat());
        assert!(error.contains("1.3.101.112") && error.contains("proxied"), "{error}");
    }
}

#[test]
fn the_hash_of_an_end_point_is_that_of_the_signature() {
    for (name, algorithm, bytes) in
        [("p256", &rcgen::PKCS_ECDSA_P256_SHA256, 32), ("p384", &rcgen::PKCS_ECDSA_P384_SHA384, 48)]
    {
        let certified = Certified::signed(name, algorithm);
        let end_point = ServerEndPoint::of_certificate(&certified.der).expect("it is defined");
        assert_eq!(end_point.hash().len(), bytes, "{name}");
    }
    let certified = Certified::signed("edwards", &rcgen::PKCS_ED25519);
    assert!(matches!(ServerEndPoint::of_certificate(&certified.der), Err(EndPointError::Undefined(_))));
    for der in [&b""[..], b"\x30\x00", certified.der.get(..100).expect("it is longer"), &[0xFF; 64]] {
        assert!(matches!(ServerEndPoint::of_certificate(der), Err(EndPointError::Malformed(_))));
    }
}

/// What OpenSSL makes of certificates that ring cannot sign, and of their fingerprints.
#[test]
fn the_hash_of_an_end_point_is_the_fingerprint_of_openssl() {
    if !available("openssl", Command::new("openssl").arg("version")) {
        return;
    }
    let scratch = Certified::new("openssl");
    let [key, certificate, der] =
        ["o.key", "o.pem", "o.der"].map(|file| scratch.directory.join(file).display().to_string());
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).output().expect("it was there a moment ago");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    openssl(&["genrsa", "-out", &key, "2048"]);
    for (signing, fingerprint) in [
        (vec!["-sha1"], Some("-sha256")),
        (vec!["-md5"], Some("-sha256")),
        (vec!["-sha224"], Some("-sha224")),
        (vec!["-sha256"], Some("-sha256")),
        (vec!["-sha384"], Some("-sha384")),
        (vec!["-sha512"], Some("-sha512")),
        (vec!["-sha1", "-sigopt", "rsa_padding_mode:pss"], Some("-sha256")),
        (vec!["-sha384", "-sigopt", "rsa_padding_mode:pss"], Some("-sha384")),
        (vec!["-sha512", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_mgf1_md:sha256"], None),
    ] {
        let request = ["req", "-x509", "-new", "-key", &key, "-subj", "/CN=localhost", "-out", &certificate];
        openssl(&[&request[..], &signing].concat());
        openssl(&["x509", "-in", &certificate, "-outform", "DER", "-out", &der]);
        let end_point = ServerEndPoint::of_certificate(&fs::read(&der).expect("openssl wrote it"));
        let Some(fingerprint) = fingerprint else {
            assert!(matches!(end_point, Err(EndPointError::Undefined(_))), "{signing:?}");
            continue;
        };
        let printed = openssl(&["x509", "-in", &certificate, "-noout", "-fingerprint", fingerprint]);
        let (_, expected) = printed.trim_end().split_once('=').expect("openssl prints NAME=HEX");
        let hash = end_point.expect("it is defined").hash().to_vec();
        let hash: Vec<_> = hash.iter().map(|octet| format!("{octet:02X}")).collect();
        assert_eq!(hash.join(":"), expected, "{signing:?}");
    }
}
