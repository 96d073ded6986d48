//! The Entra leg: the exact requests, the classes of refusal, and what a grant makes of them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use serde_json::json;

use super::granted::{Granted, MICROSOFT_ACCESS, entra_answer, presented, refresh};
use crate::agent::{GrantError, TokenSource as _};
use crate::crypto::Secret;
use crate::identity::{Scope, ScopeSet};
use crate::oauth::entra::{Entra, EntraError};
use crate::ports::{Clock, OutboundResponse, UpstreamError};
use crate::support::{NativePs256, TENANT, TestPlatform, json_response};

/// That we understand claims challenges, as it stands in a URL.
const CP1: &str = "%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22cp1%22%5D%7D%7D%7D";

pub(super) fn entra(platform: &TestPlatform) -> Entra<'_> {
    Entra {
        microsoft: &platform.config.microsoft,
        redirect_uri: platform.config.public_url.join("/callback"),
        upstream: &*platform.upstream,
        ps256: &NativePs256,
        random: &*platform.random,
        now: platform.clock.now(),
    }
}

const AWAY: EntraError = EntraError::Unavailable { retry_after: None };

fn refusal(error: &str) -> serde_json::Value {
    json!({ "error": error, "error_description": "AADSTS50173: adele@contoso.example …", "error_codes": [50173] })
}

