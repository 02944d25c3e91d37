"""Two viewers of one queue, and a broker that goes and comes."""
from browser import Select, Viewer
from session import broker, expect, run, step


def session():
    with broker() as served, Viewer(served.url) as first, Viewer(served.url, dark=True) as second:
        client = served.client()
        client.put("live", b"1")
        first.open("tubes")
        second.open("tubes")
        step("both see what is put")
        for viewer in first, second:
            viewer.row("live")
            viewer.until("one is ready", lambda: viewer.cell("live", "ready") == "1")
        client.put("live", b"2")
        client.put("born", b"3")
        for viewer in first, second:
            viewer.until("two are ready", lambda: viewer.cell("live", "ready") == "2")
            viewer.row("born")

        step("one acts, the other sees it")
        first.open("tubes/live")
        first.click("Pause\u2026")
        first.confirm()
        second.until("the pause is shown", lambda: second.cell("live", "pause").endswith("min"))

        step("one rests, the other goes on")
        first.open("tubes")
        first.until("two are ready", lambda: first.cell("live", "ready") == "2")
        Select(first.find(".live select")).select_by_value("0")
        client.put("live", b"4")
        second.until("three are ready", lambda: second.cell("live", "ready") == "3")
        expect(first.cell("live", "ready") == "2", "a paused page has changed")
        Select(first.find(".live select")).select_by_value("1")
        first.until("three are ready", lambda: first.cell("live", "ready") == "3")

        step("a hidden page rests")
        # A browser without a window hides no page, so the page is told that it is hidden.
        hide = """Object.defineProperty(document, 'hidden', { value: arguments[0], configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));"""
        first.script(hide, True)
        client.put("live", b"hidden")
        second.until("four are ready", lambda: second.cell("live", "ready") == "4")
        expect(first.cell("live", "ready") == "3", "a hidden page has changed")
        first.script(hide, False)
        first.until("four are ready", lambda: first.cell("live", "ready") == "4")

        step("rows and their focus stay while they change")
        first.script("""const link = [...document.querySelectorAll('td.c-name a')].find((a) => a.textContent === 'live');
            link.focus(); window.kept = link;""")
        client.put("live", b"5")
        first.until("five are ready", lambda: first.cell("live", "ready") == "5")
        expect(first.script("return document.activeElement === window.kept && window.kept.isConnected"), "the focus was lost")

        step("the broker goes")
        for viewer in first, second:
            complaints = viewer.complaints()
            expect(not complaints, f"the console has {complaints}")
        served.kill()
        for viewer in first, second:
            viewer.see("The broker does not answer.", ".banner")
            viewer.see("as of", ".banner")
            viewer.until("the data are greyed", lambda: viewer.all(".frame.stale"))
            expect(viewer.cell("live", "ready") == "5", "the last data are gone")

        step("screens open without it")
        for screen, title in [("brokers", "Brokers"), ("tubes", "Tubes")]:
            second.script("location.hash = arguments[0]", f"#/{screen}")
            second.until("the screen is there", lambda: second.find("main h1").text == title)

        step("it comes")
        served.start()
        client = served.client()
        for viewer in first, second:
            viewer.until("the banner is gone", lambda: not viewer.find(".banner").is_displayed() and not viewer.all(".frame.stale"))
        client.put("live", b"6")
        for viewer in first, second:
            viewer.until("six are ready", lambda: viewer.cell("live", "ready") == "6")


run(session)
