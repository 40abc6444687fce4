#!/usr/bin/env python3
"""Calls through a B2BUA: caller and callee in one process. Sets them up, runs a command, ends.

usage: calls.py B2BUA-IP:PORT CALLEE-PORT NUMBER CALLS CALLS-A-SECOND KEY CALLS-FILE COMMAND…

KEY is pressed by each caller once it is answered (RFC 4733), `-` for none. A call counts when both
ends have been acknowledged; all must. The command then finds the calls file written: a line for each
call, with the B2BUA's ports for caller and callee (and the keys, see src/main.rs). Its exit code is
this program's. A call that the B2BUA ends before the command has makes the measurement worthless: then,
as whenever this program ends, the command and all that it has started are ended, too. What the
environment changes:

SUITE=NAME   both ends have SRTP of that suite (RFC 4568)
MUX=yes      both ends have sound and reports on one port (RFC 5761)
KEYS=info    the callers have no telephone events and press their key by SIP INFO
"""
import base64
import hashlib
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time

SOCKETS, FIRST = 8, (10000, 11000)  # the meter's, as src/ground.rs has them
PRESSED_AFTER_S = 1.0
LIMIT_S = 60  # from the last call's INVITE until all are up
GRACE_S = 2  # for the command to end when it is told to
AGAIN_S = 1.0  # an INVITE or its answer that nobody reacts to is sent again
RCVBUFFORCE = 33  # SO_RCVBUFFORCE of Linux: more than the system's limit, for root
SUITE = os.environ.get("SUITE")
MUX = os.environ.get("MUX") == "yes"
BY_INFO = os.environ.get("KEYS") == "info"
KEY_AND_SALT = {"AES_CM_128_HMAC_SHA1_80": 30, "AEAD_AES_128_GCM": 28}  # octets


def secret(side, number):
    """A party's own key: another one for each, and the same whenever it is told."""
    octets = hashlib.sha256(f"{side} {number}".encode()).digest()[:KEY_AND_SALT[SUITE]]
    return base64.b64encode(octets).decode()


def key_of(text):
    """The tag and the key for our suite in a description."""
    found = re.search(rf"(?m)^a=crypto:(\d+) {SUITE} inline:(\S+)", text)
    return found.groups() if found else (1, None)


def description(side, number, tag=1):
    port = FIRST[side] + number % SOCKETS * 2
    profile = "SAVP" if SUITE else "AVP"
    key = f"a=crypto:{tag} {SUITE} inline:{secret(side, number)}\r\n" if SUITE else ""
    mux = "a=rtcp-mux\r\n" if MUX else ""
    formats, events = "8 101", "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    if BY_INFO and side == 0:
        formats, events = "8", ""
    return ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/{profile} {formats}\r\na=rtpmap:8 PCMA/8000\r\n"
            f"{events}a=ptime:20\r\n{mux}{key}")


def header(text, name):
    found = re.search(rf"(?im)^{name}[ \t]*:[ \t]*(.*?)\r$", text)
    return found.group(1) if found else ""


def lines(text, *names):
    return "".join(f"{name}: {value}\r\n" for name in names
                   for value in re.findall(rf"(?im)^{name}[ \t]*:[ \t]*(.*?)\r$", text))


def media_port(text):
    found = re.search(r"(?m)^m=audio (\d+)", text)
    return int(found.group(1)) if found else None


def bound(port, buffer):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", port))
    try:
        one.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, buffer)
    except PermissionError:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    return one


