//! Commands that come in together: single use, one live branch, one request to Entra, whatever the interleaving.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a flow that cannot go on should stop"
)]

use std::collections::HashSet;
use std::rc::Rc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::{join, join_all};
use proptest::prelude::*;

use super::granted::{Granted, entra_answer, presented, redeem, refresh, tokens_of, user};
use crate::agent::{AgentName, Command, GrantCommand, GrantError, GrantReply, Reply, TokenSource as _};
use crate::crypto::Secret;
use crate::oauth::grant::Grant;
use crate::ports::{AgentPorts, Agents as _, Kv, KvError, KvPage};
use crate::support::MemoryKv;

/// Through the object's whole door: JSON both ways, one object for all.
async fn through_agents(granted: &Granted, command: GrantCommand) -> Result<GrantReply, GrantError> {
    match granted.platform.agents.call(&AgentName::Grant(granted.id), &Command::Grant(command)).await {
        Ok(Reply::Grant(reply)) => reply,
        other => panic!("not a grant's reply: {other:?}"),
    }
}

async fn code_through_agents(granted: &Granted) -> Secret {
    through_agents(granted, granted.open_command()).await.unwrap();
    through_agents(granted, granted.begin_command()).await.unwrap();
    match through_agents(granted, granted.finish_command()).await {
        Ok(GrantReply::Code(code)) => code,
        other => panic!("no code: {other:?}"),
    }
}

