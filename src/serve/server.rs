//! HTTP/1.1 in front of a [`Gate`], with or without TLS. Every path is a resource that names its user.
#![forbid(unsafe_code)]

use core::convert::Infallible;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, EXPECT, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::gate::{Authenticated, Gate, Outcome, Refusal, RequestHead};
use super::headers;
use super::tls::ServerIdentity;
use crate::sync::{Mutex, lock};

const AUTHENTICATION_INFO: HeaderName = HeaderName::from_static("authentication-info");
/// How long connections may take to end after the server was asked to stop.
const FAREWELL: Duration = Duration::from_secs(2);
/// No limit of time is longer than this, one day: any clock can hold it.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// How long to wait when no connection can be accepted, for instance for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bounds of what clients may take; times of more than a day count as a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpLimits {
    /// The longest request body, in bytes; a longer one is 413.
    pub body_bytes: usize,
    /// The longest request head, in bytes, at least 8192; a longer one is 431.
    pub head_bytes: usize,
    /// How long a request head may take, and so may the TLS handshake before the first one.
    pub head_time: Duration,
    /// How long a request body may take; a slower one is 408.
    pub body_time: Duration,
    /// How long a connection may go on without a new request being read or answered.
    pub idle_time: Duration,
    /// Connections at a time; further ones wait.
    pub connections: usize,
}

impl Default for HttpLimits {
    /// 16 MiB of body, 64 KiB of head, half a minute for each, 90 seconds idle, 1024 connections.
    fn default() -> Self {
        Self {
            body_bytes: 16 * 1024 * 1024,
            head_bytes: 64 * 1024,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(90),
            connections: 1024,
        }
    }
}

/// A server that is bound and not yet running.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local_address: SocketAddr,
    limits: HttpLimits,
    identity: Option<ServerIdentity>,
}

struct Shared {
    gate: Arc<Gate>,
    limits: HttpLimits,
    identity: Option<ServerIdentity>,
}

