//! The landing page: what this server is, how to connect a client, which tools it offers, whether the perimeter stands.
//! No secrets. The tools are written once in an isolate's life: they depend on its settings alone.

use askama::Template;

use crate::config::{Access, AccessMode, Config, Preset};
use crate::crypto;
use crate::exchange::Exchange;
use crate::tools::{self, Kind, View};
use crate::web::Response;

#[derive(Template)]
#[template(path = "landing.html")]
struct Page<'a> {
    nonce: &'a str,
    origin: &'a str,
    perimeter: &'static str,
    signed_in: Option<&'a str>,
    /// HTML of the tools.
    tools: &'a str,
    read_only: bool,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "tools.html")]
struct Overview {
    groups: Vec<Group>,
}

/// The tools of one preset.
struct Group {
    name: &'static str,
    open: bool,
    reading: usize,
    tools: Vec<Line>,
}

struct Line {
    name: &'static str,
    title: &'static str,
    kind: &'static str,
}

impl Group {
    fn of(preset: Preset, view: &View) -> Self {
        let shown: Vec<_> = tools::catalogue().filter(|tool| tool.preset == preset && view.shows(tool)).collect();
        Self {
            name: preset.name(),
            open: preset == Preset::Core,
            reading: shown.iter().filter(|tool| tool.kind == Kind::Read).count(),
            tools: shown
                .iter()
                .map(|tool| Line { name: tool.name, title: tool.title, kind: said(tool.kind) })
                .collect(),
        }
    }
}

const fn said(kind: Kind) -> &'static str {
    match kind {
        Kind::Read => "only reads",
        Kind::Write => "writes",
        Kind::Joint => "writes, can reach other people",
        Kind::Destructive => "overwrites or removes",
        Kind::Outward => "reaches other people",
    }
}

/// What the deployment offers, as HTML; a page without it is a page all the same.
fn overview(config: &Config) -> String {
    let view = View { presets: config.presets, scopes: None, read_only: config.read_only };
    let groups = config.presets.iter().map(|preset| Group::of(preset, &view));
    let groups = groups.filter(|group| !group.tools.is_empty()).collect();
    Overview { groups }.render().unwrap_or_default()
}

/// Renders the page.
pub fn page(exchange: &Exchange) -> Response {
    let nonce = crypto::random_text::<16>(exchange.ports.random.as_ref());
    let perimeter = match &exchange.config.access {
        Access::Off => "Cloudflare Access is off: this is a local development server.",
        Access::On { mode: AccessMode::Strict, .. } => "Cloudflare Access guards every path.",
        Access::On { mode: AccessMode::Browser, .. } => {
            "Cloudflare Access guards the sign-in: no token is issued to anybody who did not come through it."
        }
    };
    let page = Page {
        nonce: &nonce,
        origin: &exchange.config.public_url.origin,
        perimeter,
        signed_in: exchange.access.as_ref().map(|identity| identity.email.as_deref().unwrap_or(&identity.sub)),
        tools: exchange.isolate.overview.get_or_init(|| overview(&exchange.config)),
        read_only: exchange.config.read_only,
        version: env!("CARGO_PKG_VERSION"),
    };
    match page.render() {
        Ok(html) => Response::html_with_script(200, html, &nonce),
        Err(_) => Response::text(500, "the page could not be rendered\n"),
    }
}
