//! `/v4/spreadsheets…`: who may do what, how often, and the error bodies. What a call does is `sheets-model`'s.

use serde_json::{Value, json};
use sheets_model::{ApiError, Call, Spreadsheet};

use crate::auth::{self, Caller};
use crate::drive::store::{Access, File};
use crate::quota::Kind;
use crate::random;
use crate::reply::{Layout, Reply};
use crate::request::Request;
use crate::world::World;

const ROOT: &str = "/v4/spreadsheets";
const SERVICE: &str = "sheets.googleapis.com";
const READ_SCOPES: &[&str] =
    &["spreadsheets", "spreadsheets.readonly", "drive", "drive.readonly", "drive.file"];
const WRITE_SCOPES: &[&str] = &["spreadsheets", "drive", "drive.file"];
/// Scopes that reach files the account did not make with this client.
const WIDE_SCOPES: &[&str] = &["spreadsheets", "spreadsheets.readonly", "drive", "drive.readonly"];

/// Answers one request to the Sheets API.
pub(crate) fn serve(world: &mut World, request: &Request, caller: Result<Caller, ApiError>) -> Reply {
    let outcome = caller.and_then(|caller| answer(world, request, &caller));
    let mut reply = match outcome {
        Ok(body) => Reply::json(200, body),
        Err(error) => Reply::error(&error, world.errors_array),
    };
    if request.query_value("prettyPrint").as_deref() == Some("false") {
        reply.layout = Layout::Compact;
    }
    reply.with_api_headers()
}

fn answer(world: &mut World, request: &Request, caller: &Caller) -> Result<Value, ApiError> {
    let target = Target::of(&request.path);
    let method = Method::of(&request.method, &target);
    let scopes = if method.kind == Kind::Read { READ_SCOPES } else { WRITE_SCOPES };
    let name = format!("google.apps.sheets.v4.SpreadsheetsService.{}", method.name);
    auth::require_scope(caller, scopes, SERVICE, &name)?;
    if !caller.is_person {
        world.quota.spend(method.kind, &caller.email, world.kept.clock.seconds())?;
    }
    let body = request.json().map_err(|error| invalid_json(&error))?;
    if target.id.is_empty() {
        return create(world, request, caller, body.as_ref());
    }
    let now = world.kept.clock.now();
    let file = world.kept.files.get_mut(&target.id).ok_or_else(ApiError::not_found)?;
    require_access(file, caller, method.kind)?;
    let query = request.query_pairs();
    let call = Call {
        method: &request.method,
        rest: &target.rest,
        query: &query,
        body: body.as_ref(),
        caller: &caller.email,
    };
    let answer = spreadsheet(file)?.handle(&call)?;
    if answer.changed {
        file.touch(now);
    }
    Ok(answer.body)
}

fn create(
    world: &mut World,
    request: &Request,
    caller: &Caller,
    body: Option<&Value>,
) -> Result<Value, ApiError> {
    if request.method != "POST" {
        return Err(ApiError::not_found());
    }
    let id = random::file_id();
    let empty = json!({});
    let mut sheet = Spreadsheet::create(&id, body.unwrap_or(&empty))?;
    let call = Call { method: "GET", rest: "", query: &[], body: None, caller: &caller.email };
    let answer = sheet.handle(&call)?;
    let file = File::of_spreadsheet(sheet, &caller.email, world.kept.clock.now());
    world.kept.files.add(file);
    Ok(answer.body)
}

fn require_access(file: &File, caller: &Caller, kind: Kind) -> Result<(), ApiError> {
    let is_own = file.owner == caller.email;
    if !caller.has_scope(WIDE_SCOPES) && !is_own {
        return Err(ApiError::not_found());
    }
    let needed = if kind == Kind::Read { Access::Read } else { Access::Write };
    if caller.sees_all || file.access(&caller.email) >= needed {
        return Ok(());
    }
    Err(auth::not_shared())
}

/// A file that is no spreadsheet does not exist for the Sheets API, except that it knows Office files.
fn spreadsheet(file: &mut File) -> Result<&mut Spreadsheet, ApiError> {
    if file.mime_type.starts_with("application/vnd.openxmlformats-officedocument") {
        return Err(ApiError {
            code: 400,
            status: "FAILED_PRECONDITION",
            message:
                "This operation is not supported for this document. The document must not be an Office file."
                    .to_owned(),
            details: Vec::new(),
        });
    }
    file.sheet.as_mut().ok_or_else(ApiError::not_found)
}

fn invalid_json(error: &serde_json::Error) -> ApiError {
    let message = format!("Invalid JSON payload received. Unexpected token.\n{error}");
    let mut refusal = ApiError::invalid(message.clone());
    refusal.details.push(json!({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"description": message}],
    }));
    refusal
}

/// The spreadsheet's id and what follows it.
struct Target {
    id: String,
    /// Still percent-encoded, without a trailing slash or one before a colon, which Google both accepts.
    rest: String,
}

impl Target {
    fn of(path: &str) -> Self {
        let below = path.strip_prefix(ROOT).unwrap_or_default().trim_start_matches('/');
        let end = below.find(['/', ':', '%']).unwrap_or(below.len());
        let (id, rest) = below.split_at(end);
        let mut rest = rest.trim_end_matches('/').to_owned();
        if rest.starts_with("/:") {
            rest.remove(0);
        }
        for colon in ["%3A", "%3a"] {
            if let Some(verb) = rest.strip_prefix(colon) {
                rest = format!(":{verb}");
            }
        }
        Self { id: id.to_owned(), rest }
    }
}

/// A method of the API: which quota it uses and what Google calls it.
struct Method {
    kind: Kind,
    name: &'static str,
}

impl Method {
    fn of(method: &str, target: &Target) -> Self {
        let verb = target.rest.rsplit_once(':').map_or("", |(_, verb)| verb);
        let is_values = target.rest.starts_with("/values");
        let (kind, name) = match (method, verb) {
            ("POST", "getByDataFilter") => (Kind::Read, "GetSpreadsheetByDataFilter"),
            ("POST", "search") => (Kind::Read, "SearchDeveloperMetadata"),
            ("POST", "batchGetByDataFilter") => (Kind::Read, "BatchGetValuesByDataFilter"),
            ("GET", "batchGet") => (Kind::Read, "BatchGetValues"),
            ("GET", _) if is_values => (Kind::Read, "GetValues"),
            ("GET", _) => (Kind::Read, "GetSpreadsheet"),
            (_, "batchUpdate") if is_values => (Kind::Write, "BatchUpdateValues"),
            (_, "batchUpdate") => (Kind::Write, "BatchUpdateSpreadsheet"),
            (_, "batchClear") => (Kind::Write, "BatchClearValues"),
            (_, "batchUpdateByDataFilter") => (Kind::Write, "BatchUpdateValuesByDataFilter"),
            (_, "batchClearByDataFilter") => (Kind::Write, "BatchClearValuesByDataFilter"),
            (_, "append") => (Kind::Write, "AppendValues"),
            (_, "clear") => (Kind::Write, "ClearValues"),
            (_, "copyTo") => (Kind::Write, "CopySheetTo"),
            _ if is_values => (Kind::Write, "UpdateValues"),
            _ => (Kind::Write, "CreateSpreadsheet"),
        };
        Self { kind, name }
    }
}
