//! The certificate as client credential: what Entra gets instead of a secret, at sign-in and at renewal.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use std::collections::HashSet;

use rsa::pss::{Signature, VerifyingKey};
use rsa::signature::Verifier as _;
use serde_json::{Value, json};

use super::entra::entra;
use super::granted::{Granted, entra_answer};
use crate::config::ClientCredential;
use crate::crypto::{PrivateKey, Secret};
use crate::identity::ScopeSet;
use crate::oauth::entra::{Entra, EntraError};
use crate::ports::{Clock, OutboundRequest, UpstreamError};
use crate::support::{CertificatePair, Signer, TENANT, TestPlatform};

const CLIENT: &str = "11111111-2222-4333-8444-555555555555";

fn certified() -> TestPlatform {
    let pair = CertificatePair::new(0);
    TestPlatform::new(&[
        ("MICROSOFT_CLIENT_SECRET", ""),
        ("MICROSOFT_CLIENT_CERTIFICATE", &pair.certificate),
        ("MICROSOFT_CLIENT_PRIVATE_KEY", &pair.key),
    ])
}

fn form(request: &OutboundRequest) -> Vec<(String, String)> {
    form_urlencoded::parse(request.body.as_deref().unwrap()).into_owned().collect()
}

/// The claims of the assertion in this request, whose signature, header and neighbours in the form are checked.
fn asserted(request: &OutboundRequest) -> Value {
    let form = form(request);
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(field("client_id"), Some(CLIENT));
    assert_eq!(field("client_assertion_type"), Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
    assert!(field("client_secret").is_none());
    let (signed, signature) = field("client_assertion").unwrap().rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let part = |text: &str| crate::crypto::decode(text).unwrap();
    let header: Value = serde_json::from_slice(&part(header)).unwrap();
    let thumbprint = CertificatePair::new(0).thumbprint();
    assert_eq!(header, json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint }));
    let key = VerifyingKey::<rsa::sha2::Sha256>::new(Signer::key(0).to_public_key());
    key.verify(signed.as_bytes(), &Signature::try_from(part(signature).as_slice()).unwrap()).unwrap();
    serde_json::from_slice(&part(claims)).unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn a_code_is_traded_with_a_signed_assertion_and_no_secret() {
    let platform = certified();
    let mut answer = entra_answer(7);
    answer["id_token"] = json!("header.claims.signature");
    platform.upstream.push_json(200, &answer);
    entra(&platform).exchange_code(&Secret::new("c"), &Secret::new("v"), ScopeSet::default(), None).await.unwrap();
    let mut claims = asserted(&platform.upstream.seen.borrow()[0]);
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(jti.as_str().unwrap().len(), 22, "sixteen random bytes");
    let now = platform.clock.now();
    let endpoint = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token");
    let expected = json!({
        "aud": endpoint, "iss": CLIENT, "sub": CLIENT, "nbf": now, "iat": now, "exp": now + 300,
    });
    assert_eq!(claims, expected);
}

#[tokio::test(flavor = "current_thread")]
async fn every_attempt_of_a_renewal_has_an_assertion_of_its_own() {
    let granted = Granted::on(certified());
    let tokens = granted.tokens().await;
    granted.platform.clock.advance(3540);
    granted.platform.upstream.queue.borrow_mut().push_back(Err(UpstreamError::Timeout));
    granted.platform.upstream.push_json(200, &entra_answer(1));
    assert_eq!(granted.microsoft(&tokens.access).await, Ok(Secret::new("microsoft-access-token-1")));
    let seen = granted.platform.upstream.seen.borrow();
    let ids: HashSet<_> = seen.iter().map(|request| asserted(request)["jti"].to_string()).collect();
    assert_eq!((seen.len(), ids.len()), (2, 2));
}

#[tokio::test(flavor = "current_thread")]
async fn a_key_that_cannot_sign_sends_nothing_and_is_the_operators_to_mend() {
    let platform = certified();
    let mut microsoft = platform.config.microsoft.clone();
    if let ClientCredential::Certificate(certificate) = &mut microsoft.credential {
        certificate.key = PrivateKey::new(vec![0x30, 0]);
    }
    let entra = Entra { microsoft: &microsoft, ..entra(&platform) };
    let result = entra.refresh(&Secret::new("r"), ScopeSet::default(), None).await;
    assert_eq!(result.unwrap_err(), EntraError::RefusesServer { code: None });
    assert!(platform.upstream.seen.borrow().is_empty());
}
