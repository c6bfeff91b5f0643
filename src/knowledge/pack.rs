//! Reading packs: the files built in, and folders of the same shape that the user adds. Every malformed file is refused with its
//! name, the line and the reason.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Case, Cause, Check, Expression, GROUPS, Knowledge, Remedy, Tables, Template,
    cause::{CauseFile, RemedyFile},
    check::{CaseFile, CauseOf, CheckFile},
    signatures::SignatureFile,
    tables::TableFile,
};

/// Every file below `checks/`, by its path there.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/checks.rs"));

/// A folder of the user, read into memory by whoever may read files.
#[derive(Debug, Clone, Default)]
pub struct PackSource {
    /// Where it is, for messages.
    pub name: String,
    /// Its files: path below the folder, with `/`, and text.
    pub files: Vec<(String, String)>,
}

/// A malformed file of a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", self.place())]
pub struct PackError {
    /// The file.
    pub file: String,
    /// The line, from 1, when it can be told.
    pub line: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

impl PackError {
    fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}

/// One file while it is read: knows its name and text, so that errors can point.
struct Source<'a> {
    file: String,
    text: &'a str,
    foreign: bool,
}

impl Source<'_> {
    fn error(&self, at: Option<usize>, reason: impl Into<String>) -> PackError {
        let line = at.map(|offset| self.text[..offset.min(self.text.len())].matches('\n').count() + 1);
        PackError { file: self.file.clone(), line, reason: reason.into() }
    }

    fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, PackError> {
        toml::from_str(self.text)
            .map_err(|error| self.error(error.span().map(|span| span.start), error.message().replace('\n', " ")))
    }

    fn template(&self, text: &toml::Spanned<String>) -> Result<Template, PackError> {
        Template::parse(text.get_ref()).map_err(|reason| self.error(Some(text.span().start), reason))
    }

    fn expression(&self, text: &toml::Spanned<String>) -> Result<Expression, PackError> {
        Expression::compile(text.get_ref()).map_err(|error| self.error(Some(text.span().start), error.to_string()))
    }
}

pub(super) fn load(packs: &[PackSource]) -> Result<Knowledge, PackError> {
    let mut loader = Loader::default();
    for (path, text) in BUILT_IN {
        loader.read(path, &Source { file: format!("checks/{path}"), text, foreign: false })?;
    }
    for pack in packs {
        for (path, text) in &pack.files {
            loader.read(path, &Source { file: format!("{}/{path}", pack.name), text, foreign: true })?;
        }
    }
    loader.finish()
}

#[derive(Default)]
struct Loader {
    checks: Vec<Check>,
    causes: BTreeMap<String, Cause>,
    signatures: Vec<super::Signature>,
    tables: Tables,
}

impl Loader {
    fn read(&mut self, path: &str, source: &Source<'_>) -> Result<(), PackError> {
        let Some((folder, name)) = path.rsplit_once('/') else {
            return Err(
                source.error(None, "a pack holds folders only: causes, signatures, tables, or a group of checks")
            );
        };
        let Some(stem) = name.strip_suffix(".toml") else {
            return Err(source.error(None, "only .toml files belong in a pack"));
        };
        match folder {
            "causes" => self.cause(stem, source),
            "signatures" => self.signatures(source),
            "tables" => self.tables(source),
            group if GROUPS.contains(&group) => self.check(group, stem, source),
            other => Err(source.error(
                None,
                format!(
                    "`{other}` is no folder of a pack; there are causes, signatures, tables, and the groups {}",
                    GROUPS.join(", ")
                ),
            )),
        }
    }

