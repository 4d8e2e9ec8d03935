//! The forms in which a command's answer is printed: for people, or for programs in those that
//! OpenStack's own client has. Columns are chosen here, for all of them.

use std::{borrow::Cow, io};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{RefusedRequest, line_printer::LinePrinter, table};

/// How the outcome is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PrintFormat {
    /// For people.
    Table,
    /// A JSON document.
    Json,
    /// The same as YAML.
    Yaml,
    /// Comma-separated, under a line with the names.
    Csv,
    /// The values alone.
    Value,
}

/// Which form, and which part of it.
#[derive(Args, Debug, Clone)]
pub(super) struct FormatArgs {
    /// table: for people; json, yaml: one document; csv: a line with the names, then the values; value: the values
    /// alone. But for table, standard output has nothing else, and standard error the rest
    #[arg(short = 'f', long = "format", visible_alias = "output", value_enum, default_value_t = PrintFormat::Table)]
    format: PrintFormat,
    /// This column alone, by its heading or by its name in the JSON document; may be repeated
    #[arg(short = 'c', long = "column", value_name = "COLUMN")]
    columns: Vec<String>,
}

/// A column of a list.
pub(super) struct ListColumn<T> {
    /// Over it, for people: `HEAT SAYS`.
    pub(super) head: Cow<'static, str>,
    /// What the JSON document has of it: `stack_status`.
    pub(super) field: &'static str,
    /// Whether it is shown with `--long` alone, or where it is asked for.
    pub(super) is_long: bool,
    /// What stands in it, for people.
    pub(super) text: fn(&T) -> String,
}

impl<T> ListColumn<T> {
    /// One that is always shown.
    pub(super) const fn new(
        head: &'static str,
        field: &'static str,
        text: fn(&T) -> String,
    ) -> Self {
        Self {
            head: Cow::Borrowed(head),
            field,
            is_long: false,
            text,
        }
    }

    /// One that is shown with `--long`.
    pub(super) const fn long(
        head: &'static str,
        field: &'static str,
        text: fn(&T) -> String,
    ) -> Self {
        Self {
            head: Cow::Borrowed(head),
            field,
            is_long: true,
            text,
        }
    }
}

