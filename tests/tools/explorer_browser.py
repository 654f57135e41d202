"""The explorer in headless Chromium, as a person uses it. Run by explorer_browser_test.cc:

    explorer_browser.py SCENARIO URL [FOLDER FOR SCREENSHOTS]
"""
import csv
import json
import os
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

SCENARIO, URL = sys.argv[1:3]
SHOTS = sys.argv[3] if len(sys.argv) > 3 else None
DOWNLOADS = tempfile.mkdtemp()


class Browser:
    def __init__(self, width, height, dark=False, touch=False):
        options = Options()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                         "--disable-background-networking", f"--window-size={width},{height}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=DOWNLOADS)

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def open(self, fragment=""):
        self.driver.get(URL + fragment)
        self.wait(lambda: self.text("#count"))

    def wait(self, condition, seconds=20):
        # A page that redraws may take an element away while it is looked at.
        def safe(_):
            try:
                return condition()
            except Exception as fault:
                if type(fault).__name__ in ("StaleElementReferenceException", "NoSuchElementException"):
                    return False
                raise
        return WebDriverWait(self.driver, seconds, 0.05).until(safe)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.one(selector).text

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def shot(self, name):
        if SHOTS:
            self.js("return Promise.all([...document.images].map(i => i.decode().catch(() => {})))")
            time.sleep(0.3)
            self.driver.save_screenshot(os.path.join(SHOTS, name + ".png"))

    def finish(self):
        faults = [entry for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE" and "400" not in entry["message"]]
        assert not faults, faults
        self.driver.quit()


def ask(path, **parameters):
    with urllib.request.urlopen(URL + path + "?" + urllib.parse.urlencode(parameters)) as response:
        return json.load(response)


def found(browser):
    # Empty between a question and its answer: wait for a number.
    first = browser.wait(lambda: (browser.text("#count") or "").split(" of ")[0].replace(",", ""))
    return int(first)


def search(browser, text):
    field = browser.one("#query")
    field.clear()
    field.send_keys(text, Keys.ENTER)
    browser.wait(lambda: found(browser) == ask("api/faces", q=text, limit=0)["count"])


def downloaded(ending):
    deadline = time.time() + 20
    while time.time() < deadline:
        for name in os.listdir(DOWNLOADS):
            if name.endswith(ending):
                path = os.path.join(DOWNLOADS, name)
                text = open(path, newline="", encoding="utf-8").read()
                os.remove(path)
                return text
        time.sleep(0.1)
    raise AssertionError(f"no download of {ending} in {os.listdir(DOWNLOADS)}")


def query(browser):
    """Typed queries, filters, mistakes, addresses."""
    browser.open()
    everything = ask("api/info")["faces"]
    assert found(browser) == everything
    browser.shot("explorer-desktop")
    search(browser, "AU12>=2 & !AU4")
    assert 0 < found(browser) < everything
    # A mistake: the message, the caret under its column, and the field marked; the faces stay.
    field = browser.one("#query")
    field.clear()
    field.send_keys("AU12>= & AU4", Keys.ENTER)
    browser.wait(lambda: browser.one("#fault").is_displayed())
    fault = browser.js("return document.getElementById('fault').textContent").split("\n")
    assert fault[0] == "AU12>= & AU4" and fault[1].index("^") == 7, fault
    assert field.get_attribute("aria-invalid") == "true"
    browser.shot("explorer-mistake")
    browser.one("#clear").click()
    browser.wait(lambda: found(browser) == everything and not browser.one("#fault").is_displayed())
    # Press an AU once, then twice.
    chip = browser.one("#aus [data-name=AU12]")
    chip.click()
    browser.wait(lambda: found(browser) == ask("api/faces", q="AU12", limit=0)["count"])
    assert chip.get_attribute("aria-pressed") == "true"
    browser.one("#emotions [data-name=happy]").click()
    browser.wait(lambda: found(browser) == ask("api/faces", q="AU12 & emotion:happy", limit=0)["count"])
    address = browser.driver.current_url
    chip.click()
    browser.wait(lambda: found(browser) == ask("api/faces", q="!AU12 & emotion:happy", limit=0)["count"])
    # A keyword, from the list of those that are there.
    browser.one("#clear").click()
    browser.wait(lambda: found(browser) == everything)
    browser.wait(lambda: browser.all("#keywords [data-name=joy]"))
    browser.wait(lambda: browser.one("#keywords [data-name=joy]").text.strip() != "joy")
    browser.one("#keywords [data-name=joy]").click()
    browser.wait(lambda: found(browser) == ask("api/faces", q="keyword:joy", limit=0)["count"])
    # An address brings a search back, and so does going back.
    browser.driver.get("about:blank")
    browser.driver.get(address)
    browser.wait(lambda: found(browser) == ask("api/faces", q="AU12 & emotion:happy", limit=0)["count"])
    # Strongest first.
    browser.js("const s = document.getElementById('sort'); s.value = 'AU12'; s.dispatchEvent(new Event('change'))")
    best = ask("api/faces", q="AU12 & emotion:happy", sort="AU12", limit=1)["faces"][0]
    browser.wait(lambda: browser.one(".tile[data-index='0']").get_attribute("data-id") == f"{best['shard']}:{best['face']}")


def face(browser):
    """One face large, the next, landmarks and regions; two compared; hostile captions."""
    browser.open()
    browser.wait(lambda: browser.one(".tile[data-index='2']").get_attribute("data-id"))
    browser.one(".tile[data-index='2']").click()
    browser.wait(lambda: browser.one("#view").get_attribute("open") is not None)
    assert browser.text("#view-title").startswith("Face 3 of")
    assert len(browser.all("#portrait .landmark")) == 68
    assert len(browser.all("#bars li")) == len(ask("api/info")["aus"])
    browser.one("#bars [data-au='12'] button").click()
    assert browser.all("#portrait .region")
    assert "chosen" in browser.one("#bars [data-au='12']").get_attribute("class")
    browser.shot("explorer-face")
    browser.one("#show-landmarks").click()
    browser.one("#show-regions").click()
    assert not browser.all("#portrait .landmark") and not browser.all("#portrait .region")
    browser.one("[data-do=next]").click()
    browser.wait(lambda: browser.text("#view-title").startswith("Face 4 of"))
    browser.press(Keys.ARROW_LEFT)
    browser.wait(lambda: browser.text("#view-title").startswith("Face 3 of"))
    browser.one("[data-do=compare]").click()
    browser.one("[data-do=next]").click()
    browser.wait(lambda: browser.text("#view-title").startswith("Face 4 of"))
    browser.one("[data-do=compare]").click()
    browser.wait(lambda: browser.one("#pair").get_attribute("open") is not None)
    assert len(browser.all("#pair-body svg")) == 2
    assert len(browser.all("#pair-body tbody tr")) == len(ask("api/info")["aus"])
    browser.shot("explorer-pair")
    browser.press(Keys.ESCAPE)
    browser.wait(lambda: browser.one("#pair").get_attribute("open") is None)
    # A caption that is a script is shown and not run.
    search(browser, "keyword:script")
    browser.wait(lambda: browser.one(".tile[data-index='0']").get_attribute("data-id"))
    browser.one(".tile[data-index='0']").click()
    browser.wait(lambda: browser.one("#view").get_attribute("open") is not None)
    assert "<script>alert(1)</script>" in browser.text("#facts"), browser.text("#facts")
    assert not browser.all("#facts script")


def keyboard(browser):
    """Everything without a mouse, and what a screen reader is told."""
    browser.open()
    browser.wait(lambda: browser.one(".tile[data-index='0']").get_attribute("data-id"))
    active = lambda: browser.js("return document.activeElement?.dataset?.index")
    browser.press("/")
    assert browser.js("return document.activeElement.id") == "query"
    search(browser, "AU12 | AU6")
    browser.wait(lambda: browser.one(".tile[data-index='0']").get_attribute("data-id"))
    for _ in range(100):
        browser.press(Keys.TAB)
        if active() is not None:
            break
    assert active() == "0", "Tab reaches the first face"
    browser.press(Keys.ARROW_RIGHT)
    assert active() == "1"
    columns = int(browser.one("#grid").get_attribute("aria-colcount"))
    browser.press(Keys.ARROW_DOWN)
    assert active() == str(1 + columns)
    browser.press(Keys.END)
    total = found(browser)
    browser.wait(lambda: active() == str(total - 1))
    assert browser.js("const t = document.activeElement.getBoundingClientRect(), g = document.getElementById('grid').getBoundingClientRect();"
                      "return t.top >= g.top - 1 && t.bottom <= g.bottom + 12"), "the last face is on screen"
    browser.press(Keys.HOME)
    browser.wait(lambda: active() == "0")
    tile = browser.one(".tile[data-index='0']")
    browser.wait(lambda: f"Face 1 of {total}:" in tile.get_attribute("aria-label"))
    browser.press("p")
    browser.wait(lambda: browser.one(".tile[data-index='0']").get_attribute("aria-selected") == "true")
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.one("#view").get_attribute("open") is not None)
    assert browser.one("[data-do=pick]").get_attribute("aria-pressed") == "true"
    browser.press(Keys.ESCAPE)
    browser.wait(lambda: browser.one("#view").get_attribute("open") is None)
    browser.wait(lambda: active() == "0")
    # Everything that can be pressed has a name; every field a label; one main heading; a language.
    nameless = browser.js("""
      return [...document.querySelectorAll('button, input, select, summary, [role=gridcell], svg[role=img]')]
        .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).map((e) => e.outerHTML.slice(0, 80))""")
    assert not nameless, nameless
    assert browser.js("return document.documentElement.lang") == "en"
    assert browser.js("return document.querySelectorAll('h1').length") == 1
    assert browser.one("#count").get_attribute("aria-live") == "polite"
    tree = browser.cdp("Accessibility.getFullAXTree")["nodes"]
    roles = {node.get("role", {}).get("value") for node in tree}
    assert {"grid", "row", "gridcell", "search", "main", "status"} <= roles, roles


