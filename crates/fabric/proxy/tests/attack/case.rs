//! Cases, from text.

/// One case.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) claim: String,
    pub(crate) send: Vec<u8>,
    /// Statuses that are wanted, each with its alternatives, then what becomes of the connection.
    pub(crate) want: Vec<String>,
    /// What reaches the upstream; none when anything may.
    pub(crate) up: Option<Vec<u8>>,
    pub(crate) reply: Option<Vec<u8>>,
    pub(crate) reply_close: bool,
    pub(crate) reply_never: bool,
    pub(crate) times: Vec<(String, u64)>,
    pub(crate) endpoints: String,
    pub(crate) warm: bool,
    pub(crate) after: Vec<u8>,
    pub(crate) get: Option<Vec<u8>>,
    pub(crate) reused: Option<bool>,
    /// What is on for the route.
    pub(crate) with: Vec<String>,
    /// Fields of the last answer, and fields that it has not.
    pub(crate) fields_got: Vec<String>,
    pub(crate) fields_not_got: Vec<String>,
    pub(crate) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) without: Vec<String>,
    pub(crate) data: Vec<Vec<u8>>,
    pub(crate) trailers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Reads a file of cases.
pub(crate) fn read(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(claim) = line.strip_prefix("== ") {
            // What upstreams are asked is not the matter of cases in which they answer oddly.
            cases.push(Case { claim: claim.to_owned(), up: Some(Vec::new()), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().expect("a case begins with `== `");
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "send" => case.send.extend(bytes(rest)),
            "want" => case.want = rest.split(' ').map(str::to_owned).collect(),
            "up" if rest == "*" => case.up = None,
            "up" => case.up = Some(bytes(rest)),
            "reply" => (case.reply, case.up) = (Some(bytes(rest)), None),
            "reply-close" => {
                case.reply_close = true;
                case.reply.get_or_insert_default();
                case.up = None;
            }
            "reply-never" => {
                (case.reply_never, case.up) = (true, None);
                case.reply.get_or_insert_default();
            }
            "set" => {
                let (name, time) = rest.split_once(' ').expect("a time has a name");
                case.times.push((name.to_owned(), time.parse().expect("milliseconds")));
            }
            "endpoints" => rest.clone_into(&mut case.endpoints),
            "warm" => case.warm = true,
            "after" => case.after = bytes(rest),
            "get" => case.get = Some(bytes(rest)),
            "with" => case.with = rest.split(' ').map(str::to_owned).collect(),
            "field-got" => case.fields_got.push(rest.to_owned()),
            "no-field-got" => case.fields_not_got.push(rest.to_owned()),
            "reused" => case.reused = Some(rest == "yes"),
            "field" => case.fields.push(field(rest)),
            "trailer" => case.trailers.push(field(rest)),
            "no" => case.without.push(rest.to_owned()),
            "data" => case.data.push(bytes(rest)),
            other => panic!("`{}` has an unknown line `{other}`", case.claim),
        }
    }
    cases
}

fn field(text: &str) -> (Vec<u8>, Vec<u8>) {
    let (name, value) =
        text.split_once(": ").or(text.strip_suffix(':').map(|name| (name, ""))).expect("name: value");
    (bytes(name), bytes(value))
}

/// `\r \n \t \\ \xHH`, and `{text*count}`.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let repeated = rest.strip_prefix('{').and_then(|inside| {
            let (inside, after) = inside.split_once('}')?;
            let (what, count) = inside.rsplit_once('*')?;
            Some((self::bytes(what).repeat(count.parse().ok()?), after))
        });
        if let Some((repeated, after)) = repeated {
            bytes.extend(repeated);
            rest = after;
            continue;
        }
        let (byte, length) = match rest.as_bytes() {
            [b'\\', b'r', ..] => (b'\r', 2),
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b't', ..] => (b'\t', 2),
            [b'\\', b'\\', ..] => (b'\\', 2),
            [b'\\', b'x', ..] => (u8::from_str_radix(&rest[2..4], 16).expect("two digits"), 4),
            [byte, ..] => (*byte, first.len_utf8()),
            [] => break,
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes
}

impl Case {
    /// Whether something is on for the route.
    pub(crate) fn is_with(&self, filter: &str) -> bool {
        self.with.iter().any(|with| with == filter)
    }

    /// A time that the case sets.
    pub(crate) fn time(&self, name: &str) -> Option<std::time::Duration> {
        let found = self.times.iter().find(|(known, _)| known == name);
        found.map(|(_, time)| std::time::Duration::from_millis(*time))
    }
}
