//! Conditions: short CEL expressions over facts that Rust has already decided. The only file that names the `cel` crate.
//!
//! CEL here has no budget of its own, so what could run long is refused when the expression is read: its length is bounded and a
//! macro may not stand inside another.

use std::collections::BTreeSet;

use cel::{
    Context, Program, Value as CelValue,
    common::ast::{EntryExpr, Expr},
};
use serde_json::Value;

/// The longest condition, in characters.
const MAX_LENGTH: usize = 600;

/// A compiled condition.
pub struct Expression {
    source: String,
    program: Program,
    paths: BTreeSet<String>,
}

/// Why a condition cannot be used, or could not be decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It is longer than [`MAX_LENGTH`].
    #[error("the condition is longer than {MAX_LENGTH} characters")]
    TooLong,
    /// It does not compile.
    #[error("the condition does not compile: {0}")]
    Syntax(String),
    /// A macro stands inside another.
    #[error("the condition nests one macro (all, exists, map, filter) inside another")]
    Nested,
    /// It failed when it was evaluated.
    #[error("the condition `{source_text}` failed: {reason}")]
    Failed {
        /// The condition.
        source_text: String,
        /// What failed.
        reason: String,
    },
    /// It gave something else than true or false.
    #[error("the condition `{0}` is neither true nor false")]
    NotBoolean(String),
}

impl Expression {
    /// Compiles a condition.
    ///
    /// # Errors
    /// When it is too long, malformed, or nests macros.
    pub fn compile(source: &str) -> Result<Self, ExpressionError> {
        if source.chars().count() > MAX_LENGTH {
            return Err(ExpressionError::TooLong);
        }
        let program = std::panic::catch_unwind(|| Program::compile(source))
            .map_err(|_| ExpressionError::Syntax("the parser gave up".to_owned()))?
            .map_err(|errors| ExpressionError::Syntax(first_line(&errors.to_string())))?;
        let mut paths = BTreeSet::new();
        walk(&program.expression().expr, &mut Vec::new(), &mut paths)?;
        Ok(Self { source: source.to_owned(), program, paths })
    }

    /// Returns the condition as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the paths of facts in it, as they are written.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// Decides the condition over a tree of facts.
    ///
    /// # Errors
    /// When it fails, or gives something else than true or false.
    pub fn decide(&self, facts: &Value) -> Result<bool, ExpressionError> {
        let mut context = Context::default();
        if let Value::Object(roots) = facts {
            for (name, value) in roots {
                context.add_variable_from_value(name.clone(), to_cel(value));
            }
        }
        match self.program.execute(&context) {
            Ok(CelValue::Bool(decided)) => Ok(decided),
            Ok(_) => Err(ExpressionError::NotBoolean(self.source.clone())),
            Err(error) => Err(ExpressionError::Failed { source_text: self.source.clone(), reason: error.to_string() }),
        }
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Expression").field(&self.source).finish()
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("ERROR: <input>:").to_owned()
}

fn to_cel(value: &Value) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(it) => CelValue::Bool(*it),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            // Every number is a float to a condition, so that `applied < default` and `applied == 0.0` never mix types.
            (_, Some(float)) => CelValue::Float(float),
            (Some(integer), None) => CelValue::Int(integer),
            (None, None) => CelValue::Null,
        },
        Value::String(text) => CelValue::from(text.as_str()),
        Value::Array(items) => CelValue::from(items.iter().map(to_cel).collect::<Vec<_>>()),
        Value::Object(members) => CelValue::from(
            members
                .iter()
                .map(|(name, member)| (name.clone(), to_cel(member)))
                .collect::<std::collections::HashMap<String, CelValue>>(),
        ),
    }
}

