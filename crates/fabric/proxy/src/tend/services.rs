//! Following the instances of services.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use super::names::take_over;
use crate::model::{Endpoint, ServiceName};
use crate::plane::Plane;
use crate::upstream::Upstream;

/// What is told of the instances of a service: all those that may take requests now.
pub type Told<'a> = &'a (dyn Fn(Vec<Endpoint>) + Send + Sync);

/// Who knows where the instances of services are.
pub trait Registry: Send + Sync {
    /// Tells of a service as it is and whenever that changes, for as long as it is polled.
    fn follow<'a>(
        &'a self,
        service: &'a ServiceName,
        tell: Told<'a>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// Lets the endpoints of a cluster be the instances of its service.
pub(super) async fn follow(
    plane: Arc<Plane>,
    upstream: Arc<Upstream>,
    registry: Arc<dyn Registry>,
    service: ServiceName,
) {
    let told = Mutex::default();
    let tell = |endpoints| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        take_over(&plane, &upstream, endpoints, &mut told);
    };
    registry.follow(&service, &tell).await;
}
