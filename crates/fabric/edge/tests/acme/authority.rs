//! An authority of certificates for tests (RFC 8555): strict about nonces, signatures and URLs, and as unfriendly as it
//! is told to be.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
    PublicKeyData, SignatureAlgorithm,
};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::base64;
use crate::check;

/// It serves until the test ends.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) address: SocketAddr,
    /// Who vouches for it, and for whom it issues.
    pub(crate) file: PathBuf,
    issuer: Arc<CertifiedIssuer<'static, KeyPair>>,
    state: Arc<Mutex<State>>,
}

/// What it knows, and what it is told.
#[derive(Default)]
pub(crate) struct State {
    /// Where hosts are checked.
    pub(crate) http: u16,
    pub(crate) tls: u16,
    /// How long a certificate lives.
    pub(crate) life: Duration,
    /// Orders to refuse, and checks to fail.
    pub(crate) refuse: u32,
    pub(crate) doubt: u32,
    /// Keys of accounts, as their thumbprints are made of.
    pub(crate) accounts: Vec<Value>,
    pub(crate) orders: Vec<Order>,
    nonces: BTreeSet<String>,
    asked: u64,
}

#[derive(Debug)]
pub(crate) struct Order {
    account: usize,
    pub(crate) hosts: Vec<String>,
    /// Whether each host was found to be there; none before it was looked for.
    proven: Vec<Option<bool>>,
    pub(crate) chain: Option<String>,
}

struct Asked {
    method: String,
    path: String,
    body: String,
}

struct Answer {
    status: u16,
    kind: &'static str,
    body: String,
    location: Option<String>,
}

