"""The studio in a real browser, from a photograph to the same picture out of a shell."""

from __future__ import annotations

import base64
import io
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from PIL import Image

from faceforge.io.provenance import read_provenance
from faceforge_demos.session import SAMPLE

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
PATIENCE_MS = 60_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A studio in a process of its own, as a user starts it."""
    pytest.importorskip("gradio", reason="the studio's browser test needs gradio (extra demo)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("studio") / "log"
    command = [sys.executable, "-m", "faceforge", "demo", "--port", str(port)]
    with log.open("w") as told, subprocess.Popen(command, stdout=told, stderr=told, cwd=log.parent) as studio:
        try:
            yield _answering(f"http://127.0.0.1:{port}/", studio, log)
        finally:
            studio.terminate()


def _answering(address: str, studio: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(600):  # other work may keep the machine busy
        assert studio.poll() is None, log.read_text()
        try:
            urlopen(address, timeout=5).close()
            return address
        except OSError:
            time.sleep(0.5)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip(
        "playwright.sync_api", reason="the studio's browser test needs playwright (pip install playwright)"
    )
    if CHROMIUM is None:
        pytest.skip("the studio's browser test needs chromium")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A fresh visitor; whatever asks another machine for something fails the test."""
    asked: list[str] = []
    opened = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    opened.set_default_timeout(PATIENCE_MS)
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(address)
    opened.wait_for_selector("#sample")
    yield opened
    opened.context.close()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []


def upload(page: Any, path: Path) -> None:
    page.locator("#picker input[type=file]").set_input_files(path)
    if page.locator("#picker .consent").is_visible():
        page.click("#picker .agree")


def after(page: Any) -> str:
    return str(page.locator("#compare .after").get_attribute("src"))


def drag(page: Any, slider: str, to: float) -> None:
    """The handle from where it is to a place of the track, 0..1, without letting go."""
    track = page.locator(f"#{slider} input[type=range]")
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * to, middle, steps=5)


def wait_for_other(page: Any, picture: str) -> None:
    page.wait_for_function("was => document.querySelector('#compare .after').src !== was", arg=picture)


def wait_for_edits(page: Any, count: int) -> None:
    page.wait_for_function("count => document.querySelectorAll('#history .thumbnail-item').length === count", arg=count)


def brightest(seen: Any) -> int:
    """Of what the browser draws there; the rounded corners are the page's."""
    seen.page.evaluate("Promise.all([...document.querySelectorAll('#compare img')].map((each) => each.decode()))")
    drawn = Image.open(io.BytesIO(seen.screenshot())).convert("L")
    return int(drawn.crop((12, 12, drawn.width - 12, drawn.height - 12)).getextrema()[1])


def taken_home(page: Any, to: Path, button: str = "#download") -> Path:
    with page.expect_download() as download:
        page.click(button)
    path = to / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_an_edit_in_the_browser_is_the_same_file_out_of_a_shell(page: Any, tmp_path: Path) -> None:
    photograph = tmp_path / "ada's portrait.png"
    photograph.write_bytes(SAMPLE.read_bytes())
    upload(page, photograph)
    wait_for_edits(page, 1)
    source = after(page)

    drag(page, "AU12", 0.8)
    wait_for_other(page, source)  # the draft, while the handle is still held
    assert page.locator("#history .thumbnail-item").count() == 1
    page.mouse.up()
    wait_for_edits(page, 2)
    assert "AU12" in page.locator("#units").inner_text()

    (tmp_path / "home").mkdir()
    saved = taken_home(page, tmp_path / "home")
    provenance = read_provenance(saved)
    assert provenance["label"] == "AI-edited"
    assert provenance["spec"]["aus"]["AU12"] > 1

    command = page.locator("#shell .cm-content").inner_text()
    here = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / saved.name).read_bytes() == saved.read_bytes()


def test_undo_and_restore_put_the_sliders_back(page: Any) -> None:
    page.click("#sample")
    wait_for_edits(page, 1)
    source = after(page)
    drag(page, "AU12", 0.8)
    page.mouse.up()
    wait_for_edits(page, 2)
    edited, number = after(page), page.locator("#AU12 input[type=number]")
    value = number.input_value()

    page.click("#undo")
    wait_for_other(page, edited)
    assert after(page) == source
    assert float(number.input_value()) == 0
    page.locator("#history .thumbnail-item").nth(1).click()
    wait_for_other(page, source)
    assert after(page) == edited
    assert number.input_value() == value


def test_bad_uploads_give_one_line_and_keep_the_photograph(page: Any, tmp_path: Path) -> None:
    page.click("#sample")
    wait_for_edits(page, 1)
    source = after(page)
    bad = tmp_path / "page.png"
    bad.write_text("<script>alert(1)</script>")
    upload(page, bad)
    page.wait_for_selector("#banner p")
    assert page.locator("#banner p").inner_text() == (
        "'page.png' is not a PNG, JPEG, WEBP picture. Save it as one of these first."
    )
    assert after(page) == source


