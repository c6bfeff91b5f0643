//! A stranger's validator holds reports and records against the schemas that are published.

use std::process::Command;

use super::python;
use crate::harness::World;

const VALIDATE: &str = "import json, sys, jsonschema
schema, *documents = [json.load(open(path)) for path in sys.argv[1:]]
jsonschema.Draft202012Validator.check_schema(schema)
for document in documents:
    jsonschema.Draft202012Validator(schema).validate(document)
";

#[test]
fn reports_and_records_fit_their_schemas() {
    let Some(python) = python() else { return };
    let world = World::new();
    let home = world.home();
    let put = |name: &str, text: &str| {
        let path = home.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut reports = vec![put("report-schema.json", &world.run(&["checks", "--schema", "report"]).stdout)];
    let mut records = vec![put("evidence-schema.json", &world.run(&["checks", "--schema", "evidence"]).stdout)];
    for scenario in ["healthy", "guide-of-2025", "sso-session-expired", "tls-interception", "healthy-aws-sdk"] {
        let record = home.join(format!("{scenario}.record.json"));
        let ran = world.doctor(&["--simulate", scenario, "--record", record.to_str().unwrap()]);
        reports.push(put(&format!("{scenario}.report.json"), &ran.stdout));
        records.push(record);
    }
    for files in [reports, records] {
        let output = Command::new(&python).arg("-c").arg(VALIDATE).args(&files).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
