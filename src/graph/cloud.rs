//! The Microsoft clouds and their hosts. An app registration belongs to one cloud, and hosts are never mixed or
//! taken from an answer.

/// The hosts of one cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// Origin of Entra's endpoints as the Worker calls them, e.g. `https://login.microsoftonline.com`.
    pub login: String,
    /// Origin and path prefix of Entra's authorize page as the browser reaches it; the same as `login` but in local
    /// development, where the emulator plays Entra.
    pub browser_login: String,
    /// Origin of Microsoft Graph, e.g. `https://graph.microsoft.com`.
    pub graph: String,
}

impl Cloud {
    /// The cloud of this name: `global`, `usgov`, `usgov-dod`, `china`, or `local:<port>` for the emulator.
    pub fn parse(name: &str) -> Option<Self> {
        let of = |login: &str, graph: &str| Self {
            login: format!("https://{login}"),
            browser_login: format!("https://{login}"),
            graph: format!("https://{graph}"),
        };
        match name {
            "global" => Some(of("login.microsoftonline.com", "graph.microsoft.com")),
            "usgov" => Some(of("login.microsoftonline.us", "graph.microsoft.us")),
            "usgov-dod" => Some(of("login.microsoftonline.us", "dod-graph.microsoft.us")),
            "china" => Some(of("login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn")),
            _ => Self::local(name.strip_prefix("local:")?.parse().ok()?),
        }
    }

    /// The global cloud's hosts, but with the sign-in page on a loopback port.
    fn local(port: u16) -> Option<Self> {
        let global = Self::parse("global")?;
        Some(Self { browser_login: format!("http://localhost:{port}/login.microsoftonline.com"), ..global })
    }

    /// Whether the browser is sent to a loopback host.
    pub fn is_local(&self) -> bool {
        self.browser_login != self.login
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sovereign_clouds_never_mix_hosts() {
        let china = Cloud::parse("china");
        assert!(
            china.is_some_and(|cloud| [cloud.login, cloud.graph]
                .iter()
                .all(|host| host.rsplit('.').next() == Some("cn")))
        );
        assert_eq!(Cloud::parse("moon"), None);
        assert_eq!(Cloud::parse("local:99999"), None);
    }
}
