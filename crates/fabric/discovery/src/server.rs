//! Listening, connections, and the drain.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use coreto_catalog::Command;
use coreto_listen::Limits;
use coreto_machine::Caller;
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use rustix::net::sockopt::set_tcp_user_timeout;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::answer::Fault;
use crate::asked::Asked;
use crate::beside;
use crate::bodies::Bodies;
use crate::clocks::Clocks;
use crate::config::{Config, Error, Parts};
use crate::desk::Desk;
use crate::feed::Feeds;
use crate::lease::{self, Leases};
use crate::link::Link;
use crate::probe::Probes;
use crate::router;
use crate::writing::submit;

/// Milliseconds for which a client may leave unread what was sent to it.
const UNREAD_MILLIS: u32 = 60_000;

/// How often it is asked over HTTP/2 whether a client is still there, and how long that may answer.
const PING: Duration = Duration::from_secs(2);
const PONG: Duration = Duration::from_secs(3);

/// Discovery that is bound to its address. [`Service::run`] serves.
pub struct Service {
    config: Config,
    address: SocketAddr,
    listener: TcpListener,
    parts: Parts,
}

impl Service {
    pub(crate) const fn new(
        config: Config,
        address: SocketAddr,
        listener: TcpListener,
        parts: Parts,
    ) -> Self {
        Self { config, address, listener, parts }
    }

    /// The address in use, also when the port was left to the system.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `drain` is ready and all requests are answered, or [`Config::drain_max`] is over.
    ///
    /// # Errors
    /// When the runtime cannot be made. Failing connections are no error.
    pub fn run(self, drain: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let Self { mut config, address, listener, parts } = self;
        config.address = address;
        let serve_error = |source| Error::Serve { address, source };
        let readers = (1..config.threads)
            .map(|_| Reader::new(listener.try_clone()?))
            .collect::<Result<Vec<_>, _>>()
            .map_err(serve_error)?;
        let first = Reader::new(listener).map_err(serve_error)?;
        let (announce, drained) = watch::channel(false);
        let desk = Arc::new_cyclic(|desk| Desk {
            config,
            handle: parts.handle,
            replica: parts.replica,
            hub: parts.hub,
            bodies: Bodies::default(),
            clocks: Clocks::default(),
            probes: Probes::new(desk.clone()),
            leases: Leases::default(),
            feeds: Feeds::default(),
            started: Instant::now(),
            drained,
        });
        let begun = first.runtime.block_on(beside::begin(&desk));
        std::thread::scope(|scope| {
            for reader in readers {
                let (desk, mut drained) = (&desk, desk.drained.clone());
                let drain = async move { drop(drained.wait_for(|drained| *drained).await) };
                let thread = std::thread::Builder::new().name("catalog-reader".to_owned());
                if let Err(error) = thread.spawn_scoped(scope, move || reader.serve(desk, drain)) {
                    let _ = announce.send(true);
                    return Err(error);
                }
            }
            let beside = first.runtime.spawn(beside::run(Arc::clone(&desk), begun));
            first.serve(&desk, async {
                drain.await;
                let _ = announce.send(true);
            });
            beside.abort();
            Ok(())
        })
        .map_err(serve_error)
    }
}

/// A thread that answers: its runtime, and its hold on the listener.
struct Reader {
    runtime: tokio::runtime::Runtime,
    listener: tokio::net::TcpListener,
}

impl Reader {
    fn new(listener: TcpListener) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        drop(entered);
        Ok(Self { runtime, listener })
    }

    fn serve(&self, desk: &Arc<Desk>, drain: impl Future<Output = ()>) {
        let Config { connections_max, drain_max, threads, .. } = desk.config;
        let connections_max = connections_max.div_ceil(threads.max(1));
        let limits = Limits { what: "catalog", connections_max, drain_max };
        let one = |stream| connection(stream, Arc::clone(desk));
        self.runtime.block_on(coreto_listen::serve(&self.listener, limits, drain, one));
    }
}

async fn connection(stream: TcpStream, desk: Arc<Desk>) {
    // Answers are small, and somebody waits for each.
    let _ = stream.set_nodelay(true);
    // Who takes nothing of an answer for so long is gone, and the answer with it.
    let _ = set_tcp_user_timeout(&stream, UNREAD_MILLIS);
    let mut drained = desk.drained.clone();
    let timeout = desk.config.request_timeout;
    let asked = Arc::new(AtomicBool::new(false));
    let has_asked = Arc::clone(&asked);
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        asked.store(true, Ordering::Relaxed);
        async move { Ok::<_, Infallible>(respond(&desk, request).await) }
    });
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(timeout);
    http.http2().timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PONG);
    let mut connection = pin!(http.serve_connection(Link::new(stream), service));
    // HTTP's own time-out begins with the first line; what says nothing has none.
    let silent = async {
        tokio::time::sleep(timeout).await;
        if has_asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = async { drop(drained.wait_for(|drained| *drained).await) } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = silent => return,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the catalog broke");
    }
}

/// What is sent back.
pub(crate) enum Reply {
    /// It is there.
    Whole(Full<Bytes>),
    /// It stays open while an instance is registered.
    Stream(Box<lease::Stream>),
    /// It stays open, and tells of changes.
    Watch(Box<crate::watch::Stream>),
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx),
            Self::Stream(body) => Pin::new(&mut **body).poll_frame(cx),
            Self::Watch(body) => Pin::new(&mut **body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Stream(_) | Self::Watch(_) => false,
        }
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Stream(_) | Self::Watch(_) => hyper::body::SizeHint::default(),
        }
    }
}

