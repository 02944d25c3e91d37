"""Plays the part of systemd for a broker. Arguments: beanrow, its options, and the part to play."""
import os
import signal
import socket
import subprocess
import sys
import tempfile

part, command = sys.argv[1], sys.argv[2:]


def ask(family, address):
    with socket.socket(family) as client:
        client.settimeout(20)
        client.connect(address)
        client.sendall(b"list-tube-used\r\n")
        return client.recv(100)


def with_inherited_socket():
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    pid = os.fork()
    if pid == 0:
        os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
        os.execv(command[0], command)
    listener.close()
    try:
        print(ask(socket.AF_INET, address))
    finally:
        os.kill(pid, signal.SIGTERM)
    print("exit", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def with_notification():
    with tempfile.TemporaryDirectory() as directory:
        path = directory + "/notify"
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.settimeout(20)
        notify.bind(path)
        broker = subprocess.Popen(command, env=dict(os.environ, NOTIFY_SOCKET=path))
        try:
            print(notify.recv(100))
        finally:
            broker.terminate()
        print(notify.recv(100))
        print("exit", broker.wait())


def over_ipv6():
    broker = subprocess.Popen(command + ["-l", "::1"], stderr=subprocess.PIPE, text=True)
    try:
        for line in broker.stderr:
            if "serving" in line:
                port = int(line.split("address=[::1]:")[1].split()[0])
                break
        print(ask(socket.AF_INET6, ("::1", port)))
    finally:
        broker.terminate()
    print("exit", broker.wait())


{"socket": with_inherited_socket, "notify": with_notification, "ipv6": over_ipv6}[part]()
