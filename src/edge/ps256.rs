//! PS256 by `WebCrypto`, with a key that cannot be read back once it is imported.

use std::cell::RefCell;

use async_trait::async_trait;
use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::CryptoKey;

use crate::crypto::{Digest, PrivateKey};
use crate::edge::rs256::{object, subtle};
use crate::ports::Ps256;

const SALT_BYTES: u32 = 32;

thread_local! {
    /// The key that this isolate imported last: a deployment has one.
    static IMPORTED: RefCell<Option<(Digest, CryptoKey)>> = const { RefCell::new(None) };
}

/// `crypto.subtle`, signing.
pub(crate) struct WebCryptoSigner;

#[async_trait(?Send)]
impl Ps256 for WebCryptoSigner {
    async fn sign(&self, key: &PrivateKey, message: &[u8]) -> Option<Vec<u8>> {
        sign(key, message).await.ok()
    }
}

async fn sign(key: &PrivateKey, message: &[u8]) -> Result<Vec<u8>, JsValue> {
    let key = imported(key).await?;
    let algorithm = object(&[("name", "RSA-PSS")])?;
    Reflect::set(&algorithm, &JsValue::from_str("saltLength"), &JsValue::from(SALT_BYTES))?;
    let signature = subtle()?.sign_with_object_and_js_u8_array(&algorithm, &key, &Uint8Array::from(message))?;
    Ok(Uint8Array::new(&JsFuture::from(signature).await?).to_vec())
}

async fn imported(key: &PrivateKey) -> Result<CryptoKey, JsValue> {
    let id = Digest::of(key.expose());
    let known = IMPORTED.with_borrow(|slot| slot.as_ref().filter(|(of, _)| *of == id).map(|(_, key)| key.clone()));
    if let Some(known) = known {
        return Ok(known);
    }
    let algorithm = object(&[("name", "RSA-PSS"), ("hash", "SHA-256")])?;
    let usages = Array::of1(&JsValue::from_str("sign"));
    let der = Uint8Array::from(key.expose());
    let import = subtle()?.import_key_with_object("pkcs8", &der, &algorithm, false, &usages)?;
    let key: CryptoKey = JsFuture::from(import).await?.unchecked_into();
    IMPORTED.set(Some((id, key.clone())));
    Ok(key)
}
