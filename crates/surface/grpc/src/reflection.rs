//! The reflection services, made when somebody first asks: they hold all descriptors in memory.

use std::sync::LazyLock;

use http::Request;
use hyper::body::Incoming;
use tonic::codegen::{BoxFuture, Service};
use tonic_reflection::server::Builder;

use crate::router::{Answer, Never};

type Serve = Box<dyn Fn(Request<Incoming>) -> Answer + Send + Sync>;

static V1: LazyLock<Serve> = LazyLock::new(|| erased(builder().build_v1().expect(WELL_FORMED)));
static V1_ALPHA: LazyLock<Serve> = LazyLock::new(|| erased(builder().build_v1alpha().expect(WELL_FORMED)));

const WELL_FORMED: &str = "our own descriptors were well-formed when this was built";

/// Answers a call of either version of the service; both are in use.
pub(crate) fn call(request: Request<Incoming>) -> Answer {
    if request.uri().path().starts_with("/grpc.reflection.v1.") { V1(request) } else { V1_ALPHA(request) }
}

fn builder() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(coreto_protocol::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

fn erased<S>(server: S) -> Serve
where
    S: Service<
            Request<Incoming>,
            Response = http::Response<tonic::body::Body>,
            Error = Never,
            Future = BoxFuture<http::Response<tonic::body::Body>, Never>,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    Box::new(move |request| server.clone().call(request))
}
