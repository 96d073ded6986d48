//! An object that is over leaves nothing behind.

use std::rc::Rc;

use crate::agent::{Agent, AuthorizationRequest, Command, GrantCommand, GrantReply, Reply};
use crate::crypto::Digest;
use crate::identity::{GrantId, ScopeSet};
use crate::ports::Random;
use crate::support::{START, TestPlatform};

fn open(random: &dyn Random) -> Command {
    Command::Grant(GrantCommand::Open {
        grant: GrantId::random(random),
        request: AuthorizationRequest {
            client_id: "client".into(),
            client_name: None,
            redirect_uri: "http://localhost/cb".into(),
            code_challenge: "c".repeat(43),
            state: None,
            scopes: ScopeSet::default(),
            resource: "http://localhost:8787".into(),
        },
        state: Digest::of(b"state"),
        access: None,
        expires_at: START + 600,
    })
}

#[tokio::test(flavor = "current_thread")]
async fn a_sign_in_that_nobody_finishes_is_erased_by_the_alarm() {
    let platform = TestPlatform::new(&[]);
    let sql = Rc::new(crate::support::MemorySql::new());
    let ports = crate::ports::AgentPorts { sql: sql.clone(), ..platform.agent_ports() };
    let agent = Rc::new(Agent::new(platform.config.clone(), ports));
    let reply = agent.handle(open(platform.random.as_ref())).await;
    assert!(matches!(reply, Reply::Grant(Ok(GrantReply::Done))), "{reply:?}");
    assert_eq!(platform.alarm.0.get(), Some(START + 600));

    agent.wake().await.expect("nothing is over yet");
    assert!(!sql.dump().is_empty(), "a sign-in under way is kept");

    platform.clock.advance(601);
    agent.wake().await.expect("the storage is erased");
    assert_eq!(sql.dump(), "");
}
