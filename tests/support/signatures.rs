//! The signatures of the platform, by the `rsa` and `p256` crates.

use async_trait::async_trait;

use super::signer::seeded;
use crate::ports::{Es256, P256Key, Ps256, Rs256, RsaKey};

/// RS256 by the `rsa` crate.
pub(crate) struct NativeRs256;

#[async_trait(?Send)]
impl Rs256 for NativeRs256 {
    async fn verify(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> bool {
        use rsa::pkcs1v15::{Signature, VerifyingKey};
        use rsa::signature::Verifier;
        let number = |text: &str| crate::crypto::decode(text).map(|bytes| rsa::BigUint::from_bytes_be(&bytes));
        let (Some(n), Some(e)) = (number(&key.n), number(&key.e)) else { return false };
        let Ok(public) = rsa::RsaPublicKey::new(n, e) else { return false };
        let Ok(signature) = Signature::try_from(signature) else { return false };
        VerifyingKey::<rsa::sha2::Sha256>::new(public).verify(message, &signature).is_ok()
    }
}

/// ES256 by the `p256` crate.
pub(crate) struct NativeEs256;

#[async_trait(?Send)]
impl Es256 for NativeEs256 {
    async fn verify(&self, key: &P256Key, message: &[u8], signature: &[u8]) -> bool {
        use p256::ecdsa::signature::Verifier;
        use p256::ecdsa::{Signature, VerifyingKey};
        let (Some(x), Some(y)) = (crate::crypto::decode(&key.x), crate::crypto::decode(&key.y)) else { return false };
        let point = [&[4], x.as_slice(), &y].concat();
        let Ok(public) = VerifyingKey::from_sec1_bytes(&point) else { return false };
        Signature::from_slice(signature).is_ok_and(|signature| public.verify(message, &signature).is_ok())
    }
}

/// PS256 by the `rsa` crate.
pub(crate) struct NativePs256;

#[async_trait(?Send)]
impl Ps256 for NativePs256 {
    async fn sign(&self, key: &crate::crypto::PrivateKey, message: &[u8]) -> Option<Vec<u8>> {
        use rsa::pkcs8::DecodePrivateKey;
        use rsa::signature::{RandomizedSigner, SignatureEncoding};
        let key = rsa::RsaPrivateKey::from_pkcs8_der(key.expose()).ok()?;
        let key = rsa::pss::SigningKey::<rsa::sha2::Sha256>::new(key);
        key.try_sign_with_rng(&mut seeded(1), message).ok().map(|signature| signature.to_vec())
    }
}