def test_without_a_photograph_a_slider_says_what_is_missing(page: Any) -> None:
    drag(page, "AU1", 0.7)
    page.mouse.up()
    page.wait_for_selector("#banner p")
    assert "There is no photograph yet" in page.locator("#banner p").inner_text()


def test_a_picture_can_be_looked_at_closely_and_as_a_difference(page: Any) -> None:
    page.click("#sample")
    wait_for_edits(page, 1)
    seen = page.locator("#compare .frame")
    page.click("#compare .difference")
    assert brightest(seen) == 0  # nothing was changed yet
    drag(page, "AU12", 0.9)
    page.mouse.up()
    wait_for_edits(page, 2)
    page.wait_for_function("!!document.querySelector('#identity')")
    assert "of 1" in page.locator("#identity").inner_text()
    page.wait_for_timeout(200)
    assert brightest(seen) > 100
    page.click("#compare .difference")

    whole = page.locator("#compare .after").bounding_box()
    page.click("#compare .in")
    page.click("#compare .in")
    near = page.locator("#compare .after").bounding_box()
    assert near["width"] == pytest.approx(2.25 * whole["width"], rel=0.01)
    box = seen.bounding_box()
    assert box["width"] == pytest.approx(whole["width"], rel=0.01)  # the frame stays
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 230)
    page.mouse.up()
    pulled = page.locator("#compare .after").bounding_box()
    assert (pulled["x"] - near["x"], pulled["y"] - near["y"]) == pytest.approx((60, 30), abs=1)
    page.click("#compare .whole")
    assert page.locator("#compare .after").bounding_box() == whole


def test_a_preset_goes_home_and_comes_back_and_so_does_an_edit(page: Any, tmp_path: Path) -> None:
    page.click("#sample")
    wait_for_edits(page, 1)
    drag(page, "AU12", 0.8)
    page.mouse.up()
    wait_for_edits(page, 2)
    edited, number = after(page), page.locator("#AU12 input[type=number]")
    value = number.input_value()
    saved, preset = taken_home(page, tmp_path), taken_home(page, tmp_path, "#save-as-a-preset")
    assert preset.name == "sample-preset.json"

    for count, brought in ((4, preset), (6, saved)):
        page.click("#reset")
        wait_for_edits(page, count - 1)
        assert float(number.input_value()) == 0
        with page.expect_file_chooser() as chooser:
            page.click("#load-a-preset" if brought is preset else "#picker .choose")
        chooser.value.set_files(brought)
        if brought is saved:
            page.click("#picker .agree")
        wait_for_edits(page, count)
        assert number.input_value() == value
        assert after(page) == edited

    bad = tmp_path / "bad.json"
    bad.write_text('{"smile": 3}')
    upload(page, bad)
    page.wait_for_selector("#banner p")
    assert page.locator("#banner p").inner_text().startswith("'bad.json' is no preset of the studio: 'smile' is not")


def test_nothing_is_sent_before_the_visitor_says_that_it_may_be_edited(page: Any, tmp_path: Path) -> None:
    photograph = tmp_path / "ada.png"
    photograph.write_bytes(SAMPLE.read_bytes())
    page.locator("#picker input[type=file]").set_input_files(photograph)
    page.wait_for_selector("#picker .consent")
    assert "May ada.png be edited?" in page.locator("#picker .consent").inner_text()
    page.click("#picker .decline")
    page.wait_for_timeout(500)
    assert page.locator("#history .thumbnail-item").count() == 0
    upload(page, photograph)
    wait_for_edits(page, 1)
    page.click("#badge input")
    assert read_provenance(taken_home(page, tmp_path))["badge"] == "AI-edited"
    upload(page, photograph)
    assert not page.locator("#picker .consent").is_visible()  # asked once


def open_tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_a_sweep_grows_picture_by_picture_and_can_be_cancelled(page: Any, tmp_path: Path) -> None:
    page.click("#sample")
    wait_for_edits(page, 1)
    open_tab(page, "Sweep")
    page.locator("#sweep-values").locator("input, textarea").fill("0:4:4")
    page.click("#sweep")
    page.wait_for_selector("#sweep-sheet img")
    page.wait_for_function("document.querySelector('#sweep-told').innerText.startsWith('6 of 6')")
    command = page.locator("#sweep-command .cm-content").inner_text()
    assert command.startswith("faceforge sweep --au AU12 --au AU4 --au AU1 --values=0:4:4")
    page.wait_for_selector("#download-sheet:not([disabled])")
    saved = taken_home(page, tmp_path, "#download-sheet")
    assert read_provenance(saved)["sweep"]["values"] == [0.0, 4.0]

    page.locator("#sweep-values").locator("input, textarea").fill("0:4:0.1")
    page.click("#sweep")
    page.wait_for_function("document.querySelector('#banner p')")
    assert "at most 120" in page.locator("#banner p").inner_text()
    page.locator("#sweep-values").locator("input, textarea").fill("0:3.9:0.1")
    page.click("#sweep")
    page.wait_for_function("/^[1-9] of 120/.test(document.querySelector('#sweep-told').innerText)")
    page.click("#cancel-sweep")
    page.wait_for_selector("#banner p")
    assert "Stopped before the next picture" in page.locator("#banner p").inner_text()


