//! Claims: what Entra refuses to put into a token, and which token Graph takes while a challenge is ordered.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Fixture, VERIFIER, parameter};

const CP1: &str = r#""xms_cc":{"values":["cp1"]}"#;
const NBF: &str = r#""nbf":{"essential":true,"value":"1767225600"}"#;
const ACRS: &str = r#""acrs":{"essential":true,"value":"c1"}"#;

fn asking(members: &[&str]) -> String {
    format!("{{\"access_token\":{{{}}}}}", members.join(","))
}

impl Fixture {
    async fn order(&self, target: &str, fault: &str, times: Option<u32>) {
        let mut body = json!({"target": target, "fault": fault});
        if let Some(times) = times {
            body["times"] = times.into();
        }
        let answer = self.http.post(format!("{}/_control/faults", self.base)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// The tokens of a sign-in that carries these claims.
    async fn signed_in(&self, members: &[&str]) -> Value {
        let code = self.code(&[("claims", &asking(members))]).await;
        self.redeem(&code, VERIFIER).await
    }

    async fn refreshed(&self, tokens: &Value, members: &[&str]) -> Value {
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("claims", &asking(members))];
        self.token(&fields).await
    }

    /// Graph's status, and the claims that it asks for.
    async fn asked(&self, tokens: &Value) -> (u16, Option<String>) {
        let request = self.http.get(format!("{}/v1.0/me", self.base)).header("host", "graph.microsoft.com");
        let answer = request.bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap();
        let header = answer.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
        let encoded = header.and_then(|text| Some(text.split_once("claims=\"")?.1.trim_end_matches('"').to_owned()));
        let claims = encoded.map(|text| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap());
        (answer.status().as_u16(), claims)
    }
}

#[tokio::test]
async fn a_challenge_is_told_to_clients_that_understand_it_and_met_by_its_own_claims_only() {
    let fixture = Fixture::start().await;
    let plain = fixture.signed_in(&[]).await;
    let able = fixture.signed_in(&[CP1]).await;
    fixture.order("graph", "401-claims", None).await;
    assert_eq!(fixture.asked(&plain).await, (401, None));
    assert_eq!(fixture.asked(&able).await, (401, Some(asking(&[NBF]))));
    for wrong in [&[CP1][..], &[CP1, r#""nbf":{"essential":true,"value":"1"}"#]] {
        assert_eq!(fixture.asked(&fixture.refreshed(&able, wrong).await).await.0, 401, "{wrong:?}");
    }
    assert_eq!(fixture.asked(&fixture.refreshed(&able, &[CP1, NBF]).await).await, (200, None));
    assert_eq!(fixture.asked(&fixture.signed_in(&[CP1, NBF]).await).await, (200, None));
}

#[tokio::test]
async fn an_authentication_context_is_met_at_the_sign_in_and_by_its_refresh_token_only() {
    let fixture = Fixture::start().await;
    fixture.order("graph", "401-acrs", None).await;
    let able = fixture.signed_in(&[CP1]).await;
    assert_eq!(fixture.asked(&able).await, (401, Some(asking(&[ACRS]))));
    let refused = fixture.refreshed(&able, &[CP1, ACRS]).await;
    assert_eq!((&refused["error"], &refused["suberror"]), (&json!("interaction_required"), &json!("basic_action")));
    let code = fixture.code(&[("claims", &asking(&[CP1]))]).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", super::REDIRECT),
        ("code_verifier", VERIFIER),
        ("claims", &asking(&[ACRS])),
    ];
    assert_eq!(fixture.token(&fields).await["error"], "interaction_required", "the page did not show it");
    let met = fixture.signed_in(&[CP1, ACRS]).await;
    assert_eq!(fixture.asked(&met).await, (200, None));
    assert_eq!(fixture.asked(&fixture.refreshed(&met, &[CP1, ACRS]).await).await, (200, None));
    assert_eq!(fixture.asked(&fixture.refreshed(&met, &[CP1]).await).await.0, 401);
}

#[tokio::test]
async fn malformed_claims_are_refused_at_both_endpoints() {
    let fixture = Fixture::start().await;
    let tokens = fixture.signed_in(&[CP1]).await;
    for malformed in ["{", "[]", "\"access_token\"", r#"{"access_token":1}"#, r#"{"access_tokens":{}}"#] {
        let answer = fixture.authorize(&[("claims", malformed)]).await;
        assert_eq!(parameter(&answer, "error").as_deref(), Some("invalid_request"), "{malformed}");
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("claims", malformed)];
        assert_eq!(fixture.token(&fields).await["error"], "invalid_request", "{malformed}");
    }
}

#[tokio::test]
async fn a_counted_challenge_is_used_up_by_those_who_do_not_answer_it() {
    let fixture = Fixture::start().await;
    fixture.order("graph", "401-claims", Some(1)).await;
    let met = fixture.signed_in(&[CP1, NBF]).await;
    let able = fixture.signed_in(&[CP1]).await;
    assert_eq!(fixture.asked(&met).await.0, 200);
    assert_eq!(fixture.asked(&able).await.0, 401);
    assert_eq!(fixture.asked(&able).await.0, 200);
}
