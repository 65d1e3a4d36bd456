"""The page without a mouse, without good eyes, in the dark."""

from __future__ import annotations

from importlib import resources

import pytest

from tests.web.conftest import Opener, Play

pytestmark = pytest.mark.browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LINKS = {
    "map": "",
    "formula": "#l=&f=w1^2%2B2*w2^2&p=1,1&m=adam+lr%3D0.1",
    "basins": "#l=himmelblau&p=1,1&m=gd+lr%3D0.01&v=basins",
    "stability": "#v=stability",
    "persian": "#x=newton-step&lang=fa",
}


SEEN = [
    ("map", "light"),
    ("map", "dark"),
    ("formula", "light"),
    ("basins", "dark"),
    ("stability", "light"),
    ("persian", "dark"),
]


@pytest.mark.parametrize(("view", "scheme"), SEEN)
def test_axe_finds_nothing(opener: Opener, view, scheme) -> None:
    pytest.importorskip("axe_playwright_python")
    # axe is put in past what the page's own policy allows
    play = opener(color_scheme=scheme, bypass_csp=True)
    play.open(LINKS[view])
    play.settled()
    if view == "map":
        play.page.click("[data-tune='0']")
        play.page.wait_for_selector("[data-use=best]")
        play.page.fill("[data-key='1.learning_rate']", "x")
        play.page.press("[data-key='1.learning_rate']", "Tab")
        play.page.click("#epochs-box summary")
    if view == "persian":
        play.page.fill("[data-answer=f]", "5.5")
        play.page.wait_for_selector(".status.wrong")
    source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
    play.page.add_script_tag(content=source)
    options = {"runOnly": {"type": "tag", "values": TAGS}}
    found = play.page.evaluate("options => axe.run(options)", options)
    told = [
        (fault["id"], node["target"], node["failureSummary"])
        for fault in found["violations"]
        for node in fault["nodes"]
    ]
    assert not told, told
    assert len(found["passes"]) > 15


def test_everything_is_reached_by_keyboard(play: Play) -> None:
    play.open()
    play.settled()
    wanted = set(
        play.page.evaluate(
            """[...document.querySelectorAll("a, button, input, select, summary, [tabindex='0']")]
            .filter((e) => e.checkVisibility() && !e.disabled && e.tabIndex >= 0)
            .filter((e) => e.type !== "radio" || e.checked)
            .map((e, i) => { e.dataset.mark = String(i); return String(i); })"""
        )
    )
    assert len(wanted) > 40
    seen: set[str] = set()
    for _ in range(len(wanted) + 10):
        play.page.keyboard.press("Tab")
        seen.add(play.page.evaluate("document.activeElement.dataset.mark ?? ''"))
    assert wanted <= seen


def test_focus_is_seen(play: Play) -> None:
    play.open()
    play.page.keyboard.press("Tab")
    assert play.page.evaluate("document.activeElement.className") == "skip"
    play.page.keyboard.press("Tab")
    width = play.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert width == "3px"


def test_dark(opener: Opener) -> None:
    play = opener(color_scheme="dark")
    play.open()
    colours = play.page.evaluate(
        """() => { const style = getComputedStyle(document.body);
        const pen = document.getElementById("ground-canvas").getContext("2d");
        return [style.backgroundColor, style.color, [...pen.getImageData(5, 5, 1, 1).data]]; }"""
    )
    assert colours[0] == "rgb(20, 22, 26)" and colours[1] == "rgb(231, 231, 228)"
    play.page.emulate_media(color_scheme="light")
    play.until("getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'")
    play.settled()
    pixel = (
        "[...document.getElementById('ground-canvas').getContext('2d').getImageData(5,5,1,1).data]"
    )
    assert play.page.evaluate(pixel) != colours[2]


def test_no_motion_unless_asked(play: Play) -> None:
    play.open()
    before = play.state()["at"]
    play.page.wait_for_timeout(300)
    assert play.state()["at"] == before
