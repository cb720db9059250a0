//! A request, taken apart.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;

use crate::answer::Fault;
use crate::go;

/// How fresh an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All that was acknowledged before.
    Default,
    /// The same, and asked for by name.
    Consistent,
    /// Whatever is at hand.
    Stale,
}

impl Mode {
    /// The protocol's word for what was given.
    pub(crate) const fn effective(self) -> &'static str {
        match self {
            Self::Default => "leader",
            Self::Consistent => "consistent",
            Self::Stale => "stale",
        }
    }

    /// Our word for what was given.
    pub(crate) const fn given(self) -> &'static str {
        match self {
            Self::Default | Self::Consistent => "strong",
            Self::Stale => "stale",
        }
    }
}

/// For which change a client waits, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// What changed after this.
    pub(crate) index: u64,
    /// How long.
    pub(crate) time: Duration,
}

/// How long a client waits that does not say.
const WAIT: Duration = Duration::from_mins(5);

/// How long a client may wait.
const WAIT_MAX: Duration = Duration::from_mins(10);

/// A request.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Parts of the path behind `/v1/`, decoded.
    pub(crate) segments: Vec<String>,
    /// Names and values behind `?`, decoded.
    query: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Bytes,
    consistency: Option<String>,
}

impl Asked {
    /// Takes a request apart.
    pub(crate) fn new(head: &Parts, body: Bytes) -> Result<Self, Fault> {
        let path = head.uri.path();
        let Some(path) = path.strip_prefix("/v1/") else {
            return Err(Fault::Missing(format!(
                "there is no path `{path}`; the catalog's begin with `/v1/`"
            )));
        };
        let segments = path.split('/').map(|part| decode(part, false)).collect::<Result<_, _>>()?;
        let pairs = head.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name, true)?, decode(value, true)?))
        };
        let query = pairs.map(pair).collect::<Result<_, Fault>>()?;
        let consistency = head.headers.get("consistency").and_then(|value| value.to_str().ok());
        Ok(Self { segments, query, body, consistency: consistency.map(str::to_owned) })
    }

    /// The same about the path behind the first `parts` of this one, as soon as that has changed after an index.
    pub(crate) fn behind(&self, parts: usize, index: u64) -> Self {
        let own = self.query.iter().filter(|(name, _)| name != "index" && name != "wait");
        let index = ("index".to_owned(), index.to_string());
        Self {
            segments: self.segments[parts..].to_vec(),
            query: own.cloned().chain([index]).collect(),
            body: Bytes::new(),
            consistency: self.consistency.clone(),
        }
    }

    /// What is asked for, whenever and however fresh: path, and parameters that say which part, as one text.
    pub(crate) fn question(&self) -> String {
        const WHICH: [&str; 7] = ["passing", "tag", "filter", "recurse", "keys", "separator", "raw"];
        // In quotes, so that nothing looks like anything else.
        let mut question = format!("{:?}", self.segments);
        for (name, value) in self.query.iter().filter(|(name, _)| WHICH.contains(&name.as_str())) {
            let _ = write!(question, " {name} {value:?}");
        }
        question
    }

    /// The value of a parameter, if it is there.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// All values of a parameter.
    pub(crate) fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// Whether a parameter says yes, as it does when nothing is behind it.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Fault> {
        match self.parameter(name) {
            None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
            Some("" | "1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
            Some(other) => {
                Err(Fault::Wrong(format!("`{name}` is to be `true` or `false` or left empty, not `{other}`")))
            }
        }
    }

    /// A parameter that is a number, or left empty as if it were not there.
    fn number(&self, name: &str) -> Result<Option<u64>, Fault> {
        if self.parameter(name).is_some_and(str::is_empty) { Ok(None) } else { self.given_number(name) }
    }

    /// A parameter that is a number if it is there: what is guarded by one that a script forgot to fill in is refused.
    pub(crate) fn given_number(&self, name: &str) -> Result<Option<u64>, Fault> {
        let Some(text) = self.parameter(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            Fault::Wrong(format!("`{name}` is to be a whole number from 0 to {}, not `{text}`", u64::MAX))
        })
    }

    /// How fresh the answer has to be.
    pub(crate) fn mode(&self) -> Result<Mode, Fault> {
        // Presence counts, whatever the value.
        let stale = ["stale", "max_stale", "cached"].into_iter().any(|name| self.parameter(name).is_some());
        let told = self.consistency.as_deref();
        match (stale, self.parameter("consistent").is_some(), told) {
            (.., Some(word)) if word != "strong" && word != "stale" => Err(Fault::Wrong(format!(
                "`Consistency: {word}` is not known here; `strong` and `stale` are"
            ))),
            // Nobody is given less than one of both says.
            (true, true, _) | (true, _, Some("strong")) | (_, true, Some("stale")) => {
                Err(Fault::Wrong("a stale answer and one that is not are asked for at once".to_owned()))
            }
            (true, ..) | (_, _, Some("stale")) => Ok(Mode::Stale),
            (_, true, _) => Ok(Mode::Consistent),
            (false, false, _) => Ok(Mode::Default),
        }
    }

    /// How long a client waits that waits at all.
    pub(crate) fn time(&self) -> Result<Duration, Fault> {
        let Some(text) = self.parameter("wait").filter(|text| !text.is_empty()) else { return Ok(WAIT) };
        let time =
            go::duration(text).ok_or_else(|| Fault::Wrong(format!("`wait` is no duration: `{text}`")))?;
        Ok(if time.is_zero() { WAIT } else { time.min(WAIT_MAX) })
    }

    /// For which change the client waits; none when it wants the answer at once.
    pub(crate) fn wait(&self) -> Result<Option<Wait>, Fault> {
        match self.number("index")? {
            None | Some(0) => Ok(None),
            Some(index) => Ok(Some(Wait { index, time: self.time()? })),
        }
    }
}

