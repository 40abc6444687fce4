"""Opens chunks with Google Tink: tink_opens.py FOLDER (files N.sealed, N.key, N.associated, N.plain).

A chunk is a Tink streaming AEAD ciphertext of type AES256_GCM_HKDF_4KB, raw. Each must open to
N.plain, and must be refused with a byte cut off, a segment cut off, and other associated data.
"""

import io
import pathlib
import sys

import tink
from tink import secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2


def primitive(key):
    value = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(version=0, key_value=key)
    value.params.ciphertext_segment_size = 4096
    value.params.derived_key_size = 32
    value.params.hkdf_hash_type = common_pb2.SHA256
    keyset = tink_pb2.Keyset(primary_key_id=1)
    entry = keyset.key.add()
    entry.key_data.type_url = "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey"
    entry.key_data.value = value.SerializeToString()
    entry.key_data.key_material_type = tink_pb2.KeyData.SYMMETRIC
    entry.status = tink_pb2.ENABLED
    entry.key_id = 1
    entry.output_prefix_type = tink_pb2.RAW
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


def opened(aead, sealed, associated):
    with aead.new_decrypting_stream(io.BytesIO(sealed), associated) as stream:
        return stream.read()


def refuses(aead, sealed, associated):
    try:
        opened(aead, sealed, associated)
    except (tink.TinkError, OSError, ValueError):
        return True
    return False


def main(folder):
    streaming_aead.register()
    opened_count = refused_count = 0
    for path in sorted(pathlib.Path(folder).glob("*.sealed")):
        sealed = path.read_bytes()
        associated = path.with_suffix(".associated").read_bytes()
        aead = primitive(path.with_suffix(".key").read_bytes())
        if opened(aead, sealed, associated) != path.with_suffix(".plain").read_bytes():
            sys.exit(f"{path.name} opened to something else")
        opened_count += 1
        whole = (len(sealed) - 1) // 4096 * 4096
        for cut in (sealed[:-1], sealed[:whole]):
            refused_count += refuses(aead, cut, associated)
        refused_count += refuses(aead, sealed, associated + b"x")
    print(f"{opened_count} chunks opened, {refused_count} refused")


if __name__ == "__main__":
    main(sys.argv[1])
