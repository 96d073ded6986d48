//! `/account`: signing in to it, seeing and ending grants, and everything hostile on that way.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a flow that cannot go on should stop")]

use serde_json::json;

use super::world::{World, encode, json_of, param, query_of};
use crate::account;
use crate::identity::AccessIdentity;
use crate::oauth;
use crate::web::Response;

fn person(sub: &str) -> AccessIdentity {
    AccessIdentity { sub: sub.to_owned(), email: Some(format!("{sub}@contoso.example")) }
}

impl World {
    async fn account(&self) -> Response {
        let response = account::show(&self.exchange(), &self.get("")).await;
        self.take_cookies(&response);
        response
    }

    async fn press(&self, form: &str) -> Response {
        let response = account::act(&self.exchange(), &self.submit(form)).await;
        self.take_cookies(&response);
        response
    }

    /// Up to Entra; the parameters of its URL.
    async fn begin_account(&self) -> Vec<(String, String)> {
        let response = self.press("deed=sign-in").await;
        assert_eq!(response.status, 302, "{}", response.body_text());
        let sent = query_of(&response);
        self.claims.borrow_mut()["nonce"] = json!(param(&sent, "nonce").unwrap());
        sent
    }

    async fn end_account_sign_in(&self, query: &str) -> Response {
        let response = account::finish(&self.exchange(), &self.get(query)).await;
        self.take_cookies(&response);
        response
    }

    async fn sign_in_to_account(&self) {
        let sent = self.begin_account().await;
        let response = self.end_account_sign_in(&back(&param(&sent, "state").unwrap())).await;
        assert_eq!(response.header("location"), Some("http://localhost:8787/account"), "{}", response.body_text());
    }

    async fn connect(&self) -> (String, String) {
        let client = self.public_client().await;
        let code = self.sign_in(&client).await;
        let tokens = json_of(&self.token(&World::redeeming(&client, &code)).await);
        (client, tokens["refresh_token"].as_str().unwrap().to_owned())
    }

    async fn stands(&self, (client, token): &(String, String)) -> bool {
        let asked = [
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", client.clone()),
            ("refresh_token", token.clone()),
        ];
        self.token(&asked).await.status == 200
    }
}

fn back(state: &str) -> String {
    encode(&[("code", "entra-code".into()), ("state", state.to_owned())])
}

/// The body that pressing the page's button with this `deed` posts; the first of several.
fn button(page: &Response, deed: &str) -> String {
    let html = page.body_text().into_owned();
    let form = html
        .split("<form")
        .find(|form| form.contains(&format!("value=\"{deed}\"")))
        .unwrap_or_else(|| panic!("{html}"));
    let fields = form.split("<input type=\"hidden\" name=\"").skip(1).map(|field| {
        let (name, rest) = field.split_once("\" value=\"").unwrap();
        (name, rest.split_once('"').unwrap().0.to_owned())
    });
    encode(&fields.collect::<Vec<_>>())
}

#[tokio::test(flavor = "current_thread")]
async fn a_person_sees_their_apps_and_ends_one() {
    let world = World::new();
    *world.access.borrow_mut() = Some(person("adele"));
    let (kept, ended) = (world.connect().await, world.connect().await);
    let welcome = world.account().await;
    assert!(welcome.body_text().contains("Sign in with Microsoft") && !welcome.body_text().contains("Inbox Helper"));
    world.sign_in_to_account().await;
    let page = world.account().await;
    let html = page.body_text();
    for shown in [
        "Adele",
        "adele@contoso.example",
        "Inbox Helper",
        kept.0.as_str(),
        "127.0.0.1:4711",
        "2 March 2026, 09:00 UTC",
        "1 April 2026, 09:00 UTC",
        "Read, change, move and delete your mail",
    ] {
        assert!(html.contains(shown), "{shown} is not in {html}");
    }
    assert!(!html.contains("<script"));
    assert!(!page.header("content-security-policy").unwrap().contains("form-action"));
    let response = world.press(&button(&page, "end")).await;
    assert_eq!(response.header("location"), Some("http://localhost:8787/account?done"));
    assert!(!world.stands(&ended).await, "the newest is the first on the page");
    assert!(world.stands(&kept).await);
    let left = world.account().await.body_text().into_owned();
    assert!(left.contains(&kept.0) && !left.contains(&ended.0), "{left}");
}

#[tokio::test(flavor = "current_thread")]
async fn ending_all_ends_all_and_signing_out_forgets_the_session() {
    let world = World::new();
    let apps = [world.connect().await, world.connect().await];
    world.sign_in_to_account().await;
    let page = world.account().await;
    assert_eq!(world.press(&button(&page, "end-all")).await.status, 302);
    for app in &apps {
        assert!(!world.stands(app).await);
    }
    let page = world.account().await;
    assert!(page.body_text().contains("No app has access"));
    world.press(&button(&page, "sign-out")).await;
    assert!(world.cookies.borrow().is_empty());
    assert!(world.account().await.body_text().contains("Sign in with Microsoft"));
}

