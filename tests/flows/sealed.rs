//! What is stored: nothing in clear, nothing that opens without a live client token, and its exact form.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a flow that cannot go on should stop")]

use super::granted::{Granted, MICROSOFT_ACCESS, MICROSOFT_REFRESH, entra_answer, redeem, refresh, user};
use crate::agent::GrantError;
use crate::config::{Config, EncryptionKeys};
use crate::crypto::{self, Key, Keyring, Secret};
use crate::oauth::seal::{Binding, Sealer, Wrapped};
use crate::oauth::store;
use crate::oauth::token::{Kind, TokenKeys};
use crate::ports::{Sql, SqlValue};
use crate::support::{CLIENT_SECRET, SeededRandom};

/// A text with everything random in it replaced.
pub(super) fn masked(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')) {
        let (body, rest) = match word.char_indices().last() {
            Some((at, c)) if !(c.is_ascii_alphanumeric() || c == '-' || c == '_') => word.split_at(at),
            _ => (word, ""),
        };
        out.push_str(match body.len() {
            0..43 => body,
            43 => "<digest>",
            _ => "<sealed>",
        });
        out.push_str(rest);
    }
    out
}

pub(super) fn state_text(granted: &Granted) -> String {
    match granted.sql.exec("SELECT state FROM grant_state", &[]).unwrap().concat().as_slice() {
        [SqlValue::Text(text)] => text.clone(),
        other => panic!("no state: {other:?}"),
    }
}

fn entry(granted: &Granted) -> Option<String> {
    let entries = granted.platform.kv.entries.borrow();
    entries.get(&store::grant_key(user(), granted.id)).map(|bytes| String::from_utf8(bytes.clone()).unwrap())
}

#[tokio::test(flavor = "current_thread")]
async fn no_token_code_or_secret_is_stored_or_logged() {
    let granted = Granted::new();
    let code = granted.code().await;
    let mut secrets = vec![code.clone(), Secret::new(MICROSOFT_ACCESS), Secret::new(MICROSOFT_REFRESH)];
    let mut seen = granted.dump();
    let first = granted.take(redeem(&code)).await;
    seen += &granted.dump();
    let second = granted.take(refresh(&first.refresh)).await;
    granted.platform.clock.advance(3541);
    granted.platform.upstream.push_json(200, &entra_answer(1));
    granted.microsoft(&second.access).await.unwrap();
    seen += &granted.dump();
    granted.ask(redeem(&code)).await.unwrap_err();
    seen += &granted.dump();
    seen += &granted.platform.log.text();
    secrets.extend([first.access, first.refresh, second.access, second.refresh]);
    secrets.extend(["microsoft-access-token-1", "microsoft-refresh-token-1"].map(Secret::new));
    secrets.push(Secret::new(CLIENT_SECRET));
    for secret in &secrets {
        let (text, random) = (secret.expose(), secret.expose().rsplit('.').next().unwrap());
        assert!(!seen.contains(text) && !seen.contains(random), "{text} is stored or logged");
        let bytes = format!("{:?}", text.as_bytes());
        assert!(!seen.contains(bytes.trim_matches(['[', ']'])), "{text} is stored as bytes");
    }
}

/// Every run of bytes that is stored, as it is and decoded.
fn stored_runs(granted: &Granted) -> Vec<Vec<u8>> {
    let mut runs: Vec<Vec<u8>> = Vec::new();
    for value in granted.sql.exec("SELECT * FROM grant_state", &[]).unwrap().concat() {
        match value {
            SqlValue::Text(text) => runs.push(text.into_bytes()),
            SqlValue::Blob(bytes) => runs.push(bytes),
            SqlValue::Null | SqlValue::Integer(_) => {}
        }
    }
    runs.extend(granted.platform.kv.entries.borrow().values().cloned());
    let texts: Vec<_> = runs.iter().filter_map(|run| String::from_utf8(run.clone()).ok()).collect();
    for text in &texts {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        for word in words.filter(|word| word.len() > 8) {
            runs.push(word.as_bytes().to_vec());
            runs.extend(crypto::decode(word));
        }
    }
    runs
}

