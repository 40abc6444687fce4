"""Seven seconds of the calling tone with which spandsp's fax calls, as raw 16-bit samples of 8,000 Hz."""

import ctypes
import sys

FAX_CNG = 1  # MODEM_CONNECT_TONES_FAX_CNG

spandsp = ctypes.CDLL("libspandsp.so.2")
spandsp.modem_connect_tones_tx_init.restype = ctypes.c_void_p
spandsp.modem_connect_tones_tx_init.argtypes = [ctypes.c_void_p, ctypes.c_int]
spandsp.modem_connect_tones_tx.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]

fax = spandsp.modem_connect_tones_tx_init(None, FAX_CNG)
sound = ctypes.create_string_buffer(2 * 160)
for _ in range(350):
    made = spandsp.modem_connect_tones_tx(fax, sound, 160)
    sys.stdout.buffer.write(sound.raw[: 2 * made])
