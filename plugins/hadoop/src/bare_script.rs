//! Scripts as nodes get them: user data has no room for comments.

/// Without lines that are comments, but for one that names the interpreter. No script has a line within a
/// text that begins like one, as a test of all of them says.
pub fn without_comments(script: &str) -> String {
    let lines = script.split_inclusive('\n').enumerate();
    lines
        .filter(|(at, line)| {
            *at == 0 && line.starts_with("#!") || !line.trim_start().starts_with('#')
        })
        .map(|(_, line)| line)
        .collect()
}
