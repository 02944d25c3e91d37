"""A filter, a selection, and actions on all that match."""
from browser import Select, Viewer
from broker import eventually
from session import broker, expect, run, step


def fill_in(viewer, action, value):
    label = {"Move": "To the tube", "Priority": "New priority", "Delay": "Delay from now"}.get(action)
    if label:
        viewer.type(label, value)
    viewer.confirm()


def act_on_ticked(viewer, client):
    for action, value, done in [
            ("Bury", None, lambda number: client.job(number)["state"] == "buried"),
            ("Kick", None, lambda number: client.job(number)["state"] == "ready"),
            ("Priority", "77", lambda number: client.job(number)["pri"] == "77"),
            ("Delay", "3 h", lambda number: client.job(number)["state"] == "delayed"),
            ("Move", "ticked2", lambda number: client.job(number)["tube"] == "ticked2")]:
        step(f"two are ticked: {action}")
        if action == "Bury":
            numbers = [client.put("ticked", b"x") for _ in range(3)]
        viewer.open("jobs?tube=ticked")
        viewer.until("all are shown", lambda: len(viewer.all("main tbody tr")) == 3)
        for box in viewer.all("td input[type=checkbox]")[:2]:
            box.click()
        viewer.see("2 jobs ticked", ".action-bar")
        viewer.click(f"{action}\u2026", ".action-bar")
        fill_in(viewer, action, value)
        eventually(f"two were changed by {action}", lambda: all(done(number) for number in numbers[:2]))
        expect(not done(numbers[2]) or action == "Kick", f"{action} has changed a job that was not ticked")


def act_on_all(viewer, client):
    for _ in range(60):
        client.bury("whole", b"x")
    for action, value, done in [
            ("Kick", None, lambda: client.count("whole", "ready") == 60),
            ("Priority", "5", lambda: client.count("whole", "urgent") == 60),
            ("Delay", "1 h", lambda: client.count("whole", "delayed") == 60),
            ("Move", "whole2", lambda: client.count("whole2", "delayed") == 60)]:
        step(f"all that match: {action}")
        viewer.open("jobs?tube=whole")
        viewer.until("a page is shown", lambda: len(viewer.all("main tbody tr")) == 50)
        viewer.find("th input[type=checkbox]").click()
        viewer.click("Take all that match", ".action-bar")
        viewer.see("All 60 jobs that match", ".action-bar")
        viewer.click(f"{action}\u2026", ".action-bar")
        fill_in(viewer, action, value)
        eventually(f"all were changed by {action}", done)


def stop_and_resume(viewer, client):
    step("an action on all that match is stopped, found again, and goes on")
    client.put_many("heap", 60000)
    viewer.open("jobs?tube=heap")
    viewer.until("a page is shown", lambda: len(viewer.all("main tbody tr")) == 50)
    viewer.find("th input[type=checkbox]").click()
    viewer.click("Take all that match", ".action-bar")
    viewer.until("they are counted", lambda: int(viewer.find(".action-bar").get_attribute("data-count")) > 50)
    # On a busy machine the time for counting may be over before all are counted; the page says so.
    counted = int(viewer.find(".action-bar").get_attribute("data-count"))
    viewer.see("All 60 000 jobs" if counted == 60000 else "The first", ".action-bar")
    viewer.click("Bury\u2026", ".action-bar")
    viewer.confirm()
    viewer.open("operations")
    viewer.click("Stop", ".operation[data-state=running]")
    viewer.until("it is stopped", lambda: viewer.all(".operation[data-state=stopped]"))
    buried = client.count("heap", "buried")
    expect(buried < counted, "it was done before it was stopped")
    viewer.driver.refresh()
    viewer.click("Go on", ".operation[data-state=stopped]")
    # A busy machine takes long for all of them, but it always takes some.
    while (before := client.count("heap", "buried")) < counted:
        eventually("more are buried", lambda: client.count("heap", "buried") > before)
    viewer.until("it is done", lambda: not viewer.all(".operation[data-state=stopped], .operation[data-state=running]"))
    eventually("all that were counted are buried", lambda: client.count("heap", "buried") == counted)


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
        act_on_ticked(viewer, client)
        act_on_all(viewer, client)
        stop_and_resume(viewer, client)
        complaints = viewer.complaints()
        expect(not complaints, f"the console has {complaints}")


run(session)
