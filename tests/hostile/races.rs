//! Requests that come in together, and what breaks under them: whatever the interleaving, there is one live branch or
//! none, and no half state.
//!
//! The fakes rest a seeded number of turns at every await, and the scheduler below polls in a seeded order, so each seed
//! is another interleaving that repeats from run to run.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};

use super::site::{Browser, Site, asking, error_of, json_of, param, query_of, redeeming, refreshing, transaction_of};
use crate::crypto::Secret;
use crate::ports::{Sql as _, SqlValue};
use crate::web::Response;

/// How many orders each race is run in.
const SEEDS: u64 = 24;

type Racer<'a> = Pin<Box<dyn Future<Output = Response> + 'a>>;

/// Polls the racers in an order that the seed decides, until all are through.
fn race<'a>(site: &Site, seed: u64, racers: impl IntoIterator<Item = Racer<'a>>) -> Vec<Response> {
    site.platform.agents.pace.roll(seed);
    site.platform.kv.pace.roll(seed + 1);
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut running: Vec<_> = racers.into_iter().enumerate().collect();
    let mut done: Vec<_> = running.iter().map(|_| None).collect();
    let mut context = Context::from_waker(Waker::noop());
    while !running.is_empty() {
        let next = dice.next_u32() as usize % running.len();
        if let std::task::Poll::Ready(response) = running[next].1.as_mut().poll(&mut context) {
            let (index, _) = running.swap_remove(next);
            done[index] = Some(response);
        }
    }
    done.into_iter().flatten().collect()
}

fn racer<'a>(future: impl Future<Output = Response> + 'a) -> Racer<'a> {
    Box::pin(future)
}

fn granted(responses: &[Response]) -> Vec<Value> {
    responses.iter().filter(|response| response.status == 200).map(json_of).collect()
}

async fn assert_over(site: &Site, client: &str, tokens: &Value) {
    assert!(!site.is_live(&tokens["access_token"]).await);
    let refused = site.token(&refreshing(client, &tokens["refresh_token"])).await;
    assert_eq!(error_of(&refused), (400, "invalid_grant".to_owned()));
}

