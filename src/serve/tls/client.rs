//! A client's side of TLS.
#![forbid(unsafe_code)]

use core::fmt;
use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::{HTTP_1_1, ServerEndPoint, provider};

/// The authorities whose certificates a client believes.
#[derive(Clone)]
pub struct TrustedRoots {
    connector: TlsConnector,
}

/// Why there is nobody to believe.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The file is no PEM, or holds no certificate.
    #[error("{0}")]
    Pem(#[from] pem::Error),
    /// A certificate cannot be an authority's.
    #[error("{0}")]
    Certificate(#[from] rustls::Error),
    /// The system knows no authorities.
    #[error("this system has no root certificates")]
    System,
}

impl TrustedRoots {
    /// The certificates of a PEM file, and no others.
    ///
    /// # Errors
    /// There is none, or one cannot be an authority's.
    pub fn from_pem(file: &[u8]) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(file) {
            roots.add(certificate?)?;
        }
        if roots.is_empty() {
            return Err(pem::Error::NoItemsFound.into());
        }
        Self::trusting(roots)
    }

    /// The authorities that the administrator of this system trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.
    ///
    /// # Errors
    /// There are none.
    pub fn of_system() -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        // Single certificates that cannot be read or used are no reason to trust nobody.
        let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if added == 0 { Err(RootsError::System) } else { Self::trusting(roots) }
    }

    fn trusting(roots: RootCertStore) -> Result<Self, RootsError> {
        let mut configuration = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        configuration.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Self { connector: TlsConnector::from(Arc::new(configuration)) })
    }

    /// The handshake, and what the channel is bound to: nothing where RFC 5929 defines nothing.
    pub(in crate::serve) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Option<ServerEndPoint>)> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let stream = self.connector.connect(name, stream).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let end_point = certificate.and_then(|certificate| ServerEndPoint::of_certificate(certificate).ok());
        Ok((stream, end_point))
    }
}

impl fmt::Debug for TrustedRoots {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TrustedRoots").finish_non_exhaustive()
    }
}
