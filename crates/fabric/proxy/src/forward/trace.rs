//! The trace that a request is part of (W3C Trace Context).

use std::fmt::Write;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Members of a `tracestate`, and its bytes; more is cut off at its end (§3.3.1.5).
const MEMBERS_MAX: usize = 32;
const STATE_BYTES_MAX: usize = 512;

/// Lets a trace go on that somebody we believe began, sampled or not, or begins one that is called like the request and
/// of which so many `percent` are sampled.
pub(super) fn carry_on(fields: &mut HeaderMap, believed: bool, id: u128, percent: u8) {
    let mut known = fields.get_all(TRACEPARENT).iter();
    let parent = match (known.next(), known.next()) {
        (Some(parent), None) if believed => read(parent.as_bytes()),
        _ => None,
    };
    let Some(parent) = parent else {
        fields.remove(TRACESTATE);
        fields.insert(TRACEPARENT, begin(id, percent));
        return;
    };
    if let Some(parent) = parent {
        fields.insert(TRACEPARENT, parent);
    }
    cut_state(fields);
}

/// Whether a `traceparent` is one; and what is sent instead when it is of a later version than ours (§3.2, §4.3).
#[expect(clippy::option_option, reason = "no trace, one as it came, one that is written anew")]
fn read(text: &[u8]) -> Option<Option<HeaderValue>> {
    let hex = |part: &[u8]| part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let (known, rest) = text.split_at_checked(55)?;
    let parts: Vec<&[u8]> = known.split(|byte| *byte == b'-').collect();
    let [version, trace, parent, flags] = parts[..] else { return None };
    let lengths = [version, trace, parent, flags].map(<[u8]>::len) == [2, 32, 16, 2];
    let some = |part: &[u8]| part.iter().any(|byte| *byte != b'0');
    let sound = lengths
        && [version, trace, parent, flags].into_iter().all(hex)
        && version != b"ff"
        && some(trace)
        && some(parent);
    match (sound, version, rest) {
        (true, b"00", []) => Some(None),
        (true, b"00", _) | (false, ..) => None,
        (true, _, [] | [b'-', ..]) => Some(HeaderValue::from_bytes(&[b"00", &known[2..]].concat()).ok()),
        (true, ..) => None,
    }
}

/// A trace that begins here. What is sampled is decided by its name: all who know the name decide alike.
fn begin(id: u128, percent: u8) -> HeaderValue {
    let mut text = String::with_capacity(55);
    // Neither may be nothing but zeros.
    let parent = (id ^ (id >> 64)) & u128::from(u64::MAX) | 1;
    let flags = u8::from(id % 100 < percent.into());
    write!(text, "00-{:032x}-{parent:016x}-{flags:02x}", id.max(1)).expect("a string takes all");
    HeaderValue::try_from(text).expect("digits are text")
}

/// Keeps whole members from the left, as many as may be.
fn cut_state(fields: &mut HeaderMap) {
    let values: Vec<&[u8]> = fields.get_all(TRACESTATE).iter().map(HeaderValue::as_bytes).collect();
    let short = values.iter().map(|value| value.len()).sum::<usize>() <= STATE_BYTES_MAX;
    if values.is_empty() || (values.len() == 1 && short) {
        return;
    }
    let mut state: Vec<u8> = Vec::new();
    let members = values.iter().flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    for member in members.filter(|member| !member.is_empty()).take(MEMBERS_MAX) {
        if state.len() + member.len() + 1 > STATE_BYTES_MAX {
            break;
        }
        if !state.is_empty() {
            state.push(b',');
        }
        state.extend_from_slice(member);
    }
    fields.remove(TRACESTATE);
    if let (false, Ok(state)) = (state.is_empty(), HeaderValue::from_bytes(&state)) {
        fields.insert(TRACESTATE, state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

    fn carried(parent: &str, state: &[&str], believed: bool) -> (String, Option<String>) {
        let mut fields = HeaderMap::new();
        fields.insert(TRACEPARENT, HeaderValue::from_str(parent).expect("a value"));
        for value in state {
            fields.append(TRACESTATE, HeaderValue::from_str(value).expect("a value"));
        }
        carry_on(&mut fields, believed, 7, 100);
        let text = |name: HeaderName| fields.get(name).map(|value| value.to_str().expect("text").to_owned());
        assert!(fields.get_all(TRACESTATE).iter().count() <= 1);
        (text(TRACEPARENT).expect("a trace"), text(TRACESTATE))
    }

    #[test]
    fn goes_on_where_it_is_sound_and_believed() {
        let new = "00-00000000000000000000000000000007-0000000000000007-01";
        let sound = format!("00-{TRACE}-00");
        assert_eq!(carried(&sound, &["a=1"], true), (sound.clone(), Some("a=1".to_owned())));
        assert_eq!(carried(&sound, &["a=1"], false), (new.to_owned(), None));
        let later = format!("01-{TRACE}-01-more");
        assert_eq!(carried(&later, &[], true).0, format!("00-{TRACE}-01"));
        for parent in [
            "",
            "00",
            &format!("ff-{TRACE}-00"),
            &format!("00-{TRACE}-00-more"),
            &format!("01-{TRACE}-00more"),
            &format!("00-{TRACE}-0G"),
            &format!("00-{}-01", TRACE.to_ascii_uppercase()),
            "00-00000000000000000000000000000000-b7ad6b7169203331-00",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-00",
        ] {
            assert_eq!(carried(parent, &["a=1"], true), (new.to_owned(), None), "{parent}");
        }
    }

    #[test]
    fn samples_as_many_as_it_is_told() {
        for percent in [0, 1, 10, 99, 100] {
            let begun = |id: u128| begin(id, percent);
            let sampled = (0..1_000).filter(|id| begun(*id).as_bytes().ends_with(b"-01")).count();
            assert_eq!(sampled, usize::from(percent) * 10);
        }
    }

    #[test]
    fn cuts_whole_members_off_the_end() {
        let sound = format!("00-{TRACE}-00");
        let long = format!("a={}", "1".repeat(300));
        let (_, state) = carried(&sound, &[&long, "b=1, c=2", &long], true);
        assert_eq!(state, Some(format!("{long},b=1,c=2")));
    }
}
