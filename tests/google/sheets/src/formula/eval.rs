//! Computes a formula's tree over the cells of a spreadsheet.
//!
//! Computes anew at each read: nothing is remembered, so nothing can be stale.

use crate::cell::{Cell, Entered};
use crate::formula::parse::{Expression, parse};
use crate::formula::{Computed, Failure};
use crate::render;
use crate::{Spreadsheet, place};

/// How many formulas may hang on one another; a circle always exceeds it.
const LONGEST_CHAIN: usize = 48;

type Outcome = Result<Computed, Failure>;

/// Computes `source`, which begins with `=`.
pub fn compute(book: &Spreadsheet, sheet: usize, source: &str, depth: usize) -> Computed {
    let evaluator = Evaluator { book, sheet, depth };
    let tree = source.strip_prefix('=').and_then(parse);
    let outcome = tree.ok_or(Failure::Error).and_then(|tree| evaluator.value(&tree));
    match outcome {
        // A formula never yields nothing: a reference to a blank cell shows as zero.
        Ok(Computed::Empty) => Computed::Number(0.0),
        Ok(value) => value,
        Err(failure) => Computed::Error(failure),
    }
}

struct Evaluator<'a> {
    book: &'a Spreadsheet,
    sheet: usize,
    depth: usize,
}

