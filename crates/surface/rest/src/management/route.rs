//! Paths and methods.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::Value;

use super::clock::{self, Wish};
use super::health::{self, Probe};
use super::metrics;
use super::problem::Problem;
use super::server::Parts;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
enum Route {
    Health(Probe),
    Metrics,
    Clock(Wish),
}

/// How long a body may take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// Answers a request.
pub(crate) async fn answer(
    parts: &Parts,
    body_bytes_max: usize,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(try_answer(parts, body_bytes_max, request).await.unwrap_or_else(Problem::response))
}

async fn try_answer(
    parts: &Parts,
    body_bytes_max: usize,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Problem> {
    let route = route(request.method(), request.uri().path())?;
    let body = body(request.into_body(), body_bytes_max).await?;
    match route {
        Route::Health(probe) => Ok(health::answer(&*parts.health, probe)),
        Route::Metrics => Ok(metrics::answer(&*parts.metrics)),
        Route::Clock(wish) => {
            let clock = parts.clock.as_ref().ok_or(Problem::NoClock)?;
            clock::answer(Arc::clone(clock), wish, &body).await
        }
    }
}

fn route(method: &Method, path: &str) -> Result<Route, Problem> {
    const READ: &str = "GET, HEAD";
    let read = |route| {
        if method == Method::GET || method == Method::HEAD {
            return Ok(route);
        }
        Err(Problem::WrongMethod { path: path.to_owned(), allow: READ })
    };
    let post = |route| {
        if method == Method::POST {
            return Ok(route);
        }
        Err(Problem::WrongMethod { path: path.to_owned(), allow: "POST" })
    };
    match path.strip_suffix('/').unwrap_or(path) {
        "/actuator/health" => read(Route::Health(Probe::All)),
        "/actuator/health/liveness" => read(Route::Health(Probe::Liveness)),
        "/actuator/health/readiness" => read(Route::Health(Probe::Readiness)),
        "/actuator/health/startup" => read(Route::Health(Probe::Startup)),
        "/actuator/prometheus" | "/metrics" => read(Route::Metrics),
        "/actuator/clock" if method == Method::DELETE => Ok(Route::Clock(Wish::Reset)),
        "/actuator/clock" => read(Route::Clock(Wish::Read))
            .map_err(|_| Problem::WrongMethod { path: path.to_owned(), allow: "GET, HEAD, DELETE" }),
        "/actuator/clock/pin" => post(Route::Clock(Wish::Pin)),
        "/actuator/clock/add" => post(Route::Clock(Wish::Add)),
        _ => Err(Problem::NoPath { path: path.to_owned() }),
    }
}

async fn body(body: Incoming, bytes_max: usize) -> Result<Bytes, Problem> {
    let problem = |status, detail: String| Problem::Body { status, detail };
    match tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(problem(StatusCode::PAYLOAD_TOO_LARGE, format!("a body may have {bytes_max} bytes here")))
        }
        Ok(Err(error)) => Err(problem(StatusCode::BAD_REQUEST, format!("the body broke off: {error}"))),
        Err(_) => Err(problem(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time".to_owned())),
    }
}

pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_told_apart_from_paths() {
        assert_eq!(route(&Method::GET, "/actuator/health/").unwrap(), Route::Health(Probe::All));
        assert_eq!(route(&Method::DELETE, "/actuator/clock").unwrap(), Route::Clock(Wish::Reset));
        assert!(matches!(route(&Method::POST, "/metrics"), Err(Problem::WrongMethod { .. })));
        assert!(matches!(route(&Method::GET, "/actuator/clock/pin"), Err(Problem::WrongMethod { .. })));
        assert!(matches!(route(&Method::GET, "/actuator"), Err(Problem::NoPath { .. })));
    }
}
