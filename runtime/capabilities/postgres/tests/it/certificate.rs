//! Certificates made for a test.

use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    date_time_ymd,
};
use tempfile::TempDir;

/// An authority, and where its certificate lies.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key, in PEM.
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("it is signed");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("root.crt"), issuer.pem()).expect("it is written");
        Self { issuer, folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("root.crt")
    }

    pub(crate) fn issue(&self, host: &str) -> Issued {
        self.issue_until(host, 2100)
    }

    pub(crate) fn issue_until(&self, host: &str, year: i32) -> Issued {
        let mut params = CertificateParams::new(vec![host.to_owned()]).expect("a name");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("it is signed");
        Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}
