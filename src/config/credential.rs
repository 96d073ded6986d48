//! How this server proves itself to Entra: by a client secret, or by a certificate and its private key, never by both.
//!
//! Reads PEM (RFC 7468), and of PKCS#8 (RFC 5208) and PKCS#1 (RFC 8017) just enough to see that the key is RSA and
//! belongs to the certificate. Signing is a port's; whether the certificate is registered and still valid is Entra's
//! to say.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::reader::Reader;
use crate::crypto::{Digest, PrivateKey, Secret};

const SECRET: &str = "MICROSOFT_CLIENT_SECRET";
const CERTIFICATE: &str = "MICROSOFT_CLIENT_CERTIFICATE";
const PRIVATE_KEY: &str = "MICROSOFT_CLIENT_PRIVATE_KEY";

/// What the app registration knows of this server.
#[derive(Clone, Debug)]
pub enum ClientCredential {
    /// A shared secret, sent with each request.
    Secret(Secret),
    /// A key that never leaves; what it signs is sent.
    Certificate(Certificate),
}

/// A certificate that is registered with the application.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// SHA-256 of the DER certificate, base64url: `x5t#S256`.
    pub thumbprint: String,
    /// Its private key.
    pub key: PrivateKey,
}

impl Reader<'_> {
    pub(super) fn credential(&mut self) -> Option<ClientCredential> {
        if [CERTIFICATE, PRIVATE_KEY].iter().all(|name| self.get(name).is_none()) {
            let secret = self.required(SECRET, "a secret", |text| Some(Secret::new(text)));
            return secret.map(ClientCredential::Secret);
        }
        if self.get(SECRET).is_some() {
            return self.fault(SECRET, "nothing beside a certificate: set one of the two");
        }
        let certificate = self.required(CERTIFICATE, "one certificate in PEM", |text| parse_pem("CERTIFICATE", text));
        let key = self.required(PRIVATE_KEY, "an RSA key of at least 2048 bits, PKCS#8 in PEM", |text| {
            parse_pem("PRIVATE KEY", text).filter(|der| modulus(der).is_some())
        });
        let (certificate, key) = (certificate?, key?);
        let own = modulus(&key)?;
        if !certificate.windows(own.len()).any(|part| part == own) {
            return self.fault(PRIVATE_KEY, "the key of MICROSOFT_CLIENT_CERTIFICATE");
        }
        let thumbprint = Digest::of(&certificate).to_string();
        Some(ClientCredential::Certificate(Certificate { thumbprint, key: PrivateKey::new(key) }))
    }
}

/// The bytes of a text that is one PEM block with this label.
fn parse_pem(label: &str, text: &str) -> Option<Vec<u8>> {
    let body = text.strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----"))?;
    STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// 1.2.840.113549.1.1.1, `rsaEncryption`.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// An INTEGER is signed: a modulus, whose highest bit is set, is preceded by a zero.
const LEAST_MODULUS_BYTES: usize = 2048 / 8 + 1;

/// The modulus of an RSA key in PKCS#8; `None` for any other key.
fn modulus(pkcs8: &[u8]) -> Option<&[u8]> {
    let (info, _) = element(SEQUENCE, pkcs8)?;
    let (_version, rest) = element(INTEGER, info)?;
    let (algorithm, rest) = element(SEQUENCE, rest)?;
    let (name, _) = element(OBJECT_IDENTIFIER, algorithm)?;
    let (key, _) = element(OCTET_STRING, rest)?;
    let (key, _) = element(SEQUENCE, key)?;
    let (_version, rest) = element(INTEGER, key)?;
    let (modulus, _) = element(INTEGER, rest)?;
    (name == RSA && modulus.len() >= LEAST_MODULUS_BYTES).then_some(modulus)
}

/// The content of a DER element with this tag, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        ..=0x7f => (usize::from(*short), rest),
        // No key needs more than two bytes for its length.
        0x81 | 0x82 => {
            let (long, rest) = rest.split_at_checked(usize::from(short & 0x0f))?;
            (long.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    if *found == tag { rest.split_at_checked(length) } else { None }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::support::{CertificatePair, environment};

    fn parse(secret: &str, certificate: &str, key: &str) -> Result<Config, Vec<String>> {
        let environment = environment(&[(SECRET, secret), (CERTIFICATE, certificate), (PRIVATE_KEY, key)]);
        Config::parse(&|name| environment.get(name).cloned())
            .map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_certificate_stands_for_the_secret() {
        let pair = CertificatePair::new(0);
        let config = parse("", &pair.certificate, &pair.key).unwrap();
        let ClientCredential::Certificate(found) = &config.microsoft.credential else { unreachable!() };
        assert_eq!(found.thumbprint, pair.thumbprint());
    }

    #[test]
    fn both_credentials_half_a_pair_and_none_are_refused_by_name() {
        let pair = CertificatePair::new(0);
        let both = "MICROSOFT_CLIENT_SECRET: expected nothing beside a certificate: set one of the two";
        let cases = [
            ("s", pair.certificate.as_str(), pair.key.as_str(), both),
            ("s", &pair.certificate, "", both),
            ("s", "", &pair.key, both),
            ("", &pair.certificate, "", "MICROSOFT_CLIENT_PRIVATE_KEY: missing"),
            ("", "", &pair.key, "MICROSOFT_CLIENT_CERTIFICATE: missing"),
            ("", "", "", "MICROSOFT_CLIENT_SECRET: missing"),
        ];
        for (secret, certificate, key, fault) in cases {
            assert_eq!(parse(secret, certificate, key).unwrap_err(), [fault]);
        }
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let (pair, other) = (CertificatePair::new(0), CertificatePair::new(1));
        let fault = "MICROSOFT_CLIENT_PRIVATE_KEY: expected the key of MICROSOFT_CLIENT_CERTIFICATE";
        assert_eq!(parse("", &pair.certificate, &other.key).unwrap_err(), [fault]);
    }

    #[test]
    fn what_is_no_whole_pem_block_of_its_kind_is_refused_without_its_value() {
        let pair = CertificatePair::new(0);
        let cut = pair.key.replacen("MII", "MIH", 1);
        let twice = format!("{}{}", pair.key, pair.key);
        for key in ["hunter2", &pair.certificate, &cut, &twice] {
            let fault = "MICROSOFT_CLIENT_PRIVATE_KEY: expected an RSA key of at least 2048 bits, PKCS#8 in PEM";
            assert_eq!(parse("", &pair.certificate, key).unwrap_err(), [fault]);
        }
        let fault = "MICROSOFT_CLIENT_CERTIFICATE: expected one certificate in PEM";
        assert_eq!(parse("", &pair.key, &pair.key).unwrap_err(), [fault]);
    }

    #[test]
    fn debug_output_of_the_configuration_shows_no_key() {
        let pair = CertificatePair::new(0);
        let config = parse("", &pair.certificate, &pair.key).unwrap();
        assert!(format!("{config:?}").contains("key: PrivateKey(…)"));
    }

    #[test]
    fn no_cut_of_a_key_is_read_beyond_its_end() {
        let der = parse_pem("PRIVATE KEY", CertificatePair::new(0).key.trim()).unwrap();
        assert!(modulus(&der).is_some());
        for end in 0..300 {
            assert!(der.get(..end).and_then(modulus).is_none());
        }
    }
}
