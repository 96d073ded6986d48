//! Self-signed certificates with their keys, made when a test asks: no key is kept in a file.

use std::time::Duration;

use rsa::pkcs1v15::{Signature, SigningKey};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey};
use x509_cert::builder::{Builder, CertificateBuilder, Profile};
use x509_cert::der::asn1::UtcTime;
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Encode, EncodePem};
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::{Time, Validity};

use super::Signer;
use crate::crypto::Digest;

/// What an operator would set.
pub(crate) struct CertificatePair {
    /// PEM.
    pub(crate) certificate: String,
    /// PKCS#8 in PEM.
    pub(crate) key: String,
    thumbprint: Digest,
}

impl CertificatePair {
    /// `which` is 0 or 1, as with [`Signer`].
    pub(crate) fn new(which: usize) -> Self {
        let key = Signer::key(which);
        let certificate = self_signed(key).expect("a certificate");
        Self {
            certificate: certificate.to_pem(LineEnding::LF).expect("PEM"),
            key: key.to_pkcs8_pem(LineEnding::LF).expect("PEM").to_string(),
            thumbprint: Digest::of(&certificate.to_der().expect("DER")),
        }
    }

    /// `x5t#S256`.
    pub(crate) fn thumbprint(&self) -> String {
        self.thumbprint.to_string()
    }
}

fn self_signed(key: &rsa::RsaPrivateKey) -> Result<x509_cert::Certificate, Box<dyn std::error::Error>> {
    let public = key.to_public_key().to_public_key_der()?;
    let public = SubjectPublicKeyInfoOwned::try_from(public.as_bytes())?;
    let signer = SigningKey::<rsa::sha2::Sha256>::new(key.clone());
    // Of fixed moments, so that one key has one certificate: the day around the clock of the tests.
    let at = |seconds| UtcTime::from_unix_duration(Duration::from_secs(seconds)).map(Time::UtcTime);
    let day = Validity { not_before: at(1_772_409_600)?, not_after: at(1_772_496_000)? };
    let name = "CN=m365-mcp.contoso.example".parse()?;
    let builder = CertificateBuilder::new(Profile::Root, 1_u32.into(), day, name, public, &signer)?;
    Ok(builder.build::<Signature>()?)
}
