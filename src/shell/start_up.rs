//! Start-up files of bash, zsh, fish and POSIX shells: the lines that set a variable to a plain value. A line whose value only the
//! shell could tell is reported without one. Nothing is ever run.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use regex::{Captures, Regex};

use crate::world::{FileRead, World};

/// A line that sets a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Name of the variable.
    pub name: String,
    /// The value; absent where only the shell could tell.
    pub value: Option<String>,
    /// The file, with `~` for the home folder.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The line exports it.
    pub exported: bool,
}

/// Start-up files below the home folder (bash(1), zsh(1) "Startup files", fish documentation "Configuration").
const POSIX_FILES: [&str; 11] = [
    ".profile",
    ".bash_profile",
    ".bash_login",
    ".bashrc",
    ".bash_aliases",
    ".zshenv",
    ".zprofile",
    ".zshrc",
    ".zlogin",
    ".kshrc",
    ".config/environment.d/bedrock.conf",
];

static POSIX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\s*(?:(?P<export>export|typeset\s+-gx|declare\s+-x)\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>'[^']*'|"[^"]*"|[^\s;&|]*)"#)
        .expect("a constant pattern")
});
static FISH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\s*set\s+(?P<flags>(?:-{1,2}[A-Za-z-]+\s+)*)(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s+(?P<value>'[^']*'|"[^"]*"|[^\s;&|#][^\s;&|]*)"#)
        .expect("a constant pattern")
});

/// Returns every line of every start-up file that sets a variable for which `matters` holds.
pub fn assignments(world: &World, matters: impl Fn(&str) -> bool) -> Vec<Assignment> {
    let Some(home) = world.home() else { return Vec::new() };
    let mut found = Vec::new();
    for name in POSIX_FILES {
        read(world, &home.join(name), Dialect::Posix, &matters, &mut found);
    }
    // zsh keeps its files elsewhere when ZDOTDIR says so.
    if let Some(dir) = world.filled_variable("ZDOTDIR").map(PathBuf::from).filter(|dir| *dir != home) {
        for name in [".zshenv", ".zprofile", ".zshrc", ".zlogin"] {
            read(world, &dir.join(name), Dialect::Posix, &matters, &mut found);
        }
    }
    let config = world.filled_variable("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    let fish = config.join("fish");
    for name in world.list_dir(&fish.join("conf.d")).into_iter().filter(|name| name.ends_with(".fish")) {
        read(world, &fish.join("conf.d").join(name), Dialect::Fish, &matters, &mut found);
    }
    read(world, &fish.join("config.fish"), Dialect::Fish, &matters, &mut found);
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Posix,
    Fish,
}

fn read(world: &World, path: &Path, dialect: Dialect, matters: &impl Fn(&str) -> bool, found: &mut Vec<Assignment>) {
    let FileRead::Text(text) = world.read_file(path) else { return };
    let file = world.display_path(path);
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        let assignment = match dialect {
            // fish reads `export NAME=value` too, by a function of that name.
            Dialect::Fish => fish(line).or_else(|| posix(line).filter(|(_, _, exported)| *exported)),
            Dialect::Posix => posix(line),
        };
        if let Some((name, value, exported)) = assignment
            && matters(&name)
        {
            found.push(Assignment {
                name,
                value,
                file: file.clone(),
                line: u32::try_from(number + 1).unwrap_or(u32::MAX),
                exported,
            });
        }
    }
}

fn posix(line: &str) -> Option<(String, Option<String>, bool)> {
    let parts = POSIX.captures(line)?;
    Some((parts["name"].to_owned(), value(line, &parts), parts.name("export").is_some()))
}

fn fish(line: &str) -> Option<(String, Option<String>, bool)> {
    let parts = FISH.captures(line)?;
    let flags = &parts["flags"];
    let exported = flags
        .split_whitespace()
        .any(|flag| flag == "--export" || (flag.starts_with('-') && !flag.starts_with("--") && flag.contains('x')));
    Some((parts["name"].to_owned(), value(line, &parts), exported))
}

/// The value of a line, if the whole word was understood: of a word in several pieces the first alone would be another value, and
/// of an address with a password perhaps the password.
fn value(line: &str, parts: &Captures<'_>) -> Option<String> {
    let word = parts.name("value")?;
    let next = line[word.end()..].chars().next();
    let ends = next.is_none_or(|it| it.is_whitespace() || matches!(it, ';' | '&' | '|'));
    ends.then(|| literal(word.as_str())).flatten()
}

/// The value of a word without substitutions.
fn literal(word: &str) -> Option<String> {
    if let Some(inside) = word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Some(inside.to_owned());
    }
    let inside = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let live: &[char] = if inside.is_some() { &['$', '`', '(', '\\'] } else { &['$', '`', '(', '\\', '\'', '"'] };
    let inside = inside.unwrap_or(word);
    (!inside.contains(live)).then(|| inside.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_in_each_dialect() {
        let world = World::in_memory(
            [],
            [
                (
                    "/home/me/.bashrc",
                    "# export AWS_REGION=no\nexport AWS_REGION='us-east-1'  # mine\nAWS_PROFILE=dev\nexport AWS_REGION=$(pick)\nPATH=$PATH:/x\n",
                ),
                (
                    "/home/me/.config/fish/config.fish",
                    "set -gx AWS_PROFILE work\nset AWS_REGION eu-west-1\nset --global --export AWS_REGION 'ap-south-1'\n",
                ),
            ],
        );
        let found = assignments(&world, |name| name.starts_with("AWS_"));
        let shown: Vec<(String, Option<&str>, bool)> = found
            .iter()
            .map(|it| (format!("{}:{} {}", it.file, it.line, it.name), it.value.as_deref(), it.exported))
            .collect();
        assert_eq!(
            shown,
            [
                ("~/.bashrc:2 AWS_REGION".to_owned(), Some("us-east-1"), true),
                ("~/.bashrc:3 AWS_PROFILE".to_owned(), Some("dev"), false),
                ("~/.bashrc:4 AWS_REGION".to_owned(), None, true),
                ("~/.config/fish/config.fish:1 AWS_PROFILE".to_owned(), Some("work"), true),
                ("~/.config/fish/config.fish:2 AWS_REGION".to_owned(), Some("eu-west-1"), false),
                ("~/.config/fish/config.fish:3 AWS_REGION".to_owned(), Some("ap-south-1"), true),
            ]
        );
    }

    #[test]
    fn a_word_is_read_whole_or_not_at_all() {
        let value = |line: &str| posix(line).unwrap().1;
        assert_eq!(value("export A=http://me:pa#ss@proxy # mine").as_deref(), Some("http://me:pa#ss@proxy"));
        assert_eq!(value("export A=x;export B=y").as_deref(), Some("x"));
        for line in ["A=http://me:'pa ss'@proxy", r#"A="http://me:pass"@proxy"#, "A='x'$B", r"A=a\ b"] {
            assert_eq!(value(line), None, "{line}");
        }
        assert_eq!(fish("set -gx A x#y").unwrap().1.as_deref(), Some("x#y"));
    }
}
