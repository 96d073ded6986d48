//! One grant over its own storage, for the flows about grants.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a flow that cannot go on should stop")]

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::agent::{
    AuthorizationRequest, GrantCommand, GrantError, GrantReply, MicrosoftTokens, Presented, Profile, TokenSet,
    TokenSource as _,
};
use crate::crypto::{Digest, Secret};
use crate::identity::{AccessIdentity, GrantId, Scope, ScopeSet, UserId};
use crate::oauth::grant::Grant;
use crate::ports::{AgentPorts, Clock, Sql, SqlError, SqlRow, SqlValue};
use crate::support::{MemorySql, SeededRandom, TestPlatform};

pub(super) const CLIENT: &str = "client-1";
pub(super) const REDIRECT: &str = "http://127.0.0.1:4711/cb";
pub(super) const RESOURCE: &str = "http://localhost:8787/mcp";
pub(super) const MICROSOFT_ACCESS: &str = "microsoft-access-token-0";
pub(super) const MICROSOFT_REFRESH: &str = "microsoft-refresh-token-0";

/// SQL that fails at one statement to come.
pub(super) struct BrittleSql {
    pub(super) memory: MemorySql,
    /// How many statements still succeed; `None` means all.
    pub(super) budget: Cell<Option<usize>>,
}

impl Sql for BrittleSql {
    fn exec(&self, statement: &str, params: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        if let Some(left) = self.budget.get() {
            self.budget.set(Some(left.checked_sub(1).ok_or(SqlError)?));
        }
        self.memory.exec(statement, params)
    }

    fn erase(&self) -> LocalBoxFuture<'_, Result<(), SqlError>> {
        self.memory.erase()
    }
}

pub(super) fn user() -> UserId {
    UserId { tid: Uuid::from_u128(0xc0de), oid: Uuid::from_u128(0xade1e) }
}

pub(super) fn scopes() -> ScopeSet {
    ScopeSet::of(&[Scope::UserRead, Scope::MailRead, Scope::MailSend])
}

pub(super) fn identity(sub: &str) -> AccessIdentity {
    AccessIdentity { sub: sub.to_owned(), email: Some("adele@contoso.example".to_owned()) }
}

pub(super) fn state() -> Digest {
    Digest::of(b"state sent to Entra")
}

pub(super) fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        client_id: CLIENT.to_owned(),
        client_name: Some("Inbox Helper".to_owned()),
        redirect_uri: REDIRECT.to_owned(),
        code_challenge: "challenge".to_owned(),
        state: Some("client state".to_owned()),
        scopes: scopes(),
        resource: RESOURCE.to_owned(),
    }
}

pub(super) fn redeem(code: &Secret) -> GrantCommand {
    GrantCommand::Redeem {
        code: code.clone(),
        client_id: CLIENT.to_owned(),
        redirect_uri: Some(REDIRECT.to_owned()),
        code_challenge: "challenge".to_owned(),
        resource: Some(RESOURCE.to_owned()),
    }
}

pub(super) fn refresh(token: &Secret) -> GrantCommand {
    GrantCommand::Refresh {
        token: token.clone(),
        client_id: CLIENT.to_owned(),
        scopes: None,
        resource: None,
        access: None,
    }
}

pub(super) fn presented(token: &Secret) -> Presented {
    Presented { token: token.clone(), access: None, session: None }
}

/// The command with one field another text.
pub(super) fn altered(command: &GrantCommand, field: &str, value: &str) -> GrantCommand {
    let mut json = serde_json::to_value(command).unwrap();
    let fields = json.as_object_mut().unwrap().values_mut().next().unwrap();
    fields[field] = value.into();
    serde_json::from_value(json).unwrap()
}

/// One object, with what is behind it.
pub(super) struct Granted {
    pub(super) platform: TestPlatform,
    pub(super) sql: Rc<BrittleSql>,
    pub(super) id: GrantId,
    pub(super) access: Option<AccessIdentity>,
    pub(super) grant: Rc<Grant>,
}

impl Granted {
    pub(super) fn new() -> Self {
        Self::on(TestPlatform::new(&[]))
    }

