"""Runs a broker without standard files. Arguments: what is gone, the broker's socket, beanrow and its options."""
import os
import pty
import signal
import socket
import sys
import time

part, path, command = sys.argv[1], sys.argv[2], sys.argv[3:]


def put():
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        while True:
            try:
                client.connect(path)
                break
            except OSError:
                time.sleep(0.01)
        client.sendall(b"put 0 0 60 1\r\na\r\n")
        return client.recv(100)


if part == "hangup":
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    said = b""
    while b"serving" not in said:
        said += os.read(terminal, 1000)
    # Its processes get SIGHUP, and writes to it fail with EIO.
    os.close(terminal)
else:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        # A test runner may ignore SIGPIPE, and an ignored signal is inherited.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if part == "pipe":
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            os.close(reader)
        else:
            for number in 0, 1, 2:
                os.close(number)
        os.execv(command[0], command)
    os.close(reader)
    os.close(writer)
print(put(), flush=True)
os.kill(pid, signal.SIGTERM)
print("exit", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
