//! Reads a formula into a tree.
//!
//! Operators bind as in Google Sheets: `%`, sign, `^`, `* /`, `+ -`, `&`, comparisons.

/// A formula, read.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// Text in quotes.
    Text(String),
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// A cell, range or name, with its title if one was given.
    Reference(String),
    /// `#REF!`: a reference to what is no longer there.
    Lost,
    /// `-x`.
    Negated(Box<Expression>),
    /// `x%`.
    Percent(Box<Expression>),
    /// Two operands and what is between them.
    Binary(&'static str, Box<Expression>, Box<Expression>),
    /// A function and its arguments.
    Call(String, Vec<Expression>),
}

/// Operators, loosest first; the longer of two that begin alike is before the shorter.
const LEVELS: [&[&str]; 5] = [&["<>", "<=", ">=", "=", "<", ">"], &["&"], &["+", "-"], &["*", "/"], &["^"]];

/// How deep a formula may nest; beyond it, it counts as unreadable.
const DEEPEST: usize = 64;

/// Reads what is behind the `=`.
pub fn parse(text: &str) -> Option<Expression> {
    let mut reader = Reader { rest: text, depth: 0 };
    let expression = reader.binary(0)?;
    reader.rest.trim().is_empty().then_some(expression)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn binary(&mut self, level: usize) -> Option<Expression> {
        let Some(operators) = LEVELS.get(level) else { return self.percent() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.take(operator)) {
            let right = self.binary(level + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Some(left)
    }

    fn percent(&mut self) -> Option<Expression> {
        let mut inner = self.signed()?;
        while self.take("%") {
            inner = Expression::Percent(Box::new(inner));
        }
        Some(inner)
    }

    fn signed(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let signed = if self.take("-") {
            Some(Expression::Negated(Box::new(self.signed()?)))
        } else if self.take("+") {
            self.signed()
        } else {
            self.operand()
        };
        self.depth -= 1;
        signed
    }

    fn operand(&mut self) -> Option<Expression> {
        if self.take("(") {
            let inner = self.binary(0)?;
            return self.take(")").then_some(inner);
        }
        if self.take("#REF!") {
            return Some(Expression::Lost);
        }
        self.rest = self.rest.trim_start();
        match self.rest.chars().next()? {
            '"' => self.text(),
            first if first.is_ascii_digit() || first == '.' => self.number(),
            _ => self.word(),
        }
    }

    fn text(&mut self) -> Option<Expression> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1).peekable();
        while let Some((index, character)) = characters.next() {
            if character != '"' {
                text.push(character);
            } else if characters.next_if(|(_, next)| *next == '"').is_some() {
                text.push('"');
            } else {
                self.rest = &self.rest[index + 1..];
                return Some(Expression::Text(text));
            }
        }
        None
    }

    fn number(&mut self) -> Option<Expression> {
        let end = self.rest.find(|character: char| !character.is_ascii_digit() && character != '.');
        let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if rest.starts_with(':') {
            return self.word();
        }
        self.rest = rest;
        digits.parse().ok().map(Expression::Number)
    }

    fn word(&mut self) -> Option<Expression> {
        let end = reference_end(self.rest);
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() {
            return None;
        }
        self.rest = rest;
        if self.take("(") {
            return Some(Expression::Call(word.to_ascii_uppercase(), self.arguments()?));
        }
        match word.to_ascii_uppercase().as_str() {
            "TRUE" => Some(Expression::Bool(true)),
            "FALSE" => Some(Expression::Bool(false)),
            _ => Some(Expression::Reference(word.to_owned())),
        }
    }

    fn arguments(&mut self) -> Option<Vec<Expression>> {
        let mut arguments = Vec::new();
        if self.take(")") {
            return Some(arguments);
        }
        loop {
            arguments.push(self.binary(0)?);
            if self.take(")") {
                return Some(arguments);
            }
            if !self.take(",") && !self.take(";") {
                return None;
            }
        }
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(token);
        if let Some(rest) = rest {
            self.rest = rest;
        }
        rest.is_some()
    }
}

/// Where a reference or name that begins the text ends: a quoted title may hold anything.
pub fn reference_end(text: &str) -> usize {
    let mut quoted = false;
    let part =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '$' | '!' | ':');
    for (index, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            other if !quoted && !part(other) => return index,
            _ => {}
        }
    }
    text.len()
}
