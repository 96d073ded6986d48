//! Cursors: where a list goes on, sealed so that a caller can neither read nor make one, and bound to the user and the
//! tool it was made for. A cursor decides where a request with the user's token goes, so what it holds is checked again
//! when it comes back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::Call;
use super::error::ToolError;
use crate::crypto;
use crate::identity::UserId;
use crate::json;

/// Longest cursor that is looked at; Graph's own links stay well below.
const LONGEST: usize = 12_000;

/// The cursor for a position.
pub(super) fn seal(call: &Call<'_>, position: &impl Serialize) -> Result<String, ToolError> {
    let plain = serde_json::to_vec(position).map_err(|_| ToolError::Seal)?;
    let key = &call.context.config.keys.encryption.cursors.current;
    let bound = binding(call.context.caller.user, call.name);
    let sealed = key.seal(&*call.context.ports.random, &bound, &plain).map_err(|_| ToolError::Seal)?;
    Ok(crypto::encode(&sealed))
}

/// The position that a cursor stands for.
pub(super) fn open<T: DeserializeOwned>(call: &Call<'_>, cursor: &str) -> Result<T, ToolError> {
    let refused =
        || ToolError::argument("cursor", "not a nextCursor that this tool gave this user: list again without it");
    let keys = &call.context.config.keys.encryption.cursors;
    let bound = binding(call.context.caller.user, call.name);
    let bytes = Some(cursor).filter(|text| text.len() <= LONGEST).and_then(crypto::decode).ok_or_else(refused)?;
    let plain = keys.open(&bound, &bytes).map_err(|_| refused())?;
    json::read(&plain).map_err(|_| refused())
}

fn binding(user: UserId, tool: &str) -> Vec<u8> {
    format!("{user}\n{tool}").into_bytes()
}
