#!/usr/bin/env python3
"""Makes MEDIA.md of the lines of all windows, and media.png where matplotlib is there.

usage: report.py WINDOWS-FILE FOLDER MACHINE
"""
import datetime
import math
import os
import statistics
import sys

LOST, BUSY = 0.001, 0.9  # beyond either a cell is saturated and its ratio says nothing
NAMES = {
    "limit": "bare epoll loop",
    "rtpengine": "rtpengine, relaying",
    "asterisk": "Asterisk, relaying",
    "mixmonitor": "Asterisk with MixMonitor",
    "relay": "jawoord, relaying",
    "srtp": "jawoord, SRTP on both legs (AES-CM, HMAC-SHA1)",
    "srtp-gcm": "jawoord, SRTP on both legs (AES-GCM)",
    "recorded": "jawoord, recording and sealing",
    "in-band": "the same, listening for tones in the caller's sound",
    "mux": "jawoord, relaying, one port a leg, the packets of 1000 calls",
    "frozen": "jawoord, recording, its disk frozen for 5 s",
}
# What, of which cell over which, at which calls (of both), at most.
RATIOS = [
    ("relay against the bare loop", "relay", "limit", 100, 0.7),
    ("relay against the bare loop", "relay", "limit", 500, 1.2),
    ("relay against the bare loop", "relay", "limit", 1000, 1.2),
    ("relay against the bare loop", "relay", "limit", 2000, 1.2),
    ("relay against rtpengine relaying", "relay", "rtpengine", 500, 0.5),
    ("relay against rtpengine relaying", "relay", "rtpengine", 1000, 0.5),
    ("SRTP on both legs (AES-CM, HMAC-SHA1) against own relay", "srtp", "relay", 500, 1.25),
    ("SRTP on both legs (AES-CM, HMAC-SHA1) against own relay", "srtp", "relay", 1000, 1.25),
    ("SRTP on both legs (AES-GCM) against own relay", "srtp-gcm", "relay", 500, 1.25),
    ("SRTP on both legs (AES-GCM) against own relay", "srtp-gcm", "relay", 1000, 1.25),
    ("recorded and sealed against own relay", "recorded", "relay", 1000, 1.25),
    ("recorded and sealed against rtpengine relaying", "recorded", "rtpengine", 500, 0.6),
    ("recorded and sealed against rtpengine relaying", "recorded", "rtpengine", 1000, 0.6),
    ("recorded and sealed against Asterisk with MixMonitor", "recorded", "mixmonitor", 100, 0.2),
    ("recorded and sealed against Asterisk with MixMonitor", "recorded", "mixmonitor", 500, 0.2),
    ("5000 calls against 1000 at the same packet rate", "mux", "mux", (5000, 1000), 1.25),
]
# What, the value of which windows, the unit, at which calls, at most.
VALUES = [
    ("relay's delay, p99", "relay", "p99_ms", "ms", 100, 1.5),
    ("recorded relay's delay, p50", "recorded", "p50_ms", "ms", 1000, 0.3),
    ("recorded relay's delay, p99", "recorded", "p99_ms", "ms", 1000, 1.5),
    ("recorded relay's delay, most", "recorded", "most_ms", "ms", 1000, 20),
    ("memory of a recorded call", "recorded", "call_kb", "KiB", 1000, 24),
    ("packets lost at 2000 recorded calls on one core", "recorded", "lost_percent", "%", 2000, 0.01),
    ("packets lost while the disk is frozen for 5 s", "frozen", "lost_percent", "%", 1000, 0),
]
IN_BAND = ("a packet of a leg that is listened to for tones", "in-band", "recorded", 1000, 1.12)


def read(path):
    """The windows of every cell: {(cell, calls): [{name: value}]}, and what gave none, in words."""
    cells, none = {}, []
    with open(path, encoding="ascii") as file:
        for line in file:
            fields = dict(word.split("=", 1) for word in line.split() if "=" in word)
            if line.endswith(" none\n"):
                none.append(f"{NAMES.get(fields['cell'], fields['cell'])} with {fields['calls']} calls (round {fields['round']})")
                continue
            window = {name: float(value) for name, value in fields.items() if name != "cell"}
            window["call_kb"] = (window["rss_kb"] - window["base_kb"]) / window["calls"]
            window["lost_percent"] = window["loss"] * 100
            cells.setdefault((fields["cell"], int(window["calls"])), []).append(window)
    return cells, none


def middle(windows, name):
    return statistics.median(window[name] for window in windows)


def told(windows, name, digits=2):
    values = [window[name] for window in windows]
    return (f"{statistics.median(values):.{digits}f} "
            f"[{min(values):.{digits}f}-{max(values):.{digits}f}]")


def flaw(windows):
    """Why a cell's cost says nothing, or nothing."""
    if any(window["sent"] < 0.99 * window["due"] for window in windows):
        return "the meter fell behind"
    if middle(windows, "loss") > LOST:
        return f"saturated, {middle(windows, 'lost_percent'):.2f} % lost"
    if middle(windows, "load") > BUSY:
        return f"saturated, {middle(windows, 'load') * 100:.0f} % of the core"
    return ""


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    yield ""


def by_program(cells, what):
    """A row for each program, a column for each number of calls."""
    counts = sorted({calls for _, calls in cells})
    programs = [name for name in NAMES if any(cell == name for cell, _ in cells)]
    rows = [[NAMES[name]] + [what(cells[name, calls]) if (name, calls) in cells else "–" for calls in counts]
            for name in programs]
    return table(["program"] + [f"{calls} calls" for calls in counts], rows)


