//! Colleagues who never sign in, and the outside contacts of everybody's address book.

use serde_json::{Value, json};

use super::directory::{Home, USERS, User};
use crate::opaque;

/// Colleagues of the directory: name, address, title, department.
const COLLEAGUES: &[(&str, &str, &str, &str)] = &[
    ("Adele Brandt", "adele.brandt@contoso.example", "Accountant", "Finance"),
    ("Diego Siciliani", "diego@contoso.example", "HR Manager", "Human Resources"),
    ("Grady Archie", "grady@contoso.example", "Designer", "R&D"),
    ("Isaiah Langer", "isaiah@contoso.example", "Sales Representative", "Sales"),
    ("Johanna Lorenz", "johanna@contoso.example", "Senior Engineer", "R&D"),
    ("Lee Gu", "lee@contoso.example", "Director", "Manufacturing"),
    ("Lynne Robbins", "lynne@contoso.example", "Planner", "Sales"),
    ("Miriam Graham", "miriam@contoso.example", "Director", "Marketing"),
    ("Nestor Wilke", "nestor@contoso.example", "Director", "Operations"),
    ("Patti Fernandez", "patti@contoso.example", "President", "Executive"),
];
/// Outside contacts: name, address, company.
const CONTACTS: &[(&str, &str, &str)] = &[
    ("Nora Lind", "nora.lind@fabrikam.example", "Fabrikam"),
    ("Omar Haddad", "omar@northwind.example", "Northwind Traders"),
    ("Sofia Rossi", "sofia.rossi@litware.example", "Litware"),
    ("Jan Kowalski", "jan@adatum.example", "Adatum"),
    ("Aiko Tanaka", "aiko@tailspin.example", "Tailspin Toys"),
    ("Liam O'Brien", "liam@wideworld.example", "Wide World Importers"),
    ("Chloé Dubois", "chloe@fourthcoffee.example", "Fourth Coffee"),
    ("Ravi Nair", "ravi@proseware.example", "Proseware"),
    ("Ingrid Solberg", "ingrid@alpineski.example", "Alpine Ski House"),
    ("Mateo García", "mateo@southridge.example", "Southridge Video"),
    ("Zoe Adams", "zoe@lucerne.example", "Lucerne Publishing"),
    ("Tom Becker", "tom@trey.example", "Trey Research"),
];

/// The user resource with every property that `$select` may name.
pub fn user_resource(user: &User) -> Value {
    directory_entry(user.oid, user.name, (user.email, user.title, "Product"))
}

fn directory_entry(id: &str, name: &str, (mail, title, department): (&str, &str, &str)) -> Value {
    let (given, surname) = name.split_once(' ').unwrap_or((name, ""));
    let nickname = mail.split('@').next().unwrap_or("");
    json!({
        "id": id, "displayName": name, "givenName": given, "surname": surname, "jobTitle": title,
        "mail": mail, "userPrincipalName": mail, "mailNickname": nickname, "department": department,
        "companyName": "Contoso", "officeLocation": "18/2111", "businessPhones": ["+49 30 5550100"],
        "mobilePhone": null, "preferredLanguage": "en-GB", "userType": "Member", "accountEnabled": true,
        "city": "Berlin", "country": "Germany", "proxyAddresses": [format!("SMTP:{mail}")],
    })
}

/// Everybody in the home tenant's directory.
pub fn directory() -> Vec<Value> {
    let people = USERS.iter().filter(|user| user.home == Home::Contoso).map(user_resource);
    let colleagues = COLLEAGUES.iter().enumerate().map(|(at, (name, mail, title, department))| {
        directory_entry(&format!("c0000000-0000-4000-8000-{at:012}"), name, (mail, title, department))
    });
    people.chain(colleagues).collect()
}

/// A person's address book.
pub fn contacts(user: &User) -> Vec<Value> {
    let list = CONTACTS.iter().enumerate().map(|(at, (name, address, company))| {
        let (given, surname) = name.split_once(' ').unwrap_or((name, ""));
        json!({
            "@odata.etag": format!("W/\"EQAAABYAAAD{at:04}\""),
            "id": format!("AAMkAF{}AAA=", opaque::id(user.oid, &format!("contact{at}"), 105)),
            "createdDateTime": "2026-01-05T08:00:00Z", "lastModifiedDateTime": "2026-01-05T08:00:00Z",
            "changeKey": format!("contact{at}"), "categories": [], "parentFolderId": "AQMkAFcontacts=",
            "displayName": name, "givenName": given, "surname": surname, "companyName": company,
            "jobTitle": null, "department": null, "personalNotes": format!("Ref: {}", user.marker),
            "emailAddresses": [{"name": name, "address": address}],
            "businessPhones": [format!("+49 30 55501{at:02}")], "homePhones": [], "mobilePhone": null,
            "birthday": null, "fileAs": format!("{surname}, {given}"), "imAddresses": [], "middleName": null,
            "nickName": null, "title": null, "officeLocation": null, "homeAddress": {}, "businessAddress": {},
        })
    });
    list.collect()
}

/// The people relevant to a person, most relevant first.
pub fn relevant(user: &User) -> Vec<Value> {
    let colleagues = directory().into_iter().filter(|entry| entry.get("id").and_then(Value::as_str) != Some(user.oid));
    let named = colleagues.map(|entry| {
        let member = |name: &str| entry.get(name).cloned().unwrap_or(Value::Null);
        (member("displayName"), member("mail"), member("jobTitle"), "OrganizationUser")
    });
    let outside =
        CONTACTS.iter().map(|(name, mail, _)| (Value::from(*name), Value::from(*mail), Value::Null, "ImplicitContact"));
    let list = named.chain(outside).enumerate().map(|(at, (name, mail, title, subclass))| {
        let words = name.as_str().and_then(|name| name.split_once(' '));
        json!({
            "id": format!("9a0e0000-0000-4000-8000-{at:012}"), "displayName": name,
            "givenName": words.map(|words| words.0), "surname": words.map(|words| words.1), "birthday": "",
            "personNotes": "", "isFavorite": false, "jobTitle": title, "companyName": null, "department": null,
            "officeLocation": null, "profession": "", "yomiCompany": "", "userPrincipalName": mail,
            "imAddress": null, "phones": [], "postalAddresses": [], "websites": [],
            "scoredEmailAddresses": [{"address": mail, "relevanceScore": 30 - at, "selectionLikelihood": "notSpecified"}],
            "personType": {"class": "Person", "subclass": subclass},
        })
    });
    list.collect()
}
