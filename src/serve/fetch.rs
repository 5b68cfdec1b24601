//! An HTTP client over an [`Initiator`]: challenged once per server, signing further requests by itself.
#![forbid(unsafe_code)]

use core::fmt;
use core::pin::Pin;
use core::str::FromStr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::headers;
use super::initiator::{Initiator, InitiatorContext, OutgoingChannel, OutgoingRequest, Standing};
use super::tls::{ServerEndPoint, TrustedRoots};
use crate::context::failure::Failure;
use crate::digest::{Challenge, Limits};
use crate::status::SecurityStatus;

/// How long one request and its response may take.
const EXCHANGE_TIME: Duration = Duration::from_secs(60);
/// The longest response body, in bytes.
const MAXIMUM_BODY: usize = 64 * 1024 * 1024;
/// How many nonces in a row a server may find stale.
const STALE_ROUNDS: usize = 3;

/// An absolute `http:` or `https:` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl {
    scheme: Scheme,
    host: String,
    port: u16,
    authority: String,
    target: String,
}

/// The scheme of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Why a text is no URL to fetch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It has another scheme, or none.
    #[error("a URL begins with http:// or https://")]
    Scheme,
    /// It has a user name or a password.
    #[error("a URL carries no user name here; say it with --user")]
    UserInfo,
    /// It is not well-formed.
    #[error("it is not a well-formed URL")]
    Malformed,
}

impl FromStr for HttpUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let uri: Uri = text.parse().map_err(|_| UrlError::Malformed)?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some(_) | None => return Err(UrlError::Scheme),
        };
        let authority = uri.authority().ok_or(UrlError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(UrlError::UserInfo);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str().len() == authority.host().len() => scheme.default_port(),
            None => return Err(UrlError::Malformed),
        };
        if host.is_empty() {
            return Err(UrlError::Malformed);
        }
        let target = uri.path_and_query().map_or("/", |path_and_query| path_and_query.as_str());
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { scheme, host: host.to_owned(), port, authority: authority.to_string(), target })
    }
}

impl HttpUrl {
    /// Whether it needs TLS.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// The service principal name of its server, without a port as .NET writes it.
    fn service_name(&self) -> String {
        format!("HTTP/{}", self.host)
    }

    /// Scheme and authority: one server.
    fn origin(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.authority)
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}{}", self.scheme.as_str(), self.authority, self.target)
    }
}