/// The one request that was sent, its form fields in order.
fn sent(platform: &TestPlatform) -> (String, Vec<(String, String)>) {
    let seen = platform.upstream.seen.borrow();
    let request = seen.first().unwrap();
    assert_eq!(request.method, "POST");
    assert!(request.headers.contains(&("content-type".into(), "application/x-www-form-urlencoded".into())));
    assert!(request.headers.iter().all(|(name, _)| name != "origin" && name != "authorization"));
    let form = form_urlencoded::parse(request.body.as_deref().unwrap());
    (request.url.clone(), form.into_owned().collect())
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[test]
fn the_browser_is_sent_to_its_own_tenants_page_with_all_that_binds_the_answer() {
    let platform = TestPlatform::new(&[]);
    let scopes = ScopeSet::of(&[Scope::UserRead, Scope::MailSend]);
    let url = entra(&platform).authorize_url(&Secret::new("m365s.a.b"), "nonce-1", "challenge-1", scopes);
    assert_eq!(
        url,
        format!(
            "http://localhost:8788/login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize?response_type=code\
             &client_id=11111111-2222-4333-8444-555555555555&state=m365s.a.b&scope=openid+profile+offline_access\
             +https%3A%2F%2Fgraph.microsoft.com%2FUser.Read+https%3A%2F%2Fgraph.microsoft.com%2FMail.Send\
             &redirect_uri=http%3A%2F%2Flocalhost%3A8787%2Fcallback&response_mode=query&prompt=select_account\
             &nonce=nonce-1&claims={CP1}&code_challenge=challenge-1&code_challenge_method=S256"
        )
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_code_is_traded_with_verifier_and_secret_in_the_form() {
    let platform = TestPlatform::new(&[("MICROSOFT_CLIENT_SECRET", "a+b/c &=~%")]);
    let mut answer = entra_answer(7);
    answer["id_token"] = json!("header.claims.signature");
    platform.upstream.push_json(200, &answer);
    let verifier = Secret::new("v".repeat(43));
    let sign_in =
        entra(&platform).exchange_code(&Secret::new("entra-code"), &verifier, ScopeSet::default(), None).await.unwrap();
    let (url, form) = sent(&platform);
    assert_eq!(url, format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"));
    let expected = [
        ("grant_type", "authorization_code"),
        ("code", "entra-code"),
        ("code_verifier", verifier.expose()),
        ("client_id", "11111111-2222-4333-8444-555555555555"),
        ("client_secret", "a+b/c &=~%"),
        ("redirect_uri", "http://localhost:8787/callback"),
        ("claims", r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#),
    ];
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())), "and no resource");
    assert_eq!(sign_in.id_token, Secret::new("header.claims.signature"));
    assert_eq!(sign_in.tokens.access, Secret::new("microsoft-access-token-7"));
    assert_eq!(sign_in.tokens.expires_at, platform.clock.now() + 3600);
    assert_eq!(sign_in.tokens.scopes, ScopeSet::of(&[Scope::UserRead, Scope::MailRead, Scope::MailSend]));
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_that_names_no_scopes_granted_what_was_asked() {
    let platform = TestPlatform::new(&[]);
    let mut answer = entra_answer(7);
    answer["id_token"] = json!("header.claims.signature");
    answer.as_object_mut().unwrap().remove("scope");
    platform.upstream.push_json(200, &answer);
    let asked = ScopeSet::of(&[Scope::MailRead, Scope::CalendarsRead]);
    let sign_in = entra(&platform).exchange_code(&Secret::new("c"), &Secret::new("v"), asked, None).await.unwrap();
    assert_eq!(sign_in.tokens.scopes, asked);
}

#[test]
fn no_narrower_scope_is_asked_for_beside_the_wider_one() {
    let platform = TestPlatform::new(&[]);
    let scopes = ScopeSet::of(&[Scope::MailRead, Scope::MailReadWrite, Scope::CalendarsRead]);
    let url = entra(&platform).authorize_url(&Secret::new("s"), "n", "c", scopes);
    assert!(!url.contains("Mail.Read+") && url.contains("Mail.ReadWrite") && url.contains("Calendars.Read"), "{url}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_sign_in_without_an_id_token_is_malformed() {
    let platform = TestPlatform::new(&[]);
    platform.upstream.push_json(200, &entra_answer(1));
    let result = entra(&platform).exchange_code(&Secret::new("c"), &Secret::new("v"), ScopeSet::default(), None).await;
    assert_eq!(result.unwrap_err(), EntraError::Malformed);
}

#[tokio::test(flavor = "current_thread")]
async fn a_refresh_names_the_scopes_of_one_resource() {
    let platform = TestPlatform::new(&[]);
    platform.upstream.push_json(200, &entra_answer(1));
    entra(&platform).refresh(&Secret::new("r"), ScopeSet::of(&[Scope::MailRead]), None).await.unwrap();
    let (_, form) = sent(&platform);
    assert_eq!(field(&form, "grant_type"), Some("refresh_token"));
    assert_eq!(field(&form, "refresh_token"), Some("r"));
    let scope = "openid profile offline_access https://graph.microsoft.com/Mail.Read";
    assert_eq!(field(&form, "scope"), Some(scope));
    assert_eq!(field(&form, "resource"), None);
}

#[tokio::test(flavor = "current_thread")]
async fn refusals_are_told_apart_by_error_and_suberror_and_never_by_text() {
    let needed = EntraError::SignInNeeded { code: Some(50173) };
    let consent = EntraError::ConsentNeeded { code: Some(50173) };
    let [mut of_user, mut of_consent] = [refusal("something_new"), refusal("invalid_grant")];
    of_user["suberror"] = json!("basic_action");
    of_consent["suberror"] = json!("consent_required");
    let cases = [
        (400, refusal("invalid_grant"), needed.clone()),
        (400, refusal("interaction_required"), needed.clone()),
        (400, refusal("login_required"), needed.clone()),
        (400, refusal("consent_required"), consent.clone()),
        (400, of_user, needed),
        (400, of_consent, consent),
        (401, refusal("invalid_client"), EntraError::RefusesServer { code: Some(50173) }),
        (400, refusal("unauthorized_client"), EntraError::RefusesServer { code: Some(50173) }),
        (400, refusal("something_new"), EntraError::RefusesServer { code: Some(50173) }),
        (400, refusal("access_denied"), EntraError::Denied { code: Some(50173) }),
        (400, refusal("temporarily_unavailable"), AWAY),
        (429, refusal("invalid_grant"), AWAY),
        (503, refusal("invalid_grant"), AWAY),
        (400, json!({ "message": "invalid_grant" }), EntraError::Malformed),
        (200, json!({ "access_token": "x", "token_type": "Bearer" }), EntraError::Malformed),
    ];
    for (status, body, expected) in cases {
        let platform = TestPlatform::new(&[]);
        platform.upstream.push_json(status, &body);
        let result = entra(&platform).refresh(&Secret::new("r"), ScopeSet::default(), None).await;
        assert_eq!(result, Err(expected), "{status} {body}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_page_instead_of_json_is_malformed_and_silence_is_unavailable() {
    let page = OutboundResponse {
        status: 200,
        headers: vec![("content-type".into(), "text/html".into())],
        body: b"<html>".to_vec(),
    };
    for (answer, expected) in [
        (Ok(page), EntraError::Malformed),
        (Ok(OutboundResponse { status: 502, ..OutboundResponse::default() }), AWAY),
        (Err(UpstreamError::Timeout), AWAY),
        (Err(UpstreamError::Unreachable), AWAY),
        (Err(UpstreamError::TooLarge), EntraError::Malformed),
    ] {
        let platform = TestPlatform::new(&[]);
        platform.upstream.queue.borrow_mut().push_back(answer);
        let result = entra(&platform).refresh(&Secret::new("r"), ScopeSet::default(), None).await;
        assert_eq!(result, Err(expected));
    }
}

/// A grant whose Microsoft token has less than a minute left.
async fn expiring() -> (Granted, Secret) {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    granted.platform.clock.advance(3540);
    (granted, tokens.access)
}

fn calls(granted: &Granted) -> usize {
    granted.platform.upstream.seen.borrow().len()
}

#[tokio::test(flavor = "current_thread")]
async fn a_token_with_a_minute_left_is_renewed_and_a_longer_one_is_not() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    granted.platform.clock.advance(3539);
    assert_eq!(granted.microsoft(&tokens.access).await, Ok(Secret::new(MICROSOFT_ACCESS)));
    assert_eq!(calls(&granted), 0);
    granted.platform.clock.advance(1);
    granted.platform.upstream.push_json(200, &entra_answer(1));
    assert_eq!(granted.microsoft(&tokens.access).await, Ok(Secret::new("microsoft-access-token-1")));
    assert!(granted.platform.log.text().contains(r#""reason":"renewed""#));
}

#[tokio::test(flavor = "current_thread")]
async fn the_newest_refresh_token_is_kept_and_used_also_when_entra_sends_none() {
    let (granted, access) = expiring().await;
    let by = presented(&access);
    let source = granted.grant.tokens(&by);
    granted.platform.upstream.push_json(200, &entra_answer(1));
    let first = source.token().await.unwrap();
    let mut without = entra_answer(2);
    without.as_object_mut().unwrap().remove("refresh_token");
    granted.platform.upstream.push_json(200, &without);
    let second = source.renewed(&first, None).await.unwrap();
    granted.platform.upstream.push_json(200, &entra_answer(3));
    source.renewed(&second, None).await.unwrap();
    let used: Vec<_> = granted.platform.upstream.seen.borrow().iter().map(refresh_token_of).collect();
    assert_eq!(used, ["microsoft-refresh-token-0", "microsoft-refresh-token-1", "microsoft-refresh-token-1"]);
}

fn refresh_token_of(request: &crate::ports::OutboundRequest) -> String {
    let form: Vec<_> = form_urlencoded::parse(request.body.as_deref().unwrap()).into_owned().collect();
    field(&form, "refresh_token").unwrap().to_owned()
}

#[tokio::test(flavor = "current_thread")]
async fn a_grant_that_needs_a_sign_in_fails_fast_until_the_user_comes_back() {
    let (mut granted, access) = expiring().await;
    granted.platform.upstream.push_json(400, &refusal("invalid_grant"));
    assert_eq!(granted.microsoft(&access).await, Err(GrantError::SignInNeeded));
    granted.evict();
    assert_eq!(granted.microsoft(&access).await, Err(GrantError::SignInNeeded));
    assert_eq!(granted.confirm(&access).await, Err(GrantError::SignInNeeded));
    assert_eq!(calls(&granted), 1, "Entra is not asked again");
    assert!(granted.dump().contains(r#""signInNeeded":true"#), "operators see it");
    let log = granted.platform.log.text();
    assert!(log.contains(r#""reason":"sign_in_needed session_revoked AADSTS50173""#), "{log}");
    assert!(!log.contains("AADSTS50173: "), "the description stays out: {log}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_refresh_does_not_hide_that_a_sign_in_is_needed() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    granted.platform.clock.advance(3540);
    granted.platform.upstream.push_json(400, &refusal("invalid_grant"));
    granted.microsoft(&tokens.access).await.unwrap_err();
    assert_eq!(granted.ask(refresh(&tokens.refresh)).await, Err(GrantError::SignInNeeded));
}

#[tokio::test(flavor = "current_thread")]
async fn an_entra_that_cannot_answer_is_asked_once_more_after_a_pause() {
    let (granted, access) = expiring().await;
    granted.platform.upstream.push_json(503, &refusal("temporarily_unavailable"));
    granted.platform.upstream.push_json(200, &entra_answer(1));
    assert_eq!(granted.microsoft(&access).await, Ok(Secret::new("microsoft-access-token-1")));
    assert_eq!(calls(&granted), 2);
    assert!(matches!(granted.platform.timer.waits.borrow().as_slice(), [1000..=1255]));
}

fn busy(status: u16, retry_after: &str) -> OutboundResponse {
    let mut response = json_response(status, &refusal("temporarily_unavailable"));
    response.headers.push(("retry-after".into(), retry_after.into()));
    response
}

#[tokio::test(flavor = "current_thread")]
async fn a_short_retry_after_is_waited_for() {
    for status in [429, 503] {
        let (granted, access) = expiring().await;
        granted.platform.upstream.queue.borrow_mut().push_back(Ok(busy(status, "4")));
        granted.platform.upstream.push_json(200, &entra_answer(1));
        assert!(granted.microsoft(&access).await.is_ok());
        assert!(matches!(granted.platform.timer.waits.borrow().as_slice(), [4000..=4255]));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_long_retry_after_fails_at_once_and_entra_is_left_alone_so_long_but_not_for_ever() {
    for (retry_after, away) in [("30", 30), ("18446744073709551615", 300)] {
        let granted = Granted::new();
        let (by, rejected) = (presented(&granted.tokens().await.access), Secret::new(MICROSOFT_ACCESS));
        let source = granted.grant.tokens(&by);
        granted.platform.upstream.queue.borrow_mut().push_back(Ok(busy(429, retry_after)));
        for pause in [0, 0, away - 1] {
            granted.platform.clock.advance(pause);
            assert_eq!(source.renewed(&rejected, None).await, Err(GrantError::EntraUnavailable));
        }
        assert_eq!((calls(&granted), granted.platform.timer.waits.borrow().len()), (1, 0));
        granted.platform.clock.advance(1);
        granted.platform.upstream.push_json(200, &entra_answer(1));
        assert!(source.renewed(&rejected, None).await.is_ok());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_entra_that_stays_away_costs_two_requests_and_no_grant() {
    let (granted, access) = expiring().await;
    for _ in 0..2 {
        granted.platform.upstream.queue.borrow_mut().push_back(Err(UpstreamError::Timeout));
    }
    assert_eq!(granted.microsoft(&access).await, Err(GrantError::EntraUnavailable));
    assert_eq!(calls(&granted), 2);
    granted.platform.upstream.push_json(200, &entra_answer(1));
    assert_eq!(granted.microsoft(&access).await, Ok(Secret::new("microsoft-access-token-1")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_refused_server_is_the_operators_business_and_not_the_users() {
    let (granted, access) = expiring().await;
    granted.platform.upstream.push_json(401, &refusal("invalid_client"));
    assert_eq!(granted.microsoft(&access).await, Err(GrantError::EntraRefusesServer));
    assert_eq!(calls(&granted), 1, "asking again would not help");
    assert!(granted.platform.log.text().contains(r#""reason":"server_refused "#), "operators can alert on it");
    granted.platform.upstream.queue.borrow_mut().push_back(Ok(json_response(200, &entra_answer(1))));
    assert!(granted.microsoft(&access).await.is_ok(), "the grant is kept");
}

#[tokio::test(flavor = "current_thread")]
async fn an_unknown_expired_or_revoked_client_token_opens_nothing_and_asks_nobody() {
    let (granted, access) = expiring().await;
    let altered = Secret::new(format!("{}A", access.expose()));
    assert_eq!(granted.microsoft(&altered).await, Err(GrantError::TokenInvalid));
    granted.platform.clock.advance(60);
    assert_eq!(granted.microsoft(&access).await, Err(GrantError::TokenInvalid));
    assert_eq!(calls(&granted), 0);
}
