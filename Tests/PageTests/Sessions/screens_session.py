"""Each screen with something on it: it is accessible in light and dark, fits a telephone, and asks nobody else."""
import urllib.request

from browser import Keys, Viewer
from session import broker, expect, run, step

BIG = b'{"id":18446744073709551615,"amount":12.500,"tags":["a","b"]}'
MARKUP = b'<script>document.title="owned"</script><b>bold</b>'
LOOKS = [(1280, False), (1280, True), (375, False), (375, True)]
LONG = "n" * 150 + "/" + "m" * 49


def fill(broker):
    client = broker.client()
    numbers = {"json": client.put("mail.welcome", BIG), "markup": client.put("mail.welcome", MARKUP),
               "bytes": client.put("mail.welcome", bytes(range(256))), "empty": client.put("mail.welcome", b"")}
    client.put("mail.digest", b"later", delay=3600)
    client.bury("mail.receipt", b"broken")
    client.put(LONG, b"long")
    holder = broker.client()
    holder.put("images", b"held", ttr=3600)
    numbers["held"] = holder.reserve("images")
    return numbers, (client, holder)


def screens(numbers):
    return ["tubes", "tubes?group=1&open=mail.", "tubes?filter=nothing", "tubes/mail.welcome", "tubes/mail.receipt?state=buried",
            f"tubes/{LONG.replace('/', '%2F')}", "jobs", "jobs?state=buried&tube=mail.*", "jobs?body=nothing",
            f"jobs/{numbers['json']}", f"jobs/{numbers['held']}", f"jobs/{numbers['bytes']}", f"jobs/{numbers['empty']}",
            "history", "reports", "operations", "audit", "brokers", "clients", "holders", "warnings", "put", "nowhere"]


def look_at_each(viewer, numbers, width, dark):
    viewer.dark(dark)
    viewer.size(width)
    for screen in screens(numbers):
        viewer.open(screen)
        viewer.until("the screen is read", lambda: "Reading\u2026" not in viewer.find("main").text)
        expect(not viewer.all("main .failure"), f"{screen}: {viewer.texts('main .failure')}")
        expect(viewer.overflow() <= 0, f"{screen} is {viewer.overflow()} px too wide at {width} px")
        found = viewer.violations()
        expect(not found, f"axe finds at {screen} ({width} px, dark: {dark}): {found}")


def trust_axe(viewer):
    """It finds what is planted: else its silence would mean nothing."""
    viewer.open("tubes")
    viewer.script("""document.querySelector('main').append(document.createElement('button'));""")
    expect(viewer.violations(), "axe does not find a button without a name")


def look_at_bodies(viewer, numbers):
    viewer.open(f"jobs/{numbers['json']}")
    viewer.see("18446744073709551615", ".tree")
    viewer.see("12.500", ".tree")
    viewer.click("Text", ".body")
    viewer.see(BIG.decode(), ".body pre")
    viewer.click("Hex", ".body")
    viewer.see("00000000  7b 22 69 64", ".body pre")
    viewer.open(f"jobs/{numbers['markup']}")
    viewer.see(MARKUP.decode(), ".body pre")
    expect("owned" not in viewer.driver.title and not viewer.all(".body script, .body b"), "a body became markup")
    viewer.open(f"jobs/{numbers['bytes']}")
    viewer.see("000000f0  f0 f1 f2", ".body pre")
    viewer.open("jobs")
    viewer.see(MARKUP.decode()[:40], "table")
    viewer.open(f"jobs/{numbers['held']}")
    viewer.see("Held by 127.0.0.1:", "main")


def copy_and_choose_a_theme(viewer, numbers):
    viewer.open(f"jobs/{numbers['json']}")
    # As over plain HTTP, where pages have no clipboard.
    viewer.script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    viewer.click("Copy", ".body")
    viewer.button("Copied", ".body")
    search = viewer.find("search input")
    search.send_keys(Keys.CONTROL, "v")
    expect(search.get_attribute("value") == BIG.decode(), f"copied was {search.get_attribute('value')!r}")
    search.send_keys(Keys.ESCAPE)
    background = "return getComputedStyle(document.documentElement).backgroundColor"
    light = viewer.script(background)
    button = viewer.find("button.theme")
    while button.get_attribute("aria-label") != "Theme: dark":
        button.click()
    dark = viewer.script(background)
    viewer.driver.refresh()
    viewer.until("the theme is remembered", lambda: viewer.script(background) == dark != light)
    while viewer.find("button.theme").get_attribute("aria-label") != "Theme: as the system":
        viewer.find("button.theme").click()


