//! What is stored, or carried by clients and browsers, byte for byte. A failure here means that a deploy would meet old
//! bytes which it cannot read: add a migration or a new version beside the old one, never change the form in place.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a flow that cannot go on should stop"
)]

use serde_json::{Value, json};

use super::granted::{Granted, MICROSOFT_ACCESS, refresh, user};
use super::sealed::{masked, state_text};
use super::tools_fake::Desk;
use super::world::{World, json_of, transaction_of};
use crate::agent::{AgentName, GrantCommand};
use crate::crypto::{Digest, Secret, decode};
use crate::gateway::envelope::{Envelope, Sealer};
use crate::identity::{GrantId, Scope, ScopeSet, UserId};
use crate::oauth::token::{Kind, Stamp, TokenKeys};
use crate::ports::{Clock, Sql, SqlValue};
use crate::support::{START, SeededRandom, TestPlatform};

const FORM: &str = "the stored form changed: old rows must still load, so write a migration or give fields a default";

/// A grant as the first version stored it, with the tokens that its client holds.
const FIRST: &str = include_str!("../fixtures/first-version.json");

fn first() -> Value {
    serde_json::from_str(FIRST).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Pins at once the row's JSON, the tables, the token's layout, every key's purpose, the wrapping and the sealing.
#[tokio::test(flavor = "current_thread")]
async fn a_grant_of_the_first_version_goes_on() {
    let stored = first();
    let mut granted = Granted::new();
    granted.tokens().await;
    let row =
        [SqlValue::Text(text(&stored["state"]).to_owned()), SqlValue::Blob(decode(text(&stored["sealed"])).unwrap())];
    granted.sql.exec("UPDATE grant_state SET state = ?, sealed = ?, revision = 2, listing = 0", &row).unwrap();
    granted.evict();
    let access = Secret::new(text(&stored["access"]));
    assert_eq!(granted.microsoft(&access).await, Ok(Secret::new(MICROSOFT_ACCESS)), "{FORM}");
    let next = granted.take(refresh(&Secret::new(text(&stored["refresh"])))).await;
    assert_eq!(granted.microsoft(&next.access).await, Ok(Secret::new(MICROSOFT_ACCESS)));
}

#[tokio::test(flavor = "current_thread")]
async fn the_row_of_each_phase_has_exactly_this_form() {
    let granted = Granted::new();
    let form = |granted: &Granted| masked(&state_text(granted)).replace(&granted.id.to_string(), "<grant>");
    let request = r#"{"client_id":"client-1","client_name":"Inbox Helper","redirect_uri":"http://127.0.0.1:4711/cb","code_challenge":"challenge","state":"client state","scopes":11,"resource":"http://localhost:8787/mcp"}"#;
    let terms = r#"{"grant":"<grant>","client_id":"client-1","client_name":"Inbox Helper","user":{"tid":"00000000-0000-0000-0000-00000000c0de","oid":"00000000-0000-0000-0000-0000000ade1e"},"profile":{"name":"Adele","email":"adele@contoso.example"},"access":null,"scopes":11,"requested":11,"resource":"http://localhost:8787/mcp","created_at":1772442000,"ends_at":1775034000}"#;
    granted.ask(granted.open_command()).await.unwrap();
    let expected = format!(
        r#"{{"Approved":{{"grant":"<grant>","request":{request},"access":null,"state":"<digest>","expires_at":1772442600}}}}"#
    );
    assert_eq!(form(&granted), expected, "{FORM}");
    granted.ask(granted.begin_command()).await.unwrap();
    let expected =
        format!(r#"{{"SigningIn":{{"grant":"<grant>","request":{request},"access":null,"expires_at":1772442600}}}}"#);
    assert_eq!(form(&granted), expected, "{FORM}");
    granted.ask(granted.finish_command()).await.unwrap();
    let expected = format!(
        r#"{{"SignedIn":{{"terms":{terms},"code":"<digest>","code_expires_at":1772442060,"redirect_uri":"http://127.0.0.1:4711/cb","code_challenge":"challenge","wrapped":"<sealed>"}}}}"#
    );
    assert_eq!(form(&granted), expected, "{FORM}");
    granted.ask(GrantCommand::RevokeByUser { user: user() }).await.unwrap();
    let expected = r#"{"Revoked":{"grant":"<grant>","user":{"tid":"00000000-0000-0000-0000-00000000c0de","oid":"00000000-0000-0000-0000-0000000ade1e"},"ends_at":1775034000}}"#;
    assert_eq!(form(&granted), expected, "{FORM}");
}

#[test]
fn a_released_migration_is_never_changed() {
    let released = [
        (include_str!("../../migrations/0001_grant.sql"), text(&first()["migrations"][0]).to_owned()),
        (include_str!("../../migrations/0002_idempotency.sql"), text(&first()["migrations"][1]).to_owned()),
    ];
    for (migration, digest) in released {
        let found = Digest::of(migration.as_bytes()).to_string();
        assert_eq!(found, digest, "objects have run this one: put the change into a new migration\n{migration}");
    }
}

fn stamp(kind: Kind) -> Stamp {
    let user = UserId { tid: uuid::Uuid::from_u128(7), oid: uuid::Uuid::from_u128(8) };
    Stamp {
        user: matches!(kind, Kind::Access | Kind::Refresh).then_some(user),
        grant: GrantId::random(&SeededRandom::new(5)),
        scopes: ScopeSet::of(&[Scope::MailRead, Scope::UserRead]),
        expires_at: START + 3600,
    }
}

#[test]
fn a_token_of_each_kind_has_exactly_these_bytes() {
    let platform = TestPlatform::new(&[]);
    let keys = TokenKeys::new(&platform.config.keys.encryption);
    for (kind, name) in
        [(Kind::Access, "access"), (Kind::Refresh, "refresh"), (Kind::Code, "code"), (Kind::State, "state")]
    {
        let minted = keys.mint(&SeededRandom::new(1), kind, &stamp(kind));
        assert_eq!(minted.expose(), text(&first()["tokens"][name]), "clients hold these for 30 days: read both forms");
    }
}

#[test]
fn the_bits_of_scopes_stay() {
    let names: Vec<_> = Scope::ALL.iter().map(|scope| scope.name()).collect();
    let first = first();
    let pinned: Vec<_> = first["scopes"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(names.get(..pinned.len()), Some(pinned.as_slice()), "tokens hold the bits: new scopes go to the end");
}

#[test]
fn an_object_is_found_by_the_same_name() {
    let grant = GrantId::random(&SeededRandom::new(5));
    assert_eq!(AgentName::Grant(grant).to_string(), format!("grant:{grant}"), "another name is another object");
    let user = UserId { tid: uuid::Uuid::from_u128(7), oid: uuid::Uuid::from_u128(8) };
    let name = "user:00000000-0000-0000-0000-000000000007:00000000-0000-0000-0000-000000000008";
    assert_eq!(AgentName::User(user).to_string(), name, "another name is another object");
    assert_eq!(grant.to_string().len(), 22);
}

/// A deploy meets the envelopes of the minute before.
#[test]
fn an_envelope_of_the_first_version_opens() {
    let platform = TestPlatform::new(&[]);
    let first = first();
    let envelope = Envelope::parse(text(&first["envelope"])).unwrap();
    let opened = Sealer::new(&platform.config.keys.encryption).open(&envelope, START + 1).unwrap();
    assert_eq!(opened.token.expose(), "graph-token", "give the envelope a new version and read both for a minute");
}

/// A mail that was sent before the deploy, and whose call comes again after it.
#[tokio::test(flavor = "current_thread")]
async fn what_was_sent_under_a_key_of_the_first_version_is_not_sent_again() {
    let mail = json!({"to": "adele@contoso.example", "subject": "s", "body": "b", "idempotencyKey": "k"});
    let message = json!({"teamId": "t", "channelId": "c", "message": "x", "idempotencyKey": "k"});
    for (tool, arguments) in [("sendEmail", mail), ("sendTeamsMessage", message)] {
        let desk = Desk::new();
        let digests = &first()["idempotency"][tool];
        let row = [tool, text(&digests[0]), text(&digests[1])].map(|cell| SqlValue::Text(cell.to_owned()));
        let insert = format!(
            "INSERT INTO idempotency (tool, key, arguments, draft, step, lease, leased_until, at) \
             VALUES (?, ?, ?, 'D1', 'done', NULL, 0, {START})"
        );
        desk.ports.sql.exec(&insert, &row).unwrap();
        desk.call(tool, arguments).await;
        assert!(desk.asked().is_empty(), "{tool}: keys count for a week, so their digests must stay as they are");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_of_the_first_version_is_still_known() {
    let world = World::new();
    let id = "Q0xJRU5ULU9GLVRIRS1PTE";
    let stored = format!(
        r#"{{"client_id":"{id}","client_name":"Inbox Helper","redirect_uris":["http://127.0.0.1:1/cb?own=1"],"auth_method":"none","issued_at":1772442000}}"#
    );
    world.platform.kv.entries.borrow_mut().insert(format!("client:{id}"), stored.into_bytes());
    let code = world.sign_in(id).await;
    assert_eq!(world.token(&World::redeeming(id, &code)).await.status, 200, "clients are kept for 90 days");
}

#[tokio::test(flavor = "current_thread")]
async fn a_registered_client_has_exactly_this_form() {
    let world = World::new();
    let uris = json!(["https://client.example/cb"]);
    let metadata = json!({"redirect_uris": uris, "client_name": "Inbox Helper"});
    let id = json_of(&world.register(&metadata).await)["client_id"].as_str().unwrap().to_owned();
    let kept = world.platform.kv.entries.borrow()[&format!("client:{id}")].clone();
    assert_eq!(
        masked(&String::from_utf8(kept).unwrap()).replace(&id, "<id>"),
        r#"{"client_id":"<id>","client_name":"Inbox Helper","redirect_uris":["https://client.example/cb"],"auth_method":"client_secret_basic","secret":"<digest>","issued_at":1772442000}"#,
        "{FORM}"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn the_cookies_have_exactly_this_form() {
    let world = World::new();
    let client = world.public_client().await;
    let page = world.authorize(&World::asking(&client)).await;
    let id = transaction_of(&page);
    let (name, value) = world.cookies.borrow()[0].clone();
    assert_eq!(name, format!("__Host-m365-consent-{id}"));
    let key = world.platform.config.keys.cookie.derive("consent transaction");
    let plain = key.open(id.as_bytes(), &decode(&value).unwrap()).unwrap();
    let plain = String::from_utf8(plain).unwrap().replace(&client, "<client>").replace(&id, "<id>");
    let digest = Digest::of(super::world::VERIFIER.as_bytes()).to_string();
    assert_eq!(
        plain.replace(&digest, "<challenge>"),
        format!(
            r#"{{"id":"<id>","request":{{"client_id":"<client>","client_name":"Inbox Helper","redirect_uri":"http://127.0.0.1:4711/cb?own=1","code_challenge":"<challenge>","state":"client state","scopes":{},"resource":"http://localhost:8787/mcp"}},"access":null,"expires_at":{}}}"#,
            serde_json::to_value(crate::oauth::scopes::supported(&world.platform.config)).unwrap(),
            world.platform.clock.now() + 600
        ),
        "consent pages that are open at the deploy (ten minutes) would have to be opened again"
    );
    world.approve(&client).await;
    let jar = world.cookies.borrow();
    let Some((name, value)) = jar.iter().find(|(name, _)| name.starts_with("__Host-m365-sign-in-")) else {
        panic!("no binding cookie in {jar:?}");
    };
    assert_eq!((name.len(), value.len()), ("__Host-m365-sign-in-".len() + 22, 43));
}
