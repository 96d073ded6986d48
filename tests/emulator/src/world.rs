//! Everything `reset` forgets, in one place.

use crate::entra::Sessions;
use crate::faults::Faults;
use crate::gateway::store::GatewayStore;
use crate::graph::store::GraphStore;
use crate::publisher::Publisher;
use crate::settings::Settings;

/// The emulator's whole state but its keys.
pub struct World {
    /// Failures that are ordered.
    pub faults: Faults,
    /// Codes and tokens that Entra issued.
    pub entra: Sessions,
    /// Mailboxes, calendars, teams.
    pub graph: GraphStore,
    /// What an app publishes of itself.
    pub publisher: Publisher,
    /// Logs and cache of the gateway.
    pub gateway: GatewayStore,
}

impl World {
    /// The state at the start.
    pub fn new(settings: &Settings) -> Self {
        Self {
            faults: Faults::default(),
            entra: Sessions::default(),
            graph: GraphStore::sample(settings.today),
            publisher: Publisher::default(),
            gateway: GatewayStore::default(),
        }
    }
}
