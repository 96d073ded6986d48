//! Finding people: those relevant to the user, the user's address book, the organisation's directory.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, UNTRUSTED, clean};
use super::arguments::{self, bounded};
use super::call::Call;
use super::outbox::IMMUTABLE;
use super::page::{self, Page};
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment, filter_literal, quoted_phrase};
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "getContacts",
    title: "Find people",
    description: "Find people: source=people (relevant to me), contacts (my address book) or directory (the organisation).",
    kind: Kind::Read,
    preset: Preset::Core,
    needs: &[Scope::PeopleRead, Scope::ContactsRead, Scope::UserReadBasicAll],
    also: &[],
    on_use: &[],
    example: r#"{"search":"adele","source":"people","count":10}"#,
    schema: schema::of::<GetContacts>,
    handler: handle::<GetContacts>,
}];

const FAMILIES: [&str; 3] = ["/me/people", "/me/contacts", "/users"];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Source {
    #[default]
    People,
    Contacts,
    Directory,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetContacts {
    #[schemars(range(min = 1, max = 100), extend("default" = 50))]
    count: Option<u32>,
    /// Name or address
    search: Option<String>,
    #[schemars(extend("default" = "people"))]
    source: Option<Source>,
    cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetContacts {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 50, 100)?;
        let search = arguments::optional("search", self.search.as_deref(), 200)?;
        let source = self.source.unwrap_or_default();
        call.require(source.scope())?;
        let request = source.request(search.as_deref())?.query("$top", count.to_string());
        let start = page::begin(call, self.cursor.as_deref(), &request)?;
        let Page { items, next_cursor } = page::read::<Somebody>(call, &FAMILIES, start, count).await?;
        Ok(Answer::of(&Found {
            untrusted: UNTRUSTED,
            contacts: items.into_iter().map(Contact::from).collect(),
            truncated: next_cursor.is_some(),
            next_cursor,
        }))
    }
}

impl Source {
    const fn scope(self) -> Scope {
        match self {
            Self::People => Scope::PeopleRead,
            Self::Contacts => Scope::ContactsRead,
            Self::Directory => Scope::UserReadBasicAll,
        }
    }

    /// The list, narrowed by `search` in the syntax that this source takes.
    fn request(self, search: Option<&str>) -> Result<GraphRequest, ToolError> {
        let get = |path: &[Segment<'_>], select: &'static str| {
            GraphRequest::new(Method::Get, path).map(|request| request.query("$select", select))
        };
        let me = Segment::Word("me");
        let request = match self {
            Self::People => get(&[me, Segment::Word("people")], PEOPLE)?,
            Self::Contacts => get(&[me, Segment::Word("contacts")], CONTACTS)?.prefer(IMMUTABLE),
            Self::Directory => get(&[Segment::Word("users")], DIRECTORY)?,
        };
        let Some(search) = search else { return Ok(request) };
        Ok(match self {
            Self::People => request.query("$search", quoted_phrase(search)),
            // An address book cannot be searched, only filtered.
            Self::Contacts => request.query("$filter", contact_filter(search)),
            Self::Directory => {
                let clauses = ["displayName", "mail", "userPrincipalName"]
                    .map(|property| quoted_phrase(&format!("{property}:{search}")));
                request.query("$search", clauses.join(" OR ")).header("consistencylevel", "eventual")
            }
        })
    }
}

const PEOPLE: &str = "id,displayName,scoredEmailAddresses,phones,jobTitle,companyName,department";
const CONTACTS: &str = "id,displayName,emailAddresses,businessPhones,mobilePhone,jobTitle,companyName,department";
/// What `User.ReadBasic.All` shows of others.
const DIRECTORY: &str = "id,displayName,mail,userPrincipalName";

fn contact_filter(search: &str) -> String {
    let text = filter_literal(search);
    if search.contains('@') {
        return format!("emailAddresses/any(a:a/address eq {text})");
    }
    ["displayName", "givenName", "surname"].map(|property| format!("startswith({property},{text})")).join(" or ")
}

/// A person, contact or user, by whichever fields the source has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Somebody {
    id: String,
    display_name: Option<String>,
    #[serde(default)]
    scored_email_addresses: Vec<Address>,
    #[serde(default)]
    email_addresses: Vec<Address>,
    mail: Option<String>,
    user_principal_name: Option<String>,
    #[serde(default)]
    phones: Vec<Phone>,
    #[serde(default)]
    business_phones: Vec<String>,
    mobile_phone: Option<String>,
    job_title: Option<String>,
    company_name: Option<String>,
    department: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    address: Option<String>,
}

#[derive(Deserialize)]
struct Phone {
    number: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    untrusted: &'static str,
    contacts: Vec<Contact>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contact {
    id: String,
    name: String,
    emails: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phones: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<String>,
}

impl From<Somebody> for Contact {
    fn from(somebody: Somebody) -> Self {
        let text = |text: Option<String>| text.map(|text| clean(&text, 200)).filter(|text| !text.is_empty());
        let listed = somebody.scored_email_addresses.into_iter().chain(somebody.email_addresses);
        let mut emails: Vec<_> = listed.filter_map(|entry| text(entry.address)).collect();
        if emails.is_empty() {
            emails.extend(text(somebody.mail).or_else(|| text(somebody.user_principal_name)));
        }
        let phones = somebody.phones.into_iter().map(|phone| phone.number);
        let phones = phones.chain(somebody.business_phones.into_iter().map(Some)).chain([somebody.mobile_phone]);
        Self {
            id: somebody.id,
            name: text(somebody.display_name).unwrap_or_default(),
            emails,
            phones: phones.filter_map(text).collect(),
            job_title: text(somebody.job_title),
            company: text(somebody.company_name),
            department: text(somebody.department),
        }
    }
}
