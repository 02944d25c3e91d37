"""A viewer who may only look: the page offers no action, and says why."""
import os
import subprocess
import tempfile

from browser import Viewer
from session import broker, expect, run, step


def session():
    with tempfile.TemporaryDirectory() as folder:
        users = os.path.join(folder, "users")
        hashed = subprocess.run(["openssl", "passwd", "-6", "secret"], check=True, capture_output=True, text=True).stdout.strip()
        with open(users, "w") as file:
            file.write(f"anna:{hashed}\n")
        with broker("--http-users", users, http="0.0.0.0") as served:
            number = served.client().bury("mail", b"broken")
            address = served.url.replace("http://", "http://anna:secret@")
            with Viewer(address) as viewer:
                step("the page says who looks")
                viewer.open("tubes/mail")
                viewer.see("read only", "header")
                step("nothing can be done")
                for screen in ["tubes", "tubes/mail", "jobs", f"jobs/{number}", "put"]:
                    viewer.open(screen)
                    viewer.until("the viewer is known", lambda: viewer.find("header .tag").is_displayed())
                    actions = [element.text for element in viewer.all(".acts, .acts *") if element.is_displayed()]
                    expect(not actions, f"{screen} offers {actions}")
                viewer.see("You may look, but not act.", "main")
                expect(not viewer.complaints(), "the console has errors")


run(session)
