//! The copy of a grant in KV: calm, in time, and without a say in anything.
#![expect(clippy::unwrap_used, reason = "a flow that cannot go on should stop")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use async_trait::async_trait;

use super::granted::{Granted, entra_answer, presented, redeem, refresh, user};
use crate::agent::{GrantCommand, GrantReply, TokenSource as _};
use crate::crypto::Secret;
use crate::oauth::grant::Grant;
use crate::oauth::store;
use crate::ports::{AgentPorts, Clock, Kv, KvError, KvPage};
use crate::support::{FrozenClock, MemoryKv};

/// KV as it is: one write a second and key. It can be down, and it notes each write.
struct StrictKv {
    memory: MemoryKv,
    clock: Rc<FrozenClock>,
    written_at: Cell<Option<u64>>,
    /// Of each write that it took, the TTL; of a deletion, none.
    taken: RefCell<Vec<Option<u64>>>,
    refused: Cell<usize>,
}

impl StrictKv {
    fn write(&self, ttl: Option<u64>) -> Result<(), KvError> {
        let now = self.clock.now();
        if self.memory.fail.get() || self.written_at.get() == Some(now) {
            self.refused.set(self.refused.get() + 1);
            return Err(KvError::Throttled);
        }
        self.written_at.set(Some(now));
        self.taken.borrow_mut().push(ttl);
        Ok(())
    }
}

#[async_trait(?Send)]
impl Kv for StrictKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.memory.get(key).await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<u64>) -> Result<(), KvError> {
        self.write(ttl)?;
        self.memory.put(key, value, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.write(None)?;
        self.memory.delete(key).await
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KvPage, KvError> {
        self.memory.list(prefix, cursor).await
    }
}

struct Listed {
    granted: Granted,
    kv: Rc<StrictKv>,
}

impl Listed {
    fn new() -> Self {
        let mut listed = {
            let granted = Granted::new();
            let kv = StrictKv {
                memory: MemoryKv::default(),
                clock: granted.platform.clock.clone(),
                written_at: Cell::new(None),
                taken: RefCell::default(),
                refused: Cell::new(0),
            };
            Self { granted, kv: Rc::new(kv) }
        };
        listed.evict();
        listed
    }

    fn evict(&mut self) {
        let sql = self.granted.sql.clone();
        let ports = AgentPorts { sql, kv: self.kv.clone(), ..self.granted.platform.agent_ports() };
        self.granted.grant = Rc::new(Grant::new(self.granted.platform.config.clone(), ports));
    }

    fn entry(&self) -> Option<String> {
        let key = store::grant_key(user(), self.granted.id);
        self.kv.memory.entries.borrow().get(&key).map(|bytes| String::from_utf8(bytes.clone()).unwrap())
    }

    /// Lets the time of the alarm come, and the object do what it set it for.
    async fn alarm(&self) {
        let at = self.granted.platform.alarm.0.get().unwrap();
        self.granted.platform.clock.advance(at.saturating_sub(self.granted.now()));
        let next = self.granted.grant.sweep().await.unwrap();
        self.granted.platform.alarm.0.set(next);
    }

    fn complains(&self) -> bool {
        self.granted.platform.log.text().contains("internal.error")
    }

    /// Renews Microsoft's tokens, which the entry shows.
    async fn renew(&self, token: &Secret, number: u32) {
        self.granted.platform.upstream.push_json(200, &entra_answer(number));
        let presented = presented(token);
        let tokens = self.granted.grant.tokens(&presented);
        let rejected = tokens.token().await.unwrap();
        tokens.renewed(&rejected, None).await.unwrap();
    }
}

const END: u64 = 30 * 24 * 3600;

#[tokio::test(flavor = "current_thread")]
async fn a_whole_sign_in_within_a_second_is_one_write_and_what_follows_is_one_more() {
    let listed = Listed::new();
    let tokens = listed.granted.tokens().await;
    let next = listed.granted.take(refresh(&tokens.refresh)).await;
    assert_eq!(*listed.kv.taken.borrow(), [Some(END)]);
    for number in 1..4 {
        listed.renew(&next.access, number).await;
    }
    assert!(listed.entry().unwrap().contains(r#""revision":2"#));
    listed.alarm().await;
    assert!(listed.entry().unwrap().contains(r#""revision":5"#), "nothing is lost");
    assert_eq!((listed.kv.taken.borrow().len(), listed.kv.refused.get()), (2, 0), "and KV was never pressed");
    assert!(!listed.complains());
    assert_eq!(
        listed.granted.platform.alarm.0.get(),
        Some(listed.granted.now() - 2 + END),
        "the end is the next alarm"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_revocation_deletes_at_once_and_again_by_the_alarm_where_kv_refuses() {
    for within_a_second in [false, true] {
        let listed = Listed::new();
        let tokens = listed.granted.tokens().await;
        listed.granted.platform.clock.advance(u64::from(!within_a_second));
        assert_eq!(listed.granted.ask(GrantCommand::RevokeByUser { user: user() }).await, Ok(GrantReply::Done));
        assert_eq!(listed.entry().is_some(), within_a_second);
        listed.granted.confirm(&tokens.access).await.unwrap_err();
        if within_a_second {
            listed.alarm().await;
        }
        assert_eq!(listed.entry(), None);
        assert!(!listed.complains());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn kv_that_is_down_fails_no_command_is_logged_by_the_alarm_and_caught_up_with() {
    let mut listed = Listed::new();
    listed.kv.memory.fail.set(true);
    let tokens = listed.granted.tokens().await;
    let next = listed.granted.take(refresh(&tokens.refresh)).await;
    assert_eq!(listed.kv.refused.get(), 1, "not pressed by each command");
    assert!(!listed.complains(), "it may have been a moment");
    listed.alarm().await;
    assert!(listed.granted.platform.log.text().contains(r#""reason":"listing_failed""#), "it was not");
    listed.evict();
    listed.kv.memory.fail.set(false);
    listed.alarm().await;
    assert!(listed.entry().unwrap().contains(r#""phase":"active""#));
    listed.kv.memory.fail.set(true);
    assert_eq!(listed.granted.ask(GrantCommand::RevokeByUser { user: user() }).await, Ok(GrantReply::Done));
    listed.granted.confirm(&next.access).await.unwrap_err();
    listed.kv.memory.fail.set(false);
    listed.alarm().await;
    assert_eq!(listed.entry(), None, "what is revoked is listed no more");
}

#[tokio::test(flavor = "current_thread")]
async fn a_grant_never_asks_kv_so_nothing_stale_decides() {
    let listed = Listed::new();
    let tokens = listed.granted.tokens().await;
    let stale = listed.entry().unwrap();
    listed.granted.platform.clock.advance(10);
    listed.granted.ask(GrantCommand::RevokeByUser { user: user() }).await.unwrap();
    let key = store::grant_key(user(), listed.granted.id);
    listed.kv.memory.entries.borrow_mut().insert(key, stale.into_bytes());
    listed.granted.confirm(&tokens.access).await.unwrap_err();
    listed.granted.ask(refresh(&tokens.refresh)).await.unwrap_err();
    assert_eq!(listed.kv.memory.reads.get(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn an_unredeemed_code_is_never_listed() {
    let listed = Listed::new();
    let code = listed.granted.code().await;
    assert!(listed.kv.taken.borrow().is_empty());
    listed.granted.platform.clock.advance(60);
    assert_eq!(listed.granted.grant.sweep().await, Ok(None));
    listed.granted.ask(redeem(&code)).await.unwrap_err();
    assert!(listed.kv.taken.borrow().is_empty());
}
