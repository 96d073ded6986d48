//! `/account`: a person sees which apps hold grants of their Microsoft account, and ends them.
//!
//! | module | what |
//! |---|---|
//! | [`sign_in`] | through Entra, for the identity alone: no Graph scope, no refresh token, nothing is stored |
//! | [`session`] | the cookie that remembers it for ten minutes, and the tokens of the page's buttons |
//! | [`page`] | what the person sees |
//! | [`error`] | what can go wrong, and how it is said |
//!
//! A button counts only from the page itself: same origin, the session's cookie, the same Access identity, and a token
//! of exactly this deed. The list and the ends are `oauth::user_grants`.

pub mod error;
pub mod page;
pub mod session;
pub mod sign_in;

use crate::exchange::Exchange;
use crate::oauth::consent::is_same_origin;
use crate::oauth::params::Params;
use crate::oauth::user_grants;
use crate::web::{Request, Response};

pub use self::sign_in::{finish, returns};

use self::error::AccountError;
use self::session::{Deed, Session};

/// Where the page is.
const PATH: &str = "/account";

/// `GET /account`. Whoever is not signed in here, or came through Access as somebody else, is asked to sign in.
pub async fn show(exchange: &Exchange, request: &Request) -> Response {
    let Ok(session) = session::open(exchange, request) else { return page::welcome(exchange) };
    match user_grants::list(exchange, session.user).await {
        Ok(grants) => page::account(exchange, &session, grants, request.query.as_deref() == Some("done")),
        Err(error) => error::refuse(exchange, error.into()),
    }
}

/// `POST /account`: one of the page's buttons.
pub async fn act(exchange: &Exchange, request: &Request) -> Response {
    let outcome = match read(exchange, request) {
        Ok(form) if form.get("deed") == Some("sign-in") => sign_in::begin(exchange, request).await,
        Ok(form) => carry_out(exchange, request, &form).await,
        Err(error) => Err(error),
    };
    outcome.unwrap_or_else(|error| error::refuse(exchange, error))
}

fn read(exchange: &Exchange, request: &Request) -> Result<Params, AccountError> {
    if !is_same_origin(&exchange.config, request) {
        return Err(AccountError::CrossSite);
    }
    if !request.has_media_type("application/x-www-form-urlencoded") {
        return Err(AccountError::Malformed);
    }
    let form = Params::parse(&request.body);
    if form.repeated() { Err(AccountError::Malformed) } else { Ok(form) }
}

async fn carry_out(exchange: &Exchange, request: &Request, form: &Params) -> Result<Response, AccountError> {
    let session = session::open(exchange, request)?;
    let deed = deed(form).ok_or(AccountError::Malformed)?;
    if !session.allows(exchange, &deed, form.get("token").unwrap_or_default()) {
        return Err(AccountError::ForgedAction);
    }
    perform(exchange, &session, &deed).await
}

fn deed(form: &Params) -> Option<Deed> {
    match form.get("deed")? {
        "end" => form.get("grant")?.parse().ok().map(Deed::End),
        "end-all" => Some(Deed::EndAll),
        "sign-out" => Some(Deed::SignOut),
        _ => None,
    }
}

async fn perform(exchange: &Exchange, session: &Session, deed: &Deed) -> Result<Response, AccountError> {
    match deed {
        // An end that somebody else was faster with is what the person wanted.
        Deed::End(grant) => user_grants::end(exchange, session.user, *grant).await.map(|_| ())?,
        Deed::EndAll => user_grants::end_all(exchange, session.user).await.map(|_| ())?,
        Deed::SignOut => return Ok(session::clear(to_page(exchange, ""))),
    }
    Ok(to_page(exchange, "?done"))
}

/// To the page again, so that a reload does nothing twice.
fn to_page(exchange: &Exchange, query: &str) -> Response {
    Response::redirect(exchange.config.public_url.join(PATH) + query)
}
