"""Every study of the library: its claims can be planned; the cheap ones train, shortened."""

from __future__ import annotations

import pytest

from descentlab.core.yaml import read_yaml
from descentlab.studies.claims.comparisons import plan_claims
from descentlab.studies.claims.verdicts import judge
from descentlab.studies.configurations import configurations, factors
from descentlab.studies.load import library, load_study
from descentlab.studies.result import StudyResult
from descentlab.studies.run import run

SHORT = {
    "newton-and-saddles": [],
    "learning-rate-range": ["epochs=1", "data.split.test=0.8"],
    "regularisation-strength": ["epochs=2", "data.split.test=100", "data.examples=140"],
    "logistic-descent": ["steps=3"],
}
"""Changes that make a study quick. The others need data, or more time than a test has."""


@pytest.mark.parametrize("name", library())
def test_a_study_says_what_it_asks_and_its_claims_can_be_planned(name):
    study = load_study(name)
    assert study.question.endswith("?")
    found = configurations(study)
    planned = plan_claims(study, found)
    assert len(planned) == len(study.claims)
    for plan in planned:
        assert plan.comparisons, plan.claim.name
    report = study.report
    named = {*report.by, *filter(None, (report.rows, report.columns))}
    assert named <= set(factors(study)), "the report is laid out by factors"


@pytest.mark.parametrize("name", SHORT)
def test_a_shortened_study_trains_and_its_claims_get_verdicts(name, tmp_path):
    study = load_study(name, changes=SHORT[name], seeds=2)
    run(study, tmp_path / "r")
    result = StudyResult(tmp_path / "r")
    assert result.complete
    assert [verdict.claim.name for verdict in judge(result)] == [c.name for c in study.claims]
    written = read_yaml((tmp_path / "r" / "study.yaml").read_text(), "study.yaml")
    assert written["name"] == name
