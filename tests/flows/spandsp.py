"""The digits that spandsp hears in raw 16-bit samples of 8,000 Hz, which come by the standard input."""

import ctypes
import sys

spandsp = ctypes.CDLL("libspandsp.so.2")
spandsp.dtmf_rx_init.restype = ctypes.c_void_p
spandsp.dtmf_rx_init.argtypes = [ctypes.c_void_p] * 3
spandsp.dtmf_rx.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
spandsp.dtmf_rx_get.restype = ctypes.c_size_t
spandsp.dtmf_rx_get.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]

sound = sys.stdin.buffer.read()
ear = spandsp.dtmf_rx_init(None, None, None)
digits = ctypes.create_string_buffer(129)
for at in range(0, len(sound) - 319, 320):
    spandsp.dtmf_rx(ear, sound[at : at + 320], 160)
    if spandsp.dtmf_rx_get(ear, digits, 128):
        print(digits.value.decode("ascii"), end="")
print()