/// Rows in columns, for people.
pub(super) fn print_columns<T>(
    out: &mut LinePrinter<'_>,
    columns: &[&ListColumn<T>],
    rows: &[T],
) -> io::Result<()> {
    let heads: Vec<&str> = columns.iter().map(|column| &*column.head).collect();
    let row = |row: &T| columns.iter().map(|column| (column.text)(row)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
    table::print_table(out, &heads, &rows)
}

impl FormatArgs {
    /// Whether programs read it.
    pub(super) fn is_document(&self) -> bool {
        self.format != PrintFormat::Table
    }

    /// Whether a table is to be as wide as the command thinks best.
    pub(super) fn is_plain_table(&self) -> bool {
        !self.is_document() && self.columns.is_empty()
    }

    /// Whether each part of the document is to be there.
    pub(super) fn is_whole_document(&self) -> bool {
        matches!(self.format, PrintFormat::Json | PrintFormat::Yaml) && self.columns.is_empty()
    }

    /// Where a document is to come, lines go elsewhere from now on.
    pub(super) fn prepare(&self, out: &mut LinePrinter<'_>) {
        if self.is_document() {
            out.keep_for_document();
        }
    }

    /// Refuses columns that the answer will not have, before anything is done for it.
    ///
    /// # Errors
    /// There is no such field.
    pub(super) fn check_fields(&self, fields: &[&str]) -> Result<()> {
        let is_there = |asked: &&String| fields.contains(&normalize(asked).as_str());
        let wrong = self.columns.iter().find(|asked| !is_there(asked));
        wrong.map_or(Ok(()), |asked| {
            Err(no_column(asked, fields.iter().copied()))
        })
    }

    /// One document, of whose fields some may have been asked for.
    ///
    /// # Errors
    /// It has no such field, or cannot be written.
    pub(super) fn print_record(
        &self,
        out: &mut LinePrinter<'_>,
        document: &impl Serialize,
    ) -> Result<()> {
        let document = serde_json::to_value(document)?;
        let document = self.choose_fields(document)?;
        let fields = || document.as_object().into_iter().flatten();
        match self.format {
            PrintFormat::Json => out.print_json(&document),
            PrintFormat::Yaml => out.print_yaml(&document),
            PrintFormat::Csv => {
                let names: Vec<String> = fields().map(|(name, _)| name.clone()).collect();
                let values: Vec<String> = fields().map(|(_, value)| plain_text(value)).collect();
                out.print_text(&csv_line(&names))?;
                out.print_text(&csv_line(&values))
            }
            PrintFormat::Value => {
                for (_, value) in fields() {
                    out.print_text(&plain_text(value))?;
                }
                Ok(())
            }
            PrintFormat::Table => {
                let width = fields().map(|(name, _)| name.len()).max().unwrap_or(0);
                for (name, value) in fields() {
                    writeln!(out, "{name:<width$}  {}", plain_text(value))?;
                }
                Ok(())
            }
        }
    }

    /// Rows, each with the document that says the same and more.
    ///
    /// # Errors
    /// There is no such column, or it cannot be written.
    pub(super) fn print_list<T>(
        &self,
        out: &mut LinePrinter<'_>,
        columns: &[ListColumn<T>],
        is_long: bool,
        rows: &[T],
        document: impl Fn(&T) -> Result<Value, serde_json::Error>,
    ) -> Result<()> {
        let chosen = self.choose_columns(columns, is_long)?;
        let is_whole = self.columns.is_empty();
        match self.format {
            PrintFormat::Json | PrintFormat::Yaml => {
                let mut documents = Vec::new();
                for row in rows {
                    let whole = document(row)?;
                    let fields = chosen.iter().map(|column| column.field);
                    documents.push(if is_whole {
                        whole
                    } else {
                        pick(&whole, fields)
                    });
                }
                if self.format == PrintFormat::Json {
                    return out.print_json(&documents);
                }
                out.print_yaml(&Value::Array(documents))
            }
            PrintFormat::Csv | PrintFormat::Value => {
                let is_csv = self.format == PrintFormat::Csv;
                if is_csv {
                    let names: Vec<_> = chosen
                        .iter()
                        .map(|column| column.field.to_owned())
                        .collect();
                    out.print_text(&csv_line(&names))?;
                }
                for row in rows {
                    let whole = document(row)?;
                    let values: Vec<String> = chosen
                        .iter()
                        .map(|column| plain_text(whole.get(column.field).unwrap_or(&Value::Null)))
                        .collect();
                    out.print_text(&if is_csv {
                        csv_line(&values)
                    } else {
                        values.join(" ")
                    })?;
                }
                Ok(())
            }
            PrintFormat::Table => Ok(print_columns(out, &chosen, rows)?),
        }
    }

    /// The columns that are shown: those asked for in their order, else the usual ones.
    fn choose_columns<'a, T>(
        &self,
        columns: &'a [ListColumn<T>],
        is_long: bool,
    ) -> Result<Vec<&'a ListColumn<T>>> {
        if self.columns.is_empty() {
            let shown = |column: &&ListColumn<T>| is_long || !column.is_long;
            return Ok(columns.iter().filter(shown).collect());
        }
        let find = |asked: &String| {
            let wanted = normalize(asked);
            let is_it = |column: &&ListColumn<T>| {
                normalize(&column.head) == wanted || column.field == wanted
            };
            let found = columns.iter().find(is_it);
            found.ok_or_else(|| no_column(asked, columns.iter().map(|column| column.field)))
        };
        self.columns.iter().map(find).collect()
    }

    fn choose_fields(&self, document: Value) -> Result<Value> {
        if self.columns.is_empty() {
            return Ok(document);
        }
        let known = || document.as_object().into_iter().flatten();
        let mut names = Vec::new();
        for asked in &self.columns {
            let wanted = normalize(asked);
            let found = known().find(|(name, _)| **name == wanted);
            let (name, _) =
                found.ok_or_else(|| no_column(asked, known().map(|(name, _)| name.as_str())))?;
            names.push(name.as_str());
        }
        Ok(pick(&document, names.into_iter()))
    }
}

/// `Heat says` and `heat-says` are one name.
fn normalize(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

fn no_column<'a>(asked: &str, there: impl Iterator<Item = &'a str>) -> anyhow::Error {
    let there: Vec<&str> = there.collect();
    let message = format!("there is no column `{asked}`");
    RefusedRequest::of(
        "--column",
        message,
        format!("there are {}", there.join(", ")),
    )
}

