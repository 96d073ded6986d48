//! Which Graph permissions this server hands out, and how the consent page says them in plain words.

use crate::config::Config;
use crate::identity::{Scope, ScopeSet};

/// What the tools need, the reading half.
const READING: &[Scope] = &[
    Scope::UserRead,
    Scope::MailRead,
    Scope::MailboxSettingsRead,
    Scope::CalendarsRead,
    Scope::TeamReadBasicAll,
    Scope::PeopleRead,
    Scope::ContactsRead,
    Scope::UserReadBasicAll,
];

/// What the tools need, the writing half; never handed out where the deployment is read-only.
const WRITING: &[Scope] = &[
    Scope::MailReadWrite,
    Scope::MailSend,
    Scope::CalendarsReadWrite,
    Scope::ChannelMessageSend,
    Scope::ChatMessageSend,
    Scope::ChatCreate,
    Scope::OnlineMeetingsReadWrite,
];

/// Scopes of `OpenID` Connect that clients ask for out of habit. They are granted or not by Entra, never by us.
const OPENID: &[&str] = &["openid", "profile", "email", "offline_access"];

/// Nothing of what was asked for is handed out here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidScope;

/// Everything that may be asked for.
pub fn supported(config: &Config) -> ScopeSet {
    let reading = ScopeSet::of(READING);
    if config.read_only { reading } else { reading.union(ScopeSet::of(WRITING)) }
}

/// What a `scope` parameter asks for. An unknown scope beside known ones is ignored, as RFC 6749 section 3.3 allows;
/// the answer then says what was granted. `None` where it names nothing but `OpenID` Connect.
pub fn requested(config: &Config, names: &str) -> Result<Option<ScopeSet>, InvalidScope> {
    let asked = ScopeSet::parse_known(names).intersection(supported(config));
    let is_openid = |name: &str| OPENID.iter().any(|known| known.eq_ignore_ascii_case(name));
    match (asked.is_empty(), names.split_ascii_whitespace().all(is_openid)) {
        (false, _) => Ok(Some(asked)),
        (true, true) => Ok(None),
        (true, false) => Err(InvalidScope),
    }
}

/// What a client with these scopes may do, one line each, in the words of the person who decides.
pub fn in_plain_words(scopes: ScopeSet) -> Vec<&'static str> {
    // A wider scope says what the narrower one says; one line is enough.
    let said = |scope: &Scope| {
        !(*scope == Scope::MailRead && scopes.is_superset(ScopeSet::of(&[Scope::MailReadWrite]))
            || *scope == Scope::CalendarsRead && scopes.is_superset(ScopeSet::of(&[Scope::CalendarsReadWrite])))
    };
    scopes.iter().filter(said).map(sentence).collect()
}

const fn sentence(scope: Scope) -> &'static str {
    match scope {
        Scope::UserRead => "See your name and profile",
        Scope::MailRead => "Read your mail",
        Scope::MailReadWrite => "Read, change, move and delete your mail and drafts",
        Scope::MailSend => "Send mail as you",
        Scope::MailReadShared => "Read mail in mailboxes shared with you",
        Scope::MailReadWriteShared => "Change mail in mailboxes shared with you",
        Scope::MailSendShared => "Send mail on behalf of others who let you",
        Scope::MailboxSettingsRead => "See your mailbox settings, such as your time zone",
        Scope::CalendarsRead => "Read your calendars",
        Scope::CalendarsReadWrite => "Read, change and delete events in your calendars, and invite people",
        Scope::CalendarsReadShared => "Read calendars shared with you",
        Scope::CalendarsReadWriteShared => "Change calendars shared with you",
        Scope::ChannelMessageSend => "Post messages in Teams channels as you",
        Scope::ChatMessageSend => "Send Teams chat messages as you",
        Scope::ChatCreate => "Start Teams chats as you",
        Scope::TeamReadBasicAll => "See which teams you belong to",
        Scope::OnlineMeetingsReadWrite => "See and create your online meetings",
        Scope::PeopleRead => "See the people you work with most",
        Scope::ContactsRead => "Read your contacts",
        Scope::UserReadBasicAll => "Look up basic profiles in your organization",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::config;

    #[test]
    fn a_read_only_deployment_hands_out_no_writing_scope() {
        let read_only = config(&[("READ_ONLY", "true")]);
        assert_eq!(requested(&read_only, "Mail.Send"), Err(InvalidScope));
        assert_eq!(requested(&read_only, "Mail.Send Mail.Read"), Ok(Some(ScopeSet::of(&[Scope::MailRead]))));
    }

    #[test]
    fn openid_scopes_alone_ask_for_nothing_of_graph() {
        assert_eq!(requested(&config(&[]), "openid offline_access"), Ok(None));
        assert_eq!(requested(&config(&[]), "openid Everything.ReadWrite.All"), Err(InvalidScope));
    }

    #[test]
    fn reading_is_not_said_twice() {
        let words = in_plain_words(ScopeSet::of(&[Scope::MailRead, Scope::MailReadWrite]));
        assert_eq!(words, ["Read, change, move and delete your mail and drafts"]);
    }
}
