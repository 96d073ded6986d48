//! Properties of what reads strangers' bytes: it reads back what it wrote, refuses every mutant, and takes a text for
//! what a browser takes it for. (`tests/fuzz` looks for what these strategies do not think of.)

use proptest::prelude::*;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::site::{get, with_header};
use crate::config::{EncryptionKeys, PublicUrl};
use crate::crypto::{Key, Keyring, Secret};
use crate::gateway::envelope::{Content, Envelope, Outgoing, Sealer};
use crate::identity::{GrantId, ScopeSet, UserId};
use crate::oauth::params::Params;
use crate::oauth::token::{Bearer, Kind, Stamp, TokenKeys};
use crate::oauth::{redirect_uri, resource};
use crate::support::SeededRandom;

fn keys() -> EncryptionKeys {
    EncryptionKeys::derive(&Keyring { current: Key::new([7; 32]), previous: None })
}

fn stamp(seed: u64, scopes: u64, expires_at: u32) -> Stamp {
    Stamp {
        user: Some(UserId { tid: Uuid::from_u128(seed.into()), oid: Uuid::from_u128(!u128::from(seed)) }),
        grant: GrantId::random(&SeededRandom::new(seed)),
        scopes: ScopeSet::from_bits(scopes),
        expires_at: expires_at.into(),
    }
}

