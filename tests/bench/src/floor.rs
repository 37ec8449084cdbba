//! The least that a full-read no-op can do: parse and digest the source, parse the answers with the client's own types.
//!
//! It asks nothing of anybody, keeps nothing and compares nothing.

use std::fs;
use std::path::Path;

use google_sheets4::api::BatchGetValuesResponse;

/// Does it, with the source and a directory of answers.
pub(crate) fn floor(source: &Path, answers: &Path) -> anyhow::Result<()> {
    let mut reader = csv::Reader::from_path(source)?;
    let mut record = csv::StringRecord::new();
    let mut digests = 0_u64;
    while reader.read_record(&mut record)? {
        let mut hasher = blake3::Hasher::new();
        for field in &record {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field.as_bytes());
        }
        digests ^= u64::from(hasher.finalize().as_bytes()[0]);
    }
    std::hint::black_box(digests);
    for answer in fs::read_dir(answers)? {
        let text = fs::read_to_string(answer?.path())?;
        let parsed: BatchGetValuesResponse = serde_json::from_str(&text)?;
        std::hint::black_box(parsed);
    }
    Ok(())
}
