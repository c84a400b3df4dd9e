"""Runs a command at the head of a terminal of its own; once PATTERN stands there, the terminal is
closed, as when its window is. Prints "ended", or what it was waiting for.

    closed_terminal.py PATTERN COMMAND [ARGUMENT...]
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

LIMIT_S = 60

child, master = pty.fork()
if child == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

shown, until = b"", time.monotonic() + LIMIT_S
while not re.search(sys.argv[1].encode(), shown) and time.monotonic() < until:
    if select.select([master], [], [], 1)[0]:
        try:
            shown += os.read(master, 65536)
        except OSError:  # the command has ended
            break
seen = re.search(sys.argv[1].encode(), shown)
os.close(master)

ended = False
until = time.monotonic() + LIMIT_S
while not ended and time.monotonic() < until:
    ended = os.waitpid(child, os.WNOHANG)[0] != 0
    time.sleep(0.05)
if not ended:
    os.kill(child, signal.SIGKILL)
print("ended" if seen and ended else f"shown: {bool(seen)}, ended: {ended}")
