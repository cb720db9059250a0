//! `/agent/health/service/…`: how services of this node are, for those who read a status only.

use coreto_catalog::{State, Status};
use http::StatusCode;
use serde_json::{Value, json};

use super::Answered;
use crate::answer::{Answer, Fault};
use crate::asked::Asked;
use crate::desk::{Desk, named};
use crate::render::{Row, agent_service, check_of};

pub(crate) async fn by_id(desk: &Desk, asked: &Asked, id: &str) -> Answered {
    let (_, found) = desk.own_instance(asked.mode()?, id).await?;
    let row =
        found.ok_or_else(|| Fault::Missing(format!("there is no service with the identifier `{id}`")))?;
    Ok(answer(asked, row.status(), &told(&row)))
}

pub(crate) async fn by_name(desk: &Desk, asked: &Asked, name: &str) -> Answered {
    let (service, node) = (named(name), desk.config.node.clone());
    let look = |state: &State| {
        let places = state.instances_of(&service).filter(|place| place.1 == node);
        (0, places.filter_map(|place| Row::of(state, place)).collect::<Vec<_>>())
    };
    let (_, rows) = desk.read_until(asked.mode()?, None, &[], look, |_, _| true).await?;
    let Some(worst) = rows.iter().map(Row::status).min() else {
        return Err(Fault::Missing(format!("there is no service `{name}` on this node")));
    };
    Ok(answer(asked, worst, &rows.iter().map(told).collect()))
}

fn told(row: &Row) -> Value {
    let checks: Vec<Value> =
        row.checks.iter().map(|(place, entry)| check_of(place, entry, &row.entry.instance.tags)).collect();
    json!({
        "AggregatedStatus": row.status().name(),
        "Service": agent_service(&row.entry.instance),
        "Checks": checks,
    })
}

fn answer(asked: &Asked, status: Status, told: &Value) -> Answer {
    let code = match status {
        Status::Passing => StatusCode::OK,
        Status::Warning => StatusCode::TOO_MANY_REQUESTS,
        Status::Critical => StatusCode::SERVICE_UNAVAILABLE,
    };
    if asked.parameter("format") == Some("text") {
        return Answer::text(code, status.name());
    }
    Answer { status: code, ..Answer::json(told) }
}
