//! The cookie that keeps a client at its endpoint.

use std::net::SocketAddr;

use crate::hash::Keyed;
use crate::model::Sticky;

/// Makes and reads cookies. A cookie holds a keyed hash of the endpoint's address: it tells a client nothing, and
/// nobody can make one up for an endpoint of their choice.
#[derive(Clone, Debug)]
pub struct Cookies {
    name: String,
    attributes: String,
    hash: Keyed,
}

impl Cookies {
    /// Cookies as a cluster wants them; `chosen` keys the hash when the cluster names no secret.
    pub fn new(sticky: &Sticky, chosen: [u64; 2]) -> Self {
        let age = sticky.age.map(|age| format!("; Max-Age={}", age.as_secs())).unwrap_or_default();
        Self {
            name: sticky.cookie.clone(),
            attributes: format!("; Path=/; HttpOnly; SameSite=Lax{age}"),
            hash: match &sticky.secret {
                Some(secret) => Keyed::of_secret(secret.as_bytes()),
                None => Keyed::new(chosen),
            },
        }
    }

    /// What stands for an endpoint.
    pub fn token(&self, address: SocketAddr) -> u64 {
        self.hash.hash(address.to_string().as_bytes())
    }

    /// What the cookie is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The token in the value of a cookie, if it is whole.
    pub fn read(value: &[u8]) -> Option<u64> {
        let whole = value.len() == 16 && value.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(value).ok().filter(|_| whole)?;
        u64::from_str_radix(digits, 16).ok()
    }

    /// The value of `Set-Cookie` that keeps a client at an endpoint. `secure`: whether the client came by TLS.
    pub fn set(&self, address: SocketAddr, secure: bool) -> String {
        let secure = if secure { "; Secure" } else { "" };
        format!("{}={:016x}{}{secure}", self.name, self.token(address), self.attributes)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn reads_what_it_wrote_and_nothing_else() {
        let age = Some(Duration::from_mins(1));
        let sticky = Sticky { cookie: "at".to_owned(), age, secret: None };
        let cookies = Cookies::new(&sticky, [1, 2]);
        let address: SocketAddr = "10.0.0.1:80".parse().unwrap();
        let set = cookies.set(address, true);
        let (value, attributes) = set.split_once("; ").unwrap();
        assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure");
        assert!(!set.contains("10.0"));
        let value = value.strip_prefix("at=").unwrap();
        assert_eq!(Cookies::read(value.as_bytes()), Some(cookies.token(address)));
        assert_ne!(Cookies::new(&sticky, [1, 3]).token(address), cookies.token(address));
        for value in ["", "1", "0123456789abcdeg", "+123456789abcdef", "0123456789abcdef0"] {
            assert_eq!(Cookies::read(value.as_bytes()), None, "{value}");
        }
    }
}
