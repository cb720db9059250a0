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
use crate::reflection;

pub(crate) type Never = std::convert::Infallible;
pub(crate) type Answer = BoxFuture<Response<Body>, Never>;

/// The services of one runtime thread.
#[derive(Clone)]
pub(crate) struct Router {
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
        Self {
            gateway: GatewayServer::new(gateway).max_decoding_message_size(bytes_max),
            inspect: inspect.max_decoding_message_size(bytes_max),
            health: health.max_decoding_message_size(bytes_max),
        }
    }
}

impl hyper::service::Service<Request<Incoming>> for Router {
    type Response = Response<Body>;
    type Error = Never;
    type Future = Called;

    fn call(&self, request: Request<Incoming>) -> Called {
        let path = request.uri().path();
        Called(if !is_grpc(&request) {
            Box::pin(async { Ok(not_grpc()) })
        } else if path.starts_with("/gateway_protocol.Gateway/") {
            self.gateway.clone().call(request)
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
pub(crate) struct Called(Answer);

impl Future for Called {
    type Output = Result<Response<Body>, Never>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context).map_ok(|mut response| {
            // tonic says OUT_OF_RANGE of a message that is too large, which no service of ours says of anything;
            // gRPC's word is RESOURCE_EXHAUSTED.
            if let Some(status) = response.headers_mut().get_mut("grpc-status")
                && status.as_bytes() == b"11"
            {
                *status = HeaderValue::from(Code::ResourceExhausted as i32);
            }
            response
        })
    }
}
