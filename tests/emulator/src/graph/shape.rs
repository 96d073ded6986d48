//! Checks of request bodies that several families share.

use serde_json::Value;

use super::error::GraphError;
use crate::json::text;

/// Refuses a member that the type does not have.
pub fn known_members(body: &Value, known: &[&str], kind: &str) -> Result<(), GraphError> {
    let members = body.as_object().into_iter().flatten();
    for (name, _) in members {
        if !known.contains(&name.as_str()) && !name.starts_with('@') {
            let message = format!(
                "The property '{name}' does not exist on type '{kind}'. Make sure to only use property names that are defined by the type."
            );
            return Err(GraphError::new(400, "RequestBodyRead", &message));
        }
    }
    Ok(())
}

/// Refuses an item body whose type is neither text nor HTML or whose content is no text.
pub fn item_body(body: Option<&Value>) -> Result<(), GraphError> {
    let Some(body) = body else { return Ok(()) };
    let kind = text(body, "/contentType").to_ascii_lowercase();
    let typed = body.get("contentType").is_none() || matches!(kind.as_str(), "text" | "html");
    if typed && body.get("content").is_some_and(Value::is_string) {
        return Ok(());
    }
    Err(GraphError::new(
        400,
        "RequestBodyRead",
        "Cannot convert the body to the expected type 'microsoft.graph.itemBody'.",
    ))
}

/// Refuses a list that is not of `{emailAddress: {address}}`.
pub fn recipients(list: Option<&Value>) -> Result<(), GraphError> {
    let Some(list) = list else { return Ok(()) };
    let shaped = list
        .as_array()
        .is_some_and(|list| list.iter().all(|one| one.pointer("/emailAddress/address").is_some_and(Value::is_string)));
    if shaped {
        return Ok(());
    }
    Err(GraphError::new(
        400,
        "RequestBodyRead",
        "Cannot convert the value to the expected type 'Collection(microsoft.graph.recipient)'.",
    ))
}

/// Whether an address can be delivered to at all.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "<>,;\"@".contains(c));
    plain(local) && plain(domain) && domain.contains('.')
}
