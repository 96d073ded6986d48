#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use serde_json::json;

use super::*;
use crate::support::{EcSigner, Signer, TestPlatform};

fn keys(keys: &[Value]) -> ClientKeys {
    ClientKeys::parse(&json!({ "keys": keys })).unwrap()
}

async fn check(keys: &ClientKeys, assertion: &str) -> Result<Value, JoseError> {
    keys.verify::<Value>(&TestPlatform::new(&[]).ports(), assertion).await
}

/// The key with one member changed; null takes it away.
fn with(mut key: Value, member: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(key.as_object_mut().unwrap().remove(member)),
        value => key[member] = value,
    }
    key
}

#[tokio::test(flavor = "current_thread")]
async fn an_assertion_counts_under_its_clients_key_and_no_other() {
    let (rsa, other, ec) = (Signer::new("r", 0), Signer::new("r", 1), EcSigner::new("e", 0));
    let set = keys(&[rsa.jwk(), ec.jwk()]);
    let claims = json!({"sub": "x"});
    assert_eq!(check(&set, &rsa.sign(&claims)).await, Ok(claims.clone()));
    assert_eq!(check(&set, &ec.sign(&claims)).await, Ok(claims.clone()));
    assert_eq!(check(&set, &other.sign(&claims)).await, Err(JoseError::Signature));
    assert_eq!(check(&set, &EcSigner::new("e", 1).sign(&claims)).await, Err(JoseError::Signature));
    let signed = ec.sign(&claims);
    let (head, rest) = signed.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let altered = format!("{head}.{}.{signature}", crypto::encode(br#"{"sub":"y"}"#));
    assert_eq!(check(&set, &altered).await, Err(JoseError::Signature));
    for cut in ["", "a.b", &format!("{head}.{rest}.x"), &format!("{head}..{signature}")] {
        assert_eq!(check(&set, cut).await, Err(JoseError::Malformed), "{cut}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_header_chooses_neither_algorithm_nor_key() {
    let (rsa, ec) = (Signer::new("r", 0), EcSigner::new("e", 0));
    let set = keys(&[rsa.jwk(), ec.jwk()]);
    let claims = json!({});
    for (header, expected) in [
        (json!({"alg": "none", "kid": "r"}), JoseError::Malformed),
        (json!({"alg": "HS256", "kid": "r"}), JoseError::Algorithm),
        (json!({"alg": "RS512", "kid": "r"}), JoseError::Algorithm),
        (json!({"alg": "PS256", "kid": "r"}), JoseError::Algorithm),
        (json!({"alg": "ES256", "kid": "r"}), JoseError::Algorithm),
        (json!({"alg": "RS256", "kid": "e"}), JoseError::Algorithm),
        (json!({"alg": "RS256", "kid": "x"}), JoseError::UnknownKey),
        (json!({"alg": "RS256", "kid": "r", "crit": ["exp"]}), JoseError::Critical),
        (json!({"alg": "RS256", "kid": "r", "crit": []}), JoseError::Critical),
        (json!({"alg": "RS256", "kid": "e2", "jwk": Signer::new("e2", 0).jwk()}), JoseError::UnknownKey),
    ] {
        assert_eq!(check(&set, &rsa.sign_with(&header, &claims)).await, Err(expected), "{header}");
    }
    let only = set.only(Some(SigningAlg::Es256));
    assert_eq!(check(&only, &rsa.sign(&claims)).await, Err(JoseError::UnknownKey));
    assert!(check(&only, &ec.sign(&claims)).await.is_ok());
}

#[tokio::test(flavor = "current_thread")]
async fn a_key_id_is_needed_where_there_are_several_keys() {
    let rsa = Signer::new("r", 0);
    let nameless = rsa.sign_with(&json!({"alg": "RS256"}), &json!({}));
    assert!(check(&keys(&[rsa.jwk()]), &nameless).await.is_ok());
    assert!(check(&keys(&[rsa.jwk(), EcSigner::new("e", 0).jwk()]), &nameless).await.is_ok());
    let two = keys(&[rsa.jwk(), Signer::new("other", 1).jwk()]);
    assert_eq!(check(&two, &nameless).await, Err(JoseError::UnknownKey));
}

#[test]
fn a_key_that_should_not_verify_an_assertion_is_left_out() {
    let (rsa, ec) = (Signer::new("r", 0).jwk(), EcSigner::new("e", 0).jwk());
    let short = crypto::encode(&[0xff; 255]);
    let padded = crypto::encode(&[&[0_u8; 8][..], &[0xff; 250]].concat());
    for key in [
        with(rsa.clone(), "use", json!("enc")),
        with(rsa.clone(), "alg", json!("PS256")),
        with(rsa.clone(), "alg", json!("ES256")),
        with(rsa.clone(), "key_ops", json!(["encrypt"])),
        with(rsa.clone(), "n", json!(short)),
        with(rsa.clone(), "n", json!(padded)),
        with(rsa.clone(), "n", Value::Null),
        with(rsa.clone(), "e", json!("AQ")),
        with(rsa.clone(), "kty", json!("OKP")),
        with(ec.clone(), "crv", json!("P-384")),
        with(ec.clone(), "x", json!("AAAA")),
        with(ec.clone(), "y", Value::Null),
        with(ec.clone(), "alg", json!("RS256")),
    ] {
        let outcome = ClientKeys::parse(&json!({ "keys": [key] })).map(|_| ());
        assert_eq!(outcome, Err(KeySetError::NoneUsable), "{key}");
        assert!(ClientKeys::parse(&json!({ "keys": [key, rsa] })).is_ok(), "a usable one beside it serves");
    }
}

#[test]
fn a_set_that_shows_a_private_key_is_refused_whole() {
    let rsa = Signer::new("r", 0).jwk();
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let set = json!({"keys": [rsa, with(rsa.clone(), member, json!("x"))]});
        assert_eq!(ClientKeys::parse(&set).map(|_| ()), Err(KeySetError::Private), "{member}");
    }
    for set in
        [json!(null), json!([]), json!({}), json!({"keys": {}}), json!({"keys": ["x"]}), json!({"keys": vec![rsa; 17]})]
    {
        assert_eq!(ClientKeys::parse(&set).map(|_| ()), Err(KeySetError::Malformed), "{set}");
    }
}