/// Text in which the marks of URLs are likely.
fn urlish() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z0-9]{1,4}",
        prop::sample::select(vec![
            "https",
            "http",
            "://",
            ":",
            "/",
            "//",
            "@",
            "\\",
            "#",
            "?",
            "%",
            "%2e",
            "%40",
            "127.0.0.1",
            "localhost",
            "[::1]",
            ".",
            "..",
            "client.example",
            "evil.example",
            ":80",
            ":65536",
            "*",
            " ",
            "\t",
            "\u{3002}",
            "\u{e9}",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_token_reads_back_and_no_mutant_does(seed: u64, scopes: u64, expires in 2..u32::MAX, at: prop::sample::Index, to: char) {
        let keys = keys();
        let keys = TokenKeys::new(&keys);
        let stamp = stamp(seed, scopes, expires);
        let token = keys.mint(&SeededRandom::new(seed), Kind::Access, &stamp);
        prop_assert_eq!(keys.read(Kind::Access, token.expose(), 1), Ok(stamp));
        let mut mutant: Vec<char> = token.expose().chars().collect();
        let index = at.index(mutant.len());
        mutant[index] = to;
        let mutant: String = mutant.into_iter().collect();
        prop_assert_eq!(keys.read(Kind::Access, &mutant, 1).is_ok(), mutant == token.expose());
        for kind in [Kind::Refresh, Kind::Code, Kind::State] {
            prop_assert!(keys.read(kind, token.expose(), 1).is_err());
        }
    }

    #[test]
    fn no_text_is_a_token_by_chance(text in "\\PC{0,80}", form in "m365[acrs]\\.[A-Za-z0-9_.-]{0,160}") {
        let keys = keys();
        let keys = TokenKeys::new(&keys);
        for text in [&text, &form] {
            let header = format!("Bearer {text}");
            let bearer = keys.bearer(Some(&header), 1);
            let is_ours = matches!(bearer, Bearer::Ours { .. });
            prop_assert!(!is_ours);
        }
        let header = format!("Bearer {form}");
        prop_assert_eq!(keys.bearer(Some(&header), 1), Bearer::Invalid, "what has our form is never an API token");
    }

    #[test]
    fn a_form_reads_back_and_a_repeated_name_is_seen(pairs in prop::collection::vec(("[a-z]{1,2}", "\\PC{0,8}"), 0..8)) {
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let params = Params::parse(text.as_bytes());
        let twice = |name: &str| pairs.iter().filter(|(key, _)| key == name).count() > 1;
        prop_assert_eq!(params.repeated(), pairs.iter().any(|(name, _)| twice(name)));
        for (name, value) in pairs.iter().filter(|(name, _)| !twice(name)) {
            prop_assert_eq!(params.get(name), Some(value.as_str()).filter(|value| !value.is_empty()));
        }
    }

    #[test]
    fn a_redirect_uri_is_what_a_browser_takes_it_for(registered in urlish(), asked in urlish()) {
        if redirect_uri::is_acceptable(&registered, &[]) {
            let url = Url::parse(&registered).unwrap();
            prop_assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
            let written = registered.split_once("://").unwrap().1;
            let host = url.host_str().unwrap();
            prop_assert!(written.to_ascii_lowercase().starts_with(host), "{} leads to {}", registered, host);
            if redirect_uri::matches(&registered, &asked) {
                let other = Url::parse(&asked).unwrap();
                prop_assert_eq!(other.host(), url.host());
            }
        }
    }

    #[test]
    fn a_resource_is_ours_by_its_whole_name_only(suffix in urlish()) {
        let ours = PublicUrl { origin: "https://mcp.contoso.example".to_owned(), is_loopback: false };
        let text = format!("https://mcp.contoso.example{suffix}");
        let known = matches!(suffix.strip_suffix('/').unwrap_or(&suffix), "" | "/mcp" | "/sse");
        prop_assert_eq!(resource::canonical(&ours, &text).is_ok(), known, "{}", text);
        prop_assert!(resource::canonical(&ours, &suffix).is_err());
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name_only(pairs in prop::collection::vec(("[a-c_-]{1,3}", "[ -:<-~&&[^;,]]{0,6}"), 0..6)) {
        let header = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let request = with_header(get("/"), "cookie", &header);
        for (name, _) in &pairs {
            let first = pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
            prop_assert_eq!(request.cookie(name).map(str::trim), first);
        }
        prop_assert_eq!(request.cookie("absent"), None);
    }

    #[test]
    fn scope_names_read_back_and_unknown_ones_add_nothing(bits: u64, noise in "[A-Za-z. ]{0,20}") {
        let known = ScopeSet::from_bits(bits);
        let names = known.to_string();
        let known = ScopeSet::parse_known(&names);
        prop_assert_eq!(ScopeSet::parse_known(&known.to_string()), known);
        let more = ScopeSet::parse_known(&format!("{names} X{noise}X"));
        prop_assert!(more.is_superset(known));
    }

    #[test]
    fn an_envelope_opens_as_sealed_and_no_mutant_does(body in "\\PC{0,40}", path in "/v1.0/[a-z/]{1,20}", at: prop::sample::Index, to in "[A-Za-z0-9_-]") {
        let keys = keys();
        let (sealer, token) = (Sealer::new(&keys), Secret::new("microsoft-access"));
        let outgoing = Outgoing { request_id: "r-1", method: "POST", path: &path, headers: &[], content: Content::Text(&body) };
        let text = sealer.seal(&SeededRandom::new(1), 100, &outgoing, &token).unwrap().to_text().unwrap();
        let opened = sealer.open(&Envelope::parse(&text).unwrap(), 100).unwrap();
        prop_assert_eq!((opened.token, opened.body), (token, Some(body.clone().into_bytes())));
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let sealed = value["headers"]["authorization"].as_str().unwrap().to_owned();
        let index = "Bearer ".len() + at.index(sealed.len() - "Bearer ".len());
        let mut mutant = sealed.clone();
        mutant.replace_range(index..=index, &to);
        value["headers"]["authorization"] = json!(mutant);
        prop_assert_eq!(sealer.open(&Envelope::parse(&value.to_string()).unwrap(), 100).is_ok(), mutant == sealed);
        for (field, other) in [("body", format!("{body}x")), ("path", format!("{path}x")), ("method", "GET".into()), ("requestId", "r-2".into())] {
            let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
            value[field] = json!(other);
            prop_assert!(sealer.open(&Envelope::parse(&value.to_string()).unwrap(), 100).is_err(), "{}", field);
        }
        for now in [94, 160] {
            prop_assert!(sealer.open(&Envelope::parse(&text).unwrap(), now).is_err());
        }
    }
}
