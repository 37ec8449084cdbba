//! Text of any encoding as a stream of UTF-8, bounded from one record to the next.
//!
//! Bytes that are no text of the encoding become a byte that is no UTF-8, or stay the bytes that they are, so that the
//! parser of the stream finds the record in which they are.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// The longest record, in bytes. A file without line breaks would otherwise fill the memory.
pub const RECORD_LIMIT: u64 = 8 * 1024 * 1024;

/// The mark at the start of a text in UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Never a part of UTF-8.
const NO_TEXT: u8 = 0xff;

/// The encoding that the mark at the start of a text names.
pub fn marked(start: &[u8]) -> Option<&'static Encoding> {
    Encoding::for_bom(start).map(|(encoding, _)| encoding)
}

/// The text as UTF-8, without the mark at its start.
///
/// # Errors
/// When its start cannot be read.
pub fn utf8(mut text: impl Read + 'static, encoding: &'static Encoding) -> io::Result<Box<dyn Read>> {
    if encoding == encoding_rs::UTF_8 {
        let mut start = Vec::new();
        text.by_ref().take(MARK.len() as u64).read_to_end(&mut start)?;
        if start == MARK {
            start.clear();
        }
        return Ok(Box::new(io::Cursor::new(start).chain(text)));
    }
    Ok(Box::new(Decoding {
        inner: text,
        decoder: encoding.new_decoder_with_bom_removal(),
        decoded: Vec::new(),
        at: 0,
        is_done: false,
    }))
}

struct Decoding<R> {
    inner: R,
    decoder: Decoder,
    decoded: Vec<u8>,
    at: usize,
    is_done: bool,
}

impl<R: Read> Decoding<R> {
    fn decode_more(&mut self) -> io::Result<()> {
        let mut raw = [0; 16 * 1024];
        let length = self.inner.read(&mut raw)?;
        let mut raw = &raw[..length];
        self.is_done = length == 0;
        self.decoded.clear();
        self.at = 0;
        loop {
            let mut piece = [0; 16 * 1024];
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(raw, &mut piece, self.is_done);
            self.decoded.extend_from_slice(&piece[..written]);
            raw = &raw[read..];
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.decoded.push(NO_TEXT),
            }
        }
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.decoded.len() && !self.is_done {
            self.decode_more()?;
        }
        let length = (&self.decoded[self.at..]).read(buffer)?;
        self.at += length;
        Ok(length)
    }
}

/// How much may still be read before the record being read ends. Shared with the parser, which knows where records begin.
pub type Allowance = Rc<Cell<u64>>;

/// Stops a record that is too long while it is being read, and remembers what was read last.
pub struct Bounded {
    inner: Box<dyn Read>,
    allowance: Allowance,
    last: Vec<u8>,
    end: u64,
}

impl Bounded {
    /// Bounds a text.
    pub fn new(inner: Box<dyn Read>, allowance: Allowance) -> Self {
        Self { inner, allowance, last: Vec::new(), end: 0 }
    }

    /// Whether the byte before this offset is a line break. It is among those read last.
    pub fn is_line_break_before(&self, offset: u64) -> bool {
        let back = usize::try_from(self.end - offset).unwrap_or(usize::MAX);
        let at = self.last.len().checked_sub(back + 1);
        at.is_some_and(|at| self.last[at] == b'\n')
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        // The last byte of what came before stays: a record may end exactly there.
        self.last.drain(..self.last.len().saturating_sub(1));
        self.last.extend_from_slice(&buffer[..length]);
        self.end += length as u64;
        let left = self.allowance.get().checked_sub(length as u64);
        self.allowance.set(left.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, TooLong))?);
        Ok(length)
    }
}

/// A record is too long.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

impl TooLong {
    /// Whether that is what stopped the reading.
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a record is longer than {} MiB", RECORD_LIMIT / 1024 / 1024)
    }
}

impl std::error::Error for TooLong {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: &[u8], encoding: &'static Encoding) -> Vec<u8> {
        let mut text = Vec::new();
        utf8(io::Cursor::new(bytes.to_vec()), encoding).unwrap().read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn what_is_no_text_is_marked_where_it_stands() {
        assert_eq!(decoded(b"M\xf6we", encoding_rs::WINDOWS_1252), "Möwe".as_bytes());
        assert_eq!(decoded(b"M\xf6we", encoding_rs::UTF_8), b"M\xf6we");
        assert_eq!(decoded(b"a\0\x00\xd8b\0", encoding_rs::UTF_16LE), b"a\xffb");
        assert_eq!(decoded(b"\xef\xbb\xbfa", encoding_rs::UTF_8), b"a");
        assert_eq!(decoded(b"a\xef\xbb\xbf", encoding_rs::UTF_8), b"a\xef\xbb\xbf");
        assert_eq!(decoded(b"\xef\xbb", encoding_rs::UTF_8), b"\xef\xbb");
    }

    proptest! {
        #[test]
        fn any_text_survives_utf_16_whatever_the_size_of_the_pieces(text in "\\PC{0,20000}") {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            prop_assert_eq!(decoded(&bytes, encoding_rs::UTF_16BE), text.into_bytes());
        }
    }
}
