//! One order: an account, proofs that the hosts are here, and a chain for a new key.

use std::path::Path;
use std::time::Duration;

use coreto_proxy::listen::covers;
use coreto_proxy::plane::Challenges;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeHandle, ChallengeType, Identifier, NewAccount,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::client::Http;
use super::{Acme, Check, Error, file};

/// How long the authority may take to check, and to issue.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_mins(2));

/// Orders a certificate for these hosts. Gives its key and chain as PEM.
pub(super) async fn order(
    settings: &Acme,
    names: &[String],
    challenges: &Challenges,
) -> Result<String, Error> {
    let account = account(settings).await?;
    let identifiers: Vec<Identifier> = names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    let proven = prove(&mut order, settings.check, challenges).await;
    challenges.clear();
    proven?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    // Authorities take the hosts, and no other words.
    params.distinguished_name = DistinguishedName::new();
    order.finalize_csr(params.serialize_request(&key)?.der()).await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    fits(&chain, &key, names)?;
    Ok(key.serialize_pem() + &chain)
}

/// The account, made at the first order.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Whose account it is.
    directory: String,
    credentials: AccountCredentials,
}

async fn account(settings: &Acme) -> Result<Account, Error> {
    let builder = Account::builder_with_http(Box::new(Http::new(settings)?));
    if let Some(kept) = kept(&settings.account)?.filter(|kept| kept.directory == settings.directory) {
        return Ok(builder.from_credentials(kept.credentials).await?);
    }
    let contact: Vec<&str> = settings.contacts.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: settings.terms_agreed,
        only_return_existing: false,
    };
    let directory = settings.directory.clone();
    let (account, credentials) = builder.create(&new, directory.clone(), None).await?;
    let unwritable = |source| Error::Account { path: settings.account.clone(), source };
    let text = serde_json::to_string(&Kept { directory, credentials }).map_err(unwritable)?;
    file::replace(&settings.account, &text)?;
    Ok(account)
}

fn kept(path: &Path) -> Result<Option<Kept>, Error> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::File { path: path.to_owned(), source }),
    };
    serde_json::from_str(&text).map(Some).map_err(|source| Error::Account { path: path.to_owned(), source })
}

/// Shows the authority that the hosts are here, and waits until it has looked.
async fn prove(order: &mut Order, check: Check, challenges: &Challenges) -> Result<(), Error> {
    let kind = match check {
        Check::Http01 => ChallengeType::Http01,
        Check::TlsAlpn01 => ChallengeType::TlsAlpn01,
    };
    let mut hosts = Vec::new();
    let mut authorizations = order.authorizations();
    // Bound: the authority lists one for each host.
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let host = authorization.identifier().to_string();
        hosts.push(host.clone());
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let challenge = authorization.challenge(kind.clone());
        let mut challenge = challenge.ok_or(Error::NoCheck { host: host.clone(), check: check.name() })?;
        show(&challenge, &host, check, challenges)?;
        challenge.set_ready().await?;
    }
    match order.poll_ready(&PATIENCE).await? {
        OrderStatus::Ready | OrderStatus::Processing | OrderStatus::Valid => Ok(()),
        OrderStatus::Pending | OrderStatus::Invalid => {
            Err(Error::Unproven { hosts: hosts.join("`, `"), reason: why(order).await })
        }
    }
}

fn show(
    challenge: &ChallengeHandle<'_>,
    host: &str,
    check: Check,
    challenges: &Challenges,
) -> Result<(), Error> {
    let proof = challenge.key_authorization();
    match check {
        Check::Http01 => challenges.answer(&challenge.token, proof.as_str()),
        Check::TlsAlpn01 => {
            let key = KeyPair::generate()?;
            let mut params = CertificateParams::new(vec![host.to_owned()])?;
            params.custom_extensions = vec![CustomExtension::new_acme_identifier(proof.digest().as_ref())];
            let certificate = params.self_signed(&key)?;
            let key = PrivateKeyDer::try_from(key.serialize_der())
                .map_err(|reason| Error::Unfit(reason.to_owned()))?;
            let shown = challenges.certify(host, certificate.der().clone(), key);
            shown.map_err(|error| Error::Unfit(error.to_string()))?;
        }
    }
    Ok(())
}

/// What the authority says of the checks that failed.
async fn why(order: &mut Order) -> String {
    let mut reasons = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        if let Ok(state) = authorization.refresh().await {
            let failed = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
            reasons.extend(failed.map(ToString::to_string));
        }
    }
    if reasons.is_empty() { "it does not say why".to_owned() } else { reasons.join("; ") }
}

/// Whether a chain can be used.
fn fits(chain: &str, key: &KeyPair, names: &[String]) -> Result<(), Error> {
    let unfit = |error: &dyn std::fmt::Display| Error::Unfit(error.to_string());
    let read: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let chain = read.map_err(|error| unfit(&error))?;
    let own = chain.first().ok_or_else(|| unfit(&"there is none"))?;
    if let Some(name) = names.iter().find(|name| !covers(own, name)) {
        return Err(Error::Unfit(format!("it is not for `{name}`")));
    }
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|reason| unfit(&reason))?;
    CertifiedKey::from_der(chain, key, &default_provider()).map(drop).map_err(|error| unfit(&error))
}
