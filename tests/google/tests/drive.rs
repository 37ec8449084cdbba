//! Drive: files, their versions, and who they are shared with.

use google_standin::{OWNER, Server};
use serde_json::{Value, json};

use crate::client::{Answer, access_token, call, small_sheet};

const DRIVE: &str = "https://www.googleapis.com/auth/drive";
const SHEETS: &str = "https://www.googleapis.com/auth/spreadsheets";
const SPREADSHEET: &str = "application/vnd.google-apps.spreadsheet";

/// Someone with a Drive token.
struct User<'s> {
    server: &'s Server,
    token: String,
}

impl<'s> User<'s> {
    fn new(server: &'s Server, email: &str) -> Self {
        let user = server.authorized_user(Some(email), Some(&[DRIVE, SHEETS]));
        Self { server, token: access_token(server, &user) }
    }

    fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        call(self.server, &self.token, method, path, body)
    }

    fn create(&self, name: &str) -> String {
        let body = json!({"name": name, "mimeType": SPREADSHEET});
        let answer = self.call("POST", "/drive/v3/files?supportsAllDrives=True", Some(body));
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    fn version(&self, id: &str) -> u64 {
        let answer = self.call("GET", &format!("/drive/v3/files/{id}?fields=version"), None);
        answer.json()["version"].as_str().unwrap().parse().unwrap()
    }

    fn write(&self, id: &str) -> u16 {
        let path = format!("/v4/spreadsheets/{id}/values/A1?valueInputOption=RAW");
        self.call("PUT", &path, Some(json!({"values": [["x"]]}))).status
    }
}

#[test]
fn a_new_file_answers_as_recorded_and_is_a_spreadsheet() {
    let server = Server::start();
    let ann = User::new(&server, "ann@example.com");
    let answer = ann.call("POST", "/drive/v3/files", Some(json!({"name": "Ports", "mimeType": SPREADSHEET})));
    let id = answer.json()["id"].clone();
    assert_eq!(
        answer.json(),
        json!({"kind": "drive#file", "id": id, "name": "Ports", "mimeType": SPREADSHEET})
    );
    let sheet = ann.call("GET", &format!("/v4/spreadsheets/{}", id.as_str().unwrap()), None);
    assert_eq!(sheet.json()["properties"]["title"], "Ports");
}

#[test]
fn the_version_grows_with_every_change_and_not_with_a_read() {
    let server = Server::start();
    let ann = User::new(&server, "ann@example.com");
    let id = ann.create("Ports");
    let first = ann.version(&id);
    assert_eq!(ann.version(&id), first);
    assert_eq!(ann.write(&id), 200);
    let second = ann.version(&id);
    assert!(second > first);
    assert_eq!(
        ann.call("PATCH", &format!("/drive/v3/files/{id}"), Some(json!({"name": "Other"}))).status,
        200
    );
    assert!(ann.version(&id) > second);
    assert_eq!(server.version(&id), Some(ann.version(&id)));
}

#[test]
fn a_rename_renames_the_spreadsheet() {
    let server = Server::start();
    let ann = User::new(&server, "ann@example.com");
    let id = ann.create("Ports");
    let renamed = ann.call("PATCH", &format!("/drive/v3/files/{id}"), Some(json!({"name": "Harbours"})));
    assert_eq!(renamed.json()["name"], "Harbours");
    let title = ann.call("GET", &format!("/v4/spreadsheets/{id}?fields=properties.title"), None);
    assert_eq!(title.json(), json!({"properties": {"title": "Harbours"}}));
}

#[test]
fn a_list_holds_what_fits_the_query_latest_change_first() {
    let server = Server::start();
    let ann = User::new(&server, "ann@example.com");
    let ports = ann.create("Ports");
    server.advance_clock(5);
    let harbours = ann.create("Harbours");
    ann.call("POST", "/drive/v3/files", Some(json!({"name": "Notes", "mimeType": "text/plain"})));
    User::new(&server, "bob@example.com").create("Bob's own");
    let list = |query: &str| {
        let path = format!("/drive/v3/files?q={query}&fields=kind,nextPageToken,files(id)");
        ann.call("GET", &path, None).json()
    };
    let all = format!("mimeType%3D%22{SPREADSHEET}%22");
    assert_eq!(list(&all), json!({"kind": "drive#fileList", "files": [{"id": harbours}, {"id": ports}]}));
    assert_eq!(list("name%3D'Ports'%20and%20trashed%3Dfalse")["files"], json!([{"id": ports}]));
    assert_eq!(list("name%20contains%20'arb'")["files"], json!([{"id": harbours}]));
}

