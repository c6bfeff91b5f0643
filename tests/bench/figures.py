#!/usr/bin/env python3
"""Prints bedside's figures beside what they are to be compared with: limits that were promised, and the AWS CLI for the same facts.

    cargo build --release && tests/bench/figures.py

Needs nothing but Python's own library, on Linux. The AWS CLI is taken from target/strangers (tests/run puts it there); without it the
comparisons with it are left out, by name. Every figure is a median of several runs, with the smallest and the largest beside it.
"""

import argparse
import json
import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEDSIDE = ROOT / "target/release/bedside"
AWS = ROOT / "target/strangers/venv/bin/aws"
LATENCY_MS = 200
# The facts of a healthy report, as the AWS CLI gets them: the commands of the guide of 2025, and those that its reader is led to.
MODEL = "us.anthropic.claude-opus-5-5"
BODY = '{"anthropic_version":"bedrock-2023-05-31","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}'
GUIDE = [
    ["sts", "get-caller-identity"],
    ["bedrock", "list-foundation-models"],
    ["cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=EventName,AttributeValue=InvokeModel"],
]
SAME_FACTS = GUIDE + [
    ["bedrock", "list-inference-profiles", "--type-equals", "SYSTEM_DEFINED"],
    ["bedrock", "list-inference-profiles", "--type-equals", "APPLICATION"],
    ["bedrock", "get-use-case-for-model-access"],
    ["cloudtrail", "lookup-events", "--lookup-attributes",
     "AttributeKey=EventName,AttributeValue=InvokeModelWithResponseStream"],
    ["service-quotas", "list-service-quotas", "--service-code", "bedrock"],
    ["bedrock-runtime", "invoke-model", "--model-id", MODEL, "--body", BODY, "/dev/null"],
]


