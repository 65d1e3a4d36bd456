"""The page in a browser: its views, what is taken away from it, its exercises, odd sizes."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx
import numpy as np
import pytest

from descentlab.studies.configurations import configurations
from descentlab.studies.load import load_study
from tests.web.conftest import Opener, Play, Server, handle

pytestmark = pytest.mark.browser

HIMMELBLAU = "#l=himmelblau&p=1,1&n=60&m=gd+lr%3D0.01&m=adam+lr%3D0.1"


def grabbed(play: Play, way: Any) -> str:
    """Return what a click makes the browser save."""
    with play.page.expect_download() as waiting:
        play.page.click(way)
    return waiting.value.path().read_bytes().decode("latin-1")


def test_tune_and_use(play: Play) -> None:
    play.open("#m=adam&m=gd")
    play.page.click("[data-tune='0']")
    play.page.wait_for_selector("[data-use='robust best']")
    assert "settings over" in play.text("#tuning") and "%" in play.text("#tuning")
    play.page.click("[data-use='robust best']")
    play.settled()
    assert play.state()["methods"][0].startswith("adam learning_rate=")
    assert "converges" in play.text("#result-0")


def test_basins(play: Play) -> None:
    play.open(HIMMELBLAU)
    play.page.click("#tab-basins")
    play.says("#said", "starts ×")
    assert "262,144" in play.text("#said") and play.text("#legend").count("cost 0") == 4
    assert "1 gd" in play.text("#caption") and len(play.paths()) == 1
    before = play.paths()
    box = play.page.locator("#overlay").bounding_box()
    play.page.mouse.move(box["x"] + 120, box["y"] + 100)
    assert "to the minimum of" in play.text("#tip")
    play.page.mouse.click(box["x"] + 120, box["y"] + 100)
    play.settled()
    assert play.state()["start"][0] < 0 and play.paths() != before
    play.page.click("#tab-map")
    assert len(play.paths()) == 2


def test_rate_and_momentum(play: Play) -> None:
    play.open()
    play.page.click("#tab-stability")
    play.says("#said", "settings")
    assert play.page.locator("#handle").count() == 0 and not play.paths()
    assert "diverges: " in play.text("#legend") and "learning rate" in play.text("#caption")
    box = play.page.locator("#overlay").bounding_box()
    play.page.mouse.click(box["x"] + 150, box["y"] + 100)
    play.settled()
    state = play.state()
    assert state["view"] == "map" and "momentum=" in state["methods"][0]
    assert len(play.paths()) == 4


def test_views_switched_while_answers_are_under_way(play: Play) -> None:
    play.open(HIMMELBLAU)
    map_paths = play.paths()
    for view in ("basins", "stability", "basins", "map", "stability", "map"):
        play.page.click(f"#tab-{view}")
    play.settled()
    play.page.wait_for_timeout(600)
    assert play.paths() == map_paths and "Contours" in play.text("#caption")
    assert "busy" not in play.page.get_attribute("#picture", "class")
    play.page.keyboard.press("ArrowRight")
    assert play.page.evaluate("document.activeElement.id") == "tab-surface"


def test_surface(play: Play) -> None:
    play.open("#l=himmelblau&p=1,1&n=30&m=gd+lr%3D0.01&v=surface")
    play.page.wait_for_selector("#surface canvas")
    traces = play.page.evaluate("document.getElementById('surface').data.map(t => t.type)")
    assert traces == ["surface", "scatter3d"]
    assert "log10" in play.text("#caption") and not play.page.is_visible("#overlay")


def test_csv_reads_back_to_the_same_bits(play: Play, server: Server) -> None:
    play.open(HIMMELBLAU)
    rows = list(csv.DictReader(io.StringIO(grabbed(play, "[data-export=csv]"))))
    body = {
        "landscape": "himmelblau",
        "methods": ["gd lr=0.01", "adam lr=0.1"],
        "start": [1, 1],
        "steps": 60,
    }
    found = httpx.post(f"{server.address}api/run", json=body, timeout=30).json()["descents"]
    assert len(rows) == 122
    for row, (text, t) in zip(rows, [(m, t) for m in (0, 1) for t in range(61)], strict=True):
        assert row["method"] == body["methods"][text] and int(row["epoch"]) == t
        assert [float(row["w1"]), float(row["w2"])] == found[text]["path"][t]
        assert float(row["cost"]) == found[text]["cost"][t]


def test_pictures_and_a_study_to_take_away(play: Play, tmp_path) -> None:
    play.open(HIMMELBLAU)
    drawn = grabbed(play, "[data-export=svg]")
    assert drawn.startswith("<svg") and play.paths()[0] in drawn and "data:image/png" in drawn
    assert "http" not in drawn.replace("http://www.w3.org", "")
    assert grabbed(play, "[data-export=png]").startswith("\x89PNG")
    (tmp_path / "study.yaml").write_text(grabbed(play, "[data-export=study]"))
    assert len(configurations(load_study(tmp_path / "study.yaml"))) == 2


def test_exercise(play: Play) -> None:
    play.open()
    play.page.wait_for_selector("#exercise option[value=newton-step]", state="attached")
    play.page.select_option("#exercise", "newton-step")
    play.page.fill("[data-answer=f]", "4")
    status = ".answer[data-label=f] .status"
    play.until(f"document.querySelector('{status}').textContent === 'ok'")
    play.page.fill("[data-answer=f]", "7.25")
    play.page.wait_for_selector(".answer[data-label=f] .status.wrong")
    play.page.fill("[data-answer=f]", "x")
    play.page.wait_for_selector(".answer[data-label=f] .status.bad")
    play.page.fill("[data-answer=f]", "4")
    play.page.click(".answer[data-label=d_x] button")
    play.page.wait_for_selector(".answer[data-label=d_x] .solution math")
    assert play.page.locator(".solution math").count() == 1  # of this step alone


def test_a_number_carried_on(play: Play) -> None:
    play.open("#x=newton-step&lang=en")
    play.page.wait_for_selector("[data-answer=f]")
    working = {"d_x": 3, "d_y": 5, "hessian[1,1]": 2, "hessian[1,2]": 2, "hessian[2,1]": 2}
    for label, value in {**working, "hessian[2,2]": 7}.items():
        play.page.fill(f"[data-answer='{label}']", str(value))
    statuses = "[...document.querySelectorAll('.answer .status')].map((e) => e.className)"
    play.until(f"{statuses}.some((name) => name.includes('wrong'))")
    step = ([[2, 2], [2, 7]], [3, 5])  # what follows from those numbers, right or wrong
    newton = np.linalg.solve(*map(np.array, step))
    for number, value in enumerate(newton, 1):
        play.page.fill(f"[data-answer='newton[{number}]']", repr(float(value)))
    play.until(f"{statuses}.filter((name) => name.includes('carried')).length === 2")
    assert "carried" in play.text("#sheet")


def test_the_numbers_that_may_be_typed(play: Play) -> None:
    play.open()
    wanted = {"1": 1, "-0.5": -0.5, "1e-3": 0.001, " ۱٫۵ ": 1.5, "−2": -2, "٣": 3, ".5": 0.5}
    nonsense = ["", "1e", "--1", "0x10", "Infinity", "1,5", "1 2", "e5", "1e999"]
    code = "given => import('/static/js/dom.js').then(({ typed }) => given.map(typed))"
    found = play.page.evaluate(code, [*wanted, *nonsense])
    assert found[: len(wanted)] == list(wanted.values())
    assert all(value != value for value in found[len(wanted) :])


def test_persian_exercise(play: Play) -> None:
    play.open("#x=newton-step&lang=fa")
    play.page.wait_for_selector("[data-answer=f]")
    assert play.page.get_attribute("#exercises", "dir") == "rtl"
    assert play.page.get_attribute("#exercises", "lang") == "fa"
    play.page.fill("[data-answer=f]", "۴")
    play.page.wait_for_selector(".answer[data-label=f] .status.ok")
    assert play.text(".answer[data-label=f] .status") == "درست"
    play.page.select_option("#language", "en")
    play.until("document.getElementById('exercises').dir === 'ltr'")
    play.page.wait_for_selector(".answer[data-label=f] .status.ok")  # the number was kept
    assert play.page.input_value("[data-answer=f]") == "۴"


@pytest.mark.parametrize(
    "link",
    [
        "#p=-1.54,-0.64&m=momentum+lr%3D0.001&m=gd+lr%3D0.01&m=adam+lr%3D0.05",
        "#l=&f=log(w1)&p=-1,1&m=gd+lr%3D0.1",
        "#l=&f=1/w1&p=0,1&m=gd+lr%3D0.1",
        "#l=&f=exp(w1^2)&p=4,4&m=gd+lr%3D10",
        "#l=saddle&p=0.5,0.5&n=2000&m=gd+lr%3D0.5",
    ],
)
def test_divergence_is_no_broken_picture(play: Play, link) -> None:
    play.open(link)
    play.settled()
    drawn = play.page.eval_on_selector_all("svg *", "found => found.map(e => e.outerHTML).join()")
    assert "NaN" not in drawn and "Infinity" not in drawn
    said = play.text("#cards") + play.text("#diagnosis")
    assert "diverge" in said
    assert play.page.locator("#now tbody tr").count() >= 1
    play.page.click("#rewind")
    play.page.click("#step")
    play.settled()


def test_phone(opener: Opener) -> None:
    play = opener(viewport={"width": 390, "height": 844}, is_mobile=True)
    play.open("#x=newton-step&lang=en")
    play.page.wait_for_selector("[data-answer=f]")
    for view in ("map", "basins", "stability"):
        play.page.click(f"#tab-{view}")
        play.settled()
        wide = play.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= 390 and wide[1] == 390, view


def test_resizing_draws_anew(play: Play) -> None:
    play.open(HIMMELBLAU)
    before = play.paths()
    play.page.set_viewport_size({"width": 700, "height": 900})
    play.until("document.querySelector('#overlay .path').getAttribute('d') !== given", before[0])
    handle_at, canvas = (
        play.page.locator(place).bounding_box() for place in ("#handle", "#ground-canvas")
    )
    middle = handle_at["x"] + handle_at["width"] / 2
    assert (middle - canvas["x"]) / canvas["width"] == pytest.approx(0.6, abs=0.01)


def test_exact_values_on_hover(play: Play, server: Server) -> None:
    play.open(HIMMELBLAU + "&t=0")
    play.page.mouse.move(*handle(play))
    play.page.mouse.move(*[value + 1 for value in handle(play)])
    assert "epoch 0\nw1 1\nw2 1\ncost 106" in play.text("#tip")
    play.page.locator("#curves").scroll_into_view_if_needed()
    box = play.page.locator("#curves").bounding_box()
    play.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    play.says("#curves-tip", "epoch")
    body = {"landscape": "himmelblau", "methods": ["gd lr=0.01"], "start": [1, 1], "steps": 60}
    (found,) = httpx.post(f"{server.address}api/run", json=body, timeout=30).json()["descents"]
    first, cost = play.text("#curves-tip").split("\n")[:2]
    epoch = int(first.removeprefix("epoch "))
    assert float(cost.removeprefix("1 gd ")) == found["cost"][epoch]


def test_all_epochs(play: Play) -> None:
    play.open(HIMMELBLAU)
    play.page.click("#epochs-box summary")
    play.page.wait_for_selector("#epochs tbody tr")
    assert play.page.locator("#epochs tbody tr").count() == 61


def test_state_is_plain_json(play: Play) -> None:
    play.open()
    assert json.loads(json.dumps(play.state()))["speed"] == 60
