"""Other libraries on the files of `bench_encoders make`: the same weights, visits and patients.

    encoders.py FOLDER PEER PRECISION THREADS [SECONDS [WORKLOAD ...]]

PEER is transformers, onnxruntime or ctranslate2; prints lines as bench_encoders does. Visits of one
length go in batches of at most 2,048 codes; ragged patients are bucketed: all visits of the batch
sorted by length, in batches of at most 2,048 places. One process per run, so that the peak memory is
that of the peer.
"""

import os
import resource
import sys
import time
from pathlib import Path

folder, peer, precision, threads = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
seconds = float(sys.argv[5]) if len(sys.argv) > 5 else 3.0
workloads = sys.argv[6:] or ["visits_32", "visits_128", "visits_512", "patients"]
os.environ["OMP_NUM_THREADS"] = str(threads)

import numpy as np  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

PLACES = 2048


def open_transformers():
    import torch
    from transformers import BertModel

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    model = BertModel.from_pretrained(folder, torch_dtype=dtype, add_pooling_layer=False).eval()
    if precision == "int8":
        model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, torch.qint8)

    def run(ids, mask):
        hidden = model(torch.from_numpy(ids), torch.from_numpy(mask)).last_hidden_state
        return hidden.float().numpy()

    return run


def onnx_path(precision=precision):
    """Exports, fuses and (for int8) quantises once."""
    path = folder / f"model-{precision}.onnx"
    if path.exists():
        return path
    import onnx
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer
    from transformers import BertModel

    model = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager").eval()
    plain, fused = folder / "model-plain.onnx", folder / "model-fp32.onnx"
    ids = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "rows", 1: "columns"}
    torch.onnx.export(model, (ids, ids), plain, input_names=["ids", "mask"], output_names=["hidden"],
                      dynamic_axes={"ids": axes, "mask": axes, "hidden": axes}, dynamo=False, opset_version=17)
    optimizer.optimize_model(str(plain), "bert", num_heads=12, hidden_size=768, opt_level=1).save_model_to_file(
        str(fused))
    plain.unlink()
    if precision == "int8":
        quantize_dynamic(fused, path, weight_type=QuantType.QInt8, per_channel=True,
                         extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
    return path


def open_onnxruntime():
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(onnx_path()), options, providers=["CPUExecutionProvider"])
    return lambda ids, mask: session.run(None, {"ids": ids, "mask": mask})[0]


def ct2_folder():
    path = folder / "ctranslate2"
    if not path.exists():
        from ctranslate2.converters import TransformersConverter

        # The converter wants a tokenizer, which plays no part in what is timed.
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        words = special + [f"code{i}" for i in range(len(special), 20_000)]
        (folder / "vocab.txt").write_text("\n".join(words) + "\n")
        TransformersConverter(str(folder)).convert(str(path))
    return path


def open_ctranslate2():
    import ctranslate2

    compute = {"fp32": "float32", "int8": "int8_float32"}[precision]
    encoder = ctranslate2.Encoder(str(ct2_folder()), device="cpu", compute_type=compute, intra_threads=threads)

    def run(ids, mask):
        lengths = mask.sum(1).astype(np.int32)
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(ids.astype(np.int32)))
        return np.array(encoder.forward_batch(view, lengths=ctranslate2.StorageView.from_array(lengths)).last_hidden_state)

    return run


def prepare():
    """Conversions, outside of all timing."""
    if peer == "onnxruntime":
        onnx_path("fp32" if precision == "prepare" else precision)
        onnx_path("int8")
    if peer == "ctranslate2":
        ct2_folder()


def pool(hidden, mask):
    weight = mask[..., None].astype(np.float32)
    return (hidden * weight).sum(1) / np.maximum(weight.sum(1), 1e-9)


def encode(run, ids):
    """Mean embeddings of visits [B, C] or patients [B, V, C], buckets by length."""
    flat = ids.reshape(-1, ids.shape[-1])
    lengths = (flat != 0).sum(1)
    order = np.argsort(lengths, kind="stable")
    out, begin = None, 0
    while begin < len(order):
        end = begin + 1
        while end < len(order) and (end + 1 - begin) * lengths[order[end]] <= PLACES:
            end += 1
        rows = order[begin:end]
        part = np.ascontiguousarray(flat[rows, : lengths[rows].max()])
        mask = (part != 0).astype(np.int64)
        pooled = pool(run(part, mask), mask)
        if out is None:
            out = np.zeros((len(flat), pooled.shape[1]), np.float32)
        out[rows] = pooled
        begin = end
    return out


def main():
    label = f"{peer} {precision} threads {threads}"
    if precision == "prepare":
        return
    start = time.perf_counter()
    run = {"transformers": open_transformers, "onnxruntime": open_onnxruntime, "ctranslate2": open_ctranslate2}[peer]()
    opened = time.perf_counter()
    inputs = load_file(folder / "inputs.safetensors")
    encode(run, inputs["visits_32"][:1])
    first = time.perf_counter()
    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # noqa: E731
    print(f"{label} open: {1e3 * (opened - start):.0f} ms, first embedding {1e3 * (first - start):.0f} ms, "
          f"peak {peak():.0f} MB", flush=True)
    encode(run, inputs["visits_512"])
    print(f"{label} memory: peak {peak():.0f} MB", flush=True)
    exact = np.load(folder / "exact.npz") if (folder / "exact.npz").exists() else {}
    found = {}
    for name in workloads:
        ids = inputs[name]
        found[name] = encode(run, ids)
        cosine = float("nan")
        if name in exact:
            a, b = exact[name], found[name]
            cosine = ((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min()
        wall, cpu, done = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - wall < seconds:
            encode(run, ids)
            done += len(ids)
        print(f"{label} {name}: {done / (time.perf_counter() - wall):.2f}/s wall, "
              f"{done / (time.process_time() - cpu):.2f}/s CPU, cosine {cosine:.6f}", flush=True)
    if peer == "transformers" and precision == "fp32" and not exact:
        np.savez(folder / "exact.npz", **found)


prepare()
main()
