//! Prints rows in columns that are as wide as their widest text.

use std::{fmt::Display, io};

use super::{foreign_text::ForeignText, line_printer::LinePrinter};

/// Prints rows under their headings, two blanks between columns.
pub(super) fn print_table(
    out: &mut LinePrinter<'_>,
    heads: &[&str],
    rows: &[Vec<String>],
) -> io::Result<()> {
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let shown = |cell: &String| ForeignText(cell).to_string();
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(shown).collect())
        .collect();
    let all = || std::iter::once(&heads).chain(&rows);
    let wide = |column: usize| {
        all()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(wide).collect();
    for row in all() {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Names with their URLs, indented.
pub(super) fn print_named_urls(
    out: &mut LinePrinter<'_>,
    urls: &[(&str, impl Display)],
) -> io::Result<()> {
    let width = urls.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, url) in urls {
        writeln!(out, "  {name:<width$}  {url}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_line_up() {
        let mut out = Vec::new();
        super::print_table(
            &mut super::LinePrinter::new(&mut out),
            &["NAME", "X"],
            &[
                vec!["a-long-name".to_owned(), "1".to_owned()],
                vec!["b\n".to_owned(), String::new()],
            ],
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "NAME         X\na-long-name  1\nb\\n\n"
        );
    }
}