def download(browser):
    """All that was found as CSV, picked faces as JSON lines."""
    browser.open()
    search(browser, "AU12>=2")
    total = found(browser)
    browser.one("#download-label").click()
    browser.one("#download-menu [data-format=csv]").click()
    rows = list(csv.DictReader(downloaded(".csv").splitlines(keepends=True)))
    assert len(rows) == total and all(float(row["AU12_intensity"]) >= 2 for row in rows), len(rows)
    for index in (0, 3):
        browser.wait(lambda: browser.one(f".tile[data-index='{index}']").get_attribute("data-id"))
        browser.js("arguments[0].focus()", browser.one(f".tile[data-index='{index}']"))
        browser.press("p")
    ids = [browser.one(f".tile[data-index='{index}']").get_attribute("data-id") for index in (0, 3)]
    browser.one("#download-label").click()
    assert browser.text("#picked-label") == "picked faces (2)"
    browser.shot("explorer-download")
    browser.one("#download-menu [data-format=jsonl]").click()
    lines = [json.loads(line) for line in downloaded(".jsonl").splitlines()]
    assert [f"{int(line['shard'][:5])}:{line['face']}" for line in lines] == ids, (lines, ids)


def edit(browser):
    """An AU moved by its slider changes the picture; another face starts anew."""
    browser.open()
    browser.wait(lambda: browser.one(".tile[data-index='0']").get_attribute("data-id"))
    browser.one(".tile[data-index='0']").click()
    browser.wait(lambda: browser.one("#edit").is_displayed())
    assert len(browser.all("#sliders input")) == len(ask("api/info")["editable"])
    assert not browser.all("#edited img")
    browser.js("const s = document.querySelector('#sliders [data-au=\"12\"]'); s.value = 4.5; s.dispatchEvent(new Event('input'))")
    browser.wait(lambda: browser.all("#edited img") and "AU12 4.5" in browser.text("#edited figcaption"))
    browser.wait(lambda: browser.js("return document.querySelector('#edited img').naturalWidth") > 0)
    browser.js("document.getElementById('edit').scrollIntoView()")
    browser.shot("explorer-edit")
    browser.one("#reset").click()
    assert not browser.all("#edited img")


