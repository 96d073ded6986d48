//! Every cloud by itself: which hosts it is asked at, in every call and every redirect, and that no other cloud's word
//! counts in it.

use std::collections::BTreeSet;

use serde_json::json;

use super::egress_rig::{Rig, read};
use super::granted::{Granted, entra_answer};
use super::tools_fake::Desk;
use super::world::{World, encode, param, query_of, transaction_of};
use crate::crypto::Secret;
use crate::identity::{Scope, ScopeSet};
use crate::oauth;
use crate::support::{TENANT, TestPlatform};
use crate::web::Response;

/// Name, host of Entra, host of Graph.
const CLOUDS: [(&str, &str, &str); 4] = [
    ("global", "login.microsoftonline.com", "graph.microsoft.com"),
    ("usgov", "login.microsoftonline.us", "graph.microsoft.us"),
    ("usgov-dod", "login.microsoftonline.us", "dod-graph.microsoft.us"),
    ("china", "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"),
];

/// Every host, ours aside, of the URLs in this text.
fn hosts(text: &str) -> BTreeSet<String> {
    let text = text.replace("%3A", ":").replace("%2F", "/");
    let ends = |char: char| !(char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | ':' | '@'));
    let hosts = text.split("://").skip(1).map(|rest| rest.split(ends).next().unwrap_or_default().to_owned());
    hosts.filter(|host| host != "localhost:8787").collect()
}

fn expected(hosts: &[&str]) -> BTreeSet<String> {
    hosts.iter().map(|host| (*host).to_owned()).collect()
}

/// All that was sent to anybody: address, headers and body.
fn sent(platform: &TestPlatform) -> String {
    let seen = platform.upstream.seen.borrow();
    let texts = seen.iter().map(|request| {
        let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
        format!("{} {:?} {body}\n", request.url, request.headers)
    });
    texts.collect()
}

fn location(response: &Response) -> String {
    response.header("location").unwrap().to_owned()
}

/// A deployment in this cloud, whose Entra says that it is `issuer`.
fn world(cloud: &str, issuer: &str) -> World {
    let world = World::with_settings(&[("CLOUD", cloud)]);
    world.claims.borrow_mut()["iss"] = json!(format!("https://{issuer}/{TENANT}/v2.0"));
    world
}

/// To Entra and back: where the browser was sent, and what the client hears.
async fn sign_in(world: &World) -> (String, Vec<(String, String)>) {
    let client = world.public_client().await;
    let page = world.authorize(&World::asking(&client)).await;
    let decision = format!("transaction={}&decision=approve", transaction_of(&page));
    let response = world.decide(&world.submit(&decision)).await;
    let asked = query_of(&response);
    world.claims.borrow_mut()["nonce"] = json!(param(&asked, "nonce").unwrap());
    let back = encode(&[("code", "entra-code".into()), ("state", param(&asked, "state").unwrap())]);
    (location(&response), query_of(&world.callback(&back).await))
}