fn wrapped_keys(granted: &Granted) -> Vec<Wrapped> {
    let state = state_text(granted);
    let found = state.split(r#""wrapped":"#).skip(1).filter_map(|rest| rest.split([',', '}']).next());
    found.map(|text| serde_json::from_str(text).unwrap()).collect()
}

/// The keys that whoever holds the Worker's secrets can make: each one, and what each purpose derives of it.
fn every_secret(config: &Config) -> Vec<Key> {
    let EncryptionKeys {
        tokens,
        successors,
        microsoft_tokens,
        envelopes,
        cursors,
        request_states,
        sessions,
        networks,
        entra_verifier,
        entra_nonce,
    } = &config.keys.encryption;
    let derived = [
        tokens,
        successors,
        microsoft_tokens,
        envelopes,
        cursors,
        request_states,
        sessions,
        networks,
        entra_verifier,
        entra_nonce,
    ];
    let texts = [&Secret::new(CLIENT_SECRET), &config.gateway.handler_key];
    let roots = [config.keys.cookie.clone(), config.keys.cookie_signing.clone()];
    let all: Vec<_> = derived
        .iter()
        .map(|ring| ring.current.clone())
        .chain(roots)
        .chain(texts.map(|text| Key::new(*text.digest().as_bytes())))
        .collect();
    let again = all.iter().map(|key| key.derive("microsoft tokens"));
    again.chain(all.iter().cloned()).collect()
}

/// Takes all that is stored and all the Worker's secrets, and tries each run of bytes and each window in it as the data
/// key and as the client token that is missing.
#[tokio::test(flavor = "current_thread")]
async fn a_dump_of_everything_with_all_the_secrets_opens_nothing_without_a_live_client_token() {
    let granted = Granted::new();
    let first = granted.tokens().await;
    let live = granted.take(refresh(&first.refresh)).await;
    let sealed = granted.sql.exec("SELECT sealed FROM grant_state", &[]).unwrap().concat();
    let [SqlValue::Blob(sealed)] = sealed.as_slice() else { panic!("nothing sealed") };
    let encryption = &granted.platform.config.keys.encryption;
    let binding = Binding { user: user(), grant: granted.id, client_id: super::granted::CLIENT };
    let opener = Sealer::new(encryption, binding);
    let wrapped = wrapped_keys(&granted);
    assert_eq!(wrapped.len(), 4, "two access tokens, the current and the previous refresh token");

    let mut keys = every_secret(&granted.platform.config);
    for run in stored_runs(&granted) {
        keys.extend(run.windows(32).map(|window| Key::new(window.try_into().unwrap())));
        let token = Secret::new(String::from_utf8_lossy(&run));
        assert!(wrapped.iter().all(|one| opener.unwrap(&token, one).is_err()), "a stored run is a token");
    }
    assert!(keys.len() > 1000, "the search saw the store");
    assert!(keys.iter().all(|key| opener.open(key, sealed).is_err()), "a stored run is the data key");

    let opens = |token: &Secret| wrapped.iter().any(|one| opener.unwrap(token, one).is_ok());
    assert!(opens(&live.access) && opens(&live.refresh), "the control: a live token does open");
    let other = EncryptionKeys::derive(&Keyring { current: Key::new([9; 32]), previous: None });
    let unpeppered = Sealer::new(&other, binding);
    assert!(wrapped.iter().all(|one| unpeppered.unwrap(&live.access, one).is_err()), "a token alone does not");
}

/// With the keys anybody signs tokens that the edge takes for genuine. The object knows which it issued.
#[tokio::test(flavor = "current_thread")]
async fn a_token_forged_with_all_the_secrets_counts_for_nothing() {
    let granted = Granted::new();
    let live = granted.tokens().await;
    let config = granted.platform.config.clone();
    let keys = TokenKeys::new(&config.keys.encryption);
    let forge = |kind, like: &Secret| {
        let stamp = keys.read(kind, like.expose(), granted.now()).unwrap();
        let forged = keys.mint(&SeededRandom::new(666), kind, &stamp);
        assert_eq!(keys.read(kind, forged.expose(), granted.now()), Ok(stamp), "the edge cannot tell");
        forged
    };
    let access = forge(Kind::Access, &live.access);
    assert_eq!(granted.confirm(&access).await, Err(GrantError::TokenInvalid));
    assert_eq!(granted.microsoft(&access).await, Err(GrantError::TokenInvalid));
    let fresh = forge(Kind::Refresh, &live.refresh);
    assert_eq!(granted.ask(refresh(&fresh)).await, Err(GrantError::TokenReused), "somebody has our keys: it ends");
    assert_eq!(granted.microsoft(&live.access).await, Err(GrantError::Revoked));
}

#[tokio::test(flavor = "current_thread")]
async fn a_spent_code_and_an_ended_refresh_token_open_nothing_any_more() {
    let granted = Granted::new();
    let code = granted.code().await;
    let first = granted.take(redeem(&code)).await;
    let second = granted.take(refresh(&first.refresh)).await;
    granted.confirm(&second.access).await.unwrap();
    let binding = Binding { user: user(), grant: granted.id, client_id: super::granted::CLIENT };
    let sealer = Sealer::new(&granted.platform.config.keys.encryption, binding);
    for token in [&code, &first.refresh] {
        assert!(wrapped_keys(&granted).iter().all(|one| sealer.unwrap(token, one).is_err()));
    }
    assert!(!state_text(&granted).contains("salt"), "successors can no more be computed");
}

const FORM: &str = r#"{"v":1,"revision":2,"phase":"active","clientId":"client-1","clientName":"Inbox Helper","scope":"User.Read Mail.Read Mail.Send","resource":"http://localhost:8787/mcp","createdAt":1772442000,"endsAt":1775034000,"signInNeeded":false,"sealed":"<sealed>"}"#;

#[tokio::test(flavor = "current_thread")]
async fn the_entry_in_kv_has_exactly_this_form() {
    let granted = Granted::new();
    let code = granted.code().await;
    assert_eq!(entry(&granted), None, "what lives for a minute is not listed");
    granted.take(redeem(&code)).await;
    assert_eq!(masked(&entry(&granted).unwrap()), FORM, "operators read it: a change of form needs another v");
    let key = granted.platform.kv.entries.borrow().keys().next().cloned().unwrap();
    let tid = "00000000-0000-0000-0000-00000000c0de";
    assert_eq!(key, format!("grant:{tid}:00000000-0000-0000-0000-0000000ade1e:{}", granted.id));
}

#[tokio::test(flavor = "current_thread")]
async fn the_row_of_the_object_has_exactly_this_form() {
    let granted = Granted::new();
    let first = granted.tokens().await;
    granted.take(refresh(&first.refresh)).await;
    let text = masked(&state_text(&granted));
    assert_eq!(
        text.replace(&granted.id.to_string(), "<grant>"),
        r#"{"Active":{"terms":{"grant":"<grant>","client_id":"client-1","client_name":"Inbox Helper","user":{"tid":"00000000-0000-0000-0000-00000000c0de","oid":"00000000-0000-0000-0000-0000000ade1e"},"profile":{"name":"Adele","email":"adele@contoso.example"},"access":null,"scopes":11,"requested":11,"resource":"http://localhost:8787/mcp","created_at":1772442000,"ends_at":1775034000},"redirect_uri":"http://127.0.0.1:4711/cb","enlisting":"done","code":"<digest>","current":{"digest":"<digest>","wrapped":"<sealed>"},"previous":{"token":{"digest":"<digest>","wrapped":"<sealed>"},"salt":"<digest>"},"access":[{"digest":"<digest>","scopes":11,"expires_at":1772445600,"wrapped":"<sealed>"},{"digest":"<digest>","scopes":11,"expires_at":1772445600,"wrapped":"<sealed>"}],"sign_in_needed":false}}"#
    );
}