def phone(browser):
    """390 pixels wide: nothing beyond the edge, filters folded away, the face over the whole screen."""
    browser.open()
    browser.wait(lambda: browser.one(".tile[data-index='0']").get_attribute("data-id"))
    fits = lambda: browser.js("return document.documentElement.scrollWidth <= innerWidth")
    assert fits()
    assert browser.one("#filters").get_attribute("open") is None
    assert int(browser.one("#grid").get_attribute("aria-colcount")) == 2
    browser.shot("explorer-phone")
    browser.one("#filters > summary").click()
    browser.wait(lambda: browser.one("#aus [data-name=AU12]").is_displayed())
    assert fits()
    browser.shot("explorer-phone-filters")
    browser.one("#aus [data-name=AU12]").click()
    browser.wait(lambda: found(browser) == ask("api/faces", q="AU12", limit=0)["count"])
    browser.one("#filters > summary").click()
    browser.wait(lambda: browser.one(".tile[data-index='1']").get_attribute("data-id"))
    browser.one(".tile[data-index='1']").click()
    browser.wait(lambda: browser.one("#view").get_attribute("open") is not None)
    box = browser.js("const b = document.getElementById('view').getBoundingClientRect(); return [b.left, b.width, innerWidth]")
    assert box[0] == 0 and box[1] == box[2], box
    assert browser.js("return document.getElementById('view').scrollWidth <= innerWidth")
    small = browser.js("""return [...document.querySelectorAll('#view header button')]
      .map((b) => b.getBoundingClientRect()).filter((b) => b.height < 32 || b.width < 32).length""")
    assert small == 0, "buttons are large enough for a finger"
    browser.shot("explorer-phone-face")


