"""PESQ narrow-band (ITU-T P.862.1) of two files of raw 16-bit samples at 8,000 Hz: source, recorded."""

import sys

import numpy
import pesq

source, recorded = (numpy.fromfile(name, dtype="<i2") for name in sys.argv[1:3])
print(pesq.pesq(8000, source, recorded, "nb"))
