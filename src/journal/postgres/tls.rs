//! TLS to the server. `sslmode` has its usual meaning: `prefer` and `require` encrypt, `verify-ca` and `verify-full`
//! also authenticate the server.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::Failure;

/// How the server is authenticated.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Its certificate must chain to a trusted root.
    chain: bool,
    /// Its certificate must match the host name.
    name: bool,
    /// A file of roots; by default those of the system.
    roots: Option<PathBuf>,
}

impl Trust {
    /// Requires verification; with `name` also of the host name.
    pub(super) fn verified(self, name: bool) -> Self {
        Self { chain: true, name: self.name || name, ..self }
    }

    /// Whether the server is authenticated. If so, unencrypted connections are rejected.
    pub(super) fn is_verifying(&self) -> bool {
        self.chain
    }

    /// Sets the roots: the path of a file, or `system`. A file implies verification.
    pub(super) fn roots(self, path: &str) -> Self {
        match path {
            "system" => Self { chain: true, name: true, roots: None },
            path => Self { chain: true, roots: Some(path.into()), ..self },
        }
    }

    /// The TLS connector.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, Failure> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            Verifier { inner: self.verifier(&provider)?, name: self.name, provider: Arc::clone(&provider) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| refused(&error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Arc<dyn ServerCertVerifier>>, Failure> {
        if !self.chain {
            return Ok(None);
        }
        let Some(path) = &self.roots else {
            let system = rustls_platform_verifier::Verifier::new(Arc::clone(provider));
            return Ok(Some(Arc::new(system.map_err(|error| refused(&error.to_string()))?)));
        };
        let unreadable = |why: String| refused(&format!("{}: {why}", path.display()));
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))? {
            let root = root.map_err(|error| unreadable(error.to_string()))?;
            roots.add(root).map_err(|error| unreadable(error.to_string()))?;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map_err(|error| unreadable(error.to_string()))?;
        Ok(Some(verifier))
    }
}

fn refused(why: &str) -> Failure {
    Failure::Refused(format!("cannot be verified ({why}); check sslmode and sslrootcert in its address"))
}

#[derive(Debug)]
struct Verifier {
    /// `None` accepts any certificate: traffic is encrypted, but the server is not authenticated.
    inner: Option<Arc<dyn ServerCertVerifier>>,
    name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        match inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.name => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