def environment(home):
    return {
        "HOME": home,
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "COLUMNS": "100",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def run(arguments, home, **more):
    return subprocess.run([str(part) for part in arguments], env=environment(home), cwd=home,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def timed(arguments, home, codes=(0,)):
    begun = time.perf_counter()
    ran = run(arguments, home)
    spent = (time.perf_counter() - begun) * 1000
    if ran.returncode not in codes:
        sys.exit(f"{arguments} ended with {ran.returncode}: {ran.stderr.decode()[:400]}")
    return spent, ran.stdout


def spread(values, unit="ms", digits=0):
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} {unit} ({low:.{digits}f} to {high:.{digits}f})"


def row(what, figure, against=""):
    print(f"  {what:<58} {figure:<28} {against}", flush=True)


def first_line_of_progress(home):
    """From the start of the program to the first byte on its terminal, in milliseconds."""
    begun = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(home)
        os.execve(BEDSIDE, [str(BEDSIDE), "doctor", "--simulate", "healthy"], environment(home))
    ready, _, _ = select.select([terminal], [], [], 10)
    spent = (time.perf_counter() - begun) * 1000
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass  # what the other end of a terminal says when it is closed
    os.waitpid(child, 0)
    return spent if ready else float("inf")


def peak_memory(arguments, home):
    """The most that the program and its probing process held together, in MiB, looked at every 2 ms."""
    child = subprocess.Popen([str(part) for part in arguments], env=environment(home), cwd=home,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while child.poll() is None:
        family, held = [child.pid], 0
        for pid in family:
            try:
                status = Path(f"/proc/{pid}/status").read_text()
                held += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
                for task in Path(f"/proc/{pid}/task").iterdir():
                    family += [int(other) for other in (task / "children").read_text().split()]
            except (OSError, StopIteration):
                continue
        most = max(most, held)
        time.sleep(0.002)
    return most / 1024


def aws_commands(scenario, commands, home, latency):
    """Runs AWS CLI commands one after the other on a simulated machine; returns the milliseconds of all of them."""
    script = "\n".join(
        'export AWS_PAGER= AWS_REGION=us-east-1 AWS_PROFILE="${AWS_PROFILE:-work}"' if index == 0 else
        " ".join(f"'{part}'" for part in [str(AWS), *commands[index - 1]]) + " >/dev/null || exit 9"
        for index in range(len(commands) + 1)
    )
    fault = ["--fault", f"latency={latency}ms"] if latency else []
    with tempfile.NamedTemporaryFile("w", suffix=".sh", dir=home) as file:
        file.write(script)
        file.flush()
        return timed([BEDSIDE, "simulate", scenario, *fault, "--", "bash", file.name], home)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9, help="runs of each figure (default 9)")
    runs = parser.parse_args().runs
    if not BEDSIDE.exists():
        sys.exit(f"{BEDSIDE} is not there: cargo build --release")
    aws = AWS.exists()
    with tempfile.TemporaryDirectory() as home:
        healthy = [BEDSIDE, "doctor", "--simulate", "healthy", "--format", "json"]
        for _ in range(2):
            timed(healthy, home)

        print("Start")
        own = [timed([BEDSIDE, "--version"], home)[0] for _ in range(3 * runs)]
        row("bedside --version", spread(own, digits=1), "limit 10 ms")
        if aws:
            other = [timed([AWS, "--version"], home)[0] for _ in range(3)]
            row("aws --version", spread(other), f"{statistics.median(other) / statistics.median(own):.0f} times as long")
        row("first line of progress of doctor", spread([first_line_of_progress(home) for _ in range(runs)]), "limit 100 ms")

        print("A healthy doctor, without latency")
        whole = [timed(healthy, home)[0] for _ in range(runs)]
        row("doctor --simulate healthy, simulation included", spread(whole), "limit 300 ms")
        if aws:
            cli = [aws_commands("healthy", SAME_FACTS, home, 0) for _ in range(3)]
            row(f"the AWS CLI for the same facts, {len(SAME_FACTS)} commands", spread(cli),
                f"{statistics.median(cli) / statistics.median(whole):.1f} times as long")
        row("peak memory, program and probing process together",
            spread([peak_memory(healthy, home) for _ in range(runs)], "MiB"), "limit 60 MiB")
        row("size of the program", f"{BEDSIDE.stat().st_size / 2**20:.1f} MiB", "limit 30 MiB")

        print(f"Rounds: {LATENCY_MS} ms before every answer")
        late = {}
        for scenario in ["healthy", "healthy-unpinned", "healthy-sso", "healthy-two-hop-role", "healthy-aws-sdk",
                         "healthy-web-identity", "healthy-imds-role"]:
            arguments = [BEDSIDE, "doctor", "--simulate", scenario, "--fault", f"latency={LATENCY_MS}ms", "--format", "json"]
            measured = [timed(arguments, home) for _ in range(max(3, runs // 2))]
            late[scenario] = statistics.median(spent for spent, _ in measured)
            calls = json.loads(measured[-1][1])["calls"]
            rounds = int(late[scenario] // LATENCY_MS)
            one_by_one = sum(call["ms"] for call in calls)
            row(f"doctor --simulate {scenario}: {len(calls)} calls", spread([spent for spent, _ in measured]),
                f"{rounds} rounds and {late[scenario] - rounds * LATENCY_MS:.0f} ms; "
                f"one by one {one_by_one} ms ({one_by_one / late[scenario]:.1f} times); limit 4 rounds and 150 ms")
        if aws:
            for what, commands in [("the guide's commands", GUIDE), ("the same facts", SAME_FACTS)]:
                cli = [aws_commands("healthy", commands, home, LATENCY_MS) for _ in range(2)]
                row(f"the AWS CLI for {what}, {len(commands)} commands", spread(cli),
                    f"{statistics.median(cli) / late['healthy']:.1f} times as long as doctor")
        else:
            print(f"  left out: everything of the AWS CLI ({AWS} is not there; tests/run installs it)")

        print("Truth: the first root cause of every scenario, and no finding where nothing is wrong")
        listed = json.loads(run([BEDSIDE, "simulate", "--list", "--format", "json"], home).stdout)
        true = healthy_ones = invented = 0
        for scenario in listed:
            report = json.loads(run([BEDSIDE, "doctor", "--simulate", scenario["name"], "--format", "json"], home).stdout)
            first = next((cause["cause"] for cause in report["root_causes"]), None)
            true += first == scenario["cause"] and report["verdict"] == scenario["verdict"]
            if scenario["verdict"] == "ok":
                healthy_ones += 1
                invented += any(check["status"] in ("warn", "fail") for check in report["checks"])
        row("scenarios whose verdict and first root cause are the true ones", f"{true} of {len(listed)}", "all")
        row("healthy scenarios with a warning or a failure", f"{invented} of {healthy_ones}", "none")


if __name__ == "__main__":
    main()