    pub(super) fn on(platform: TestPlatform) -> Self {
        let sql = Rc::new(BrittleSql { memory: MemorySql::new(), budget: Cell::new(None) });
        let ports = AgentPorts { sql: sql.clone(), ..platform.agent_ports() };
        let grant = Rc::new(Grant::new(platform.config.clone(), ports));
        Self { platform, sql, id: GrantId::random(&SeededRandom::new(9)), access: None, grant }
    }

    /// Forgets what the object holds in memory.
    pub(super) fn evict(&mut self) {
        let ports = AgentPorts { sql: self.sql.clone(), ..self.platform.agent_ports() };
        self.grant = Rc::new(Grant::new(self.platform.config.clone(), ports));
    }

    pub(super) fn now(&self) -> u64 {
        self.platform.clock.now()
    }

    pub(super) async fn ask(&self, command: GrantCommand) -> Result<GrantReply, GrantError> {
        self.grant.handle(command).await
    }

    pub(super) fn open_command(&self) -> GrantCommand {
        GrantCommand::Open {
            grant: self.id,
            request: request(),
            state: state(),
            access: self.access.clone(),
            expires_at: self.now() + 600,
        }
    }

    pub(super) fn begin_command(&self) -> GrantCommand {
        GrantCommand::BeginSignIn { state: state(), access: self.access.clone() }
    }

    pub(super) fn finish_command(&self) -> GrantCommand {
        GrantCommand::FinishSignIn {
            user: user(),
            profile: Profile { name: Some("Adele".to_owned()), email: Some("adele@contoso.example".to_owned()) },
            tokens: MicrosoftTokens {
                access: Secret::new(MICROSOFT_ACCESS),
                refresh: Some(Secret::new(MICROSOFT_REFRESH)),
                expires_at: self.now() + 3600,
                scopes: scopes(),
                claims: None,
            },
        }
    }

    pub(super) async fn code(&self) -> Secret {
        assert_eq!(self.ask(self.open_command()).await, Ok(GrantReply::Done));
        assert_eq!(self.ask(self.begin_command()).await, Ok(GrantReply::Approved(request())));
        self.finish().await
    }

    pub(super) async fn finish(&self) -> Secret {
        match self.ask(self.finish_command()).await {
            Ok(GrantReply::Code(code)) => code,
            other => panic!("no code: {other:?}"),
        }
    }

    pub(super) async fn tokens(&self) -> TokenSet {
        let code = self.code().await;
        self.take(redeem(&code)).await
    }

    /// Tokens, where the command must bring some.
    pub(super) async fn take(&self, command: GrantCommand) -> TokenSet {
        tokens_of(self.ask(command).await)
    }

    pub(super) async fn confirm(&self, token: &Secret) -> Result<GrantReply, GrantError> {
        self.ask(GrantCommand::Confirm(presented(token))).await
    }

    /// The Microsoft token that this client token opens.
    pub(super) async fn microsoft(&self, token: &Secret) -> Result<Secret, GrantError> {
        self.grant.tokens(&presented(token)).token().await
    }

    /// Everything that the object and KV store, as one text.
    pub(super) fn dump(&self) -> String {
        let kv = self.platform.kv.entries.borrow();
        let entries = kv.iter().map(|(key, value)| format!("{key} {}\n", String::from_utf8_lossy(value)));
        self.sql.memory.dump() + &entries.collect::<String>()
    }
}

pub(super) fn tokens_of(reply: Result<GrantReply, GrantError>) -> TokenSet {
    match reply {
        Ok(GrantReply::Tokens(tokens)) => tokens,
        other => panic!("no tokens: {other:?}"),
    }
}

/// Entra's answer with the tokens of this number.
pub(super) fn entra_answer(number: u32) -> serde_json::Value {
    serde_json::json!({
        "token_type": "Bearer",
        "scope": "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Read Mail.Send openid profile",
        "expires_in": 3600,
        "ext_expires_in": 3600,
        "access_token": format!("microsoft-access-token-{number}"),
        "refresh_token": format!("microsoft-refresh-token-{number}"),
    })
}
