//! RS256 and ES256 by `WebCrypto`: constant time, and some thirty times faster than RSA in Wasm.

use async_trait::async_trait;
use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};

use crate::ports::{Es256, P256Key, Rs256, RsaKey};

/// `crypto.subtle`.
pub(crate) struct WebCrypto;

#[async_trait(?Send)]
impl Rs256 for WebCrypto {
    async fn verify(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> bool {
        let jwk = [("kty", "RSA"), ("n", &key.n), ("e", &key.e), ("alg", "RS256")];
        let algorithm = [("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")];
        verify(&jwk, &algorithm, message, signature).await.unwrap_or(false)
    }
}

#[async_trait(?Send)]
impl Es256 for WebCrypto {
    async fn verify(&self, key: &P256Key, message: &[u8], signature: &[u8]) -> bool {
        let jwk = [("kty", "EC"), ("crv", "P-256"), ("x", &key.x), ("y", &key.y)];
        let algorithm = [("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")];
        verify(&jwk, &algorithm, message, signature).await.unwrap_or(false)
    }
}

async fn verify(
    jwk: &[(&str, &str)],
    algorithm: &[(&str, &str)],
    message: &[u8],
    signature: &[u8],
) -> Result<bool, JsValue> {
    let subtle = subtle()?;
    let (jwk, algorithm) = (object(jwk)?, object(algorithm)?);
    let usages = js_sys::Array::of1(&JsValue::from_str("verify"));
    let imported = subtle.import_key_with_object("jwk", &jwk, &algorithm, false, &usages)?;
    let imported: CryptoKey = JsFuture::from(imported).await?.unchecked_into();
    let verdict = subtle.verify_with_object_and_u8_slice_and_u8_array(
        &algorithm,
        &imported,
        signature,
        &Uint8Array::from(message),
    )?;
    Ok(JsFuture::from(verdict).await?.is_truthy())
}

pub(super) fn subtle() -> Result<SubtleCrypto, JsValue> {
    let crypto = Reflect::get(&js_sys::global(), &JsValue::from_str("crypto"))?;
    Ok(Reflect::get(&crypto, &JsValue::from_str("subtle"))?.unchecked_into())
}

pub(super) fn object(pairs: &[(&str, &str)]) -> Result<Object, JsValue> {
    let object = Object::new();
    for (name, value) in pairs {
        Reflect::set(&object, &JsValue::from_str(name), &JsValue::from_str(value))?;
    }
    Ok(object)
}
