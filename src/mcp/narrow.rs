//! `?presets=mail,calendar`: a URL that shows a client less of the catalogue than the deployment offers. It can only
//! narrow. What a session was opened with is in its signed id, because the messages of a legacy stream come without the
//! query; a query on a later message narrows further.

use super::Turn;
use super::caller::Caller;
use super::protocol::{RpcError, clip};
use crate::config::{Preset, PresetSet};
use crate::tools::View;
use crate::web::Request;

/// The presets that a request's URL leaves; all of them where it says nothing.
pub(super) fn presets(request: &Request) -> Result<PresetSet, RpcError> {
    let query = request.query.as_deref().unwrap_or_default();
    let given = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "presets");
    given.map(|(_, names)| read(&names)).try_fold(PresetSet::ALL, |all, set| Ok(all.intersection(set?)))
}

fn read(names: &str) -> Result<PresetSet, RpcError> {
    PresetSet::parse(names).map_err(|unknown| {
        let known = Preset::ALL.map(Preset::name).join(", ");
        RpcError::invalid_params(format!("presets: none is named {:?}; there are {known}", clip(unknown)))
    })
}

impl Turn<'_> {
    /// What this caller sees of the catalogue in a session that was opened with these presets.
    pub(super) fn view(&self, session: PresetSet) -> View {
        let config = &self.exchange.config;
        View {
            presets: config.presets.intersection(self.presets).intersection(session),
            scopes: match &self.caller {
                Caller::Grant { claims, .. } => Some(claims.scopes),
                Caller::Discovery { .. } => None,
            },
            read_only: config.read_only,
        }
    }
}
