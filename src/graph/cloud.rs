//! The Microsoft clouds and their hosts. An app registration belongs to one cloud, and hosts are never mixed or
//! taken from an answer.

use url::Url;

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
    /// The domains below which Graph keeps the contents of files: the hosts of its pre-authenticated addresses.
    pub files: &'static [&'static str],
}

/// `SharePoint`, and what `OneDrive` serves personal accounts from (Microsoft's lists of endpoints for Microsoft 365 and
/// for `OneDrive`; the newest of the personal ones by what Graph answers).
const GLOBAL_FILES: &[&str] = &["sharepoint.com", "1drv.com", "microsoftpersonalcontent.com", "storage.live.com"];

impl Cloud {
    /// The cloud of this name: `global`, `usgov`, `usgov-dod`, `china`, or `local:<port>` for the emulator.
    pub fn parse(name: &str) -> Option<Self> {
        let of = |login: &str, graph: &str, files| Self {
            login: format!("https://{login}"),
            browser_login: format!("https://{login}"),
            graph: format!("https://{graph}"),
            files,
        };
        match name {
            "global" => Some(of("login.microsoftonline.com", "graph.microsoft.com", GLOBAL_FILES)),
            "usgov" => Some(of("login.microsoftonline.us", "graph.microsoft.us", &["sharepoint.us"])),
            "usgov-dod" => {
                Some(of("login.microsoftonline.us", "dod-graph.microsoft.us", &["sharepoint-mil.us", "dps.mil"]))
            }
            "china" => {
                Some(of("login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", &["sharepoint.cn"]))
            }
            _ => Self::local(name.strip_prefix("local:")?.parse().ok()?),
        }
    }

    /// The global cloud's hosts, but with the sign-in page on a loopback port.
    fn local(port: u16) -> Option<Self> {
        let global = Self::parse("global")?;
        Some(Self { browser_login: format!("http://localhost:{port}/login.microsoftonline.com"), ..global })
    }

    /// The address that this text is, and the domain that it is below, where it is one of this cloud's files: https on
    /// the usual port, without a user. Everything else is `None`.
    pub fn file_address(&self, text: &str) -> Option<(Url, &'static str)> {
        let url = Url::parse(text).ok()?;
        let host = url.domain()?;
        let below = |domain: &&str| host.strip_suffix(domain).is_some_and(|head| head.len() > 1 && head.ends_with('.'));
        let domain = self.files.iter().copied().find(below)?;
        let plain = url.scheme() == "https" && url.port().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        (plain && nobody).then_some((url, domain))
    }

    /// Whether the browser is sent to a loopback host.
    pub fn is_local(&self) -> bool {
        self.browser_login != self.login
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
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

    #[test]
    fn contents_are_on_the_clouds_own_hosts_alone() {
        let global = Cloud::parse("global").unwrap();
        for address in [
            "https://contoso-my.sharepoint.com/personal/a/_layouts/15/download.aspx?tempauth=x",
            "https://public.dm.files.1drv.com/y4m",
            "https://my.microsoftpersonalcontent.com/personal/x",
            "https://CONTOSO.SharePoint.com:443/x",
        ] {
            assert!(global.file_address(address).is_some(), "{address}");
        }
        for address in [
            "http://contoso.sharepoint.com/x",
            "https://contoso.sharepoint.com:8443/x",
            "https://user@contoso.sharepoint.com/x",
            "https://user:word@contoso.sharepoint.com/x",
            "https://:word@contoso.sharepoint.com/x",
            "https://contoso.sharepoint.com@evil.example/x",
            "https://sharepoint.com/x",
            "https://.sharepoint.com/x",
            "https://evilsharepoint.com/x",
            "https://contoso-sharepoint.com/x",
            "https://contoso.sharepoint.com.evil.example/x",
            "https://contoso.sharepoint.com./x",
            "https://evil.example/contoso.sharepoint.com",
            "https://evil.example\\.sharepoint.com/x",
            "https://contoso.sharepoint.us/x",
            "https://contoso.sharepoint.cn/x",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "//contoso.sharepoint.com/x",
            "file:///contoso.sharepoint.com/x",
            "",
        ] {
            assert!(global.file_address(address).is_none(), "{address}");
        }
        assert!(Cloud::parse("china").unwrap().file_address("https://contoso.sharepoint.com/x").is_none());
    }
}