fn pick<'a>(document: &Value, fields: impl Iterator<Item = &'a str>) -> Value {
    let value = |field: &str| document.get(field).cloned().unwrap_or(Value::Null);
    let chosen: Map<String, Value> = fields
        .map(|field| (field.to_owned(), value(field)))
        .collect();
    Value::Object(chosen)
}

/// A value without quotes; what has parts is JSON, nothing is empty.
fn plain_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.iter().all(Value::is_string) => {
            let texts: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            texts.join(",")
        }
        other => other.to_string(),
    }
}

/// Fields as RFC 4180 has them; numbers without quotes, as OpenStack's client prints them.
fn csv_line(fields: &[String]) -> String {
    let field = |text: &String| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            text.clone()
        } else {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
    };
    fields.iter().map(field).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: [ListColumn<Value>; 3] = [
        ListColumn::new("NAME", "name", |row| plain_text(&row["name"])),
        ListColumn::new("HEAT SAYS", "stack_status", |_| "-".to_owned()),
        ListColumn::long("ID", "id", |row| plain_text(&row["id"])),
    ];

    fn list(format: PrintFormat, columns: &[&str], is_long: bool) -> Result<String> {
        let rows = [
            json!({ "name": "a", "id": 7, "stack_status": null, "more": {} }),
            json!({ "name": "b\n\u{1b}\"c\"", "id": 8, "stack_status": ["x", "y"] }),
        ];
        let args = FormatArgs {
            format,
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
        };
        let mut out = Vec::new();
        let mut printer = LinePrinter::new(&mut out);
        args.print_list(
            &mut printer,
            &COLUMNS,
            is_long,
            &rows,
            |row| Ok(row.clone()),
        )?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_list_has_the_columns_that_were_asked_for_in_each_form() {
        assert_eq!(
            list(PrintFormat::Table, &["id", "Heat Says"], false).unwrap(),
            "ID  HEAT SAYS\n7   -\n8   -\n"
        );
        assert_eq!(
            list(PrintFormat::Csv, &[], true).unwrap(),
            "\"name\",\"stack_status\",\"id\"\n\"a\",\"\",7\n\"b\\n\\u{1b}\"\"c\"\"\",\"x,y\",8\n"
        );
        assert_eq!(
            list(PrintFormat::Value, &["id", "name"], false).unwrap(),
            "7 a\n8 b\\n\\u{1b}\"c\"\n"
        );
        assert_eq!(
            list(PrintFormat::Json, &["heat-says"], false).unwrap(),
            "[\n  {\n    \"stack_status\": null\n  },\n  {\n    \"stack_status\": [\n      \"x\",\n      \"y\"\n    ]\n  }\n]\n"
        );
        let yaml = list(PrintFormat::Yaml, &[], false).unwrap();
        let read: Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(read[1]["name"], "b\n\u{1b}\"c\"");
        assert!(!yaml.contains('\u{1b}'), "{yaml}");
        let wrong = list(PrintFormat::Json, &["state"], false).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "--column: there is no column `state` (there are name, stack_status, id)"
        );
    }

    #[test]
    fn a_record_has_its_fields_in_each_form() {
        let record = json!({ "name": "a", "workers": 3, "groups": { "edge": 1 } });
        let shown = |format, columns: &[&str]| {
            let args = FormatArgs {
                format,
                columns: columns.iter().map(|&name| name.to_owned()).collect(),
            };
            let mut out = Vec::new();
            args.print_record(&mut LinePrinter::new(&mut out), &record)
                .map(|()| String::from_utf8(out).unwrap())
        };
        assert_eq!(shown(PrintFormat::Value, &["workers"]).unwrap(), "3\n");
        assert_eq!(
            shown(PrintFormat::Csv, &[]).unwrap(),
            "\"name\",\"workers\",\"groups\"\n\"a\",3,\"{\"\"edge\"\":1}\"\n"
        );
        assert_eq!(
            shown(PrintFormat::Table, &["groups", "name"]).unwrap(),
            "groups  {\"edge\":1}\nname    a\n"
        );
        assert!(shown(PrintFormat::Json, &["nothing"]).is_err());
    }
}
