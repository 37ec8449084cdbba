//! One tab: its properties, its grid and what lies on it.
//!
//! Holds and prints them; requests that change them are in `batch`.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cell::Cell;
use crate::range::{Dimension, DimensionRange, Rect};
use crate::rows::Rows;
use crate::schema;

/// One tab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sheet {
    /// Its id, which never changes.
    pub id: i32,
    /// The text on the tab.
    pub title: String,
    /// Rows of the grid.
    pub rows: u32,
    /// Columns of the grid.
    pub columns: u32,
    /// What else `SheetProperties` holds; the fields above are not in it.
    pub properties: Map<String, Value>,
    /// The cells.
    pub cells: Rows,
    /// Merged rectangles, oldest first.
    pub merges: Vec<Rect>,
    /// `ProtectedRange` messages.
    pub protected: Vec<Value>,
    /// The `BasicFilter` message.
    pub basic_filter: Option<Value>,
    /// `FilterView` messages.
    pub filter_views: Vec<Value>,
    /// `DimensionProperties` of the rows that have any.
    pub row_properties: BTreeMap<u32, Map<String, Value>>,
    /// `DimensionProperties` of the columns that have any.
    pub column_properties: BTreeMap<u32, Map<String, Value>>,
    /// Groups of rows and columns.
    pub groups: Vec<Group>,
}

/// A group of rows or columns that can be folded away.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Rows or columns.
    pub dimension: Dimension,
    /// Which of them.
    pub span: Range<u32>,
    /// Whether it is folded.
    pub collapsed: bool,
}

impl Sheet {
    /// An empty tab.
    pub fn new(id: i32, title: &str, rows: u32, columns: u32) -> Self {
        Self {
            id,
            title: title.to_owned(),
            rows,
            columns,
            properties: Map::from_iter([("sheetType".to_owned(), Value::from("GRID"))]),
            cells: Rows::default(),
            merges: Vec::new(),
            protected: Vec::new(),
            basic_filter: None,
            filter_views: Vec::new(),
            row_properties: BTreeMap::new(),
            column_properties: BTreeMap::new(),
            groups: Vec::new(),
        }
    }

    /// The whole grid.
    pub fn grid(&self) -> Rect {
        Rect::new(0..self.rows, 0..self.columns)
    }

    /// How many cells the grid has.
    pub fn size(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.columns)
    }

    /// How many rows or columns the grid has.
    pub fn extent(&self, dimension: Dimension) -> u32 {
        match dimension {
            Dimension::Rows => self.rows,
            Dimension::Columns => self.columns,
        }
    }

    /// Whether the tab is hidden.
    pub fn hidden(&self) -> bool {
        self.properties.get("hidden") == Some(&Value::Bool(true))
    }

    /// How many rows or columns are frozen.
    pub fn frozen(&self, dimension: Dimension) -> u32 {
        let name = match dimension {
            Dimension::Rows => "frozenRowCount",
            Dimension::Columns => "frozenColumnCount",
        };
        let grid = self.properties.get("gridProperties");
        grid.and_then(|grid| grid.get(name)?.as_u64())
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(0)
    }

    /// The `SheetProperties` message, complete.
    pub fn properties_message(&self, index: usize) -> Value {
        let mut message = self.properties.clone();
        message.insert("sheetId".to_owned(), Value::from(self.id));
        message.insert("title".to_owned(), Value::from(self.title.as_str()));
        message.insert("index".to_owned(), Value::from(index));
        let grid = message.entry("gridProperties").or_insert_with(|| json!({}));
        grid["rowCount"] = Value::from(self.rows);
        grid["columnCount"] = Value::from(self.columns);
        schema::print("SheetProperties", Value::Object(message))
    }

    /// The properties of the rows or columns that have any.
    pub fn dimension_properties(&self, dimension: Dimension) -> &BTreeMap<u32, Map<String, Value>> {
        match dimension {
            Dimension::Rows => &self.row_properties,
            Dimension::Columns => &self.column_properties,
        }
    }

    /// The same, to change them.
    pub fn dimension_properties_mut(
        &mut self,
        dimension: Dimension,
    ) -> &mut BTreeMap<u32, Map<String, Value>> {
        match dimension {
            Dimension::Rows => &mut self.row_properties,
            Dimension::Columns => &mut self.column_properties,
        }
    }

    /// The groups of a dimension as messages; a group inside another is one deeper.
    pub fn group_messages(&self, dimension: Dimension) -> Vec<Value> {
        let groups: Vec<&Group> = self.groups.iter().filter(|group| group.dimension == dimension).collect();
        let message = |group: &&Group| {
            let around =
                |other: &&&Group| other.span.start <= group.span.start && group.span.end <= other.span.end;
            let depth = groups.iter().filter(around).count();
            let range = DimensionRange::message(self.id, dimension, &group.span);
            let message = json!({"range": range, "depth": depth, "collapsed": group.collapsed});
            schema::print("DimensionGroup", message)
        };
        groups.iter().map(message).collect()
    }

    /// The last row with a value anywhere in these columns.
    pub fn last_row_with_data(&self) -> Option<u32> {
        let mut filled = self.cells.filled(0..self.rows);
        filled.rfind(|(_, cells)| cells.iter().any(Cell::has_value)).map(|(index, _)| index)
    }

    /// Changes every cell of a rectangle.
    pub fn edit_cells(&mut self, rect: &Rect, mut change: impl FnMut(&mut Cell)) {
        for row in rect.rows() {
            self.cells.edit(row, |cells| {
                for column in rect.columns() {
                    change(crate::rows::cell_mut(cells, column));
                }
            });
        }
    }

    /// Takes the values out of a rectangle, in the rows that hold any, and leaves formats and notes.
    pub fn clear_values(&mut self, rect: &Rect) {
        let filled: Vec<u32> = self.cells.filled(rect.rows()).map(|(row, _)| row).collect();
        for row in filled {
            self.cells.edit(row, |cells| {
                let columns = rect.left as usize..cells.len().min(rect.right as usize);
                for cell in cells.get_mut(columns).unwrap_or_default() {
                    cell.value = crate::cell::Entered::Empty;
                }
            });
        }
    }
}
