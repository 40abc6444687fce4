#!/usr/bin/env python3
"""Calls on rtpengine, by its ng protocol: sets them up, runs a command, ends.

usage: ng.py ENGINE-IP:PORT CALLS CALLS-FILE COMMAND…

The command finds the calls file written: a line for each call, with the engine's ports for caller
and callee. Its exit code is this program's.
"""
import os
import socket
import subprocess
import sys

SOCKETS, FIRST = 8, (10000, 11000)  # the meter's, as src/ground.rs has them


def packed(value):
    if isinstance(value, str):
        return b"%d:%s" % (len(value), value.encode())
    if isinstance(value, list):
        return b"l" + b"".join(map(packed, value)) + b"e"
    return b"d" + b"".join(packed(key) + packed(value[key]) for key in sorted(value)) + b"e"


def unpacked(data, at):
    """A value that begins there, and where the next one does."""
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in (b"l", b"d"):
        values, at = [], at + 1
        while data[at:at + 1] != b"e":
            value, at = unpacked(data, at)
            values.append(value)
        return (values if kind == b"l" else dict(zip(values[::2], values[1::2]))), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1:end], end


def description(port):
    return ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n")


def main():
    host, port = sys.argv[1].split(":")
    calls, file, command = int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    engine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    engine.connect((host, int(port)))
    engine.settimeout(10)

    def ask(number, what, **more):
        cookie = b"%s-%d " % (what.encode(), number)
        about = {"command": what, "call-id": f"c{number}", "from-tag": "a", "ICE": "remove", **more}
        engine.send(cookie + packed(about))
        answer, _ = unpacked(engine.recv(65535), len(cookie))
        if answer.get(b"result") != b"ok":
            sys.exit(f"rtpengine refused: {answer}")
        line = next(line for line in answer[b"sdp"].split(b"\r\n") if line.startswith(b"m=audio "))
        return int(line.split()[1])

    lines = []
    for number in range(calls):
        offered, answered = (first + number % SOCKETS * 2 for first in FIRST)
        for_callee = ask(number, "offer", sdp=description(offered))
        for_caller = ask(number, "answer", sdp=description(answered), **{"to-tag": "b"})
        lines.append(f"{for_caller} {for_callee}\n")
    with open(file + ".new", "w", encoding="ascii") as out:
        out.writelines(lines)
    os.rename(file + ".new", file)
    sys.exit(subprocess.run(command, check=False).returncode)


main()
