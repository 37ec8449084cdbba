//! `token-login`, run as a process on a pseudo-terminal against a local stand-in for Google. Read this as a table of
//! contents.
//!
//! Every run in here is searched for every secret of its world, authorization codes and PKCE verifiers included: nothing
//! that it says at trace level or shows on the terminal, and nothing that it leaves on disk outside the credential files,
//! may hold one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

/// The command line and the configuration.
#[path = "token_login/command.rs"]
mod command;

/// What a login leaves in the history, and who believes it.
#[path = "token_login/history.rs"]
mod history;

/// Files of other programs are taken over.
#[path = "token_login/import.rs"]
mod import;

/// A person logs in: through the browser, or with a paste.
#[path = "token_login/login.rs"]
mod login;

/// The same against an OAuth server that this project did not write.
#[path = "token_login/real_server.rs"]
mod real_server;

/// That server: installed, started, stopped.
#[path = "token_login/provider.rs"]
mod provider;

/// What is answered with `--json` is what the schema says.
#[path = "token_login/schema.rs"]
mod schema;

/// The person of these tests, with their browser.
#[path = "token_login/person.rs"]
mod person;

/// A login that comes to nothing leaves everything as it was.
#[path = "token_login/refused.rs"]
mod refused;

use serde_json::{Value, json};
use support::{Builder, World};

const SCOPE: &str = "https://www.googleapis.com/auth/spreadsheets";

/// A world for this executable.
fn world() -> Builder {
    World::of(env!("CARGO_BIN_EXE_token-login"))
}

/// Builds it. Its credential knows the stand-in's page, as one that `token-login` wrote does, and its token is dead.
fn built(builder: Builder) -> World {
    let world = builder.build();
    let mut credential = world.credential_json();
    assert!(world.server.revoke_refresh_token(credential["refresh_token"].as_str().unwrap()));
    credential["auth_uri"] = json!(page(&world));
    credential["note"] = json!("a person's own");
    world.write_credential(&credential);
    world
}

/// The stand-in's consent page.
fn page(world: &World) -> String {
    format!("{}/o/oauth2/v2/auth", world.server.url())
}

/// The OAuth client as Google's console gives it.
fn client(world: &World) -> Value {
    let client = world.server.client();
    json!({"installed": {"client_id": client.id, "client_secret": client.secret, "project_id": "stand-in-project",
        "auth_uri": page(world), "token_uri": format!("{}/token", world.server.url()), "redirect_uris": ["http://localhost"]}})
}

/// Puts a file where a person's browser would; a secret may stand in it.
fn download(world: &World, name: &str, content: &str) -> String {
    world.make_private_dir("download/credentials");
    let relative = format!("download/credentials/{name}");
    world.write(&relative, content.as_bytes());
    world.path(&relative).display().to_string()
}
