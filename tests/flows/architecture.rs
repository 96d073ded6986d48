//! The module map of `lib.rs` as a rule: which module may name which. The compiler keeps `worker` out of the core;
//! this keeps the core's own layers in their order.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules that everything may use.
const SHARED: &[&str] =
    &["crypto", "identity", "json", "log", "ports", "config", "web", "exchange", "agent", "support"];

/// What each layer may use beside [`SHARED`]. A new line here is a decision about the architecture.
const MAY_USE: &[(&str, &[&str])] = &[
    ("config", &["graph"]),
    ("web", &[]),
    ("crypto", &[]),
    ("identity", &[]),
    ("json", &[]),
    ("log", &[]),
    ("ports", &["extract"]),
    ("extract", &[]),
    ("graph", &[]),
    ("jose", &[]),
    ("access", &["jose"]),
    ("limits", &[]),
    ("exchange", &["access", "jose", "limits", "mcp", "tools"]),
    // What to ask Entra for is read from the catalogue.
    ("oauth", &["jose", "limits", "tools"]),
    ("gateway", &["graph"]),
    ("tools", &["extract", "graph"]),
    ("prompts", &["tools"]),
    ("mcp", &["limits", "oauth", "prompts", "tools"]),
    ("agent", &["gateway", "graph", "oauth", "tools"]),
    ("account", &["limits", "oauth"]),
    ("operator", &["jose", "limits", "oauth"]),
    ("app", &["access", "account", "gateway", "mcp", "oauth", "operator", "tools"]),
    ("edge", &["app", "extract"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is readable").flatten().map(|entry| entry.path());
    let nested = entries.map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    nested.flatten().filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The modules that a source names as `crate::x`, doc comments and test modules aside.
fn named(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let uses = lines.flat_map(|line| line.split("crate::").skip(1));
    uses.map(|rest| rest.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect())
        .collect()
}

#[test]
fn every_module_names_only_the_layers_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in sources(&root) {
        let relative = path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
        let layer = relative.split(['/', '.']).next().unwrap_or_default().to_owned();
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == layer) else {
            assert_eq!(layer, "lib", "{relative} belongs to no layer of the module map");
            continue;
        };
        let source = fs::read_to_string(&path).expect("the source is readable");
        let fits =
            |name: &String| *name == layer || SHARED.contains(&name.as_str()) || allowed.contains(&name.as_str());
        wrong.extend(named(&source).into_iter().filter(|name| !fits(name)).map(|name| format!("{relative} → {name}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn only_the_edge_names_the_platform() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in sources(&root).into_iter().filter(|path| !path.starts_with(root.join("edge"))) {
        let source = fs::read_to_string(&path).expect("the source is readable");
        for platform in ["worker::", "js_sys::", "web_sys::", "wasm_bindgen::"] {
            assert!(!source.contains(&format!("use {platform}")), "{} uses {platform}", path.display());
        }
    }
}
