//! Listening, connections, the drain, and what runs beside them.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use coreto_catalog::command::{DestroySession, Reap, RegisterCheck, RegisterNode, UpdateCheck};
use coreto_catalog::{Check, CheckKind, Command, Definition, Node, Status};
use coreto_listen::Limits;
use coreto_machine::Caller;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::answer::Fault;
use crate::asked::Asked;
use crate::bodies::Bodies;
use crate::clocks::{Clocks, Due};
use crate::config::{Config, Error, Parts};
use crate::desk::{Desk, TENANT, named};
use crate::feed::Feeds;
use crate::lease::{self, Leases};
use crate::link::Link;
use crate::probe::Probes;
use crate::read::NODE_CHECK;
use crate::router;
use crate::writing::submit;

/// How long to wait before this node is registered again when the catalog does not take it.
const REGISTER_PAUSE: Duration = Duration::from_millis(200);

/// How long clients wait at the start until this node is registered.
const REGISTERED_IN: Duration = Duration::from_secs(5);

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
        first.runtime.block_on(async {
            // Whoever comes first finds this node; a catalog that takes nothing is read nevertheless.
            let _ = tokio::time::timeout(REGISTERED_IN, register_this(&desk)).await;
        });
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
            let beside = first.runtime.spawn(run_beside(Arc::clone(&desk)));
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

async fn respond(desk: &Arc<Desk>, request: Request<Incoming>) -> Response<Reply> {
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

async fn answer(desk: &Desk, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Fault> {
    let (head, body) = request.into_parts();
    let method: Method = head.method.clone();
    let body = if body.is_end_stream() { Bytes::new() } else { whole(body, &desk.config).await? };
    let asked = Asked::new(&head, body)?;
    Ok(router::answer(desk, &method, &asked).await?.into_response())
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

/// What runs beside the connections: this node is registered, and times run out.
async fn run_beside(desk: Arc<Desk>) {
    // Bound: until the catalog takes it, or the server drains and this is aborted.
    while let Err(fault) = register_this(&desk).await {
        tracing::warn!(?fault, "this node is not registered yet; trying again");
        tokio::time::sleep(REGISTER_PAUSE).await;
    }
    begin_anew(&desk);
    loop {
        let changed = desk.clocks.changed.notified();
        for due in desk.clocks.due(Instant::now()) {
            tokio::spawn(run_out(Arc::clone(&desk), due));
        }
        match desk.clocks.next() {
            Some(next) => {
                let next = tokio::time::sleep_until(next.into());
                tokio::select! { () = changed => (), () = next => () }
            }
            None => changed.await,
        }
    }
}

/// Makes this node known, with a check that passes as long as we are here.
async fn register_this(desk: &Desk) -> Result<(), Fault> {
    let config = &desk.config;
    let (name, address) = (Arc::clone(&config.node), Arc::clone(&config.node_address));
    let node = Node { address, ..Node::default() };
    desk.write(Command::RegisterNode(RegisterNode { tenant: TENANT, name: Arc::clone(&name), node })).await?;
    let check = Check {
        id: NODE_CHECK.into(),
        name: "Serf Health Status".into(),
        status: Status::Passing,
        output: "the node is alive".into(),
        definition: Definition { kind: CheckKind::Node, ..Definition::default() },
        ..Check::default()
    };
    let (id, output) = (Arc::clone(&check.id), Arc::clone(&check.output));
    let register = RegisterCheck { tenant: TENANT, node: Arc::clone(&name), check };
    desk.write(Command::RegisterCheck(register)).await?;
    let update = UpdateCheck { tenant: TENANT, node: name, id, status: Status::Passing, output };
    desk.write(Command::UpdateCheck(update)).await.map(drop)
}

/// After a start every time begins anew, checks that ask go on, and streams may come back.
fn begin_anew(desk: &Arc<Desk>) {
    let node = named(&desk.config.node);
    let look = |state: &coreto_catalog::State| {
        let checks: Vec<_> = state.checks_on(&node).map(|(_, entry)| Arc::clone(entry)).collect();
        let sessions =
            state.sessions.range(..).map(|((_, id), entry)| (Arc::clone(id), entry.session.ttl_ms));
        (checks, sessions.collect::<Vec<_>>())
    };
    let (checks, sessions) = desk.replica.read(look).unwrap_or_default();
    let now = Instant::now();
    for entry in checks {
        desk.clocks.watch_check(&entry.check, now);
        desk.probes.watch(&entry.check);
        if entry.check.definition.kind == CheckKind::Stream {
            tokio::spawn(lease::await_return(Arc::clone(desk), Arc::clone(&entry.check.instance)));
        }
    }
    for (id, ttl_ms) in sessions {
        desk.clocks.renew_session(&id, Duration::from_millis(ttl_ms), now);
    }
}

/// Tells the catalog of what has run out.
async fn run_out(desk: Arc<Desk>, due: Due) {
    let told = match &due {
        Due::Expired(id) => {
            desk.tell(id, Status::Critical, &"the TTL has run out: nobody told of it in time".into()).await
        }
        Due::Reaped(id) => reap(&desk, id).await,
        Due::Ended(id) => {
            let destroy = DestroySession { tenant: TENANT, id: Arc::clone(id) };
            internally(&desk, Command::DestroySession(destroy)).await
        }
    };
    match told {
        // What is gone needs no end.
        Ok(()) | Err(Fault::Missing(_)) => (),
        Err(fault) => {
            tracing::warn!(?due, ?fault, "the catalog cannot be told that a time has run out; trying again");
            tokio::time::sleep(desk.config.strong_wait_max).await;
            desk.clocks.again(due, Instant::now());
        }
    }
}

async fn reap(desk: &Desk, id: &Arc<str>) -> Result<(), Fault> {
    let node = Arc::clone(&desk.config.node);
    let place = (TENANT, Arc::clone(&node), Arc::clone(id));
    let turned = desk.replica.read(|state| state.checks.peek(&place).map(|entry| entry.turned)).flatten();
    let Some(turned) = turned else { return Ok(()) };
    let reap = Reap { tenant: TENANT, node, id: Arc::clone(id), turned };
    internally(desk, Command::Reap(reap)).await
}

/// Has a command of our own carried out.
pub(crate) async fn internally(desk: &Desk, command: Command) -> Result<(), Fault> {
    let written =
        submit(&desk.handle, command, Caller::internal()).map_err(|refused| Fault::of_refusal(&refused))?;
    written.outcome().await?.map(drop).map_err(Fault::of_rejection)
}
