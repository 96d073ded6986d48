//! An administrator's consent: the way to Microsoft's page and back, and that it gives nobody anything here.
#![expect(clippy::unwrap_used, reason = "a flow that cannot go on should stop")]

use super::world::{World, encode, param, query_of};
use crate::oauth;
use crate::support::TENANT;

impl World {
    /// From `/admin-consent` to Microsoft; the `state`.
    async fn ask_administrator(&self) -> String {
        let response = oauth::admin_consent::begin(&self.exchange(), &self.get("")).await;
        self.take_cookies(&response);
        param(&query_of(&response), "state").unwrap()
    }

    /// Nothing was asked of Entra or an object, nothing stored, nobody redirected.
    fn is_untouched(&self, hops: usize) -> bool {
        self.platform.upstream.seen.borrow().is_empty() && self.platform.agents.hops.get() == hops
    }
}

fn approved(state: &str) -> String {
    encode(&[("admin_consent", "True".into()), ("tenant", TENANT.into()), ("state", state.into())])
}

#[tokio::test(flavor = "current_thread")]
async fn an_administrator_is_sent_to_the_tenants_own_page_with_all_that_this_server_offers() {
    let world = World::new();
    let response = oauth::admin_consent::begin(&world.exchange(), &world.get("")).await;
    let location = response.header("location").unwrap();
    let page = format!("http://localhost:8788/login.microsoftonline.com/{TENANT}/v2.0/adminconsent?");
    assert!(location.starts_with(&page), "{location}");
    let sent = query_of(&response);
    assert_eq!(param(&sent, "client_id").as_deref(), Some("11111111-2222-4333-8444-555555555555"));
    assert_eq!(param(&sent, "redirect_uri").as_deref(), Some("http://localhost:8787/callback"));
    let scope = param(&sent, "scope").unwrap();
    assert!(scope.starts_with("openid profile offline_access https://graph.microsoft.com/"), "{scope}");
    assert!(param(&sent, "state").unwrap().starts_with("m365d."));
    assert_eq!(sent.len(), 4, "{sent:?}");
    assert!(world.platform.kv.entries.borrow().is_empty() && world.is_untouched(0));
}

#[tokio::test(flavor = "current_thread")]
async fn what_microsoft_reports_is_shown_and_changes_nothing() {
    for (reply, shown, logged) in [
        (vec![("admin_consent", "True"), ("tenant", "any")], "were approved", "reported"),
        (
            vec![("error", "access_denied"), ("error_description", "AADSTS65004: <b>adele")],
            "not approved",
            "denied declined",
        ),
        (vec![("error", "invalid_client"), ("admin_consent", "True")], "did not work", "server_refused"),
    ] {
        let world = World::new();
        let state = world.ask_administrator().await;
        let mut query: Vec<_> = reply.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        query.extend([("state", state), ("code", "entra-code".to_owned())]);
        let response = world.callback(&encode(&query)).await;
        let html = response.body_text();
        assert_eq!((response.status, response.header("location")), (200, None), "{html}");
        assert!(html.contains(shown) && !html.contains("adele"), "{html}");
        assert!(world.cookies.borrow().is_empty(), "the binding is over");
        assert!(world.platform.kv.entries.borrow().is_empty() && world.is_untouched(0));
        assert!(world.platform.log.text().contains(&format!(r#""reason":"{logged}"#)), "{}", world.platform.log.text());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_reply_without_a_state_of_this_browser_and_kind_is_refused() {
    let world = World::new();
    let client = world.public_client().await;
    let sign_in = param(&world.approve(&client).await, "state").unwrap();
    let state = world.ask_administrator().await;
    let hops = world.platform.agents.hops.get();
    let renamed = sign_in.replacen("m365s", "m365d", 1);
    for (query, status) in [
        ("admin_consent=True".to_owned(), 400),
        (format!("admin_consent=True&tenant={TENANT}"), 400),
        (approved("m365d.x.y"), 403),
        (approved(&format!("{state}A")), 403),
        (approved(&renamed), 403),
        (approved(&sign_in), 403),
        (format!("{}&admin_consent=True", approved(&state)), 400),
        (encode(&[("admin_consent", "False".into()), ("state", state.clone())]), 400),
    ] {
        let response = world.callback(&query).await;
        assert_eq!((response.status, response.header("location")), (status, None), "{query}");
        assert!(!response.body_text().contains("were approved"));
    }
    let jar = world.cookies.take();
    assert_eq!(world.callback(&approved(&state)).await.status, 403, "another browser");
    *world.cookies.borrow_mut() = jar;
    world.platform.clock.advance(600);
    assert_eq!(world.callback(&approved(&state)).await.status, 400, "too late");
    assert!(world.is_untouched(hops));
}

#[tokio::test(flavor = "current_thread")]
async fn an_administrators_state_signs_nobody_in_and_a_sign_in_survives_being_mistaken_for_it() {
    let world = World::new();
    let client = world.public_client().await;
    let sent = world.approve(&client).await;
    let sign_in = param(&sent, "state").unwrap();
    let state = world.ask_administrator().await;
    let hops = world.platform.agents.hops.get();
    for state in [state.clone(), state.replacen("m365d", "m365s", 1)] {
        let query = encode(&[("code", "entra-code".into()), ("state", state)]);
        let response = world.callback(&query).await;
        assert!(matches!(response.status, 400 | 403) && response.header("location").is_none(), "{query}");
    }
    assert_eq!(world.callback(&approved(&sign_in)).await.status, 403);
    assert!(world.is_untouched(hops));
    let query = encode(&[("code", "entra-code".into()), ("state", sign_in)]);
    assert!(param(&query_of(&world.callback(&query).await), "code").is_some(), "it was not used up");
}
