//! Shows replies: tables for people, JSON for programs.

use serde_json::Value;

/// The columns of a listing.
pub struct Table(pub &'static [&'static str]);

impl Table {
    /// Draws rows of objects; a field that is missing is a dash.
    #[must_use]
    pub fn draw(&self, rows: &[Value]) -> String {
        let header: Vec<String> = self.0.iter().map(|name| name.replace('_', " ")).collect();
        let cells = |row: &Value| -> Vec<String> {
            self.0.iter().map(|name| cell(row.get(name).unwrap_or(&Value::Null))).collect()
        };
        let lines: Vec<Vec<String>> =
            std::iter::once(header).chain(rows.iter().map(cells)).collect();
        let width = |column: usize| {
            let lengths = lines.iter().filter_map(|line| line.get(column));
            lengths.map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.0.len()).map(width).collect();
        let mut text = String::new();
        for line in &lines {
            let padded: Vec<String> = line
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}", width = *width))
                .collect();
            text.push_str(padded.join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// A value as a person reads it.
#[must_use]
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(cell).collect();
            if items.is_empty() { "-".to_owned() } else { items.join(",") }
        }
        Value::Object(fields) => {
            let shown = |(name, value): (&String, &Value)| format!("{name}={}", cell(value));
            fields.iter().map(shown).collect::<Vec<_>>().join(" ")
        }
    }
}

/// An object, one field a line.
#[must_use]
pub fn fields(value: &Value) -> String {
    let Some(object) = value.as_object() else { return format!("{}\n", cell(value)) };
    let width = object.keys().map(String::len).max().unwrap_or(0);
    object
        .iter()
        .map(|(name, value)| format!("{:width$}  {}\n", name.replace('_', " "), cell(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_lines_its_columns_up_and_shows_what_is_missing_as_a_dash() {
        let rows = [json!({ "call": "1", "verdict": "recorded" }), json!({ "call": "22" })];
        let table = Table(&["call", "verdict"]).draw(&rows);
        assert_eq!(table, "call  verdict\n1     recorded\n22    -\n");
    }
}
