//! Wildcards, policy variables and ARNs.

use super::condition::Context;

/// One character of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    AnyOne,
    AnyRun,
}

/// Whether `text` matches `pattern`, in which `*` stands for any run of characters and `?` for one.
///
/// Variables are filled in from the context; a pattern with a variable that has no value matches nothing.
pub fn matches(pattern: &str, text: &str, context: &Context) -> bool {
    tokens(pattern, context).is_some_and(|tokens| glob(&tokens, text))
}

/// Whether `text` matches `pattern` without variables.
pub fn matches_plain(pattern: &str, text: &str) -> bool {
    matches(pattern, text, &Context::default())
}

/// Returns the pattern as a plain string: variables filled in, wildcards left as they are written.
pub fn fill(pattern: &str, context: &Context) -> Option<String> {
    let mut filled = String::new();
    for token in tokens(pattern, context)? {
        filled.push(match token {
            Token::Literal(literal) => literal,
            Token::AnyOne => '?',
            Token::AnyRun => '*',
        });
    }
    Some(filled)
}

/// Whether an ARN matches a pattern part by part, as `ArnLike` and the `Resource` element want it.
///
/// A wildcard stays within its part, only the last part (the resource) may contain further colons. A pattern that is no ARN of
/// six parts, such as `*`, is a plain wildcard pattern.
pub fn matches_arn(pattern: &str, arn: &str, context: &Context) -> bool {
    let patterns: Vec<&str> = split_arn(pattern);
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if patterns.len() < 6 {
        return matches(pattern, arn, context);
    }
    parts.len() == 6 && patterns.iter().zip(parts).all(|(pattern, part)| matches(pattern, part, context))
}

/// Splits at colons, but not at those inside of `${aws:…}`.
fn split_arn(pattern: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_u32);
    for (at, character) in pattern.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && parts.len() < 5 => {
                parts.push(&pattern[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&pattern[start..]);
    parts
}

fn tokens(pattern: &str, context: &Context) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        if let Some((name, after)) = rest.strip_prefix("${").and_then(|inner| inner.split_once('}')) {
            tokens.extend(variable(name, context)?.chars().map(Token::Literal));
            rest = after;
            continue;
        }
        tokens.push(match character {
            '*' => Token::AnyRun,
            '?' => Token::AnyOne,
            literal => Token::Literal(literal),
        });
        rest = &rest[character.len_utf8()..];
    }
    Some(tokens)
}

/// Returns the value of a policy variable: `${*}`, `${?}` and `${$}` are the characters themselves, `${key, 'x'}` has a default.
fn variable(name: &str, context: &Context) -> Option<String> {
    if matches!(name, "*" | "?" | "$") {
        return Some(name.to_owned());
    }
    let (key, default) = match name.split_once(',') {
        Some((key, default)) => (key.trim(), Some(default.trim().trim_matches('\'').to_owned())),
        None => (name.trim(), None),
    };
    match context.get(key) {
        Some([one]) => Some(one.clone()),
        _ => default,
    }
}

fn glob(pattern: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when the run after the last star turns out to be too short.
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Token::AnyRun) => {
                back = Some((p, t));
                p += 1;
            }
            Some(Token::AnyOne) => (p, t) = (p + 1, t + 1),
            Some(Token::Literal(literal)) if *literal == text[t] => (p, t) = (p + 1, t + 1),
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    (p, t) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|token| *token == Token::AnyRun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("bedrock:Invoke*", "bedrock:InvokeModel", true),
            ("bedrock:Invoke?odel", "bedrock:InvokeModel", true),
            ("bedrock:*Model", "bedrock:InvokeModelX", false),
            ("a*b*c", "aXbYbZc", true),
            ("a?c", "ac", false),
            ("", "x", false),
        ] {
            assert_eq!(matches_plain(pattern, text), expected, "{pattern} ~ {text}");
        }
    }

    #[test]
    fn variables_are_values_not_patterns() {
        let context = Context::default().with("aws:username", "a*c");
        assert!(matches("home/${aws:username}", "home/a*c", &context));
        assert!(!matches("home/${aws:username}", "home/abc", &context));
        assert!(!matches("home/${aws:missing}", "home/", &context));
        assert!(matches("home/${aws:missing, 'none'}", "home/none", &context));
        assert!(matches("${*}", "*", &context) && !matches("${*}", "x", &context));
    }

    #[test]
    fn arns_match_part_by_part() {
        let none = Context::default();
        let arn = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0";
        for (pattern, expected) in [
            ("*", true),
            ("arn:aws:bedrock:*:*:foundation-model/*", true),
            ("arn:aws:bedrock:*::foundation-model/*", true),
            ("arn:aws:bedrock:*::foundation-model/*-v1:0", true),
            ("arn:aws:bedrock:us-west-2::foundation-model/*", false),
            ("arn:aws:bedrock:*:foundation-model/*:x:y", false),
            ("arn:aws:bedrock:*:123456789012:foundation-model/*", false),
        ] {
            assert_eq!(matches_arn(pattern, arn, &none), expected, "{pattern}");
        }
        assert!(matches_arn("arn:aws:bedrock:*:*:foundation-model/*", "arn:aws:bedrock:::foundation-model/x", &none));
        assert!(!matches_arn("arn:aws:bedrock:*:*:inference-profile/*", "*", &none));
        let account = Context::default().with("aws:PrincipalAccount", "123456789012");
        assert!(matches_arn(
            "arn:aws:iam::${aws:PrincipalAccount}:role/*",
            "arn:aws:iam::123456789012:role/r",
            &account
        ));
    }
}
