//! What is kept: a key with its chain, and the account.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use coreto_proxy::listen::covers;
use coreto_proxy::model::{self, Model};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::Error;
use super::validity::Validity;

/// Keys are for their owner alone.
const OWNER_ONLY: u32 = 0o600;

/// All orders of a model.
pub(crate) fn orders(model: &Model) -> impl Iterator<Item = &model::Acme> {
    model.listeners.iter().filter_map(|listener| listener.tls.as_ref()?.acme.as_ref())
}

/// Puts something into each file that is not there yet, so that listeners can be served: a certificate that nobody
/// believes and that is due to be replaced. Gives the files that it has made.
pub(crate) fn prepare(model: &Model) -> Result<Vec<PathBuf>, Error> {
    let mut made = Vec::new();
    for order in orders(model).filter(|order| !order.file.exists()) {
        let mut params = CertificateParams::new(order.names.clone())?;
        (params.not_before, params.not_after) = (date_time_ymd(1970, 1, 1), date_time_ymd(1970, 1, 2));
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        replace(&order.file, &(key.serialize_pem() + &certificate.pem()))?;
        made.push(order.file.clone());
    }
    Ok(made)
}

/// From when to when the certificate in a file is good, if it is for these hosts.
pub(super) fn validity(order: &model::Acme) -> Option<Validity> {
    let certificate = CertificateDer::from_pem_file(&order.file).ok()?;
    let all = order.names.iter().all(|name| covers(&certificate, name));
    Validity::of(&certificate).filter(|_| all)
}

/// Replaces a file as a whole: whoever reads it finds the old text or the new one, also after a crash.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
        }
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| Error::File { path: path.to_owned(), source })
}
