"""The playground's answers: exact iterates, every endpoint, and refusals that say why."""

from __future__ import annotations

import base64
import concurrent.futures
import json
import math
from typing import Any

import httpx
import numpy as np
import pytest

from descentlab.studies.configurations import configurations
from descentlab.studies.load import load_study
from tests.web.conftest import Server

START, STEPS = (-1.54, -0.64), 150
ASKED: dict[str, Any] = {
    "landscape": "rosenbrock",
    "methods": ["gd lr=0.001", "momentum lr=0.0002", "rmsprop lr=0.01", "adam lr=0.05"],
    "start": START,
    "steps": STEPS,
}
ONE = {"landscape": "rosenbrock", "method": "gd lr=0.001", "start": START}


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    with httpx.Client(base_url=server.address, timeout=60) as found:
        yield found


def slope(point: np.ndarray) -> np.ndarray:
    x, y = point
    return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])


def literal(kind: str, lr: float, decay: float) -> np.ndarray:
    """The four updates, written out in NumPy."""
    point, path = np.array(START), [np.array(START)]
    first, second = np.zeros(2), np.zeros(2)
    for t in range(1, STEPS + 1):
        gradient, rate = slope(point), lr / (1 + decay * t)
        if kind == "gd":
            point = point - rate * gradient
        elif kind == "momentum":
            first = 0.9 * first - rate * gradient
            point = point + first
        elif kind == "rmsprop":
            second = 0.9 * second + 0.1 * gradient**2
            point = point - rate * gradient / (np.sqrt(second) + 1e-8)
        else:
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            above = first / (1 - 0.9**t)
            point = point - rate * above / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        path.append(point)
    return np.array(path)


@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize(
    ("kind", "lr"), [("gd", 0.001), ("momentum", 0.0002), ("rmsprop", 0.01), ("adam", 0.05)]
)
def test_iterates_are_those_of_a_literal_loop(client: httpx.Client, kind, lr, decay) -> None:
    text = f"{kind} lr={lr} lr_decay={decay}"
    answer = client.post("/api/run", json={**ASKED, "methods": [text]}).json()
    (descent,) = answer["descents"]
    wanted = literal(kind, lr, decay)
    np.testing.assert_allclose(descent["path"], wanted, rtol=0, atol=1e-12)
    x, y = wanted.T
    np.testing.assert_allclose(descent["cost"], (1 - x) ** 2 + 100 * (y - x * x) ** 2, rtol=1e-9)
    t = np.arange(1, STEPS + 1)
    assert descent["rate"][0] is None
    np.testing.assert_allclose(descent["rate"][1:], lr / (1 + decay * t), rtol=1e-15)


def test_divergence_is_told_and_has_no_numbers(client: httpx.Client) -> None:
    answer = client.post("/api/run", json={**ASKED, "methods": ["momentum lr=0.001"]}).json()
    (descent,) = answer["descents"]
    assert descent["diverged"] and descent["diagnosis"]["outcome"] == "diverges"
    after = descent["path"][descent["diverged_at"] + 1 :]
    assert after and all(None in point for point in after)
    assert descent["cost"][-1] is None


def test_catalogue(client: httpx.Client) -> None:
    found = client.get("/api/catalogue").json()
    assert len(found["landscapes"]) >= 12
    assert {"gd", "momentum", "rmsprop", "adam", "newton", "lookahead"} <= set(found["methods"])
    for kind, method in found["methods"].items():
        body = {**ASKED, "methods": [method["text"]], "steps": 30}
        assert client.post("/api/run", json=body).status_code == 200, kind


def test_surface(client: httpx.Client) -> None:
    body = {"landscape": "rosenbrock", "columns": 5, "rows": 3, "domain": [[-1, 1], [0, 2]]}
    found = client.post("/api/surface", json=body).json()
    costs = np.frombuffer(base64.b64decode(found["values"]), np.float32).reshape(3, 5)
    x, y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(0, 2, 3))
    np.testing.assert_allclose(costs, (1 - x) ** 2 + 100 * (y - x * x) ** 2, rtol=1e-6)
    assert found["landscape"]["minima"] == [{"point": [1.0, 1.0], "value": 0.0}]


@pytest.mark.parametrize(
    "method",
    [
        "gd lr=0.0005 schedule=cosine",
        "adam lr=0.05 schedule=one_cycle",
        "momentum lr=0.0002 lr_decay=0.01",
        "newton",
        "muon lr=0.01",
        "lookahead inner.kind=adam inner.learning_rate=0.01",
    ],
)
@pytest.mark.parametrize("at", [2, 40])
def test_a_moment_is_of_the_run_that_is_shown(client: httpx.Client, method: str, at: int) -> None:
    asked = {**ASKED, "methods": [method]}
    (run,) = client.post("/api/run", json=asked).json()["descents"]
    one = {**ONE, "method": method, "at": at, "steps": STEPS}
    found = client.post("/api/moment", json=one).json()
    values = {line["name"]: line["value"] for line in found["lines"]}
    if "lookahead" not in method:  # whose slow weights are what is shown
        assert [values["w1_new"], values["w2_new"]] == pytest.approx(run["path"][at], rel=1e-9)
    assert bool(found["note"]) == (not any(line["formula"] for line in found["lines"]))


