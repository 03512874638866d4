//! TLS towards a server: which certificates are trusted, and what binds a login to one.

use std::sync::Arc;

use ring::digest::{self, SHA256, SHA384, SHA512};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring as provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

/// Everything that a handshake needs.
pub(crate) struct Tls {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
}

impl Tls {
    /// Without roots everybody is trusted, as `sslmode=require` has it. An error is the identity's.
    pub(crate) fn new(
        name: ServerName<'static>,
        roots: Option<Roots>,
        names: bool,
        identity: Option<Identity>,
    ) -> Result<Self, String> {
        // The provider is named, so that nothing depends on what the process has installed.
        let provider = Arc::new(provider::default_provider());
        let chain = roots.map(|roots| {
            let roots = WebPkiServerVerifier::builder_with_provider(roots.0, Arc::clone(&provider));
            roots.build().expect("there is a root")
        });
        let verifier = Verifier {
            chain,
            names,
            provider: Arc::clone(&provider),
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for every version")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity { chain, key }) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|e| format!("does not go with sslcert: {e}"))?,
        };
        Ok(Self {
            config: Arc::new(config),
            name,
        })
    }
}

/// Certificates that may vouch for a server.
pub(crate) struct Roots(Arc<RootCertStore>);

impl Roots {
    pub(crate) fn system() -> Result<Self, String> {
        Self::new(rustls_native_certs::load_native_certs().certs)
    }

    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, String> {
        Self::new(certificates(pem)?)
    }

    fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        let (added, _) = store.add_parsable_certificates(certificates);
        if added == 0 {
            return Err("holds no certificate".to_owned());
        }
        Ok(Self(Arc::new(store)))
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>();
    certificates.map_err(|e| format!("holds no certificates in PEM: {e}"))
}

/// How we show a server who we are.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    pub(crate) fn parse(certificate: &[u8], key: &[u8]) -> Result<Self, String> {
        if key.windows(9).any(|word| word == b"ENCRYPTED") {
            return Err("is encrypted: give it without a passphrase".to_owned());
        }
        let chain = certificates(certificate)?;
        // Java's drivers take keys in DER, so a config that comes from Debezium may name one.
        let key = if key.starts_with(b"-----") {
            PrivateKeyDer::from_pem_slice(key).map_err(|e| e.to_string())
        } else {
            PrivateKeyDer::try_from(key.to_vec()).map_err(str::to_owned)
        };
        let key = key.map_err(|e| format!("holds no private key: {e}"))?;
        Ok(Self { chain, key })
    }
}

#[derive(Debug)]
struct Verifier {
    /// Absent where everybody is trusted.
    chain: Option<Arc<WebPkiServerVerifier>>,
    names: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified = chain.verify_server_cert(certificate, intermediates, name, ocsp, now);
        match verified {
            // The chain was checked first.
            Err(error) if !self.names && is_wrong_name(&error) => {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Whether a certificate is good, but somebody else's.
pub(crate) fn is_wrong_name(error: &rustls::Error) -> bool {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    matches!(
        error,
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })
    )
}

/// `tls-server-end-point` of RFC 5929: the certificate's hash, by the hash of its signature. `None`
/// where the signature has none of its own.
pub(crate) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (whole, _) = element(certificate, 0x30)?;
    let (_, rest) = element(whole, 0x30)?;
    let (algorithm, _) = element(rest, 0x30)?;
    let (oid, _) = element(algorithm, 0x06)?;
    let hash = match oid {
        // MD5 and SHA-1 with RSA, SHA-1 with ECDSA: the RFC takes SHA-256 in their place.
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"
        | b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"
        | b"\x2a\x86\x48\xce\x3d\x04\x01"
        | b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
        | b"\x2a\x86\x48\xce\x3d\x04\x03\x02" => &SHA256,
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c" | b"\x2a\x86\x48\xce\x3d\x04\x03\x03" => &SHA384,
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d" | b"\x2a\x86\x48\xce\x3d\x04\x03\x04" => &SHA512,
        _ => return None,
    };
    Some(digest::digest(hash, certificate).as_ref().to_vec())
}

/// The content of a DER element with that tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (len, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        let len = digits
            .iter()
            .fold(0, |len, digit| len << 8 | usize::from(*digit));
        (len, rest)
    };
    rest.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_bound_by_its_signatures_hash() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["db".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let der = certificate.der();
        let expected = digest::digest(&SHA256, der).as_ref().to_vec();
        assert_eq!(end_point(der), Some(expected));
        let tbs = end_point(&der[..der.len() - 1]);
        assert_eq!(tbs, None);
    }

    #[test]
    fn hostile_der_has_no_hash() {
        for der in [
            &b""[..],
            b"\x30",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x89",
            b"\x30\x00",
        ] {
            assert_eq!(end_point(der), None);
        }
    }
}
