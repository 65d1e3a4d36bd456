"""The page in a browser: everything that a visitor does, and that it does what it says."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.web.conftest import Opener, Play, Server, handle

pytestmark = pytest.mark.browser

HIMMELBLAU = "#l=himmelblau&p=1,1&n=60&m=gd+lr%3D0.01&m=adam+lr%3D0.1"


def test_the_first_page(play: Play) -> None:
    play.open()
    play.page.wait_for_selector("#moment math")
    assert len(play.paths()) == 4 and all(path.startswith("M") for path in play.paths())
    assert play.text("#now-title") == "At epoch 150"
    rows = play.page.locator("#now tbody tr")
    assert rows.count() == 4
    cost = rows.nth(0).locator("td").nth(0)
    assert cost.get_attribute("title", timeout=1000).startswith("0.3640")
    assert "crawls" in play.text("#diagnosis") and play.page.locator("#moment math").count() >= 5
    assert "Contours" in play.text("#caption") and "(1, 1)" in play.text("#about")


def test_drag_by_pointer(play: Play) -> None:
    play.open(HIMMELBLAU)
    x, y = handle(play)
    seen = [play.paths()[0]]
    play.page.mouse.move(x, y)
    play.page.mouse.down()
    for step in range(1, 5):
        play.page.mouse.move(x + 25 * step, y + 5 * step)
        play.until(
            "document.querySelector('#overlay .path').getAttribute('d') !== given", seen[-1]
        )  # while the pointer is still down
        seen.append(play.paths()[0])
    play.page.mouse.move(9000, y, steps=2)
    play.page.mouse.up()
    play.settled()
    assert len(set(seen)) == 5
    start = play.state()["start"]
    assert start == [5, pytest.approx(1, abs=0.1)]  # the map's edge holds it
    assert play.page.input_value("#start-w1") == "5"
    play.page.mouse.move(x, y)
    play.settled()
    assert play.state()["start"] == start  # it was let go


def test_drag_by_keys(play: Play) -> None:
    play.open(HIMMELBLAU)
    before = play.paths()
    play.page.focus("#handle")
    for key, wanted in [
        ("ArrowRight", [1.05, 1]),
        ("ArrowUp", [1.05, 1.05]),
        ("Shift+ArrowLeft", [0.55, 1.05]),
        ("ArrowDown", [0.55, 1]),
    ]:
        play.page.keyboard.press(key)
        assert play.state()["start"] == pytest.approx(wanted)
    play.settled()
    assert play.paths() != before
    assert play.page.evaluate("document.activeElement.id") == "handle"
    assert "w1 0.55" in (play.page.get_attribute("#handle", "aria-label") or "")


def test_drag_by_touch(opener: Opener) -> None:
    play = opener(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    play.open(HIMMELBLAU)
    before, (x, y) = play.paths(), handle(play)
    session = play.page.context.new_cdp_session(play.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        found = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": found})

    touch("touchStart", (x, y))
    for step in range(1, 5):
        touch("touchMove", (x - 12 * step, y + 10 * step))
    play.settled()
    moved = play.paths()
    touch("touchEnd")
    assert moved != before and play.state()["start"][0] < 0.5
    assert play.page.evaluate("scrollX") == 0
    # Lines that could be touched take Chromium seconds to look through, with all their dots.
    line = "getComputedStyle(document.querySelector('#overlay .path')).pointerEvents"
    assert play.page.evaluate(line) == "none"


def test_time(play: Play) -> None:
    play.open(HIMMELBLAU)
    whole = play.paths()
    play.page.click("#rewind")
    assert play.state()["at"] == 0 and play.text("#now-title") == "At epoch 0"
    play.says("#moment", "No update")
    play.page.click("#step")
    play.page.click("#step")
    play.page.click("#back")
    assert play.state()["at"] == 1 and play.text("#at-text") == "1"
    assert play.paths()[0].count("L") == 1
    play.page.select_option("#speed", "20")
    play.page.click("#play")
    assert play.text("#play-word") == "Pause"
    play.until("document.getElementById('at').value > 4")
    play.page.click("#play")
    at = play.state()["at"]
    play.page.wait_for_timeout(200)
    assert play.state()["at"] == at < 60 and play.text("#play-word") == "Play"
    play.page.select_option("#speed", "300")
    play.page.click("#play")
    play.until("document.getElementById('at').value == 60")
    assert play.text("#play-word") == "Play" and play.paths() == whole
    play.page.locator("#at").fill("30")
    assert play.state()["at"] == 30


def test_playing_while_dragging(play: Play) -> None:
    play.open(HIMMELBLAU.replace("n=60", "n=600"))
    play.page.click("#play")
    x, y = handle(play)
    play.page.mouse.move(x, y)
    play.page.mouse.down()
    for step in range(12):
        play.page.mouse.move(x + 8 * step, y)
        play.page.wait_for_timeout(20)
    at = play.state()["at"]
    play.page.mouse.up()
    play.until(f"document.getElementById('at').value > {at}")
    play.page.click("#play")
    assert 0 < at < 600 and play.state()["start"][0] > 1.5


def test_stop_at_and_run_on(play: Play) -> None:
    play.open(HIMMELBLAU)
    play.put("#steps", "20")
    play.settled()
    assert play.paths()[0].count("L") == 20 and play.text("#now-title") == "At epoch 20"
    for odd in ("", "0", "2.5", "abc", "-3", "1e9", "NaN"):
        play.put("#steps", odd)
        assert "stop at" in play.text("#steps-fault"), odd
        assert play.page.get_attribute("#steps", "aria-invalid") == "true"
    assert play.state()["steps"] == 20
    play.page.click("#converge")
    play.says("#said", "All")
    play.settled()
    assert play.text("#steps-fault") == "" and play.state()["steps"] > 20
    assert play.text("#result-0").endswith("it converges")


def test_optimizers(play: Play) -> None:
    play.open(HIMMELBLAU)
    play.put("[data-key='0.learning_rate']", "0.02")
    play.put("[data-key='0.lr_decay']", "۰٫۵")  # Persian digits
    play.settled()
    assert play.state()["methods"][0] == "gd lr=0.02 lr_decay=0.5"
    play.page.select_option("[data-key='0.kind']", "nadam")
    play.settled()
    assert play.state()["methods"][0].startswith("nadam") and len(play.paths()) == 2
    play.put("[data-key='0.beta1']", "0.8")
    play.settled()
    assert "beta1=0.8" in play.state()["methods"][0]
    play.page.select_option("#add", "rmsprop")
    play.page.click("#add-one")
    play.settled()
    assert len(play.paths()) == 3 and play.state()["chosen"] == 2
    play.page.click("[data-index='2'] summary")
    play.put("[data-key='2.more']", "schedule=cosine")
    play.settled()
    assert play.state()["methods"][2].endswith("schedule=cosine")
    play.page.click("[aria-label='Remove 1, nadam']")
    play.settled()
    assert len(play.paths()) == 2 and play.state()["chosen"] == 1
    assert play.page.evaluate("document.activeElement.dataset.key") == "0.kind"


def test_a_click_right_after_typing_is_not_lost(play: Play) -> None:
    play.open(HIMMELBLAU)
    play.page.fill("[data-key='0.learning_rate']", "0.005")
    play.page.click("[data-tune='1']")
    play.page.wait_for_selector("[data-use='best']")
    assert play.state()["methods"][0] == "gd lr=0.005"
    assert "adam" in play.text("#tuning h3")


@pytest.mark.parametrize("odd", ["abc", "NaN", "1e999"])
def test_nonsense_in_every_number(play: Play, odd) -> None:
    play.open("#l=ravine&p=1,1&n=20&m=momentum+lr%3D0.01&m=adam+lr%3D0.1")
    before = play.state()
    fields = [
        *[(f"[data-key='0.{n}']", "#fault-0") for n in ("learning_rate", "lr_decay", "momentum")],
        *[(f"[data-key='1.{n}']", "#fault-1") for n in ("beta1", "beta2", "epsilon")],
        *[(f"#{n}", "#ground-fault") for n in ("start-w1", "start-w2", "setting-condition")],
        ("#steps", "#steps-fault"),
    ]
    for field, place in fields:
        play.put(field, odd)
        assert "number" in play.text(place), field
        assert play.page.get_attribute(field, "aria-invalid") == "true"
    assert play.state() == before
    handle(play)
    play.page.focus("#handle")
    play.page.keyboard.press("ArrowRight")
    play.settled()
    assert play.text("#fault-0") and play.text("#ground-fault") == ""  # the start was moved


@pytest.mark.parametrize(
    ("field", "value"), [("0.learning_rate", "-1"), ("0.lr_decay", "-0.5"), ("1.beta1", "1.5")]
)
def test_numbers_out_of_range_are_told_beside_them(play: Play, field, value) -> None:
    play.open(HIMMELBLAU)
    with play.page.expect_response(lambda answer: answer.status == 422):
        play.put(f"[data-key='{field}']", value)
    place = f"#fault-{field[0]}"
    play.says(place, "expected a number")
    assert play.text(f"#fault-{1 - int(field[0])}") == ""
    play.put(f"[data-key='{field}']", "0.5")
    play.settled()
    assert play.text(place) == "" and "stale" not in play.page.get_attribute("#picture", "class")


def test_formula(play: Play) -> None:
    play.open(HIMMELBLAU)
    play.page.select_option("#landscape", "")
    play.put("#formula", "(w1 - 1)^2 + 10*(w2 + 2)^2")
    play.settled()
    assert "(1, −2)" in play.text("#about")
    good = play.paths()
    with play.page.expect_response(lambda answer: answer.status == 422):
        play.put("#formula", "(w1 - 1)^2 + 10*(w3 + 2)^2")
    play.settled()
    assert "w3" in play.text("#ground-fault")
    assert play.page.get_attribute("#formula", "aria-invalid") == "true"
    assert "stale" in play.page.get_attribute("#picture", "class")
    play.page.click("#restore")
    play.settled()
    assert play.text("#ground-fault") == "" and play.paths() == good
    assert not play.page.is_visible("#restore")
    play.put("#w1-to", "2")
    play.put("#w1-from", "3")
    assert "below 2" in play.text("#ground-fault")
    play.put("#w1-from", "-1")
    play.settled()
    assert play.state()["domain"] == [[-1, 2], [-5, 5]] and play.paths() != good


def test_a_link_gives_the_same_to_the_bit(play: Play, server: Server) -> None:
    play.open(HIMMELBLAU + "&c=1&t=40")
    play.page.focus("#handle")
    for _ in range(3):
        play.page.keyboard.press("ArrowLeft")
    play.put("[data-key='1.learning_rate']", "0.123456789012345678")
    play.settled()
    answers: list[Any] = []
    asked: list[Any] = []

    def keep(answer: Any) -> None:
        if answer.url.endswith("/api/run"):
            answers.append(answer.text())
            asked.append(answer.request.post_data_json)

    play.page.on("response", keep)
    play.page.click("#share")
    state, paths = play.state(), play.paths()
    link = play.page.evaluate("location.hash")
    play.open(link)
    play.settled()
    assert play.state() == state and play.paths() == paths
    assert state["at"] == 40 and state["chosen"] == 1
    first = httpx.post(f"{server.address}api/run", json=asked[-1], timeout=30).text
    assert answers[-1] == first
    assert parse_qs(urlsplit(link).fragment)["m"][1] == "adam lr=0.12345678901234568"
    play.page.evaluate("location.hash = '#l=saddle&p=0.5,0.1&m=gd'")  # pasted over
    play.settled()
    again = play.state()
    assert again["landscape"] == "saddle" and again["chosen"] == 0 and again["at"] == 150


@pytest.mark.parametrize("link", ["#l=nowhere", "#m=nothing", "#n=abc&p=x,y&v=z&c=99&t=-1", "#m="])
def test_odd_links_are_told_or_passed_over(play: Play, link) -> None:
    page = play.page
    refused: list[int] = []
    page.on("response", lambda answer: refused.append(answer.status))
    page.goto(play.server.address + link)
    play.settled()
    assert 500 not in refused
    if link.startswith("#n"):
        assert len(play.paths()) == 4
    else:
        assert play.text("#ground-fault") or play.text("#fault-0")
