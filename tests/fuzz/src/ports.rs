//! The least platform that the app runs on: a clock that stands still, one known client, nobody outside.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use m365_mcp::agent::{Admission, AgentName, Command, Reply};
use m365_mcp::crypto::PrivateKey;
use m365_mcp::log::Event;
use m365_mcp::ports::{
    AgentUnavailable, Agents, Background, Clock, Connection, Es256, Kv, KvError, KvPage, Limit, Log, OutboundRequest,
    OutboundResponse, P256Key, Ps256, Random, RateLimiter, RateLimiterError, Rs256, RsaKey, Timer, Upstream,
    UpstreamError,
};

/// Every port at once.
#[derive(Default)]
pub(crate) struct Nowhere {
    pub(crate) kv: RefCell<HashMap<String, Vec<u8>>>,
    /// What is answered to who asks for keys.
    pub(crate) keys: String,
    /// What a client published, if any did.
    pub(crate) document: RefCell<Option<Vec<u8>>>,
    pub(crate) calls: Cell<usize>,
    pub(crate) counter: Cell<u8>,
}

impl Clock for Nowhere {
    fn now_ms(&self) -> u64 {
        1_772_442_000_000
    }
}

impl Random for Nowhere {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            self.counter.set(self.counter.get().wrapping_add(41));
            *byte = self.counter.get();
        }
    }
}

#[async_trait(?Send)]
impl Timer for Nowhere {
    async fn sleep(&self, _ms: u64) {}
}

impl Log for Nowhere {
    fn write(&self, event: &Event<'_>) {
        // As the edge does: what cannot be written as JSON would be lost.
        assert!(serde_json::to_string(event).is_ok());
    }
}

impl Background for Nowhere {
    fn run(&self, _work: LocalBoxFuture<'static, ()>) {}
}

#[async_trait(?Send)]
impl Connection for Nowhere {
    async fn closed(&self) {
        std::future::pending::<()>().await;
    }
}

#[async_trait(?Send)]
impl Kv for Nowhere {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        Ok(self.kv.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, value: &[u8], _ttl: Option<u64>) -> Result<(), KvError> {
        self.kv.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.kv.borrow_mut().remove(key);
        Ok(())
    }

    async fn list(&self, _prefix: &str, _cursor: Option<&str>) -> Result<KvPage, KvError> {
        Ok(KvPage::default())
    }
}

#[async_trait(?Send)]
impl Agents for Nowhere {
    async fn call(&self, _name: &AgentName, command: &Command) -> Result<Reply, AgentUnavailable> {
        if matches!(command, Command::AdmitRegistration { .. }) {
            return Ok(Reply::Admission(Admission::Admitted));
        }
        self.calls.set(self.calls.get() + 1);
        Err(AgentUnavailable)
    }
}

#[async_trait(?Send)]
impl Upstream for Nowhere {
    fn is_strictly_public(&self) -> bool {
        true
    }

    async fn send(&self, request: OutboundRequest, _limit_ms: u64) -> Result<OutboundResponse, UpstreamError> {
        if !request.url.ends_with("/certs") {
            self.calls.set(self.calls.get() + 1);
            let body = self.document.borrow().clone().ok_or(UpstreamError::Unreachable)?;
            if request.max_answer.is_some_and(|most| body.len() > most) {
                return Err(UpstreamError::TooLarge);
            }
            let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            return Ok(OutboundResponse { status: 200, headers, body });
        }
        let body = self.keys.clone().into_bytes();
        Ok(OutboundResponse { status: 200, headers: Vec::new(), body })
    }
}

#[async_trait(?Send)]
impl RateLimiter for Nowhere {
    async fn allow(&self, _limit: Limit, _key: &str) -> Result<bool, RateLimiterError> {
        Ok(true)
    }
}

#[async_trait(?Send)]
impl Es256 for Nowhere {
    async fn verify(&self, _key: &P256Key, _message: &[u8], _signature: &[u8]) -> bool {
        true
    }
}

#[async_trait(?Send)]
impl Rs256 for Nowhere {
    async fn verify(&self, _key: &RsaKey, _message: &[u8], _signature: &[u8]) -> bool {
        true
    }
}

#[async_trait(?Send)]
impl Ps256 for Nowhere {
    async fn sign(&self, _key: &PrivateKey, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }
}