    fn check(&mut self, group: &str, stem: &str, source: &Source<'_>) -> Result<(), PackError> {
        let file: CheckFile = source.parse()?;
        let id = file.id.get_ref().clone();
        if id != stem {
            return Err(
                source.error(Some(file.id.span().start), format!("the id `{id}` is not the file's name `{stem}`"))
            );
        }
        if !is_kebab(&id) {
            return Err(source.error(Some(file.id.span().start), format!("the id `{id}` is not in kebab case")));
        }
        if file.group.get_ref() != group {
            return Err(source.error(
                Some(file.group.span().start),
                format!("the group `{}` is not the folder `{group}`", file.group.get_ref()),
            ));
        }
        if let Some(other) = self.checks.iter().find(|check| check.id == id) {
            return Err(source.error(Some(file.id.span().start), format!("the id `{id}` is taken by {}", other.file)));
        }
        let cases = file.case.into_iter().map(|case| self.case(case, source)).collect::<Result<Vec<_>, _>>()?;
        self.checks.push(Check {
            id,
            title: file.title,
            group: group.to_owned(),
            needs: file.needs,
            may: file.may,
            establishes: file.establishes,
            cases,
            examples: file.example,
            docs: file.docs,
            file: source.file.clone(),
            foreign: source.foreign,
        });
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "reads beside its siblings")]
    fn case(&self, case: CaseFile, source: &Source<'_>) -> Result<Case, PackError> {
        let at = case.when.span().start;
        let when = source.expression(&case.when)?;
        let status = *case.status.get_ref();
        if !matches!(status, super::Status::Warn | super::Status::Fail | super::Status::Pass) {
            return Err(source.error(
                Some(case.status.span().start),
                format!("a case decides pass, warn or fail; `{}` is for the engine to say", status.word()),
            ));
        }
        let cause = match (case.cause, case.cause_from) {
            (Some(slug), None) => CauseOf::Slug(slug.into_inner()),
            (None, Some(path)) => CauseOf::Path(path.into_inner()),
            (None, None) if status == super::Status::Pass => CauseOf::Slug(String::new()),
            _ => {
                let reason = "a case names either `cause` or `cause_from`; `cause = \"\"` says that nobody knows";
                return Err(source.error(Some(at), reason));
            }
        };
        let measured = case.measured.as_ref().map(|text| source.template(text)).transpose()?;
        let expected = case.expected.as_ref().map(|text| source.template(text)).transpose()?;
        Ok(Case {
            when,
            status,
            cause,
            subcause: case.subcause,
            confidence: case.confidence.unwrap_or_default(),
            subject: case.subject,
            measured,
            expected,
            remedies: case.remedy.iter().map(|remedy| remedy_of(remedy, source)).collect::<Result<_, _>>()?,
        })
    }

    fn cause(&mut self, stem: &str, source: &Source<'_>) -> Result<(), PackError> {
        let file: CauseFile = source.parse()?;
        let slug = file.slug.get_ref().clone();
        if slug != stem || !is_kebab(&slug) {
            return Err(source.error(
                Some(file.slug.span().start),
                format!("the slug `{slug}` is not the file's name `{stem}` in kebab case"),
            ));
        }
        if let Some(other) = self.causes.get(&slug) {
            return Err(
                source.error(Some(file.slug.span().start), format!("the cause `{slug}` is taken by {}", other.file))
            );
        }
        let cause = Cause {
            summary: source.template(&file.summary)?,
            remedies: file.remedy.iter().map(|remedy| remedy_of(remedy, source)).collect::<Result<_, _>>()?,
            slug: slug.clone(),
            title: file.title,
            look_alikes: file.look_alikes,
            references: file.references,
            set_up: file.set_up,
            area: file.area,
            file: source.file.clone(),
        };
        self.causes.insert(slug, cause);
        Ok(())
    }

    fn signatures(&mut self, source: &Source<'_>) -> Result<(), PackError> {
        let file: SignatureFile = source.parse()?;
        for entry in file.signature {
            let at = entry.span().start;
            let signature: super::Signature = entry.into_inner().into();
            if self.signatures.iter().any(|other| other.id == signature.id) {
                return Err(source.error(Some(at), format!("the signature id `{}` is taken", signature.id)));
            }
            if let Err(error) = regex::Regex::new(&signature.pattern) {
                return Err(source.error(
                    Some(at),
                    format!(
                        "the pattern of `{}` is no regular expression: {}",
                        signature.id,
                        last_line(&error.to_string())
                    ),
                ));
            }
            self.signatures.push(signature);
        }
        Ok(())
    }

    fn tables(&mut self, source: &Source<'_>) -> Result<(), PackError> {
        let file: TableFile = source.parse()?;
        self.tables.regions.extend(file.region);
        self.tables.models.extend(file.model);
        self.tables.quotas.extend(file.quota);
        self.tables.client_faults.extend(file.client_fault);
        Ok(())
    }

    fn finish(mut self) -> Result<Knowledge, PackError> {
        let rank = |group: &str| GROUPS.iter().position(|it| *it == group).unwrap_or(GROUPS.len());
        self.checks.sort_by(|a, b| rank(&a.group).cmp(&rank(&b.group)).then_with(|| a.id.cmp(&b.id)));
        let knowledge =
            Knowledge { checks: self.checks, causes: self.causes, signatures: self.signatures, tables: self.tables };
        knowledge.cross_check()?;
        Ok(knowledge)
    }
}

