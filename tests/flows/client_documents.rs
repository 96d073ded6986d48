//! Clients whose id is the address of their document: what is fetched, when, and what a failure looks like.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};

use super::world::{FORM, World, encode, json_of};
use crate::oauth;
use crate::ports::{OutboundResponse, UpstreamError};
use crate::web::Request;

pub(super) const ADDRESS: &str = "https://app.contoso.example/client.json";

type Answer = Result<OutboundResponse, UpstreamError>;

/// A world in which strangers' hosts answer as the test says; Entra answers as ever.
pub(super) struct Published {
    pub(super) world: World,
    answers: Rc<RefCell<Vec<(String, Answer)>>>,
}

impl Published {
    pub(super) fn new() -> Self {
        let world = World::new();
        let answers: Rc<RefCell<Vec<(String, Answer)>>> = Rc::default();
        let told = Rc::clone(&answers);
        let entra = world.platform.upstream.responder.borrow_mut().take().unwrap();
        *world.platform.upstream.responder.borrow_mut() = Some(Box::new(move |request| {
            let known = told.borrow().iter().find(|(url, _)| *url == request.url).map(|(_, answer)| answer.clone());
            let of_a_stranger = request.url.contains(".contoso.example/");
            known.or_else(|| if of_a_stranger { Some(Err(UpstreamError::Unreachable)) } else { entra(request) })
        }));
        Self { world, answers }
    }

    /// With a good document at [`ADDRESS`].
    pub(super) fn with_document() -> Self {
        let published = Self::new();
        published.publish(ADDRESS, &document());
        published
    }

    pub(super) fn publish(&self, url: &str, body: &Value) {
        self.answer(url, Ok(answer(&body.to_string(), &[])));
    }

    pub(super) fn answer(&self, url: &str, answer: Answer) {
        let mut answers = self.answers.borrow_mut();
        answers.retain(|(known, _)| known != url);
        answers.push((url.to_owned(), answer));
    }

    /// How often this address was asked.
    pub(super) fn fetches(&self, url: &str) -> usize {
        self.world.platform.upstream.seen.borrow().iter().filter(|request| request.url == url).count()
    }

    fn kept(&self) -> usize {
        self.world.platform.kv.entries.borrow().keys().filter(|key| key.starts_with("cimd:")).count()
    }

    async fn authorize(&self, client_id: &str) -> (u16, String) {
        let response = self.world.authorize(&World::asking(client_id)).await;
        assert_eq!(response.header("location"), None, "{client_id}");
        (response.status, response.body_text().into_owned())
    }
}

pub(super) fn document() -> Value {
    json!({
        "client_id": ADDRESS, "client_name": "Contoso Inbox", "redirect_uris": ["http://127.0.0.1:1/cb?own=1"],
        "token_endpoint_auth_method": "none",
    })
}

fn answer(body: &str, headers: &[(&str, &str)]) -> OutboundResponse {
    let mut all = vec![("content-type".to_owned(), "application/json".to_owned())];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    OutboundResponse { status: 200, headers: all, body: body.as_bytes().to_vec() }
}

fn refreshing(token: &Value) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", ADDRESS.to_owned()),
        ("refresh_token", token.as_str().unwrap().to_owned()),
    ]
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_with_a_document_signs_in_and_is_fetched_once() {
    let published = Published::with_document();
    let world = &published.world;
    let (status, page) = published.authorize(ADDRESS).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("<strong>app.contoso.example</strong>") && page.contains("Contoso Inbox"), "{page}");
    assert!(page.contains("127.0.0.1:4711"), "where it leads is named beside it");
    let code = world.sign_in(ADDRESS).await;
    let tokens = json_of(&world.token(&World::redeeming(ADDRESS, &code)).await);
    let next = world.token(&refreshing(&tokens["refresh_token"])).await;
    assert_eq!(next.status, 200);
    let body = encode(&[("client_id", ADDRESS.to_owned()), ("token", "unknown".to_owned())]);
    assert_eq!(oauth::revoke::handle(&world.exchange(), &world.post(&body)).await.status, 200);
    assert_eq!((published.fetches(ADDRESS), published.kept()), (1, 1));
    let request = world.platform.upstream.seen.borrow()[0].clone();
    assert_eq!((request.method.as_str(), request.max_answer), ("GET", Some(5 * 1024)));
    assert!(request.headers.iter().all(|(name, _)| name == "accept"), "nothing of ours goes to a stranger");
    assert!(world.platform.kv.entries.borrow().keys().all(|key| key.len() <= 512 && !key.contains("app.contoso")));
}

