//! Writes the body of a response into a file: decompressed, bounded, and only if it is whole and not a web page.

use std::io::{self, Write};
use std::path::Path;

use flate2::write::MultiGzDecoder;
use http::Response;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use shared::Failure;
use shared::cause::Cause;
use shared::sys::atomic_file::Draft;
use shared::sys::http::chain;

use crate::source::download::BodyFormat;
use crate::source::web::LOOKED_AT;
use crate::source::web::PageKind;
use crate::source::web::page;

/// Why a body was not taken.
pub enum Broken {
    /// It ended too soon or is damaged, which may pass.
    Cut(CutOff),
    /// It cannot be known whether it is whole.
    Unbounded(String),
    /// It is larger than allowed.
    TooLarge,
    /// It is a page.
    PageKind(PageKind),
    /// It cannot be written here.
    Local(Failure),
}

/// How a body ended too soon.
pub struct CutOff {
    /// What to report of the server.
    pub text: String,
    /// The error of the connection or of the decompression.
    pub cause: Cause,
}

/// What is written, counted, and its beginning remembered.
struct Counted<'a> {
    draft: &'a Draft,
    left: u64,
    start: Vec<u8>,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.ok_or(io::ErrorKind::FileTooLarge)?;
        let room = LOOKED_AT - self.start.len();
        self.start.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.draft.file().write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.draft.file().flush()
    }
}

/// The two ways in which bodies come.
enum Receiver<'a> {
    Plain(Counted<'a>),
    Gzip(Box<MultiGzDecoder<Counted<'a>>>),
}

impl<'a> Receiver<'a> {
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(bytes),
            Self::Gzip(decoder) => decoder.write_all(bytes),
        }
    }

    /// The end of a compressed body says whether it is whole.
    fn finish(self) -> io::Result<Counted<'a>> {
        match self {
            Self::Plain(file) => Ok(file),
            Self::Gzip(decoder) => decoder.finish(),
        }
    }
}

/// Receives a body of at most `max_size` bytes for a file at `path`.
///
/// # Errors
/// Why it was not taken.
pub async fn receive(
    response: Response<Incoming>,
    path: &Path,
    format: BodyFormat,
    max_size: u64,
) -> Result<Draft, Broken> {
    let headers = response.headers();
    let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("identity");
    let is_gzip = match encoding.to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => true,
        "identity" | "" => false,
        other => {
            return Err(Broken::Unbounded(format!(
                "answers compressed as {other:?}, which it was not asked for"
            )));
        }
    };
    let has_end = headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING) || is_gzip;
    let draft = Draft::new(path).map_err(Broken::Local)?;
    let file = Counted { draft: &draft, left: max_size, start: Vec::new() };
    let mut receiver =
        if is_gzip { Receiver::Gzip(Box::new(MultiGzDecoder::new(file))) } else { Receiver::Plain(file) };
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let text = format!("broke off: {}", chain(&error));
            Broken::Cut(CutOff { text, cause: Cause::new(error) })
        })?;
        if let Some(bytes) = frame.data_ref() {
            receiver.take(bytes).map_err(|error| broken(path, error))?;
        }
    }
    let counted = receiver.finish().map_err(|error| broken(path, error))?;
    let start = counted.start;
    if !has_end && !ends_itself(format, &start) {
        let why = "does not say how long its answer is, so one that was cut off could not be distinguished from a whole one";
        return Err(Broken::Unbounded(why.to_owned()));
    }
    match page(&start) {
        Some(page) => Err(Broken::PageKind(page)),
        None => Ok(draft),
    }
}

/// Whether a file that begins so cannot be cut off unnoticed.
fn ends_itself(format: BodyFormat, start: &[u8]) -> bool {
    match format {
        BodyFormat::Lines => false,
        BodyFormat::Document => true,
        BodyFormat::Either => start.trim_ascii_start().starts_with(b"["),
    }
}

fn broken(path: &Path, error: io::Error) -> Broken {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Broken::TooLarge,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            let text = format!("sent a damaged or cut answer: {error}");
            Broken::Cut(CutOff { text, cause: error.into() })
        }
        _ => Broken::Local(Failure::io("cannot write", path, error)),
    }
}