def test_the_exercise_page_gives_no_answer_away(client: httpx.Client) -> None:
    numbers = {"H3": "0.755", "H4": "0.86"}
    asked = {"exercise": "backprop-2-2-1", "numbers": numbers}
    found = client.post("/api/check", json=asked).json()
    told = json.dumps([found["sentences"], [item["guess"] for item in found["items"]]])
    assert "H4" in found["sentences"][0]
    assert "0.68" not in told
    assert "digits exchanged" in told


def test_a_link_on_another_page_may_be_followed_and_nothing_else(client: httpx.Client) -> None:
    followed = {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    }
    assert client.get("/", headers=followed).status_code == 200
    framed = {**followed, "sec-fetch-dest": "iframe"}
    assert client.get("/", headers=framed).status_code == 403
    fetched = {**followed, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
    assert client.get("/api/catalogue", headers=fetched).status_code == 403


def test_what_is_not_there_is_told_as_other_faults_are(client: httpx.Client) -> None:
    assert client.get("/api/exercises/a/b").json() == {"error": "Not Found", "field": ""}


def test_moment(client: httpx.Client) -> None:
    found = client.post("/api/moment", json={**ONE, "at": 3}).json()
    values = {line["name"]: line["value"] for line in found["lines"]}
    path = literal("gd", 0.001, 0)
    assert math.isclose(values["w1"], path[2, 0]) and math.isclose(values["w1_new"], path[3, 0])
    assert all("<math" in line["math"] for line in found["lines"])


def test_tune_finds_what_succeeds(client: httpx.Client) -> None:
    found = client.post("/api/tune", json={**ONE, "method": "adam", "steps": 150}).json()
    assert found["tried"] >= 9000
    assert found["robust"]["success"] >= found["best"]["success"] or found["best"]["success"] == 1
    body = {**ASKED, "methods": [found["best"]["method"]]}
    (descent,) = client.post("/api/run", json=body).json()["descents"]
    assert math.isclose(descent["final_cost"], found["best"]["final_cost"], rel_tol=1e-6)


def test_basins_agree_with_runs(client: httpx.Client) -> None:
    asked = {"landscape": "himmelblau", "steps": 150}
    found = client.post("/api/basins", json={**asked, "method": "gd lr=0.01"}).json()
    rows, columns = found["shape"]
    assert found["starts"] == rows * columns >= 250_000
    index = np.frombuffer(base64.b64decode(found["index"]), np.int8).reshape(rows, columns)
    for x, y in [(1.0, 1.0), (-4.0, 2.0), (-2.0, -3.0), (4.0, -4.0)]:
        run = {**asked, "methods": ["gd lr=0.01"], "start": [x, y]}
        (descent,) = client.post("/api/run", json=run).json()["descents"]
        place = index[int((y + 5) / 10 * rows), int((x + 5) / 10 * columns)]
        np.testing.assert_allclose(
            descent["path"][-1], found["minima"][place]["point"], rtol=0, atol=1e-3
        )


def test_stability_agrees_with_runs(client: httpx.Client) -> None:
    found = client.post("/api/stability", json={**ONE, "steps": 150}).json()
    shape = len(found["values"]), len(found["rates"])
    index = np.frombuffer(base64.b64decode(found["index"]), np.int8).reshape(shape)
    assert found["now"] == {"rate": 0.001, "other": 0.0}
    for row, column in [(0, 60), (0, 100), (100, 50), (100, 70)]:
        text = found["template"].format(
            rate=repr(found["rates"][column]), other=repr(found["values"][row])
        )
        (descent,) = client.post("/api/run", json={**ASKED, "methods": [text]}).json()["descents"]
        wanted = found["outcomes"][index[row, column]]
        assert descent["diagnosis"]["outcome"] == wanted, text


@pytest.mark.parametrize("landscape", ["rosenbrock", "w1^2 + 3*w2^2", "ravine"])
def test_study_file_is_a_study(client: httpx.Client, tmp_path, landscape) -> None:
    found = client.post("/api/study", json={**ASKED, "landscape": landscape}).json()
    (tmp_path / found["file"]).write_text(found["text"])
    study = load_study(tmp_path / found["file"])
    assert len(configurations(study)) == 4
    assert study.run["steps"] == STEPS and study.run["precision"] == "float64"


def test_no_study_of_noise(client: httpx.Client) -> None:
    answer = client.post("/api/study", json={**ASKED, "landscape": "noisy_quadratic"})
    assert answer.status_code == 422 and "noisy" in answer.json()["error"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"landscape": "rosenbrok"}, ""),
        ({"landscape": "w1^2 +"}, "formula"),
        ({"landscape": "__import__('os')"}, "formula"),
        ({"landscape": "w1.__class__"}, "formula"),
        ({"landscape": "w1 + w9"}, "formula"),
        ({"landscape": "1+" * 600 + "w1"}, "landscape"),
        ({"landscape": "(" * 200 + "w1" + ")" * 200}, "formula"),
        ({"landscape": 3}, "landscape"),
        ({"methods": ["gd lr=abc"]}, "methods.0"),
        ({"methods": ["gd", "adma"]}, "methods.1"),
        ({"methods": ["gd", "adam lr=nan"]}, "methods.1"),
        ({"methods": ["gd lr=1e400"]}, "methods.0"),
        ({"methods": ["adam lr=-1"]}, "methods.0"),
        ({"methods": ["gd colour=red"]}, "methods.0"),
        ({"methods": ["gd lr=!!python/object/apply:os.system [id]"]}, "methods.0"),
        (
            {"methods": ["lookahead inner.kind=sgd"], "steps": 2},
            "methods.0",
        ),
        ({"methods": []}, "methods"),
        ({"methods": ["gd"] * 17}, "methods"),
        ({"methods": "gd"}, "methods"),
        ({"methods": ["x" * 1001]}, "methods.0"),
        ({"start": [1, 2, 3]}, "start"),
        ({"start": ["a", 1]}, "start.0"),
        ({"start": [1e300, 1]}, "start"),
        ({"start": None}, "start"),
        ({"steps": 0}, "steps"),
        ({"steps": 10**9}, "steps"),
        ({"steps": 20_000, "methods": ["gd"] * 6}, "steps"),
        ({"steps": 1.5}, "steps"),
        ({"seed": -1}, "seed"),
        ({"settings": {"condition": 5}}, "condition"),
        ({"settings": {"depth": 5}}, "settings"),
        ({"landscape": "ravine", "settings": {"condition": -1}}, "condition"),
        ({"domain": [[1, 0], [0, 1]]}, "domain"),
        ({"domain": [[0, 1e308], [0, 1]]}, "domain"),
        ({"more": 1}, "more"),
    ],
)
def test_nonsense_is_refused_with_its_field(client: httpx.Client, change, field) -> None:
    answer = client.post("/api/run", json={**ASKED, **change})
    assert answer.status_code == 422
    found = answer.json()
    assert found["field"] == field and found["error"]


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b"null", b"[]", b'{"steps": NaN}', b"[" * 50_000, b"\xff\xfe", b'"text"'],
)
@pytest.mark.parametrize("path", ["run", "surface", "tune", "moment", "check", "solve", "basins"])
def test_what_is_no_request_is_refused(client: httpx.Client, path, body) -> None:
    head = {"content-type": "application/json"}
    answer = client.post(f"/api/{path}", content=body, headers=head)
    assert 400 <= answer.status_code < 500


