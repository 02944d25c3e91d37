"""Each action on one job and on a tube, as the page does it and as the protocol sees it."""
from browser import Select, Viewer
from broker import eventually
from session import broker, expect, run, step


def act_on_jobs(viewer, client):
    step("a job is put")
    viewer.open("put?tube=work")
    viewer.type("Body", '{"n": 1}', "main")
    viewer.type("Priority", "7", "main")
    viewer.click("Put", "form")
    viewer.until("the job is shown", lambda: viewer.find("h1").text.startswith("Job "))
    number = int(viewer.find("h1").text.split()[1])
    expect(client.job(number)["pri"] == "7", client.job(number))

    step("it is put again")
    viewer.click("Put again\u2026")
    viewer.until("the body is filled in", lambda: viewer.field("Body", "main").get_attribute("value") == '{"n": 1}')
    viewer.click("Put", "form")
    viewer.until("another job is shown", lambda: viewer.find("h1").text not in (f"Job {number}", f"Put job {number} again"))
    again = int(viewer.find("h1").text.split()[1])
    expect(client.job(again)["pri"] == "7", client.job(again))

    step("priority, delay, bury, kick, move, delete")
    viewer.open(f"jobs/{number}")
    viewer.click("Priority\u2026")
    viewer.type("New priority", "99")
    viewer.confirm()
    eventually("the priority is 99", lambda: client.job(number)["pri"] == "99")
    viewer.click("Delay\u2026")
    viewer.type("Delay from now", "2 h")
    viewer.confirm()
    eventually("the job is delayed", lambda: client.job(number)["state"] == "delayed")
    viewer.see("delayed", ".title")
    viewer.click("Kick\u2026")
    viewer.confirm()
    eventually("the job is ready", lambda: client.job(number)["state"] == "ready")
    viewer.click("Bury\u2026")
    viewer.confirm()
    eventually("the job is buried", lambda: client.job(number)["state"] == "buried")
    viewer.see("buried", ".title")
    viewer.click("Move\u2026")
    viewer.type("To the tube", "elsewhere")
    viewer.confirm()
    eventually("the job is elsewhere", lambda: client.job(number)["tube"] == "elsewhere")
    viewer.click("Delete\u2026")
    viewer.confirm()
    eventually("the job is gone", lambda: not client.exists(number))
    viewer.until("the page knows", lambda: viewer.all("main .failure"))
    viewer.complaints()


def act_on_a_tube(viewer, client):
    step("a tube is paused and goes on")
    for _ in range(3):
        client.bury("plant", b"weed")
    for _ in range(2):
        client.put("plant", b"seed")
    viewer.open("tubes/plant")
    viewer.click("Pause\u2026")
    viewer.type("How long", "1 h")
    viewer.confirm()
    eventually("the tube is paused", lambda: int(client.stats("plant")["pause-time-left"]) > 3500)
    viewer.see("paused for", "main")
    viewer.click("Go on")
    eventually("the tube goes on", lambda: client.stats("plant")["pause-time-left"] == "0")
    viewer.button("Pause\u2026")

    step("a wrong length is refused")
    viewer.click("Pause\u2026")
    viewer.type("How long", "soon")
    viewer.find("dialog button[type=submit]").click()
    viewer.see("That is not a length of time.", "dialog")
    viewer.click("Cancel", "dialog")

    step("all are kicked")
    viewer.click("Kick all\u2026")
    viewer.see("3 jobs are buried", "dialog")
    viewer.confirm()
    eventually("none is buried", lambda: client.count("plant", "buried") == 0 and client.count("plant", "ready") == 5)

    step("a policy is set")
    viewer.click("Policy\u2026")
    viewer.type("Bury after so many time-outs", "5")
    viewer.type("Keep history for", "30 d")
    viewer.confirm()
    viewer.see("Buried after 5 time-outs; history 30 d.", "main")

    step("the tube is cleared, once its name is typed")
    viewer.click("Clear\u2026")
    viewer.see("5 jobs", "dialog")
    expect(not viewer.find("dialog button[type=submit]").is_enabled(), "it can be cleared without its name")
    viewer.type("Type plant to go on", "plan")
    expect(not viewer.find("dialog button[type=submit]").is_enabled(), "it can be cleared with another name")
    viewer.type("Type plant to go on", "plant")
    Select(viewer.field("Which")).select_by_value("ready")
    viewer.confirm()
    eventually("the tube is empty", lambda: client.count("plant", "ready") == 0)


def look_back(viewer, client):
    step("what has ended is found")
    number = client.put("plant", b"done")
    expect(client.reserve("plant") == number, "another job was reserved")
    expect(client.ask(f"delete {number}") == "DELETED", "the job was not deleted")
    viewer.open("history?tube=plant")
    viewer.row(str(number))
    viewer.open(f"jobs/{number}")
    viewer.see("This job has ended at", "main")
    viewer.see("finished", ".title")
    step("who did what is found")
    viewer.open("audit")
    viewer.until("all actions are there", lambda: {"kick", "pause", "clear", "delete", "move"} <= {
        word for text in viewer.texts("main td.c-action") for word in text.split()})


def session():
    with broker() as served, Viewer(served.url) as viewer:
        client = served.client()
        act_on_jobs(viewer, client)
        act_on_a_tube(viewer, client)
        look_back(viewer, client)
        complaints = [text for text in viewer.complaints() if "status of 404" not in text]
        expect(not complaints, f"the console has {complaints}")


run(session)
