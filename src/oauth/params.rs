//! Parameters of the OAuth endpoints, from a query or a form.
//!
//! RFC 6749 sections 3.1 and 3.2: no parameter may come twice (RFC 8707 excepts `resource`), one without a value counts
//! as absent, unknown ones are ignored.

/// Parameters that were read; which of them came twice is judged by the endpoint.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` text.
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The value, absent when empty. Of two, the first: call [`Params::repeated`] before trusting it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Every `resource`.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(|(key, value)| key == "resource" && !value.is_empty());
        named.map(|(_, value)| value.as_str())
    }

    /// Whether this parameter came more than once, empty values included.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.0.iter().filter(|(key, _)| key == name).count() > 1
    }

    /// Whether any parameter but `resource` came more than once.
    pub fn repeated(&self) -> bool {
        self.0.iter().any(|(name, _)| name != "resource" && self.is_repeated(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_resource_may_come_twice() {
        assert!(!Params::parse(b"resource=a&resource=b&x=1").repeated());
        assert!(Params::parse(b"x=1&y=2&x=1").repeated());
        assert!(Params::parse(b"x=&x=1").repeated());
    }

    #[test]
    fn a_parameter_without_a_value_is_absent() {
        assert_eq!(Params::parse(b"code=&state=a%20b").get("code"), None);
        assert_eq!(Params::parse(b"code=&state=a%20b").get("state"), Some("a b"));
    }
}
