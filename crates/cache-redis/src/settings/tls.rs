//! How connections are encrypted.

use std::path::PathBuf;

use layered_settings::{Settings, SettingsError};

const CA_FILE: &str = "redis.tls.ca_file";
const CERTIFICATE_FILE: &str = "redis.tls.certificate_file";
const KEY_FILE: &str = "redis.tls.key_file";

/// What an encrypted connection needs beside the address.
///
/// The server's certificate is always verified, its name included: there is no way to switch that
/// off. The files are named here and read when a connection is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TlsSettings {
    /// The authorities that servers are trusted by, as PEM; none for those of the system.
    pub ca_file: Option<PathBuf>,
    /// What the client shows to servers that ask for it.
    pub client: Option<ClientCertificate>,
}

/// The client's certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// The certificate, and those between it and its authority, as PEM.
    pub certificate_file: PathBuf,
    /// The certificate's private key, as PEM.
    pub key_file: PathBuf,
}

/// Reads the settings of an address with or without TLS.
///
/// A file without TLS is refused: who names one means to encrypt, and the password would go over
/// the wire in the clear.
pub(super) fn read(
    settings: &Settings,
    enabled: bool,
) -> Result<Option<TlsSettings>, SettingsError> {
    let ca_file: Option<PathBuf> = settings.get(CA_FILE)?;
    let certificate_file: Option<PathBuf> = settings.get(CERTIFICATE_FILE)?;
    let key_file: Option<PathBuf> = settings.get(KEY_FILE)?;
    if !enabled {
        for (key, file) in
            [(CA_FILE, &ca_file), (CERTIFICATE_FILE, &certificate_file), (KEY_FILE, &key_file)]
        {
            if file.is_some() {
                let expected =
                    "an address with TLS beside it: rediss:// in redis.url, or redis.tls.enabled";
                return Err(settings.refuse(key, expected));
            }
        }
        return Ok(None);
    }
    let client = match (certificate_file, key_file) {
        (Some(certificate_file), Some(key_file)) => {
            Some(ClientCertificate { certificate_file, key_file })
        }
        (Some(_), None) => return Err(settings.refuse(CERTIFICATE_FILE, beside(KEY_FILE))),
        (None, Some(_)) => return Err(settings.refuse(KEY_FILE, beside(CERTIFICATE_FILE))),
        (None, None) => None,
    };
    Ok(Some(TlsSettings { ca_file, client }))
}

fn beside(key: &str) -> String {
    format!("{key} beside it")
}
