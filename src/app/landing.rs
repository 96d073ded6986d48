//! The landing page: what this server is, how to connect a client, whether the perimeter stands. No secrets.

use askama::Template;

use crate::config::{Access, AccessMode};
use crate::crypto;
use crate::exchange::Exchange;
use crate::web::Response;

#[derive(Template)]
#[template(path = "landing.html")]
struct Page<'a> {
    nonce: &'a str,
    origin: &'a str,
    perimeter: &'static str,
    signed_in: Option<&'a str>,
    version: &'static str,
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
        version: env!("CARGO_PKG_VERSION"),
    };
    match page.render() {
        Ok(html) => Response::html_with_script(200, html, &nonce),
        Err(_) => Response::text(500, "the page could not be rendered\n"),
    }
}
