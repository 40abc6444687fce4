//! A file as one flat line of tokens, so that a macro's body is searched like any other code.

use proc_macro2::{TokenStream, TokenTree};

/// One token and the line it stands on.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// All tokens in reading order; brackets are tokens too.
pub(crate) fn flatten(stream: TokenStream) -> Vec<Token> {
    let mut tokens = Vec::new();
    push(stream, &mut tokens);
    tokens
}

fn push(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                let (first, last) = (group.span_open().start().line, group.span_close().end().line);
                tokens.push(Token { text: open.to_owned(), line: first });
                push(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), line: last });
            }
            other => {
                tokens.push(Token { text: other.to_string(), line: other.span().start().line });
            }
        }
    }
}

/// The lines on which `pattern`, a run of tokens written with blanks between them, begins.
pub(crate) fn lines_of(tokens: &[Token], pattern: &str) -> Vec<usize> {
    let wanted: Vec<&str> = pattern.split(' ').collect();
    tokens
        .windows(wanted.len())
        .filter(|window| window.iter().zip(&wanted).all(|(token, wanted)| token.text == *wanted))
        .filter_map(|window| window.first())
        .map(|token| token.line)
        .collect()
}

/// The paths a stretch of tokens names (`crate::a::B`, `Instant::now`), each with its line.
///
/// Field names, method names and lifetimes are no paths.
pub(crate) fn paths(tokens: &[Token]) -> Vec<(Vec<String>, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let bare = !before.is_some_and(|token| matches!(token.text.as_str(), "." | "'"));
        at += 1;
        if !bare || !is_word(&token.text) {
            continue;
        }
        let mut path = vec![token.text.clone()];
        while let Some([first, second, word]) = tokens.get(at..at + 3)
            && first.text == ":"
            && second.text == ":"
            && is_word(&word.text)
        {
            path.push(word.text.clone());
            at += 3;
        }
        found.push((path, token.line));
    }
    found
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_macros_body_is_searched_too() {
        let tokens = flatten("fn f() {\n  vec![a.unwrap()]\n}".parse().unwrap());
        assert_eq!(lines_of(&tokens, ". unwrap ("), [2]);
    }

    #[test]
    fn paths_are_read_whole_and_methods_are_none() {
        let tokens = flatten("crate::a::B::<u8>::c(x.d::<T>()) + &'e f".parse().unwrap());
        let named: Vec<_> = paths(&tokens).into_iter().map(|(path, _)| path.join("::")).collect();
        assert_eq!(named, ["crate::a::B", "u8", "c", "x", "T", "f"]);
    }
}
