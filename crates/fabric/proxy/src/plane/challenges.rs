//! What is shown to those who check that a host is ours (RFC 8555 §8.3, RFC 8737).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

/// Answers to an authority's checks, for all listeners. There are none but while a certificate is ordered.
#[derive(Debug, Default)]
pub struct Challenges {
    /// Whether there is anything to be looked at.
    any: AtomicBool,
    held: RwLock<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// By token.
    texts: HashMap<String, Bytes>,
    /// By host.
    certificates: HashMap<String, Arc<CertifiedKey>>,
}

/// Where a check by HTTP asks, before the token.
const PATH: &str = "/.well-known/acme-challenge/";

impl Challenges {
    /// Answers a check by HTTP.
    pub fn answer(&self, token: &str, text: &str) {
        self.write().texts.insert(token.to_owned(), Bytes::copy_from_slice(text.as_bytes()));
        self.any.store(true, Ordering::Release);
    }

    /// Answers a check by TLS.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn certify(
        &self,
        host: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), rustls::Error> {
        // Whether they fit is not looked at: by rule, nobody understands the extension that makes it a proof.
        let pair =
            CertifiedKey::new(vec![certificate], default_provider().key_provider.load_private_key(key)?);
        self.write().certificates.insert(host.to_ascii_lowercase(), Arc::new(pair));
        self.any.store(true, Ordering::Release);
        Ok(())
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        self.any.store(false, Ordering::Release);
        *self.write() = Held::default();
    }

    /// What is answered to a request for a path, if it is such a check.
    pub(crate) fn text(&self, path: &str) -> Option<Bytes> {
        let token = path.strip_prefix(PATH).filter(|_| self.any.load(Ordering::Acquire))?;
        self.read().texts.get(token).cloned()
    }

    pub(crate) fn certificate(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        self.read().certificates.get(&host.to_ascii_lowercase()).cloned()
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}
