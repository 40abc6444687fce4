"""Reads a signed vCon with the vcon package: vcon_reads.py FILE TRUST SOUND (the node's `trust`, the WAV).

The signature must be that of the trusted key, which the certificate in it must hold, and one letter of
the payload changed must break it. Prints what the conversation says, as JSON.
"""

import base64
import json
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from vcon import Vcon

file, trust, sound = (pathlib.Path(name) for name in sys.argv[1:])
text = file.read_text()
sealed = Vcon.build_from_json(text)
[signature] = sealed.vcon_dict["signatures"]
[certificate] = signature["header"]["x5c"]
key = x509.load_der_x509_certificate(base64.b64decode(certificate))
key.verify_directly_issued_by(key)
public = key.public_key()
raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
assert trust.read_text().split() == ["jawoord-ed25519", raw.hex()], "another key"
pem = public.public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
assert sealed.verify(pem), "the signature does not hold"


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


payload = sealed.vcon_dict["payload"]
middle = len(payload) // 2
other = "A" if payload[middle] != "A" else "B"
sealed.vcon_dict["payload"] = payload[:middle] + other + payload[middle + 1 :]
assert not sealed.verify(pem), "a change is not seen"

vcon = Vcon.build_from_json(unpadded(payload).decode())
assert vcon.uuid == signature["header"]["uuid"]
recording = vcon.find_dialog("type", "recording")
assert unpadded(recording.body) == sound.read_bytes(), "another sound"
[call, _] = vcon.dialog
print(
    json.dumps(
        {
            "uuid": vcon.uuid,
            "vcon": vcon.vcon,
            "parties": [party.to_dict() for party in vcon.parties],
            "call": call,
            "recording": {name: value for name, value in recording.to_dict().items() if name != "body"},
            "attachments": vcon.attachments,
        }
    )
)