impl Evaluator<'_> {
    fn value(&self, expression: &Expression) -> Outcome {
        match expression {
            Expression::Number(number) => Ok(Computed::Number(*number)),
            Expression::Text(text) => Ok(Computed::Text(text.clone())),
            Expression::Bool(flag) => Ok(Computed::Bool(*flag)),
            Expression::Reference(_) => {
                Ok(self.values(expression)?.into_iter().next().unwrap_or(Computed::Empty))
            }
            Expression::Lost => Err(Failure::Reference),
            Expression::Negated(inner) => Ok(Computed::Number(-self.number(inner)?)),
            Expression::Percent(inner) => Ok(Computed::Number(self.number(inner)? / 100.0)),
            Expression::Binary(operator, left, right) => self.binary(operator, left, right),
            Expression::Call(name, arguments) => self.call(name, arguments),
        }
    }

    fn number(&self, expression: &Expression) -> Result<f64, Failure> {
        as_number(&self.value(expression)?)
    }

    fn text(&self, expression: &Expression) -> Result<String, Failure> {
        as_text(&self.value(expression)?)
    }

    fn binary(&self, operator: &str, left: &Expression, right: &Expression) -> Outcome {
        if operator == "&" {
            return Ok(Computed::Text(self.text(left)? + &self.text(right)?));
        }
        if matches!(operator, "=" | "<>" | "<" | "<=" | ">" | ">=") {
            return self.compare(operator, left, right);
        }
        let (left, right) = (self.number(left)?, self.number(right)?);
        let result = match operator {
            "+" => left + right,
            "-" => left - right,
            "*" => left * right,
            "/" if right == 0.0 => return Err(Failure::DivideByZero),
            "/" => left / right,
            _ => left.powf(right),
        };
        if result.is_finite() { Ok(Computed::Number(result)) } else { Err(Failure::Number) }
    }

    fn compare(&self, operator: &str, left: &Expression, right: &Expression) -> Outcome {
        let (left, right) = (self.value(left)?, self.value(right)?);
        let order = match (&left, &right) {
            (Computed::Text(left), Computed::Text(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
            _ => as_number(&left)?.total_cmp(&as_number(&right)?),
        };
        Ok(Computed::Bool(match operator {
            "=" => order.is_eq(),
            "<>" => order.is_ne(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            _ => order.is_ge(),
        }))
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Outcome {
        match (name, arguments) {
            ("IF", [condition, then, rest @ ..]) => match (self.number(condition)? != 0.0, rest.first()) {
                (true, _) => self.value(then),
                (false, Some(otherwise)) => self.value(otherwise),
                (false, None) => Ok(Computed::Bool(false)),
            },
            ("HYPERLINK", [target]) => self.value(target),
            ("HYPERLINK", [_, label]) => self.value(label),
            ("ABS", [number]) => Ok(Computed::Number(self.number(number)?.abs())),
            ("ROUND", [number, places @ ..]) => {
                let places = places.first().map_or(Ok(0.0), |places| self.number(places))?;
                let scale = 10f64.powf(places);
                Ok(Computed::Number((self.number(number)? * scale).round() / scale))
            }
            ("LEN", [text]) => Ok(Computed::Number(self.text(text)?.chars().count() as f64)),
            ("UPPER", [text]) => Ok(Computed::Text(self.text(text)?.to_uppercase())),
            ("LOWER", [text]) => Ok(Computed::Text(self.text(text)?.to_lowercase())),
            _ => self.aggregate(name, arguments),
        }
    }

    fn aggregate(&self, name: &str, arguments: &[Expression]) -> Outcome {
        if !matches!(name, "SUM" | "AVERAGE" | "MIN" | "MAX" | "COUNT" | "COUNTA" | "CONCATENATE") {
            return Err(Failure::Name);
        }
        let mut values = Vec::new();
        for argument in arguments {
            values.extend(self.values(argument)?);
        }
        values.retain(|value| *value != Computed::Empty);
        if name == "CONCATENATE" {
            return Ok(Computed::Text(values.iter().map(as_text).collect::<Result<String, _>>()?));
        }
        if name == "COUNTA" {
            return Ok(Computed::Number(values.len() as f64));
        }
        let numbers: Vec<f64> = values.iter().filter_map(plain_number).collect();
        let count = numbers.len() as f64;
        match name {
            "COUNT" => Ok(Computed::Number(count)),
            "SUM" => Ok(Computed::Number(numbers.iter().sum())),
            "AVERAGE" if numbers.is_empty() => Err(Failure::DivideByZero),
            "AVERAGE" => Ok(Computed::Number(numbers.iter().sum::<f64>() / count)),
            "MIN" => Ok(Computed::Number(numbers.into_iter().reduce(f64::min).unwrap_or(0.0))),
            _ => Ok(Computed::Number(numbers.into_iter().reduce(f64::max).unwrap_or(0.0))),
        }
    }

    /// The values of a reference's cells that hold something, or the one value of anything else.
    fn values(&self, expression: &Expression) -> Result<Vec<Computed>, Failure> {
        let Expression::Reference(text) = expression else { return Ok(vec![self.value(expression)?]) };
        let mut place = self.book.locate(text).map_err(|_| Failure::Name)?;
        if !text.contains('!') && crate::a1::parse(text).is_some() {
            place.sheet = self.sheet;
        }
        let sheet = &self.book.sheets[place.sheet];
        let rect = place::fit(sheet, &place.bounds).map_err(|_| Failure::Reference)?;
        let mut values = Vec::new();
        for (_, cells) in sheet.cells.filled(rect.rows()) {
            let inside =
                cells.get(rect.left as usize..cells.len().min(rect.right as usize)).unwrap_or_default();
            for cell in inside.iter().filter(|cell| cell.has_value()) {
                values.push(self.cell(place.sheet, cell)?);
            }
        }
        Ok(values)
    }

    fn cell(&self, sheet: usize, cell: &Cell) -> Outcome {
        match &cell.value {
            Entered::Formula(_) if self.depth >= LONGEST_CHAIN => Err(Failure::Reference),
            // An error ends the whole formula at once: in a circle, looking at the other cells as well would double
            // the work at every step.
            Entered::Formula(source) => match compute(self.book, sheet, source, self.depth + 1) {
                Computed::Error(failure) => Err(failure),
                value => Ok(value),
            },
            _ => Ok(self.book.computed(sheet, cell)),
        }
    }
}

fn plain_number(value: &Computed) -> Option<f64> {
    if let Computed::Number(number) = value { Some(*number) } else { None }
}

fn as_number(value: &Computed) -> Result<f64, Failure> {
    match value {
        Computed::Empty => Ok(0.0),
        Computed::Number(number) => Ok(*number),
        Computed::Bool(flag) => Ok(f64::from(u8::from(*flag))),
        Computed::Text(text) => text.trim().parse().map_err(|_| Failure::Value),
        Computed::Error(failure) => Err(*failure),
    }
}

fn as_text(value: &Computed) -> Result<String, Failure> {
    match value {
        Computed::Error(failure) => Err(*failure),
        other => Ok(render::formatted(&Cell::default(), other)),
    }
}
