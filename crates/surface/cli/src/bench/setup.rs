//! What has to be there before load makes sense.

use std::time::{Duration, Instant};

use bytes::Bytes;
use coreto_protocol::gateway::{
    DeployResourceRequest, DeployResourceResponse, Resource, TopologyRequest, TopologyResponse,
};
use prost::Message;

use super::error::Error;
use super::http2::{Sink, Status};
use super::link::{Link, Target, wait};
use super::model::bpmn;
use super::options::Options;

const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Asks the server who it is, and deploys the process.
pub(crate) fn prepare(target: &Target, options: &Options) -> Result<String, Error> {
    let mut link = target.connect()?;
    let topology: TopologyResponse =
        ask(&mut link, "Topology", "/gateway_protocol.Gateway/Topology", &TopologyRequest {})?;
    if !options.no_deploy {
        let resource = Resource {
            name: format!("{}.bpmn", options.scenario.process_id(&options.suffix)),
            content: Bytes::from(bpmn(options.scenario, &options.suffix)),
        };
        let request = DeployResourceRequest { resources: vec![resource], tenant_id: String::new() };
        let path = "/gateway_protocol.Gateway/DeployResource";
        let _: DeployResourceResponse = ask(&mut link, "DeployResource", path, &request)?;
    }
    Ok(topology.gateway_version)
}

#[derive(Default)]
struct Answer {
    message: Vec<u8>,
    status: Option<Status>,
}

impl Sink<()> for Answer {
    fn message(&mut self, (): &mut (), message: &[u8]) {
        self.message = message.to_vec();
    }

    fn ended(&mut self, (): (), status: Status) {
        self.status = Some(status);
    }
}

fn ask<M: Message, A: Message + Default>(
    link: &mut Link<()>,
    call: &'static str,
    path: &'static str,
    request: &M,
) -> Result<A, Error> {
    let (mut answer, mut ready) = (Answer::default(), Vec::new());
    link.connection.call((), path, &request.encode_to_vec());
    let end = Instant::now() + ANSWER_MAX;
    while answer.status.is_none() {
        link.flush()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Refused { call, code: 4, message: "no answer in 30 s".into() });
        }
        wait(std::slice::from_ref(link), left, &mut ready)?;
        if ready[0] {
            link.receive(&mut answer)?;
        }
    }
    match answer.status {
        Some(Status { code: 0, .. }) | None => {
            A::decode(&answer.message[..]).map_err(|_| Error::Unreadable { call })
        }
        Some(Status { code, message }) => Err(Error::Refused { call, code, message }),
    }
}