class Run:
    def __init__(self, box, callee_port, number, key):
        self.box, self.dialled, self.key = box, number, key
        self.caller, self.callee = bound(0, 8 << 20), bound(callee_port, 8 << 20)
        # Held while calls are set up, so that keys come from where the caller listens and nobody is
        # told that a port is closed. What they hear is nobody's business.
        self.media = [[bound(first + 2 * at, 1 << 12) for at in range(SOCKETS)] for first in FIRST]
        self.own = "127.0.0.1:%d" % self.caller.getsockname()[1]
        self.at = "127.0.0.1:%d" % callee_port
        self.ports = ({}, {})  # of the B2BUA, for each side, by the call's number
        self.secrets = ({}, {})  # its keys, likewise
        self.acknowledged = (set(), set())
        self.presses = []  # when, which call, which packet of the key
        self.dialogs = {}  # of those who press: the target and the To of what they send
        self.unanswered = {}  # by the call's number: when it was sent, by which socket, what, to whom
        self.unacknowledged = {}

    def ask(self, number, method, target, to, body="", kind="sdp", count=1):
        kind = f"Content-Type: application/{kind}\r\n" if body else ""
        text = (f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {self.own};branch=z9hG4bK{number}{method}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:+3161{number:07}@{self.own}>;tag=c{number}\r\nTo: {to}\r\n"
                f"Call-ID: {number}@calls\r\nCSeq: {count} {method}\r\nContact: <sip:c@{self.own}>\r\n"
                f"{kind}Content-Length: {len(body)}\r\n\r\n{body}")
        self.caller.sendto(text.encode(), self.box)
        if method == "INVITE":
            self.unanswered[number] = (time.monotonic(), self.caller, text.encode(), self.box)

    def call(self, number):
        target = f"sip:{self.dialled}@{self.box[0]}:{self.box[1]}"
        self.ask(number, "INVITE", target, f"<{target}>", description(0, number))

    def answer(self, text, side, number, source):
        """200 to whatever is asked within a call; to an INVITE with our description."""
        method, to, body = text.split(" ")[0], header(text, "To"), ""
        if method in ("BYE", "CANCEL"):
            sys.exit(f"call {number} was ended by the other side: {header(text, 'Reason') or method}")
        if method == "INVITE":
            self.ports[side][number] = media_port(text) or self.ports[side].get(number)
            tag, key = key_of(text)
            self.secrets[side][number] = key or self.secrets[side].get(number)
            body = description(side, number, tag)
        to += "" if ";tag=" in to else f";tag=p{number}"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        said = (f"SIP/2.0 200 OK\r\n{lines(text, 'Via', 'Record-Route', 'From')}To: {to}\r\n"
                f"{lines(text, 'Call-ID', 'CSeq')}Contact: <sip:p@{(self.own, self.at)[side]}>\r\n{kind}"
                f"Content-Length: {len(body)}\r\n\r\n{body}")
        way = (self.caller, self.callee)[side]
        way.sendto(said.encode(), source)
        if body and side == 1:
            self.unacknowledged[number] = (time.monotonic(), way, said.encode(), source)

    def at_caller(self, text, source):
        number = int(header(text, "Call-ID").split("@")[0])
        if not text.startswith("SIP/2.0"):
            if not text.startswith("ACK"):
                self.answer(text, 0, number, source)
            return
        status = int(text[8:11])
        if header(text, "CSeq").endswith("INVITE"):
            self.unanswered.pop(number, None)
        if not header(text, "CSeq").endswith("INVITE") or status < 200:
            return
        if status >= 300:
            sys.exit(f"call {number} was refused: {text.splitlines()[0]}")
        target = re.search(r"<([^>]*)>", header(text, "Contact")).group(1)
        self.ask(number, "ACK", target, header(text, "To"))
        if number not in self.acknowledged[0]:
            self.ports[0][number] = media_port(text)
            self.secrets[0][number] = key_of(text)[1]
            self.acknowledged[0].add(number)
            if self.key is not None:
                begin = time.monotonic() + PRESSED_AFTER_S
                packets = 1 if BY_INFO else 7
                self.presses += [(begin + packet * 0.02, number, packet) for packet in range(packets)]
                self.dialogs[number] = (target, header(text, "To"))

    def at_callee(self, text, source):
        method = text.split(" ")[0]
        found = re.search(r"\+?3161(\d{7})", header(text, "From"))
        if text.startswith("SIP/2.0") or not found:
            return
        number = int(found.group(1))
        if method == "ACK":
            self.acknowledged[1].add(number)
            self.unacknowledged.pop(number, None)
        else:
            self.answer(text, 1, number, source)

    def again(self):
        now = time.monotonic()
        for waiting in (self.unanswered, self.unacknowledged):
            for number, (when, way, text, target) in list(waiting.items()):
                if now > when + AGAIN_S:
                    way.sendto(text, target)
                    waiting[number] = (now, way, text, target)

    def press(self):
        """Sends the packets of keys that are due: four while it is held, three as it is let go."""
        now, left = time.monotonic(), []
        for when, number, packet in self.presses:
            if when > now:
                left.append((when, number, packet))
                continue
            if BY_INFO:
                said = f"Signal={self.key}\r\nDuration=100\r\n"
                self.ask(number, "INFO", *self.dialogs[number], said, "dtmf-relay", 2)
                continue
            held = min(packet + 1, 5) * 160
            head = struct.pack("!BBHII", 0x80, 101 | (0x80 if packet == 0 else 0), packet, 1600, number + 1)
            event = struct.pack("!BBH", self.key, 10 | (0x80 if packet >= 4 else 0), held)
            self.media[0][number % SOCKETS].sendto(head + event, ("127.0.0.1", self.ports[0][number]))
        self.presses = left

    def pump(self, until):
        while True:
            self.press()
            self.again()
            left = until - time.monotonic()
            ready, _, _ = select.select([self.caller, self.callee], [], [], min(max(left, 0), 0.01))
            for one in ready:
                data, source = one.recvfrom(65535)
                text = data.decode("utf-8", "replace")
                (self.at_caller if one is self.caller else self.at_callee)(text, source)
            if left <= 0 and not ready:
                return

    def line(self, number):
        """What the calls file says of a call."""
        words = [self.ports[0][number], self.ports[1][number]]
        if SUITE:
            words.append(SUITE)
            for side in (0, 1):
                if self.secrets[side][number] is None:
                    sys.exit(f"call {number} came up without SRTP")
                words += [secret(side, number), self.secrets[side][number]]
        return " ".join(map(str, words)) + "\n"

    def up(self):
        return len(self.acknowledged[0] & self.acknowledged[1])


