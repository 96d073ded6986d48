//! `requestState`: what a call needs to go on once its client has answered, carried by the client, which can neither
//! read nor make one.
//!
//! Sealed (AES-256-GCM) and bound to the grant, to exactly this tool or resource with exactly these arguments, and to a
//! time. It says which questions were asked, so that an answer to another question, or to none, counts for nothing.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use crate::agent::{Action, Dialogue, InputAnswer};
use crate::crypto::{self, Digest, Keyring};
use crate::identity::GrantId;
use crate::json;
use crate::mcp::protocol::RpcError;
use crate::ports::Random;
use crate::prompts;

/// Seconds that a person has for an answer.
const LIFETIME: u64 = 600;

/// The longest state that is looked at; the body's limit bounds it too.
const LONGEST: usize = 256 * 1024;

/// Whose call it is, and which.
pub(super) struct Binding {
    grant: GrantId,
    action: Digest,
}

#[derive(Serialize, Deserialize)]
struct Content {
    /// Unix seconds.
    expires_at: u64,
    dialogue: Dialogue,
}

impl Binding {
    /// Of this call. Arguments are compared by what they say, not by how they are spelt.
    pub(super) fn new(grant: GrantId, action: &Action) -> Self {
        let name = match action {
            Action::Tool { name, arguments } => {
                let said = serde_json::from_str::<Value>(arguments).map(|value| value.to_string());
                format!("tool\n{name}\n{}", said.unwrap_or_else(|_| arguments.clone()))
            }
            Action::Resource { uri } => format!("resource\n{uri}"),
            Action::Wish(wish) => format!("wish\n{wish:?}"),
            Action::Task { id, .. } => format!("task\n{id}"),
        };
        Self { grant, action: Digest::of(name.as_bytes()) }
    }

    /// Of this prompt.
    pub(super) fn prompt(grant: GrantId, request: &prompts::Request) -> Self {
        Self { grant, action: Digest::of(format!("prompt\n{}", request.identity()).as_bytes()) }
    }

    fn aad(&self) -> Vec<u8> {
        format!("m365-mcp/request state/1\n{}\n{}", self.grant, self.action).into_bytes()
    }

    /// Seals what the next run needs.
    pub(super) fn seal(
        &self,
        keys: &Keyring,
        random: &dyn Random,
        now: u64,
        dialogue: Dialogue,
    ) -> Result<String, RpcError> {
        let failed = || RpcError::new(-32603, "internal error");
        let content = Content { expires_at: now + LIFETIME, dialogue };
        let plain = serde_json::to_vec(&content).map_err(|_| failed())?;
        let sealed = keys.current.seal(random, &self.aad(), &plain).map_err(|_| failed())?;
        Ok(crypto::encode(&sealed))
    }

    /// Opens what [`Binding::seal`] made for the same call.
    pub(super) fn open(&self, keys: &Keyring, now: u64, state: &str) -> Result<Dialogue, RpcError> {
        let refused =
            || RpcError::invalid_params("requestState is not one of this call, or too old: call again without it");
        let sealed = Some(state).filter(|state| state.len() <= LONGEST).and_then(crypto::decode).ok_or_else(refused)?;
        let plain = keys.open(&self.aad(), &sealed).map_err(|_| refused())?;
        let content: Content = json::read(&plain).map_err(|_| refused())?;
        if now < content.expires_at { Ok(content.dialogue) } else { Err(refused()) }
    }
}

/// Fills the client's answers in.
pub(super) fn answer(dialogue: &mut Dialogue, responses: &RawValue) -> Result<(), RpcError> {
    for (key, answer) in answers(responses)? {
        dialogue.take(&key, answer);
    }
    Ok(())
}

/// A dialogue of answers to nothing that was asked.
pub(super) fn loose(responses: &RawValue) -> Result<Dialogue, RpcError> {
    Ok(Dialogue { loose: answers(responses)?, ..Dialogue::default() })
}

/// Answers by the keys of their questions.
pub(super) fn answers(responses: &RawValue) -> Result<BTreeMap<String, InputAnswer>, RpcError> {
    let responses: BTreeMap<String, &RawValue> = serde_json::from_str(responses.get())
        .map_err(|_| RpcError::invalid_params("inputResponses must be an object"))?;
    let mut answers = BTreeMap::new();
    for (key, response) in responses {
        answers.insert(key, InputAnswer::Result(response.get().to_owned()));
    }
    Ok(answers)
}
