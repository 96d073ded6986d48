//! Which Graph permissions this server hands out, and how the consent page says them in plain words.

use crate::config::{Config, PresetSet};
use crate::identity::{Scope, ScopeSet};
use crate::tools;

/// Scopes of `OpenID` Connect that clients ask for out of habit. They are granted or not by Entra, never by us.
const OPENID: &[&str] = &["openid", "profile", "email", "offline_access"];

/// Nothing of what was asked for is handed out here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidScope;

/// What a client asks for that asks for all that it is told of: what the offered tools need and a person can agree to.
/// One scope that needs an administrator would make the whole sign-in fail.
pub fn supported(config: &Config) -> ScopeSet {
    tools::scopes(config.presets, config.read_only).at_sign_in
}

/// The same for a client whose URL narrows the presets.
pub fn of_presets(config: &Config, presets: PresetSet) -> ScopeSet {
    tools::scopes(config.presets.intersection(presets), config.read_only).at_sign_in
}

/// Everything that may be asked for, also what is asked for only when a call needs it.
pub fn offered(config: &Config) -> ScopeSet {
    tools::scopes(config.presets, config.read_only).offered
}

/// What a `scope` parameter asks for. An unknown scope beside known ones is ignored, as RFC 6749 section 3.3 allows;
/// the answer then says what was granted. `None` where it names nothing but `OpenID` Connect.
pub fn requested(config: &Config, names: &str) -> Result<Option<ScopeSet>, InvalidScope> {
    let asked = ScopeSet::parse_known(names).intersection(offered(config));
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
    let least = scopes.least();
    let said = |scope: &Scope| least.contains(*scope);
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
        Scope::MailReadBasic => "See the senders, subjects and dates of your mail, not its text",
        Scope::MailboxSettingsReadWrite => {
            "See and change your mailbox settings, such as automatic replies and inbox rules"
        }
        Scope::PlaceReadAll => "See your organization's meeting rooms",
        Scope::ChannelReadBasicAll => "See the names of the channels of your teams",
        Scope::ChannelMessageReadAll => "Read the channel messages of your teams",
        Scope::ChatReadBasic => "See which Teams chats you are in, and with whom",
        Scope::ChatRead => "Read your Teams chats",
        Scope::OnlineMeetingsRead => "See your online meetings",
        Scope::OnlineMeetingArtifactReadAll => "See who attended your online meetings",
        Scope::OnlineMeetingTranscriptReadAll => "Read the transcripts of your online meetings",
        Scope::PresenceRead => "See whether you are shown as available",
        Scope::PresenceReadAll => "See who in your organization is available",
        Scope::PresenceReadWrite => "Set whether you are shown as available, and your status message",
        Scope::UserReadAll => "Look up full profiles in your organization, such as who reports to whom",
        Scope::GroupMemberReadAll => "See the groups of your organization and who is in them",
        Scope::ContactsReadWrite => "Read, change and delete your contacts",
        Scope::FilesRead => "Read your files",
        Scope::FilesReadAll => "Read all files that you can open, also those of others",
        Scope::FilesReadWrite => "Read, change, share and delete your files",
        Scope::FilesReadWriteAll => "Read, change, share and delete all files that you can open, also those of others",
        Scope::SitesReadAll => "Read the SharePoint sites that you can open",
        Scope::SitesReadWriteAll => "Change lists and documents of the SharePoint sites that you can open",
        Scope::NotesRead => "Read your OneNote notebooks",
        Scope::NotesCreate => "Add pages to your OneNote notebooks",
        Scope::NotesReadWrite => "Read and change your OneNote notebooks",
        Scope::TasksRead => "Read your tasks and plans",
        Scope::TasksReadWrite => "Read, change and delete your tasks and plans",
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
