//! What the process was started with: command line and `EMULATOR_*` environment, parsed once.

use std::fmt;

use time::{Date, OffsetDateTime, macros::format_description};

use crate::entra::assertion::Certificate;

/// A secret that shows itself to nobody who prints it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret value.
    pub fn new(value: &str) -> Self {
        Self(value.to_owned())
    }

    /// The value itself, for comparing and for sending.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Everything that may differ between two emulators.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// Origin of the Worker under test, without a trailing slash.
    pub worker: String,
    /// The one home tenant.
    pub tenant_id: String,
    /// The one registered application.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: Secret,
    /// Its certificate; with one, the secret counts no more.
    pub client_certificate: Option<Certificate>,
    /// The key the gateway shows to the handler.
    pub handler_key: Secret,
    /// The token that the authenticated gateway wants on its HTTPS address.
    pub gateway_token: Secret,
    /// The one registered redirect URI.
    pub redirect_uri: String,
    /// Default `aud` of Access JWTs.
    pub access_aud: String,
    /// The day the sample data is built around.
    pub today: Date,
}

/// Why the emulator does not start.
#[derive(Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// An argument nobody knows, or one without its value.
    Argument(String),
    /// A value that does not parse.
    Value(&'static str),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(name) => write!(f, "argument {name} is unknown or has no value"),
            Self::Value(name) => write!(f, "{name} does not parse"),
        }
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads arguments first, then the environment, then defaults.
    pub fn parse(arguments: &[String], lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let (port, worker) = parse_arguments(arguments)?;
        let get = |name: &str, default: &str| lookup(name).unwrap_or_else(|| default.to_owned());
        let today = match lookup("EMULATOR_TODAY") {
            Some(day) => Date::parse(&day, format_description!("[year]-[month]-[day]"))
                .map_err(|_| SettingsError::Value("EMULATOR_TODAY"))?,
            None => OffsetDateTime::now_utc().date(),
        };
        let client_certificate = match lookup("EMULATOR_CLIENT_CERTIFICATE") {
            Some(pem) => Some(Certificate::parse(&pem).ok_or(SettingsError::Value("EMULATOR_CLIENT_CERTIFICATE"))?),
            None => None,
        };
        Ok(Self {
            port,
            client_certificate,
            redirect_uri: get("EMULATOR_REDIRECT_URI", &format!("{worker}/callback")),
            worker,
            tenant_id: get("EMULATOR_TENANT_ID", "11111111-2222-4333-8444-555555555555"),
            client_id: get("EMULATOR_CLIENT_ID", "66666666-7777-4888-9999-aaaaaaaaaaaa"),
            client_secret: Secret::new(&get("EMULATOR_CLIENT_SECRET", "emulator-client-secret")),
            handler_key: Secret::new(&get("EMULATOR_HANDLER_KEY", "emulator-handler-key-0123456789abcdef")),
            gateway_token: Secret::new(&get("EMULATOR_GATEWAY_TOKEN", "emulator-gateway-token")),
            access_aud: get("EMULATOR_ACCESS_AUD", &"a".repeat(64)),
            today,
        })
    }
}

fn parse_arguments(arguments: &[String]) -> Result<(u16, String), SettingsError> {
    let (mut port, mut worker) = (8788, "http://localhost:8787".to_owned());
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| SettingsError::Argument(name.clone()))?;
        match name.as_str() {
            "--port" => port = value.parse().map_err(|_| SettingsError::Value("--port"))?,
            "--worker" => value.trim_end_matches('/').clone_into(&mut worker),
            _ => return Err(SettingsError::Argument(name.clone())),
        }
    }
    Ok((port, worker))
}
