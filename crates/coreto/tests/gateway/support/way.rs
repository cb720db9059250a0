//! How clients reach the gateway.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Nothing that is asked for takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Where it listens, and with TLS what clients believe.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) address: SocketAddr,
    pub(crate) trust: Option<Arc<ClientConfig>>,
}

/// What carries a client's bytes.
pub(crate) trait Link: Read + Write + Send {}

impl<S: Read + Write + Send> Link for S {}

/// The same for tasks.
pub(crate) trait AsyncLink: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> AsyncLink for S {}

pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A connection over TLS to `localhost`.
pub(crate) fn secured(
    address: SocketAddr,
    trust: &Arc<ClientConfig>,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut session = ClientConnection::new(Arc::clone(trust), name()).map_err(io::Error::other)?;
    let mut stream = connect(address)?;
    session.complete_io(&mut stream)?;
    Ok(StreamOwned::new(session, stream))
}

fn name() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

impl Way {
    pub(crate) fn connect(&self) -> io::Result<Box<dyn Link>> {
        Ok(match &self.trust {
            None => Box::new(connect(self.address)?),
            Some(trust) => Box::new(secured(self.address, trust)?),
        })
    }

    /// A connection for HTTP/2.
    pub(crate) async fn connect_two(&self) -> io::Result<Box<dyn AsyncLink>> {
        let stream = tokio::net::TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let Some(trust) = &self.trust else { return Ok(Box::new(stream)) };
        let mut config = ClientConfig::clone(trust);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TlsConnector::from(Arc::new(config)).connect(name(), stream).await?;
        Ok(Box::new(stream))
    }
}
