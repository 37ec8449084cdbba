//! One cell as it is stored: what was entered, and what else hangs on it.
//!
//! Kept small, for a tab may hold millions: 32 bytes, the rarer parts shared behind a pointer. Computes and renders
//! nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::schema;

/// The writable fields of `CellData` other than the value: format, note, validation and so on.
pub type Attributes = Map<String, Value>;

/// What was entered into a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Entered {
    /// Nothing.
    #[default]
    Empty,
    /// A number; dates are numbers with a date format.
    Number(f64),
    /// TRUE or FALSE.
    Bool(bool),
    /// Text.
    Text(Arc<str>),
    /// A formula with its `=`.
    Formula(Arc<str>),
}

impl Entered {
    /// Text, or nothing when it is empty.
    pub fn text(text: &str) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(text.into()) }
    }

    /// The `ExtendedValue` that says it, if there is something to say.
    pub fn extended(&self) -> Option<Value> {
        let (name, value) = match self {
            Self::Empty => return None,
            Self::Number(number) => ("numberValue", schema::number(*number)),
            Self::Bool(flag) => ("boolValue", Value::Bool(*flag)),
            Self::Text(text) => ("stringValue", Value::from(&**text)),
            Self::Formula(formula) => ("formulaValue", Value::from(&**formula)),
        };
        Some(Value::Object(Map::from_iter([(name.to_owned(), value)])))
    }
}

/// A cell. The default one is blank.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct Cell {
    /// What was entered.
    pub value: Entered,
    attributes: Option<Arc<Attributes>>,
}

const _: () = assert!(size_of::<Cell>() == 32, "millions of cells have to fit");

/// What every cell outside the stored ones looks like.
pub static BLANK: Cell = Cell { value: Entered::Empty, attributes: None };

impl Cell {
    /// Whether nothing at all is stored in it.
    pub fn is_blank(&self) -> bool {
        self.value == Entered::Empty && self.attributes.is_none()
    }

    /// Whether something was entered.
    pub fn has_value(&self) -> bool {
        self.value != Entered::Empty
    }

    /// One attribute, such as `note`.
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.as_ref()?.get(name)
    }

    /// All attributes.
    pub fn attributes(&self) -> Option<&Arc<Attributes>> {
        self.attributes.as_ref()
    }

    /// Replaces the attributes by some that `tidy` made.
    pub fn set_attributes(&mut self, attributes: Option<Arc<Attributes>>) {
        self.attributes = attributes;
    }

    /// Changes a copy of the attributes, which other cells may share.
    pub fn edit_attributes(&mut self, edit: impl FnOnce(&mut Attributes)) {
        let mut attributes = self.attributes.as_deref().cloned().unwrap_or_default();
        edit(&mut attributes);
        self.attributes = tidy(attributes);
    }

    /// `userEnteredFormat.numberFormat`.
    pub fn number_format(&self) -> Option<&Value> {
        self.attribute("userEnteredFormat")?.get("numberFormat")
    }
}

/// Attributes as cells keep them: in Google's order, without those that say nothing, and none at all if none is left.
pub fn tidy(attributes: Attributes) -> Option<Arc<Attributes>> {
    let Value::Object(mut attributes) = schema::print("CellData", Value::Object(attributes)) else {
        return None;
    };
    attributes.retain(|_, value| value.as_object().is_none_or(|fields| !fields.is_empty()));
    (!attributes.is_empty()).then(|| Arc::new(attributes))
}

/// How a cell is in a saved state: most are a bare JSON value.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Saved {
    Blank(()),
    Bool(bool),
    Number(f64),
    Text(String),
    Full {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        formula: Option<String>,
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        attributes: Attributes,
    },
}

impl From<Cell> for Saved {
    fn from(cell: Cell) -> Self {
        let attributes = cell.attributes.as_deref().cloned().unwrap_or_default();
        let plain = attributes.is_empty();
        match cell.value {
            Entered::Empty if plain => Self::Blank(()),
            Entered::Number(number) if plain => Self::Number(number),
            Entered::Bool(flag) if plain => Self::Bool(flag),
            Entered::Text(text) if plain => Self::Text(text.to_string()),
            Entered::Empty => Self::Full { value: None, formula: None, attributes },
            Entered::Number(number) => {
                Self::Full { value: Some(Value::from(number)), formula: None, attributes }
            }
            Entered::Bool(flag) => Self::Full { value: Some(Value::Bool(flag)), formula: None, attributes },
            Entered::Text(text) => Self::Full { value: Some(Value::from(&*text)), formula: None, attributes },
            Entered::Formula(formula) => {
                Self::Full { value: None, formula: Some(formula.to_string()), attributes }
            }
        }
    }
}

impl From<Saved> for Cell {
    fn from(saved: Saved) -> Self {
        let (value, attributes) = match saved {
            Saved::Blank(()) => (Entered::Empty, Attributes::new()),
            Saved::Bool(flag) => (Entered::Bool(flag), Attributes::new()),
            Saved::Number(number) => (Entered::Number(number), Attributes::new()),
            Saved::Text(text) => (Entered::Text(text.into()), Attributes::new()),
            Saved::Full { formula: Some(formula), attributes, .. } => {
                (Entered::Formula(formula.into()), attributes)
            }
            Saved::Full { value, attributes, .. } => (saved_value(value.as_ref()), attributes),
        };
        Self { value, attributes: (!attributes.is_empty()).then(|| Arc::new(attributes)) }
    }
}

fn saved_value(value: Option<&Value>) -> Entered {
    match value {
        Some(Value::Bool(flag)) => Entered::Bool(*flag),
        Some(Value::Number(number)) => Entered::Number(number.as_f64().unwrap_or_default()),
        Some(Value::String(text)) => Entered::Text(text.as_str().into()),
        _ => Entered::Empty,
    }
}
