"""cloche env lint."""
import json
import stat

import pytest

BAD = "FROM python:latest\nRUN apt-get install git\nRUN pip install numpy\n"


def test_findings_tell_place_rule_and_remedy(cloche):
    cloche.write("Dockerfile", BAD)
    answer = cloche.run("env", "lint", "Dockerfile", code=1)
    assert "Dockerfile:2:" in answer.out and "warning:" in answer.out and "[" in answer.out
    assert "warning" in answer.err
    data = json.loads(cloche.run("env", "lint", "Dockerfile", "--output", "json", code=1).out)
    assert data["warning_count"] + data["error_count"] > 2
    assert all(one["rule"] and one["file"] == "Dockerfile" for one in data["findings"])
    assert json.loads(cloche.run("env", "lint", "Dockerfile", "--format", "json", code=1).out) == data


def test_a_clean_file_and_standard_input(cloche):
    clean = "FROM debian:12-slim@sha256:" + "0" * 64 + '\nUSER 1000\nCMD ["true"]\n'
    cloche.write("Dockerfile", clean)
    answer = cloche.run("env", "lint", "Dockerfile")
    assert answer.out == "" and answer.err.startswith("0 errors, 0 warnings, ")
    assert "<stdin>:2:" in cloche.run("env", "lint", "-", input=BAD, code=1).out


def test_a_broken_file_is_a_finding(cloche):
    cloche.write("Dockerfile", "FROM python:3.12\nRUNN true\n")
    data = json.loads(cloche.run("env", "lint", "Dockerfile", "--output", "json", code=1).out)
    assert [(one["rule"], one["line"]) for one in data["findings"]] == [("syntax", 2)]
    assert cloche.error("env", "lint", "nowhere", code=4)


def test_rules_are_listed_and_left_out(cloche):
    rules = cloche.json("env", "lint", "--list-rules")["rules"]
    assert len(rules) >= 15 and all(one["summary"] and one["reason"] for one in rules)
    cloche.write("Dockerfile", BAD)
    found = json.loads(cloche.run("env", "lint", "Dockerfile", "--output", "json", code=1).out)["findings"]
    rule = found[0]["rule"]
    words = ["env", "lint", "Dockerfile", "--disable", rule, "--output", "json"]
    assert rule not in [one["rule"] for one in json.loads(cloche.run(*words, code=None).out)["findings"]]
    error = cloche.error("env", "lint", "Dockerfile", "--disable", rule[:-1] + "_", code=2)
    assert error["hint"] == f"did you mean {rule}?"


def test_sarif_names_rules_and_places(cloche):
    cloche.write("Dockerfile", BAD)
    sarif = json.loads(cloche.run("env", "lint", "Dockerfile", "--format", "sarif", code=1).out)
    run = sarif["runs"][0]
    assert sarif["version"] == "2.1.0" and run["tool"]["driver"]["name"] == "cloche"
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert run["results"] and all(one["ruleId"] in known for one in run["results"])


def test_fix_mends_and_keeps_the_permissions(cloche):
    path = cloche.write("Dockerfile", BAD)
    path.chmod(0o640)
    link = cloche.folder / "link"
    link.symlink_to(path)
    before = json.loads(cloche.run("env", "lint", "link", "--output", "json", code=1).out)
    fixable = sum(one["fixable"] for one in before["findings"])
    assert fixable > 0
    after = json.loads(cloche.run("env", "lint", "link", "--fix", "--output", "json", code=None).out)
    assert after["fixed_count"] > 0 and len(after["findings"]) < len(before["findings"])
    assert "--no-cache-dir" in path.read_text()
    assert link.is_symlink() and stat.S_IMODE(path.stat().st_mode) == 0o640
    text = path.read_text()
    cloche.run("env", "lint", "Dockerfile", "--fix", code=None)
    assert path.read_text() == text


@pytest.mark.parametrize("words", [["env", "lint"], ["env", "lint", "--fix", "-"], ["env", "lint", "x", "--format", "xml"]])
def test_wrong_usage(cloche, words):
    cloche.error(*words, code=2)
