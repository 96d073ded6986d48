//! What is tried again, what is not, and how each failure is told from the others.

use serde_json::json;

use super::egress_rig::{RENEWED, Rig, TOKEN, Trick, gateway_error, graph_error, read, write};
use crate::agent::GrantError;
use crate::gateway::handler::ANSWER_LIMIT;
use crate::graph::request::{Method, Segment};
use crate::graph::{Failure, Graph, GraphRequest, Origin};
use crate::ports::{OutboundResponse, UpstreamError};
use crate::support::json_response;

fn is(failure: &Failure, origin: Origin, code: &str) -> bool {
    failure.origin == origin && failure.code == code
}

#[tokio::test(flavor = "current_thread")]
async fn graphs_401_costs_one_renewal_and_one_more_try_for_a_write_too() {
    let rig = Rig::new();
    rig.graph(401, &[], &graph_error("InvalidAuthenticationToken"));
    rig.graph(202, &[], &json!(null));
    assert_eq!(rig.send(&write()).await.unwrap().status, 202);
    assert_eq!(rig.credentials(), [format!("Bearer {TOKEN}"), format!("Bearer {RENEWED}")]);
    assert_eq!(rig.events("ai-gateway-request").len(), 2, "one line a try");
}

#[tokio::test(flavor = "current_thread")]
async fn a_claims_challenge_of_several_headers_reaches_the_one_renewal_for_a_write_too() {
    let rig = Rig::new();
    // {"access_token":{"nbf":{"essential":true}}}
    let asks = "Bearer realm=\"a, b\", error=\"insufficient_claims\", \
                claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==\"";
    for _ in 0..2 {
        let headers = [("www-authenticate", asks), ("www-authenticate", "Basic realm=\"x\"")];
        rig.graph(401, &headers, &graph_error("InvalidAuthenticationToken"));
    }
    let failure = rig.send(&write()).await.unwrap_err();
    assert_eq!(failure.status, Some(401), "and never a second time");
    let challenge = r#"{"access_token":{"nbf":{"essential":true}}}"#.to_owned();
    assert_eq!(*rig.tokens.challenges.borrow(), [Some(challenge.clone())]);
    assert_eq!(*rig.tokens.again.borrow(), [challenge]);
    assert_eq!(rig.credentials().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_second_challenge_needs_the_user_and_a_403_may_be_one() {
    let rig = Rig::new();
    *rig.tokens.fail_again.borrow_mut() = Some(GrantError::SignInNeeded);
    // {"access_token":{"acrs":{"essential":true,"value":"c1"}}}
    let asks = "Bearer error=\"insufficient_claims\", \
                claims=\"eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19\"";
    rig.graph(401, &[], &graph_error("InvalidAuthenticationToken"));
    for _ in 0..5 {
        rig.graph(403, &[("www-authenticate", asks)], &graph_error("accessDenied"));
    }
    let client = rig.client();
    let failure = client.send(&read()).await.unwrap_err();
    assert!(is(&failure, Origin::SignIn, "SignInNeeded"));
    assert_eq!(client.sign_in_over(), Some(GrantError::SignInNeeded));
    let asked = rig.tokens.challenges.borrow().clone();
    assert!(matches!(asked.as_slice(), [None, Some(_)]), "one plain renewal, one for the claims: {asked:?}");
    assert_eq!(rig.credentials().len(), 3);
}

#[tokio::test(flavor = "current_thread")]
async fn a_second_401_ends_it() {
    let rig = Rig::new();
    for _ in 0..5 {
        rig.graph(
            401,
            &[("www-authenticate", "Bearer error=\"insufficient_claims\"")],
            &graph_error("InvalidAuthenticationToken"),
        );
    }
    let failure = rig.send(&read()).await.unwrap_err();
    assert!(is(&failure, Origin::Graph, "InvalidAuthenticationToken") && failure.status == Some(401));
    assert_eq!((rig.tokens.renewals.get(), rig.gateway.seen.borrow().len()), (1, 2));
}

#[tokio::test(flavor = "current_thread")]
async fn a_401_of_the_gateway_or_of_our_handler_renews_nothing() {
    let rig = Rig::new();
    rig.trick(Trick::Instead(gateway_error(2009)));
    assert!(is(&rig.send(&read()).await.unwrap_err(), Origin::Policy, "2009"));
    *rig.gateway.key.borrow_mut() = "another key of at least thirty-two bytes!!".into();
    assert!(is(&rig.send(&read()).await.unwrap_err(), Origin::Policy, "handler_unauthorized"));
    assert_eq!(rig.tokens.renewals.get(), 0);
    assert!(rig.platform.upstream.seen.borrow().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_read_waits_as_long_as_graph_asks() {
    let rig = Rig::new();
    rig.graph(429, &[("retry-after", "3")], &graph_error("TooManyRequests"));
    rig.graph(503, &[("retry-after", "2")], &graph_error("serviceNotAvailable"));
    rig.graph(200, &[], &json!({}));
    assert_eq!(rig.send(&read()).await.unwrap().status, 200);
    assert_eq!(*rig.platform.timer.waits.borrow(), [3000, 2000]);
    let throttled = rig.events("graph.throttled");
    assert_eq!(throttled.iter().map(|event| event["durationMs"].clone()).collect::<Vec<_>>(), [3000, 2000]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_pause_that_graph_asked_for_holds_what_comes_after_and_nothing_else() {
    let rig = Rig::new();
    rig.graph(429, &[("retry-after", "20")], &graph_error("TooManyRequests"));
    assert_eq!(rig.send(&read()).await.unwrap_err().retry_after, Some(20));
    rig.platform.clock.advance(5);
    let failure = rig.send(&read()).await.unwrap_err();
    assert_eq!((failure.status, failure.retry_after, failure.may_have_acted), (Some(429), Some(15), false));
    assert_eq!(rig.platform.upstream.seen.borrow().len(), 1, "it was not sent");
    rig.graph(202, &[], &json!({}));
    assert_eq!(rig.send(&write()).await.unwrap().status, 202, "another kind is not held");
    rig.platform.clock.advance(6);
    rig.graph(200, &[], &json!({}));
    assert_eq!(rig.send(&read()).await.unwrap().status, 200);
    assert_eq!(*rig.platform.timer.waits.borrow(), [9000], "what is left of it is waited for");
}

#[tokio::test(flavor = "current_thread")]
async fn a_part_of_a_batch_has_the_second_chances_of_a_request_of_its_own() {
    let (throttled, expired) = ((429, Some(3)), (401, None));
    for ((status, retry_after), request, sent, renewals, waits) in [
        (throttled, read(), 1, 0, vec![3000]),
        (throttled, write(), 0, 0, vec![]),
        (expired, write(), 1, 1, vec![]),
        ((500, None), read(), 0, 0, vec![]),
    ] {
        let rig = Rig::new();
        rig.graph(200, &[], &json!({}));
        let failure = Failure { status: Some(status), retry_after, ..Failure::of(Origin::Graph, "Said") };
        let outcome = rig.client().resume(&request, failure).await;
        assert_eq!(outcome.is_ok(), sent == 1, "{status}: {outcome:?}");
        assert_eq!(rig.platform.upstream.seen.borrow().len(), sent, "{status}");
        assert_eq!((rig.tokens.renewals.get(), &*rig.platform.timer.waits.borrow()), (renewals, &waits), "{status}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn waiting_ends_after_two_times_or_ten_seconds() {
    for (answers, waits) in
        [(vec!["1", "1", "1"], 2), (vec!["6", "5"], 1), (vec!["11"], 0), (vec!["18446744073709551615"], 0)]
    {
        let rig = Rig::new();
        for seconds in &answers {
            rig.graph(429, &[("retry-after", seconds)], &graph_error("TooManyRequests"));
        }
        let failure = rig.send(&read()).await.unwrap_err();
        assert!(is(&failure, Origin::Graph, "TooManyRequests"), "{failure:?}");
        assert_eq!(failure.retry_after, answers.last().and_then(|seconds| seconds.parse().ok()));
        assert_eq!(rig.platform.timer.waits.borrow().len(), waits, "{answers:?}");
        assert_eq!(rig.events("graph.throttled").len(), answers.len());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn without_retry_after_nothing_is_repeated() {
    let rig = Rig::new();
    rig.graph(503, &[], &graph_error("serviceNotAvailable"));
    assert!(is(&rig.send(&read()).await.unwrap_err(), Origin::Graph, "serviceNotAvailable"));
    assert_eq!(rig.gateway.seen.borrow().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_write_is_never_repeated_for_throttling_or_a_server_error() {
    for (status, acted) in [(429, false), (500, true), (503, true), (504, true)] {
        let rig = Rig::new();
        rig.graph(status, &[("retry-after", "1")], &graph_error("UnknownError"));
        let failure = rig.send(&write()).await.unwrap_err();
        assert_eq!((failure.status, failure.may_have_acted), (Some(status), acted));
        assert_eq!((failure.retry_after, rig.platform.upstream.seen.borrow().len()), (Some(1), 1));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_write_that_ran_into_a_time_limit_may_have_acted_and_is_not_repeated() {
    for answer in
        [Err(UpstreamError::Timeout), Err(UpstreamError::Unreachable), gateway_error(2005), gateway_error(2030)]
    {
        let rig = Rig::new();
        rig.graph(202, &[], &json!(null));
        rig.trick(Trick::After(answer));
        let failure = rig.send(&write()).await.unwrap_err();
        assert!(failure.may_have_acted, "{failure:?}");
        assert_eq!((rig.gateway.seen.borrow().len(), rig.platform.upstream.seen.borrow().len()), (1, 1));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_refusal_of_the_gateway_leaves_no_doubt_and_is_not_repeated() {
    for code in [2003, 2009, 2019, 2029, 2045, 7003] {
        let rig = Rig::new();
        rig.trick(Trick::Instead(gateway_error(code)));
        let failure = rig.send(&write()).await.unwrap_err();
        assert!(is(&failure, Origin::Policy, &code.to_string()) && !failure.may_have_acted);
        assert_eq!((rig.gateway.seen.borrow().len(), rig.platform.upstream.seen.borrow().len()), (1, 0));
        assert_eq!(rig.events("ai-gateway-request")[0]["reason"], code.to_string());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_read_leaves_no_doubt() {
    let rig = Rig::new();
    rig.trick(Trick::Instead(Err(UpstreamError::Timeout)));
    let failure = rig.send(&read()).await.unwrap_err();
    assert!(is(&failure, Origin::Transport, "GatewayTimeout") && !failure.may_have_acted);
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_from_the_gateways_cache_is_discarded() {
    let rig = Rig::new();
    for status in ["HIT", "hit"] {
        rig.graph(200, &[], &json!({"value": ["another user's mail"]}));
        rig.trick(Trick::Headers(vec![("cf-aig-cache-status", status)]));
        assert!(is(&rig.send(&read()).await.unwrap_err(), Origin::Policy, "GatewayCacheHit"));
    }
    rig.graph(200, &[], &json!({}));
    rig.trick(Trick::Headers(vec![("cf-aig-cache-status", "MISS")]));
    assert!(rig.send(&read()).await.is_ok());
}

#[tokio::test(flavor = "current_thread")]
async fn what_the_handler_could_not_do_is_not_taken_for_graphs_answer() {
    let large = OutboundResponse { status: 200, headers: Vec::new(), body: vec![0; ANSWER_LIMIT + 1] };
    for (answer, code, status) in [
        (Err(UpstreamError::Timeout), "GraphTimeout", 504),
        (Err(UpstreamError::Unreachable), "GraphUnreachable", 502),
        (Err(UpstreamError::TooLarge), "AnswerTooLarge", 502),
        (Ok(large), "AnswerTooLarge", 502),
    ] {
        let rig = Rig::new();
        rig.platform.upstream.queue.borrow_mut().push_back(answer);
        let failure = rig.send(&write()).await.unwrap_err();
        assert!(is(&failure, Origin::Transport, code), "{failure:?}");
        assert_eq!((failure.status, failure.may_have_acted), (Some(status), true));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn graph_cannot_pretend_that_the_handler_failed() {
    let rig = Rig::new();
    rig.graph(200, &[("x-m365-handler-error", "timeout")], &json!({}));
    assert_eq!(rig.send(&read()).await.unwrap().status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn a_graph_error_keeps_its_code_its_message_and_its_id() {
    let rig = Rig::new();
    rig.graph(403, &[("request-id", "g-7")], &graph_error("ErrorAccessDenied"));
    let failure = rig.send(&read()).await.unwrap_err();
    assert!(is(&failure, Origin::Graph, "ErrorAccessDenied"));
    assert_eq!((failure.message.as_deref(), failure.graph_request_id.as_deref()), (Some("said Graph"), Some("g-7")));
    assert!(!rig.platform.log.text().contains("said Graph"), "messages may quote what a user wrote");
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_without_a_readable_completion_is_nobodys() {
    let odd = [
        json!({"choices": []}),
        json!({"choices": [{"message": {"content": "hello"}}]}),
        json!({"choices": [{"message": {"content": "{\"status\":99,\"headers\":{},\"bodyBase64\":\"\"}"}}]}),
        json!({"choices": [{"message": {"content": "{\"status\":200,\"headers\":{},\"bodyBase64\":\"*\"}"}}]}),
    ];
    for body in odd {
        let rig = Rig::new();
        rig.trick(Trick::Instead(Ok(json_response(200, &body))));
        let failure = rig.send(&write()).await.unwrap_err();
        assert!(is(&failure, Origin::Transport, "UnreadableAnswer") && failure.may_have_acted, "{body}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_sign_in_that_is_over_is_remembered_and_nothing_is_sent() {
    for error in [GrantError::SignInNeeded, GrantError::Revoked] {
        let rig = Rig::new();
        *rig.tokens.fail.borrow_mut() = Some(error.clone());
        let client = rig.client();
        assert_eq!(client.send(&read()).await.unwrap_err().origin, Origin::SignIn);
        assert_eq!(client.sign_in_over(), Some(error));
        assert!(rig.gateway.seen.borrow().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_renewal_that_fails_for_good_is_remembered_too() {
    let rig = Rig::new();
    rig.graph(401, &[], &graph_error("InvalidAuthenticationToken"));
    *rig.tokens.fail_renewal.borrow_mut() = Some(GrantError::SignInNeeded);
    let client = rig.client();
    assert!(is(&client.send(&read()).await.unwrap_err(), Origin::SignIn, "SignInNeeded"));
    assert_eq!(client.sign_in_over(), Some(GrantError::SignInNeeded));
}

#[tokio::test(flavor = "current_thread")]
async fn an_entra_that_is_away_signs_nobody_out() {
    for (error, origin) in [
        (GrantError::EntraUnavailable, Origin::Transport),
        (GrantError::EntraRefusesServer, Origin::Operator),
        (GrantError::Storage, Origin::Transport),
    ] {
        let rig = Rig::new();
        *rig.tokens.fail.borrow_mut() = Some(error);
        let client = rig.client();
        assert_eq!(client.send(&write()).await.unwrap_err().origin, origin);
        assert_eq!(client.sign_in_over(), None);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_post_that_only_reads_may_be_repeated() {
    let rig = Rig::new();
    rig.graph(429, &[("retry-after", "1")], &graph_error("TooManyRequests"));
    rig.graph(200, &[], &json!({}));
    let segments = [Segment::Word("me"), Segment::Word("findMeetingTimes")];
    let request = GraphRequest::new(Method::Post, &segments).unwrap().body(json!({})).repeatable();
    assert_eq!(rig.send(&request).await.unwrap().status, 200);
}
