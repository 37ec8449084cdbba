//! The spreadsheet as a plain page for a browser: a heading and a table for each tab.
//!
//! For looking at, not for parsing; large tabs are cut.

use std::fmt::Write;

use crate::Spreadsheet;
use crate::a1::column_name;
use crate::cell::Cell;
use crate::render;
use crate::sheet::Sheet;

/// Rows of a tab that are shown.
const SHOWN_ROWS: u32 = 500;

const STYLE: &str = "body{font:14px sans-serif;margin:1rem}table{border-collapse:collapse;margin-bottom:2rem}\
td,th{border:1px solid #ccc;padding:2px 6px;text-align:left;white-space:pre-wrap;vertical-align:top}\
thead th,tr.first td{position:sticky;background:#eee}thead th{top:0;font-weight:normal;color:#777}\
tr.first td{top:1.5rem;font-weight:bold}tbody th{font-weight:normal;color:#777}p{color:#777}";

/// The page.
pub fn page(book: &Spreadsheet) -> String {
    let title = escaped(book.title());
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n"
    );
    for (at, sheet) in book.sheets.iter().enumerate() {
        tab(&mut page, book, at, sheet);
    }
    page.push_str("</html>\n");
    page
}

fn tab(page: &mut String, book: &Spreadsheet, at: usize, sheet: &Sheet) {
    let hidden = if sheet.hidden() { " (hidden)" } else { "" };
    push(page, format_args!("<h2 id=\"{}\">{}{hidden}</h2>\n", sheet.id, escaped(&sheet.title)));
    let filled: Vec<(u32, &[Cell])> = sheet.cells.filled(0..sheet.rows).collect();
    let height = filled.last().map_or(0, |(row, _)| row + 1);
    if height == 0 {
        push(page, format_args!("<p>Empty: {} rows, {} columns.</p>\n", sheet.rows, sheet.columns));
        return;
    }
    let width = filled.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0) as u32;
    let letters: String = (0..width).map(|column| format!("<th>{}</th>", column_name(column))).collect();
    push(page, format_args!("<table>\n<thead><tr><th></th>{letters}</tr></thead>\n<tbody>\n"));
    for row in 0..height.min(SHOWN_ROWS) {
        let first = if row == 0 { " class=\"first\"" } else { "" };
        push(page, format_args!("<tr{first}><th>{}</th>", row + 1));
        for column in 0..width {
            push(page, format_args!("<td>{}</td>", content(book, at, sheet.cells.cell(row, column))));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
    if height > SHOWN_ROWS {
        push(page, format_args!("<p>The first {SHOWN_ROWS} of {height} rows.</p>\n"));
    }
}

fn content(book: &Spreadsheet, at: usize, cell: &Cell) -> String {
    let text = escaped(&render::formatted(cell, &book.computed(at, cell)));
    let format = cell.attribute("userEnteredFormat").and_then(|format| format.get("textFormat"));
    let struck = format.is_some_and(|format| format["strikethrough"] == true);
    if struck && !text.is_empty() { format!("<s>{text}</s>") } else { text }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("writing to a String cannot fail");
}
