//! Server-sent events as they go out (HTML standard, "Server-sent events").

use super::EventId;

/// Milliseconds that a client is asked to wait before it connects again, so that a deploy, which closes every stream,
/// does not bring everybody back in one moment.
const RETRY_MS: u64 = 2000;

/// An event that carries a JSON-RPC message.
pub(super) fn message(id: Option<&EventId>, message: &str) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    // A line break, legal between JSON's tokens, would end the event's line.
    let data = message.split(['\n', '\r']).collect::<Vec<_>>().join("\ndata: ");
    format!("{id}event: message\ndata: {data}\n\n")
}

/// The answer to a request whose call is gone.
pub(super) fn lost(request: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{request},"error":{{"code":-32603,"message":"the call was interrupted: what it does may have happened, so look before you call again"}}}}"#
    )
}

/// The event without a message that gives a client something to come back with. Only clients of 2025-11-25 and later
/// expect it; older ones stumble over its empty data.
pub(super) fn priming(id: &EventId) -> String {
    format!("id: {id}\nretry: {RETRY_MS}\ndata: \n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::StreamName;

    #[test]
    fn an_event_has_this_form_and_no_message_can_leave_its_data() {
        let id = EventId { stream: StreamName::of_session("s"), number: 7 };
        assert_eq!(message(Some(&id), "{}"), "id: s.0-7\nevent: message\ndata: {}\n\n");
        assert_eq!(message(None, "{\n\r\"a\":1}"), "event: message\ndata: {\ndata: \ndata: \"a\":1}\n\n");
        assert_eq!(priming(&id), "id: s.0-7\nretry: 2000\ndata: \n\n");
    }
}
