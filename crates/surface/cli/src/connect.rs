//! How commands reach a server.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use coreto_protocol::gateway::gateway_client::GatewayClient;
use coreto_protocol::inspect::inspect_client::InspectClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::error::CliError;

/// Where the server is, and how to talk to it. The environment variables are those of Camunda 8's clients.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of commands that talk to a server")]
pub struct Connection {
    /// The server's gRPC address: host:port, or a URL with http:// or https://.
    #[arg(long, global = true, env = "ZEEBE_ADDRESS", value_name = "ADDR")]
    pub address: Option<String>,

    /// The server's gRPC address as a URL; used when --address is not given.
    #[arg(long, global = true, env = "ZEEBE_GRPC_ADDRESS", value_name = "URL", hide = true)]
    pub grpc_address: Option<String>,

    /// Talk without TLS even where the address does not say so.
    #[arg(long, global = true, env = "ZEEBE_INSECURE_CONNECTION", default_value = "false", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub insecure: bool,

    /// The certificates to trust, as a PEM file; the system's without it. Turns TLS on.
    #[arg(long, global = true, env = "ZEEBE_CA_CERTIFICATE_PATH", value_name = "FILE")]
    pub ca_certificate: Option<PathBuf>,

    /// The token to send as `authorization: Bearer`.
    #[arg(long, global = true, env = "ZEEBE_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<String>,

    /// How long to wait for an answer, in milliseconds.
    #[arg(long, global = true, env = "ZEEBE_REQUEST_TIMEOUT", default_value_t = 15_000, value_name = "MS")]
    pub request_timeout: u64,
}

/// Adds the token to each call.
#[derive(Clone)]
pub struct Authorize(Option<MetadataValue<Ascii>>);

impl Interceptor for Authorize {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// A channel that authorizes each call.
pub type Authorized = InterceptedService<Channel, Authorize>;

/// The largest message that is taken: that of the server, with room for its frame.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// The port of the gateway protocol.
const PORT: u16 = 26500;

impl Connection {
    /// The address as a URL.
    pub fn url(&self) -> String {
        // A variable that is set to nothing is not set.
        let given = [&self.address, &self.grpc_address].into_iter().flatten().find(|it| !it.is_empty());
        let address = given.map_or("127.0.0.1:26500", String::as_str);
        if address.contains("://") {
            return address.replace("grpcs://", "https://").replace("grpc://", "http://");
        }
        let scheme = if self.ca_certificate.is_some() && !self.insecure { "https" } else { "http" };
        let has_port = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if has_port { format!("{scheme}://{address}") } else { format!("{scheme}://{address}:{PORT}") }
    }

    /// How long to wait for an answer.
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout)
    }

    /// A client of the gateway.
    ///
    /// # Errors
    /// When the address is no address, the certificates cannot be read, or nobody answers there.
    pub async fn gateway(&self) -> Result<GatewayClient<Authorized>, CliError> {
        let channel = self.channel().await?;
        Ok(GatewayClient::with_interceptor(channel, self.authorize()?)
            .max_decoding_message_size(MESSAGE_BYTES_MAX))
    }

    /// A client of the inspection service.
    ///
    /// # Errors
    /// As [`Connection::gateway`].
    pub async fn inspect(&self) -> Result<InspectClient<Authorized>, CliError> {
        let channel = self.channel().await?;
        Ok(InspectClient::with_interceptor(channel, self.authorize()?)
            .max_decoding_message_size(MESSAGE_BYTES_MAX))
    }

    fn authorize(&self) -> Result<Authorize, CliError> {
        let Some(token) = &self.token else { return Ok(Authorize(None)) };
        let value = format!("Bearer {token}").parse().map_err(|_| CliError::Token)?;
        Ok(Authorize(Some(value)))
    }

    async fn channel(&self) -> Result<Channel, CliError> {
        let url = self.url();
        check(&url)?;
        let unusable = |source| CliError::Address { address: url.clone(), source };
        let mut endpoint = Endpoint::from_shared(url.clone()).map_err(unusable)?;
        endpoint = endpoint.connect_timeout(self.timeout()).tcp_nodelay(true);
        if url.starts_with("https://") {
            let mut tls = ClientTlsConfig::new().with_native_roots();
            if let Some(path) = &self.ca_certificate {
                let pem = std::fs::read(path).map_err(|source| CliError::File {
                    path: path.clone(),
                    doing: "read",
                    source,
                })?;
                if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
                    let path = path.display();
                    return Err(CliError::Usage(format!(
                        "there is no certificate in `{path}`, expected PEM"
                    )));
                }
                tls = tls.ca_certificate(Certificate::from_pem(pem));
            }
            endpoint = endpoint.tls_config(tls).map_err(unusable)?;
        }
        endpoint.connect().await.map_err(|source| CliError::Connect { address: url.clone(), source })
    }
}

/// Refuses what nobody can be reached by, before anybody is asked for it.
fn check(url: &str) -> Result<(), CliError> {
    let uri = url.parse::<tonic::transport::Uri>().ok();
    let host = uri.as_ref().and_then(|uri| uri.host()).unwrap_or_default();
    if matches!(url.split_once("://"), Some(("http" | "https", _))) && !host.is_empty() {
        return Ok(());
    }
    let expected = "expected host:port, or a URL with http:// or https://";
    Err(CliError::Usage(format!("`{url}` is no address of a server, {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(address: &str, ca: bool) -> String {
        let connection = Connection {
            address: Some(address.to_owned()),
            grpc_address: None,
            insecure: false,
            ca_certificate: ca.then(|| PathBuf::from("ca.pem")),
            token: None,
            request_timeout: 1000,
        };
        connection.url()
    }

    #[test]
    fn completes_addresses() {
        assert_eq!(url("127.0.0.1:26500", false), "http://127.0.0.1:26500");
        assert_eq!(url("broker", false), "http://broker:26500");
        assert_eq!(url("broker", true), "https://broker:26500");
        assert_eq!(url("grpc://broker:1", true), "http://broker:1");
        assert_eq!(url("[::1]:7", false), "http://[::1]:7");
        assert_eq!(url("", false), "http://127.0.0.1:26500");
    }

    #[test]
    fn refuses_what_is_no_address() {
        for address in ["ftp://broker", ":26500", "http://", "http://a b"] {
            assert!(check(&url(address, false)).is_err(), "{address}");
        }
        assert!(check("https://broker:26500").is_ok());
    }
}
