//! What one caller sees of the catalogue, which is exactly what it can use: what its presets select, its token's scopes
//! allow and `READ_ONLY` leaves. And the text of the list, joined once for each set of visible tools.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

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
    let shown = entries().zip(0..).filter(|(_, at)| visible & (1_u128 << at) != 0);
    let shown: Vec<_> = shown.map(|(entry, _)| entry).collect();
    format!("[{}]", shown.join(","))
}

/// A line for each tool in the order of the catalogue: its entry, JSON text. A test keeps it, from the tools themselves.
const LIST: &str = include_str!("list.jsonl");

/// The entries, one for each bit.
fn entries() -> impl Iterator<Item = Cow<'static, str>> {
    let stored = LIST.lines().map(Cow::Borrowed);
    // The fixtures come last, and no list is stored of them.
    #[cfg(feature = "conformance")]
    let stored = stored.chain(catalogue().skip(LIST.lines().count()).map(|tool| Cow::Owned(tool.entry())));
    stored
}

// A list with other tools than the catalogue would show callers the wrong ones, so the Worker does not compile with it.
#[cfg(all(target_arch = "wasm32", not(feature = "conformance")))]
const _: () = assert!(
    is_current(),
    "src/tools/list.jsonl is not of these tools. Renew it: UPDATE_SNAPSHOTS=1 cargo test --lib the_list_is_as_stored"
);

#[cfg(all(target_arch = "wasm32", not(feature = "conformance")))]
const fn is_current() -> bool {
    let (mut list, mut families) = (LIST.as_bytes(), super::FAMILIES);
    while let [tools, others @ ..] = families {
        let mut family = *tools;
        while let [tool, rest @ ..] = family {
            let Some(line) = after(list, br#"{"name":""#) else { return false };
            let Some(line) = after(line, tool.name.as_bytes()) else { return false };
            (list, family) = (next_line(line), rest);
        }
        families = others;
    }
    list.is_empty()
}

#[cfg(all(target_arch = "wasm32", not(feature = "conformance")))]
const fn after<'a>(mut text: &'a [u8], mut head: &[u8]) -> Option<&'a [u8]> {
    while let ([expected, head_rest @ ..], [found, rest @ ..]) = (head, text) {
        if *expected != *found {
            return None;
        }
        (text, head) = (rest, head_rest);
    }
    if head.is_empty() { Some(text) } else { None }
}

#[cfg(all(target_arch = "wasm32", not(feature = "conformance")))]
const fn next_line(mut text: &[u8]) -> &[u8] {
    while let [byte, rest @ ..] = text {
        text = rest;
        if *byte == b'\n' {
            break;
        }
    }
    text
}
