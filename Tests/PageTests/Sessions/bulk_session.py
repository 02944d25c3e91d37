"""A filter, a selection, and actions on all that match."""
from browser import Select, Viewer
from broker import eventually
from session import broker, expect, run, step


def session():
    with broker() as served, Viewer(served.url) as viewer:
        client = served.client()
        numbers = [client.put("bulk", b"apple" if n % 2 else b"pear") for n in range(130)]
        client.put("other", b"apple")

        step("the address is the filter")
        viewer.open("jobs?tube=bulk&body=apple")
        viewer.see("tube is bulk", ".chips")
        viewer.see("body contains \u201capple\u201d", ".chips")
        viewer.until("a page is shown", lambda: len(viewer.all("main tbody tr")) == 50)
        expect(all("apple" in text for text in viewer.texts("td.c-preview")), "the filter lets pears pass")
        viewer.click("More")
        viewer.until("all are shown", lambda: len(viewer.all("main tbody tr")) == 65)

        step("a condition is added and taken away")
        Select(viewer.find(".chips select.add")).select_by_value("state")
        Select(viewer.find(".chip.editing select")).select_by_value("ready")
        viewer.click("Set", ".chips")
        viewer.until("the address has it", lambda: "state=ready" in viewer.driver.current_url)
        viewer.find("[aria-label='Remove: state is']").click()
        viewer.until("the address has it no more", lambda: "state=" not in viewer.driver.current_url)

        step("three are ticked and deleted")
        viewer.open("jobs?tube=bulk&body=pear")
        viewer.until("a page is shown", lambda: len(viewer.all("main tbody tr")) == 50)
        for box in viewer.all("td input[type=checkbox]")[:3]:
            box.click()
        viewer.see("3 jobs ticked", ".action-bar")
        viewer.click("Delete\u2026", ".action-bar")
        viewer.see("Delete 3 jobs", "dialog")
        viewer.confirm()
        eventually("three are gone", lambda: client.count("bulk", "ready") == 127)
        viewer.see("3 jobs deleted.", ".notes")

        step("all that match are buried")
        viewer.open("jobs?tube=bulk&body=apple")
        viewer.until("a page is shown", lambda: len(viewer.all("main tbody tr")) == 50)
        viewer.find("th input[type=checkbox]").click()
        viewer.see("50 jobs ticked", ".action-bar")
        viewer.click("Take all that match", ".action-bar")
        viewer.see("All 65 jobs that match", ".action-bar")
        viewer.click("Bury\u2026", ".action-bar")
        viewer.see("tube is bulk, body contains \u201capple\u201d", "dialog")
        viewer.confirm()
        eventually("the apples are buried", lambda: client.count("bulk", "buried") == 65)
        expect(client.count("other", "ready") == 1, "the action has left its filter")

        step("the operation is found again")
        viewer.open("operations")
        viewer.until("it is done", lambda: viewer.all(".operation[data-state=done]"))
        viewer.see("Bury 65 jobs: tube is bulk", "main")

        step("more than a hundred are deleted once their number is typed")
        viewer.open("jobs?tube=bulk")
        viewer.until("a page is shown", lambda: len(viewer.all("main tbody tr")) == 50)
        viewer.find("th input[type=checkbox]").click()
        viewer.click("Take all that match", ".action-bar")
        viewer.see("All 127 jobs that match", ".action-bar")
        viewer.click("Delete\u2026", ".action-bar")
        viewer.type("Type 127 to go on", "127")
        viewer.confirm()
        eventually("all are gone", lambda: not any(client.exists(number) for number in numbers))
        complaints = viewer.complaints()
        expect(not complaints, f"the console has {complaints}")


run(session)
