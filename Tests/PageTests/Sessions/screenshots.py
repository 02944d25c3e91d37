"""Pictures of the page of a broker under load: BINARY DATA-DIRECTORY MINUTES PICTURES-OF-THE-DOCUMENTATION ALL-PICTURES."""
import io
import pathlib
import random
import sys
import threading
import time

from PIL import Image

from broker import Broker
from browser import Viewer

BODIES = [b'{"to":"anna@example.org","template":"welcome","user_id":9007199254740993,"tags":["new","eu"]}',
          b"resize /srv/images/4711.jpg 640x480",
          b'{"order":{"id":18446744073709551615,"lines":[{"sku":"A-1","qty":2,"price":19.90},{"sku":"B-7","qty":1,"price":4.00}],'
          b'"paid":true,"note":null}}']
# Puts a second, and the seconds that a worker takes.
TUBES = {"mail.welcome": (6, .1), "mail.receipt": (18, .12), "mail.digest": (2, .4), "images.thumbnail": (9, .2),
         "images.ocr": (2, .9), "billing.invoice": (4, .3), "search.index": (25, .05), "webhooks": (12, .15), "default": (1, .1)}


def produce(broker, tube, rate, end):
    client = broker.client()
    while time.time() < end:
        client.put(tube, random.choice(BODIES))
        wave = 1 + .5 * random.random() * (1 + (time.time() % 240 < 120))
        time.sleep(random.expovariate(rate * wave / 1.5))


def work(broker, tube, seconds, end):
    client = broker.client()
    client.ask(f"watch {tube}")
    client.ask("ignore default")
    while time.time() < end:
        answer = client.ask("reserve-with-timeout 2")
        if not answer.startswith("RESERVED"):
            continue
        _, number, size = answer.split()
        client.file.read(int(size) + 2)
        time.sleep(random.expovariate(1 / seconds))
        luck = random.random()
        client.ask(f"delete {number}" if luck < .97 else f"release {number} 1024 20" if luck < .995 else f"bury {number} 1024")


def load(broker, end):
    client = broker.client()
    for _ in range(12):
        client.put("reports.nightly", b"nightly", delay=28800)
    for _ in range(400):
        client.put("billing.dunning", random.choice(BODIES))
    client.put("exports", b"export")
    client.ask("pause-tube exports 3600")
    tasks = [(produce, "billing.dunning", 3)] + [(produce, tube, rate) for tube, (rate, _) in TUBES.items()]
    tasks += [(work, tube, seconds) for tube, (_, seconds) in TUBES.items() for _ in range(4)]
    for task, tube, number in tasks:
        threading.Thread(target=task, args=(broker, tube, number, end), daemon=True).start()


def picture(viewer, path):
    """Saves what is shown, in 256 colours: those of the states stay apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(io.BytesIO(viewer.driver.get_screenshot_as_png())).convert("RGB")
    image = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size} bytes", flush=True)


def settle(viewer):
    viewer.until("the screen is read", lambda: "Reading\u2026" not in viewer.find("main").text)
    time.sleep(2.5)


def main():
    binary, data, minutes, pictures, everything = sys.argv[1:6]
    broker = Broker(binary, ["-b", data])
    try:
        # The load goes on while the pictures are taken.
        end = time.time() + 60 * float(minutes)
        load(broker, end + 600)
        time.sleep(max(0, end - time.time()))
        client = broker.client()
        job = next(number for number in range(1, 10000)
                   if client.exists(number) and client.job(number)["tube"] == "billing.dunning")
        screens = {"tubes": "tubes", "groups": "tubes?group=1", "tube": "tubes/mail.receipt", "burning": "tubes/billing.dunning",
                   "jobs": "jobs?state=buried", "job": f"jobs/{job}", "history": "history", "reports": "reports",
                   "operations": "operations", "audit": "audit", "brokers": "brokers", "clients": "clients", "holders": "holders",
                   "warnings": "warnings", "put": "put"}
        documented = {("tubes", "light"), ("tubes", "dark"), ("tube", "light"), ("jobs", "light"), ("job", "dark"), ("tubes", "phone")}
        with Viewer(broker.url, height=800) as viewer:
            for look, width, height in [("light", 1280, 800), ("dark", 1280, 800), ("phone", 375, 800)]:
                viewer.size(width, height)
                viewer.dark(look == "dark")
                for name, screen in screens.items():
                    viewer.open(screen)
                    if (name, look) == ("jobs", "light"):
                        viewer.until("there are jobs", lambda: len(viewer.all("td input")) > 3)
                        for box in viewer.all("td input")[:3]:
                            box.click()
                    settle(viewer)
                    picture(viewer, pathlib.Path(everything, f"{name}-{look}.png"))
                    if (name, look) in documented:
                        plain = look == "light" or name == "job"
                        picture(viewer, pathlib.Path(pictures, f"{name}{'' if plain else '-' + look}.png"))
    finally:
        # The clients end with the broker, and need not say so.
        threading.excepthook = lambda _: None
        broker.stop()


main()
