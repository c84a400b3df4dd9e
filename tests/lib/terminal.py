#!/usr/bin/env python3
"""A GPS terminal of JT/T 808-2013 for system tests, written apart from the codec under test.

    terminal.py PORT PHONE LAT LON [--alarm HEX] [--no-fix] [--silent] [--age SECONDS]

Connects, registers, authenticates, reports every half second and answers position queries (not
with --silent). Says on standard output what it was told: "registered", "authenticated", "asked"."""
import argparse, socket, struct, sys, time

def frame(ident, phone, serial, body):
    head = struct.pack(">HH", ident, len(body)) + bytes.fromhex(phone) + struct.pack(">H", serial)
    data = head + body
    check = 0
    for byte in data:
        check ^= byte
    data += bytes([check])
    return b"~" + data.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"~"

def bcd_now(age):
    return bytes.fromhex(time.strftime("%y%m%d%H%M%S", time.gmtime(time.time() + 8 * 3600 - age)))

def main():
    p = argparse.ArgumentParser()
    p.add_argument("port", type=int)
    p.add_argument("phone")
    p.add_argument("lat", type=float)
    p.add_argument("lon", type=float)
    p.add_argument("--alarm", default="0")
    p.add_argument("--no-fix", action="store_true")
    p.add_argument("--silent", action="store_true")
    p.add_argument("--age", type=int, default=0)
    a = p.parse_args()
    s = socket.create_connection(("127.0.0.1", a.port))
    s.settimeout(0.1)
    serial = 0

    def say(ident, body=b""):
        nonlocal serial
        s.sendall(frame(ident, a.phone, serial, body))
        serial += 1

    def location():
        status = 0 if a.no_fix else 2
        return struct.pack(">IIIIHHH", int(a.alarm, 16), status, round(a.lat * 1e6),
                           round(a.lon * 1e6), 500, 0, 0) + bcd_now(a.age)

    say(0x0100, struct.pack(">HH", 51, 100) + b"MAKER" + b"MODEL".ljust(20, b"\0") +
        b"0000001" + b"\x01" + b"A12345")
    kept, due = b"", time.time()
    while True:
        if time.time() >= due:
            due = time.time() + 0.5
            say(0x0200, location())
        try:
            more = s.recv(4096)
        except socket.timeout:
            continue
        if not more:
            return
        kept += more
        while kept.count(b"~") >= 2:
            begin = kept.index(b"~")
            end = kept.index(b"~", begin + 1)
            data = kept[begin + 1:end].replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
            kept = kept[end + 1:]
            ident, theirs = struct.unpack(">H", data[:2])[0], data[10:12]
            if ident == 0x8100:
                print("registered", flush=True)
                say(0x0102, data[15:-1])
            elif ident == 0x8001 and data[14:16] == b"\x01\x02":
                print("authenticated", flush=True)
            elif ident == 0x8201:
                print("asked", flush=True)
                if not a.silent:
                    say(0x0201, theirs + location())

main()
