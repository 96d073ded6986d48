//! However a grant ends, what is left is a tombstone that says no more than that it is over, and in the end nothing.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use serde_json::{Value, json};

use super::world::{REDIRECT, VERIFIER, World, encode, json_of, param, query_of};
use crate::agent::{AgentName, Command, GrantCommand};
use crate::crypto::Secret;
use crate::identity::{AccessIdentity, GrantId, UserId};
use crate::oauth;
use crate::oauth::token::{Kind, TokenKeys};
use crate::ports::Agents as _;
use crate::web::Response;

/// One person's sign-in with all that it brings, and every text of it that must not stay.
struct Life {
    world: World,
    client: String,
    code: String,
    tokens: Value,
    used: Vec<String>,
}

impl Life {
    /// Up to the way to Entra; what the browser was sent with.
    async fn begin() -> (Self, Vec<(String, String)>) {
        let world = World::new();
        *world.access.borrow_mut() =
            Some(AccessIdentity { sub: "access-sub-of-adele".into(), email: Some("adele@contoso.example".into()) });
        let client = world.public_client().await;
        let sent = world.approve(&client).await;
        let mut used: Vec<_> = ["state", "nonce", "code_challenge"].map(|name| param(&sent, name).unwrap()).into();
        used.extend(world.cookies.borrow().iter().map(|(_, value)| value.clone()));
        for text in ["Adele", "adele@contoso.example", "access-sub-of-adele", "Inbox Helper", VERIFIER, REDIRECT] {
            used.push(text.to_owned());
        }
        used.extend(["client state", "microsoft-access", "microsoft-refresh", "entra-code"].map(str::to_owned));
        (Self { world, client, code: String::new(), tokens: Value::Null, used }, sent)
    }

    async fn signed_in() -> Self {
        let (mut life, sent) = Self::begin().await;
        let query = encode(&[("code", "entra-code".into()), ("state", param(&sent, "state").unwrap())]);
        life.code = param(&query_of(&life.world.callback(&query).await), "code").unwrap();
        life.used.push(life.code.clone());
        life
    }

    async fn active() -> Self {
        let mut life = Self::signed_in().await;
        let tokens = json_of(&life.redeem().await);
        life.take(tokens);
        let renewed = json_of(&life.refresh(&life.refresh_token()).await);
        life.take(renewed);
        life
    }

    fn take(&mut self, tokens: Value) {
        for name in ["access_token", "refresh_token"] {
            self.used.push(tokens[name].as_str().unwrap().to_owned());
        }
        self.tokens = tokens;
    }

    fn refresh_token(&self) -> String {
        self.tokens["refresh_token"].as_str().unwrap().to_owned()
    }

    async fn redeem(&self) -> Response {
        self.world.token(&World::redeeming(&self.client, &self.code)).await
    }

    async fn refresh(&self, token: &str) -> Response {
        let asked = [
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", self.client.clone()),
            ("refresh_token", token.to_owned()),
        ];
        self.world.token(&asked).await
    }

    fn stamp(&self) -> (GrantId, UserId) {
        let config = self.world.platform.config.clone();
        let keys = TokenKeys::new(&config.keys.encryption);
        let stamp = keys.read(Kind::Refresh, &self.refresh_token(), 0).unwrap();
        (stamp.grant, stamp.user.unwrap())
    }

    /// What objects and KV hold; registrations of clients are nobody's person.
    fn dump(&self) -> String {
        let kv = self.world.platform.kv.entries.borrow();
        let entries = kv.iter().filter(|(key, _)| !key.starts_with("client:") && !key.starts_with("jwks:"));
        let entries = entries.map(|(key, value)| format!("{key} {}\n", String::from_utf8_lossy(value)));
        self.world.platform.agents.dump() + &entries.collect::<String>()
    }

    /// Nothing of the sign-in is left in any form in which it was kept.
    fn assert_gone(&self, end: &str) {
        let dump = self.dump();
        for text in &self.used {
            let random = text.rsplit('.').next().unwrap();
            let digest = Secret::new(text.as_str()).digest().to_string();
            for form in [text.as_str(), random, &digest] {
                assert!(!dump.contains(form), "{end}: {text} as {form} is left in {dump}");
            }
        }
        for kept in ["wrapped", "digest", "salt", "Blob", "grant:", &self.client] {
            assert!(!dump.contains(kept), "{end}: {kept} is left in {dump}");
        }
    }

