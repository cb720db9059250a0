//! Processes of the engine's clients.

/// Resources by file name.
pub(super) fn all() -> Vec<(&'static str, String)> {
    vec![
        ("kept.bpmn", kept()),
        ("inbox.bpmn", inbox()),
        ("waiter.bpmn", waiter()),
        ("called.bpmn", called()),
        ("wild-1.bpmn", wild("")),
    ]
}

/// Another version of the process in which everything happens, to which its instances may go.
pub(super) fn second() -> (&'static str, String) {
    (
        "wild-2.bpmn",
        wild(r#"<manualTask id="more"/><sequenceFlow id="m1" sourceRef="done" targetRef="more"/>"#),
    )
}

fn model(text: &str) -> String {
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">{text}</definitions>"#
    )
}

fn task(id: &str, kind: &str) -> String {
    format!(
        r#"<serviceTask id="{id}"><extensionElements><zeebe:taskDefinition type="{kind}"/></extensionElements></serviceTask>"#
    )
}

fn message(id: &str) -> String {
    format!(
        r#"<message id="{id}" name="{id}"><extensionElements><zeebe:subscription correlationKey="=id"/></extensionElements></message>"#
    )
}

/// What happens to an activity, and an end to which it leads.
fn boundary(id: &str, host: &str, interrupting: bool, event: &str) -> String {
    let flow = flow(id, &format!("{id}-end"));
    format!(
        r#"<boundaryEvent id="{id}" attachedToRef="{host}" cancelActivity="{interrupting}">{event}</boundaryEvent><endEvent id="{id}-end"/>{flow}"#
    )
}

fn flow(from: &str, to: &str) -> String {
    format!(r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"/>"#)
}

/// Waits for ever.
fn kept() -> String {
    let (task, flow) = (task("wait", "never"), flow("start", "wait"));
    model(&format!(
        r#"<process id="kept" isExecutable="true"><startEvent id="start"/>{task}{flow}</process>"#
    ))
}

/// Begins with a message, and waits for ever.
fn inbox() -> String {
    let (message, task, flow) = (message("in"), task("wait", "never"), flow("start", "wait"));
    model(&format!(
        r#"{message}<process id="inbox" isExecutable="true"><startEvent id="start"><messageEventDefinition messageRef="in"/></startEvent>{task}{flow}</process>"#
    ))
}

/// Waits for a message, and then for ever.
fn waiter() -> String {
    let (message, task) = (message("pay"), task("paid", "never"));
    let flows = flow("start", "get") + &flow("get", "paid");
    model(&format!(
        r#"{message}<process id="waiter" isExecutable="true"><startEvent id="start"/><receiveTask id="get" messageRef="pay"/>{task}{flows}</process>"#
    ))
}

fn called() -> String {
    let (task, flow) = (task("inside", "work"), flow("start", "inside"));
    model(&format!(
        r#"<process id="called" isExecutable="true"><startEvent id="start"/>{task}{flow}</process>"#
    ))
}

/// Nearly all that can wait, side by side.
fn wild(more: &str) -> String {
    let messages = ["halt", "note", "go"].map(message).concat();
    let parts = [
        task("a", "work"),
        boundary("noted", "a", false, r#"<messageEventDefinition messageRef="note"/>"#),
        boundary("late", "a", true, &timer("timeDuration", "PT2S")),
        boundary("failed", "a", true, "<errorEventDefinition/>"),
        format!(
            r#"<subProcess id="box"><startEvent id="in"/>{}{}<subProcess id="stop" triggeredByEvent="true"><startEvent id="stopping"><messageEventDefinition messageRef="halt"/></startEvent>{}{}</subProcess></subProcess>"#,
            task("b", "work"),
            flow("in", "b"),
            task("undo", "work"),
            flow("stopping", "undo")
        ),
        boundary("rung", "box", false, r#"<signalEventDefinition signalRef="bell"/>"#),
        r#"<receiveTask id="get" messageRef="go"/>"#.to_owned(),
        boundary("tired", "get", false, &timer("timeCycle", "R2/PT1S")),
        r#"<callActivity id="ask"><extensionElements><zeebe:calledElement processId="called"/></extensionElements></callActivity>"#.to_owned(),
        each("at-once", false),
        each("in-turn", true),
    ]
    .concat();
    let branches = ["a", "box", "get", "ask", "at-once", "in-turn"];
    let flows = branches.map(|branch| flow("fork", branch) + &flow(branch, "join")).concat();
    model(&format!(
        r#"{messages}<signal id="bell" name="bell"/><process id="wild" isExecutable="true"><startEvent id="start"/><parallelGateway id="fork"/>{parts}<parallelGateway id="join"/><manualTask id="done"/>{flows}{}{}{more}</process>"#,
        flow("start", "fork"),
        flow("join", "done"),
    ))
}

fn timer(kind: &str, text: &str) -> String {
    format!("<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>")
}

fn each(id: &str, in_turn: bool) -> String {
    format!(
        r#"<serviceTask id="{id}"><extensionElements><zeebe:taskDefinition type="work"/></extensionElements><multiInstanceLoopCharacteristics isSequential="{in_turn}"><extensionElements><zeebe:loopCharacteristics inputCollection="=[1,2,3]" inputElement="it"/></extensionElements></multiInstanceLoopCharacteristics></serviceTask>"#
    )
}
