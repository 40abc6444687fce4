#!/usr/bin/env python3
"""Caller and PBX in one process: how long the box takes from INVITE in to INVITE out.

usage: delay.py BOX-IP:PORT PBX-PORT CALLS-A-SECOND CALLS-UP

Each call stays up until so many others are, and is then hung up. The time runs from just before the
INVITE is sent to the kernel's own receive time of the INVITE that comes out. Prints p50, p99, most.
"""
import re
import select
import socket
import struct
import sys
import time

TIMESTAMPNS = 35  # SO_TIMESTAMPNS of Linux; the module has no name for it


def description(port):
    return ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n")


def header(text, name):
    found = re.findall(rf"(?im)^{name}[ \t]*:[ \t]*(.*?)\r$", text)
    return found[0] if found else ""


def lines(text, *names):
    return "".join(f"{name}: {value}\r\n" for name in names
                   for value in re.findall(rf"(?im)^{name}[ \t]*:[ \t]*(.*?)\r$", text))


class Run:
    def __init__(self, box, pbx_port):
        self.box = box
        self.caller = self.socket(0)
        self.pbx = self.socket(pbx_port)
        self.own = "127.0.0.1:%d" % self.caller.getsockname()[1]
        self.at = "127.0.0.1:%d" % pbx_port
        self.sent, self.delays, self.up = {}, [], []

    @staticmethod
    def socket(port):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", port))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        one.setsockopt(socket.SOL_SOCKET, TIMESTAMPNS, 1)
        return one

    def ask(self, number, method, target, to, cseq, body=""):
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = (f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {self.own};branch=z9hG4bK{number}-{cseq}{method}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:+3161{number:07}@{self.own}>;tag=c{number}\r\nTo: {to}\r\n"
                f"Call-ID: {number}@delay\r\nCSeq: {cseq} {method}\r\nContact: <sip:c@{self.own}>\r\n"
                f"{kind}Content-Length: {len(body)}\r\n\r\n{body}")
        if method == "INVITE":
            self.sent[number] = time.time_ns()
        self.caller.sendto(text.encode(), self.box)

    def call(self, number):
        target = "sip:+31201234569@%s:%d" % self.box
        self.ask(number, "INVITE", target, f"<{target}>", 1, description(30000))

    def hang_up(self):
        number, target, to = self.up.pop(0)
        self.ask(number, "BYE", target, to, 2)

    def at_caller(self, text):
        cseq = header(text, "CSeq")
        if not (text.startswith("SIP/2.0 200") and cseq.endswith("INVITE")):
            if text.startswith("SIP/2.0") and cseq.endswith("INVITE") and int(text[8:11]) >= 300:
                sys.exit(f"a call was refused: {text.splitlines()[0]}")
            return
        number, to = int(header(text, "Call-ID").split("@")[0]), header(text, "To")
        target = re.search(r"<([^>]*)>", header(text, "Contact")).group(1)
        self.ask(number, "ACK", target, to, 1)
        self.up.append((number, target, to))

    def at_pbx(self, text, source, received):
        method = text.split(" ")[0]
        if method not in ("INVITE", "BYE", "OPTIONS"):
            return
        to, body = header(text, "To"), ""
        if method == "INVITE":
            number = int(re.search(r"sip:\+3161(\d{7})@", header(text, "From")).group(1))
            if number in self.sent:
                self.delays.append(received - self.sent.pop(number))
            body, to = description(32000), to + ";tag=p"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        answer = (f"SIP/2.0 200 OK\r\n{lines(text, 'Via', 'Record-Route', 'From')}To: {to}\r\n"
                  f"{lines(text, 'Call-ID', 'CSeq')}Contact: <sip:p@{self.at}>\r\n{kind}"
                  f"Content-Length: {len(body)}\r\n\r\n{body}")
        self.pbx.sendto(answer.encode(), source)

    def pump(self, until):
        while True:
            left = until - time.monotonic()
            ready, _, _ = select.select([self.caller, self.pbx], [], [], max(left, 0))
            if not ready:
                return
            for one in ready:
                data, more, _, source = one.recvmsg(65535, 256)
                text = data.decode("utf-8", "replace")
                if one is self.caller:
                    self.at_caller(text)
                    continue
                stamp = next((d for level, kind, d in more if kind == TIMESTAMPNS), None)
                seconds, nanos = struct.unpack("qq", stamp)
                self.at_pbx(text, source, seconds * 1_000_000_000 + nanos)


def main():
    host, port = sys.argv[1].split(":")
    rate, up = int(sys.argv[3]), int(sys.argv[4])
    run = Run((host, int(port)), int(sys.argv[2]))
    begun = time.monotonic()
    for number in range(up + rate * 30):
        if number == up:
            run.delays.clear()  # what counts is the time with all of them up
        run.call(number)
        while len(run.up) > up:
            run.hang_up()
        run.pump(begun + (number + 1) / rate)
    while run.up:
        run.hang_up()
        run.pump(time.monotonic() + 0.005)
    times = sorted(run.delays)
    if len(times) < rate * 29:
        sys.exit(f"only {len(times)} calls came through")
    at = lambda share: times[int(share * (len(times) - 1))] / 1e6
    print(f"p50 {at(.5):.2f} ms, p99 {at(.99):.2f} ms, most {at(1):.2f} ms of {len(times)} calls")


main()
