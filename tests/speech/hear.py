"""What whisper hears in the sound of calls.

    hear.py MODEL < clips

Each line of the standard input is `CODEC LANGUAGE FILE`: the payloads of RTP packets in order, each behind its
length (two octets, big-endian). For each of them one line of text is written. FFmpeg decodes, so that neither
decoder nor ear is of this repository. Nothing is drawn: the same clip always gives the same text. It takes one core.
"""

import sys
from pathlib import Path

import av
import numpy
from faster_whisper import WhisperModel

DECODERS = {"pcma": ("pcm_alaw", 8_000), "pcmu": ("pcm_mulaw", 8_000), "g722": ("g722", 16_000), "opus": ("opus", 48_000)}
EAR_HZ = 16_000


def payloads(clip):
    at = 0
    while at < len(clip):
        length = int.from_bytes(clip[at : at + 2], "big")
        yield clip[at + 2 : at + 2 + length]
        at += 2 + length


def samples(codec, clip):
    """The clip at the rate of the ear, from -1 to 1."""
    name, rate_hz = DECODERS[codec]
    decoder = av.CodecContext.create(name, "r")
    decoder.sample_rate, decoder.layout = rate_hz, "mono"
    ear = av.AudioResampler("s16", "mono", EAR_HZ)
    frames = [frame for payload in payloads(clip) for frame in decoder.decode(av.Packet(payload))]
    heard = [part for frame in [*frames, None] for part in ear.resample(frame)]
    if not heard:
        return numpy.zeros(EAR_HZ, numpy.float32)
    return numpy.concatenate([part.to_ndarray()[0] for part in heard]).astype(numpy.float32) / 32_768


ear = WhisperModel(sys.argv[1], device="cpu", compute_type="int8", cpu_threads=1)
for line in sys.stdin:
    codec, language, path = line.split(maxsplit=2)
    sound = samples(codec, Path(path.strip()).read_bytes())
    # One try, the likeliest words first: at a temperature of zero nothing is left to chance.
    parts, _ = ear.transcribe(
        sound, language=language, beam_size=5, temperature=0.0, condition_on_previous_text=False
    )
    print(" ".join(part.text.strip() for part in parts), flush=True)