/// Collects the longest chains of member names, and refuses a macro inside a macro. Names bound by a macro are no facts.
fn walk(expression: &Expr, bound: &mut Vec<String>, paths: &mut BTreeSet<String>) -> Result<(), ExpressionError> {
    if let Some(chain) = chain_of(expression) {
        if !bound.contains(&chain[0]) {
            paths.insert(chain.join("."));
        }
        return Ok(());
    }
    match expression {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Ok(()),
        Expr::Select(select) => walk(&select.operand.expr, bound, paths),
        Expr::Call(call) => {
            if let Some(target) = &call.target {
                walk(&target.expr, bound, paths)?;
            }
            call.args.iter().try_for_each(|argument| walk(&argument.expr, bound, paths))
        }
        Expr::List(list) => list.elements.iter().try_for_each(|element| walk(&element.expr, bound, paths)),
        Expr::Map(map) => entries(&map.entries, bound, paths),
        Expr::Struct(value) => entries(&value.entries, bound, paths),
        Expr::Comprehension(comprehension) => {
            if !bound.is_empty() {
                return Err(ExpressionError::Nested);
            }
            walk(&comprehension.iter_range.expr, bound, paths)?;
            bound.push(comprehension.iter_var.clone());
            bound.push(comprehension.accu_var.clone());
            bound.extend(comprehension.iter_var2.clone());
            for part in
                [&comprehension.accu_init, &comprehension.loop_cond, &comprehension.loop_step, &comprehension.result]
            {
                walk(&part.expr, bound, paths)?;
            }
            bound.clear();
            Ok(())
        }
    }
}

fn entries(
    entries: &[cel::common::ast::IdedEntryExpr],
    bound: &mut Vec<String>,
    paths: &mut BTreeSet<String>,
) -> Result<(), ExpressionError> {
    for entry in entries {
        match &entry.expr {
            EntryExpr::StructField(field) => walk(&field.value.expr, bound, paths)?,
            EntryExpr::MapEntry(entry) => {
                walk(&entry.key.expr, bound, paths)?;
                walk(&entry.value.expr, bound, paths)?;
            }
        }
    }
    Ok(())
}

/// The names of `a.b.c`, with `has(a.b.c)` being the same chain.
fn chain_of(expression: &Expr) -> Option<Vec<String>> {
    match expression {
        Expr::Ident(name) => Some(vec![name.clone()]),
        Expr::Select(select) => {
            let mut chain = chain_of(&select.operand.expr)?;
            chain.push(select.field.clone());
            Some(chain)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_are_decided() {
        let facts = json!({ "quota": { "applied": 0, "default": 5.5 }, "model": { "id": null }, "list": ["a", "b"] });
        for (condition, expected) in [
            ("quota.applied == 0.0", true),
            ("quota.applied < quota.default", true),
            ("model.id != null", false),
            ("list.exists(it, it == 'b')", true),
            ("'c' in list", false),
        ] {
            assert_eq!(Expression::compile(condition).unwrap().decide(&facts), Ok(expected), "{condition}");
        }
    }

    #[test]
    fn paths_are_found() {
        let expression = Expression::compile("a.b == 'x' && list.exists(it, it.name == c.d) && has(e.f)").unwrap();
        assert_eq!(expression.paths().collect::<Vec<_>>(), ["a.b", "c.d", "e.f", "list"]);
    }

    #[test]
    fn what_could_run_long_is_refused() {
        assert_eq!(Expression::compile("a.all(x, a.all(y, x == y))").unwrap_err(), ExpressionError::Nested);
        assert_eq!(Expression::compile(&"a".repeat(601)).unwrap_err(), ExpressionError::TooLong);
        assert!(matches!(Expression::compile("a ==").unwrap_err(), ExpressionError::Syntax(_)));
        assert!(matches!(
            Expression::compile("a + 'x'").unwrap().decide(&json!({"a": "b"})),
            Err(ExpressionError::NotBoolean(_))
        ));
        assert!(matches!(
            Expression::compile("a < 'x'").unwrap().decide(&json!({"a": 1})),
            Err(ExpressionError::Failed { .. })
        ));
    }
}