#[test]
fn a_copy_is_the_callers_own_and_holds_the_cells() {
    let server = Server::start();
    let id = small_sheet(&server, &["ann@example.com"]);
    let ann = User::new(&server, "ann@example.com");
    assert_eq!(ann.write(&id), 200);
    let copy = ann.call("POST", &format!("/drive/v3/files/{id}/copy"), Some(json!({"name": "Copy"}))).json();
    let copy_id = copy["id"].as_str().unwrap();
    assert_ne!(copy_id, id);
    let cells = ann.call("GET", &format!("/v4/spreadsheets/{copy_id}/values/A1"), None).json();
    assert_eq!(cells["values"], json!([["x"]]));
    let owner =
        ann.call("GET", &format!("/drive/v3/files/{copy_id}?fields=owners(emailAddress)"), None).json();
    assert_eq!(owner, json!({"owners": [{"emailAddress": "ann@example.com"}]}));
}

#[test]
fn only_the_owner_deletes_and_then_the_file_is_gone() {
    let server = Server::start();
    let ann = User::new(&server, "ann@example.com");
    let id = small_sheet(&server, &["ann@example.com"]);
    let path = format!("/drive/v3/files/{id}");
    let refused = ann.call("DELETE", &path, None);
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"]["errors"][0]["reason"], "insufficientFilePermissions");
    let deleted = User::new(&server, OWNER).call("DELETE", &path, None);
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    assert_eq!(ann.call("GET", &format!("/v4/spreadsheets/{id}"), None).status, 404);
}

#[test]
fn a_file_that_is_not_shared_does_not_exist_in_drive() {
    let server = Server::start();
    let id = small_sheet(&server, &[]);
    let answer = User::new(&server, "ann@example.com").call("GET", &format!("/drive/v3/files/{id}"), None);
    let message = format!("File not found: {id}.");
    let expected = json!({"error": {
        "code": 404,
        "message": message,
        "errors": [{
            "message": message, "domain": "global", "reason": "notFound",
            "location": "fileId", "locationType": "parameter",
        }],
    }});
    assert_eq!((answer.status, answer.json()), (404, expected));
}

#[test]
fn the_sheets_scope_alone_does_not_reach_drive() {
    let server = Server::start();
    let token = crate::client::person(&server, "ann@example.com");
    let answer = call(&server, &token, "GET", "/drive/v3/files", None);
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["error"]["errors"][0]["reason"], "insufficientPermissions");
    assert_eq!(answer.json()["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
}

#[test]
fn a_reader_reads_and_a_writer_writes_until_it_is_taken_away() {
    let server = Server::start();
    let ann = User::new(&server, "ann@example.com");
    let bob = User::new(&server, "bob@example.com");
    let id = ann.create("Ports");
    let path = format!("/drive/v3/files/{id}/permissions");
    assert_eq!(bob.write(&id), 403);
    let share = |role: &str| json!({"type": "user", "role": role, "emailAddress": "bob@example.com"});
    assert_eq!(ann.call("POST", &path, Some(share("reader"))).status, 200);
    assert_eq!(bob.call("GET", &format!("/v4/spreadsheets/{id}"), None).status, 200);
    assert_eq!(bob.write(&id), 403);
    let permission = ann.call("POST", &path, Some(share("writer"))).json();
    assert_eq!(permission["role"], "writer");
    assert_eq!(bob.write(&id), 200);
    let listed = ann.call("GET", &path, None).json();
    assert_eq!(listed["permissions"].as_array().unwrap().len(), 2);
    let one = format!("{path}/{}", permission["id"].as_str().unwrap());
    assert_eq!(ann.call("DELETE", &one, None).status, 204);
    assert_eq!(bob.write(&id), 403);
}

#[test]
fn anyone_may_edit_what_is_shared_with_anyone() {
    let server = Server::start();
    let id = small_sheet(&server, &["anyone"]);
    assert_eq!(User::new(&server, "stranger@example.com").write(&id), 200);
}

#[test]
fn drive_file_reaches_only_what_the_account_made_itself() {
    let server = Server::start();
    let scope = "https://www.googleapis.com/auth/drive.file";
    let user = server.authorized_user(Some("ann@example.com"), Some(&[scope]));
    let ann = User { server: &server, token: access_token(&server, &user) };
    let own = ann.create("Own");
    let shared = small_sheet(&server, &["ann@example.com"]);
    assert_eq!((ann.write(&own), ann.write(&shared)), (200, 404));
}
