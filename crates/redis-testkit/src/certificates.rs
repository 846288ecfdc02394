//! Certificates that are made for one test.

use std::fmt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;

use crate::error::Error;

/// An authority, and what it signed for a server and for its clients, as PEM files.
///
/// Beside them stand those of a stranger: an authority that signed nothing of the server's, and a
/// client's certificate and key from it. All are made anew each time, and are gone with this value.
///
/// The server's certificate is for `localhost` and `127.0.0.1`; it also serves as a client's,
/// because servers call each other.
pub struct Certificates {
    folder: TempDir,
}

/// What one authority makes.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Certificates {
    /// Makes all of them.
    ///
    /// # Errors
    ///
    /// [`Error::Certificates`] where they cannot be made, [`Error::File`] where they cannot be
    /// written.
    pub fn generate() -> Result<Self, Error> {
        let folder = tempfile::tempdir()
            .map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
        let made = Self { folder };
        let authority = Authority::new("test authority").map_err(failed)?;
        made.write("authority.pem", &authority.certificate().map_err(failed)?)?;
        made.write_pair("server", &authority.sign("server").map_err(failed)?)?;
        made.write_pair("client", &authority.sign("client").map_err(failed)?)?;
        let stranger = Authority::new("strange authority").map_err(failed)?;
        made.write("stranger.pem", &stranger.certificate().map_err(failed)?)?;
        made.write_pair("strange-client", &stranger.sign("client").map_err(failed)?)?;
        Ok(made)
    }

    /// The certificate of the authority that signed the server's and the client's.
    pub fn authority(&self) -> PathBuf {
        self.path("authority.pem")
    }

    /// The server's certificate.
    pub fn server_certificate(&self) -> PathBuf {
        self.path("server.pem")
    }

    /// The server's key.
    pub fn server_key(&self) -> PathBuf {
        self.path("server.key")
    }

    /// A client's certificate.
    pub fn client_certificate(&self) -> PathBuf {
        self.path("client.pem")
    }

    /// That client's key.
    pub fn client_key(&self) -> PathBuf {
        self.path("client.key")
    }

    /// The certificate of an authority that signed nothing of the server's.
    pub fn strange_authority(&self) -> PathBuf {
        self.path("stranger.pem")
    }

    /// The certificate of a client of that other authority.
    pub fn strange_client_certificate(&self) -> PathBuf {
        self.path("strange-client.pem")
    }

    /// That other client's key.
    pub fn strange_client_key(&self) -> PathBuf {
        self.path("strange-client.key")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_pair(&self, name: &str, (certificate, key): &(String, String)) -> Result<(), Error> {
        self.write(&format!("{name}.pem"), certificate)?;
        self.write(&format!("{name}.key"), key)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        write(&self.path(name), text)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("folder", &self.folder.path()).finish()
    }
}

impl Authority {
    fn new(name: &str) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        Ok(Self { params, key: KeyPair::generate()? })
    }

    fn certificate(&self) -> Result<String, rcgen::Error> {
        Ok(self.params.self_signed(&self.key)?.pem())
    }

    /// A certificate and its key.
    fn sign(&self, name: &str) -> Result<(String, String), rcgen::Error> {
        let mut params =
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let issuer = Issuer::from_params(&self.params, &self.key);
        Ok((params.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
    }
}

fn failed(error: rcgen::Error) -> Error {
    Error::Certificates(Box::new(error))
}

/// Writes a file of a test's folder.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|source| Error::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_pem_and_goes_with_the_value() {
        let certificates = Certificates::generate().unwrap();
        let check = |path: PathBuf, kind: &str| {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&format!("-----BEGIN {kind}-----")), "{}", path.display());
            path
        };
        check(certificates.authority(), "CERTIFICATE");
        check(certificates.server_certificate(), "CERTIFICATE");
        check(certificates.server_key(), "PRIVATE KEY");
        check(certificates.client_certificate(), "CERTIFICATE");
        check(certificates.client_key(), "PRIVATE KEY");
        check(certificates.strange_authority(), "CERTIFICATE");
        check(certificates.strange_client_certificate(), "CERTIFICATE");
        let last = check(certificates.strange_client_key(), "PRIVATE KEY");
        drop(certificates);
        assert!(!last.exists());
    }
}
