//! Brings each call to its service.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use coreto_protocol::gateway::gateway_server::GatewayServer;
use coreto_protocol::inspect::inspect_server::InspectServer;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use tonic::Code;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service};
use tonic_health::pb::health_server::HealthServer;

use crate::gateway::Gateway;
use crate::health::Checks;
use crate::inspect::Inspect;
use crate::lean::{self, AnswerBody};
use crate::reflection;

pub(crate) type Never = std::convert::Infallible;
pub(crate) type Answer = BoxFuture<Response<Body>, Never>;

/// The services of one runtime thread.
#[derive(Clone)]
pub(crate) struct Router {
    lean: Arc<Gateway>,
    gateway: GatewayServer<Gateway>,
    inspect: InspectServer<Inspect>,
    health: HealthServer<Checks>,
}

impl Router {
    pub(crate) fn new(gateway: Gateway) -> Self {
        let bytes_max = gateway.shared.config.message_bytes_max;
        let inspect = InspectServer::new(Inspect {
            shared: Arc::clone(&gateway.shared),
            desk: Arc::clone(&gateway.desk),
        });
        let health = HealthServer::new(Checks { shared: Arc::clone(&gateway.shared) });
        let gateway = Arc::new(gateway);
        Self {
            lean: Arc::clone(&gateway),
            gateway: GatewayServer::from_arc(gateway).max_decoding_message_size(bytes_max),
            inspect: inspect.max_decoding_message_size(bytes_max),
            health: health.max_decoding_message_size(bytes_max),
        }
    }
}

impl Router {
    /// A call of the gateway that tonic serves, which cannot inflate: it gets what is compressed in plain.
    fn gateway(&self, request: Request<Incoming>) -> Answer {
        let mut gateway = self.gateway.clone();
        if !lean::is_gzip(&request) {
            return gateway.call(request);
        }
        let bytes_max = self.lean.shared.config.message_bytes_max;
        Box::pin(async move {
            match lean::plain(request, bytes_max).await {
                Ok(request) => gateway.call(request).await,
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

impl hyper::service::Service<Request<Incoming>> for Router {
    type Response = Response<AnswerBody>;
    type Error = Never;
    type Future = Called;

    fn call(&self, request: Request<Incoming>) -> Called {
        if !is_grpc(&request) {
            return Called::Tonic(Box::pin(async { Ok(not_grpc()) }));
        }
        let path = request.uri().path();
        if let Some(method) = lean::Method::at(path) {
            return Called::Lean(Box::pin(lean::call(Arc::clone(&self.lean), method, request)));
        }
        Called::Tonic(if path.starts_with("/gateway_protocol.Gateway/") {
            self.gateway(request)
        } else if path.starts_with("/coreto.v1.Inspect/") {
            self.inspect.clone().call(request)
        } else if path.starts_with("/grpc.health.v1.Health/") {
            self.health.clone().call(request)
        } else if path.starts_with("/grpc.reflection.v1") {
            reflection::call(request)
        } else {
            let unknown = tonic::Status::unimplemented(format!("there is no service at `{path}`"));
            Box::pin(async move { Ok(unknown.into_http()) })
        })
    }
}

fn is_grpc(request: &Request<Incoming>) -> bool {
    request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

fn not_grpc() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

/// A call under way.
pub(crate) enum Called {
    /// Served by tonic's code.
    Tonic(Answer),
    /// Served by ours.
    Lean(Pin<Box<dyn Future<Output = Response<AnswerBody>> + Send>>),
}

impl Future for Called {
    type Output = Result<Response<AnswerBody>, Never>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match self.get_mut() {
            Self::Lean(answer) => return answer.as_mut().poll(context).map(Ok),
            Self::Tonic(answer) => answer,
        };
        answer.as_mut().poll(context).map_ok(|mut response| {
            // tonic says OUT_OF_RANGE of a message that is too large, which no service of ours says of anything;
            // gRPC's word is RESOURCE_EXHAUSTED.
            if let Some(status) = response.headers_mut().get_mut(tonic::Status::GRPC_STATUS)
                && status.as_bytes() == b"11"
            {
                *status = HeaderValue::from(Code::ResourceExhausted as i32);
            }
            response.map(AnswerBody::Tonic)
        })
    }
}
