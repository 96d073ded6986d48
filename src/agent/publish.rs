//! The one place through which the object says anything to its clients.

use crate::ports::AgentPorts;

/// Puts messages on clients' streams.
pub(super) struct Publisher<'a> {
    ports: &'a AgentPorts,
}

impl<'a> Publisher<'a> {
    /// Over this object's sockets.
    pub(super) const fn new(ports: &'a AgentPorts) -> Self {
        Self { ports }
    }

    /// Says `message`, a JSON-RPC message, on `stream`; how many sockets took it.
    pub(super) fn publish(&self, stream: &str, message: &str) -> usize {
        self.ports.sockets.send(stream, message)
    }
}