/// What a server answered in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// There is nobody to trust, see [`Client::trusting`].
    #[error("https:// needs root certificates")]
    NoRoots,
    /// The peer does not speak TLS, or its certificate is not to be trusted.
    #[error("TLS: {0}")]
    Tls(#[source] io::Error),
    /// The peer does not speak HTTP, or stopped doing so.
    #[error("the HTTP exchange failed: {0}")]
    Http(#[source] hyper::Error),
    /// The request cannot be sent.
    #[error("the request cannot be written: {0}")]
    Request(#[source] hyper::http::Error),
    /// The body is longer than 64 MiB, or broke off.
    #[error("the response body cannot be read: {0}")]
    Body(String),
    /// It took longer than a minute.
    #[error("no answer within {} seconds", EXCHANGE_TIME.as_secs())]
    TooSlow,
    /// An SSPI call failed.
    #[error("{0}")]
    Sspi(#[from] Failure),
    /// The server challenged again what was answered.
    #[error("the server refused the credentials")]
    Refused,
    /// The server finds every nonce stale.
    #[error("the server found {STALE_ROUNDS} nonces in a row stale")]
    AlwaysStale,
}

/// A client with one context for each server it talked to.
#[derive(Debug)]
pub struct Client {
    initiator: Arc<Initiator>,
    roots: Option<TrustedRoots>,
    contexts: BTreeMap<String, Kept>,
}

/// An established context, and the channel it is for: what MakeSignature writes repeats its bindings.
#[derive(Debug)]
struct Kept {
    context: InitiatorContext,
    end_point: Option<ServerEndPoint>,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Client {
    /// A client that talked to nobody yet, and trusts nobody: it fetches `http:` only.
    pub fn new(initiator: Arc<Initiator>) -> Self {
        Self { initiator, roots: None, contexts: BTreeMap::new() }
    }

    /// Trusts the servers that these authorities certify.
    #[must_use]
    pub fn trusting(self, roots: TrustedRoots) -> Self {
        Self { roots: Some(roots), ..self }
    }

    /// Makes one request, answering what the server challenges.
    ///
    /// The first request to a server goes without credentials. A required server proof is checked in the answer to a
    /// response; InitializeSecurityContext has no call to check it for requests that MakeSignature signed. Redirects are not followed.
    ///
    /// # Errors
    /// There is no answer, it is not proved, or the credentials are refused. What is returned may still be any HTTP
    /// status, also a 401 that has no Digest challenge.
    pub async fn fetch(&mut self, url: &HttpUrl, method: &Method, body: Bytes) -> Result<Fetched, FetchError> {
        let service_name = url.service_name();
        let mut connection = self.connect(url).await?;
        let context = match self.contexts.remove(&url.origin()) {
            // A server that has another certificate now is authenticated to anew.
            Some(kept) if kept.end_point == connection.end_point => kept.context,
            Some(_) | None => self.initiator.begin(url.target.as_bytes())?,
        };
        let mut challenges: Vec<Vec<u8>> = Vec::new();
        let mut stale_rounds = 0;
        loop {
            let end_point = connection.end_point.clone();
            let bindings = end_point.as_ref().map(ServerEndPoint::channel_bindings).unwrap_or_default();
            let request = OutgoingRequest {
                method: method.as_str().as_bytes(),
                target: url.target.as_bytes(),
                body: &body,
                // Of the connection that the request goes over, so that nobody between can use it on another one.
                channel: OutgoingChannel { service_name: service_name.as_bytes(), bindings: &bindings },
            };
            let answered = !challenges.is_empty();
            let authorization = match context.standing() {
                _ if answered => Some(answer_first(&context, &challenges, &request)?),
                Standing::Established => Some(context.sign(&request)?),
                Standing::New | Standing::Responded => None,
            };
            let reply = connection.exchange(url, method, body.clone(), authorization.as_deref()).await?;
            let offered = answerable(headers::challenges(&reply.headers));
            if reply.status != StatusCode::UNAUTHORIZED || offered.is_empty() {
                if context.standing() == Standing::Responded {
                    let info = reply.headers.get("authentication-info").map(HeaderValue::as_bytes).unwrap_or_default();
                    context.verify(info, &request, &reply.body)?;
                }
                if context.standing() == Standing::Established {
                    self.contexts.insert(url.origin(), Kept { context, end_point });
                }
                return Ok(Fetched { status: reply.status, body: reply.body });
            }
            let stale = offered.iter().any(|challenge| is_stale(challenge));
            // A context that awaits a proof judges this itself.
            if answered && !stale && context.standing() == Standing::Established {
                return Err(FetchError::Refused);
            }
            if stale_rounds == STALE_ROUNDS {
                return Err(FetchError::AlwaysStale);
            }
            stale_rounds += usize::from(stale);
            challenges = offered.into_iter().map(<[u8]>::to_vec).collect();
            connection = self.connect(url).await?;
        }
    }

    /// A connection of its own for one request: a session does not belong to a connection.
    async fn connect(&self, url: &HttpUrl) -> Result<Connection, FetchError> {
        let roots = match url.scheme {
            Scheme::Http => None,
            Scheme::Https => Some(self.roots.as_ref().ok_or(FetchError::NoRoots)?),
        };
        let connect = async {
            let stream = TcpStream::connect((url.host.as_str(), url.port)).await.map_err(FetchError::Connect)?;
            match roots {
                None => Connection::over(stream, None).await,
                Some(roots) => {
                    let (stream, end_point) = roots.connect(&url.host, stream).await.map_err(FetchError::Tls)?;
                    Connection::over(stream, end_point).await
                }
            }
        };
        timeout(EXCHANGE_TIME, connect).await.map_err(|_| FetchError::TooSlow)?
    }
}

/// The challenges whose algorithm this package has, in their order; servers of RFC 7616 offer SHA-256 first. If there
/// is none, all of them: the package says why.
fn answerable(challenges: Vec<&[u8]>) -> Vec<&[u8]> {
    let known = |challenge: &&[u8]| {
        Challenge::parse(challenge, &Limits::default()).is_ok_and(|challenge| challenge.algorithm.effective().is_some())
    };
    let answerable: Vec<_> = challenges.iter().copied().filter(known).collect();
    if answerable.is_empty() { challenges } else { answerable }
}

/// Answers the first challenge that can be answered: the next may offer the quality of protection that is wanted.
fn answer_first(
    context: &InitiatorContext,
    challenges: &[Vec<u8>],
    request: &OutgoingRequest<'_>,
) -> Result<Vec<u8>, FetchError> {
    let mut first = None;
    for challenge in challenges {
        match context.answer(challenge, request) {
            Ok(response) => return Ok(response),
            Err(failure) => {
                let next_may_do = matches!(
                    failure.status,
                    SecurityStatus::SEC_E_QOP_NOT_SUPPORTED | SecurityStatus::SEC_E_INVALID_TOKEN
                );
                let failure = first.get_or_insert(failure);
                if !next_may_do {
                    return Err(failure.clone().into());
                }
            }
        }
    }
    Err(first.map_or(FetchError::Refused, FetchError::Sspi))
}

fn is_stale(challenge: &[u8]) -> bool {
    Challenge::parse(challenge, &Limits::default()).is_ok_and(|challenge| challenge.stale)
}

/// A connection for one request.
struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    /// Moves the bytes.
    driver: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// What the connection is bound to, where TLS is around it.
    end_point: Option<ServerEndPoint>,
}

impl Connection {
    async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        end_point: Option<ServerEndPoint>,
    ) -> Result<Self, FetchError> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(FetchError::Http)?;
        // How it ended is known from the request.
        let driver = Box::pin(async { drop(connection.await) });
        Ok(Self { sender, driver, end_point })
    }

    async fn exchange(
        self,
        url: &HttpUrl,
        method: &Method,
        body: Bytes,
        authorization: Option<&[u8]>,
    ) -> Result<Reply, FetchError> {
        let mut request = Request::builder()
            .method(method)
            .uri(url.target.as_str())
            .header(HOST, url.authority.as_str())
            .header(CONNECTION, "close");
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/octet-stream");
        }
        if let Some(authorization) = authorization {
            let value = HeaderValue::from_bytes(&[b"Digest ", authorization].concat());
            request = request.header(AUTHORIZATION, value.map_err(|error| FetchError::Request(error.into()))?);
        }
        let request = request.body(Full::new(body)).map_err(FetchError::Request)?;
        timeout(EXCHANGE_TIME, self.send(request)).await.map_err(|_| FetchError::TooSlow)?
    }

    async fn send(self, request: Request<Full<Bytes>>) -> Result<Reply, FetchError> {
        let Self { mut sender, driver, end_point: _ } = self;
        let talk = async {
            let response = sender.send_request(request).await.map_err(FetchError::Http)?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAXIMUM_BODY).collect().await.map_err(|error| {
                FetchError::Body(if error.is::<LengthLimitError>() {
                    format!("it is longer than {MAXIMUM_BODY} bytes")
                } else {
                    error.to_string()
                })
            })?;
            Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes() })
        };
        let mut talk = core::pin::pin!(talk);
        tokio::select! {
            reply = &mut talk => reply,
            // The connection ends first where the server closes it; what came is then still to be read.
            () = driver => talk.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HttpUrl, UrlError};

    #[test]
    fn urls_are_judged() {
        for (text, shown, port) in [
            ("http://127.0.0.1:8080/a?b=c", "http://127.0.0.1:8080/a?b=c", 8080),
            ("http://host", "http://host/", 80),
            ("http://host?q", "http://host/?q", 80),
            ("http://[::1]:1/", "http://[::1]:1/", 1),
            ("https://host/a", "https://host/a", 443),
            ("https://host:8443", "https://host:8443/", 8443),
        ] {
            let url: HttpUrl = text.parse().expect("the URL is good");
            assert_eq!((url.to_string().as_str(), url.port), (shown, port), "{text}");
        }
        for (text, error) in [
            ("ftp://host/", UrlError::Scheme),
            ("/a", UrlError::Scheme),
            ("host:80", UrlError::Scheme),
            ("http://user@host/", UrlError::UserInfo),
            ("http://host:99999/", UrlError::Malformed),
            ("http://a b/", UrlError::Malformed),
            ("", UrlError::Malformed),
        ] {
            assert_eq!(text.parse::<HttpUrl>(), Err(error), "{text}");
        }
    }
}
