//! What is to be done with a request.

use std::sync::Arc;

use http::HeaderMap;

use super::{Answer, Failure};
use crate::filter;
use crate::gate::Target;
use crate::limit::{Advice, Verdict};
use crate::model::Route;
use crate::plane::{Local, Rule};

/// What is to be done with a request, by the plan that was in force when it came.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) local: Arc<Local>,
    /// The route that takes it.
    pub(super) route: Option<usize>,
    /// What its limits say of it.
    pub(super) verdicts: Vec<Verdict>,
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Deed {
    /// It goes to a cluster.
    Forward(Way),
    /// It is answered here.
    Answer(Answer),
    /// It is refused.
    Refuse(Failure),
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// The cluster, by number.
    pub(super) cluster: usize,
    /// The path that is sent, when it is not the one that came.
    pub(super) target: Option<Target>,
    /// The hash of what a ring goes by.
    pub(super) key: Option<u64>,
    /// What its cookie says of an endpoint.
    pub(super) token: Option<u64>,
}

impl Order {
    /// The route that takes it, as planned and as made ready.
    pub(super) fn rule(&self) -> Option<(&Route, &Rule)> {
        let force = self.local.force();
        self.route.map(|route| (force.plan().route(route), force.rule(route)))
    }

    /// Makes the changes of its route to the head of a response, our own ones included.
    pub(super) fn dress(&self, asked: &Asking, fields: &mut HeaderMap) {
        let Some((route, rule)) = self.rule() else { return };
        rule.response_headers.make(fields);
        for (limit, verdict) in rule.limits.iter().zip(&self.verdicts) {
            Advice::of(&limit.model, *verdict).put(limit.policy.clone(), fields);
        }
        if let Some(cors) = &route.filters.cors {
            filter::answer(cors, asked.cross, asked.origin.as_ref(), fields);
            if route.filters.grpc_web && asked.cross == filter::Cross::Actual {
                filter::expose(fields);
            }
        }
    }
}

/// What of a request decides how its response looks.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) cross: filter::Cross,
    pub(super) origin: Option<http::HeaderValue>,
}

impl Asking {
    pub(super) fn of(request: &crate::gate::Request) -> Self {
        Self {
            cross: filter::cross(&request.method, &request.fields),
            origin: request.fields.get(http::header::ORIGIN).cloned(),
        }
    }
}
