//! What a client is told of a limit.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::Verdict;
use crate::chance::Dice;
use crate::model::RateLimit;

/// The values of the headers that speak of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// `RateLimit`: what is left of it, and when it comes back.
    pub state: String,
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset`, when they are wanted.
    pub legacy: Option<[String; 3]>,
}

impl Advice {
    /// What is told of a limit after a verdict.
    pub fn of(limit: &RateLimit, verdict: Verdict) -> Self {
        let (left, reset) = match verdict {
            Verdict::Allowed { left, reset } => (left, reset),
            Verdict::Limited { wait } => (0, wait),
        };
        let (name, count, reset) = (&limit.name, limit.requests, whole_seconds(reset));
        let legacy = || [count.to_string(), left.to_string(), reset.to_string()];
        Self { state: format!("\"{name}\";r={left};t={reset}"), legacy: limit.legacy_headers.then(legacy) }
    }

    /// `RateLimit-Policy`: the limit itself, which does not change from one request to the next.
    pub fn policy(limit: &RateLimit) -> HeaderValue {
        let policy = format!("\"{}\";q={};w={}", limit.name, limit.requests, whole_seconds(limit.per));
        HeaderValue::try_from(policy).expect("names and digits are text")
    }

    /// Puts them on a response, beside those of other limits.
    pub fn put(self, policy: HeaderValue, fields: &mut HeaderMap) {
        const LEGACY: [HeaderName; 3] = [
            HeaderName::from_static("x-ratelimit-limit"),
            HeaderName::from_static("x-ratelimit-remaining"),
            HeaderName::from_static("x-ratelimit-reset"),
        ];
        fields.append(HeaderName::from_static("ratelimit-policy"), policy);
        let named = [(HeaderName::from_static("ratelimit"), self.state)];
        let legacy = LEGACY.into_iter().zip(self.legacy.into_iter().flatten());
        for (name, value) in named.into_iter().chain(legacy) {
            fields.append(name, HeaderValue::try_from(value).expect("names and digits are text"));
        }
    }
}

/// The value of `Retry-After`: never sooner than the wait, at least a second, and up to a quarter more by chance, so
/// that those who were refused together do not come again together.
pub fn retry_after(wait: Duration, dice: &mut Dice) -> u64 {
    let seconds = whole_seconds(wait).max(1);
    seconds + dice.below(1 + seconds.div_ceil(4))
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_seconds_rounded_up() {
        let limit = RateLimit {
            name: "default".to_owned(),
            requests: 100,
            per: Duration::from_mins(1),
            legacy_headers: true,
            ..RateLimit::default()
        };
        let allowed = Verdict::Allowed { left: 12, reset: Duration::from_millis(29_001) };
        let advice = Advice::of(&limit, allowed);
        assert_eq!(Advice::policy(&limit), r#""default";q=100;w=60"#);
        assert_eq!(advice.state, r#""default";r=12;t=30"#);
        assert_eq!(advice.legacy, Some(["100", "12", "30"].map(str::to_owned)));
        let limited = Advice::of(&limit, Verdict::Limited { wait: Duration::from_millis(1) });
        assert_eq!(limited.state, r#""default";r=0;t=1"#);
    }

    #[test]
    fn asks_to_come_again_not_too_soon_and_not_all_at_once() {
        let mut dice = Dice::seeded(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            assert!((1..=2).contains(&retry_after(Duration::ZERO, &mut dice)));
            seen.insert(retry_after(Duration::from_millis(39_500), &mut dice));
        }
        assert_eq!(seen.first(), Some(&40));
        assert_eq!(seen.last(), Some(&50));
    }
}
