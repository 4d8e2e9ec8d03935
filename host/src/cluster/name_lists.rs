//! Values that are lists of names: components of a group, endpoints. Whether there are such is the
//! plan's to know.

use super::{
    Problem,
    limits::{MAX_GROUP_COMPONENTS, MAX_GROUP_NODES, MAX_OPEN_ENDPOINTS},
    parse_value::{parse_number, shorten, split_list},
};

/// Characters of a component's or an endpoint's name.
const MAX_WORD_CHARS: usize = 63;

/// Components that a user wants on a group, each with a number of nodes where one is said:
/// `datanode, zookeeper_server:3`.
pub(super) fn parse_components(
    path: &str,
    value: &str,
) -> Result<Vec<(String, Option<u32>)>, Problem> {
    let mut components = Vec::new();
    for word in split_list(value) {
        let (name, number) = match word.split_once(':') {
            Some((name, number)) => {
                let number = parse_number(path, number, 1, MAX_GROUP_NODES)?;
                (name, Some(number))
            }
            None => (word, None),
        };
        check_word(path, name, "component")?;
        components.push((name.to_owned(), number));
    }
    check_count(path, components.len(), MAX_GROUP_COMPONENTS, "components")?;
    Ok(components)
}

/// The same as a text.
pub(super) fn render_components(components: &[(String, Option<u32>)]) -> String {
    let word = |(name, number): &(String, Option<u32>)| match number {
        Some(number) => format!("{name}:{number}"),
        None => name.clone(),
    };
    let words: Vec<String> = components.iter().map(word).collect();
    words.join(",")
}

/// Names of endpoints, each once.
pub(super) fn parse_endpoints(path: &str, value: &str) -> Result<Vec<String>, Problem> {
    let mut names: Vec<String> = Vec::new();
    for word in split_list(value) {
        check_word(path, word, "endpoint")?;
        if !names.iter().any(|name| name == word) {
            names.push(word.to_owned());
        }
    }
    check_count(path, names.len(), MAX_OPEN_ENDPOINTS, "endpoints")?;
    Ok(names)
}

fn check_word(path: &str, word: &str, what: &str) -> Result<(), Problem> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_right = word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(inner);
    if is_right && word.len() <= MAX_WORD_CHARS {
        return Ok(());
    }
    let message = format!("`{}` cannot be the name of a {what}", shorten(word));
    let hint = "names of a-z, 0-9 and _, separated by commas or blanks";
    Err(Problem::new(path, message, hint))
}

fn check_count(path: &str, count: usize, most: usize, what: &str) -> Result<(), Problem> {
    if count <= most {
        return Ok(());
    }
    let message = format!("names {count} {what}, at most {most} are taken");
    Err(Problem::new(path, message, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_have_a_number_or_none_and_their_text_says_the_same_again() {
        let read = |text: &str| parse_components("worker.components", text);
        let two = read("datanode, zookeeper_server:3").unwrap();
        let wanted = [
            ("datanode".to_owned(), None),
            ("zookeeper_server".to_owned(), Some(3)),
        ];
        assert_eq!(two, wanted);
        assert_eq!(read(&render_components(&two)), Ok(two));
        for wrong in ["a:0", "a:251", "a:", ":1", "a:b", "A", "a-b", "1a", "a:1:2"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read("a:250").is_ok() && read(&"x".repeat(MAX_WORD_CHARS)).is_ok());
        assert!(read(&"x".repeat(MAX_WORD_CHARS + 1)).is_err());
    }

    #[test]
    fn so_many_are_named_and_not_one_more() {
        let some = |count: usize| {
            let names: Vec<String> = (0..count).map(|at| format!("a{at}")).collect();
            names.join(",")
        };
        assert!(parse_components("c", &some(MAX_GROUP_COMPONENTS)).is_ok());
        assert!(parse_components("c", &some(MAX_GROUP_COMPONENTS + 1)).is_err());
        assert!(parse_endpoints("o", &some(MAX_OPEN_ENDPOINTS)).is_ok());
        assert!(parse_endpoints("o", &some(MAX_OPEN_ENDPOINTS + 1)).is_err());
        assert_eq!(
            parse_endpoints("o", "a, a b"),
            Ok(vec!["a".into(), "b".into()])
        );
    }
}