#[tokio::test(flavor = "current_thread")]
async fn what_makes_no_client_is_said_on_a_page_of_ours_and_never_kept() {
    let published = Published::new();
    let large = with_padding(5 * 1024 + 1);
    let status = |status| OutboundResponse { status, ..answer(&document().to_string(), &[]) };
    let moved = OutboundResponse { headers: vec![("location".into(), ADDRESS.into())], ..status(302) };
    let html = OutboundResponse { headers: vec![("content-type".into(), "text/html".into())], ..status(200) };
    for (outcome, said) in [
        (Ok(moved), "status 200"),
        (Ok(status(301)), "status 200"),
        (Ok(status(404)), "status 200"),
        (Ok(status(206)), "status 200"),
        (Ok(status(500)), "status 200"),
        (Ok(html), "application/json"),
        (Ok(answer(&large, &[])), "larger than 5 KiB"),
        (Ok(answer("{", &[])), "not a JSON object"),
        (Ok(answer(&document().to_string().replace("client.json", "other.json"), &[])), "client_id is not the address"),
        (Err(UpstreamError::Timeout), "ten seconds"),
        (Err(UpstreamError::Unreachable), "could not be fetched"),
    ] {
        published.answer(ADDRESS, outcome);
        let (status, page) = published.authorize(ADDRESS).await;
        assert_eq!(status, 400);
        assert!(page.contains(said), "{said}: {page}");
    }
    assert_eq!((published.fetches(ADDRESS), published.kept()), (11, 0), "each was fetched anew");
    published.answer(ADDRESS, Ok(answer(&with_padding(5 * 1024), &[])));
    assert_eq!(published.authorize(ADDRESS).await.0, 200, "the limit itself fits");
}

fn with_padding(bytes: usize) -> String {
    let mut text = document().to_string();
    text.push_str(&" ".repeat(bytes - text.len()));
    text
}

#[tokio::test(flavor = "current_thread")]
async fn at_the_token_endpoint_a_document_that_is_gone_is_a_client_that_is_gone() {
    let published = Published::with_document();
    let world = &published.world;
    let code = world.sign_in(ADDRESS).await;
    let tokens = json_of(&world.token(&World::redeeming(ADDRESS, &code)).await);
    world.platform.clock.advance(3600);
    published.answer(ADDRESS, Err(UpstreamError::Timeout));
    let refused = world.token(&refreshing(&tokens["refresh_token"])).await;
    assert_eq!((refused.status, json_of(&refused)["error"].clone()), (401, json!("invalid_client")));
    let text = refused.body_text().into_owned();
    assert!(!text.contains("document") && !text.contains("seconds"), "a stranger hears no more: {text}");
    assert!(world.platform.log.text().contains("did not come within ten seconds"), "the operator does");
    published.publish(ADDRESS, &document());
    assert_eq!(world.token(&refreshing(&tokens["refresh_token"])).await.status, 200, "and nothing was lost by it");
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_with_a_document_has_no_secret_to_prove_itself_by() {
    let published = Published::with_document();
    let code = published.world.sign_in(ADDRESS).await;
    let mut params = World::redeeming(ADDRESS, &code);
    params.push(("client_secret", "hunter2".to_owned()));
    let request = Request {
        headers: vec![("content-type", FORM.to_owned())],
        body: encode(&params).into_bytes(),
        ..published.world.post("")
    };
    let refused = oauth::token_endpoint::handle(&published.world.exchange(), &request).await;
    assert_eq!((refused.status, json_of(&refused)["error"].clone()), (401, json!("invalid_client")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_store_that_fails_costs_a_fetch_and_no_trust() {
    let published = Published::with_document();
    published.world.platform.kv.fail.set(true);
    assert_eq!(published.authorize(ADDRESS).await.0, 200);
    published.answer(ADDRESS, Err(UpstreamError::Unreachable));
    assert_eq!(published.authorize(ADDRESS).await.0, 400);
}
