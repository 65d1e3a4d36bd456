"""Loading a study: what is no study is said with the file's name, and settings with their place."""

import pytest

from descentlab.core.errors import DescentLabError, SpecError
from descentlab.core.yaml import write_yaml
from descentlab.studies.configurations import configurations
from descentlab.studies.load import load_study
from descentlab.studies.result import StudyResult

RUN = {
    "data": "iris",
    "model": {"kind": "mlp", "hidden": [6]},
    "optimizer": "sgd",
    "epochs": 1,
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my study!.yaml"
    path.write_text(write_yaml({"run": RUN}))
    return path


def test_a_study_without_a_name_has_its_file_s_as_far_as_a_folder_can(file, tmp_path):
    assert load_study(file).name == "my-study"
    strange = file.rename(tmp_path / "….yaml")
    assert load_study(strange).name == "study"


def test_a_name_that_is_no_folder_s_says_what_is_allowed(file):
    with pytest.raises(SpecError, match=r"name: expected at most 100 letters .*'my study'"):
        load_study(file, changes=["name=my study"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("- 1", "expected a study"),
        ("run: [", "line 1, column 7: not valid YAML"),
        ("name: x", "run: this field is required"),
    ],
)
def test_every_message_about_a_damaged_study_names_the_file(tmp_path, content, message):
    path = tmp_path / "study.yaml"
    path.write_text(content)
    for source in (path, tmp_path):
        with pytest.raises(SpecError) as caught:
            load_study(source)
        assert str(caught.value).startswith(str(path)) and message in str(caught.value)
    with pytest.raises(DescentLabError) as caught:
        StudyResult(tmp_path)
    assert str(caught.value).startswith(str(path))


def test_a_folder_that_holds_no_study_says_so(tmp_path):
    with pytest.raises(SpecError, match=r"is a folder without study\.yaml"):
        load_study(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("run=3", r"--set run: there is no such place .*'run\.epochs'"),
        ("run.run=3", r"--set run\.run: there is no such place .*'run\.epochs'"),
        ("run.run.steps=3", r"--set run\.run\.steps: there is no such place .*'run\.steps'"),
        ("model.hidden.5=3", r"--set model\.hidden\.5: .*there is 'model\.hidden'"),
        ("model.hidden.x=3", r"--set model\.hidden\.x: .*there is 'model\.hidden'"),
    ],
)
def test_a_setting_without_a_place_says_what_is_near(file, change, message):
    with pytest.raises(SpecError, match=message):
        load_study(file, changes=[change])


def test_a_path_that_begins_with_run_twice_is_no_path(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(write_yaml({"run": RUN, "vary": {"run.run.epochs": [1, 2]}}))
    with pytest.raises(SpecError, match=r"run\.run: unknown field"):
        configurations(load_study(path))