impl Knowledge {
    /// What one file alone cannot show: that causes exist and that states are established by exactly one check without a circle.
    fn cross_check(&self) -> Result<(), PackError> {
        let fault = |file: &str, reason: String| PackError { file: file.to_owned(), line: None, reason };
        let mut states: BTreeMap<&str, &Check> = BTreeMap::new();
        for check in &self.checks {
            for state in &check.establishes {
                if let Some(other) = states.insert(state, check) {
                    return Err(fault(
                        &check.file,
                        format!("the state `{state}` is already established by {}", other.file),
                    ));
                }
            }
            for case in &check.cases {
                if let CauseOf::Slug(slug) = &case.cause
                    && !slug.is_empty()
                    && !self.causes.contains_key(slug)
                {
                    return Err(fault(&check.file, format!("there is no cause `{slug}`")));
                }
            }
        }
        for signature in &self.signatures {
            if !self.causes.contains_key(&signature.cause) {
                return Err(fault(
                    "signatures",
                    format!("signature `{}`: there is no cause `{}`", signature.id, signature.cause),
                ));
            }
        }
        for check in &self.checks {
            let mut trail = vec![check.id.as_str()];
            circle(check, &states, &mut trail)
                .map_err(|trail| fault(&check.file, format!("checks wait for each other in a circle: {trail}")))?;
        }
        Ok(())
    }
}

fn circle<'a>(check: &'a Check, states: &BTreeMap<&str, &'a Check>, trail: &mut Vec<&'a str>) -> Result<(), String> {
    for need in &check.needs {
        if let Some(earlier) = states.get(need.as_str()) {
            if trail.contains(&earlier.id.as_str()) {
                trail.push(&earlier.id);
                return Err(trail.join(" → "));
            }
            trail.push(&earlier.id);
            circle(earlier, states, trail)?;
            trail.pop();
        }
    }
    Ok(())
}

fn remedy_of(remedy: &RemedyFile, source: &Source<'_>) -> Result<Remedy, PackError> {
    let at = remedy.text.span().start;
    let plain = |text: &String| Template::parse(text).map_err(|reason| source.error(Some(at), reason));
    Ok(Remedy {
        kind: remedy.kind,
        when: remedy.when.as_ref().map(|when| source.expression(when)).transpose()?.map(Arc::new),
        text: source.template(&remedy.text)?,
        command: remedy.command.iter().map(plain).collect::<Result<_, _>>()?,
        url: remedy.url.as_ref().map(plain).transpose()?,
    })
}

fn is_kebab(text: &str) -> bool {
    !text.is_empty()
        && text
            .split('-')
            .all(|word| !word.is_empty() && word.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit()))
}

fn last_line(text: &str) -> &str {
    text.lines().next_back().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(path: &str, text: &str) -> Result<Knowledge, PackError> {
        load(&[PackSource { name: "mine".into(), files: vec![(path.into(), text.into())] }])
    }

    #[test]
    fn malformed_files_say_where_and_why() {
        let cases = [
            ("models/a-b.toml", "id = \"a-b\"\ntitle = 3", "mine/models/a-b.toml:2", "string"),
            (
                "models/a-b.toml",
                "id = \"a-c\"\ntitle=\"t\"\ngroup=\"models\"\n[docs]\nwhat=\"\"\nwhy=\"\"",
                "mine/models/a-b.toml:1",
                "file's name",
            ),
            (
                "models/a-b.toml",
                "id = \"a-b\"\ntitle=\"t\"\ngroup=\"models\"\n[docs]\nwhat=\"\"\nwhy=\"\"\n[[case]]\nwhen=\"a ==\"\nstatus=\"fail\"\ncause=\"model-eol\"",
                "mine/models/a-b.toml:8",
                "compile",
            ),
            (
                "models/a-b.toml",
                "id = \"a-b\"\ntitle=\"t\"\ngroup=\"models\"\n[docs]\nwhat=\"\"\nwhy=\"\"\n[[case]]\nwhen=\"true\"\nstatus=\"fail\"\ncause=\"no-such\"",
                "mine/models/a-b.toml",
                "no cause",
            ),
            ("models/a-b.toml", "id = \"a-b\"\nbogus = 1", "mine/models/a-b.toml:2", "unknown field"),
            ("nonsense/a.toml", "", "mine/nonsense/a.toml", "no folder"),
            ("models/readme.md", "", "mine/models/readme.md", ".toml"),
            (
                "signatures/s.toml",
                "[[signature]]\nid=\"x\"\ncause=\"model-eol\"\npattern=\"(\"\nexamples=[]\nsource=\"\"",
                "mine/signatures/s.toml:1",
                "regular expression",
            ),
        ];
        for (path, text, place, reason) in cases {
            let error = pack(path, text).expect_err(path).to_string();
            assert!(error.starts_with(place) && error.contains(reason), "{error}");
        }
    }
}
