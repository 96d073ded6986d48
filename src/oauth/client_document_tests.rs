#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use serde_json::json;

use super::*;
use crate::support::{EcSigner, Signer};

const ADDRESS: &str = "https://app.contoso.example/client.json";

fn document() -> Value {
    json!({
        "client_id": ADDRESS, "client_name": "Contoso Inbox",
        "redirect_uris": ["https://app.contoso.example/cb", "http://127.0.0.1/cb"],
        "token_endpoint_auth_method": "none",
    })
}

/// The document with one member changed; null takes it away.
fn with(member: &str, value: Value) -> Value {
    let mut changed = document();
    match value {
        Value::Null => drop(changed.as_object_mut().unwrap().remove(member)),
        value => changed[member] = value,
    }
    changed
}

fn read(document: &Value) -> Result<Client, DocumentError> {
    parse(ADDRESS, document.to_string().as_bytes(), &[], 1)
}

#[test]
fn a_document_becomes_the_client_that_it_describes() {
    let client = read(&with("client_name", json!("Contoso \u{202e}Inbox"))).unwrap();
    assert_eq!((client.client_id.as_str(), client.client_name.as_deref()), (ADDRESS, Some("Contoso Inbox")));
    assert_eq!(client.redirect_uris, ["https://app.contoso.example/cb", "http://127.0.0.1/cb"]);
    assert_eq!((client.secret, client.keys), (None, None));
    // What this server does not read is no fault.
    assert!(read(&with("logo_uri", json!("javascript:alert(1)"))).is_ok());
}

#[test]
fn a_document_that_breaks_a_rule_makes_no_client() {
    use DocumentError as E;
    for (member, value, expected) in [
        ("client_id", json!("https://app.contoso.example/client.json/"), E::OtherId),
        ("client_id", json!("https://APP.contoso.example/client.json"), E::OtherId),
        ("client_id", json!("https://evil.example/client.json"), E::OtherId),
        ("client_id", Value::Null, E::Malformed),
        ("client_id", json!(7), E::Malformed),
        ("client_name", Value::Null, E::Name),
        ("client_name", json!(" \u{200b}"), E::Name),
        ("client_name", json!(["x"]), E::Malformed),
        ("redirect_uris", Value::Null, E::RedirectUris),
        ("redirect_uris", json!([]), E::RedirectUris),
        ("redirect_uris", json!("https://app.contoso.example/cb"), E::Malformed),
        ("redirect_uris", json!(["https://app.contoso.example/cb", "javascript:alert(1)"]), E::RedirectUris),
        ("redirect_uris", json!(["http://app.contoso.example/cb"]), E::RedirectUris),
        ("redirect_uris", json!(["https://app.contoso.example/cb#x"]), E::RedirectUris),
        ("redirect_uris", json!(["cursor://x/cb"]), E::RedirectUris),
        ("client_secret", json!("hunter2"), E::Secret),
        ("client_secret", json!(""), E::Secret),
        ("client_secret_expires_at", json!(0), E::Secret),
        ("token_endpoint_auth_method", json!("client_secret_basic"), E::AuthMethod),
        ("token_endpoint_auth_method", json!("client_secret_post"), E::AuthMethod),
        ("token_endpoint_auth_method", json!("client_secret_jwt"), E::AuthMethod),
        ("token_endpoint_auth_method", json!("tls_client_auth"), E::AuthMethod),
        ("token_endpoint_auth_methods_supported", json!(["none", "client_secret_jwt"]), E::AuthMethod),
        ("token_endpoint_auth_method", json!("private_key_jwt"), E::NoKeys),
        ("grant_types", json!(["implicit"]), E::Flow),
        ("response_types", json!(["token"]), E::Flow),
        ("jwks", json!([]), E::Keys(KeySetError::Malformed)),
        ("jwks", json!({"keys": []}), E::Keys(KeySetError::NoneUsable)),
        ("jwks", json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}), E::Keys(KeySetError::Private)),
        ("jwks", json!({"keys": [{"kty": "EC", "crv": "P-256", "d": "x"}]}), E::Keys(KeySetError::Private)),
        ("jwks_uri", json!("http://app.contoso.example/keys"), E::KeysElsewhere),
        ("jwks_uri", json!("https://keys.contoso.example/keys"), E::KeysElsewhere),
        ("jwks_uri", json!("https://169.254.169.254/keys"), E::KeysElsewhere),
    ] {
        let changed = with(member, value);
        assert_eq!(read(&changed).err(), Some(expected), "{changed}");
    }
}