def cost(windows):
    why = flaw(windows)
    return told(windows, "packet_us") + (f" ({why})" if why else "")


def ratio(cells, ours, theirs):
    """The cost of one cell over another's, or in words why there is none."""
    for cell in (ours, theirs):
        if cell not in cells:
            return "not in this run"
        if flaw(cells[cell]):
            return f"none: {NAMES[cell[0]]} {flaw(cells[cell])}"
    theirs_us = middle(cells[theirs], "packet_us")
    return middle(cells[ours], "packet_us") / theirs_us if theirs_us else "not in this run"


def against(what, calls, value, most):
    number = not isinstance(value, str)
    return [what, calls, f"≤ {most} ×", f"{value:.2f} ×" if number else value,
            verdict(value, most) if number else "–"]


def goals(cells):
    for what, ours, theirs, calls, most in RATIOS:
        each = calls if isinstance(calls, tuple) else (calls, calls)
        value = ratio(cells, (ours, each[0]), (theirs, each[1]))
        yield against(what, str(each[0]), value, most)
    what, ours, theirs, calls, most = IN_BAND
    value = ratio(cells, (ours, calls), (theirs, calls))
    # One of a call's two legs is: what it costs more is on half of the packets.
    yield against(what, str(calls), value if isinstance(value, str) else 1 + 2 * (value - 1), most)
    for what, cell, name, unit, calls, most in VALUES:
        windows = cells.get((cell, calls))
        if not windows:
            yield [what, str(calls), f"≤ {most} {unit}", "not in this run", "–"]
            continue
        # Of the longest delay the worst window counts, and of losses, too.
        worst = name in ("most_ms", "lost_percent")
        value = max(w[name] for w in windows) if worst else middle(windows, name)
        behind = flaw(windows) == "the meter fell behind"
        yield [what, str(calls), f"≤ {most} {unit}", told(windows, name, 3) + f" {unit}",
               "the meter fell behind" if behind else verdict(value, most)]
    if windows := cells.get(("frozen", 1000)):
        yield ["recorded sound that the frozen disk cost, marked as gaps", "1000", "",
               told(windows, "missing_s", 1) + " s of 5,000 s", "–"]


def verdict(value, most):
    return "met" if not math.isnan(value) and value <= most else "**not met**"


def report(cells, none, machine, plotted):
    rounds = max(len(windows) for windows in cells.values())
    late = max(window["late_ms"] for windows in cells.values() for window in windows)
    meter = max(window["meter_load"] for windows in cells.values() for window in windows)
    yield "# What a packet of speech costs"
    yield ""
    yield f"Written by `tests/bench/media/run` on {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}: {rounds} interleaved windows of each cell, {machine}."
    yield "G.711 of 20 ms, plain RTP where nothing else is said; median [lowest-highest]."
    yield f"The meter was at most {late:.1f} ms late and used {meter * 100:.0f} % of its core at most."
    yield f"A cell with more than {LOST * 100} % lost or {BUSY * 100:.0f} % of its core used is saturated and gives no ratio."
    if none:
        yield f"Calls did not come up, or were not recorded, so there is no window of: {', '.join(none)}."
    yield ""
    if plotted:
        yield "![CPU per packet by calls](media.png)"
        yield ""
    yield "## Goals"
    yield ""
    yield from table(["what", "calls", "goal", "measured", ""], goals(cells))
    yield "## CPU per relayed packet, µs"
    yield ""
    yield from by_program(cells, cost)
    yield "## Delay through the program, ms: p50 / p99 / most (medians; the worst of all windows)"
    yield ""
    yield from by_program(cells, lambda windows: f"{middle(windows, 'p50_ms'):.2f} / {middle(windows, 'p99_ms'):.2f} / "
                          f"{max(window['most_ms'] for window in windows):.1f}")
    yield "## Packets lost, %"
    yield ""
    yield from by_program(cells, lambda windows: told(windows, "lost_percent", 3))
    yield "## Memory for each call, KiB resident (beyond the program without calls)"
    yield ""
    yield from by_program({cell: windows for cell, windows in cells.items() if cell[0] != "limit"},
                          lambda windows: told(windows, "call_kb", 1))


def plot(cells, path):
    """Whether the plot has been drawn."""
    try:
        import matplotlib
    except ImportError:
        print("no plot: Python has no matplotlib here", file=sys.stderr)
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(8, 4.5), dpi=120)
    for name, label in NAMES.items():
        counts = sorted(calls for cell, calls in cells if cell == name and not flaw(cells[name, calls]))
        if not counts:
            continue
        values = [[window["packet_us"] for window in cells[name, calls]] for calls in counts]
        middles = [statistics.median(each) for each in values]
        spread = [[m - min(each) for m, each in zip(middles, values)],
                  [max(each) - m for m, each in zip(middles, values)]]
        axes.errorbar(counts, middles, yerr=spread, marker="o", capsize=3, label=label)
    axes.set_xscale("log")
    ticks = sorted({calls for _, calls in cells})
    axes.set_xticks(ticks, [str(calls) for calls in ticks])
    axes.set_xticks([], minor=True)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("calls up, 100 packets a second each")
    axes.set_ylabel("CPU per relayed packet, µs")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)
    return True


def main():
    (cells, none), folder = read(sys.argv[1]), sys.argv[2]
    if not cells:
        sys.exit("no window was measured")
    plotted = plot(cells, os.path.join(folder, "media.png"))
    text = "\n".join(report(cells, none, sys.argv[3], plotted))
    with open(os.path.join(folder, "MEDIA.md"), "w", encoding="utf-8") as file:
        file.write(text)
    print(text)


main()
