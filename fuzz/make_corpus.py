"""Writes the seeds of fuzz/corpus/: small valid files of each format, made here from scratch."""

import io
import json
import pathlib
import pickle
import struct
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent / "corpus"
FLOATS = struct.pack("<6f", 1, 2, 3, 4, 5, 6)


def write(fuzzer: str, name: str, content: bytes):
    folder = ROOT / fuzzer
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def safetensors(header: dict, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


# --- Pickles, assembled by hand: torch need not be there.


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def tensor(key: str, size, stride, offset=0, storage="FloatStorage", elements=6, view=None) -> bytes:
    def counts(values):
        return b"(" + b"".join(b"K" + bytes([value]) for value in values) + b"t"

    code = b"ctorch._utils\n_rebuild_tensor_v2\n(("
    code += text("storage") + b"ctorch\n" + storage.encode() + b"\n" + text(key) + text("cpu")
    code += b"K" + bytes([elements]) + (view or b"") + b"tQK" + bytes([offset]) + counts(size) + counts(stride)
    return code + b"\x89ccollections\nOrderedDict\n)RtR"


def tensor_v3(key: str) -> bytes:
    code = b"ctorch._utils\n_rebuild_tensor_v3\n((" + text("storage") + b"ctorch.storage\nUntypedStorage\n"
    code += text(key) + text("cpu") + b"K\x18tQK\x00(K\x06t(K\x01t\x89ccollections\nOrderedDict\n)R"
    return code + b"ctorch\nuint16\n}tR"


def parameter(inner: bytes) -> bytes:
    return b"ctorch._utils\n_rebuild_parameter\n(" + inner + b"\x88ccollections\nOrderedDict\n)RtR"


def state_dict(entries: dict) -> bytes:
    body = b"".join(text(name) + value for name, value in entries.items())
    return b"ccollections\nOrderedDict\n)Rq\x00(" + body + b"u}" + text("_metadata") + b"}sb"


def program(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


STATES = {
    "plain": state_dict({"w": tensor("0", [2, 3], [3, 1]), "b": tensor("0", [3], [1], 3)}),
    "strided": state_dict({"w": tensor("0", [3, 2], [1, 3]), "s": tensor("0", [], [], 5)}),
    "nested": b"}" + text("state_dict") + state_dict({"w": parameter(tensor("0", [6], [1]))}) + b"s",
    "half": state_dict({"w": tensor("0", [12], [1], storage="HalfStorage", elements=12)}),
}


def torch_zip(body: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x/data.pkl", program(body))
        archive.writestr("x/byteorder", "little")
        archive.writestr("x/data/0", FLOATS)
    return out.getvalue()


def torch_legacy(body: bytes, elements: int) -> bytes:
    parts = [pickle.dumps(value, protocol=2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    parts += [program(body), pickle.dumps(["0"], protocol=2), struct.pack("<q", elements), FLOATS]
    return b"".join(parts)


# --- A TensorFlow bundle's index.


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number: int, value) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(entries) -> bytes:
    out, last = b"", b""
    for key, value in entries:
        shared = 0
        while shared < min(len(key), len(last)) and key[shared] == last[shared]:
            shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    return out + struct.pack("<II", 0, 1) + bytes(5)  # one restart; no compression, no checksum


def bundle(entries) -> bytes:
    data = block(sorted(entries))
    meta = block([])
    handle = varint(0) + varint(len(data) - 5)
    index = block([(b"z", handle)])
    start = len(data) + len(meta)
    footer = varint(len(data)) + varint(len(meta) - 5) + varint(start) + varint(len(index) - 5)
    return data + meta + index + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def variable(dtype: int, shape, offset: int, size: int) -> bytes:
    dimensions = b"".join(field(2, field(1, length)) for length in shape)
    entry = field(1, dtype) + field(2, dimensions) + field(4, offset) + field(5, size)
    return entry + varint(6 << 3 | 5) + struct.pack("<I", 7)


# --- NumPy's arrays.


def npy(descr: str, shape: tuple, data: bytes, version=1) -> bytes:
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def npz(arrays: dict) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy"), content)
    return out.getvalue()


HEADER = (b"", field(1, 1) + field(3, field(1, 1)))


def main():
    two = {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
           "b": {"dtype": "I64", "shape": [], "data_offsets": [16, 24]}}
    write("safetensors", "two", safetensors(two, bytes(24)))
    write("safetensors", "metadata", safetensors({"__metadata__": {"format": "pt"}}, b""))
    write("safetensors", "empty", safetensors({"e": {"dtype": "BF16", "shape": [0, 4], "data_offsets": [0, 0]}}, b""))

    for name, body in STATES.items():
        write("torch_zip", name, torch_zip(body))
        write("torch_legacy", name, torch_legacy(body, 12 if name == "half" else 6))
        write("pickle", name, program(body))
    view = b"(" + text("v") + b"K\x02K\x04t"
    write("torch_legacy", "part", torch_legacy(state_dict({"w": tensor("0", [4], [1], view=view)}), 6))
    write("torch_zip", "untyped", torch_zip(state_dict({"w": tensor_v3("0")})))

    code_map = {"empty_pad": 0, "ICD9_250.0": 1, "ICD10_E11": 2}
    rows = [[1, [0, 2.5], [636, 0], (1, 2, 3), {1, 2}, None, True, -5, 1 << 40]]
    for protocol in (2, 3, 4, 5):
        write("pickle", f"map{protocol}", pickle.dumps(code_map, protocol=protocol))
        write("pickle", f"rows{protocol}", pickle.dumps(rows + [b"\x01"] * (protocol > 2), protocol=protocol))

    entries = [HEADER, (b"bert/encoder/layer_0/kernel", variable(1, [2, 3], 0, 24)),
               (b"bert/encoder/layer_0/bias", variable(1, [3], 24, 12)), (b"global_step", variable(9, [], 36, 8))]
    write("tf_bundle", "three", bundle(entries))
    write("tf_bundle", "half", bundle([HEADER, (b"w", variable(19, [4], 0, 8)), (b"t", variable(7, [1], 8, 3))]))

    write("npz", "array", npy("<f4", (2, 3), FLOATS))
    write("npz", "wide", npy("<i8", (3,), FLOATS, version=2))
    write("npz", "two", npz({"w": npy("<f4", (2, 3), FLOATS), "t": npy("<U2", (3,), FLOATS)}))

    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "heart", "##s", "caf\u00e9"]
    write("vocab_txt", "unix", "\n".join(tokens).encode() + b"\n")
    write("vocab_txt", "windows", "\r\n".join(tokens).encode())
    ids = {token: i for i, token in enumerate(tokens)}
    added = [{"id": i, "content": tokens[i], "special": True} for i in range(3)]
    word_piece = {"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "vocab": ids},
                  "added_tokens": added, "normalizer": {"type": "BertNormalizer", "lowercase": True}}
    word_level = {"model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": ids}}
    write("tokenizer_json", "word_piece", json.dumps(word_piece).encode())
    write("tokenizer_json", "word_level", json.dumps(word_level).encode())
    write("shard_index", "one", b'{"metadata":{"total_size":4},"weight_map":{"a":"model-1.safetensors"}}')


if __name__ == "__main__":
    main()
