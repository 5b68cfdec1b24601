//! A server's side of TLS.
#![forbid(unsafe_code)]

use core::fmt;
use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::{EndPointError, HTTP_1_1, ServerEndPoint, provider};

/// The certificate and the key of a server.
#[derive(Clone)]
pub struct ServerIdentity {
    acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file of certificates holds none, or is no PEM.
    #[error("the certificate: {0}")]
    Certificate(pem::Error),
    /// The file of the key holds none, or is no PEM.
    #[error("the key: {0}")]
    Key(pem::Error),
    /// Certificate and key do not belong together, or one of them is of no use to TLS.
    #[error("certificate and key: {0}")]
    Unusable(#[from] rustls::Error),
}

impl ServerIdentity {
    /// Reads the certificate, followed by those of its intermediate authorities, and its key (PKCS #8, PKCS #1 or
    /// SEC 1), all in PEM.
    ///
    /// # Errors
    /// Something is missing, malformed, or does not belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
        let chain = chain.map_err(IdentityError::Certificate)?;
        let certificate = chain.first().cloned().ok_or(IdentityError::Certificate(pem::Error::NoItemsFound))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(IdentityError::Key)?;
        let mut configuration = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        configuration.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(configuration)), certificate })
    }

    /// What clients are bound to when TLS ends here.
    ///
    /// # Errors
    /// RFC 5929 defines no end point for this certificate.
    pub fn end_point(&self) -> Result<ServerEndPoint, EndPointError> {
        ServerEndPoint::of_certificate(&self.certificate)
    }

    /// The handshake.
    pub(in crate::serve) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServerIdentity").field("end_point", &self.end_point()).finish_non_exhaustive()
    }
}
