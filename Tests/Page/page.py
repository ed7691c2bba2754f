"""Walks the live page as an operator does: a real sidecar, a real browser, and a look at every state that the page knows.

Screenshots lie in --screenshots afterwards. Every check says a sentence; the first that does not hold ends the run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Callable

from cassandra.cluster import Cluster
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

DEADLINE_SECONDS = 30
TOKEN = "page-test-token"
HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
# What a reader notices: the sum of all shifts of one load, as browsers score it (0.1 is "good").
SHIFT_MAX = 0.02
# Besides the sidecar's own answers that say no, nothing may be complained about.
EXPECTED_COMPLAINTS = re.compile(r"Failed to load resource: .*(401|404|409|ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY)")

checks = 0


class Fault(Exception):
    """Something that is not as it must be."""


def check(sentence: str, holds: bool, detail: object = "") -> None:
    global checks
    if not holds:
        raise Fault(f"not so: {sentence} {detail}")
    checks += 1
    print(f"  {sentence}", flush=True)


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise Fault(f"{what}: not within {DEADLINE_SECONDS} s")
        time.sleep(0.1)


class Stage:
    """Two nodes, a sidecar between them, and an application that writes and reads."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.binary = binary
        self.folder = folder
        self.processes: list[subprocess.Popen] = []
        self.ends = threading.Event()

    def rise(self) -> None:
        source, target = (self.node(name) for name in ("source", "target"))
        self.sidecar = self.start(
            "sidecar",
            ["dual-writer", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state-dir", str(self.folder / "state"),
             "--set", f"admin.token={TOKEN}", "--set", "validation_percentage=50", "--set", "comparison.settle_ms=200",
             "--set", "gates.bulk_load=off", "--set", "gates.comparison=off", "--set", "gates.error_rate=off"],
            CASSANDRA_HOSTS=source, SCYLLA_HOSTS=target,
        )
        self.admin = "http://" + self.address("sidecar", "admin port listens")
        eventually(lambda: self.log("sidecar").count("cluster connected") == 2, "both clusters")
        for address in (source, target, self.address("sidecar", "dual-writer listens")):
            host, port = address.rsplit(":", 1)
            self.session = Cluster([host], port=int(port), protocol_version=4).connect()
            self.session.execute(
                "CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
            )
            self.session.execute("CREATE TABLE IF NOT EXISTS shop.orders (k int PRIMARY KEY, v text)")
        threading.Thread(target=self.work, daemon=True).start()

    def start(self, name: str, command: list[str], **environment: str) -> subprocess.Popen:
        with (self.folder / f"{name}.log").open("w") as log:
            process = subprocess.Popen([self.binary, *command], env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def node(self, name: str) -> str:
        self.start(name, ["node", "--listen", "127.0.0.1:0", "--cluster-name", name])
        eventually(lambda: "accepts connections" in self.log(name), name)
        return self.log(name).split()[-1]

    def address(self, name: str, line: str) -> str:
        pattern = re.compile(re.escape(line) + r".*address=(?:\[IPv4\])?[\d.]*/?([\d.]+:\d+)")
        eventually(lambda: pattern.search(self.log(name)) is not None, line)
        return pattern.search(self.log(name)).group(1)

    def work(self) -> None:
        insert = self.session.prepare("INSERT INTO shop.orders (k, v) VALUES (?, ?)")
        select = self.session.prepare("SELECT v FROM shop.orders WHERE k = ?")
        for key in iter(int, 1):
            if self.ends.is_set():
                return
            try:
                self.session.execute(insert, (key % 500, "v"))
                self.session.execute(select, (key % 500,))
            except Exception:
                # The last part takes the sidecar away.
                return
            time.sleep(0.004)

    def stop(self) -> None:
        self.ends.set()
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait(DEADLINE_SECONDS)


class Visit:
    """One page in a browser of its own, with what it complained about."""

    files: Path | None = None

    def __init__(self, browser: Browser, address: str, **options: object) -> None:
        self.context = browser.new_context(**({"viewport": {"width": 1180, "height": 900}} | options))
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: message.type in ("error", "warning") and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.add_init_script(
            "window.shifts = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries())"
            " if (!entry.hadRecentInput) window.shifts += entry.value; }).observe({ type: 'layout-shift', buffered: true });"
        )
        self.address = address
        if Visit.files is not None:
            self.page.route(re.compile(r"/page/[a-z.]+$|:\d+/$"), self.from_files)

    def from_files(self, route: Route) -> None:
        """The page's files as they are now, under the headers with which the program serves its own."""
        file = Visit.files / (route.request.url.rsplit("/", 1)[-1] or "index.html")
        route.fulfill(response=route.fetch(), body=file.read_text())

    def open(self) -> Page:
        self.page.goto(self.address)
        expect(self.page.locator("#link")).to_contain_text("live")
        return self.page

    def unexpected(self) -> list[str]:
        return [text for text in self.complaints if not EXPECTED_COMPLAINTS.search(text)]

    def is_too_wide(self) -> bool:
        return self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")

    def close(self) -> None:
        check("nothing was complained about, and no policy was broken", self.unexpected() == [], self.unexpected())
        self.context.close()


def answers(page: Page, path: str, document: object) -> None:
    """Has the page get a document for a path, as a sidecar that knows more than this one would give it."""
    page.route(re.compile(re.escape(path) + r"(\?.*)?$"), lambda route: route.fulfill(json=document))


def looks(browser: Browser, stage: Stage, screenshots: Path) -> None:
    print("== how it looks")
    for name, options in [
        ("light", {"color_scheme": "light"}),
        ("dark", {"color_scheme": "dark"}),
        ("phone", {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}),
        ("phone-dark", {"color_scheme": "dark", "viewport": {"width": 360, "height": 800}, "device_scale_factor": 2}),
    ]:
        visit = Visit(browser, stage.admin, **options)
        page = visit.open()
        expect(page.locator("[data-cluster=source] dd").first).to_contain_text("/s")
        expect(page.locator("#done")).to_be_visible()
        page.wait_for_timeout(2500)
        check(f"{name}: nothing moves while figures come in", page.evaluate("window.shifts") <= SHIFT_MAX, page.evaluate("window.shifts"))
        check(f"{name}: nothing is wider than the screen", not visit.is_too_wide())
        page.screenshot(path=screenshots / f"{name}.png", full_page=True)
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        brightness = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3
        check(f"{name}: the ground is {'dark' if 'dark' in name else 'light'}", (brightness < 80) == ("dark" in name), ground)
        visit.close()


def steps(browser: Browser, stage: Stage, screenshots: Path) -> None:
    print("== a step and back, by hand")
    visit = Visit(browser, stage.admin)
    page = visit.open()
    current = page.locator("#way [aria-current=step]")
    expect(current).to_have_text("PrimaryOnly")
    check("there is nothing to roll back in the first mode", page.locator("#back").is_disabled())
    page.locator("#forward").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#change")
    expect(dialog).to_be_visible()
    check("a key opens the confirmation, and the reason has the focus", page.evaluate("document.activeElement.id") == "change-reason")
    expect(page.locator("#change-title")).to_have_text("Step from PrimaryOnly to DualWriteAsync?")
    check("it names a cost", page.locator("#change-costs li").count() > 0)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    check("Escape leaves it, and the focus goes back", page.evaluate("document.activeElement.id") == "forward")

    page.keyboard.press("Enter")
    page.locator("#change-reason").fill(HOSTILE)
    page.locator("#change-token").fill("wrong")
    page.screenshot(path=screenshots / "confirm.png")
    page.locator("#change-go").click()
    expect(page.locator("#change-fault")).to_contain_text("token is wrong")
    check("a wrong token changes nothing and is said", page.evaluate("document.activeElement.id") == "change-token")
    page.locator("#change-token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(current).to_have_text("DualWriteAsync")
    check("the right token takes the step", True)
    expect(page.locator("#done")).to_contain_text("DualWriteAsync")
    expect(page.locator("#audit-table")).to_contain_text("<img src=x")
    check("a reason that is markup is shown as text", page.locator("#audit img, #audit script").count() == 0)

    check("the token is in no storage and in no address", page.evaluate(
        "localStorage.length + sessionStorage.length + document.cookie.length") == 0 and TOKEN not in page.url)
    page.locator("#forward").click()
    check("the token is not asked for again", page.locator("#change-token-part").is_hidden())
    page.locator("#change-go").click()
    expect(current).to_have_text("DualWriteSync")
    expect(page.locator("[data-cluster=target] .state")).to_contain_text("connected")
    page.locator("#back").click()
    expect(page.locator("#change-title")).to_have_text("Roll back from DualWriteSync to DualWriteAsync?")
    page.locator("#change-reason").fill("only trying")
    page.locator("#change-go").click()
    expect(current).to_have_text("DualWriteAsync")
    check("a rollback is one click and its confirmation", True)
    page.locator("#token-forget").click()
    page.locator("#forward").click()
    check("a token that was forgotten is asked for", page.locator("#change-token-part").is_visible())
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#link")).to_contain_text("live")
    check("a new load knows no token", page.locator("#token-forget").is_hidden())
    expect(page.locator("#tables-table")).to_contain_text("shop.orders")
    check("tables whose reads are compared are named", True)
    visit.close()


def own_modes(browser: Browser, stage: Stage, screenshots: Path) -> None:
    print("== tables with modes of their own")
    visit = Visit(browser, stage.admin)
    visit.open()
    check("where no table has a mode of its own none is listed", visit.page.locator("#own-modes").is_hidden())
    visit.close()

    def override(*words: str) -> None:
        command = [stage.binary, "phase", "override", *words, "--endpoint", stage.admin, "--token", TOKEN, "--reason", "a canary"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Fault(f"{' '.join(words)}: {done.stderr}")

    override("set", "shop.orders", "DualWriteSync")
    override("set", "legacy.*", "PrimaryOnly")
    for name, options in [
        ("modes-light", {"color_scheme": "light"}),
        ("modes-dark", {"color_scheme": "dark"}),
        ("modes-phone", {"color_scheme": "dark", "viewport": {"width": 360, "height": 800}, "device_scale_factor": 2}),
    ]:
        visit = Visit(browser, stage.admin, **options)
        page = visit.open()
        expect(page.locator("#own-modes-list li")).to_have_count(2)
        expect(page.locator("#own-modes-list")).to_contain_text("shop.orders DualWriteSync")
        expect(page.locator("#tables-table thead")).to_contain_text("Mode")
        expect(page.locator("#tables-table tbody tr", has_text="shop.orders")).to_contain_text("DualWriteSync")
        page.wait_for_timeout(1500)
        check(f"{name}: nothing moves while figures come in", page.evaluate("window.shifts") <= SHIFT_MAX, page.evaluate("window.shifts"))
        check(f"{name}: nothing is wider than the screen", not visit.is_too_wide())
        page.screenshot(path=screenshots / f"{name}.png", full_page=True)
        visit.close()
    # More than a person reads: the first ones, and how many are left.
    visit = Visit(browser, stage.admin)
    page = visit.page
    answers(page, "/v1/tables", {"tables": [{"table": HOSTILE, "shadow": "filtered", "mode": "PrimaryOnly"}], "tables_left_out": 0, "owed_complete": True})
    visit.open()
    expect(page.locator("#tables-table")).to_contain_text("<script>")
    expect(page.locator("#tables-table tbody tr", has_text="<script>")).to_contain_text("none")
    check("a table's name that is markup is shown as text", page.locator("main img, main script").count() == 0 and page.title() != "taken")
    visit.close()
    override("remove", "shop.orders")
    override("remove", "legacy.*")


def verdicts(browser: Browser, stage: Stage, screenshots: Path) -> None:
    print("== a sidecar that gives verdicts, has reports and replicas")
    visit = Visit(browser, stage.admin)
    page = visit.page
    gates = [
        {"gate": "shadow_connected", "holds": True, "figure": 1, "threshold": 1, "words": "the target is connected", "action": "veto"},
        {"gate": "journal_lag", "holds": True, "figure": "0.2 s", "threshold": "5 s", "words": "the target is hardly behind", "action": "veto"},
        {"gate": "bulk_load", "holds": False, "figure": "63.2 %", "threshold": "100 %", "words": "the bulk load is complete", "action": "veto"},
        {"gate": "clock_skew", "holds": False, "figure": "140 ms", "threshold": "100 ms", "words": "the clocks agree", "action": "warn"},
    ]
    answers(page, "/v1/phase/verdict", {"from": "DualWriteAsync", "to": "DualWriteSync", "allowed": False, "gates": gates,
                                           "cost": "A write waits for both clusters.", "way_back": "DualWriteAsync", "way_back_cost": None})
    answers(page, "/v1/reports", {
        "loads": [{"job": "first", "state": "running", "at": "2026-11-26T03:00:00Z", "tokens_covered_ratio": 0.6329, "dead_letters": 0,
                 "tables": [{"table": "shop.orders", "tokens_covered_ratio": 0.6329}]}],
        "comparison": {"job": "nightly", "verdict": "differs", "at": "2026-11-26T02:00:00Z", "tokens_covered_ratio": 1, "differences": 3,
                       "tables": [{"table": HOSTILE, "verdict": "differs", "differences": 3}]}})
    answers(page, "/v1/audit", {"records": [{"at": "2026-11-26T03:00:00Z", "action": "phase", "what": HOSTILE, "by": "admin 10.0.0.7", "reason": "ticket 7", "forced": True, "overruled": ["bulk_load"]}]})
    answers(page, "/v1/replicas", {"replicas": [{"id": "sidecar-0", "address": "10.0.0.7:8080", "applied_epoch": 12, "state": "live", "is_this_one": True, "owed_source": 0, "owed_target": 0}]})
    visit.open()
    expect(page.locator("#verdict-words")).to_contain_text("No: 1 check")
    expect(page.locator("#gates li")).to_have_count(4)
    expect(page.locator("#replicas-table")).to_contain_text("sidecar-0")
    expect(page.locator("#tables-table")).to_contain_text("<script>")
    check("names of tables that are markup are shown as text", page.locator("main img, main script").count() == 0 and page.title() != "taken")
    expect(page.locator("#reports")).to_contain_text("63.2 %")
    page.screenshot(path=screenshots / "verdict.png", full_page=True)

    sent: list[dict] = []
    page.route(re.compile("/v1/phase$"), lambda route: taken(route, sent))
    page.locator("#forward").click()
    expect(page.locator("#change-gates li")).to_have_count(1)
    check("a step that is vetoed cannot be taken", page.locator("#change-go").is_disabled())
    page.locator("#change-force").check()
    check("nor forced without a reason", page.locator("#change-go").is_disabled())
    page.screenshot(path=screenshots / "forced.png")
    page.locator("#change-reason").fill("ticket 7")
    page.locator("#change-token").fill(TOKEN)
    page.locator("#change-go").click()
    expect(page.locator("#change-fault")).to_contain_text("no step today")
    check("a reason forces it, and a refusal is shown", sent == [{"mode": "DualWriteSync", "reason": "ticket 7", "force": True}], sent)
    page.keyboard.press("Escape")
    visit.close()


def taken(route: Route, sent: list[dict]) -> None:
    if route.request.method == "GET":
        route.continue_()
        return
    sent.append(json.loads(route.request.post_data))
    route.fulfill(status=409, json={"error": {"code": "transition_refused", "message": "There is no step today.", "hint": None}})


def missing(browser: Browser, stage: Stage) -> None:
    print("== a sidecar without events")
    visit = Visit(browser, stage.admin)
    visit.page.route("**/v1/events", lambda route: route.fulfill(status=404, json={"error": {"code": "not_found", "message": "no"}}))
    page = visit.open()
    expect(page.locator("#way [aria-current=step]")).to_have_text("DualWriteAsync")
    expect(page.locator("[data-cluster=source] .state")).to_contain_text("connected")
    check("what can be asked for is shown", page.locator("[data-cluster=source] dd").first.inner_text() == "–")
    visit.close()


def lost(browser: Browser, stage: Stage, screenshots: Path) -> None:
    print("== a sidecar that dies")
    visit = Visit(browser, stage.admin)
    page = visit.open()
    stage.sidecar.kill()
    expect(page.locator("#link")).to_contain_text(re.compile(r"connection lost since \d\d:\d\d:\d\d"), timeout=15_000)
    check("the page says since when the connection is lost", True)
    check("and offers no step", page.locator("#forward").is_disabled() and page.locator("#back").is_disabled())
    page.screenshot(path=screenshots / "lost.png", full_page=True)
    visit.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--browser", required=True)
    parser.add_argument("--screenshots", type=Path, required=True)
    parser.add_argument("--files", type=Path, help="a folder with the page's files, instead of those in the program")
    given = parser.parse_args()
    Visit.files = given.files
    given.screenshots.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=10_000)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        stage = Stage(given.binary, Path(name))
        try:
            stage.rise()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=given.browser, args=["--no-sandbox"])
                looks(browser, stage, given.screenshots)
                steps(browser, stage, given.screenshots)
                own_modes(browser, stage, given.screenshots)
                verdicts(browser, stage, given.screenshots)
                missing(browser, stage)
                lost(browser, stage, given.screenshots)
                browser.close()
        except BaseException:
            sys.stderr.write(stage.log("sidecar")[-4000:])
            raise
        finally:
            stage.stop()
    print(f"{checks} passed, 0 failed")
    print(f"the live page: {time.monotonic() - began:.0f} s, screenshots in {given.screenshots}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
