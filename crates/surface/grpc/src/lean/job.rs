//! A job's encoding, straight from the engine's words.

use bytes::{BufMut, BytesMut};
use coreto_protocol::gateway::activated_job::ListenerEventType;
use coreto_record::ActivatedJob;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::PREFIX;
use crate::convert::{DEFAULT_TENANT, raw, tenant_id, version};
use coreto_machine::Tenant;

/// Appends a message with one job; the numbers are those of `ActivatedJob` in the gateway's proto.
pub(super) fn frame(job: &ActivatedJob, out: &mut BytesMut) {
    let start = out.len();
    out.reserve(PREFIX + 160 + job.variables.as_str().len() + job.headers.len());
    out.put_bytes(0, PREFIX);
    number(1, raw(job.key), out);
    text(2, &job.job_type, out);
    number(3, raw(job.instance), out);
    text(4, &job.process, out);
    number(5, version(job.version).into(), out);
    number(6, raw(job.definition), out);
    text(7, &job.element, out);
    number(8, raw(job.element_instance), out);
    text(9, if job.headers.is_empty() { "{}" } else { &job.headers }, out);
    text(10, &job.worker, out);
    number(11, job.retries.into(), out);
    number(12, job.deadline.as_millis(), out);
    text(13, job.variables.as_str(), out);
    if job.tenant == Tenant::DEFAULT {
        text(14, DEFAULT_TENANT, out);
    } else {
        text(14, &tenant_id(job.tenant), out);
    }
    // The kind (16) is BPMN_ELEMENT, whose number 0 is not written.
    number(17, i64::from(ListenerEventType::Unspecified as i32), out);
    let length = out.len() - start - PREFIX;
    let length = u32::try_from(length).expect("the engine keeps jobs far below 4 GiB");
    out[start + 1..start + PREFIX].copy_from_slice(&length.to_be_bytes());
}

fn number(field: u32, value: i64, out: &mut BytesMut) {
    if value != 0 {
        encode_key(field, WireType::Varint, out);
        encode_varint(value.cast_unsigned(), out);
    }
}

fn text(field: u32, text: &str, out: &mut BytesMut) {
    if !text.is_empty() {
        encode_key(field, WireType::LengthDelimited, out);
        encode_varint(text.len() as u64, out);
        out.put_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use coreto_machine::Timestamp;
    use coreto_protocol::gateway as pb;
    use coreto_record::{
        Document, ElementInstanceKey, JobKey, Key, ProcessDefinitionKey, ProcessInstanceKey,
    };
    use prost::Message;

    use super::*;

    #[test]
    fn is_what_the_message_would_be() {
        let full = ActivatedJob {
            key: JobKey::issue(1, 5),
            job_type: "pack".into(),
            instance: ProcessInstanceKey::issue(1, 3),
            process: "order".into(),
            version: 2,
            definition: ProcessDefinitionKey::issue(1, 2),
            element: "task".into(),
            element_instance: ElementInstanceKey::issue(1, 4),
            headers: "{\"unit\":\"böx\"}".into(),
            worker: "w".into(),
            retries: 3,
            deadline: Timestamp::from_millis(1_700_000_000_000),
            variables: Document::parse(&format!("{{\"a\":\"{}\"}}", "x".repeat(300))).unwrap(),
            tenant: Tenant::DEFAULT,
        };
        let negative = ActivatedJob { retries: -1, tenant: Tenant::from_raw(7), ..full.clone() };
        let mut frames = BytesMut::new();
        for job in [ActivatedJob::default(), full, negative] {
            let start = frames.len();
            frame(&job, &mut frames);
            let length = u32::from_be_bytes(frames[start + 1..start + PREFIX].try_into().unwrap());
            assert_eq!(length as usize, frames.len() - start - PREFIX);
            let decoded = pb::ActivatedJob::decode(&frames[start + PREFIX..]).unwrap();
            assert_eq!(decoded, crate::convert::job(&job));
        }
    }
}