def use_keys_only(viewer, numbers):
    viewer.open("tubes")
    viewer.driver.refresh()
    viewer.row("mail.digest")
    active = lambda: viewer.driver.switch_to.active_element
    viewer.find("body").send_keys(Keys.TAB)
    expect(active().text == "Skip to the content", f"the first stop is {active().text!r}")
    active().send_keys(Keys.ENTER)
    expect(active().tag_name == "h1", f"the content begins with {active().tag_name}")
    active().send_keys("/")
    expect(active().get_attribute("type") == "search", "the search box is not reached by /")
    active().send_keys(str(numbers["json"]), Keys.ENTER)
    viewer.until("the job is shown", lambda: viewer.find("h1").text == f"Job {numbers['json']}")
    viewer.until("the title has the focus", lambda: active().tag_name == "h1")
    active().send_keys("/")
    active().send_keys("mail", Keys.ENTER)
    viewer.until("the tubes are filtered", lambda: viewer.find("h1").text == "Tubes" and "filter=mail" in viewer.driver.current_url)
    viewer.row("mail.digest")
    active().send_keys("/")
    active().send_keys("broken", Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    viewer.see("body contains \u201cbroken\u201d", ".chips")
    viewer.see("mail.receipt", "table")


def sort_and_group(viewer):
    viewer.open("tubes")
    names = lambda: [text.split("\n")[0] for text in viewer.texts("main td.c-name")]
    viewer.find("th.c-ready button").click()
    viewer.until("the most ready come first", lambda: names()[0] == "mail.welcome")
    expect(viewer.find("th.c-ready").get_attribute("aria-sort") == "descending", "the order is not told")
    viewer.find("th.c-ready button").click()
    viewer.until("the most ready come last", lambda: names()[-1] == "mail.welcome")
    expect(viewer.find("th.c-ready").get_attribute("aria-sort") == "ascending", "the order is not told")
    expect("sort=-ready" in viewer.driver.current_url, viewer.driver.current_url)
    viewer.find("th.c-name button").click()
    viewer.until("names are in order", lambda: names() == sorted(names()) and len(names()) == 6)
    expect(viewer.find("th.c-name").get_attribute("aria-sort") == "ascending", "the order is not told")

    viewer.find("#grouped").click()
    viewer.until("the group has the sums", lambda: viewer.cell("mail.", "ready") == "4" and viewer.cell("mail.", "delayed") == "1")
    expect("mail.digest" not in viewer.find("table").text, "a folded group shows its tubes")
    viewer.find("button.fold").click()
    viewer.row("mail.digest")
    expect(viewer.find("button.fold").get_attribute("aria-expanded") == "true", "the group is not said to be open")
    expect("open=mail." in viewer.driver.current_url, viewer.driver.current_url)
    viewer.driver.refresh()
    viewer.row("mail.digest")
    viewer.find("button.fold").click()
    viewer.until("the group is folded", lambda: "mail.digest" not in viewer.find("table").text)


def fetch(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def session():
    with broker(base="/queue/") as served, Viewer(served.url) as viewer:
        numbers, clients = fill(served)
        step("each screen")
        for width, dark in LOOKS:
            look_at_each(viewer, numbers, width, dark)
        viewer.size(1280)
        trust_axe(viewer)
        step("bodies are data")
        look_at_bodies(viewer, numbers)
        step("copying, and the theme")
        viewer.dark(False)
        copy_and_choose_a_theme(viewer, numbers)
        step("orders and groups")
        sort_and_group(viewer)
        step("by keyboard")
        use_keys_only(viewer, numbers)
        step("what was loaded")
        viewer.open("tubes")
        loaded = viewer.loaded()
        others = [entry["name"] for entry in loaded if not entry["name"].startswith((served.url, "data:"))]
        expect(not others, f"the page has asked for {others}")
        # Not what the browser says: it tells no sizes of what it has kept from the screens before.
        size = sum(len(fetch(name)) for name in {entry["name"].split("#")[0] for entry in loaded}
                   if "/api/" not in name and not name.startswith("data:"))
        print(f"the page is {size} bytes in {len(loaded)} requests")
        expect(20 * 1024 < size < 150 * 1024, f"the page has {size} bytes")
        complaints = viewer.complaints()
        expect(not complaints, f"the console has {complaints}")
        for client in clients:
            client.socket.close()


run(session)
