//! Developer metadata: named notes of programs on a spreadsheet, a tab, a row or a column.

use serde_json::{Map, Value, json};

use crate::mask::Mask;
use crate::query::Query;
use crate::range::DimensionRange;
use crate::{ApiError, Call, Spreadsheet, schema};

type Reply = Result<Option<Value>, ApiError>;

impl Spreadsheet {
    /// The metadata whose location is meant.
    pub(crate) fn metadata_at(&self, meant: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.metadata.iter().filter(|metadata| meant(&metadata["location"])).cloned().collect()
    }

    /// Forgets what hung on a tab that is gone.
    pub(crate) fn forget_metadata_of(&mut self, sheet: i32) {
        self.metadata.retain(|metadata| {
            let location = &metadata["location"];
            let range = &location["dimensionRange"];
            location["sheetId"].as_i64() != Some(sheet.into())
                && !(range.is_object() && DimensionRange::read(range).sheet == sheet)
        });
    }
}

/// `GET /developerMetadata/{id}`.
pub fn get(book: &Spreadsheet, id: &str) -> Result<Value, ApiError> {
    let wanted = id.parse::<i64>().map_err(|_| ApiError::not_found())?;
    let found = book.metadata.iter().find(|metadata| metadata["metadataId"] == wanted);
    found.map(printed).ok_or_else(ApiError::not_found)
}

/// `POST /developerMetadata:search`.
pub fn search(book: &Spreadsheet, call: &Call<'_>) -> Result<Value, ApiError> {
    let query = Query::of(call.query, &[])?;
    let request = schema::read("SearchDeveloperMetadataRequest", call.body.unwrap_or(&json!({})), "")?;
    let filters = request["dataFilters"].as_array().cloned().unwrap_or_default();
    let mut matched = Vec::new();
    for metadata in &book.metadata {
        let hits: Vec<&Value> = filters.iter().filter(|filter| matches(filter, metadata)).collect();
        if !hits.is_empty() {
            matched.push(json!({"developerMetadata": printed(metadata), "dataFilters": hits}));
        }
    }
    let answer = if matched.is_empty() { json!({}) } else { json!({ "matchedDeveloperMetadata": matched }) };
    Ok(query.mask("any")?.select(answer))
}

/// createDeveloperMetadata, updateDeveloperMetadata, deleteDeveloperMetadata.
pub fn request(book: &mut Spreadsheet, kind: &str, body: &Value) -> Reply {
    match kind {
        "createDeveloperMetadata" => create(book, &body["developerMetadata"]),
        "updateDeveloperMetadata" => update(book, body),
        _ => {
            let (gone, kept): (Vec<Value>, Vec<Value>) = std::mem::take(&mut book.metadata)
                .into_iter()
                .partition(|one| matches(&body["dataFilter"], one));
            book.metadata = kept;
            Ok(Some(list("deletedDeveloperMetadata", &gone)))
        }
    }
}

fn create(book: &mut Spreadsheet, message: &Value) -> Reply {
    if message["metadataKey"].as_str().is_none_or(str::is_empty) {
        return Err(ApiError::invalid("developerMetadata.metadataKey must be specified."));
    }
    if message["visibility"].as_str().is_none() {
        return Err(ApiError::invalid("developerMetadata.visibility must be specified."));
    }
    let mut metadata = message.clone();
    check_location(book, &mut metadata["location"])?;
    let taken = |id: &Value| book.metadata.iter().any(|other| other["metadataId"] == *id);
    match metadata.get("metadataId") {
        Some(id) if taken(id) => {
            return Err(ApiError::invalid(format!("Developer metadata with id {id} already exists.")));
        }
        Some(_) => {}
        None => metadata["metadataId"] = Value::from(book.mint_id()),
    }
    let reply = printed(&metadata);
    book.metadata.push(metadata);
    Ok(Some(json!({ "developerMetadata": reply })))
}

/// Says what kind of place it is, and that the place exists.
fn check_location(book: &Spreadsheet, location: &mut Value) -> Result<(), ApiError> {
    let kind = if location["spreadsheet"] == true {
        "SPREADSHEET"
    } else if location["dimensionRange"].is_object() {
        let (_, range, span) = book.span_place(location.get("dimensionRange"))?;
        if span.end != span.start + 1 {
            return Err(ApiError::invalid(
                "Developer metadata can only be associated with a single row or column.",
            ));
        }
        match range.dimension {
            crate::range::Dimension::Rows => "ROW",
            crate::range::Dimension::Columns => "COLUMN",
        }
    } else if let Some(id) = location["sheetId"].as_i64() {
        book.grid_position(i32::try_from(id).unwrap_or(-1))?;
        "SHEET"
    } else {
        return Err(ApiError::invalid("developerMetadata.location must be specified."));
    };
    location["locationType"] = Value::from(kind);
    Ok(())
}

fn update(book: &mut Spreadsheet, body: &Value) -> Reply {
    let mask = Mask::parse(body["fields"].as_str().unwrap_or_default());
    let none = "At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)";
    let mask = mask.ok_or_else(|| ApiError::invalid(none))?;
    let filters = body["dataFilters"].as_array().cloned().unwrap_or_default();
    let given = body["developerMetadata"].as_object().cloned().unwrap_or_default();
    let mut updated = Vec::new();
    for at in 0..book.metadata.len() {
        if !filters.iter().any(|filter| matches(filter, &book.metadata[at])) {
            continue;
        }
        let mut fields: Map<String, Value> = book.metadata[at].as_object().cloned().unwrap_or_default();
        let id = fields.get("metadataId").cloned().unwrap_or_default();
        mask.copy(&mut fields, &given);
        fields.insert("metadataId".to_owned(), id);
        let mut metadata = Value::Object(fields);
        check_location(book, &mut metadata["location"])?;
        updated.push(printed(&metadata));
        book.metadata[at] = metadata;
    }
    Ok(Some(list("developerMetadata", &updated)))
}

fn list(name: &str, messages: &[Value]) -> Value {
    let messages: Vec<Value> = messages.iter().map(printed).collect();
    if messages.is_empty() {
        json!({})
    } else {
        Value::Object(Map::from_iter([(name.to_owned(), Value::Array(messages))]))
    }
}

fn printed(metadata: &Value) -> Value {
    schema::print("DeveloperMetadata", metadata.clone())
}

/// Whether a `DataFilter` message means this metadata: every field of its lookup has to agree.
fn matches(filter: &Value, metadata: &Value) -> bool {
    let Some(lookup) = filter["developerMetadataLookup"].as_object() else { return false };
    lookup.iter().all(|(name, wanted)| match name.as_str() {
        "locationType" => metadata["location"]["locationType"] == *wanted,
        "metadataLocation" => same_location(wanted, &metadata["location"]),
        "locationMatchingStrategy" => true,
        _ => metadata[name] == *wanted,
    })
}

fn same_location(wanted: &Value, location: &Value) -> bool {
    let range = &wanted["dimensionRange"];
    if range.is_object() {
        let there = &location["dimensionRange"];
        return there.is_object() && DimensionRange::read(range) == DimensionRange::read(there);
    }
    wanted.get("sheetId").is_none_or(|id| location.get("sheetId") == Some(id))
        && wanted.get("spreadsheet").is_none_or(|flag| location.get("spreadsheet") == Some(flag))
}