/// Decodes `%` and two digits, and in queries `+`.
pub(crate) fn decode(text: &str, plus: bool) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' if plus => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let value = digit().and_then(|high| Some(high * 16 + digit()?));
                let value = value.and_then(|value| u8::try_from(value).ok());
                value
                    .ok_or_else(|| Fault::Wrong(format!("`{text}` has a `%` without two digits behind it")))?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| Fault::Wrong(format!("`{text}` is no UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str) -> Result<Asked, Fault> {
        let (head, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
        Asked::new(&head, Bytes::new())
    }

    #[test]
    fn takes_paths_and_queries_apart() {
        let found = asked("/v1/agent/check/pass/service%3Ajs-1?note=a+b%21&passing&x=false").unwrap();
        assert_eq!(found.segments, ["agent", "check", "pass", "service:js-1"]);
        assert_eq!(found.parameter("note"), Some("a b!"));
        let flag = |name: &str| found.flag(name).ok();
        assert_eq!(["passing", "x", "y", "note"].map(flag), [Some(true), Some(false), Some(false), None]);
        for wrong in ["/v1/kv/%zz", "/v1/kv/%f", "/v1/kv/%ff", "/v1/a?b=%"] {
            assert!(matches!(asked(wrong), Err(Fault::Wrong(_))), "{wrong}");
        }
        assert!(matches!(asked("/v2/kv"), Err(Fault::Missing(_))));
    }

    #[test]
    fn asks_for_what_lies_behind_a_part_of_the_path() {
        let found = asked("/v1/coreto/watch/kv/a?index=3&wait=x&recurse").unwrap().behind(2, 7);
        assert_eq!(found.segments, ["kv", "a"]);
        assert_eq!(found.flag("recurse").ok(), Some(true));
        assert_eq!(found.wait().unwrap(), Some(Wait { index: 7, time: WAIT }));
    }

    #[test]
    fn questions_are_alike_when_their_documents_are() {
        let question = |uri: &str| asked(uri).unwrap().question();
        assert_eq!(
            question("/v1/a/b?passing&index=3&wait=1s&stale&pretty&_=17"),
            question("/v1/a/b?passing")
        );
        for other in [
            "/v1/a",
            "/v1/a/b?passing=false",
            "/v1/a/b?tag=x",
            "/v1/a/b?tag=%22%20%22passing%22%20%22",
            "/v1/a/b%22%5D%20passing%20%22%22",
            "/v1/a/b%20%22passing%22%20%22%22",
            "/v1/a%2Fb?passing",
        ] {
            assert_ne!(question(other), question("/v1/a/b?passing"), "{other}");
            assert_ne!(question(other), question("/v1/a/b?tag=&passing"), "{other}");
        }
    }

    #[test]
    fn knows_modes_and_waits() {
        let mode = |uri: &str| asked(uri).unwrap().mode().ok();
        assert_eq!(mode("/v1/a"), Some(Mode::Default));
        assert_eq!(mode("/v1/a?stale=1"), Some(Mode::Stale));
        assert_eq!(mode("/v1/a?consistent"), Some(Mode::Consistent));
        assert_eq!(mode("/v1/a?consistent&stale"), None);
        for (uri, consistency, wanted) in [
            ("/v1/a", "stale", Some(Mode::Stale)),
            ("/v1/a", "strong", Some(Mode::Default)),
            ("/v1/a?cached", "stale", Some(Mode::Stale)),
            ("/v1/a?consistent", "strong", Some(Mode::Consistent)),
            ("/v1/a?consistent", "stale", None),
            ("/v1/a?max_stale=1s", "strong", None),
            ("/v1/a", "session", None),
        ] {
            let request = http::Request::get(uri).header("consistency", consistency);
            let (head, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(Asked::new(&head, Bytes::new()).unwrap().mode().ok(), wanted, "{uri} {consistency}");
        }
        let wait = |uri: &str| asked(uri).unwrap().wait().ok();
        assert_eq!(wait("/v1/a?index=0&wait=5s"), Some(None));
        assert_eq!(wait("/v1/a?index=7"), Some(Some(Wait { index: 7, time: WAIT })));
        assert_eq!(wait("/v1/a?index=7&wait=20m"), Some(Some(Wait { index: 7, time: WAIT_MAX })));
        assert_eq!(wait("/v1/a?index=x"), None);
        assert_eq!(wait("/v1/a?index=1&wait=x"), None);
    }
}