impl Server {
    /// Binds `address`; port 0 takes any free one.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn bind(address: SocketAddr, limits: HttpLimits) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let local_address = listener.local_addr()?;
        Ok(Self { listener, local_address, limits, identity: None })
    }

    /// Speaks TLS on every connection. Whether its channel is bound to is said to the gate.
    #[must_use]
    pub fn with_tls(self, identity: ServerIdentity) -> Self {
        Self { identity: Some(identity), ..self }
    }

    /// The address it is bound to.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Serves behind `gate` until `stop` resolves, then ends every connection and closes the gate.
    pub async fn run(self, gate: Arc<Gate>, stop: impl Future<Output = ()>) {
        let Self { listener, limits, identity, .. } = self;
        let limits = HttpLimits {
            head_time: limits.head_time.min(LONGEST),
            body_time: limits.body_time.min(LONGEST),
            idle_time: limits.idle_time.min(LONGEST),
            ..limits
        };
        let shared = Arc::new(Shared { gate, limits, identity });
        let places = Arc::new(Semaphore::new(shared.limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
        let (stopping, stopped) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut stop = core::pin::pin!(stop);
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                () = &mut stop => break,
                next = next => next,
            };
            match accepted {
                Ok((stream, _)) => {
                    let connection = serve_connection(stream, Arc::clone(&shared), stopped.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                // Whoever gave up before we came, or no file descriptors left: neither ends a server.
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
            while connections.try_join_next().is_some() {}
        }
        drop(listener);
        drop(stopping);
        let ended = async { while connections.join_next().await.is_some() {} };
        // Who does not end in time is ended.
        let _ = timeout(FAREWELL, ended).await;
        connections.shutdown().await;
        shared.gate.close();
    }
}

/// When a connection last did something useful.
#[derive(Clone)]
struct Activity(Arc<Mutex<Instant>>);

impl Activity {
    fn begin() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn mark(&self) {
        *lock(&self.0) = Instant::now();
    }

    fn last(&self) -> Instant {
        *lock(&self.0)
    }
}

async fn serve_connection(stream: TcpStream, shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    // Small answers should not wait for each other; without it they only come later.
    let _ = stream.set_nodelay(true);
    let Some(identity) = &shared.identity else {
        return serve_stream(stream, &shared, stopped).await;
    };
    let handshake = timeout(shared.limits.head_time, identity.accept(stream));
    let handshake = tokio::select! {
        handshake = handshake => handshake,
        _ = stopped.changed() => return,
    };
    // Whoever does not finish it in time, or trusts another certificate, has been told by TLS.
    if let Ok(Ok(stream)) = handshake {
        serve_stream(stream, &shared, stopped).await;
    }
}

async fn serve_stream(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    shared: &Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) {
    let HttpLimits { head_bytes, head_time, idle_time, .. } = shared.limits;
    let activity = Activity::begin();
    let service = service_fn(|request| {
        let (shared, activity) = (Arc::clone(shared), activity.clone());
        async move {
            activity.mark();
            let response = respond(&shared, request).await;
            activity.mark();
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time)
        .max_buf_size(head_bytes.max(8192))
        .max_header_size(head_bytes.max(8192))
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = core::pin::pin!(connection);
    let mut stopping = false;
    loop {
        // Also bounds clients that never read what they are answered.
        let idle = activity.last() + idle_time;
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stopped.changed(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(idle) => {
                if activity.last() + idle_time <= Instant::now() {
                    return;
                }
            }
        }
    }
}

async fn respond(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Ok(token) = headers::credentials(&head.headers) else {
        return text(StatusCode::BAD_REQUEST, "more than one Authorization header\n");
    };
    let target = request_target(&head.uri);
    let request = RequestHead { method: head.method.as_str().as_bytes(), target: target.as_bytes(), token };
    let resource = Resource { method: &head.method, target: &target };
    match shared.gate.accept(&request) {
        Outcome::Refused(refusal) => {
            // A client that is still sending would take an early answer and a closed connection for a failure; one
            // that expects 100 (Continue) has not begun.
            let drained = !head.headers.contains_key(EXPECT) && drain(body, &shared.limits).await;
            let mut response = refused(refusal);
            if !drained {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
        Outcome::Authenticated(authenticated) => match read(body, &shared.limits).await {
            Ok(body) => resource.answer(authenticated, &body),
            Err(error) => error.response(),
        },
        Outcome::BodyNeeded(pending) => match read(body, &shared.limits).await {
            Ok(body) => match shared.gate.complete(pending, &body) {
                Ok(authenticated) => resource.answer(authenticated, &body),
                Err(refusal) => refused(refusal),
            },
            Err(error) => error.response(),
        },
    }
}

/// The request target, as far as a server can still know its spelling.
fn request_target(uri: &Uri) -> String {
    match uri.path_and_query() {
        Some(path_and_query) => path_and_query.as_str().to_owned(),
        None => uri.to_string(),
    }
}

/// What is behind the gate.
struct Resource<'a> {
    method: &'a Method,
    target: &'a str,
}

impl Resource<'_> {
    fn answer(&self, authenticated: Authenticated, request_body: &[u8]) -> Response<Full<Bytes>> {
        let Self { method, target } = self;
        let user = authenticated.user();
        let body = format!("{user}: {method} {target} with {} bytes\n", request_body.len());
        // What a HEAD request is answered has no body to prove.
        let proven = if *method == Method::HEAD { "" } else { body.as_str() };
        let proof = authenticated.finish(proven.as_bytes());
        let mut response = text(StatusCode::OK, body);
        if let Some(proof) = proof.and_then(|proof| HeaderValue::from_bytes(&proof).ok()) {
            response.headers_mut().insert(AUTHENTICATION_INFO, proof);
        }
        response
    }
}

fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    match refusal {
        Refusal::Challenge(challenge) => unauthorized(&challenge, "authentication is required\n"),
        Refusal::OtherService(challenge) => unauthorized(&challenge, "the credentials are for another service\n"),
        Refusal::BadRequest => text(StatusCode::BAD_REQUEST, "the credentials are malformed or for another request\n"),
        Refusal::Unavailable => text(StatusCode::SERVICE_UNAVAILABLE, "nobody can be authenticated now\n"),
        Refusal::Internal => text(StatusCode::INTERNAL_SERVER_ERROR, "authentication failed internally\n"),
    }
}

fn unauthorized(challenge: &[u8], body: &'static str) -> Response<Full<Bytes>> {
    let Some(challenge) = headers::with_scheme(challenge) else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "the challenge fits no header\n");
    };
    let mut response = text(StatusCode::UNAUTHORIZED, body);
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

enum BodyError {
    TooLong,
    TooSlow,
    Broken,
}

impl BodyError {
    fn response(&self) -> Response<Full<Bytes>> {
        let mut response = match self {
            Self::TooLong => text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long\n"),
            Self::TooSlow => text(StatusCode::REQUEST_TIMEOUT, "the body did not come in time\n"),
            Self::Broken => text(StatusCode::BAD_REQUEST, "the body cannot be read\n"),
        };
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

/// A body within the limits. Nothing is read of one that announces more.
async fn read(body: Incoming, limits: &HttpLimits) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > u64::try_from(limits.body_bytes).unwrap_or(u64::MAX) {
        return Err(BodyError::TooLong);
    }
    match timeout(limits.body_time, Limited::new(body, limits.body_bytes).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLong),
        Ok(Err(_)) => Err(BodyError::Broken),
        Err(_) => Err(BodyError::TooSlow),
    }
}

/// Reads a body within the limits and forgets it; tells whether it came to its end.
async fn drain(mut body: Incoming, limits: &HttpLimits) -> bool {
    let maximum = limits.body_bytes;
    if body.size_hint().lower() > u64::try_from(maximum).unwrap_or(u64::MAX) {
        return false;
    }
    let to_the_end = async {
        let mut length = 0_usize;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            length = length.saturating_add(frame.data_ref().map_or(0, Bytes::len));
            if length > maximum {
                return false;
            }
        }
        true
    };
    timeout(limits.body_time, to_the_end).await.unwrap_or(false)
}
