//! From text to causes: finds the signatures of causes in a text. Pure; the same code serves `explain`, the derived facts of the
//! probes, and the chat.

use regex::{Regex, RegexSet};

use crate::knowledge::{Confidence, Signature};

/// Signatures, compiled once.
#[derive(Debug)]
pub struct Matcher {
    set: RegexSet,
    each: Vec<Regex>,
    signatures: Vec<Signature>,
}

/// A signature that was found.
#[derive(Clone, Debug)]
pub struct Match<'a> {
    /// The signature.
    pub signature: &'a Signature,
    /// The words that matched.
    pub matched: String,
}

impl Match<'_> {
    /// Returns the cause.
    pub fn cause(&self) -> &str {
        &self.signature.cause
    }

    /// Returns how sure it is.
    pub fn confidence(&self) -> Confidence {
        self.signature.confidence
    }
}

impl Matcher {
    /// Compiles signatures.
    ///
    /// # Errors
    /// When a pattern is no regular expression or is far too large; loading has already refused the former.
    pub fn new(signatures: &[Signature]) -> Result<Self, regex::Error> {
        let patterns: Vec<String> = signatures.iter().map(|signature| prepared(&signature.pattern)).collect();
        Ok(Self {
            set: RegexSet::new(&patterns)?,
            each: patterns.iter().map(|pattern| Regex::new(pattern)).collect::<Result<_, _>>()?,
            signatures: signatures.to_vec(),
        })
    }

    /// Finds every signature in a text, in the order in which they are written: the most telling first. A code or status that is
    /// known and not among a signature's own rules it out.
    pub fn find(&self, code: Option<&str>, status: Option<u16>, text: &str) -> Vec<Match<'_>> {
        let text = normalized(text);
        self.set
            .matches(&text)
            .into_iter()
            .filter_map(|index| {
                let signature = &self.signatures[index];
                if let Some(code) = code
                    && !signature.codes.is_empty()
                    && !signature.codes.iter().any(|it| it.eq_ignore_ascii_case(code))
                {
                    return None;
                }
                if let Some(status) = status
                    && !signature.statuses.is_empty()
                    && !signature.statuses.contains(&status)
                {
                    return None;
                }
                let matched = self.each[index].find(&text)?.as_str().to_owned();
                Some(Match { signature, matched })
            })
            .collect()
    }
}

/// Typographic apostrophes are AWS's own in some messages and not in others.
fn normalized(text: &str) -> String {
    text.replace(['\u{2019}', '\u{2018}'], "'")
}

fn prepared(pattern: &str) -> String {
    format!("(?is){}", normalized(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Knowledge;

    #[test]
    fn every_signature_finds_its_examples_and_no_counterexample() {
        let knowledge = Knowledge::embedded().unwrap();
        let matcher = Matcher::new(&knowledge.signatures).unwrap();
        for signature in &knowledge.signatures {
            assert!(!signature.examples.is_empty(), "{} has no example", signature.id);
            for example in &signature.examples {
                let found = matcher.find(None, None, example);
                assert!(found.iter().any(|it| it.signature.id == signature.id), "{}: {example}", signature.id);
                assert_eq!(found[0].signature.cause, signature.cause, "{} is not first for: {example}", signature.id);
            }
            for counterexample in &signature.counterexamples {
                let found = matcher.find(None, None, counterexample);
                assert!(!found.iter().any(|it| it.signature.id == signature.id), "{}: {counterexample}", signature.id);
            }
        }
    }
}