#[tokio::test(flavor = "current_thread")]
async fn the_sign_in_asks_entra_for_the_identity_alone_and_stores_nothing() {
    let world = World::new();
    let sent = world.begin_account().await;
    assert_eq!(param(&sent, "scope").as_deref(), Some("openid profile"));
    assert_eq!(param(&sent, "code_challenge_method").as_deref(), Some("S256"));
    assert!(param(&sent, "state").unwrap().starts_with("m365u."));
    world.end_account_sign_in(&back(&param(&sent, "state").unwrap())).await;
    assert_eq!(world.platform.agents.hops.get(), 0);
    assert!(world.platform.kv.entries.borrow().keys().all(|key| key.starts_with("jwks:")));
    assert_eq!(world.platform.agents.dump(), "");
    let log = world.platform.log.text();
    assert!(log.contains("account.signed_in") && !log.contains("m365u.") && !log.contains("entra-code"), "{log}");
}

#[tokio::test(flavor = "current_thread")]
async fn what_entra_refused_is_told_to_the_person_and_the_log_by_its_number_alone() {
    for (error, number, status, shown, logged) in [
        ("access_denied", "AADSTS65004", 403, "The user declined the permissions", "denied declined AADSTS65004"),
        ("interaction_required", "AADSTS53003", 403, "Conditional Access policy", "conditional_access AADSTS53003"),
        ("access_denied", "", 403, "You cancelled it", "denied"),
        ("unauthorized_client", "AADSTS700016", 503, "Microsoft refuses this server", "app_unknown AADSTS700016"),
    ] {
        let world = World::new();
        let state = param(&world.begin_account().await, "state").unwrap();
        let text = format!("{number}: <b>adele@contoso.example");
        let query = [("error", error.to_owned()), ("error_description", text), ("state", state)];
        let page = world.end_account_sign_in(&encode(&query)).await;
        let (html, log) = (page.body_text(), world.platform.log.text());
        assert_eq!(page.status, status, "{html}");
        assert!(html.contains(shown) && !html.contains("adele"), "{html}");
        assert!(log.contains(&format!("{logged}\"")) && !log.contains("adele"), "{log}");
        assert!(world.cookies.borrow().is_empty() && world.platform.upstream.seen.borrow().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_lasts_ten_minutes_and_is_one_persons() {
    let world = World::new();
    *world.access.borrow_mut() = Some(person("adele"));
    world.sign_in_to_account().await;
    let page = world.account().await;
    let sign_out = button(&page, "sign-out");
    *world.access.borrow_mut() = Some(person("eve"));
    assert!(world.account().await.body_text().contains("Sign in with Microsoft"), "another Access identity");
    assert_eq!(world.press(&sign_out).await.status, 403);
    *world.access.borrow_mut() = None;
    assert_eq!(world.press(&sign_out).await.status, 403);
    *world.access.borrow_mut() = Some(person("adele"));
    world.platform.clock.advance(600);
    assert!(world.account().await.body_text().contains("Sign in with Microsoft"), "too old");
    assert_eq!(world.press(&sign_out).await.status, 403);
}

#[tokio::test(flavor = "current_thread")]
async fn a_button_counts_only_from_the_page_with_its_own_token_and_session() {
    let world = World::new();
    let apps = [world.connect().await, world.connect().await];
    world.sign_in_to_account().await;
    let page = world.account().await;
    let (end, end_all, sign_out) = (button(&page, "end"), button(&page, "end-all"), button(&page, "sign-out"));
    let token_of = |form: &str| form.rsplit_once("token=").unwrap().1.to_owned();
    let grant = end.split_once("grant=").unwrap().1.split('&').next().unwrap().to_owned();
    let other = page.body_text().split("name=\"grant\" value=\"").nth(2).unwrap().split('"').next().unwrap().to_owned();
    for forged in [
        "deed=end-all".to_owned(),
        "deed=end-all&token=".to_owned(),
        format!("deed=end-all&token={}", token_of(&sign_out)),
        format!("deed=end-all&token={}", token_of(&end)),
        format!("deed=end&grant={grant}&token={}", token_of(&end_all)),
        format!("deed=end&grant={other}&token={}", token_of(&end)),
    ] {
        assert_eq!(world.press(&forged).await.status, 403, "{forged}");
    }
    for malformed in [format!("{end_all}&deed=end-all"), "deed=frob&token=x".into(), "deed=end&grant=x&token=x".into()]
    {
        assert_eq!(world.press(&malformed).await.status, 400, "{malformed}");
    }
    for headers in [vec![], vec![("sec-fetch-site", "cross-site")], vec![("origin", "https://evil.example")]] {
        let mut request = world.post(&end_all);
        request.headers.extend(headers.into_iter().map(|(name, value)| (name, value.to_owned())));
        assert_eq!(account::act(&world.exchange(), &request).await.status, 403, "{:?}", request.headers);
    }
    let jar = world.cookies.take();
    assert_eq!(world.press(&end_all).await.status, 403, "without the cookie");
    *world.cookies.borrow_mut() = jar;
    world.sign_in_to_account().await;
    assert_eq!(world.press(&end_all).await.status, 403, "a token of the session before");
    for app in &apps {
        assert!(world.stands(app).await);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn another_users_grant_is_neither_shown_nor_ended() {
    let world = World::new();
    let adeles = world.connect().await;
    world.sign_in_to_account().await;
    let grant_of_adele = button(&world.account().await, "end");
    let grant = grant_of_adele.split_once("grant=").unwrap().1.split('&').next().unwrap().to_owned();
    world.claims.borrow_mut()["oid"] = json!("0a1b2c3d-0000-4000-8000-000000000bad");
    world.sign_in_to_account().await;
    let page = world.account().await;
    assert!(page.body_text().contains("No app has access"));
    assert_eq!(world.press(&grant_of_adele).await.status, 403);
    // Even a genuine token for it, which no page shows, ends nothing: the grant's object asks whose it is.
    let exchange = world.exchange();
    let session = account::session::open(&exchange, &world.get("")).unwrap();
    let token = session.token(&exchange, &account::session::Deed::End(grant.parse().unwrap()));
    world.press(&format!("deed=end&grant={grant}&token={token}")).await;
    assert!(world.stands(&adeles).await);
}

#[tokio::test(flavor = "current_thread")]
async fn a_state_of_one_kind_of_sign_in_is_refused_by_the_other() {
    let world = World::new();
    let client = world.public_client().await;
    let grants = param(&world.approve(&client).await, "state").unwrap();
    let accounts = param(&world.begin_account().await, "state").unwrap();
    assert!(account::returns(&world.get(&back(&accounts))) && !account::returns(&world.get(&back(&grants))));
    for state in [&grants, &grants.replacen("m365s", "m365u", 1), &accounts.replacen("m365u", "m365s", 1)] {
        let response = world.end_account_sign_in(&back(state)).await;
        assert_eq!(response.status, 403, "{state}");
    }
    let exchange = world.exchange();
    for state in [&accounts, &accounts.replacen("m365u", "m365s", 1), &grants.replacen("m365s", "m365u", 1)] {
        let response = oauth::callback::handle(&exchange, &world.get(&back(state))).await;
        assert_eq!((response.status, response.header("location")), (403, None), "{state}");
    }
    assert!(world.platform.upstream.seen.borrow().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_return_counts_only_in_the_browser_and_for_the_person_that_began_it() {
    let world = World::new();
    *world.access.borrow_mut() = Some(person("adele"));
    let state = param(&world.begin_account().await, "state").unwrap();
    let jar = world.cookies.take();
    assert_eq!(world.end_account_sign_in(&back(&state)).await.status, 403, "another browser");
    *world.cookies.borrow_mut() = jar;
    *world.access.borrow_mut() = Some(person("eve"));
    assert_eq!(world.end_account_sign_in(&back(&state)).await.status, 403, "another person");
    *world.access.borrow_mut() = Some(person("adele"));
    assert!(world.platform.upstream.seen.borrow().is_empty());
    assert_eq!(world.end_account_sign_in(&back(&state)).await.status, 302);
    assert_eq!(world.end_account_sign_in(&back(&state)).await.status, 403, "a second time");
    let late = param(&world.begin_account().await, "state").unwrap();
    world.platform.clock.advance(600);
    assert_eq!(world.end_account_sign_in(&back(&late)).await.status, 400);
}

#[tokio::test(flavor = "current_thread")]
async fn whom_entra_does_not_vouch_for_gets_no_session() {
    for (claim, value, status) in [
        ("nonce", json!("x"), 500),
        ("aud", json!("x"), 500),
        ("tid", json!("9188040d-6c67-4c5b-b112-36a304b66dad"), 403),
    ] {
        let world = World::new();
        let state = param(&world.begin_account().await, "state").unwrap();
        world.claims.borrow_mut()[claim] = value.clone();
        if claim == "tid" {
            let issuer = format!("https://login.microsoftonline.com/{}/v2.0", value.as_str().unwrap());
            world.claims.borrow_mut()["iss"] = json!(issuer);
        }
        assert_eq!(world.end_account_sign_in(&back(&state)).await.status, status, "{claim}");
        assert!(world.cookies.borrow().is_empty());
    }
    let world = World::new();
    let state = param(&world.begin_account().await, "state").unwrap();
    let refused = encode(&[("error", "access_denied".into()), ("state", state)]);
    assert_eq!(world.end_account_sign_in(&refused).await.status, 403);
}

#[tokio::test(flavor = "current_thread")]
async fn an_end_that_could_not_be_carried_out_is_said() {
    let world = World::new();
    let app = world.connect().await;
    world.sign_in_to_account().await;
    let page = world.account().await;
    world.platform.agents.fail.set(true);
    for deed in ["end", "end-all"] {
        let form = if deed == "end" { button(&page, deed) } else { "deed=end-all".to_owned() };
        let response = world.press(&form).await;
        assert_eq!(response.status, if deed == "end" { 503 } else { 403 });
    }
    assert_eq!(world.account().await.status, 503);
    world.platform.agents.fail.set(false);
    assert!(world.stands(&app).await);
}