def million(browser):
    """A million faces: a screen of elements, the end in one key, and small steps that are small."""
    browser.open()
    assert found(browser) == 1_000_000
    height = browser.js("return document.getElementById('grid').scrollHeight")
    assert height < 16_000_000, "taller than browsers can draw"
    def indices():
        return sorted(int(i) for i in browser.js("return [...document.querySelectorAll('.tile')].map((t) => t.dataset.index)"))
    columns = int(browser.one("#grid").get_attribute("aria-colcount"))
    assert len(indices()) < 150, "only what is on screen is in the page"
    # A jump to the middle.
    browser.js("const g = document.getElementById('grid'); g.scrollTop = g.scrollHeight / 2")
    browser.wait(lambda: 450_000 < indices()[0] < 550_000)
    browser.wait(lambda: browser.one(f".tile[data-index='{indices()[columns * 2]}']").get_attribute("data-id"))
    # A step of one row moves by one row, although each pixel of the bar stands for several.
    before = indices()[0]
    row = browser.js("return document.querySelector('.row').getBoundingClientRect().height + 8")
    browser.js("document.getElementById('grid').scrollTop += Math.round(arguments[0])", row)
    browser.wait(lambda: indices()[0] == before + columns)
    # The very last face, by keyboard.
    browser.js("document.querySelector('.tile[tabindex=\"0\"], .tile').focus()")
    browser.press(Keys.END)
    browser.wait(lambda: browser.js("return document.activeElement?.dataset?.index") == "999999")
    browser.wait(lambda: browser.one(".tile[data-index='999999']").get_attribute("data-id"))
    last = ask("api/faces", offset=999_999, limit=1)["faces"][0]
    assert browser.one(".tile[data-index='999999']").get_attribute("data-id") == f"{last['shard']}:{last['face']}"
    browser.press(Keys.HOME)
    browser.wait(lambda: browser.js("return document.activeElement?.dataset?.index") == "0")
    assert len(indices()) < 150
    heap = browser.js("return performance.memory.usedJSHeapSize") / 1e6
    print(f"{heap:.0f} MB of script memory after scrolling through a million faces")
    assert heap < 150


def report(browser):
    """The report's page: nothing beyond the edge at either width, nothing from a network, dark, and on paper."""
    for width, dark in ((1280, False), (390, True)):
        browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=860, deviceScaleFactor=1, mobile=width < 500)
        browser.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        browser.driver.get(URL)
        assert browser.js("return document.documentElement.scrollWidth <= innerWidth"), width
        assert browser.js("return performance.getEntriesByType('resource').filter((r) => !r.name.startsWith('data:')).length") == 0
        for section in ("faces", "aus", "together", "emotions", "typical", "extreme", "images", "speed", "provenance"):
            assert browser.text(f"#{section} h2"), section
        ground = browser.js("return getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, ground[4:-1].split(","))) < 200) == dark, ground
        assert browser.js("return [...document.querySelectorAll('.face')].every((f) => f.scrollWidth <= f.clientWidth + 1)")
        assert "<script>alert(1)</script>" not in browser.js("return document.body.innerHTML")
        browser.shot(f"report-{width}")
    printed = browser.cdp("Page.printToPDF", printBackground=True)["data"]
    assert len(printed) > 20_000


SIZES = {"phone": (390, 844, True, True), "edit": (1280, 900, True, False)}
width, height, dark, touch = SIZES.get(SCENARIO, (1280, 860, False, False))
it = Browser(width, height, dark, touch)
try:
    globals()[SCENARIO](it)
    if SCENARIO == "million":  # the rows have no shards, so no pictures
        it.driver.quit()
    else:
        it.finish()
except BaseException:
    if SHOTS:
        it.driver.save_screenshot(os.path.join(SHOTS, f"failed-{SCENARIO}.png"))
    it.driver.quit()
    raise
print("passed")