def test_nan_is_no_number(client: httpx.Client) -> None:
    text = json.dumps({**ASKED, "start": [math.nan, 1.0]})
    head = {"content-type": "application/json"}
    answer = client.post("/api/run", content=text, headers=head)
    assert answer.status_code == 422 and answer.json()["field"] == "start.0"


def test_exercises(client: httpx.Client) -> None:
    names = {item["name"] for item in client.get("/api/exercises").json()}
    assert "newton-step" in names
    for language in ("en", "fa"):
        found = client.get(f"/api/exercises/newton-step?language={language}").json()
        assert found["asked"] and found["given"] and found["text"]
        label = found["asked"][0]["label"]
        body = {"exercise": "newton-step", "label": label, "language": language}
        assert "<math" in client.post("/api/solve", json=body).json()["math"]
        body = {"exercise": "newton-step", "numbers": {label: "123.456"}, "language": language}
        answer = client.post("/api/check", json=body).json()
        item = next(item for item in answer["items"] if item["name"] == label)
        assert item["status"] == "wrong" and item["expected"] is None


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd"])
def test_exercises_are_no_files(client: httpx.Client, name) -> None:
    assert client.get(f"/api/exercises/{name}").status_code in (404, 422)
    body = {"exercise": name, "label": "w1"}
    assert client.post("/api/solve", json=body).status_code == 422


def test_the_same_request_has_the_same_answer(client: httpx.Client) -> None:
    first = client.post("/api/run", json=ASKED).content
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        again = list(pool.map(lambda _: client.post("/api/run", json=ASKED).content, range(8)))
    assert set(again) == {first}
