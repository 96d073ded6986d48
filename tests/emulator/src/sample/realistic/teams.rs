//! Carla's chats and her team's channel: short words, long words, a quotation, a mention, pictures, a removed message.

use serde_json::{Value, json};
use time::macros::format_description;
use time::{Date, Duration};

use crate::opaque;
use crate::sample::directory::{User, by_email};

const SAID: &[&str] = &[
    "<p>Morning! Did the pallets arrive?</p>",
    "<p>Yes, eleven of twelve. The twelfth stands in Poznań, Jan will call when it moves.</p>",
    "<p>ok 👍</p>",
    "<div><div><div><blockquote itemscope itemtype=\"http://schema.skype.com/Reply\" itemid=\"1700000000002\"><strong itemprop=\"mri\">Carla Brunner</strong>\
     <p itemprop=\"preview\">Yes, eleven of twelve.</p></blockquote><p>Then let us book them as twelve and correct it on Monday; the month ends tomorrow and I would like to keep the report simple.</p></div></div></div>",
    "<p><at id=\"0\">Megan Bowen</at> can you approve 45-00016 today? It is only the shelves, the racks come later.</p>",
    "<p>Done.</p>",
    "<p>Here is how the gate looks now: <img alt=\"gate.jpg\" src=\"https://graph.microsoft.com/v1.0/chats/x/messages/y/hostedContents/z/$value\" width=\"640\" height=\"480\"></p>",
    "<p>Das Tor ist doch breiter geworden als geplant, wir müssen die Zeichnung nachziehen und dem Spediteur Bescheid geben, bevor er mit dem großen Wagen kommt.</p>",
];

/// Chats, and what was said in them and in the channel, oldest first.
pub fn chats(today: Date) -> (Vec<Value>, Vec<Value>) {
    let found = [super::OWNER, "megan@contoso.example", "alex@contoso.example"].map(by_email);
    let people: Vec<&User> = found.into_iter().flatten().collect();
    let ids: Vec<&str> = people.iter().map(|user| user.oid).collect();
    let pair: Vec<&str> = ids.iter().copied().take(2).collect();
    let group = format!("19:{}@thread.v2", opaque::id("chat", "group", 24));
    let single = format!("19:{}@unq.gbl.spaces", pair.join("_"));
    let chats = vec![
        json!({"id": group, "topic": "Lager & Tor", "chatType": "group", "memberIds": ids, "webUrl": null}),
        json!({"id": single, "topic": null, "chatType": "oneOnOne", "memberIds": pair, "webUrl": null}),
    ];
    let places = [json!({"chatId": group}), json!({"chatId": single}), channel()];
    let said = places.iter().enumerate().flat_map(|(place, wherever)| {
        let people = people.iter().take(if place == 0 { 3 } else { 2 }).cycle();
        (0_i64..40)
            .zip(people)
            .zip(SAID.iter().cycle())
            .map(move |((at, user), text)| {
                let id = 1_700_100_000_000 + i64::try_from(place).unwrap_or(0) * 1000 + at;
                message(wherever, (id, user, text), today - Duration::days(10 - at / 4))
            })
            .collect::<Vec<_>>()
    });
    (chats, said.collect())
}

fn channel() -> Value {
    json!({"channelIdentity": {"teamId": "7ea00000-0000-4000-8000-00000000000d", "channelId": "19:prices0d@thread.tacv2"}, "replyToId": null})
}

fn message(wherever: &Value, (id, user, text): (i64, &User, &str), day: Date) -> Value {
    let day = day.format(format_description!("[year]-[month]-[day]")).unwrap_or_default();
    let stamp = format!("{day}T{:02}:{:02}:07Z", 8 + id % 4, id % 60);
    let mut value = json!({
        "id": id.to_string(), "messageType": "message", "createdDateTime": stamp, "lastModifiedDateTime": stamp,
        "deletedDateTime": null, "subject": null,
        "from": {"application": null, "device": null, "user": {"id": user.oid, "displayName": user.name}},
        "body": {"contentType": "html", "content": text}, "attachments": [], "mentions": [], "reactions": [],
    });
    for (name, member) in wherever.as_object().into_iter().flatten() {
        crate::json::set(&mut value, name, member.clone());
    }
    value
}