#[tokio::test(flavor = "current_thread")]
async fn of_many_redemptions_one_is_answered_and_the_replay_ends_the_grant() {
    for (count, seeds) in [(2, SEEDS), (20, SEEDS), (100, 4)] {
        for seed in 0..seeds {
            let site = Site::new();
            let client = site.public_client().await;
            let form = redeeming(&client, &Browser::new(&site).sign_in(&client).await);
            let responses = race(&site, seed, (0..count).map(|_| racer(site.token(&form))));
            let won = granted(&responses);
            assert_eq!(won.len(), 1, "{count} racers, seed {seed}");
            assert!(responses.iter().all(|response| [200, 400].contains(&response.status)));
            assert_over(&site, &client, &won[0]).await;
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn many_refreshes_of_one_token_give_everybody_the_same_branch() {
    for (count, seeds) in [(2, SEEDS), (20, SEEDS), (100, 4)] {
        for seed in 0..seeds {
            let site = Site::new();
            let client = site.public_client().await;
            let first = site.tokens(&client).await;
            let form = refreshing(&client, &first["refresh_token"]);
            let won = granted(&race(&site, seed, (0..count).map(|_| racer(site.token(&form)))));
            assert_eq!(won.len(), count);
            let distinct: HashSet<_> = won.iter().map(|tokens| tokens["refresh_token"].to_string()).collect();
            assert_eq!(distinct.len(), 1, "{count} racers, seed {seed}");
            assert!(site.is_live(&won[0]["access_token"]).await);
            assert_eq!(site.token(&form).await.status, 400, "the older one is over and ends the family");
            assert_over(&site, &client, &won[0]).await;
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_revocation_among_redemptions_or_refreshes_leaves_nothing_alive() {
    for seed in 0..SEEDS {
        let site = Site::new();
        let client = site.public_client().await;
        let first = site.tokens(&client).await;
        let token = first["refresh_token"].as_str().unwrap();
        let form = refreshing(&client, &first["refresh_token"]);
        let refreshes = (0..5).map(|_| racer(site.token(&form)));
        let responses = race(&site, seed, refreshes.chain([racer(site.revoke(&client, token))]));
        assert_eq!(responses.last().unwrap().status, 200, "the revocation");
        for tokens in granted(&responses[..5]).iter().chain([&first]) {
            assert_over(&site, &client, tokens).await;
        }
        assert!(!site.platform.kv.entries.borrow().keys().any(|key| key.starts_with("grant:")), "seed {seed}");
        assert!(!site.dump().contains("Blob"), "seed {seed}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_code_that_races_its_own_tokens_revocation_never_comes_back() {
    for seed in 0..SEEDS {
        let site = Site::new();
        let client = site.public_client().await;
        let form = redeeming(&client, &Browser::new(&site).sign_in(&client).await);
        let first = json_of(&site.token(&form).await);
        let token = first["refresh_token"].as_str().unwrap();
        let racers = [racer(site.revoke(&client, token)), racer(site.token(&form)), racer(site.token(&form))];
        let responses = race(&site, seed, racers);
        assert_eq!(granted(&responses[1..]).len(), 0, "seed {seed}");
        assert_over(&site, &client, &first).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn of_callbacks_and_consents_that_come_together_one_counts() {
    for seed in 0..SEEDS {
        let site = Site::new();
        let client = site.public_client().await;
        let browser = Browser::new(&site);
        let transaction = transaction_of(&browser.authorize(&asking(&client)).await);
        let jar = browser.jar.borrow().clone();
        let consents =
            race(&site, seed, (0..5).map(|_| racer(same_jar(&site, &jar, Browser::form(&transaction, "approve")))));
        let (approved, rest): (Vec<_>, Vec<_>) = consents.iter().partition(|response| response.status == 302);
        assert_eq!((approved.len(), rest.iter().all(|response| response.status == 409)), (1, true), "seed {seed}");
        let sent = query_of(approved[0]);
        site.claims.borrow_mut()["nonce"] = json!(param(&sent, "nonce"));
        let (_, cookie) = approved[0]
            .headers
            .iter()
            .find(|(name, value)| *name == "set-cookie" && value.contains("sign-in"))
            .unwrap();
        let (name, rest) = cookie.split_once('=').unwrap();
        let jar = vec![(name.to_owned(), rest.split(';').next().unwrap().to_owned())];
        let back = super::site::encode(&vec![("code", "c".into()), ("state", param(&sent, "state").unwrap())]);
        let target = format!("/callback?{back}");
        let returns = race(&site, seed, (0..5).map(|_| racer(same_jar(&site, &jar, super::site::get(&target)))));
        let codes: Vec<_> = returns.iter().filter(|response| response.status == 302).collect();
        assert_eq!((codes.len(), site.entra_calls()), (1, 1), "seed {seed}");
        let code = param(&query_of(codes[0]), "code").unwrap();
        assert_eq!(site.token(&redeeming(&client, &code)).await.status, 200, "the losers did not end it");
    }
}

/// One more window of the same browser.
async fn same_jar(site: &Site, jar: &[(String, String)], request: crate::web::Request) -> Response {
    let browser = Browser::new(site);
    *browser.jar.borrow_mut() = jar.to_vec();
    browser.send(request).await
}

#[tokio::test(flavor = "current_thread")]
async fn a_request_that_dies_at_any_await_leaves_a_grant_that_its_client_can_go_on_with() {
    for polls in 1..24 {
        let site = Site::new();
        let client = site.public_client().await;
        let first = site.tokens(&client).await;
        let form = refreshing(&client, &first["refresh_token"]);
        site.platform.agents.pace.roll(polls);
        site.platform.kv.pace.roll(polls + 1);
        {
            let mut dying = racer(site.token(&form));
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..polls {
                if dying.as_mut().poll(&mut context).is_ready() {
                    break;
                }
            }
        }
        site.platform.agents.evict();
        let next = site.token(&form).await;
        assert_eq!(next.status, 200, "after {polls} polls");
        let next = json_of(&next);
        assert!(site.is_live(&next["access_token"]).await);
        assert_eq!(site.token(&form).await.status, 400);
        assert_over(&site, &client, &next).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_eviction_between_any_two_requests_changes_nothing() {
    let site = Site::new();
    let evict = || site.platform.agents.evict();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let sent = browser.approve(&client).await;
    evict();
    let code = param(&query_of(&browser.come_back(&sent).await), "code").unwrap();
    evict();
    let first = json_of(&site.token(&redeeming(&client, &code)).await);
    evict();
    let second = json_of(&site.token(&refreshing(&client, &first["refresh_token"])).await);
    evict();
    assert!(site.is_live(&second["access_token"]).await);
    evict();
    assert_eq!(site.token(&redeeming(&client, &code)).await.status, 400, "a used code is remembered");
    evict();
    assert_over(&site, &client, &second).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_store_that_fails_at_any_statement_leaves_no_half_state() {
    let mut failures = 0;
    for step in 0..24 {
        let site = Site::new();
        let client = site.public_client().await;
        let form = redeeming(&client, &Browser::new(&site).sign_in(&client).await);
        let storage = site.platform.agents.storages().remove(0);
        // An object that remembers nothing has to read as well.
        site.platform.agents.evict();
        storage.fail_at.set(Some(step));
        let mut first = site.token(&form).await;
        if first.status == 503 {
            failures += 1;
            assert_eq!(first.header("retry-after"), Some("5"));
            first = site.token(&form).await;
        }
        assert_eq!(first.status, 200, "step {step}: what failed was not decided");
        let first = json_of(&first);
        let form = refreshing(&client, &first["refresh_token"]);
        site.platform.agents.evict();
        storage.fail_at.set(Some(step));
        let mut second = site.token(&form).await;
        if second.status == 503 {
            failures += 1;
            second = site.token(&form).await;
        }
        assert_eq!(second.status, 200, "step {step}");
        site.platform.agents.evict();
        storage.fail_at.set(Some(step));
        let token = first["refresh_token"].as_str().unwrap();
        if site.revoke(&client, token).await.status == 503 {
            failures += 1;
            assert_eq!(site.revoke(&client, token).await.status, 200);
        }
        storage.fail_at.set(None);
        assert_over(&site, &client, &json_of(&second)).await;
        assert!(!storage.dump().contains("Blob"), "step {step}");
    }
    assert!(failures >= 6, "each of the three requests reads and writes: {failures}");
}

#[tokio::test(flavor = "current_thread")]
async fn kv_that_is_stale_full_or_away_decides_nothing_about_a_grant() {
    let site = Site::new();
    let client = site.public_client().await;
    site.platform.kv.freeze();
    site.platform.kv.refuse_writes.set(true);
    let first = site.tokens(&client).await;
    let second = json_of(&site.token(&refreshing(&client, &first["refresh_token"])).await);
    assert!(site.is_live(&second["access_token"]).await, "a copy that was never written is not asked");
    site.platform.kv.refuse_writes.set(false);
    assert_eq!(site.revoke(&client, second["refresh_token"].as_str().unwrap()).await.status, 200);
    assert_over(&site, &client, &second).await;
    assert!(!site.platform.kv.entries.borrow().keys().any(|key| key.starts_with("grant:")));
    site.platform.kv.fail.set(true);
    let refused = site.token(&refreshing(&client, &second["refresh_token"])).await;
    assert_eq!(refused.status, 503, "a read that failed is not an unknown client");
}

#[tokio::test(flavor = "current_thread")]
async fn a_clock_that_jumps_ends_what_is_over_and_brings_nothing_back() {
    let site = Site::new();
    let client = site.public_client().await;
    let code = Browser::new(&site).sign_in(&client).await;
    site.platform.clock.advance(61);
    assert_eq!(site.token(&redeeming(&client, &code)).await.status, 400);
    let tokens = site.tokens(&client).await;
    site.platform.clock.rewind(300);
    assert!(site.is_live(&tokens["access_token"]).await);
    assert_eq!(site.revoke(&client, tokens["refresh_token"].as_str().unwrap()).await.status, 200);
    for jump in [0, 40 * 24 * 3600] {
        site.platform.clock.advance(jump);
        assert_over(&site, &client, &tokens).await;
        site.platform.clock.rewind(jump);
        assert_over(&site, &client, &tokens).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_entra_that_fails_or_stays_away_at_the_callback_leaves_no_grant() {
    for (status, answer, code) in [
        (503, json!({"error": "temporarily_unavailable"}), "temporarily_unavailable"),
        (400, json!({"error": "invalid_grant", "error_codes": [54005]}), "access_denied"),
        (401, json!({"error": "invalid_client"}), "temporarily_unavailable"),
        (200, json!({"access_token": "x", "token_type": "Bearer", "expires_in": 3600}), "server_error"),
        (200, json!("no object"), "server_error"),
    ] {
        let site = Site::new();
        let client = site.public_client().await;
        let browser = Browser::new(&site);
        let sent = browser.approve(&client).await;
        for _ in 0..2 {
            site.platform.upstream.push_json(status, &answer);
        }
        let back = query_of(&browser.come_back(&sent).await);
        assert_eq!(param(&back, "error").as_deref(), Some(code), "{answer}");
        assert_eq!(param(&back, "code"), None);
        assert!(site.dump().lines().all(|line| line.starts_with("client:")), "{}", site.dump());
    }
}

/// What a client may do next; the index says with which of its tokens.
#[derive(Clone, Copy, Debug)]
enum Move {
    Refresh(prop::sample::Index),
    Use(prop::sample::Index),
    Revoke(prop::sample::Index),
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        6 => any::<prop::sample::Index>().prop_map(Move::Refresh),
        3 => any::<prop::sample::Index>().prop_map(Move::Use),
        1 => any::<prop::sample::Index>().prop_map(Move::Revoke),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_sent_together_there_is_one_live_branch_or_none(
        seed in any::<u32>(),
        rounds in prop::collection::vec(prop::collection::vec(moves(), 1..6), 1..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let site = Site::new();
            let client = site.public_client().await;
            let mut known = vec![site.tokens(&client).await];
            for (round, moves) in rounds.into_iter().enumerate() {
                let pick = |index: prop::sample::Index| &known[index.index(known.len())];
                let (site, client) = (&site, client.as_str());
                let racers: Vec<_> = moves.into_iter().map(|step| match step {
                    Move::Refresh(index) => {
                        let form = refreshing(client, &pick(index)["refresh_token"]);
                        racer(async move { site.token(&form).await })
                    }
                    Move::Use(index) => {
                        let token = pick(index)["access_token"].clone();
                        racer(async move {
                            site.is_live(&token).await;
                            Response::empty(204)
                        })
                    }
                    Move::Revoke(index) => {
                        let token = pick(index)["refresh_token"].as_str().unwrap().to_owned();
                        racer(async move {
                            site.revoke(client, &token).await;
                            Response::empty(204)
                        })
                    }
                }).collect();
                let won = granted(&race(site, u64::from(seed) + round as u64, racers));
                known.extend(won);
            }
            assert_one_branch(&site, &client, &known).await;
        });
    }
}

/// The one token that the object calls current is in a client's hands, and once it was used no other leads anywhere; or
/// the grant is over, and none does.
async fn assert_one_branch(site: &Site, client: &str, known: &[Value]) {
    let row = site.platform.agents.storages()[0].exec("SELECT state FROM grant_state", &[]).unwrap().remove(0);
    let SqlValue::Text(state) = &row[0] else { panic!("{row:?}") };
    let state: Value = serde_json::from_str(state).unwrap();
    let digest = |tokens: &Value| json!(Secret::new(tokens["refresh_token"].as_str().unwrap()).digest());
    let current = &state["Active"]["current"]["digest"];
    let head = known.iter().find(|tokens| digest(tokens) == *current);
    assert_eq!(head.is_some(), state["Revoked"].is_null(), "{state}");
    if let Some(head) = head {
        let next = site.token(&refreshing(client, &head["refresh_token"])).await;
        assert_eq!(next.status, 200);
        assert!(site.is_live(&json_of(&next)["access_token"]).await);
    }
    for tokens in known {
        assert_eq!(site.token(&refreshing(client, &tokens["refresh_token"])).await.status, 400);
    }
}