/// The first redemption wins, the second is a replay and ends the grant (T6), the others find it ended. So one answer
/// holds tokens, and they are dead: whoever redeems a code many times at once cannot be told from two who share it.
#[tokio::test(flavor = "current_thread")]
async fn of_many_parallel_redemptions_one_succeeds_and_the_replay_ends_the_grant() {
    for count in [20, 100] {
        let granted = Granted::new();
        let code = code_through_agents(&granted).await;
        granted.platform.agents.evict();
        let replies = join_all((0..count).map(|_| through_agents(&granted, redeem(&code)))).await;
        let won: Vec<_> = replies.iter().filter(|reply| reply.is_ok()).collect();
        let replays = replies.iter().filter(|reply| **reply == Err(GrantError::CodeReused)).count();
        let late = replies.iter().filter(|reply| **reply == Err(GrantError::Revoked)).count();
        assert_eq!((won.len(), replays, late), (1, 1, count - 2));
        let Ok(GrantReply::Tokens(tokens)) = won[0] else { panic!("no tokens") };
        let confirm = GrantCommand::Confirm(presented(&tokens.access));
        assert_eq!(through_agents(&granted, confirm).await, Err(GrantError::Revoked));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn parallel_refreshes_of_one_token_bring_one_live_branch_to_all() {
    for count in [2, 20, 100] {
        let granted = Granted::new();
        let code = code_through_agents(&granted).await;
        let first = tokens_of(through_agents(&granted, redeem(&code)).await);
        let replies = join_all((0..count).map(|_| through_agents(&granted, refresh(&first.refresh)))).await;
        let pairs: Vec<_> = replies.into_iter().map(tokens_of).collect();
        let distinct: HashSet<_> = pairs.iter().map(|pair| pair.refresh.expose()).collect();
        assert_eq!(distinct.len(), 1, "whichever answer the client keeps, it lives");
        assert!(through_agents(&granted, refresh(&pairs[0].refresh)).await.is_ok());
        assert_eq!(through_agents(&granted, refresh(&first.refresh)).await, Err(GrantError::TokenReused));
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Refresh(prop::sample::Index),
    Use(prop::sample::Index),
    Evict,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<prop::sample::Index>().prop_map(Step::Refresh),
        3 => any::<prop::sample::Index>().prop_map(Step::Use),
        1 => Just(Step::Evict),
    ]
}

/// What the rule says, beside what the grant does.
struct Model {
    granted: Granted,
    /// Distinct tokens in the order of their issue; the last pair is current.
    access: Vec<Secret>,
    refresh: Vec<Secret>,
    previous_counts: bool,
    revoked: bool,
}

impl Model {
    async fn take(&mut self, step: Step) {
        // Recent tokens are the interesting ones.
        let recent =
            |tokens: &[Secret], index: prop::sample::Index| tokens.len() - 1 - index.index(tokens.len().min(4));
        match step {
            Step::Refresh(index) => self.send_refresh(recent(&self.refresh, index)).await,
            Step::Use(index) => self.send_access(recent(&self.access, index)).await,
            Step::Evict => self.granted.evict(),
        }
    }

    async fn send_refresh(&mut self, index: usize) {
        let reply = self.granted.ask(refresh(&self.refresh[index])).await;
        let last = self.refresh.len() - 1;
        if self.revoked {
            assert_eq!(reply, Err(GrantError::Revoked));
        } else if index == last {
            let pair = tokens_of(reply);
            self.access.push(pair.access);
            self.refresh.push(pair.refresh);
            self.previous_counts = true;
        } else if index + 1 == last && self.previous_counts {
            let pair = tokens_of(reply);
            assert_eq!((&pair.access, &pair.refresh), (&self.access[last], &self.refresh[last]), "the same branch");
        } else {
            assert_eq!(reply, Err(GrantError::TokenReused));
            self.revoked = true;
        }
    }

    async fn send_access(&mut self, index: usize) {
        let reply = self.granted.confirm(&self.access[index]).await;
        if self.revoked {
            assert_eq!(reply, Err(GrantError::Revoked));
            return;
        }
        assert!(matches!(reply, Ok(GrantReply::Confirmed(_))), "{reply:?}");
        if index == self.access.len() - 1 {
            self.previous_counts = false;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_order_of_refreshes_and_uses_there_is_one_live_branch(steps in prop::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let granted = Granted::new();
            let first = granted.tokens().await;
            let (access, refresh) = (vec![first.access], vec![first.refresh]);
            let mut model = Model { granted, access, refresh, previous_counts: false, revoked: false };
            for step in steps {
                model.take(step).await;
            }
        });
    }
}

#[tokio::test(flavor = "current_thread")]
async fn fifty_calls_at_expiry_ask_entra_once() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    granted.platform.clock.advance(3541);
    granted.platform.upstream.push_json(200, &entra_answer(1));
    let calls = join_all((0..50).map(|_| granted.microsoft(&tokens.access))).await;
    assert!(calls.iter().all(|call| *call == Ok(Secret::new("microsoft-access-token-1"))), "{calls:?}");
    assert_eq!(granted.platform.upstream.seen.borrow().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_renewal_outlives_the_call_that_began_it() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    granted.platform.clock.advance(3541);
    granted.platform.upstream.push_json(200, &entra_answer(1));
    assert_eq!(granted.microsoft(&tokens.access).now_or_never(), None, "the first caller goes away");
    assert_eq!(granted.microsoft(&tokens.access).await, Ok(Secret::new("microsoft-access-token-1")));
    assert_eq!(granted.microsoft(&tokens.access).await, Ok(Secret::new("microsoft-access-token-1")));
    assert_eq!(granted.platform.upstream.seen.borrow().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn tokens_that_arrive_after_a_revocation_are_thrown_away() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    granted.platform.clock.advance(3541);
    granted.platform.upstream.push_json(200, &entra_answer(1));
    let revoke = granted.ask(GrantCommand::RevokeByUser { user: user() });
    let (token, revoked) = join(granted.microsoft(&tokens.access), revoke).await;
    assert_eq!((token, revoked), (Err(GrantError::Revoked), Ok(GrantReply::Done)));
    assert_eq!(granted.platform.upstream.seen.borrow().len(), 1, "Entra had answered");
    assert!(!granted.dump().contains("Blob"), "nothing sealed is left");
    assert!(granted.platform.kv.entries.borrow().is_empty());
    assert!(granted.platform.log.text().contains(r#""reason":"discarded""#));
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_refresh_during_a_renewal_loses_neither() {
    let granted = Granted::new();
    let first = granted.tokens().await;
    granted.platform.clock.advance(3541);
    granted.platform.upstream.push_json(200, &entra_answer(1));
    let (token, second) = join(granted.microsoft(&first.access), granted.take(refresh(&first.refresh))).await;
    assert_eq!(token, Ok(Secret::new("microsoft-access-token-1")));
    assert_eq!(granted.microsoft(&second.access).await, token, "the new token opens what was renewed meanwhile");
    assert_eq!(granted.platform.upstream.seen.borrow().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn an_eviction_during_a_renewal_costs_one_more_request() {
    let mut granted = Granted::new();
    let tokens = granted.tokens().await;
    granted.platform.clock.advance(3541);
    assert_eq!(granted.microsoft(&tokens.access).now_or_never(), None);
    granted.evict();
    granted.platform.upstream.push_json(200, &entra_answer(1));
    assert_eq!(granted.microsoft(&tokens.access).await, Ok(Secret::new("microsoft-access-token-1")));
}

/// KV whose writes take a while.
struct SlowKv(Rc<MemoryKv>);

#[async_trait(?Send)]
impl Kv for SlowKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.0.get(key).await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<u64>) -> Result<(), KvError> {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.0.put(key, value, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.0.delete(key).await
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KvPage, KvError> {
        self.0.list(prefix, cursor).await
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_slow_write_of_the_listing_never_brings_a_revoked_grant_back() {
    let mut granted = Granted::new();
    let code = granted.code().await;
    let kv = Rc::new(SlowKv(granted.platform.kv.clone()));
    let ports = AgentPorts { sql: granted.sql.clone(), kv, ..granted.platform.agent_ports() };
    granted.grant = Rc::new(Grant::new(granted.platform.config.clone(), ports));
    let revoke = granted.ask(GrantCommand::RevokeByUser { user: user() });
    let (redeemed, revoked) = join(granted.ask(redeem(&code)), revoke).await;
    assert!(redeemed.is_ok() && revoked.is_ok());
    assert!(granted.platform.kv.entries.borrow().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn challenges_wait_for_a_renewal_without_claims_and_share_one_of_their_own() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    granted.platform.upstream.push_json(200, &entra_answer(1));
    granted.platform.upstream.push_json(200, &entra_answer(2));
    let rejected = Secret::new(super::granted::MICROSOFT_ACCESS);
    let by = presented(&tokens.access);
    let source = granted.grant.tokens(&by);
    let challenge = Some(r#"{"access_token":{"nbf":{"value":"1"}}}"#);
    let asked = [None, challenge, challenge, challenge, None];
    let calls = join_all(asked.map(|challenge| source.renewed(&rejected, challenge))).await;
    let calls = calls.iter().map(|call| call.as_ref().map(Secret::expose));
    // The last one asks for nothing special, so the renewal that is under way when it comes serves it as well.
    let numbers = [1, 2, 2, 2, 2].map(|number| format!("microsoft-access-token-{number}"));
    assert_eq!(calls.collect::<Vec<_>>(), numbers.iter().map(|token| Ok(token.as_str())).collect::<Vec<_>>());
    let seen = granted.platform.upstream.seen.borrow();
    let claims = seen.iter().map(|request| {
        let mut form = form_urlencoded::parse(request.body.as_deref().unwrap_or_default());
        form.find(|(name, _)| name == "claims").map(|(_, value)| value.into_owned())
    });
    let cp1 = r#""xms_cc":{"values":["cp1"]}"#;
    let sent = [
        format!("{{\"access_token\":{{{cp1}}}}}"),
        format!("{{\"access_token\":{{\"nbf\":{{\"value\":\"1\"}},{cp1}}}}}"),
    ];
    assert_eq!(claims.flatten().collect::<Vec<_>>(), sent);
}

#[tokio::test(flavor = "current_thread")]
async fn a_rejected_token_is_renewed_once_for_all_who_were_refused() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    granted.platform.upstream.push_json(200, &entra_answer(1));
    let rejected = Secret::new(super::granted::MICROSOFT_ACCESS);
    let by = presented(&tokens.access);
    let source = granted.grant.tokens(&by);
    let calls = join_all((0..10).map(|_| source.renewed(&rejected, None))).await;
    assert!(calls.iter().all(|call| *call == Ok(Secret::new("microsoft-access-token-1"))));
    assert_eq!(
        source.renewed(&rejected, None).await,
        Ok(Secret::new("microsoft-access-token-1")),
        "already another one"
    );
    assert_eq!(granted.platform.upstream.seen.borrow().len(), 1);
}