def test_the_report_of_a_photograph_comes_in_a_frame_where_nothing_runs(page: Any) -> None:
    page.click("#sample")
    wait_for_edits(page, 1)
    open_tab(page, "Evaluate")
    page.locator("#evaluate-doses").locator("input, textarea").fill("3")
    page.click("#evaluate")
    page.wait_for_selector("#report iframe")
    assert page.locator("#report iframe").get_attribute("sandbox") == ""
    assert "AU12" in page.frame_locator("#report iframe").locator("body").inner_text()


def test_the_warp_says_that_it_makes_no_new_faces_and_has_no_plugins(page: Any) -> None:
    open_tab(page, "Generate")
    assert "The loaded model cannot do this" in page.locator("#cannot").inner_text()
    open_tab(page, "Plugins")
    said = page.locator("#plugins").inner_text()
    assert "no network that a plugin could attach to" in said
    assert "magicface" in said


def test_every_action_has_a_name_and_works_from_a_program(address: str, tmp_path: Path) -> None:
    client = pytest.importorskip("gradio_client", reason="the studio's browser test needs gradio_client")
    visitor = client.Client(address, verbose=False)
    named = set(visitor.view_api(return_format="dict", print_info=False)["named_endpoints"])
    edits = {"/open", "/sample", "/go_on", "/draft", "/edit", "/face", "/reset", "/undo", "/redo", "/restore"}
    files = {"/save", "/save_preset", "/save_sweep", "/plugins"}
    long = {"/cancel", "/sweep", "/cancel_sweep", "/evaluate", "/cancel_evaluation"}
    assert named >= edits | files | long
    refused = visitor.predict(False, api_name="/save")[-1]
    assert "There is no photograph yet" in str(refused)
    sent = {"name": "p.png", "data": base64.b64encode(SAMPLE.read_bytes()).decode()}
    assert "Edit only pictures of yourself" in str(visitor.predict(sent, api_name="/open")[-1])
    visitor.predict({**sent, "agreed": True}, api_name="/open")
    preset = base64.b64encode(b'{"aus": {"AU12": 2.0}}').decode()
    said = visitor.predict({"name": "smile.json", "data": preset}, api_name="/open")
    assert any("--au AU12=2" in str(each) for each in said)
    assert "magicface" in visitor.predict(api_name="/plugins")


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_sticks_out_of_the_page(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.click("#sample")
    wait_for_edits(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("Sweep", "Evaluate", "Plugins", "Generate"):
        tab = page.get_by_role("tab", name=name)
        if not tab.is_visible():  # a narrow page keeps the last ones in a menu
            page.locator(".overflow-menu > button").click()
            tab = page.locator(".overflow-dropdown button", has_text=name)
        tab.click()
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_two_visitors_do_not_see_each_other(page: Any, browser: Any, address: str) -> None:
    other = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    other.goto(address)
    for visitor in (page, other):
        visitor.click("#sample")
        wait_for_edits(visitor, 1)
    for visitor, unit in ((page, "AU1"), (other, "AU4")):
        drag(visitor, unit, 0.8)
    for visitor in (page, other):
        visitor.mouse.up()
    for visitor, unit in ((page, "AU1"), (other, "AU4")):
        wait_for_edits(visitor, 2)
        said = visitor.locator("#shell .cm-content").inner_text()
        assert said.count("--au") == 1
        assert f"--au {unit}=" in said
    assert after(page) != after(other)
    other.context.close()


def test_a_pull_on_the_face_moves_picture_and_slider(page: Any) -> None:
    page.click("#sample")
    wait_for_edits(page, 1)
    page.click("#compare .pull")
    box = page.locator("#compare .before").bounding_box()
    side = min(box["width"], box["height"])
    left, top = box["x"] + (box["width"] - side) / 2, box["y"] + (box["height"] - side) / 2
    page.mouse.move(left + side * 307 / 512, top + side * 328 / 512)
    page.mouse.down()
    page.mouse.move(left + side * 316 / 512, top + side * 318 / 512, steps=4)
    assert page.locator("#compare .grip").is_visible()
    page.mouse.up()
    wait_for_edits(page, 2)
    assert float(page.locator("#AU12 input[type=number]").input_value()) > 0.5
    assert not page.locator("#compare .grip").is_visible()


def test_the_light_is_dragged_around_a_ball_that_follows_the_history(page: Any) -> None:
    page.click("#sample")
    wait_for_edits(page, 1)
    page.locator("#controls .label-wrap", has_text="Light").click()
    ball = page.locator("#ball canvas")
    ball.scroll_into_view_if_needed()
    resting = ball.evaluate("ball => ball.toDataURL()")
    box = ball.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    wait_for_edits(page, 2)
    assert "--light" in page.locator("#shell .cm-content").inner_text()
    assert ball.evaluate("ball => ball.toDataURL()") != resting
    page.click("#undo")
    page.wait_for_function("was => document.querySelector('#ball canvas').toDataURL() === was", arg=resting)
