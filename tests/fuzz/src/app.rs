//! The app on that platform, asked one request at a time.

use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use m365_mcp::app::{self, Deployment};
use m365_mcp::config::Config;
use m365_mcp::exchange::{Exchange, Isolate};
use m365_mcp::ports::Ports;
use m365_mcp::web::{Request, Response};

use crate::ports::Nowhere;

/// The one client that is known.
const CLIENT: &str = r#"{"client_id":"AAAAAAAAAAAAAAAAAAAAAA","client_name":"Inbox Helper","redirect_uris":["https://client.example/cb"],"auth_method":"none","issued_at":1772441999}"#;

/// A request of its that is in order.
pub(crate) const GOOD_QUERY: &str = "client_id=AAAAAAAAAAAAAAAAAAAAAA&redirect_uri=https%3A%2F%2Fclient.example%2Fcb&response_type=code&code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code_challenge_method=S256";

/// A client that signs assertions.
const SIGNING_CLIENT: &str = r#"{"client_id":"pre-AAAAAAAAAAAAAAAAAAAAAA","client_name":"Portal","redirect_uris":["https://client.example/cb"],"auth_method":"private_key_jwt","keys":{"jwks":KEYS},"issued_at":1772441999}"#;

/// The address of a client's document.
pub(crate) const DOCUMENT: &str = "https://app.contoso.example/client.json";

/// A request of its that is in order.
pub(crate) const DOCUMENT_QUERY: &str = "client_id=https%3A%2F%2Fapp.contoso.example%2Fclient.json&redirect_uri=https%3A%2F%2Fclient.example%2Fcb&response_type=code&code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code_challenge_method=S256";

/// What AI Gateway presents.
pub(crate) const HANDLER_BEARER: &str = "Bearer a handler key of at least thirty-two bytes";

const SETTINGS: [(&str, &str); 11] = [
    ("PUBLIC_URL", "http://localhost:8787"),
    ("CLOUD", "global"),
    ("MICROSOFT_CLIENT_ID", "11111111-2222-4333-8444-555555555555"),
    ("MICROSOFT_TENANT_ID", "0a1b2c3d-0000-4000-8000-00000000c0de"),
    ("MICROSOFT_CLIENT_SECRET", "entra-client-secret-of-the-tests"),
    ("GRAPH_API_VERSION", "v1.0"),
    ("ENCRYPTION_KEY", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
    ("COOKIE_ENCRYPTION_KEY", "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"),
    ("COOKIE_SECRET", "a cookie secret of at least thirty-two bytes"),
    ("GRAPH_HANDLER_KEY", "a handler key of at least thirty-two bytes"),
    ("ACCESS_TEAM_DOMAIN", "contoso.cloudflareaccess.com"),
];

const AUD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A deployment.
pub(crate) struct App {
    config: Rc<Config>,
    deployment: Deployment,
    platform: Rc<Nowhere>,
}

impl App {
    /// Without a perimeter.
    pub(crate) fn open() -> Self {
        Self::new("off")
    }

    /// With every path behind Access.
    pub(crate) fn guarded() -> Self {
        Self::new("strict")
    }

    /// In a world where this is at the address of a client's document.
    pub(crate) fn publishing(document: &[u8]) -> Self {
        let app = Self::open();
        app.platform.document.replace(Some(document.to_vec()));
        app
    }

    fn new(mode: &str) -> Self {
        let lookup = |name: &str| match (name, mode) {
            ("ACCESS_MODE", _) => Some(mode.to_owned()),
            ("ACCESS_TEAM_DOMAIN" | "ACCESS_AUD", "off") => None,
            ("ACCESS_AUD", _) => Some(AUD.to_owned()),
            _ => SETTINGS.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
        };
        let config = Config::parse(&lookup).unwrap_or_else(|faults| panic!("{faults:?}"));
        let modulus = "w".repeat(342);
        let keys =
            format!(r#"{{"keys":[{{"kty":"RSA","kid":"k","alg":"RS256","use":"sig","e":"AQAB","n":"{modulus}"}}]}}"#);
        let signing = SIGNING_CLIENT.replace("KEYS", &keys);
        let platform = Rc::new(Nowhere { keys, ..Nowhere::default() });
        for (id, client) in [("AAAAAAAAAAAAAAAAAAAAAA", CLIENT), ("pre-AAAAAAAAAAAAAAAAAAAAAA", signing.as_str())] {
            let known = platform.kv.borrow_mut().insert(format!("client:{id}"), client.into());
            assert!(known.is_none());
        }
        let deployment = Deployment::new(Ok(config.clone()), std::iter::empty());
        Self { config: Rc::new(config), deployment, platform }
    }

    /// How many calls went out, to objects or to hosts.
    pub(crate) fn calls(&self) -> usize {
        self.platform.calls.get()
    }

    /// The whole way of a request.
    pub(crate) fn send(&self, request: &Request) -> Response {
        let all = &self.platform;
        let ports = Ports {
            clock: all.clone(),
            random: all.clone(),
            kv: all.clone(),
            agents: all.clone(),
            upstream: all.clone(),
            rs256: all.clone(),
            es256: all.clone(),
            ps256: all.clone(),
            timer: all.clone(),
            log: all.clone(),
            background: all.clone(),
            connection: all.clone(),
            limiter: all.clone(),
        };
        let arrival = app::arrive(&ports, request);
        let exchange = Exchange {
            config: self.config.clone(),
            ports: ports.clone(),
            isolate: Rc::new(Isolate::default()),
            context: arrival.context.clone(),
            access: None,
        };
        let response = if request.body.len() > app::body_limit(request) {
            app::refuse_body(app::BodyRefusal::TooLarge)
        } else {
            now(app::answer(exchange, &self.deployment, request))
        };
        app::depart(&ports, &self.deployment, &arrival, request, response)
    }
}

/// The outcome of a future whose ports never wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a port of this platform waited"),
    }
}