    /// The tombstone, and the user's, and nothing beside them.
    fn assert_tombstone(&self, end: &str) {
        self.assert_gone(end);
        let (grant, user) = self.stamp();
        let ends_at = crate::support::START + 30 * 24 * 3600;
        let state = json!({"Revoked": {"grant": grant, "user": user, "ends_at": ends_at}});
        let dump = self.dump();
        let stored = dump.split("Text(\"{").nth(1).and_then(|rest| rest.split("}\")").next()).unwrap();
        let stored: Value = serde_json::from_str(&format!("{{{}}}", stored.replace("\\\"", "\""))).unwrap();
        assert_eq!(stored, state, "{end}");
        assert!(dump.contains(&format!("[Text(\"{grant}\"), Null, ")), "{end}: {dump}");
        assert_eq!(dump.lines().count(), 4, "{end}: a row and the schema's version in each: {dump}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_live_grant_holds_what_these_tests_look_for() {
    let life = Life::active().await;
    let dump = life.dump();
    for kept in ["wrapped", "digest", "Blob", "Adele", "access-sub-of-adele", "grant:", life.client.as_str()] {
        assert!(dump.contains(kept), "{kept} is not in {dump}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn every_revocation_leaves_a_tombstone_and_its_end_leaves_nothing() {
    for end in ["client", "user", "code reused", "refresh token reused"] {
        let life = Life::active().await;
        life.world.platform.clock.advance(5);
        let (grant, user) = life.stamp();
        match end {
            "client" => {
                let form = [("token", life.refresh_token()), ("client_id", life.client.clone())];
                let response = oauth::revoke::handle(&life.world.exchange(), &life.world.post(&encode(&form))).await;
                assert_eq!(response.status, 200);
            }
            "user" => {
                let command = Command::Grant(GrantCommand::RevokeByUser { user });
                life.world.platform.agents.call(&AgentName::Grant(grant), &command).await.unwrap();
            }
            "code reused" => assert_eq!(life.redeem().await.status, 400),
            _ => {
                let first = life.used.iter().find(|text| text.starts_with("m365r.")).unwrap();
                let newest = json_of(&life.refresh(&life.refresh_token()).await);
                assert!(newest["refresh_token"].is_string());
                assert_eq!(life.refresh(first).await.status, 400);
            }
        }
        life.assert_tombstone(end);
        life.world.platform.agents.wake_all().await;
        life.assert_tombstone(end);
        assert_eq!(life.refresh(&life.refresh_token()).await.status, 400);
        life.world.platform.clock.advance(30 * 24 * 3600);
        life.world.platform.agents.wake_all().await;
        assert_eq!(life.dump(), "", "{end}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_grant_whose_time_is_over_leaves_nothing() {
    let life = Life::active().await;
    life.world.platform.clock.advance(30 * 24 * 3600);
    life.world.platform.agents.wake_all().await;
    assert_eq!(life.dump(), "");
}

#[tokio::test(flavor = "current_thread")]
async fn a_sign_in_that_comes_to_nothing_leaves_nothing_and_its_cookies_are_dead() {
    for end in ["never came back", "refused at Entra", "code never redeemed"] {
        let (life, sent) = Life::begin().await;
        let state = param(&sent, "state").unwrap();
        let jar = life.world.cookies.borrow().clone();
        match end {
            "never came back" => {}
            "refused at Entra" => {
                life.world.callback(&encode(&[("error", "access_denied".into()), ("state", state.clone())])).await;
            }
            _ => {
                life.world.callback(&encode(&[("code", "entra-code".into()), ("state", state.clone())])).await;
            }
        }
        life.world.platform.clock.advance(if end == "never came back" { 600 } else { 60 });
        life.world.platform.agents.wake_all().await;
        assert_eq!(life.dump(), "", "{end}");
        *life.world.cookies.borrow_mut() = jar;
        let again = encode(&[("code", "entra-code".into()), ("state", state)]);
        let response = life.world.callback(&again).await;
        assert!(matches!(response.status, 400 | 403), "{end}: {}", response.status);
        assert!(response.header("location").is_none());
        assert_eq!(life.dump(), "", "{end}: asking stored nothing");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_a_failing_storage_kept_at_a_revocation_goes_with_the_alarm() {
    use super::granted::{Granted, presented, user};
    use crate::agent::{GrantReply, Presented};
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    let session = Presented { session: Some("one".to_owned()), ..presented(&tokens.access) };
    granted.ask(GrantCommand::EndSession(session)).await.unwrap();
    // Load and store succeed, clearing does not.
    granted.sql.budget.set(Some(2));
    assert_eq!(granted.ask(GrantCommand::RevokeByUser { user: user() }).await, Ok(GrantReply::Done));
    granted.sql.budget.set(None);
    assert!(granted.dump().contains("\"one\""), "{}", granted.dump());
    assert!(granted.platform.alarm.0.get().unwrap() <= granted.now() + 60);
    granted.grant.sweep().await.unwrap();
    assert!(!granted.dump().contains("\"one\""));
}
