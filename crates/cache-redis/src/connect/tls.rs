//! TLS by rustls: certificates from files, or those of the system.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::{ClientCertificate, PoolError, TlsSettings};

const CA_FILE: &str = "redis.tls.ca_file";
const CERTIFICATE_FILE: &str = "redis.tls.certificate_file";
const KEY_FILE: &str = "redis.tls.key_file";

/// Reads the files of the settings. It blocks.
pub(crate) fn connector(settings: &TlsSettings) -> Result<TlsConnector, PoolError> {
    let roots = match &settings.ca_file {
        Some(file) => roots_of(file)?,
        None => roots_of_system()?,
    };
    let unusable = |source: rustls::Error| PoolError::Tls { source: source.into() };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_root_certificates(roots);
    let config = match &settings.client {
        None => config.with_no_client_auth(),
        Some(ClientCertificate { certificate_file, key_file }) => {
            let chain = certificates(CERTIFICATE_FILE, certificate_file)?;
            let key = read(KEY_FILE, key_file)?;
            let key = PrivateKeyDer::from_pem_slice(&key)
                .map_err(|source| refused(KEY_FILE, key_file, source))?;
            config
                .with_client_auth_cert(chain, key)
                .map_err(|source| refused(CERTIFICATE_FILE, certificate_file, source))?
        }
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Whether an error, or what caused it, is one of TLS itself and not of the network.
pub(crate) fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // The error of an input or output hides the one that it wraps.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if error.is::<rustls::Error>()
            || wrapped.is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>)
        {
            return true;
        }
        // The `redis` crate keeps its causes behind an `Arc`, which is an error of its own.
        if let Some(shared) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
            return is_tls(&**shared);
        }
        cause = error.source();
    }
    false
}

fn roots_of(file: &Path) -> Result<RootCertStore, PoolError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(CA_FILE, file)? {
        roots.add(certificate).map_err(|source| refused(CA_FILE, file, source))?;
    }
    Ok(roots)
}

fn roots_of_system() -> Result<RootCertStore, PoolError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    match found.errors.into_iter().next() {
        Some(error) if added == 0 => Err(PoolError::Tls { source: error.into() }),
        None if added == 0 => Err(PoolError::Tls { source: "the system trusts nobody".into() }),
        _ => Ok(roots),
    }
}

fn certificates(key: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, PoolError> {
    let pem = read(key, file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err(refused(key, file, "it holds no certificate")),
        Ok(found) => Ok(found),
        Err(source) => Err(refused(key, file, source)),
    }
}

fn read(key: &'static str, file: &Path) -> Result<Vec<u8>, PoolError> {
    // To open a FIFO is to wait for whoever writes to it, and a device may have no end.
    match fs::metadata(file) {
        Ok(found) if found.is_file() => fs::read(file).map_err(|source| refused(key, file, source)),
        Ok(_) => Err(refused(key, file, "it is not a regular file")),
        Err(source) => Err(refused(key, file, source)),
    }
}

fn refused(
    key: &'static str,
    file: &Path,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> PoolError {
    PoolError::TlsFile { key, path: file.display().to_string(), source: source.into() }
}
