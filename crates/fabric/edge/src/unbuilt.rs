//! What the file can say and the gateway cannot do yet: it is refused by name, never ignored.

use coreto_proxy::model::{Action, Model};

use crate::Fault;

/// What of a model does not run. The lines are not known here, the routes are.
pub(crate) fn faults(model: &Model) -> Vec<Fault> {
    let mut faults = Vec::new();
    for route in &model.routes {
        let mirrored = matches!(&route.action, Action::Forward(forward) if forward.mirror.is_some());
        let keys = [("mirror", mirrored), ("compression", route.filters.compression.is_some())];
        for (key, _) in keys.into_iter().filter(|(_, there)| *there) {
            let place = format!("route `{}`: `{key}`", route.name);
            faults.push(Fault { line: 0, place, message: "not implemented".to_owned() });
        }
    }
    faults
}