def main():
    host, port = sys.argv[1].split(":")
    calls, rate = int(sys.argv[4]), float(sys.argv[5])
    key = None if sys.argv[6] == "-" else int(sys.argv[6])
    file, command = sys.argv[7], sys.argv[8:]
    run = Run((host, int(port)), int(sys.argv[2]), sys.argv[3], key)
    begun = time.monotonic()
    for number in range(calls):
        run.call(number)
        run.pump(begun + (number + 1) / rate)
    limit = time.monotonic() + LIMIT_S
    while run.up() < calls:
        if time.monotonic() > limit:
            sys.exit(f"only {run.up()} of {calls} calls are up; {len(run.acknowledged[0])} callers were answered, "
                     f"{len(run.acknowledged[1])} callees acknowledged")
        run.pump(time.monotonic() + 0.05)
    for one in run.media[0] + run.media[1]:
        one.close()
    with open(file + ".new", "w", encoding="ascii") as out:
        out.writelines(run.line(number) for number in range(calls))
    os.rename(file + ".new", file)
    # In a group of its own, so that what it starts can be ended with it.
    child = subprocess.Popen(command, start_new_session=True)
    try:
        while child.poll() is None:
            run.pump(time.monotonic() + 0.1)
    finally:
        end(child)
    sys.exit(child.returncode)


def end(child):
    """Ends a command's group: asks it to, and then does not ask."""
    limit = time.monotonic() + GRACE_S
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, how)
            while time.monotonic() < limit:
                child.poll()
                os.killpg(child.pid, 0)
                time.sleep(0.01)
        except ProcessLookupError:
            break
    child.wait()


# Whoever is told to end does so in the same way as whoever fails.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
main()