/// Whether a page asks, of whatever site: whoever opens it would lend it what the machine may do here. We serve no pages
/// ourselves, so that none has a reason to ask; links may lead here, and programs never say such things.
fn is_of_a_page<B>(request: &Request<B>) -> bool {
    let field = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    let follows = reads && field("sec-fetch-mode") == Some(b"navigate");
    field("origin").is_some() || (field("sec-fetch-site").is_some_and(|site| site != b"none") && !follows)
}

/// Whether a request names a host that a page can have made ours, where nobody but this machine asks: a name of the
/// internet, which has a dot. Those of networks at home have none, or say so at their end.
fn is_elsewhere<B>(request: &Request<B>, address: SocketAddr) -> bool {
    let field = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let Some(host) = request.uri().authority().map(Authority::as_str).or(field) else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_end_matches('.');
    let is_address = name.starts_with('[') || name.parse::<Ipv4Addr>().is_ok();
    let own = [".localhost", ".local", ".internal"].into_iter().any(|end| name.ends_with(end));
    address.ip().is_loopback() && name.contains('.') && !is_address && !own
}

async fn respond(desk: &Arc<Desk>, request: Request<Incoming>) -> Response<Reply> {
    let refused = |text: &str| Fault::Forbidden(text.to_owned()).into_response().map(Reply::Whole);
    if is_of_a_page(&request) {
        return refused("requests of web pages are not answered: whoever reaches the catalog may change it");
    }
    if is_elsewhere(&request, desk.config.address) {
        return refused("the `Host` is no name of this machine, at whose loopback address the catalog is");
    }
    let path = request.uri().path();
    let opened = if request.method() == Method::POST && path == "/v1/coreto/register" {
        lease::open(desk, request.into_body()).await
    } else if path.starts_with(crate::watch::PATH) {
        crate::watch::open(desk, request).await
    } else {
        return answer(desk, request).await.unwrap_or_else(Fault::into_response).map(Reply::Whole);
    };
    opened.unwrap_or_else(|fault| fault.into_response().map(Reply::Whole))
}

async fn answer(desk: &Arc<Desk>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Fault> {
    let (head, body) = request.into_parts();
    let method: Method = head.method.clone();
    let body = if body.is_end_stream() { Bytes::new() } else { whole(body, &desk.config).await? };
    let asked = Asked::new(&head, body)?;
    if method == Method::GET || method == Method::HEAD {
        let answer = router::answer(desk, &method, &asked).await?;
        let answer = if asked.parameter("pretty").is_some() { answer.indented() } else { answer };
        return Ok(answer.into_response());
    }
    let desk = Arc::clone(desk);
    to_its_end(async move { Ok(router::answer(&desk, &method, &asked).await?.into_response()) }).await
}

/// Goes on with what changes something also when whoever asked has hung up: half of it would leave checks and sessions
/// whose times nobody watches.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> Result<T, Fault> {
    let mut work = Box::pin(work);
    // What is done without waiting, such as a renewal, needs no task.
    if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        return done;
    }
    let lost = |error| Fault::Unavailable(format!("whether it was done is not known: {error}"));
    tokio::spawn(work).await.map_err(lost)?
}

async fn whole(body: Incoming, config: &Config) -> Result<Bytes, Fault> {
    let bytes_max = config.body_bytes_max;
    match tokio::time::timeout(config.request_timeout, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let text = format!("a body may have {bytes_max} bytes here");
            Err(Fault::Body(StatusCode::PAYLOAD_TOO_LARGE, text))
        }
        Ok(Err(error)) => Err(Fault::Wrong(format!("the body broke off: {error}"))),
        Err(_) => Err(Fault::Body(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time".to_owned())),
    }
}

/// Has a command of our own carried out.
pub(crate) async fn internally(desk: &Desk, command: Command) -> Result<(), Fault> {
    let written =
        submit(&desk.handle, command, Caller::internal()).map_err(|refused| Fault::of_refusal(&refused))?;
    written.outcome().await?.map(drop).map_err(Fault::of_rejection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_internet_are_none_of_a_loopback_address() {
        let (loopback, other) = (SocketAddr::from(([127, 0, 0, 1], 8500)), SocketAddr::from(([0; 4], 8500)));
        for (host, elsewhere) in [
            ("evil.example:8500", true),
            ("evil.example", true),
            ("127.0.0.1.evil.example.", true),
            ("127.0.0.1:8500", false),
            ("[::1]:8500", false),
            ("localhost:8500", false),
            ("catalog:8500", false),
            ("host.docker.internal:8500", false),
        ] {
            let request = Request::builder().header(HOST, host).body(()).unwrap();
            assert_eq!(is_elsewhere(&request, loopback), elsewhere, "{host}");
            assert!(!is_elsewhere(&request, other), "{host}");
        }
    }

    #[test]
    fn pages_are_told_from_programs_and_links() {
        for (method, fields, is_of_a_page) in [
            (Method::PUT, &[][..], false),
            (Method::POST, &[("origin", "http://evil.example")], true),
            (Method::POST, &[("origin", "null")], true),
            (Method::PUT, &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")], true),
            (Method::GET, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], true),
            (Method::GET, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], false),
            (Method::POST, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], true),
            (Method::GET, &[("sec-fetch-site", "none")], false),
            (Method::GET, &[("sec-fetch-mode", "cors")], false),
        ] {
            let mut request = Request::builder().method(method.clone());
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            assert_eq!(super::is_of_a_page(&request.body(()).unwrap()), is_of_a_page, "{method} {fields:?}");
        }
    }
}
