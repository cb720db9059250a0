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

    /// The token in a `Cookie` header, if it is whole.
    pub fn read(&self, header: &str) -> Option<u64> {
        let named =
            header.split(';').find_map(|pair| pair.trim().strip_prefix(&self.name)?.strip_prefix('='))?;
        let whole = named.len() == 16 && named.bytes().all(|byte| byte.is_ascii_hexdigit());
        whole.then(|| u64::from_str_radix(named, 16).ok()).flatten()
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
        assert_eq!(cookies.read(&format!("a=b; {value};c=d")), Some(cookies.token(address)));
        assert_ne!(Cookies::new(&sticky, [1, 3]).token(address), cookies.token(address));
        for header in
            ["", "at", "at=", "at=1", "bat=0123456789abcdef", "at=0123456789abcdeg", "at=+123456789abcdef"]
        {
            assert_eq!(cookies.read(header), None, "{header}");
        }
    }
}
