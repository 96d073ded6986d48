//! The account page, rendered from `templates/account.html` with everything escaped. No script.

use askama::Template;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use url::Url;

use crate::agent::Description;
use crate::exchange::Exchange;
use crate::oauth::page;
use crate::oauth::user_grants::Held;
use crate::oauth::{redirect_uri, scopes};
use crate::web::Response;

use super::session::{Deed, Session};

const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    nonce: &'a str,
    name: &'a str,
    account: Option<&'a str>,
    access: Option<&'a str>,
    apps: Vec<App>,
    is_done: bool,
    end_all: String,
    sign_out: String,
}

/// One grant as the person sees it.
struct App {
    grant: String,
    name: String,
    details: Option<Details>,
    token: String,
}

struct Details {
    client: String,
    answers_to: String,
    permissions: Vec<&'static str>,
    since: String,
    last_used: String,
    ends: String,
    sign_in_needed: bool,
}

#[derive(Template)]
#[template(path = "account-welcome.html")]
struct WelcomePage<'a> {
    nonce: &'a str,
    access: Option<&'a str>,
}

fn access(exchange: &Exchange) -> Option<&str> {
    exchange.access.as_ref().map(|identity| identity.email.as_deref().unwrap_or(&identity.sub))
}

/// For whoever is not signed in here.
pub(super) fn welcome(exchange: &Exchange) -> Response {
    let nonce = page::nonce(exchange);
    page::show(200, &WelcomePage { nonce: &nonce, access: access(exchange) }, &nonce)
}

/// The person and their apps.
pub(super) fn account(exchange: &Exchange, session: &Session, grants: Vec<Held>, is_done: bool) -> Response {
    let nonce = page::nonce(exchange);
    let profile = &session.profile;
    // The newest first: it is the one that people look for.
    let apps = grants.into_iter().rev().map(|held| app(exchange, session, held)).collect();
    let shown = AccountPage {
        nonce: &nonce,
        name: profile.name.as_deref().or(profile.email.as_deref()).unwrap_or("a Microsoft user"),
        account: profile.email.as_deref(),
        access: access(exchange),
        apps,
        is_done,
        end_all: session.token(exchange, &Deed::EndAll),
        sign_out: session.token(exchange, &Deed::SignOut),
    };
    page::show(200, &shown, &nonce)
}

fn app(exchange: &Exchange, session: &Session, held: Held) -> App {
    let (grant, name, details) = match held {
        Held::Known(known) => {
            let name = known.client_name.clone().unwrap_or_else(|| "an unnamed app".to_owned());
            (known.grant, name, Some(details(&known)))
        }
        Held::Silent(grant) => (grant, "an app that cannot be read right now".to_owned(), None),
    };
    App { grant: grant.to_string(), name, details, token: session.token(exchange, &Deed::End(grant)) }
}

fn details(known: &Description) -> Details {
    let answers_to = match known.redirect_uri.as_str() {
        "" => "not known".to_owned(),
        uri => redirect_uri::shown_host(uri),
    };
    Details {
        client: client(&known.client_id),
        answers_to,
        permissions: scopes::in_plain_words(known.scopes),
        since: moment(known.created_at),
        last_used: moment(known.last_used_at),
        ends: moment(known.ends_at),
        sign_in_needed: known.sign_in_needed,
    }
}

/// The host that vouches for the client, where its id is a URL.
fn client(id: &str) -> String {
    let host = Url::parse(id).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| format!("{id} (registered here)"))
}

fn moment(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.and_then(|time| time.format(MOMENT).ok()).unwrap_or_else(|| "not known".to_owned())
}