#[tokio::test(flavor = "current_thread")]
async fn a_sign_in_asks_its_own_clouds_hosts_alone() {
    for (cloud, login, graph) in CLOUDS {
        let world = world(cloud, login);
        let (to_entra, to_client) = sign_in(&world).await;
        assert!(param(&to_client, "code").is_some(), "{cloud}: {to_client:?}");
        assert!(to_entra.starts_with(&format!("https://{login}/{TENANT}/oauth2/v2.0/authorize?")), "{to_entra}");
        assert_eq!(hosts(&to_entra), expected(&[login, graph]));
        let calls = sent(&world.platform);
        assert_eq!(hosts(&calls), expected(&[login]), "{calls}");
        for path in ["oauth2/v2.0/token ", "discovery/v2.0/keys "] {
            assert!(calls.contains(&format!("https://{login}/{TENANT}/{path}")), "{calls}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_administrator_and_the_account_page_are_sent_to_their_own_cloud() {
    for (cloud, login, graph) in CLOUDS {
        let world = world(cloud, login);
        let consent = location(&oauth::admin_consent::begin(&world.exchange(), &world.get("")).await);
        assert!(consent.starts_with(&format!("https://{login}/{TENANT}/v2.0/adminconsent?")), "{consent}");
        assert_eq!(hosts(&consent), expected(&[login, graph]));
        let account = location(&crate::account::act(&world.exchange(), &world.submit("deed=sign-in")).await);
        assert!(account.starts_with(&format!("https://{login}/{TENANT}/oauth2/v2.0/authorize?")), "{account}");
        assert_eq!(hosts(&account), expected(&[login]));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_renewal_asks_its_own_clouds_hosts_alone() {
    for (cloud, login, graph) in CLOUDS {
        let granted = Granted::on(TestPlatform::new(&[("CLOUD", cloud)]));
        let tokens = granted.tokens().await;
        granted.platform.clock.advance(3540);
        granted.platform.upstream.push_json(200, &entra_answer(1));
        granted.microsoft(&tokens.access).await.unwrap();
        let calls = sent(&granted.platform);
        assert!(calls.starts_with(&format!("https://{login}/{TENANT}/oauth2/v2.0/token ")), "{calls}");
        assert_eq!(hosts(&calls), expected(&[login, graph]), "the scopes name the Graph");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn graph_is_asked_at_its_own_clouds_host_alone() {
    for (cloud, _, graph) in CLOUDS {
        let rig = Rig::with(&[("CLOUD", cloud)]);
        rig.graph(200, &[], &json!({"value": []}));
        rig.send(&read()).await.unwrap();
        let calls = sent(&rig.platform);
        assert!(calls.starts_with(&format!("https://{graph}/v1.0/me/")), "{calls}");
        assert_eq!(hosts(&calls), expected(&[graph]));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn another_clouds_entra_vouches_for_nobody() {
    for (cloud, login, _) in CLOUDS {
        for (_, other, _) in CLOUDS.into_iter().filter(|(_, other, _)| *other != login) {
            let world = world(cloud, other);
            let (_, to_client) = sign_in(&world).await;
            assert_eq!(param(&to_client, "error").as_deref(), Some("server_error"), "{cloud} {other}");
            let log = world.platform.log.text();
            assert!(log.contains(r#""reason":"id_token: issuer""#), "{log}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn another_clouds_next_page_is_not_followed() {
    for (cloud, _, graph) in CLOUDS {
        for (_, _, other) in CLOUDS {
            let desk = Desk::configured(&[("CLOUD", cloud)]);
            let link = format!("https://{other}/v1.0/me/mailFolders/inbox/messages?$skip=1");
            desk.answer(&json!({"value": [], "@odata.nextLink": link}));
            desk.answer(&json!({"value": []}));
            let asked = if other == graph {
                desk.call("getEmails", json!({})).await;
                2
            } else {
                assert_eq!(desk.error("getEmails", json!({})).await["code"], "ForeignNextLink", "{cloud} {other}");
                1
            };
            assert_eq!(desk.asked().len(), asked, "{cloud} {other}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_permission_for_another_clouds_graph_is_none_here() {
    for (cloud, login, graph) in CLOUDS {
        let platform = TestPlatform::new(&[("CLOUD", cloud)]);
        let own = format!("User.Read https://{graph}/Mail.Read https://{login}/Mail.Send a/Calendars.ReadWrite");
        let others = CLOUDS.into_iter().filter(|(_, _, other)| *other != graph);
        let scopes: Vec<_> =
            others.map(|(_, _, other)| format!("https://{other}/Mail.ReadWrite")).chain([own]).collect();
        let mut answer = entra_answer(1);
        answer["scope"] = json!(scopes.join(" "));
        platform.upstream.push_json(200, &answer);
        let tokens =
            super::entra::entra(&platform).refresh(&Secret::new("r"), ScopeSet::default(), None).await.unwrap();
        assert_eq!(tokens.scopes, ScopeSet::of(&[Scope::UserRead, Scope::MailRead]), "{cloud}");
    }
}
