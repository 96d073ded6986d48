//! What one caller sees of the catalogue, which is exactly what it can use: what its presets select, its token's scopes
//! allow and `READ_ONLY` leaves. And the text of the list, joined once for each set of visible tools.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::OnceLock;

use super::{Tool, catalogue};
use crate::config::PresetSet;
use crate::identity::ScopeSet;

/// Lists kept at most, about 30 KB each. Presets and scopes combine to more, but few of them are in use at a time.
const KEPT: usize = 64;

/// What decides which tools a caller sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// What the deployment offers and the caller's URL leaves.
    pub presets: PresetSet,
    /// What the token is good for; `None` before a sign-in, when nobody knows yet what it will bring.
    pub scopes: Option<ScopeSet>,
    /// Whether the deployment refuses to write.
    pub read_only: bool,
}

impl View {
    /// Whether a tool is among the presets; one that is not does not exist for this caller.
    pub fn has(&self, tool: &Tool) -> bool {
        self.presets.contains(tool.preset)
    }

    /// Whether a tool is listed.
    pub fn shows(&self, tool: &Tool) -> bool {
        self.has(tool)
            && !(self.read_only && tool.writes())
            && self.scopes.is_none_or(|scopes| tool.missing(scopes).is_none())
    }

    /// One bit for each tool of the catalogue, in its order.
    fn visible(&self) -> u128 {
        catalogue().zip(0..).fold(0, |bits, (tool, at)| bits | u128::from(self.shows(tool)) << at)
    }
}

/// The lists that one isolate has answered with.
#[derive(Default)]
pub struct Lists(RefCell<HashMap<u128, Rc<str>>>);

impl Lists {
    /// JSON text of the array that `tools/list` answers with. Callers who see the same tools share the same text.
    pub fn json(&self, view: View) -> Rc<str> {
        let visible = view.visible();
        let mut lists = self.0.borrow_mut();
        if let Some(list) = lists.get(&visible) {
            return Rc::clone(list);
        }
        if lists.len() >= KEPT {
            lists.clear();
        }
        let list: Rc<str> = join(visible).into();
        lists.insert(visible, Rc::clone(&list));
        list
    }
}

fn join(visible: u128) -> String {
    let shown = entries().iter().zip(0..).filter(|(_, at)| visible & (1_u128 << at) != 0);
    let shown: Vec<_> = shown.map(|(entry, _)| entry.as_str()).collect();
    format!("[{}]", shown.join(","))
}

/// JSON text of every tool's entry, in the order of the catalogue: schemas are made once in an isolate's life.
fn entries() -> &'static [String] {
    static ENTRIES: OnceLock<Vec<String>> = OnceLock::new();
    // Structs of ours with string keys always serialise.
    ENTRIES.get_or_init(|| catalogue().map(|tool| serde_json::to_string(&tool.entry()).unwrap_or_default()).collect())
}
