//! Hosts: as requests name them, and as routes mean them.

use std::borrow::Cow;

/// The host of a request, in lower case and without a final dot.
pub(crate) fn canonical(host: &str) -> Cow<'_, str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

/// Hosts that a route is for. The order is that of their precedence: the more is said, the earlier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This host.
    Exact(String),
    /// Every host that ends like this, with the dot: `.example` of `*.example`.
    Suffix(String),
    /// Any host.
    Any,
}

impl HostPattern {
    /// Reads `api.example`, `*.example` or `*`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (suffix, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let name = canonical(name);
        if !is_name(&name) && (suffix || !is_ip6(&name)) {
            return Err(format!(
                "`{text}` is no host: write `api.example`, `*.example` for all below it, or `*`; without scheme, port and path"
            ));
        }
        Ok(if suffix { Self::Suffix(format!(".{name}")) } else { Self::Exact(name.into_owned()) })
    }

    /// Whether a host in canonical form is meant.
    pub(crate) fn fits(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => name == host,
            Self::Suffix(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
            Self::Any => true,
        }
    }

    /// How much it says: exact before a suffix, a longer suffix before a shorter one.
    pub(crate) fn exactness(&self) -> (u8, usize) {
        match self {
            Self::Exact(_) => (2, 0),
            Self::Suffix(suffix) => (1, suffix.len()),
            Self::Any => (0, 0),
        }
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Suffix(suffix) => write!(f, "*{suffix}"),
            Self::Any => f.write_str("*"),
        }
    }
}

/// The longest name of the DNS.
const BYTES_MAX: usize = 253;

fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.len() <= BYTES_MAX && name.split('.').all(label)
}

fn is_ip6(name: &str) -> bool {
    let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_and_refuses_what_is_none() {
        let shown = |text| HostPattern::read(text).map(|pattern| pattern.to_string());
        assert_eq!(shown("API.Example."), Ok("api.example".to_owned()));
        assert_eq!(shown("*.Example"), Ok("*.example".to_owned()));
        assert_eq!(shown("[::1]"), Ok("[::1]".to_owned()));
        assert_eq!(shown("10.0.0.1"), Ok("10.0.0.1".to_owned()));
        for text in
            ["", "a:80", "http://a", "a/b", "*a", "a.*", "*.", "a..b", ".a", "[::1", "*.[::1]", "a b", "ä"]
        {
            assert!(shown(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_suffix_is_all_below_and_not_itself() {
        let pattern = HostPattern::read("*.a.b").unwrap();
        for (host, fits) in
            [("x.a.b", true), ("y.x.a.b", true), ("a.b", false), (".a.b", false), ("xa.b", false)]
        {
            assert_eq!(pattern.fits(host), fits, "{host}");
        }
    }
}
