//! How a client proves itself at the token and revocation endpoints (RFC 6749 section 2.3, RFC 7521 section 4.2).
//!
//! An unknown client and a wrong proof are one error (RFC 6749 section 5.2), and so is a document that cannot be had.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::agent::{AssertionId, GrantCommand};
use crate::crypto::Secret;
use crate::exchange::Exchange;
use crate::jose;
use crate::web::Request;

use super::client::{self, AuthMethod, Client, FindError};
use super::client_assertion::{self, AssertionError};
use super::error::TokenRequestError;
use super::params::Params;

/// A client that proved itself.
#[derive(Debug)]
pub struct Authenticated {
    /// The client.
    pub client: Client,
    /// What it proved itself by, where that counts once.
    assertion: Option<AssertionId>,
}

impl Authenticated {
    /// The step as the grant's object may take it: one that rests on an assertion spends it there.
    pub fn once(self, step: GrantCommand) -> GrantCommand {
        let Some(assertion) = self.assertion else { return step };
        GrantCommand::Asserted { assertion, client_id: self.client.client_id, step: Box::new(step) }
    }
}

/// What a client presented as itself.
struct Credentials {
    client_id: String,
    proof: Proof,
}

enum Proof {
    None,
    Basic(Secret),
    Post(Secret),
    Assertion(Secret),
}

impl Proof {
    const fn method(&self) -> AuthMethod {
        match self {
            Self::None => AuthMethod::None,
            Self::Basic(_) => AuthMethod::Basic,
            Self::Post(_) => AuthMethod::Post,
            Self::Assertion(_) => AuthMethod::PrivateKeyJwt,
        }
    }
}

/// The client that sent this form, proven by a method that is its own.
pub async fn authenticate(
    exchange: &Exchange,
    request: &Request,
    form: &Params,
) -> Result<Authenticated, TokenRequestError> {
    let Credentials { client_id, proof } = credentials(request, form)?;
    let method = proof.method();
    let refused = TokenRequestError::InvalidClient { basic: method == AuthMethod::Basic };
    let client = match client::find(exchange, &client_id).await {
        Ok(client) if client.may_use(method) => client,
        Ok(_) | Err(FindError::Unknown) => return Err(refused),
        Err(FindError::Document(error)) => return Err(TokenRequestError::Document(error)),
        Err(FindError::Unavailable(error)) => return Err(error.into()),
    };
    let assertion = match &proof {
        Proof::None => None,
        Proof::Basic(secret) | Proof::Post(secret) => {
            let proven = client.secret.as_ref().is_some_and(|kept| kept.matches(&secret.digest()));
            if !proven {
                return Err(refused);
            }
            None
        }
        Proof::Assertion(assertion) => Some(client_assertion::verify(exchange, &client, assertion.expose()).await?),
    };
    Ok(Authenticated { client, assertion })
}

/// One way of authentication, or none at all (RFC 6749 section 2.3).
fn credentials(request: &Request, form: &Params) -> Result<Credentials, TokenRequestError> {
    let header = request.header("authorization");
    let (secret, assertion) = (form.get("client_secret"), assertion(form)?);
    if [header.is_some(), secret.is_some(), assertion.is_some()].iter().filter(|given| **given).count() > 1 {
        return Err(TokenRequestError::TwoCredentials);
    }
    let body_id = form.get("client_id").map(str::to_owned);
    let (own_id, proof) = match (header, secret, assertion) {
        (Some(header), _, _) => {
            let (id, secret) = parse_basic(header).ok_or(TokenRequestError::InvalidClient { basic: true })?;
            (Some(id), Proof::Basic(secret))
        }
        (None, Some(secret), _) => (None, Proof::Post(Secret::new(secret))),
        (None, None, Some(assertion)) => (jose::claimed_subject(assertion), Proof::Assertion(Secret::new(assertion))),
        (None, None, None) => (None, Proof::None),
    };
    if let (Some(one), Some(other)) = (&body_id, &own_id)
        && one != other
    {
        return Err(TokenRequestError::TwoCredentials);
    }
    let client_id = own_id.or(body_id).ok_or(TokenRequestError::InvalidClient { basic: false })?;
    Ok(Credentials { client_id, proof })
}

fn assertion(form: &Params) -> Result<Option<&str>, TokenRequestError> {
    match (form.get("client_assertion_type"), form.get("client_assertion")) {
        (None, None) => Ok(None),
        (Some(client_assertion::TYPE), Some(assertion)) => Ok(Some(assertion)),
        (Some(_), Some(_)) => Err(AssertionError::Type.into()),
        (Some(_), None) => Err(TokenRequestError::Missing("client_assertion")),
        (None, Some(_)) => Err(TokenRequestError::Missing("client_assertion_type")),
    }
}

/// Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1).
fn parse_basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, encoded) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decode(id)?, Secret::new(form_decode(secret)?)))
}

/// A half is one name without a value, so what ends a name or a pair cannot be in it unless it is encoded.
fn form_decode(text: &str) -> Option<String> {
    let is_one = !text.contains(['=', '&']);
    is_one
        .then(|| form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(joined: &str) -> String {
        format!("Basic {}", STANDARD.encode(joined))
    }

    fn encoded(text: &str) -> String {
        form_urlencoded::byte_serialize(text.as_bytes()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_basic_header_reads_back(id in "\\PC{0,20}", secret in "\\PC{0,20}") {
            let (read, proof) = parse_basic(&header(&format!("{}:{}", encoded(&id), encoded(&secret)))).unwrap();
            prop_assert_eq!((read.as_str(), proof.expose()), (id.as_str(), secret.as_str()));
        }

        #[test]
        fn no_mutant_of_a_basic_header_says_the_same(
            id in "[A-Za-z0-9_-]{22}", secret in "[A-Za-z0-9_-]{43}", at: prop::sample::Index, to: char, more in "[=&][a-z=&]{0,4}"
        ) {
            let same = |text: &str| parse_basic(text).is_some_and(|(read, proof)| read == id && proof.expose() == secret);
            let text = STANDARD.encode(format!("{id}:{secret}"));
            let lower = format!("basic {text}");
            prop_assert!(same(&lower));
            let mut mutant: Vec<char> = text.chars().collect();
            let place = at.index(mutant.len());
            if let Some(one) = mutant.get_mut(place) {
                *one = to;
            }
            let mutant: String = mutant.into_iter().collect();
            prop_assert_eq!(same(&format!("Basic {mutant}")), mutant == text);
            for joined in [format!("{id}:{secret}{more}"), format!("{id}{more}:{secret}"), format!("{id}:{secret}:"), format!("{id}{secret}")] {
                prop_assert!(!same(&header(&joined)), "{}", joined);
            }
        }

        #[test]
        fn no_other_text_is_a_basic_header(text in "\\PC{0,60}", scheme in "[A-Za-z]{1,8}") {
            prop_assert!(parse_basic(&text).is_none() || text.to_ascii_lowercase().contains("basic "));
            let other = format!("{scheme} {}", STANDARD.encode("id:secret"));
            prop_assert_eq!(parse_basic(&other).is_some(), scheme.eq_ignore_ascii_case("basic"));
        }
    }
}