#[test]
fn only_a_json_object_in_utf_8_is_a_document() {
    let text = document().to_string();
    let twice = text.replacen('{', &format!("{{\"client_id\":\"{ADDRESS}\","), 1);
    let bom = format!("\u{feff}{text}");
    let latin = [text.replace("Contoso Inbox", "Inbox ").as_bytes(), b"\xe9"].concat();
    let mut invalid = text.clone().into_bytes();
    let at = text.find("Inbox").unwrap();
    invalid[at] = 0xff;
    for body in [
        b"".as_slice(),
        b"[]",
        b"null",
        b"<html></html>",
        twice.as_bytes(),
        bom.as_bytes(),
        &latin,
        &invalid,
        b"{\"a\":1}x",
    ] {
        let outcome = parse(ADDRESS, body, &[], 1).err();
        assert_eq!(outcome, Some(DocumentError::Malformed), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn every_way_that_a_document_offers_and_this_server_takes_is_open_to_it() {
    let keys = json!({"keys": [Signer::new("k1", 0).jwk(), EcSigner::new("k2", 0).jwk()]});
    let methods = |preferred: Value, offered: Value, jwks: &Value| {
        let mut changed = with("token_endpoint_auth_method", preferred);
        changed["token_endpoint_auth_methods_supported"] = offered;
        changed["jwks"] = jwks.clone();
        read(&changed).map(|client| (client.auth_method, client.other_method))
    };
    let (none, jwt) = (AuthMethod::None, AuthMethod::PrivateKeyJwt);
    let null = Value::Null;
    assert_eq!(methods(null.clone(), null.clone(), &null), Ok((none, None)));
    assert_eq!(methods(json!("none"), null.clone(), &null), Ok((none, None)));
    assert_eq!(methods(json!("private_key_jwt"), null.clone(), &keys), Ok((jwt, None)));
    assert_eq!(methods(json!("private_key_jwt"), json!(["none", "private_key_jwt"]), &keys), Ok((none, Some(jwt))));
    assert_eq!(methods(json!("none"), json!(["none", "self_signed_tls_client_auth"]), &null), Ok((none, None)));
    assert_eq!(
        methods(json!("private_key_jwt"), json!(["none", "private_key_jwt"]), &null),
        Err(DocumentError::NoKeys)
    );
}

#[test]
fn keys_at_an_address_of_the_documents_own_host_are_taken() {
    let mut changed = with("jwks_uri", json!("https://app.contoso.example/keys.json"));
    changed["token_endpoint_auth_method"] = json!("private_key_jwt");
    changed["token_endpoint_auth_signing_alg"] = json!("RS256");
    let client = read(&changed).unwrap();
    assert_eq!(client.keys, Some(KeySource::JwksUri("https://app.contoso.example/keys.json".into())));
    assert_eq!(client.signing_alg, Some(SigningAlg::Rs256));
    changed["token_endpoint_auth_signing_alg"] = json!("HS256");
    assert_eq!(read(&changed).err(), Some(DocumentError::AuthMethod));
    changed["jwks"] = json!({"keys": [Signer::new("k1", 0).jwk()]});
    assert_eq!(read(&changed).err(), Some(DocumentError::NoKeys), "two places are one too many");
}