/// A refusal: its kind, and why.
struct Refused(&'static str, String);

impl Authority {
    pub(crate) fn start(folder: &Path, life: Duration) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = folder.join("ca.pem");
        std::fs::write(&file, issuer.pem()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { life, ..State::default() }));
        let authority = Self { address, file, issuer: Arc::new(issuer), state };
        let (kept, config) = (authority.clone(), authority.server());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, config) = (kept.clone(), Arc::clone(&config));
                std::thread::spawn(move || kept.serve(stream, config));
            }
        });
        authority
    }

    pub(crate) fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    /// What clients of the hosts believe.
    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        roots
    }

    fn server(&self) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let own = params.signed_by(&key, &*self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(config.with_no_client_auth().with_single_cert(vec![own.der().clone()], key).unwrap())
    }

    /// Answers one request.
    fn serve(&self, stream: TcpStream, config: Arc<ServerConfig>) {
        let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(config).unwrap(), stream));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let mut words = head.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).unwrap();
        let asked = Asked { method, path, body: String::from_utf8(body).unwrap() };
        let answer = self.answer(&asked).unwrap_or_else(|Refused(kind, detail)| {
            let kind = format!("urn:ietf:params:acme:error:{kind}");
            let body = json!({ "type": kind, "detail": detail, "status": 400 }).to_string();
            Answer { status: 400, kind: "application/problem+json", body, location: None }
        });
        let nonce = self.state(State::nonce);
        let location =
            answer.location.map_or(String::new(), |path| format!("location: {}\r\n", self.url(&path)));
        let body = if asked.method == "HEAD" { "" } else { &answer.body };
        let text = format!(
            "HTTP/1.1 {} X\r\ncontent-type: {}\r\nreplay-nonce: {nonce}\r\n{location}content-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            answer.status,
            answer.kind,
            body.len()
        );
        stream.get_mut().write_all(text.as_bytes()).unwrap();
        stream.get_mut().conn.send_close_notify();
        let _ = stream.get_mut().flush();
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    fn answer(&self, asked: &Asked) -> Result<Answer, Refused> {
        let parts: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
        let number =
            |at: usize| parts.get(at).and_then(|part| part.parse::<usize>().ok()).unwrap_or(usize::MAX);
        match (asked.method.as_str(), parts[0]) {
            ("GET", "directory") => {
                let url = |path| self.url(path);
                return Ok(Answer::json(
                    200,
                    &json!({
                        "newNonce": url("/nonce"), "newAccount": url("/account"), "newOrder": url("/order"),
                        "revokeCert": url("/revoke"), "keyChange": url("/key"),
                    }),
                ));
            }
            ("HEAD", "nonce") => return Ok(Answer::json(200, &Value::Null)),
            ("POST", _) => {}
            _ => return Err(Refused("malformed", format!("{} {}", asked.method, asked.path))),
        }
        let (payload, account) = self.open(asked)?;
        let mut state = self.state.lock().unwrap();
        match (parts[0], parts.len()) {
            ("account", 1) if payload["termsOfServiceAgreed"] == true => {
                let location = Some(format!("/account/{account}"));
                Ok(Answer { location, ..Answer::json(201, &json!({ "status": "valid" })) })
            }
            ("order", 1) => {
                if state.refuse > 0 {
                    state.refuse -= 1;
                    return Err(Refused("rateLimited", "not now".to_owned()));
                }
                let hosts = payload["identifiers"].as_array().unwrap().iter();
                let hosts: Vec<String> =
                    hosts.map(|host| host["value"].as_str().unwrap().to_owned()).collect();
                let proven = vec![None; hosts.len()];
                state.orders.push(Order { account, hosts, proven, chain: None });
                let at = state.orders.len() - 1;
                let location = Some(format!("/order/{at}"));
                Ok(Answer { location, ..Answer::json(201, &self.tell(&state, at)) })
            }
            ("order", 2) => Ok(Answer::json(200, &self.tell(&state, number(1)))),
            ("authorization", 3) => Ok(Answer::json(200, &self.authorization(&state, number(1), number(2)))),
            ("check", 4) => {
                drop(state);
                self.check(number(1), number(2), parts[3]);
                let state = self.state.lock().unwrap();
                let told = self.authorization(&state, number(1), number(2));
                let mine =
                    told["challenges"].as_array().unwrap().iter().find(|check| check["type"] == parts[3]);
                Ok(Answer::json(200, mine.unwrap()))
            }
            ("finalize", 2) => {
                let at = number(1);
                let request = base64::decode(payload["csr"].as_str().unwrap());
                state.orders[at].chain = Some(self.issue(&state, at, &request)?);
                Ok(Answer::json(200, &self.tell(&state, at)))
            }
            ("chain", 2) => {
                let body = state.orders[number(1)].chain.clone().unwrap();
                Ok(Answer { status: 200, kind: "application/pem-certificate-chain", body, location: None })
            }
            _ => Err(Refused("malformed", format!("{}: {payload}", asked.path))),
        }
    }

    /// Checks a signed request (RFC 8555 §6). Gives what it says and whose it is.
    fn open(&self, asked: &Asked) -> Result<(Value, usize), Refused> {
        let signed: Value = serde_json::from_str(&asked.body).unwrap();
        let part = |name: &str| signed[name].as_str().unwrap();
        let protected: Value = serde_json::from_slice(&base64::decode(part("protected"))).unwrap();
        let refuse = |kind, detail: &str| Err(Refused(kind, detail.to_owned()));
        let nonce = protected["nonce"].as_str().unwrap_or_default();
        // Now and then one that is good is refused as well.
        if !self.state(|state| state.spend(nonce)) {
            return refuse("badNonce", "another one, please");
        }
        if protected["url"] != self.url(&asked.path).as_str() || protected["alg"] != "ES256" {
            return refuse("malformed", "it was signed for something else");
        }
        let (key, account) = match protected["kid"].as_str() {
            None if asked.path == "/account" => {
                let key = protected["jwk"].clone();
                let account = self.state(|state| {
                    let known = state.accounts.iter().position(|known| *known == key);
                    known.unwrap_or_else(|| {
                        state.accounts.push(key.clone());
                        state.accounts.len() - 1
                    })
                });
                (key, account)
            }
            None => return refuse("malformed", "whose is it?"),
            Some(url) => {
                let account: usize = url.rsplit('/').next().unwrap().parse().unwrap();
                let known = self.state(|state| state.accounts.get(account).cloned());
                let Some(key) = known else { return refuse("accountDoesNotExist", url) };
                (key, account)
            }
        };
        let coordinate = |name: &str| base64::decode(key[name].as_str().unwrap());
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        let text = format!("{}.{}", part("protected"), part("payload"));
        let signature = base64::decode(part("signature"));
        if UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(text.as_bytes(), &signature)
            .is_err()
        {
            return refuse("unauthorized", "the signature is not good");
        }
        let payload = base64::decode(part("payload"));
        let payload =
            if payload.is_empty() { Value::Null } else { serde_json::from_slice(&payload).unwrap() };
        Ok((payload, account))
    }

    fn tell(&self, state: &State, at: usize) -> Value {
        let order = &state.orders[at];
        let status = if order.chain.is_some() {
            "valid"
        } else if order.proven.contains(&Some(false)) {
            "invalid"
        } else if order.proven.contains(&None) {
            "pending"
        } else {
            "ready"
        };
        let identifiers: Vec<Value> =
            order.hosts.iter().map(|host| json!({ "type": "dns", "value": host })).collect();
        let authorizations: Vec<String> =
            (0..order.hosts.len()).map(|host| self.url(&format!("/authorization/{at}/{host}"))).collect();
        json!({
            "status": status,
            "identifiers": identifiers,
            "authorizations": authorizations,
            "finalize": self.url(&format!("/finalize/{at}")),
            "certificate": order.chain.as_ref().map(|_| self.url(&format!("/chain/{at}"))),
        })
    }

    fn authorization(&self, state: &State, at: usize, host: usize) -> Value {
        let order = &state.orders[at];
        let (status, error) = match order.proven[host] {
            None => ("pending", Value::Null),
            Some(true) => ("valid", Value::Null),
            Some(false) => (
                "invalid",
                json!({ "type": "urn:ietf:params:acme:error:connection", "detail": "nobody is there" }),
            ),
        };
        let check = |kind: &str| {
            json!({
                "type": kind, "status": status, "error": error, "token": token(at, host),
                "url": self.url(&format!("/check/{at}/{host}/{kind}")),
            })
        };
        json!({
            "status": status,
            "identifier": { "type": "dns", "value": order.hosts[host] },
            "challenges": [check("http-01"), check("tls-alpn-01")],
        })
    }

    /// Looks whether a host is there.
    fn check(&self, at: usize, host: usize, kind: &str) {
        let (name, proof, http, tls, doubt) = self.state(|state| {
            let order = &state.orders[at];
            let proof = format!("{}.{}", token(at, host), thumbprint(&state.accounts[order.account]));
            let doubt = state.doubt > 0;
            state.doubt = state.doubt.saturating_sub(1);
            (state.orders[at].hosts[host].clone(), proof, state.http, state.tls, doubt)
        });
        let proven = match kind {
            "http-01" => check::http(http, &name, &token(at, host), &proof),
            "tls-alpn-01" => check::tls(tls, &name, &proof),
            other => panic!("there is no check `{other}`"),
        };
        self.state(|state| state.orders[at].proven[host] = Some(proven && !doubt));
    }

    fn issue(&self, state: &State, at: usize, request: &[u8]) -> Result<String, Refused> {
        let order = &state.orders[at];
        let has = |name: &String| request.windows(name.len()).any(|part| part == name.as_bytes());
        if order.proven.iter().any(|proven| *proven != Some(true)) || !order.hosts.iter().all(has) {
            return Err(Refused("orderNotReady", "not all hosts are proven, or asked for".to_owned()));
        }
        // The point of the key, in the only bit string of its length.
        let start = request.windows(4).position(|part| part == [0x03, 0x42, 0x00, 0x04]).unwrap() + 3;
        let key = Point(request[start..start + 65].to_vec());
        let mut params = CertificateParams::new(order.hosts.clone()).unwrap();
        let now = SystemTime::now();
        params.not_before = now.into();
        params.not_after = (now + state.life).into();
        Ok(params.signed_by(&key, &*self.issuer).unwrap().pem() + &self.issuer.pem())
    }
}

impl State {
    fn nonce(&mut self) -> String {
        self.asked += 1;
        let nonce = format!("nonce-{}", self.asked);
        self.nonces.insert(nonce.clone());
        nonce
    }

    fn spend(&mut self, nonce: &str) -> bool {
        self.nonces.remove(nonce) && !self.asked.is_multiple_of(5)
    }
}

impl Answer {
    fn json(status: u16, body: &Value) -> Self {
        Self { status, kind: "application/json", body: body.to_string(), location: None }
    }
}

/// A public key of P-256.
struct Point(Vec<u8>);

impl PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

fn token(order: usize, host: usize) -> String {
    format!("token-{order}-{host}")
}

/// RFC 7638.
fn thumbprint(key: &Value) -> String {
    let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, key["x"], key["y"]);
    base64::encode(digest(&SHA256, text.as_bytes()).as_ref())
}
