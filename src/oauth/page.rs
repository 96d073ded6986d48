//! The pages that a person sees here, rendered from `templates/` with everything escaped.

use askama::Template;

use crate::crypto;
use crate::exchange::Exchange;
use crate::web::Response;

use super::error::Notice;

/// The consent page.
#[derive(Template)]
#[template(path = "consent.html")]
pub struct ConsentPage<'a> {
    /// For the style.
    pub nonce: &'a str,
    /// What the client calls itself.
    pub client_name: Option<&'a str>,
    /// Its id.
    pub client_id: &'a str,
    /// The host of its document, where its id is one's address.
    pub document_host: Option<String>,
    /// Whether the operator registered it.
    pub by_operator: bool,
    /// Where the code will go.
    pub redirect_host: &'a str,
    /// Whether that is the user's own machine.
    pub is_on_this_device: bool,
    /// What it may do.
    pub permissions: Vec<&'static str>,
    /// Who came through Access.
    pub signed_in: Option<&'a str>,
    /// The form's only field.
    pub transaction: &'a str,
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    nonce: &'a str,
    title: &'a str,
    text: &'a str,
    request_id: &'a str,
}

/// A nonce for one page.
pub fn nonce(exchange: &Exchange) -> String {
    crypto::random_text::<16>(exchange.ports.random.as_ref())
}

/// Renders a page.
pub fn show(status: u16, page: &impl Template, nonce: &str) -> Response {
    match page.render() {
        Ok(html) => Response::html(status, html, nonce),
        Err(_) => Response::text(500, "the page could not be rendered\n"),
    }
}

/// A page that says what happened and what to do.
pub fn message(exchange: &Exchange, notice: Notice) -> Response {
    let nonce = nonce(exchange);
    let Notice { status, title, text } = notice;
    show(status, &MessagePage { nonce: &nonce, title, text, request_id: &exchange.context.request_id }, &nonce)
}
