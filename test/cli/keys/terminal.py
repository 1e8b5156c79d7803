"""Runs a command on a terminal of its own and types into it.

terminal.py STEPS COMMAND…: STEPS is a file of JSON, a list of pairs. The program waits until the terminal shows the
first text of a pair, and then types the second. It writes what the terminal showed, and ends as the command does. It
ends with 124 if a text is not shown within 20 seconds.
"""
import json
import os
import pty
import select
import signal
import sys
import time

steps = json.load(open(sys.argv[1], encoding="utf8"))
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])

shown, seen, last = "", 0, time.monotonic()


def end(code):
    sys.stdout.write(shown)
    sys.stdout.flush()
    os._exit(code)


while True:
    while steps:
        text, keys = steps[0]
        at = shown.find(text, seen)
        if at < 0:
            break
        seen = at + len(text)
        os.write(terminal, keys.encode())
        steps.pop(0)
        last = time.monotonic()
    if time.monotonic() - last > 20:
        os.kill(pid, signal.SIGKILL)
        end(124)
    if terminal not in select.select([terminal], [], [], 1)[0]:
        continue
    try:
        data = os.read(terminal, 65536)
    except OSError:
        data = b""
    if data == b"":
        break
    shown += data.decode("utf8", "replace")

status = os.waitpid(pid, 0)[1]
if steps:
    shown += "\nnot shown: " + steps[0][0]
end(os.waitstatus_to_exitcode(status) if not steps else 125)
