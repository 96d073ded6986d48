//! A client that signs in anew ends its earlier grants (U1), and the user's object that knows of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a flow that cannot go on should stop")]

use futures_util::future::join_all;

use super::granted::{presented, user};
use super::world::{World, json_of};
use crate::agent::{AgentName, Command, Enlisted, GrantCommand, GrantError, Reply, UserCommand, UserReply};
use crate::crypto::{Digest, Secret};
use crate::identity::{GrantId, UserId};
use crate::oauth::token::{Kind, TokenKeys};
use crate::ports::{Agents as _, Clock as _};
use crate::support::{SeededRandom, TestPlatform};

const END: u64 = 30 * 24 * 3600;

async fn redeem(world: &World, client: &str, code: &str) -> Secret {
    let answer = json_of(&world.token(&World::redeeming(client, code)).await);
    Secret::new(answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")))
}

/// From the client's request to its access token.
async fn connect(world: &World, client: &str) -> Secret {
    let code = world.sign_in(client).await;
    redeem(world, client, &code).await
}

fn grant_of(world: &World, token: &Secret) -> (GrantId, UserId) {
    let keys = TokenKeys::new(&world.platform.config.keys.encryption);
    let stamp = keys.read(Kind::Access, token.expose(), 0).unwrap();
    (stamp.grant, stamp.user.unwrap())
}

async fn stands(world: &World, token: &Secret) -> bool {
    let confirm = Command::Grant(GrantCommand::Confirm(presented(token)));
    match world.platform.agents.call(&AgentName::Grant(grant_of(world, token).0), &confirm).await {
        Ok(Reply::Grant(Ok(_))) => true,
        Ok(Reply::Grant(Err(GrantError::Revoked))) => false,
        other => panic!("{other:?}"),
    }
}

async fn ask(platform: &TestPlatform, user: UserId, command: UserCommand) -> Vec<GrantId> {
    match platform.agents.call(&AgentName::User(user), &Command::User(command)).await {
        Ok(Reply::User(Ok(UserReply::Grants(grants)))) => grants,
        other => panic!("{other:?}"),
    }
}

async fn listed(world: &World, token: &Secret) -> Vec<GrantId> {
    ask(&world.platform, grant_of(world, token).1, UserCommand::List).await
}

#[tokio::test(flavor = "current_thread")]
async fn signing_in_anew_ends_this_clients_earlier_grant_and_no_others() {
    let world = World::new();
    let (one, two) = (world.public_client().await, world.public_client().await);
    let (old, other) = (connect(&world, &one).await, connect(&world, &two).await);
    let new = connect(&world, &one).await;
    assert!(!stands(&world, &old).await);
    assert!(stands(&world, &other).await && stands(&world, &new).await);
    assert_eq!(listed(&world, &new).await, [grant_of(&world, &other).0, grant_of(&world, &new).0]);
}

#[tokio::test(flavor = "current_thread")]
async fn another_user_of_the_same_client_keeps_the_grant() {
    let world = World::new();
    let client = world.public_client().await;
    let adele = connect(&world, &client).await;
    world.claims.borrow_mut()["oid"] = "0a1b2c3d-0000-4000-8000-000000000bad".into();
    let alex = connect(&world, &client).await;
    assert!(stands(&world, &adele).await && stands(&world, &alex).await);
}

#[tokio::test(flavor = "current_thread")]
async fn a_sign_in_whose_tokens_are_never_fetched_ends_nothing() {
    let world = World::new();
    let client = world.public_client().await;
    let old = connect(&world, &client).await;
    world.sign_in(&client).await;
    assert!(stands(&world, &old).await);
    assert_eq!(listed(&world, &old).await.len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn of_sign_ins_that_finish_together_exactly_one_stands() {
    for seed in 0..40 {
        let world = World::new();
        let client = world.public_client().await;
        let mut codes = Vec::new();
        for _ in 0..(2 + seed % 5) {
            codes.push(world.sign_in(&client).await);
        }
        world.platform.agents.pace.roll(seed);
        let tokens = join_all(codes.iter().map(|code| redeem(&world, &client, code))).await;
        let standing = join_all(tokens.iter().map(|token| stands(&world, token))).await;
        assert_eq!(standing.iter().filter(|stands| **stands).count(), 1, "seed {seed}: {standing:?}");
        let last = tokens.iter().zip(&standing).find(|(_, stands)| **stands).unwrap().0;
        assert_eq!(listed(&world, last).await, [grant_of(&world, last).0], "seed {seed}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_users_object_that_does_not_answer_costs_no_sign_in_and_is_told_by_the_alarm() {
    let world = World::new();
    let client = world.public_client().await;
    let old = connect(&world, &client).await;
    world.platform.agents.fail_users.set(true);
    let new = connect(&world, &client).await;
    assert!(stands(&world, &new).await && stands(&world, &old).await);
    assert_eq!(world.platform.alarm.0.get(), Some(world.platform.clock.now() + 30));
    world.platform.agents.fail_users.set(false);
    world.platform.agents.evict();
    world.platform.agents.wake_all().await;
    assert!(!stands(&world, &old).await && stands(&world, &new).await);
    assert_eq!(listed(&world, &new).await, [grant_of(&world, &new).0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_grant_that_ended_while_the_users_object_was_away_leaves_the_list_later() {
    let world = World::new();
    let client = world.public_client().await;
    let token = connect(&world, &client).await;
    let (grant, user) = grant_of(&world, &token);
    world.platform.agents.fail_users.set(true);
    let revoke = Command::Grant(GrantCommand::RevokeByUser { user });
    world.platform.agents.call(&AgentName::Grant(grant), &revoke).await.unwrap();
    assert!(!stands(&world, &token).await);
    world.platform.agents.fail_users.set(false);
    assert_eq!(listed(&world, &token).await, [grant]);
    world.platform.agents.wake_all().await;
    assert_eq!(listed(&world, &token).await, []);
}

fn entry(number: u64, slot: &str, now: u64) -> UserCommand {
    UserCommand::Enlist(Enlisted {
        grant: GrantId::random(&SeededRandom::new(number)),
        slot: Digest::of(slot.as_bytes()),
        ends_at: now + END,
        replaces: true,
    })
}

#[tokio::test(flavor = "current_thread")]
async fn a_message_that_comes_late_or_twice_revives_nothing_and_moves_nobody() {
    let platform = TestPlatform::new(&[]);
    let now = platform.clock.now();
    let id = |number| GrantId::random(&SeededRandom::new(number));
    assert_eq!(ask(&platform, user(), entry(1, "a", now)).await, []);
    assert_eq!(ask(&platform, user(), entry(2, "a", now)).await, [id(1)]);
    assert_eq!(ask(&platform, user(), entry(1, "a", now)).await, [], "the first stays the first");
    ask(&platform, user(), UserCommand::Delist { grant: id(1), ends_at: now + END }).await;
    ask(&platform, user(), UserCommand::Delist { grant: id(3), ends_at: now + END }).await;
    assert_eq!(ask(&platform, user(), entry(1, "a", now)).await, []);
    assert_eq!(ask(&platform, user(), entry(3, "a", now)).await, []);
    assert_eq!(ask(&platform, user(), UserCommand::List).await, [id(2)]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_grant_of_before_the_list_is_listed_and_replaces_nobody() {
    let platform = TestPlatform::new(&[]);
    let now = platform.clock.now();
    ask(&platform, user(), entry(1, "a", now)).await;
    let UserCommand::Enlist(old) = entry(2, "a", now) else { panic!("an entry") };
    let old = UserCommand::Enlist(Enlisted { replaces: false, ..old });
    assert_eq!(ask(&platform, user(), old).await, []);
    assert_eq!(ask(&platform, user(), UserCommand::List).await.len(), 2);
    assert_eq!(ask(&platform, user(), entry(3, "a", now)).await.len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn the_users_object_knows_no_names_and_is_erased_with_its_last_grant() {
    let world = World::new();
    let client = world.public_client().await;
    let token = connect(&world, &client).await;
    let (_, user) = grant_of(&world, &token);
    let object = world.platform.agents.dump_of(&AgentName::User(user));
    for secret in ["adele", "Adele", client.as_str(), "m365", "Inbox", "127.0.0.1"] {
        assert!(!object.contains(secret), "{secret} in {object}");
    }
    assert!(!object.is_empty());
    assert_eq!(ask(&world.platform, UserId { oid: uuid::Uuid::nil(), ..user }, UserCommand::List).await, []);
    let nobody = AgentName::User(UserId { oid: uuid::Uuid::nil(), ..user });
    assert_eq!(world.platform.agents.dump_of(&nobody), "", "looking stores nothing");
    world.platform.clock.advance(END);
    world.platform.agents.wake_all().await;
    assert_eq!(world.platform.agents.dump_of(&AgentName::User(user)), "");
}
