//! The way of a request: route, perimeter, handler; and what every response carries.
//!
//! The only place that knows all routes. What a handler's own errors become is said in that layer's one `match`;
//! what goes wrong before any handler is said here.

mod health;
mod landing;
mod route;

use uuid::Builder;

pub use health::Deployment;
pub use route::Route;

use crate::access;
use crate::account;
use crate::exchange::Exchange;
use crate::gateway;
use crate::log::{Event, Kind};
use crate::mcp;
use crate::oauth;
use crate::operator;
use crate::ports::Ports;
use crate::web::{self, Context, Method, Request, Response};

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyRefusal {
    /// Over the route's limit.
    TooLarge,
    /// The connection broke.
    Broken,
}

/// A request that has just come in.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Ids and time for the handlers.
    pub context: Context,
    at_ms: u64,
}

/// Gives the request its id and notes the time.
pub fn arrive(ports: &Ports, request: &Request) -> Arrival {
    let mut bytes = [0; 16];
    ports.random.fill(&mut bytes);
    let request_id = Builder::from_random_bytes(bytes).into_uuid().to_string();
    let at_ms = ports.clock.now_ms();
    let ray_id = request.header("cf-ray").map(str::to_owned);
    Arrival { context: Context { request_id, ray_id, now: at_ms / 1000 }, at_ms }
}

/// The most that the body of this request may hold.
pub fn body_limit(request: &Request) -> usize {
    Route::parse(&request.path).body_limit()
}

/// The answer to a body that was not read.
pub fn refuse_body(refusal: BodyRefusal) -> Response {
    match refusal {
        BodyRefusal::TooLarge => Response::text(413, "the body is larger than this endpoint takes\n"),
        BodyRefusal::Broken => Response::text(400, "the body could not be read\n"),
    }
}

/// The answer of a deployment that lacks settings or bindings: 503 at the door, names at `/healthz`.
pub fn unconfigured(deployment: &Deployment, request: &Request) -> Response {
    if Route::parse(&request.path) == Route::Health {
        return deployment.health();
    }
    Response::text(503, "this server is not configured: its operator finds at /healthz what is missing\n")
        .with("retry-after", "60")
}

/// Answers a request.
pub async fn answer(mut exchange: Exchange, deployment: &Deployment, request: &Request) -> Response {
    let route = Route::parse(&request.path);
    let origin = request.header("origin");
    let cors = route.cors_methods();
    if let (Method::Options, Some(methods)) = (request.method, cors) {
        return web::preflight(origin, methods);
    }
    if route.is_guarded(&exchange.config.access) {
        match access::verify(&exchange, request).await {
            Ok(identity) => exchange.access = Some(identity),
            Err(error) => return access::refuse(&exchange, error),
        }
    }
    let response = dispatch(&exchange, deployment, route, request).await;
    if cors.is_some() { web::with_cors(response, origin) } else { response }
}

async fn dispatch(exchange: &Exchange, deployment: &Deployment, route: Route, request: &Request) -> Response {
    match (route, request.method) {
        (Route::Mcp(endpoint), _) => mcp::handle(exchange, endpoint, request).await,
        (Route::Landing, Method::Get) => landing::page(exchange),
        (Route::Health, Method::Get) => deployment.health(),
        (Route::AuthorizationServer, Method::Get) => oauth::metadata::authorization_server(exchange),
        (Route::ProtectedResource(path), Method::Get) => oauth::metadata::protected_resource(exchange, path),
        (Route::Authorize, Method::Get) => oauth::authorize::show(exchange, request).await,
        (Route::Authorize, Method::Post) => oauth::authorize::decide(exchange, request).await,
        (Route::Callback, Method::Get) if account::returns(request) => account::finish(exchange, request).await,
        (Route::Callback, Method::Get) => oauth::callback::handle(exchange, request).await,
        (Route::AdminConsent, Method::Get) => oauth::admin_consent::begin(exchange, request).await,
        (Route::Account, Method::Get) => account::show(exchange, request).await,
        (Route::Account, Method::Post) => account::act(exchange, request).await,
        (Route::Token, Method::Post) => oauth::token_endpoint::handle(exchange, request).await,
        (Route::Register, Method::Post) => oauth::register::handle(exchange, request).await,
        (Route::Revoke, Method::Post) => oauth::revoke::handle(exchange, request).await,
        (Route::GraphHandler, Method::Post) => gateway::handler::handle(exchange, request).await,
        (Route::Operator, _) => operator::handle(exchange, request).await,
        (Route::Unknown, _) => Response::text(404, "there is nothing here\n"),
        (Route::Authorize | Route::Account, _) => Response::method_not_allowed("GET, POST"),
        (Route::Token | Route::Register | Route::Revoke | Route::GraphHandler, _) => {
            Response::method_not_allowed("POST")
        }
        (
            Route::Landing
            | Route::Health
            | Route::AuthorizationServer
            | Route::ProtectedResource(_)
            | Route::Callback
            | Route::AdminConsent,
            _,
        ) => Response::method_not_allowed("GET"),
    }
}

/// Puts on every response what every response carries, and writes the request's log line.
pub fn depart(
    ports: &Ports,
    deployment: &Deployment,
    arrival: &Arrival,
    request: &Request,
    response: Response,
) -> Response {
    let context = &arrival.context;
    if deployment.config.is_err() {
        let names = deployment.names();
        ports.log.write(&Event { names: &names, ..context.event(Kind::ConfigInvalid) });
    }
    ports.log.write(&Event {
        method: Some(request.method.name()),
        route: Some(Route::parse(&request.path).name()),
        status: Some(response.status),
        duration_ms: Some(ports.clock.now_ms().saturating_sub(arrival.at_ms)),
        ..context.event(Kind::HttpRequest)
    });
    response
        .with("x-request-id", context.request_id.clone())
        .with("x-content-type-options", "nosniff")
        .with("strict-transport-security", "max-age=31536000")
}
